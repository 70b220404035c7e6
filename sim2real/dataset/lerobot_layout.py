"""Where LeRobotDataset v3.0 keeps what: shared by its reader and its writer.

Source: lerobot 0.4 to 0.6, https://huggingface.co/docs/lerobot/lerobot-dataset-v3.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSION = "v3.0"
INFO = "meta/info.json"
STATS = "meta/stats.json"
TASKS = "meta/tasks.parquet"
EPISODES = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
CHUNK_FILES = 1000
"""Files per chunk folder."""

CAMERA = "observation.images."
"""What the names of cameras' features begin with."""

BOOKKEEPING = ("frame_index", "episode_index", "index", "task_index")
"""Columns that say where a row belongs; every dataset counts them anew."""


@dataclass(frozen=True, order=True)
class FilePlace:
    """The place of a file of a numbered series."""

    chunk_index: int = 0
    file_index: int = 0

    def path(self, template: str, **names: str) -> str:
        """The file's path below the dataset."""
        return template.format(chunk_index=self.chunk_index, file_index=self.file_index, **names)

    def next(self) -> FilePlace:
        """The place of the file after this one."""
        if self.file_index + 1 < CHUNK_FILES:
            return FilePlace(self.chunk_index, self.file_index + 1)
        return FilePlace(self.chunk_index + 1, 0)


class FileSeries:
    """Which file of a series takes each next piece: the current one, unless that would grow beyond a limit."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit, self._filled, self._place = limit_bytes, 0, FilePlace()

    def take(self, size: int) -> FilePlace:
        """The file for a piece of so many bytes; one beyond the limit has a file of its own."""
        if self._filled and self._filled + size > self._limit:
            self._place, self._filled = self._place.next(), 0
        self._filled += size
        return self._place
