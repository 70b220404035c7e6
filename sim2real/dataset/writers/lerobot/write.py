"""Writing a LeRobotDataset v3.0, clip by clip, without lerobot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import BadValueError
from ....yuv import evened
from ...clips import DatasetClip
from ...kinds import check_kinds
from ...lerobot_layout import CHUNK_FILES, DATA, EPISODES, INFO, STATS, VERSION, VIDEO
from ...pictures import copy_file
from ...videos import check_footage
from .features import Column, columns_of, fps_number, frame_rate, video_feature, video_key
from .statistics import PictureStatistics, Statistics, array_statistics, pooled
from .tables import TableSeries, episode_table, frame_table, write_tasks
from .videos import CameraVideos, VideoPlace

DATA_MB, VIDEO_MB = 100, 200
"""The largest size of a parquet file and of a video, in 2^20 bytes: LeRobot's own."""


def write(
    clips: Sequence[DatasetClip], folder: Path, *, data_mb: int | float = DATA_MB, video_mb: int | float = VIDEO_MB
) -> None:
    """Write the clips as episodes, in their order; each clip's pictures are ``observation.images.CAMERA``.

    ``action``/``actions`` become ``action``, ``state``/``states`` become ``observation.state``; everything else that a
    recording carries keeps its name, all of it its dtype and bits (``features.columns_of``).

    Args:
        clips: at least one; all of the same rate, cameras, sizes and columns.
        folder: an empty folder.
        data_mb: the largest size of a parquet file, before compression, in 2^20 bytes.
        video_mb: the largest size of a video.

    Raises:
        BadValueError: the clips differ in what a LeRobot dataset has one of; says in what, and which.
        MissingFileError: a clip has no pictures.
        MissingPackageError: pyarrow or pandas is not installed.
    """
    if not clips:
        raise BadValueError("the number of clips", 0, right="at least 1", where=folder)
    check_kinds(clips, ("rgb",))
    dataset = _Dataset(folder, clips[0], data_mb, video_mb)
    try:
        for item in clips:
            dataset.add(item)
    finally:
        dataset.close()
    dataset.finish()


class _Dataset:
    """A dataset that grows by episodes."""

    def __init__(self, folder: Path, first: DatasetClip, data_mb: int | float, video_mb: int | float) -> None:
        self.folder, self.first, self.limits = folder, first, (data_mb, video_mb)
        self.rate = frame_rate(first.clip.record.fps)
        self.features: dict[str, Any] = {}
        self.tasks: dict[str, int] = {}
        self.statistics: list[dict[str, Statistics]] = []
        self.episodes = self.frames = 0
        self.data = TableSeries(folder, DATA, int(data_mb * 2**20))
        self.rows = TableSeries(folder, EPISODES, int(data_mb * 2**20))
        limit, cameras = int(video_mb * 2**20), first.clip.cameras
        self.videos = {camera: CameraVideos(folder, video_key(camera), self.rate, limit) for camera in cameras}

    def add(self, item: DatasetClip) -> None:
        """Append a clip as an episode."""
        check_footage(item)
        columns = columns_of(item) | self._copied_depth(item)
        self._check_alike(item, self._features_of(item, columns))
        statistics = {name: array_statistics(c.values) for name, c in columns.items() if c.dtype != "string"}
        places: dict[str, VideoPlace] = {}
        for camera, videos in self.videos.items():
            seen = PictureStatistics()
            places[camera] = videos.add(seen.watched(item.pictures(camera)))
            statistics[video_key(camera)] = seen.result()
        columns |= self._counted(item)
        statistics |= {name: array_statistics(column.values) for name, column in self._counted(item).items()}
        table = frame_table(columns)
        place = self.data.take(table.nbytes)
        self.data.write(table, place)
        self._describe(item, {"data/chunk_index": place.chunk_index, "data/file_index": place.file_index}, places, statistics)
        self.statistics.append(statistics)
        self.episodes, self.frames = self.episodes + 1, self.frames + item.clip.frames

    def _counted(self, item: DatasetClip) -> dict[str, Column]:
        """The columns that say where each row belongs."""
        frames = np.arange(item.clip.frames)
        task = self.tasks.setdefault(item.task, len(self.tasks))
        values = {
            "frame_index": frames,
            "episode_index": np.full(len(frames), self.episodes),
            "index": self.frames + frames,
            "task_index": np.full(len(frames), task),
        }
        return {name: Column(array.astype(np.int64)) for name, array in values.items()}

    def _describe(
        self,
        item: DatasetClip,
        data: Mapping[str, int],
        places: Mapping[str, VideoPlace],
        statistics: Mapping[str, Statistics],
    ) -> None:
        """Write the episode's row."""
        frames = item.clip.frames
        row: dict[str, Any] = {"episode_index": self.episodes, "tasks": [item.task], "length": frames, **data}
        row |= {"dataset_from_index": self.frames, "dataset_to_index": self.frames + frames}
        for camera, place in places.items():
            key = f"videos/{video_key(camera)}"
            row |= {f"{key}/chunk_index": place.file.chunk_index, f"{key}/file_index": place.file.file_index}
            row[f"{key}/from_timestamp"] = float(place.first_frame / self.rate)
            row[f"{key}/to_timestamp"] = float((place.first_frame + frames) / self.rate)
        row |= {f"stats/{name}/{what}": value for name, found in statistics.items() for what, value in found.items()}
        file = self.rows.take(episode_table(row).nbytes)
        row |= {"meta/episodes/chunk_index": file.chunk_index, "meta/episodes/file_index": file.file_index}
        self.rows.write(episode_table(row), file)

    def _copied_depth(self, item: DatasetClip) -> dict[str, Column]:
        """Copy the depth of all cameras, where the first clip has it, and say where each frame's is."""
        columns: dict[str, Column] = {}
        if not all(self.first.clip.has(camera, "depth") for camera in self.first.clip.cameras):
            return columns
        check_kinds([item], ("depth",))
        for camera in item.clip.cameras:
            below = Path("depth", camera, f"episode-{self.episodes:06d}")
            (self.folder / below).mkdir(parents=True)
            files = [below / f"frame-{frame:06d}.exr" for frame in range(item.clip.frames)]
            for frame, file in enumerate(files):
                copy_file(item.clip.frame_path(camera, "depth", frame), self.folder / file, of=item)
            columns[f"depth.{camera}"] = Column(np.array([file.as_posix() for file in files]))
        return columns

    def _features_of(self, item: DatasetClip, columns: Mapping[str, Column]) -> dict[str, Any]:
        features: dict[str, Any] = {}
        for camera in item.clip.cameras:
            size = evened(next(iter(item.pictures(camera)))).shape[:2]
            features[video_key(camera)] = video_feature((size[0], size[1]), self.rate)
        return features | {name: column.feature() for name, column in columns.items()}

    def _check_alike(self, item: DatasetClip, features: dict[str, Any]) -> None:
        """Refuse a clip that is not like the first one."""
        record, first = item.clip.record, self.first.clip.record
        pair = f"{self.first.clip_id} and {item.clip_id}"
        fix = "render all clips alike, or write them as several datasets"
        if frame_rate(record.fps) != self.rate:
            raise _unlike("the frame rate", f"{first.fps:g} and {record.fps:g}", fix, pair)
        if set(record.cameras) != set(first.cameras):
            received = f"{', '.join(sorted(first.cameras))} and {', '.join(sorted(record.cameras))}"
            raise _unlike("the cameras", received, fix, pair)
        self.features = self.features or features
        for name in sorted({*features, *self.features}):
            here, there = features.get(name), self.features.get(name)
            if here != there:
                what = "the pictures' size" if here and there and here["dtype"] == "video" else f"the feature {name}"
                raise _unlike(what, f"{_said(there)} and {_said(here)}", fix, pair)

    def close(self) -> None:
        """Close all files."""
        for series in (self.data, self.rows, *self.videos.values()):
            series.close()

    def finish(self) -> None:
        """Write what describes the whole, ``info.json`` last: a folder without it is no dataset."""
        write_tasks(self.folder, list(self.tasks))
        pool = {name: pooled([part[name] for part in self.statistics]) for name in self.statistics[0]}
        plain = {name: {what: value.tolist() for what, value in found.items()} for name, found in pool.items()}
        _write_json(self.folder / STATS, plain)
        _write_json(self.folder / INFO, self._info())

    def _info(self) -> dict[str, Any]:
        counted = {name: column.feature() for name, column in self._counted(self.first).items()}
        return {
            "codebase_version": VERSION,
            "robot_type": self.first.row.get("robot_type"),
            "total_episodes": self.episodes,
            "total_frames": self.frames,
            "total_tasks": len(self.tasks),
            "chunks_size": CHUNK_FILES,
            "data_files_size_in_mb": self.limits[0],
            "video_files_size_in_mb": self.limits[1],
            "fps": fps_number(self.rate),
            "splits": {"train": f"0:{self.episodes}"},
            "data_path": DATA,
            "video_path": VIDEO,
            "features": self.features | counted,
        }


def _unlike(what: str, received: str, fix: str, pair: str) -> BadValueError:
    return BadValueError(f"{what} of {pair}", received, right="the same in all clips of a LeRobot dataset", fix=fix)


def _said(feature: Mapping[str, Any] | None) -> str:
    if feature is None:
        return "none"
    return f"{feature['dtype']} {'x'.join(str(length) for length in feature['shape'])}"


def _write_json(path: Path, data: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=4, ensure_ascii=False), encoding="utf-8")
