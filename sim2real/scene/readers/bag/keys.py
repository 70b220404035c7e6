"""Poses and numbers as they come out of a recording: at times of any order, now and then twice."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int

from ....transforms import rigid
from ..keys import interpolated, interpolated_rotations

FARTHEST_M = 1e9
_NANO = 1e-9


@dataclass(eq=False)
class Series:
    """Rows of numbers at times in nanoseconds."""

    width: int = 1
    times: array[int] = field(default_factory=lambda: array("q"))
    numbers: array[float] = field(default_factory=lambda: array("d"))

    def add(self, time_ns: int, row: Iterable[float]) -> None:
        """Append a row."""
        held = [float(number) for number in row]
        self.times.append(time_ns)
        self.numbers.extend(held)

    def ordered(self) -> tuple[Int[np.ndarray, "keys"], Float[np.ndarray, "keys width"], Int[np.ndarray, "keys"]]:
        """Times in order, each once (the row that came last), their rows, and which of the rows these are."""
        times = np.array(self.times, np.int64)
        order = np.argsort(times, kind="stable")
        last = np.append(np.diff(times[order]) > 0, True)[: len(order)]
        kept = order[last]
        return times[kept], np.array(self.numbers, np.float64).reshape(-1, self.width)[kept], kept

    @property
    def disorder(self) -> tuple[int, int]:
        """How many times are earlier than the one before, and how many are there already."""
        times = np.array(self.times, np.int64)
        return int((np.diff(times) < 0).sum()), len(times) - len(np.unique(times))


@dataclass(eq=False)
class Poses(Series):
    """Where a frame is in its parent (x, y, z, qw, qx, qy, qz), which may be another one at other times."""

    width: int = 7
    parents: list[str] = field(default_factory=list)

    def put(self, time_ns: int, parent: str, row: Sequence[float]) -> None:
        """Append a pose."""
        self.add(time_ns, row)
        self.parents.append(parent)

    def at(
        self, times_ns: Int[np.ndarray, "frames"]
    ) -> tuple[list[str], Int[np.ndarray, "frames"], Float[np.ndarray, "frames 4 4"], Bool[np.ndarray, "frames"]]:
        """The poses at some times: between two keys on the straight line and the shorter arc, outside of them as at the ends.

        Where the parent is another one at the next key, the frame stays as it is in the first until then.

        Returns:
            Parents that occur, which of them counts in every frame, ``parent_from_frame``, and whether it is known by then.
        """
        keys, rows, kept = self.ordered()
        names = list(dict.fromkeys(self.parents[k] for k in kept))
        parent = np.array([names.index(self.parents[k]) for k in kept])
        span = np.clip(np.searchsorted(keys, times_ns, side="right") - 1, 0, len(keys) - 1)
        after = np.minimum(span + 1, len(keys) - 1)
        held = parent[span] != parent[after]
        origin = int(keys[0])
        seconds, at = _seconds(keys, origin), _seconds(np.where(held, keys[span], times_ns), origin)
        place = interpolated(seconds, rows[:, :3], at, "linear")
        turn = interpolated_rotations(seconds, rows[:, 3:], at, "linear")
        return names, parent[span], rigid(turn, place), times_ns >= keys[0]


def numbers_at(
    series: Series, times_ns: Int[np.ndarray, "frames"], *, wraps: bool = False
) -> Float[np.ndarray, "frames width"]:
    """The rows at some times, linearly between keys; angles that ``wrap`` take the shorter way round."""
    keys, rows, _ = series.ordered()
    rows = np.unwrap(rows, axis=0) if wraps else rows
    origin = int(keys[0])
    return interpolated(_seconds(keys, origin), rows, _seconds(times_ns, origin), "linear")


def _seconds(times_ns: Int[np.ndarray, "keys"], origin: int) -> Float[np.ndarray, "keys"]:
    return (times_ns - origin) * _NANO


def pose_row(translation: Sequence[float | int], xyzw: Sequence[float | int]) -> list[float] | None:
    """A row of ``Poses``; ``None`` where the numbers are no pose."""
    row = [float(v) for v in (*translation, xyzw[3], *xyzw[:3])]
    far, turn = max(map(abs, row[:3])), math.hypot(*row[3:])
    good = all(map(math.isfinite, row)) and far <= FARTHEST_M and 1e-6 < turn <= 1e6
    return row if good else None


def gap_note(what: str, times_ns: Int[np.ndarray, "keys"], origin_ns: int) -> str | None:
    """A note of the longest time in which nothing was recorded, if it is ten times as long as usual, and half a second."""
    steps = np.diff(times_ns) * _NANO
    if len(steps) < 2 or steps.max() < max(0.5, 10 * float(np.median(steps))):
        return None
    longest = int(np.argmax(steps))
    start = (int(times_ns[longest]) - origin_ns) * _NANO
    more = int((steps >= max(0.5, 10 * float(np.median(steps)))).sum()) - 1
    others = f" (and {more} more gaps)" if more else ""
    return f"{what}: nothing for {steps[longest]:.3g} s from {start:.3f} s on{others}; what lies between is interpolated"
