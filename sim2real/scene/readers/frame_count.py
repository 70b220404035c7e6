"""How many frames a scene can have: those whose transforms and deformed vertices can be held in memory."""

from __future__ import annotations

from ...errors import BadValueError
from ...memory import memory_bytes

_BYTES = 1024
"""Of one transform in one frame, with the copies that are made of it on the way."""


_BYTES_OF_VERTEX = 12
"""Three numbers of single precision."""
_SHARE = 0.25


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


def check_deforming(frames: int, vertices: int, where: object = "") -> None:
    """Refuse surfaces that deform in so many frames that their vertices would take more than a quarter of the memory.

    Args:
        frames: that are asked for.
        vertices: that are somewhere else in every frame.
        where: what asks for them.

    Raises:
        BadValueError: they are too many.
    """
    most = int(_SHARE * memory_bytes()) // (_BYTES_OF_VERTEX * max(vertices, 1))
    if frames > most:
        memory = f"{memory_bytes() / 1e9:.0f} GB of memory"
        right = f"at most {most} here, for {vertices} deforming vertices of {_BYTES_OF_VERTEX} bytes in a quarter of {memory}"
        raise BadValueError(
            "the number of frames", frames, right=right, fix="choose fewer with --frames or --stride", where=where
        )
