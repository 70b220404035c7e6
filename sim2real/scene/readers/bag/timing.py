"""The frames of a clip: a camera's stamps, or evenly spread times, as long as all that moves is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ....errors import BadValueError
from ...cameras.orbit import ORBIT_FRAMES
from ..frame_count import check_frames
from ..reading import Reading, rate_of, uneven

DEFAULT_FPS = 24.0
NANO = 1e-9
_LATE_NS = 1000
"""A stamp so little after the last one of what moves is not after it."""
_MOST = 10**9
Tracks = Mapping[str, tuple[int, int]]
"""The first and the last time of whatever moves and has to be known, by what it is called."""


@dataclass(frozen=True, eq=False)
class FrameTimes:
    """``times_ns`` of the frames, frames per second, and notes."""

    times_ns: Int[np.ndarray, "frames"]
    fps: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Span:
    """From when until when everything is known, and what begins last and ends first."""

    first: int
    last: int
    begins: str
    ends: str
    notes: tuple[str, ...] = ()


def frame_times(
    stamps: Int[np.ndarray, "stamps"] | None, tracks: Tracks, reading: Reading, things: int, where: Path
) -> FrameTimes:
    """When the frames are.

    Args:
        stamps: of a camera, in order; ``None``: there is none.
        tracks: what has to be known; frames are from the last beginning to the first end.
        reading: which frames; a rate makes frames that are evenly apart, whatever the camera's stamps.
        things: how many transforms a frame has.
        where: for errors.

    Raises:
        BadValueError: no frame is left, or memory does not hold them.
    """
    span = _span(tracks)
    if stamps is not None and reading.fps is None:
        return _stamped(stamps, span, reading.frames or slice(None), things, where)
    if span is None and stamps is not None:
        span = _Span(int(stamps[0]), int(stamps[-1]), "", "")
    return _even(span, reading, things, where)


def _span(tracks: Tracks) -> _Span | None:
    if not tracks:
        return None
    begins, ends = max(tracks, key=lambda name: tracks[name][0]), min(tracks, key=lambda name: tracks[name][1])
    first, last = tracks[begins][0], tracks[ends][1]
    if first <= last:
        return _Span(first, last, begins, ends)
    note = f"{begins} begins after {ends} has ended: what is not recorded stays as it was last, or will be first"
    first, last = min(begin for begin, _ in tracks.values()), max(end for _, end in tracks.values())
    return _Span(first, last, begins, ends, (note,))


def _stamped(stamps: Int[np.ndarray, "stamps"], span: _Span | None, wanted: slice, things: int, where: Path) -> FrameTimes:
    """At a camera's stamps."""
    notes = [] if span is None else list(span.notes)
    if span is not None:
        early, late = stamps < span.first, stamps > span.last + _LATE_NS
        if (early | late).all():
            notes.append(f"no stamp of the camera is between the beginning of {span.begins} and the end of {span.ends}")
        else:
            if early.any():
                notes.append(f"{early.sum()} stamps of the camera before {span.begins} begins were left out")
            if late.any():
                notes.append(f"{late.sum()} stamps of the camera after {span.ends} has ended were left out")
            stamps = stamps[~early & ~late]
    chosen = _chosen(len(stamps), wanted, things, where)
    times = stamps[chosen.start : chosen.stop : chosen.step]
    seconds = (times - times[0]) * NANO
    notes += uneven("the stamps of the camera", seconds)
    return FrameTimes(times, rate_of(seconds, DEFAULT_FPS), tuple(notes))


def _even(span: _Span | None, reading: Reading, things: int, where: Path) -> FrameTimes:
    """Evenly apart."""
    wanted, rate = reading.frames or slice(None), reading.fps or DEFAULT_FPS
    fps = rate / (wanted.step or 1)
    if span is None or span.first == span.last:
        chosen = _chosen(wanted.stop or ORBIT_FRAMES, wanted, things, where)
        return FrameTimes(np.full(len(chosen), 0 if span is None else span.first), fps, ("nothing moves in the recording",))
    count = min(int((span.last - span.first) * NANO * rate + 1e-6), _MOST) + 1
    numbers = np.array(_chosen(count, wanted, things, where))
    return FrameTimes(span.first + np.rint(numbers / rate / NANO).astype(np.int64), fps, span.notes)


def _chosen(count: int, wanted: slice, things: int, where: Path) -> range:
    """Which of so many frames."""
    chosen = range(count)[wanted]
    if len(chosen) == 0:
        raise BadValueError("the range of frames", f"{wanted.start}:{wanted.stop}", right=f"within 0:{count}", where=where)
    check_frames(len(chosen), things, where)
    return chosen
