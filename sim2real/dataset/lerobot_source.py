"""LeRobotDataset v3.0 as a source: its episodes, where their pictures are, and what they carry beside pictures, to the bit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import reason
from ..errors import BadValueError, MissingFileError, UnreadableFileError
from ..optional import require
from ..text_files import read_json
from .lerobot_layout import BOOKKEEPING, CAMERA, DATA, INFO, VERSION, VIDEO, FilePlace

_FIX = "copy the dataset again"


@dataclass(frozen=True)
class EpisodeVideo:
    """Where the pictures of one camera are: seconds of a video file, the end left out."""

    path: Path
    from_s: float
    to_s: float


@dataclass(frozen=True)
class LeRobotEpisode:
    """One episode.

    - ``index``: its number in the dataset.
    - ``tasks``: what the robot was told, in words.
    - ``data``: the parquet file with its rows.
    - ``videos``: by camera, without the ``observation.images.`` of its feature.
    """

    index: int
    frames: int
    tasks: tuple[str, ...]
    data: Path
    videos: Mapping[str, EpisodeVideo]


@dataclass(frozen=True)
class LeRobotSource:
    """A dataset that has been opened.

    - ``features``: as ``info.json`` has them.
    - ``episodes``: in order.
    - ``sha256``: of its ``info.json`` and its list of episodes, which say where everything is.
    """

    folder: Path
    fps: float
    features: Mapping[str, Any]
    robot_type: str | None
    episodes: tuple[LeRobotEpisode, ...]
    sha256: str

    def episode(self, index: int) -> LeRobotEpisode:
        """An episode by its number.

        Raises:
            BadValueError: there is none of that number.
        """
        if index not in self._by_index:
            raise BadValueError("the episode", index, right=f"0 to {len(self.episodes) - 1}", where=self.folder)
        return self._by_index[index]

    @cached_property
    def _by_index(self) -> dict[int, LeRobotEpisode]:
        return {episode.index: episode for episode in self.episodes}

    @property
    def names(self) -> dict[str, list[str]]:
        """The names of the elements of a row, by column, where the dataset has them."""
        found = {key: feature.get("names") for key, feature in self.features.items() if _is_column(feature)}
        return {key: [str(name) for name in names] for key, names in found.items() if isinstance(names, list)}

    @property
    def cameras(self) -> dict[str, tuple[int, int] | None]:
        """(height, width) of the videos by camera, as ``info.json`` says it; ``None`` where it does not. No depth maps."""
        return {
            key.removeprefix(CAMERA): _picture_size(feature)
            for key, feature in self.features.items()
            if feature.get("dtype") == "video" and not _is_depth(feature)
        }


def is_lerobot(folder: Path) -> bool:
    """Whether a folder looks like a LeRobot dataset of any version."""
    return (Path(folder) / INFO).is_file()


def read_lerobot(folder: Path | str) -> LeRobotSource:
    """Open a LeRobotDataset v3.0: what its ``meta`` says; no data, no pictures.

    Raises:
        MissingFileError: there is no such dataset, or a file of its ``meta`` is not there.
        UnreadableFileError: it is of another version, or damaged.
        MissingPackageError: pyarrow is not installed.
    """
    folder = Path(folder)
    info = read_json(
        folder / INFO, what="the description of the LeRobot dataset", fix="give the folder that has meta/info.json"
    )
    version = str(info.get("codebase_version"))
    if version.split(".")[0] != VERSION.split(".")[0]:
        fix = "convert it with lerobot's convert_dataset_v21_to_v30"
        raise UnreadableFileError(folder, what="LeRobot dataset", why=f"it is of version {version}, not {VERSION}", fix=fix)
    files = sorted(folder.glob("meta/episodes/*/*.parquet"))
    if not files:
        raise MissingFileError(folder / "meta/episodes", what="list of episodes", fix=_FIX)
    try:
        features = dict(info["features"])
        cameras = [key.removeprefix(CAMERA) for key, feature in features.items() if feature.get("dtype") == "video"]
        rows = [row for file in files for row in _rows(file)]
        episodes = tuple(_episode(folder, info, row, cameras) for row in sorted(rows, key=lambda row: row["episode_index"]))
        digest = hashlib.sha256(b"".join(hashlib.sha256(f.read_bytes()).digest() for f in (folder / INFO, *files))).hexdigest()
        return LeRobotSource(folder, float(info["fps"]), features, info.get("robot_type"), episodes, digest)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        why = f"{reason(error)} is missing or wrong"
        raise UnreadableFileError(folder / "meta", what="LeRobot dataset", why=why, fix=_FIX) from error


def episode_arrays(source: LeRobotSource, index: int) -> dict[str, np.ndarray]:
    """What an episode carries beside pictures: every column but the counted ones, one row per frame.

    A column of single values has the shape (frames,), others (frames, *shape of the feature). Texts are a unicode array.

    Raises:
        BadValueError: there is no such episode.
        MissingFileError: its file is not there.
        UnreadableFileError: its file is damaged, or has not as many rows as the episode has frames.
    """
    episode = source.episode(index)
    if not episode.data.is_file():
        raise MissingFileError(episode.data, what=f"data of episode {index}", fix=_FIX)
    parquet = require("pyarrow.parquet", "dataset")
    wanted = [key for key, feature in source.features.items() if _is_column(feature) and key not in BOOKKEEPING]
    try:
        columns = [*wanted, "frame_index"]
        table = parquet.read_table(episode.data, columns=columns, filters=[("episode_index", "==", index)])
        arrays = {key: _array(table.column(key), source.features[key]) for key in wanted}
        order = table.column("frame_index").to_numpy()
    except (OSError, KeyError, ValueError) as error:  # pyarrow's own errors are ValueErrors
        raise UnreadableFileError(episode.data, what=f"episode {index}", why=reason(error), fix=_FIX) from error
    if not np.array_equal(np.sort(order), np.arange(episode.frames)):
        why = f"it has {len(order)} rows for {episode.frames} frames"
        raise UnreadableFileError(episode.data, what=f"episode {index}", why=why, fix=_FIX)
    return {key: array[np.argsort(order)] for key, array in arrays.items()}


def _is_depth(feature: Mapping[str, Any]) -> bool:
    info = feature.get("info")
    return isinstance(info, Mapping) and bool(info.get("video.is_depth_map"))


def _picture_size(feature: Mapping[str, Any]) -> tuple[int, int] | None:
    """Height and width of a video's feature, whose axes its names say, in whichever order."""
    shape, names = feature.get("shape"), feature.get("names")
    if not isinstance(shape, list) or not isinstance(names, list) or len(shape) != len(names):
        return None
    found = [side for axis in ("height", "width") for side, name in zip(shape, names, strict=True) if name == axis]
    return (found[0], found[1]) if len(found) == 2 and all(isinstance(side, int) for side in found) else None


def _is_column(feature: Mapping[str, Any]) -> bool:
    return feature.get("dtype") not in ("video", "image")


def _rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a file of episodes, without their statistics."""
    parquet = require("pyarrow.parquet", "dataset")
    try:
        names = [name for name in parquet.read_schema(file).names if not name.startswith("stats/")]
        return parquet.read_table(file, columns=names).to_pylist()
    except (OSError, ValueError) as error:
        raise UnreadableFileError(file, what="list of episodes", why=reason(error), fix=_FIX) from error


def _episode(folder: Path, info: Mapping[str, Any], row: Mapping[str, Any], cameras: list[str]) -> LeRobotEpisode:
    videos: dict[str, EpisodeVideo] = {}
    for camera in cameras:
        key = camera if camera in info["features"] else f"{CAMERA}{camera}"
        column = f"videos/{key}"
        place = FilePlace(row[f"{column}/chunk_index"], row[f"{column}/file_index"])
        path = folder / place.path(info.get("video_path") or VIDEO, video_key=key)
        videos[camera] = EpisodeVideo(path, row[f"{column}/from_timestamp"], row[f"{column}/to_timestamp"])
    place = FilePlace(row["data/chunk_index"], row["data/file_index"])
    data = folder / place.path(info.get("data_path") or DATA)
    return LeRobotEpisode(row["episode_index"], row["length"], tuple(row["tasks"]), data, videos)


def _array(column: Any, feature: Mapping[str, Any]) -> np.ndarray:
    """A column as numbers of its own type, or as texts.

    Raises:
        ValueError: it has gaps, or rows of another shape than the feature.
    """
    arrow = require("pyarrow", "dataset")
    if feature["dtype"] == "string":
        return np.array(column.to_pylist(), dtype=str)
    rows, values = len(column), column.combine_chunks()
    values = values.combine_chunks() if isinstance(values, arrow.ChunkedArray) else values
    values = getattr(values, "storage", values)
    nested = False
    while arrow.types.is_nested(values.type):
        if values.null_count:
            raise ValueError("a column has gaps")
        values, nested = values.flatten(), True
    if values.null_count:
        raise ValueError("a column has gaps")
    flat = values.to_numpy(zero_copy_only=False)
    return flat.reshape(rows, *feature["shape"]) if nested else flat
