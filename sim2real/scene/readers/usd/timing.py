"""Which of a stage's time codes are the frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ....errors import BadValueError
from ...cameras.orbit import ORBIT_FRAMES
from ..frame_count import check_frames
from ..reading import Reading
from .types import Prim, Stage

_FAR_BEYOND = 10
"""A range this many times as long as its samples is a default that nobody set."""


@dataclass(frozen=True, eq=False)
class Frames:
    """The time code of every frame, frames per second, and what is to be said of them."""

    codes: Float[np.ndarray, "frames"]
    fps: float
    notes: tuple[str, ...] = ()


def sampled_range(prims: list[Prim]) -> tuple[float, float] | None:
    """The first and the last time code at which any attribute of some prims has a value of its own; ``None``: nothing moves."""
    low, high = np.inf, -np.inf
    for prim in prims:
        for attribute in prim.GetAuthoredAttributes():
            if attribute.ValueMightBeTimeVarying():
                samples = attribute.GetTimeSamples()
                if len(samples):
                    low, high = min(low, samples[0]), max(high, samples[-1])
    return (float(low), float(high)) if high > low else None


def frames_of(
    stage: Stage,
    moving: tuple[float, float] | None,
    reading: Reading,
    path: Path,
    *,
    things: int,
    has_cameras: bool,
    past_end: float = 0.0,
) -> Frames:
    """The frames of a stage that are asked for.

    They go from ``startTimeCode`` to ``endTimeCode`` (of the samples, where the stage says neither), one every
    ``timeCodesPerSecond / framesPerSecond`` codes. A stage in which nothing moves has one frame, or as many as an orbit if it
    has no camera.

    Args:
        stage: the stage.
        moving: ``sampled_range`` of its prims.
        reading: which frames, and at which rate.
        path: for errors.
        things: how many transforms a frame has.
        has_cameras: whether the stage has any.
        past_end: how many time codes ``endTimeCode`` is past the last frame.

    Raises:
        BadValueError: the range or the rate cannot be used, memory does not hold so many frames, or none is as asked.
    """
    per_second = float(stage.GetTimeCodesPerSecond())
    rate = float(stage.GetFramesPerSecond()) if stage.HasAuthoredMetadata("framesPerSecond") else per_second
    for name, value in (("timeCodesPerSecond", per_second), ("framesPerSecond", rate)):
        if not (np.isfinite(value) and value > 0):
            raise BadValueError(name, value, right="positive", where=path)
    wanted = reading.frames or slice(None)
    fps = reading.fps or rate / (wanted.step or 1)
    if moving is None:
        count = 1 if has_cameras else ORBIT_FRAMES if wanted.stop is None else wanted.stop
        check_frames(count, things, path)
        start = float(stage.GetStartTimeCode()) if stage.HasAuthoredTimeCodeRange() else 0.0
        return Frames(np.full(count, start if np.isfinite(start) else 0.0)[wanted], fps)
    start, end, notes = moving[0], moving[1], []
    if stage.HasAuthoredTimeCodeRange():
        start, end = float(stage.GetStartTimeCode()), float(stage.GetEndTimeCode())
        if not (np.isfinite([start, end]).all() and end >= start):
            raise BadValueError("the range of time codes", f"{start:g} to {end:g}", right="finite and not empty", where=path)
        last = end - past_end
        if end - start > _FAR_BEYOND * (moving[1] - start) and moving[1] > start:
            last = moving[1]
        if start <= last < end:
            notes.append(f"time codes after {last:g} are left out: nothing is recorded there (the stage ends at {end:g})")
            end = last
    step = per_second / rate
    count = int(min((end - start) / step + 1e-6, 1e15)) + 1
    chosen = range(count)[wanted]
    if len(chosen) == 0:
        raise BadValueError("the range of frames", f"{wanted.start}:{wanted.stop}", right=f"within 0:{count}", where=path)
    check_frames(len(chosen), things, path)
    return Frames(start + step * np.arange(chosen.start, chosen.stop, chosen.step), fps, tuple(notes))
