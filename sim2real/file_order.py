"""The order of numbered names, as people mean it: frame_2 comes before frame_10."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

Key = tuple[tuple[str | int, ...], ...]


def natural_key(name: str | Path) -> Key:
    """What names and paths are sorted by: runs of digits as numbers, folder by folder, a name before what continues it."""
    path = Path(name)
    named = (*path.parts[:-1], path.stem, path.suffix, path.name)
    return tuple(_pieces(part) for part in named)


def in_order(paths: Iterable[Path]) -> list[Path]:
    """Paths in natural order."""
    return sorted(paths, key=natural_key)


def gap_note(files: Sequence[Path]) -> str | None:
    """A sentence about frames that seem to be missing, or there twice, among numbered files in order; else ``None``.

    Numbers without a usual step, times of day for instance, say nothing of gaps.
    """
    numbers = _numbers(files)
    steps = [after - before for before, after in zip(numbers, numbers[1:], strict=False)]
    if 0 in steps:
        twice = steps.index(0)
        return (
            f"two files have the number {numbers[twice]}, and count as two frames: {files[twice].name}, {files[twice + 1].name}"
        )
    if not steps:
        return None
    usual, count = min(Counter(steps).items(), key=lambda step: (-step[1], step[0]))
    gaps = [k for k, step in enumerate(steps) if step > usual]
    if not gaps or 2 * count < len(steps):
        return None
    more = f" (and {len(gaps) - 1} more gaps)" if len(gaps) > 1 else ""
    first, after = files[gaps[0]], files[gaps[0] + 1]
    return f"a gap in the numbers, {first.name} is followed by {after.name}{more}: they count as neighbors: {first.parent}"


def _pieces(text: str) -> tuple[str | int, ...]:
    """Text and numbers in turn."""
    return tuple(int(piece) if odd % 2 else piece for odd, piece in enumerate(re.split(r"([0-9]{1,4000})", text)))


def _numbers(files: Sequence[Path]) -> list[int]:
    """The one number by which the files' names differ; empty where there is no such number."""
    names = [_pieces(file.stem) for file in files]
    if len({(len(name), name[::2]) for name in names}) != 1:
        return []
    places = [k for k in range(1, len(names[0]), 2) if len({name[k] for name in names}) > 1]
    if len(places) > 1 or len(names[0]) == 1:
        return []
    place = places[0] if places else -2
    return [int(name[place]) for name in names]
