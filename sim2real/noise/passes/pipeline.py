"""Buffers for one frame of noise at a time, and the steps from split cells to values that all kinds of noise share."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import warp as wp
from jaxtyping import Float32

from ...devices import launch, load
from ...errors import Sim2RealError
from ..layout import NoiseLayout
from . import cut, draw, split
from .cells import FINEST_LEVEL
from .cut import LEAST, PAIRS_ON_CPU, PAIRS_ON_CUDA, add_leaves, list_leaves, normalize, scale_latents
from .draw import draw_levels
from .split import Cells, Sample, find_leaves, sort_by_level, start_levels

Step = Callable[[], None]

LEAF_PX = (4.0, 8.0)
"""Leaves are at most as wide as a latent, but no narrower and no wider than this, measured in pixels along the longer axis of a
pixel's footprint; in latents of more than 16 pixels they are half as wide."""
LEAF_SPREAD = 20.0
"""... and at most so many times the root of a pixel's footprint: seen at a grazing angle, leaves get narrower."""
LOSS = 0.02
"""Leaves are cut until what a cell loses to a neighbor of its latent is at most this share of a pixel, in pixel noise."""
RUN = 90
"""Consecutive pixels that one CPU loop handles, so that neighbors share a triangle and a cell."""
TABLE_SHARE = 1.5
"""Slots of the hash table per split cell, at least."""
_MOST_ELEMENTS = (1 << 31) - 1
"""Of an array: Warp allows no more, and kernels count in 32 bits."""


def most_nodes(channels: int) -> int:
    """Split cells in a frame, at most: each has 64 words for what was seen of it, and the values of its four children."""
    return _MOST_ELEMENTS // max(64, 4 * channels)


def leaf_limits(layout: NoiseLayout) -> tuple[float, float]:
    """Squared side of a leaf over that of the longer axis of a pixel's footprint, and over its area, at most."""
    least, most = LEAF_PX
    factor = float(layout.factor)
    return max(least, min(factor, most), factor / 2) ** 2, LEAF_SPREAD**2


def cell_loss(layout: NoiseLayout) -> float:
    """What a cell may lose to neighbors of its latent, in square pixels: the coarser the layout, the smaller a share."""
    return LOSS * layout.factor**1.5


@dataclass(frozen=True, eq=False)
class Domain:
    """What cells become values by.

    - ``side`` (m) and ``chart_key`` per chart; ``seed`` of the field.
    """

    side: Any
    chart_key: Any
    seed: np.uint64


class Workspace:
    """Buffers for frames of one size; the table of cells doubles when a frame needs more.

    ``samples`` and ``cells`` are for the caller's step to fill.
    """

    def __init__(self, layout: NoiseLayout, size: tuple[int, int], device: str) -> None:
        self.layout, self.size, self.device = layout, size, device
        self.asks_late = device != "cpu"  # a device is not waited for inside a frame; too large a one is repeated
        self.padded = layout.channels + layout.channels % 2
        self.run_length = RUN if device == "cpu" else 1
        self.runs = (size[0], -(-size[1] // self.run_length))
        self.samples = self._empty(size, Sample)
        height, width = layout.latent_size(size)
        latents = height * width
        self._out = self._empty((latents, self.padded), float)
        self._sum = self._empty((latents, self.padded), wp.float64)
        self._area, self._unit = self._empty((latents, 2), wp.float64), self._empty(latents, float)
        self._level_start, self._cursor = self._empty(FINEST_LEVEL + 1), self._empty(FINEST_LEVEL)
        self.allocate(max(4096, size[0] * size[1] // 12))  # what most frames need; the rest double it once

    def _empty(self, shape: int | tuple[int, int], dtype: Any = int) -> wp.array:
        return wp.empty(shape, dtype=dtype, device=self.device)

    def allocate(self, nodes: int) -> None:
        """Make room for so many split cells."""
        bits = math.ceil(math.log2(TABLE_SHARE * nodes))
        cells = Cells()
        cells.table = self._empty(1 << bits, wp.int64)
        cells.split_children, cells.slot_node = self._empty(1 << bits), self._empty(1 << bits)
        cells.shift = 64 - bits
        cells.key = self._empty(nodes, wp.int64)
        cells.parent = self._empty(nodes)
        cells.first_seen = self._empty(64 * nodes)
        cells.level_count, cells.used = self._empty(FINEST_LEVEL), self._empty(2)
        self.nodes, self.cells, self._order = nodes, cells, self._empty(nodes)
        self._values = self._empty(4 * nodes * self.padded, float)

    def run(self, split: Step, domain: Domain | None) -> None:
        """Split, find leaves, draw and add.

        Args:
            split: fills ``samples`` and the split cells.
            domain: ``None`` stops at the leaves.
        """
        while True:
            cells = self.cells
            wp.to_torch(cells.table).fill_(-1)  # torch's and Warp's current streams need not be the same
            for array in (cells.split_children, cells.level_count, cells.used):
                wp.to_torch(array).zero_()
            split()
            if not self.asks_late and self._grown():
                continue
            self.launch(find_leaves, self.runs, [self.samples, self.run_length, self.cells])
            if domain is not None:
                self._draw(domain)
                self._add(domain)
            if not self.asks_late or not self._grown():
                break

    def again(self, domain: Domain) -> None:
        """Draw and add with another seed, or other keys, where the leaves of the last run are."""
        self._draw(domain)
        self._add(domain)

    def _grown(self) -> bool:
        """Whether the last split wanted more cells than there is room for; then there is more room now."""
        used, homeless = _fetched(self.cells.used)
        if used <= self.nodes and homeless == 0:
            return False
        most = most_nodes(self.padded)
        if self.nodes >= most:
            raise Sim2RealError(f"the picture needs more than {most:,} cells of noise, the most there can be; reduce --size")
        self.allocate(min(2 * self.nodes, most))
        return True

    def _draw(self, domain: Domain) -> None:
        """The values of all leaves, level by level."""
        cells, pairs, alone = self.cells, self.padded // 2, self.device == "cpu"
        nodes_at_once, parts, pairs_each = (1, 1, pairs) if alone else (1 << 15, pairs, 1)
        self.launch(start_levels, 1, [cells.level_count, self._level_start, self._cursor])
        self.launch(sort_by_level, nodes_at_once, [cells, nodes_at_once, self._cursor, self._order])
        keyed_by = [domain.seed, self.padded, pairs_each, nodes_at_once, self._level_start, self._order, domain.chart_key]
        levels_at_once = FINEST_LEVEL if alone else 1
        for level in range(0, FINEST_LEVEL, levels_at_once):
            levels = [level, level + levels_at_once]
            self.launch(draw_levels, (nodes_at_once, parts), [*levels, *keyed_by, cells, self._values])

    def _add(self, domain: Domain) -> None:
        """The values of all latents."""
        cells, factor, latents = self.cells, self.layout.factor, self._out.shape[0]
        leaves_at_once, pairs = (1, PAIRS_ON_CPU) if self.device == "cpu" else (1 << 16, PAIRS_ON_CUDA)
        self.launch(scale_latents, latents, self._scaling(domain.side))
        self.launch(
            add_leaves,
            (leaves_at_once, -(-self.padded // (2 * pairs))),
            [self.samples, factor, cell_loss(self.layout), cells, domain.side, domain.chart_key, domain.seed, self._values]
            + [leaves_at_once, pairs, self._unit, self._sum, self._area],
        )
        keyed_by = [factor, domain.seed, self.samples, cells, domain.chart_key]
        self.launch(normalize, latents, [*keyed_by, self._sum, self._area, self._out])

    def listed(self, side: wp.array) -> tuple[np.ndarray, np.ndarray]:
        """Keys of the cells that the leaves of the last run are cut into, and the latent that each goes to.

        Args:
            side: of each chart, metres.
        """
        self.launch(scale_latents, self._out.shape[0], self._scaling(side))
        count = self._empty(1)
        room = 8 * self._out.shape[0]
        while True:
            keys, latents = self._empty(room, wp.int64), self._empty(room)
            wp.to_torch(count).zero_()
            inputs = [self.samples, self.layout.factor, cell_loss(self.layout), self.cells, keys, latents, count]
            self.launch(list_leaves, 4 * self.nodes, inputs)
            found = int(_fetched(count)[0])
            if found <= room:
                break
            room = found
        key, latent = np.asarray(_fetched(keys)[:found], np.int64), np.asarray(_fetched(latents)[:found], np.int32)
        width = np.ldexp(_fetched(side)[key >> 45], -((key >> 40) & 31).astype(np.int32))
        counts = width * _fetched(self._unit)[latent] >= LEAST
        return key[counts], latent[counts]

    def _scaling(self, side: wp.array) -> list:
        return [self.samples, self.layout.factor, side, self._unit, self._sum, self._area]

    def launch(self, kernel: Any, dim: int | tuple[int, ...], inputs: list) -> None:
        """Run a kernel on torch's current stream of the workspace's device."""
        launch(kernel, dim, inputs, self.device)

    def noise(self) -> Float32[torch.Tensor, "channels latent_height latent_width"]:
        """What the last run drew, as a new tensor."""
        height, width = self.layout.latent_size(self.size)
        halves = wp.to_torch(self._out).reshape(height, width, 2, -1)  # even channels, odd channels
        return halves.permute(3, 2, 0, 1).reshape(-1, height, width)[: self.layout.channels].clone()


def _fetched(array: wp.array) -> np.ndarray:
    """An array's values, as of torch's current stream."""
    return wp.to_torch(array).cpu().numpy()


class Workspaces:
    """A workspace for every thread that asks, kept for the next frame of the same size."""

    def __init__(self, layout: NoiseLayout, device: str) -> None:
        self._layout, self._device = layout, device
        for module in (split, draw, cut):
            load(module, device)
        self.idle: list[Workspace] = []
        self._lock = threading.Lock()

    @contextmanager
    def of(self, size: tuple[int, int]) -> Iterator[Workspace]:
        """One for pictures of a size (which the layout's factor must divide)."""
        self._layout.latent_size(size)
        with self._lock:
            fitting = [w for w in self.idle if w.size == size]
            work = fitting[-1] if fitting else None
            if work:
                self.idle.remove(work)
        work = work or Workspace(self._layout, size, self._device)
        try:
            yield work
        finally:
            with self._lock:
                self.idle = [w for w in self.idle if w.size == size] + [work]
