"""Further draws of a clip's noise: independent values on the same geometry, for samplers that add noise at every step."""

from __future__ import annotations

import hashlib


def seed_of_draw(seed: int, draw: int) -> int:
    """The seed of a draw: another field of noise on the same surfaces, independent of those of all other draws.

    Args:
        seed: the clip's; draw 0 has it.
        draw: counted from 0.
    """
    if draw == 0:
        return seed
    return int.from_bytes(hashlib.blake2b(f"draw/{seed}/{draw}".encode(), digest_size=8).digest(), "little")
