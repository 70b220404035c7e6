"""Random numbers of sensors: keyed by seed, camera, frame and what they are for, so that any frame alone has the same."""

from __future__ import annotations

import hashlib

import numpy as np


def key_of(seed: int, camera: str, what: str) -> int:
    """A number below 2^63 that stands for a seed, a camera and a purpose."""
    text = f"sensor/{seed}/{what}/{camera}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def generator_of(seed: int, camera: str, what: str, frame: int) -> np.random.Generator:
    """The random numbers of one frame, for one purpose."""
    return np.random.Generator(np.random.Philox(key=np.array([key_of(seed, camera, what), frame], np.uint64)))
