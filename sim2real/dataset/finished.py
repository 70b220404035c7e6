"""A clip that is done: a record beside its files that says what they must be, and the clip as writers see it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import numpy as np

from ..arrays import read_arrays
from ..clip import read_clip
from ..errors import BadValueError, UnreadableFileError
from ..text_files import read_json
from .clips import DatasetClip
from .plan import Row

DONE = "done.json"
EPISODE = "episode.npz"
FACTS = "episode.json"
_FIX = "delete its folder and make it again with: sim2real dataset retry DIR"


@dataclass(frozen=True)
class Done:
    """What is known of a finished clip.

    - ``row``: the plan's row; ``figures``: what the gate judges by.
    - ``sha256``: of every file, by path below the clip's folder; ``bytes``: of all files together.
    """

    row: Row
    figures: Mapping[str, float] = field(default_factory=dict)
    sha256: Mapping[str, str] = field(default_factory=dict)
    bytes: int = 0


def files_of(folder: Path) -> Iterator[Path]:
    """All files of a clip but the record itself, sorted."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / DONE)


def write_done(folder: Path, row: Row, figures: Mapping[str, float]) -> Done:
    """Write the record of a clip whose other files are all there."""
    sums, size = {}, 0
    for path in files_of(folder):
        data = path.read_bytes()
        sums[path.relative_to(folder).as_posix()] = hashlib.sha256(data).hexdigest()
        size += len(data)
    said = {"row": json.loads(row.to_json()), "figures": dict(figures), "bytes": size, "sha256": sums}
    with open(folder / DONE, "w", encoding="utf-8") as file:
        json.dump(said, file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    return Done(row, figures, sums, size)


def read_done(folder: Path) -> Done | None:
    """The record of a finished clip; ``None`` where there is none.

    Raises:
        UnreadableFileError: it is damaged.
    """
    path = folder / DONE
    if not path.is_file():
        return None
    said = read_json(path, what="a finished clip's record", fix=_FIX)
    try:
        row = Row.of_json(json.dumps(said["row"]))
        sums = {str(k): str(v) for k, v in said["sha256"].items()}
        figures = {str(k): float(v) for k, v in said["figures"].items()}
        return Done(row, figures, sums, int(said["bytes"]))
    except (KeyError, TypeError, ValueError, AttributeError, BadValueError) as error:
        why = f"{type(error).__name__}: {error}"
        raise UnreadableFileError(path, what="a finished clip's record", why=why, fix=_FIX) from error


def write_episode(folder: Path, episode: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
    """Keep what the recording carries beside pictures, to the bit; facts are its task, robot and names of columns."""
    if episode:
        np.savez(folder / EPISODE, **episode)  # type: ignore[arg-type]
    if given := {name: value for name, value in facts.items() if value}:
        (folder / FACTS).write_text(json.dumps(given, ensure_ascii=False, sort_keys=True), encoding="utf-8")


def dataset_clip(folder: Path, row: Row) -> DatasetClip:
    """A finished clip as writers see it."""
    episode: Mapping[str, np.ndarray] = {}
    facts: dict[str, Any] = {}
    if (folder / EPISODE).is_file():
        episode = read_arrays(folder / EPISODE, what="a clip's episode", fix=_FIX)
    if (folder / FACTS).is_file():
        facts = read_json(folder / FACTS, what="what a recording says", fix=_FIX)
    said = {"source": Path(row.scene).name, "demo": row.reading.get("demo"), "seed": row.seed, **row.values}
    if row.lerobot is not None:
        said |= {"source": Path(row.lerobot).name, "episode": row.episode}
    task = str(facts.pop("task", ""))
    return DatasetClip(row.clip_id, read_clip(folder), {**said, **facts}, episode, task)


class FinishedClips(Sequence[DatasetClip]):
    """Finished clips in a plan's order, each read when it is asked for, so that thousands take the memory of one.

    Args:
        root: the folder that has a folder per clip.
        rows: of the clips.
    """

    def __init__(self, root: Path, rows: Sequence[Row]) -> None:
        """Nothing is read yet."""
        self._root, self._rows = root, tuple(rows)

    def __len__(self) -> int:
        """How many."""
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> DatasetClip: ...
    @overload
    def __getitem__(self, index: slice) -> FinishedClips: ...
    def __getitem__(self, index: Any) -> Any:
        """Read one, or narrow to some."""
        if isinstance(index, slice):
            return FinishedClips(self._root, self._rows[index])
        row = self._rows[index]
        return dataset_clip(self._root / row.clip_id, row)
