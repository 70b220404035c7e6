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

from ..errors import Sim2RealError
from .cell_kernels import Cells, Samples, own_leaves, sort_by_level, start_levels
from .footprint_kernels import LEAVES, PARENTS, Lists, gather_footprints
from .hierarchy import FINEST_LEVEL
from .layout import NoiseLayout
from .value_kernels import draw_level, gather_pixels

Step = Callable[[], None]

SAMPLED_FACTOR = 8
"""From so many pixels per latent and axis, a pixel is one sample of its latent; below, footprints are walked cell by cell."""
CELL_TAU = 2.0
"""Cells are at most this many times wider than the longer axis of a sample's footprint."""
CELL_CAP = 0.6
"""... and at most this share of a latent's side, by area, so that no latent stays without a cell."""
FOOTPRINT_CAP = 0.5
"""Cells of a footprint that is walked: at most this share of a latent's side, by area."""
RUN = 90
"""Consecutive pixels that one CPU loop handles, so that neighbours share a triangle and a cell."""
TABLE_SHARE = 1.5
"""Slots of the hash table per split cell, at least."""
MOST_NODES = 1 << 27
"""Split cells in a frame, at most."""


def walks(layout: NoiseLayout) -> bool:
    """Whether pixels walk over their footprints (fine layouts), instead of being samples of them."""
    return layout.factor < SAMPLED_FACTOR


@dataclass(frozen=True, eq=False)
class Domain:
    """What cells become values by.

    - ``face`` per pixel and ``face_chart`` per face: the chart that a latent without cells is keyed by.
    - ``side`` (m) and ``chart_key`` per chart; ``seed`` of the field.
    """

    face: Any
    face_chart: Any
    side: Any
    chart_key: Any
    seed: np.uint64


class Workspace:
    """Buffers for frames of one size; the table of cells doubles when a frame needs more.

    ``samples`` and ``leaf`` (coarse layouts) or ``lists`` (fine ones), and ``cells``, are for the caller's steps to fill.
    """

    def __init__(self, layout: NoiseLayout, size: tuple[int, int], device: str) -> None:
        self.layout, self.size, self.device = layout, size, device
        self.asks_late = device != "cpu"  # a device is not waited for inside a frame; too large a one is repeated
        self.padded = layout.channels + layout.channels % 2
        self.run_length = RUN if device == "cpu" else 1
        self.runs = (size[0], -(-size[1] // self.run_length))
        if walks(layout):
            pixels = size[0] * size[1]
            self.lists = Lists()
            self.lists.slots, self.lists.leaves = self._ints((pixels, PARENTS)), self._ints((pixels, LEAVES))
            self.lists.slot_count, self.lists.leaf_count = self._ints(pixels), self._ints(pixels)
        else:
            self.samples = Samples()
            for name in ("column", "row", "chart_level", "slot"):
                setattr(self.samples, name, self._ints(size))
            self.leaf = self._ints(size)
        height, width = layout.latent_size(size)
        self._out = wp.empty((height * width, self.padded), dtype=float, device=device)
        self._level_start, self._cursor = self._ints(FINEST_LEVEL + 1), self._ints(FINEST_LEVEL)
        cells_per_latent = 4 if walks(layout) else 12  # what most frames need; the rest double it once
        self.allocate(max(4096, height * width * cells_per_latent))

    def _ints(self, shape: int | tuple[int, int], dtype: Any = int) -> wp.array:
        return wp.empty(shape, dtype=dtype, device=self.device)

    def allocate(self, nodes: int) -> None:
        """Make room for so many split cells."""
        bits = math.ceil(math.log2(TABLE_SHARE * nodes))
        cells = Cells()
        cells.table = self._ints(1 << bits, wp.int64)
        cells.split_children, cells.slot_node = self._ints(1 << bits), self._ints(1 << bits)
        cells.shift = 64 - bits
        cells.key = self._ints(nodes, wp.int64)
        cells.parent = self._ints(nodes)
        cells.owner = self._ints(4 * nodes, wp.int64)
        cells.level_count, cells.used = self._ints(FINEST_LEVEL), self._ints(2)
        self.nodes, self.cells, self._order = nodes, cells, self._ints(nodes)
        self._values = wp.empty(4 * nodes * self.padded, dtype=float, device=self.device)

    def run(self, split: Step, claim: Step | None, domain: Domain | None) -> None:
        """Split, own, draw and gather.

        Args:
            split: fills ``samples`` or ``lists`` and the split cells.
            claim: fills the owners of leaves from ``lists``; ``None`` where they are found from ``samples``.
            domain: ``None`` stops at the leaves.
        """
        while True:
            cells = self.cells
            cells.table.fill_(-1)
            for array in (cells.split_children, cells.level_count, cells.used):
                array.zero_()
            split()
            if not self.asks_late and self._grown():
                continue
            if claim is None:
                self.launch(own_leaves, self.runs, [self.samples, self.run_length, self.cells, self.leaf])
            else:
                claim()
            if domain is not None:
                self._draw(domain)
                self._gather(domain)
            if not self.asks_late or not self._grown():
                break

    def _grown(self) -> bool:
        """Whether the last split wanted more cells than there is room for; then there is more room now."""
        used, homeless = self.cells.used.numpy()
        if used <= self.nodes and homeless == 0:
            return False
        if self.nodes > MOST_NODES // 2:
            raise Sim2RealError("the picture needs more noise cells than fit in memory; choose a smaller --size")
        self.allocate(2 * self.nodes)
        return True

    def _draw(self, domain: Domain) -> None:
        """The values of all leaves, level by level."""
        cells, pairs = self.cells, self.padded // 2
        nodes_at_once, parts, pairs_each = (1, 1, pairs) if self.device == "cpu" else (1 << 15, pairs, 1)
        self.launch(start_levels, 1, [cells.level_count, self._level_start, self._cursor])
        self.launch(sort_by_level, nodes_at_once, [cells, nodes_at_once, self._cursor, self._order])
        for level in range(FINEST_LEVEL):
            self.launch(
                draw_level,
                (nodes_at_once, parts),
                [level, domain.seed, self.padded, pairs_each, nodes_at_once, self._level_start, self._order]
                + [domain.chart_key, cells, self._values],
            )

    def _gather(self, domain: Domain) -> None:
        """The values of all latents."""
        factor = self.layout.factor
        latent_columns, latents = self.size[1] // factor, self._out.shape[0]
        values = [domain.side, domain.chart_key, self._values, self._out]
        if walks(self.layout):
            keyed_by = [domain.face, domain.face_chart, factor, latent_columns, domain.seed]
            self.launch(gather_footprints, latents, [*keyed_by, self.cells, self.lists, *values])
        else:
            each = self.padded if self.device == "cpu" else 2
            shape = (latents, -(-self.padded // each))
            self.launch(gather_pixels, shape, [factor, latent_columns, domain.seed, each, self.leaf, self.cells, *values])

    def launch(self, kernel: Any, dim: int | tuple[int, ...], inputs: list) -> None:
        """Run a kernel on the workspace's device."""
        wp.launch(kernel, dim=dim, inputs=inputs, device=self.device, record_tape=False)

    def noise(self) -> Float32[torch.Tensor, "channels latent_height latent_width"]:
        """What the last run drew, as a new tensor."""
        height, width = self.layout.latent_size(self.size)
        halves = wp.to_torch(self._out).reshape(height, width, 2, -1)  # even channels, odd channels
        return halves.permute(3, 2, 0, 1).reshape(-1, height, width)[: self.layout.channels].clone()


class Workspaces:
    """A workspace for every thread that asks, kept for the next frame of the same size."""

    def __init__(self, layout: NoiseLayout, device: str) -> None:
        self._layout, self._device = layout, device
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
