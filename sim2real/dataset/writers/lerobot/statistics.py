"""The statistics that LeRobot normalizes with: of an episode, and of all episodes together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float64, Int64, Shaped, UInt8

Statistics = dict[str, np.ndarray]
"""``min``, ``max``, ``mean``, ``std``, ``count`` and the quantiles ``q01`` to ``q99``."""

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}


def array_statistics(values: Shaped[np.ndarray, "frames ..."]) -> Statistics:
    """Statistics of each element over the frames; what is not finite is left out, and 0 where nothing is finite."""
    table = np.asarray(values, np.float64)
    table = table[:, None] if table.ndim == 1 else table
    finite = np.isfinite(table)
    with_gaps = not finite.all()
    if with_gaps:
        table = np.where(finite, table, np.where(finite.any(axis=0), np.nan, 0.0))
    quantile = np.nanquantile if with_gaps else np.quantile  # many times faster
    found = {
        "min": np.nanmin(table, axis=0),
        "max": np.nanmax(table, axis=0),
        "mean": np.nanmean(table, axis=0),
        "std": np.nanstd(table, axis=0),
        "count": np.array([len(table)]),
    }
    return found | {name: quantile(table, share, axis=0) for name, share in QUANTILES.items()}


class PictureStatistics:
    """Collects the statistics of pictures, per channel, in units of 0 to 1 and exact: from histograms of 8-bit values."""

    def __init__(self) -> None:
        self._pixels: Int64[np.ndarray, "3 256"] = np.zeros((3, 256), np.int64)
        self._frames = 0

    def watched(self, pictures: Iterator[UInt8[np.ndarray, "height width 3"]]) -> Iterator[np.ndarray]:
        """The same pictures, counted as they pass."""
        for picture in pictures:
            self._frames += 1
            for channel in range(3):
                self._pixels[channel] += np.bincount(picture[..., channel].ravel(), minlength=256)
            yield picture

    def result(self) -> Statistics:
        """Statistics of shape (3, 1, 1); ``count`` is that of frames, as in LeRobot."""
        levels = np.arange(256) / 255
        share = self._pixels / self._pixels.sum(axis=1, keepdims=True)
        mean = share @ levels
        found = {
            "min": np.array([levels[row.nonzero()[0][0]] for row in self._pixels]),
            "max": np.array([levels[row.nonzero()[0][-1]] for row in self._pixels]),
            "mean": mean,
            "std": np.sqrt(np.maximum((share * (levels - mean[:, None]) ** 2).sum(axis=1), 0)),
        }
        up_to = np.cumsum(self._pixels, axis=1)
        for name, part in QUANTILES.items():
            rank = part * (up_to[:, -1] - 1)
            found[name] = np.array(
                [levels[np.searchsorted(row, at, side="right")] for row, at in zip(up_to, rank, strict=True)]
            )
        return {name: values.reshape(3, 1, 1) for name, values in found.items()} | {"count": np.array([self._frames])}


def pooled(parts: Sequence[Statistics]) -> Statistics:
    """Statistics of all episodes from those of each: exact but for the quantiles, which are averaged, as LeRobot does it."""
    counts: Float64[np.ndarray, "parts"] = np.array([part["count"][0] for part in parts], np.float64)
    weight = counts / counts.sum()

    def average(values: Sequence[np.ndarray]) -> np.ndarray:
        return np.tensordot(weight, np.stack(values), axes=1)

    mean = average([part["mean"] for part in parts])
    return {
        "min": np.min([part["min"] for part in parts], axis=0),
        "max": np.max([part["max"] for part in parts], axis=0),
        "mean": mean,
        "std": np.sqrt(average([part["std"] ** 2 + (part["mean"] - mean) ** 2 for part in parts])),
        "count": np.array([int(counts.sum())]),
        **{name: average([part[name] for part in parts]) for name in QUANTILES},
    }
