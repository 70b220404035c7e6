"""How many frames a scene can have: those whose transforms can be held in memory."""

from __future__ import annotations

from ...errors import BadValueError
from ...memory import memory_bytes

_BYTES = 1024
"""Of one transform in one frame, with the copies that are made of it on the way."""


def check_frames(frames: int, things: int, where: object = "") -> None:
    """Refuse a number of frames before so many transforms are made.

    Args:
        frames: that are asked for.
        things: objects and cameras.
        where: what asks for them.

    Raises:
        BadValueError: they would not fit into memory.
    """
    most = memory_bytes() // (_BYTES * max(things, 1))
    if frames > most:
        right = f"at most {most} here, for {things} objects and cameras in {memory_bytes() / 1e9:.0f} GB of memory"
        raise BadValueError("the number of frames", frames, right=right, where=where)
