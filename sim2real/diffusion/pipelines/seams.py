"""Windows of footage made into one film: colors carried over, one window blended into the next, a window held at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from ..family import Frames
from .given import Film, Picture
from .windows import Windows

_UNSEEN = 1.5
"""Steps of 8 bits by which a channel's mean may differ before colors are carried over."""
_GAINS = (0.8, 1.25)
"""Contrast is changed no more than this: a window that shows something else should not be forced."""


@dataclass(frozen=True, eq=False)
class Made:
    """Footage of a window.

    - ``fixed``: pixels whose colors are given, such as those of ``--keep``; None: none are.
    """

    pictures: Film
    fixed: Bool[np.ndarray, "frames height width"] | None = None


def joined(windows: Windows, make: Callable[[int, Film | None], Made], *, matched: bool) -> Frames:
    """The frames of a clip, each as soon as no later window changes it.

    Beside the window that is made, only the frames that it is blended with are held. Over ``overlap`` frames from its seam on,
    the weight of a window grows evenly from frame to frame.

    Args:
        windows: where they are.
        make: the footage of the window that begins at a frame. It is called in order, with what the window before has of the
            first ``overlap`` frames of this one; None for the first.
        matched: whether colors are carried over from window to window.
    """
    overlap, seams = windows.overlap, windows.seams
    ramp = np.arange(1, overlap + 1) / (overlap + 1)
    shared, before = np.empty((0, 0, 0, 3), np.uint8), None
    for index, first in enumerate(windows.first):
        made = make(first, before)
        start = seams[index] - first
        pictures = carried_over(shared, made, start) if matched and len(shared) else made.pictures
        follows = index + 1 < len(windows.first)
        end = seams[index + 1] - first if follows else len(pictures)
        after = windows.first[index + 1] - first if follows else 0
        before = pictures[after : after + overlap].copy() if follows else None
        for frame in range(start, end):
            at = frame - start
            yield blended_picture(shared[at], pictures[frame], ramp[at]) if at < len(shared) else pictures[frame].copy()
        shared = pictures[end : end + overlap].copy()
        del made, pictures


def blended_picture(before: Picture, after: Picture, weight: float) -> Picture:
    """``after`` with a weight from 0 to 1 over ``before``, rounded once; where both agree, that value."""
    mixed = before + weight * (after.astype(np.float64) - before)
    return np.rint(mixed).astype(np.uint8)


def carried_over(before: UInt8[np.ndarray, "shared height width 3"], made: Made, start: int) -> Film:
    """A window with the mean and contrast, per channel, that the window before has in the frames which both show.

    Nothing is changed where the means are as good as equal. This is the transfer of Reinhard et al. (2001) in sRGB, as gain and
    offset are one for the whole window, and both windows show the same things there.

    Args:
        before: the frames of the window before that are blended with this one.
        made: the window.
        start: the frame of it that shows what ``before`` begins with.
    """
    after = made.pictures[start : start + len(before)]
    free = np.ones(after.shape[:3], bool) if made.fixed is None else ~made.fixed[start : start + len(before)]
    if not free.any():
        return made.pictures
    old, new = before[free].astype(np.float64), after[free].astype(np.float64)
    if np.abs(old.mean(0) - new.mean(0)).max() <= _UNSEEN:
        return made.pictures
    gain = np.clip(old.std(0) / np.maximum(new.std(0), 1e-9), *_GAINS)
    offset = old.mean(0) - gain * new.mean(0)
    levels = np.arange(256)[:, None] * gain + offset
    table = np.rint(levels).clip(0, 255).astype(np.uint8)
    shifted = np.stack([table[:, channel][made.pictures[..., channel]] for channel in range(3)], axis=-1)
    return shifted if made.fixed is None else np.where(made.fixed[..., None], made.pictures, shifted)
