"""The parquet files of a LeRobot dataset: rows of frames, rows of episodes, and tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ....optional import require
from ...lerobot_layout import TASKS, FilePlace, FileSeries
from .features import Column


class TableSeries:
    """Writes tables one by one into a numbered series of parquet files of limited size, each as a row group of its own."""

    def __init__(self, folder: Path, template: str, limit_bytes: int) -> None:
        self._folder, self._template, self._series = folder, template, FileSeries(limit_bytes)
        self._place: FilePlace | None = None
        self._file: Any = None

    def take(self, size: int) -> FilePlace:
        """The file in which the next table of so many bytes will be."""
        return self._series.take(size)

    def write(self, table: Any, place: FilePlace) -> None:
        """Append a table to the file of a place that ``take`` gave last."""
        if place != self._place:
            self.close()
            path = self._folder / place.path(self._template)
            path.parent.mkdir(parents=True, exist_ok=True)
            parquet = require("pyarrow.parquet", "dataset")
            self._place, self._file = place, parquet.ParquetWriter(path, table.schema, compression="snappy")
        self._file.write_table(table)

    def close(self) -> None:
        """Finish the current file."""
        if self._file is not None:
            self._file.close()
        self._file = None


def frame_table(columns: Mapping[str, Column]) -> Any:
    """A table of one row per frame."""
    arrow = require("pyarrow", "dataset")
    arrays = {name: _array(arrow, column) for name, column in columns.items()}
    return arrow.table(arrays)


def episode_table(row: Mapping[str, Any]) -> Any:
    """A table of one row, which describes an episode; statistics as nested lists, as LeRobot has them."""
    arrow = require("pyarrow", "dataset")
    plain = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in row.items()}
    return arrow.table({name: arrow.array([value], _type(arrow, value)) for name, value in plain.items()})


def write_tasks(folder: Path, tasks: Sequence[str]) -> None:
    """Write the tasks, whose index is their text."""
    pandas = require("pandas", "dataset")
    arrow, parquet = require("pyarrow", "dataset"), require("pyarrow.parquet", "dataset")
    index = pandas.Index(list(tasks), dtype=object, name="task")
    frame = pandas.DataFrame({"task_index": np.arange(len(tasks))}, index=index)
    (folder / TASKS).parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(arrow.Table.from_pandas(frame), folder / TASKS)


def _array(arrow: Any, column: Column) -> Any:
    """A column's values: plain where a row is one value, else lists of fixed length, nested where a row has several axes."""
    if column.dtype == "string":
        return arrow.array(column.values.tolist(), arrow.string())
    values = np.ascontiguousarray(column.values)
    array = arrow.array(values.reshape(-1))
    if column.shape == (1,):
        return array
    if len(column.shape) == 1:
        return arrow.FixedSizeListArray.from_arrays(array, column.shape[0])
    for axis in range(len(column.shape), 0, -1):
        length = values.shape[axis]
        offsets = np.arange(len(array) // length + 1, dtype=np.int32) * length
        array = arrow.ListArray.from_arrays(arrow.array(offsets), array)
    return array


def _type(arrow: Any, value: Any) -> Any:
    """The type of a value; whole numbers among statistics stay whole only where they are counts."""
    if isinstance(value, list):
        return arrow.list_(_type(arrow, value[0]))
    return {str: arrow.string(), int: arrow.int64(), float: arrow.float64()}[type(value)]
