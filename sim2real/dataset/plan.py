"""From a configuration to one row per clip, and the rows on disk."""

from __future__ import annotations

import fnmatch
import functools
import glob
import hashlib
import itertools
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from ..clip.whole_files import whole_file
from ..errors import BadValueError, MissingFileError, UnknownNameError, UnreadableFileError
from ..file_order import natural_key
from ..optional import require
from ..scene.readers.registry import own_options_of
from .config import FOOTAGE_KNOBS, DatasetConfig, Jitter, Source, Span
from .footage import NAMING, check_footage, model_from
from .lerobot_source import LeRobotSource, read_lerobot
from .named import LIGHT_AND_SENSOR, check_named, movable, placed
from .video_source import VideoChecks, chosen_cameras, video_reading

_OF_CAMERAS = ("camera_file", "camera_track", "track_format", "track_scale", "world_from_track", "track_fov")
READING = ("demo", "states", "orbit", "frames", "stride", "size", "fps", "intrinsics", "asset_root", "groups", "light")
READING += _OF_CAMERAS
"""Of a row: what is handed to ``scene.load``."""


@dataclass(frozen=True)
class Row:
    """One clip of a plan; JSON types only.

    - ``clip_id``: the source's name and a hash of everything else, so that a clip that is planned twice is made once.
    - ``scene``, ``sha256``: the file and what was in it; ``reading``: how it is read. Where there are videos alone, without any
      geometry (``of_video``), the folder of the LeRobot dataset and what its ``meta`` says.
    - ``cameras``: names, or none for all.
    - ``seed``: of noise, looks, sensors and of what is drawn in the scene.
    - ``values``: what the knobs are set to in this clip.
    - ``generate``: what a model is asked for, or nothing.
    - ``formats``: those that the clip will be written in; ``gate``: thresholds; ``limit_s``: seconds for one try.
    - ``lerobot``, ``episode``, ``states_column``: the dataset that the motion comes from, which of its episodes, and the
      column that has the states of the model ``scene``; ``None`` where the scene moves by itself.
    """

    clip_id: str
    scene: str
    sha256: str
    reading: Mapping[str, Any]
    cameras: tuple[str, ...]
    seed: int
    values: Mapping[str, Any]
    generate: Mapping[str, Any] | None
    only: tuple[str, ...] = ()
    task: str = ""
    formats: tuple[str, ...] = ()
    gate: Mapping[str, float] = field(default_factory=dict)
    limit_s: float = 3600.0
    lerobot: str | None = None
    episode: int = 0
    states_column: str = "observation.state"

    @property
    def of_video(self) -> bool:
        """Whether the clip is made of videos alone."""
        return self.reading.get("reader") == "video"

    def to_json(self) -> str:
        """The row as one line, the same for equal rows."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @staticmethod
    def of_json(text: str) -> Row:
        """The row that ``to_json`` wrote.

        Raises:
            ValueError: it is none.
            BadValueError: its name is no plain folder's name.
        """
        row = _rows_of_json().validate_json(text)
        if not re.fullmatch(r"[A-Za-z0-9_-]+", row.clip_id):
            raise BadValueError("the name of a clip", repr(row.clip_id), right="letters, digits, - and _")
        return row


def check_unchanged(row: Row, what: str, sha256: str) -> None:
    """Refuse a source that is not the one that was planned with.

    Args:
        row: of the plan.
        what: the source is, for the message.
        sha256: of what is there now.

    Raises:
        BadValueError: it is another one.
    """
    if sha256 != row.sha256:
        fix = "plan anew with: sim2real dataset CONFIG -o DIR"
        raise BadValueError(what, "another one than was planned", right="unchanged", fix=fix, where=row.lerobot or row.scene)


@functools.cache
def _rows_of_json() -> Any:
    return TypeAdapter(Row)


def make_plan(config: DatasetConfig, folder: Path) -> tuple[Row, ...]:
    """All clips of a configuration, in its order: sources, their rollouts, variations; each once.

    Args:
        config: what to make.
        folder: of the config file; paths of sources start there.

    Raises:
        MissingFileError: a source is not there.
        UnknownNameError: a demonstration, a light, a sensor, or a camera of a LeRobot dataset, that does not exist.
        Sim2RealError: a model cannot do what is asked of it; videos are to be clips, and cannot be what is asked for.
    """
    rows: dict[str, Row] = {}
    checks, passed = VideoChecks(), set[str]()
    for number, rollout in enumerate(_rollouts(config, folder)):
        base = _row_of_source(config, rollout)
        for values in _settings(config, number):
            row = _named(_with_values(base, config, values, rollout.folder), rollout.folder)
            named = row.reading.get("light"), row.values.get("sensor")
            if repr(named) not in passed:
                check_named(*named)
            passed.add(repr(named))
            if row.of_video and rollout.recording is not None:
                checks.check(row, rollout.recording)
            elif row.generate is not None:
                frames, size = row.reading.get("frames"), row.reading.get("size")
                cameras = len(row.cameras) or None
                if (key := repr((row.generate, frames, size, cameras))) not in passed:
                    check_footage(row.generate, frames, None if size is None else (size[0], size[1]), cameras)
                passed.add(key)
            rows.setdefault(row.clip_id, row)
    return tuple(rows.values())


@dataclass(frozen=True)
class _Rollout:
    """One scene, demonstration of a recording, or episode of a LeRobot dataset, whose folder is ``path`` if it is all there is.

    ``folder`` is the config file's.
    """

    source: Source
    path: Path
    folder: Path
    demo: str | None = None
    recording: LeRobotSource | None = None
    episode: int = 0


def _rollouts(config: DatasetConfig, folder: Path) -> Iterator[_Rollout]:
    for source in config.sources:
        recording = None if source.lerobot is None else read_lerobot(os.path.abspath(folder / source.lerobot))
        if source.scene is None:
            assert recording is not None
            for episode in _episodes(recording, source.episodes):
                yield _Rollout(source, recording.folder, folder, recording=recording, episode=episode)
            continue
        pattern = os.path.abspath(folder / source.scene)
        paths = sorted(glob.glob(pattern, recursive=True), key=natural_key) if glob.has_magic(pattern) else [pattern]
        if not paths or not os.path.isfile(paths[0]):
            raise MissingFileError(pattern, what="source", fix="paths start at the config file's folder")
        for path in map(Path, paths):
            if recording is not None:
                for episode in _episodes(recording, source.episodes):
                    yield _Rollout(source, path, folder, recording=recording, episode=episode)
            elif source.demo is not None:
                for demo in _demos(path, source.demo):
                    yield _Rollout(source, path, folder, demo=demo)
            else:
                yield _Rollout(source, path, folder)


def _episodes(found: LeRobotSource, wanted: Sequence[int] | None) -> list[int]:
    return [found.episode(k).index for k in wanted] if wanted is not None else [e.index for e in found.episodes]


def _demos(path: Path, wanted: Sequence[str]) -> list[str]:
    from ..scene.readers.registry import demo_names

    names = demo_names(path)
    found = [name for name in names if any(fnmatch.fnmatchcase(name, pattern) for pattern in wanted)]
    for pattern in wanted:
        if not fnmatch.filter(names, pattern):
            raise UnknownNameError(pattern, names, what="demonstration", where=path)
    return found


def _row_of_source(config: DatasetConfig, rollout: _Rollout) -> Row:
    """What all clips of a rollout have in common."""
    source, recording = rollout.source, rollout.recording
    cameras = source.cameras or config.cameras or ()
    if source.of_video and recording is not None:
        reading, sha256 = video_reading(source, config, rollout.folder), recording.sha256
        cameras = chosen_cameras(recording, cameras)
    else:
        reading, sha256 = _reading_of_scene(config, rollout), hashlib.sha256(rollout.path.read_bytes()).hexdigest()
    return Row(
        clip_id="",
        scene=str(rollout.path),
        sha256=sha256,
        reading={name: list(v) if isinstance(v, tuple) else v for name, v in reading.items()},
        cameras=cameras,
        seed=config.seed,
        values={},
        generate=None if config.generate is None else config.generate.asked(rollout.folder),
        only=config.only or (),
        task=source.task,
        formats=config.formats,
        gate=dict(config.gate),
        limit_s=config.limit_s,
        lerobot=None if recording is None else str(recording.folder),
        episode=rollout.episode,
        states_column=source.states_column,
    )


def _reading_of_scene(config: DatasetConfig, rollout: _Rollout) -> dict[str, Any]:
    """What ``scene.load`` is asked for."""
    source = rollout.source
    given: dict[str, Any] = {name: getattr(source, name) for name in READING if name != "demo"}
    given |= source.model_extra or {}
    given["demo"] = rollout.demo
    if rollout.recording is not None and source.fps is None:
        given["fps"] = rollout.recording.fps
    given["frames"] = source.frames or config.frames
    given["size"] = source.size or config.size
    paths = [name for name, known in own_options_of(rollout.path).items() if known.is_path]
    if source.light is not None:
        given["light"] = placed(source.light, rollout.path.parent)
    for name in (*paths, *_OF_CAMERAS[:2]):
        if given.get(name) is not None:
            given[name] = os.path.abspath(rollout.path.parent / given[name])
    return {name: value for name, value in given.items() if value not in (None, False) and (name, value) != ("stride", 1)}


def _settings(config: DatasetConfig, rollout: int) -> Iterator[dict[str, Any]]:
    """What the knobs are set to in each clip of a rollout."""
    knobs = config.variations.knobs
    if config.variations.sample is None:
        for values in itertools.product(*knobs.values()):
            yield dict(zip(knobs, values, strict=True))
        return
    for number in range(config.variations.sample):
        drawn = np.random.default_rng([config.seed, rollout, number])
        values = {name: _drawn(name, value, drawn) for name, value in knobs.items()}
        yield {"seed": int(drawn.integers(2**31)), **values}


def _drawn(name: str, choices: tuple[Any, ...] | Span, drawn: np.random.Generator) -> Any:
    if not isinstance(choices, Span):
        return choices[int(drawn.integers(len(choices)))]
    if name in ("seed", "clutter"):
        return int(drawn.integers(int(choices.min), int(choices.max) + 1))
    return round(float(drawn.uniform(choices.min, choices.max)), 6)


def _with_values(base: Row, config: DatasetConfig, values: Mapping[str, Any], folder: Path) -> Row:
    """A rollout's row with the knobs of one clip; ``folder`` is the config file's."""
    constant = {name: getattr(config, name) for name in ("materials", "clutter", "camera_jitter", "sensor", "rgb")}
    values = {**{name: value for name, value in constant.items() if value}, **values}
    values = {name: value.model_dump() if isinstance(value, Jitter) else value for name, value in values.items()}
    values |= {name: placed(values[name], folder) for name in ("light", "sensor") if name in values}
    if values.get("rgb") == "mitsuba" and config.rgb_samples is not None:
        values["rgb_samples"] = config.rgb_samples
    generate = base.generate
    if generate is not None:
        generate = {**generate, **{name: values[name] for name in FOOTAGE_KNOBS if name in values}}
        if "model" in values:
            generate["model"] = model_from(values["model"], folder)
        if generate.get("use", "keep") == "keep" and generate.get("prompt") != "auto":  # a look says what things become
            generate.pop("look", None)
            values.pop("look", None)
    reading = {**base.reading, **({"light": values["light"]} if "light" in values else {})}
    return replace(base, seed=int(values.get("seed", base.seed)), values=values, generate=generate, reading=reading)


def _named(row: Row, folder: Path) -> Row:
    """The row with its name: what would make other files is in the hash, and nothing else."""
    stem = Path(row.scene).stem + (f"-{row.reading['demo']}" if "demo" in row.reading else "")
    if row.lerobot is not None:
        stem = f"{Path(row.lerobot).name}-{row.episode:06d}"
    stem = re.sub(r"[^A-Za-z0-9_]+", "-", stem).strip("-")[:60] or "clip"
    said = {k: v for k, v in asdict(row).items() if k not in ("clip_id", "scene", "formats", "gate", "limit_s", "lerobot")}
    said |= {name: movable(said[name], LIGHT_AND_SENSOR, folder) for name in ("reading", "values")}
    if row.of_video:  # as seen from the dataset, so that all may move together
        seen = {name: os.path.relpath(row.reading[name], row.scene) for name in ("masks", "weights") if name in row.reading}
        said["reading"] = {**row.reading, **seen}
    if row.generate is not None:
        said["generate"] = movable(row.generate, NAMING, folder)
    digest = hashlib.sha256(json.dumps([Path(row.scene).name, said], sort_keys=True).encode()).hexdigest()
    return replace(row, clip_id=f"{stem}-{digest[:10]}")


def write_plan(path: Path, rows: Sequence[Row]) -> None:
    """Write a plan as parquet: columns ``clip_id`` and ``row`` (JSON), one row group, so that it can be read in parts."""
    arrow, parquet = require("pyarrow", "dataset"), require("pyarrow.parquet", "dataset")
    table = arrow.table({"clip_id": [row.clip_id for row in rows], "row": [row.to_json() for row in rows]})
    with whole_file(path) as work:
        parquet.write_table(table, work)


def read_plan(path: Path) -> tuple[Row, ...]:
    """Read what ``write_plan`` wrote.

    Raises:
        MissingFileError: it is not there.
        UnreadableFileError: it is damaged.
    """
    fix = "run: sim2real dataset CONFIG -o DIR"
    if not path.is_file():
        raise MissingFileError(path, what="a dataset's plan", fix=fix)
    try:
        table = require("pyarrow.parquet", "dataset").read_table(path)
        return tuple(Row.of_json(text) for text in table.column("row").to_pylist())
    except (OSError, KeyError, TypeError, ValueError, BadValueError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise UnreadableFileError(path, what="a dataset's plan", why=why, fix=fix) from error
