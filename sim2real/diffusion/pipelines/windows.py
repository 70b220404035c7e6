"""Clips that are longer than a model makes at once: windows that overlap, each with its part of the clip's noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import BadValueError
from ..family import Inputs, Noise, NoiseOf
from ..options import GenerateOptions
from .given import Film, PipelineInputs

if TYPE_CHECKING:
    from .family import PipelineFamily

USUAL_OVERLAP = 8


@dataclass(frozen=True)
class Windows:
    """How a clip is cut.

    - ``length``: frames of every window.
    - ``overlap``: frames over which a window is blended into the next one.
    - ``first``: the first frame of each.
    """

    length: int
    overlap: int
    first: tuple[int, ...]

    @property
    def seams(self) -> tuple[int, ...]:
        """The first frame of each window that is shown: its own first, or where the blend of the windows before it ends."""
        found = [0]
        for index, first in enumerate(self.first[1:]):
            found.append(first if index == 0 else max(first, found[-1] + self.overlap))
        return tuple(found)

    def sentence(self) -> str:
        """One line for people."""
        shared = f"that share {self.overlap} frame{'s' * (self.overlap > 1)}"
        return f"{len(self.first)} windows of {self.length} frames {shared} (--window, --overlap)"


def windows_of(family: PipelineFamily, options: GenerateOptions, frames: int) -> Windows:
    """One window, or several where they are asked for, or the clip is longer than what the family makes at once.

    Without ``--window`` a clip is cut into windows of the length that the model was made for if it is longer than
    ``most_frames``, or than that length where there is no such limit.

    Raises:
        BadValueError: windows that are too short to overlap, or that do not begin where a latent does.
    """
    asked, step = options.large, family.layout.temporal_factor
    length = asked.window
    if length is None:
        longest = family.made_for[0] if family.most_frames is None else family.most_frames
        length = frames if frames <= longest else family.made_for[0]
    if length >= frames:
        return Windows(frames, 0, (0,))
    if length % step != 1 % step or length < 1 + step:
        right = f"{step} n + 1, at least {1 + step}, for {family.name}" if step > 1 else f"at least 2 for {family.name}"
        raise BadValueError("--window", length, right=right)
    usual = max(1, min(USUAL_OVERLAP, length // 4, most_overlap(length, step)))
    return cut(frames, length, usual if asked.overlap is None else asked.overlap, step)


def most_overlap(length: int, step: int) -> int:
    """Frames of a window that the next one can share: not more than half, and so that it begins where a latent does."""
    return length - -(-length // (2 * step)) * step


def cut(frames: int, length: int, overlap: int, step: int) -> Windows:
    """Windows of one length that share at least ``overlap`` frames with the one before.

    Each begins at a frame that ends a latent of the clip: that latent is then the window's first. Latents after it cover the
    same frames in the window as in the clip. The overlap is rounded up for that, and the last window begins early enough to be
    as long as the others: it may share more.

    Args:
        frames: of the clip.
        length: of a window; it and ``frames`` leave the same remainder by ``step``.
        overlap: frames, at least.
        step: frames per latent.

    Raises:
        BadValueError: more than half of a window would be shared.
    """
    hop = (length - overlap) // step * step
    if hop < length - hop:
        right = f"at most {most_overlap(length, step)} for windows of {length} frames"
        raise BadValueError("--overlap", overlap, right=right)
    first = [*range(0, frames - length, hop), frames - length]
    return Windows(length, length - hop, tuple(first))


@dataclass(frozen=True, eq=False)
class WindowedInputs(Inputs):
    """What a model is given of a clip in windows.

    - ``windows``: where they are.
    - ``given``: what the model is given of the one that begins at a frame, and goes on from pictures of the window before.
    """

    windows: Windows
    given: Callable[[int, Film | None], PipelineInputs]


class NoiseOfWindows:
    """The clip's noise, window by window: what a window shares with the one before is remembered, not asked for again.

    So that noise which has to be asked for in order can be used, and to the bit the same in both.
    """

    def __init__(self, noise: NoiseOf) -> None:
        self._noise, self._start = noise, 0
        self._held: Noise | None = None

    def window(self, first: int, count: int) -> Noise:
        """``count`` latents from ``first`` on; where it does not follow the last window, all of them are asked for."""
        end = self._start if self._held is None else self._start + len(self._held)
        if self._held is not None and self._start <= first <= end <= first + count:
            new = [self._noise(slice(end, first + count))] if end < first + count else []
            self._held = np.concatenate([self._held[first - self._start :], *new])
        else:
            self._held = self._noise(slice(first, first + count))
        self._start = first
        return self._held

    def of(self, first: int, count: int) -> NoiseOf:
        """A window's own noise, latents numbered from 0."""
        return lambda latents: self.window(first, count)[latents]
