"""Gaussian noise that a video carries without any mesh: integrals over what each pixel sees of one reference domain.

Every frame is mapped to that domain (``ReferenceMap``) and drawn from the same keyed hierarchy as surface noise. Nothing is
warped from frame to frame, so that every frame is exactly white and nothing wears off, however long the video.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import warp as wp
from jaxtyping import Float32

from ..devices import warp_ready
from ..errors import BadValueError, Sim2RealError
from .cell_kernels import Cells, Samples, own_leaves, sort_by_level, start_levels
from .footprint_kernels import LEAVES, PARENTS, Lists, gather_footprints
from .hierarchy import FINEST_LEVEL
from .layout import NoiseLayout
from .map_footprint_kernels import split_mapped, walk_mapped
from .reference_map import Places, chart_keys, kernel_map
from .surface_noise import CELL_CAP, CELL_TAU, FOOTPRINT_CAP, RUN, SAMPLED_FACTOR
from .value_kernels import draw_level, gather_pixels

FINEST_BITS = 27
"""Of the largest table of cells."""


class VideoNoise:
    """The noise of one video; every frame is a pure function of (seed, places).

    Two calls with the same places give the same bits, from whichever thread; several threads may call at once.

    Reference:
        Definition: eps(p) = W(F(p)) / sqrt(|F(p)|), white noise W integrated over the footprint F(p) of latent pixel p in the
        reference domain.
    """

    def __init__(self, layout: NoiseLayout, *, seed: int = 0, device: str = "cpu") -> None:
        """Fix what all frames share.

        Args:
            layout: pixels per latent and number of channels.
            seed: another seed, an independent field of noise.
            device: ``cpu`` or ``cuda``.
        """
        if layout.channels < 1:
            raise BadValueError("the number of noise channels", layout.channels, right="1 or more")
        warp_ready()
        self.layout, self.device = layout, device
        self.walks = layout.factor < SAMPLED_FACTOR
        self.seed = np.uint64(seed % 2**64)
        self.padded = layout.channels + layout.channels % 2
        self._keys = np.zeros(0, np.uint64)
        self._idle: list[_Workspace] = []
        self._lock = threading.Lock()

    def frame(self, places: Places) -> Float32[torch.Tensor, "channels latent_height latent_width"]:
        """The noise of one frame.

        Args:
            places: of the frame's pixels, as ``ReferenceMap`` has them.

        Returns:
            i.i.d. standard normal values, a new tensor.

        Raises:
            BadValueError: the picture is not a multiple of the layout's factor.
        """
        size = (int(places.chart.shape[0]), int(places.chart.shape[1]))
        height, width = self.layout.latent_size(size)
        with self._lock:
            fitting = [w for w in self._idle if w.size == size]
            work = fitting[-1] if fitting else None
            if work:
                self._idle.remove(work)
            if len(self._keys) < len(places.scale):
                self._keys = chart_keys(2 * len(places.scale))
            keys = self._keys[: len(places.scale)]
        work = work or _Workspace(self, size)
        try:
            work.run(places, keys)
            halves = wp.to_torch(work.out).reshape(height, width, 2, -1)  # even channels, odd channels
            return halves.permute(3, 2, 0, 1).reshape(-1, height, width)[: self.layout.channels].clone()
        finally:
            with self._lock:
                self._idle = [w for w in self._idle if w.size == size] + [work]


class _Workspace:
    """Buffers for one frame at a time; the cell table doubles when a frame needs more."""

    def __init__(self, noise: VideoNoise, size: tuple[int, int]) -> None:
        self.noise, self.size, self.device = noise, size, noise.device
        pixels = size[0] * size[1]
        if noise.walks:
            self.lists = Lists()
            for name, shape in (("slots", (pixels, PARENTS)), ("leaves", (pixels, LEAVES))):
                setattr(self.lists, name, wp.empty(shape, dtype=int, device=self.device))
            for name in ("slot_count", "leaf_count"):
                setattr(self.lists, name, wp.empty(pixels, dtype=int, device=self.device))
        else:
            self.samples = Samples()
            for name in ("column", "row", "chart_level", "slot"):
                setattr(self.samples, name, wp.empty(size, dtype=int, device=self.device))
            self.leaf = wp.empty(size, dtype=int, device=self.device)
        latent = noise.layout.latent_size(size)
        self.out = wp.empty((latent[0] * latent[1], noise.padded), dtype=float, device=self.device)
        self.level_start = wp.empty(FINEST_LEVEL + 1, dtype=int, device=self.device)
        self.cursor = wp.empty(FINEST_LEVEL, dtype=int, device=self.device)
        cells_per_latent = 4 if noise.walks else 12  # what most frames need; the rest double it once
        self._allocate(max(12, math.ceil(math.log2(latent[0] * latent[1] * cells_per_latent))))

    def _allocate(self, bits: int) -> None:
        nodes = 1 << bits
        cells = Cells()

        def ints(count: int, dtype: Any = int) -> wp.array:
            return wp.empty(count, dtype=dtype, device=self.device)

        cells.table = ints(2 * nodes, wp.int64)
        cells.split_children, cells.slot_node = ints(2 * nodes), ints(2 * nodes)
        cells.shift = 64 - (bits + 1)
        cells.key = ints(nodes, wp.int64)
        cells.parent = ints(nodes)
        cells.owner = ints(4 * nodes, wp.int64)
        cells.level_count, cells.used = ints(FINEST_LEVEL), ints(2)
        self.bits, self.cells, self.order = bits, cells, ints(nodes)
        self.values = wp.empty(4 * nodes * self.noise.padded, dtype=float, device=self.device)

    def run(self, places: Places, keys: np.ndarray) -> None:
        """Fill ``out``."""
        run = RUN if self.device == "cpu" else 1
        runs = (self.size[0], -(-self.size[1] // run))
        where = [kernel_map(places), wp.float64(places.domain_px), run]
        chart_key = wp.array(keys, dtype=wp.uint64, device=self.device)
        side = wp.from_torch((places.scale * places.domain_px).contiguous())
        if self.noise.walks:
            self._walk(runs, where, places, chart_key, side)
        else:
            self._sample(runs, where, chart_key, side)

    def _sample(self, runs: tuple[int, int], where: list, chart_key: wp.array, side: wp.array) -> None:
        """Where every pixel is a sample of its latent."""
        noise, factor = self.noise, self.noise.layout.factor
        limits = [wp.float64(CELL_TAU**2), wp.float64((CELL_CAP * factor) ** 2)]
        self._split(lambda: self._launch(split_mapped, runs, [*where, *limits, self.cells, self.samples]))
        self._launch(own_leaves, runs, [self.samples, where[2], self.cells, self.leaf])
        self._draw(chart_key)
        each = noise.padded if self.device == "cpu" else 2
        self._launch(
            gather_pixels,
            (self.out.shape[0], -(-noise.padded // each)),
            [factor, self.size[1] // factor, noise.seed, each, self.leaf, self.cells, side, chart_key, self.values, self.out],
        )

    def _walk(self, runs: tuple[int, int], where: list, places: Places, chart_key: wp.array, side: wp.array) -> None:
        """Where every pixel walks over the cells of its footprint."""
        noise, factor = self.noise, self.noise.layout.factor
        limit = wp.float64((FOOTPRINT_CAP * factor) ** 2)
        self._split(lambda: self._launch(walk_mapped, runs, [0, *where, limit, self.cells, self.lists]))
        self._launch(walk_mapped, runs, [1, *where, limit, self.cells, self.lists])
        self._draw(chart_key)
        itself = wp.array(np.arange(len(places.scale), dtype=np.int32), dtype=int, device=self.device)
        self._launch(
            gather_footprints,
            self.out.shape[0],
            [wp.from_torch(places.chart), itself, factor, self.size[1] // factor, noise.seed, self.cells, self.lists]
            + [side, chart_key, self.values, self.out],
        )

    def _split(self, split: Callable[[], None]) -> None:
        while True:
            cells = self.cells
            cells.table.fill_(-1)
            for array in (cells.split_children, cells.level_count, cells.used):
                array.zero_()
            split()
            used, homeless = cells.used.numpy()
            if used <= 1 << self.bits and homeless == 0:
                return
            if self.bits >= FINEST_BITS:
                raise Sim2RealError("the picture needs more noise cells than fit in memory; choose a smaller --size")
            self._allocate(self.bits + 1)

    def _draw(self, chart_key: wp.array) -> None:
        """The values of all leaves, level by level."""
        noise, cells, cpu = self.noise, self.cells, self.device == "cpu"
        pairs = noise.padded // 2
        nodes_at_once, parts, pairs_each = (1, 1, pairs) if cpu else (1 << 15, pairs, 1)
        self._launch(start_levels, 1, [cells.level_count, self.level_start, self.cursor])
        self._launch(sort_by_level, nodes_at_once, [cells, nodes_at_once, self.cursor, self.order])
        for level in range(FINEST_LEVEL):
            self._launch(
                draw_level,
                (nodes_at_once, parts),
                [level, noise.seed, noise.padded, pairs_each, nodes_at_once, self.level_start, self.order]
                + [chart_key, cells, self.values],
            )

    def _launch(self, kernel: Any, dim: int | tuple[int, ...], inputs: list) -> None:
        wp.launch(kernel, dim=dim, inputs=inputs, device=self.device, record_tape=False)
