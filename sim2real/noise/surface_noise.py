"""Gaussian noise that sticks to surfaces, one frame at a time, from nothing but a face image and a camera."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import warp as wp
from jaxtyping import Float, Float32, Int32

from ..devices import warp_ready
from ..errors import BadValueError, Sim2RealError
from ..scene.lens import PINHOLE, Lens, bent_rays
from ..scene.triangles import Triangles
from .cell_kernels import BENT, PARALLEL, Cells, Samples, Surface, View, own_leaves, sort_by_level, split_cells, start_levels
from .charts import Charts
from .footprint_kernels import LEAVES, PARENTS, Lists, gather_footprints, walk_footprints
from .hierarchy import CHART_LIMIT, FINEST_LEVEL
from .layout import NoiseLayout
from .value_kernels import draw_level, gather_pixels

Step = Callable[[], None]

CELL_TAU = 2.0
"""Cells are at most this many times wider than the longer axis of a sample's footprint."""
CELL_CAP = 0.6
"""... and at most this share of a pixel's side, by area, so that no pixel stays without a cell."""
SAMPLED_FACTOR = 8
"""From so many pixels per latent and axis, a pixel is one sample of its latent; below, footprints are walked cell by cell."""
FOOTPRINT_CAP = 0.5
"""Cells of a footprint that is walked: at most this share of a latent's side, by area."""
RUN = 90
"""Consecutive samples that one CPU loop handles, so that neighbours share a triangle and a cell."""


class SurfaceNoise:
    """The noise of one scene; every frame of every camera is a pure function of (scene, seed, view).

    Two calls with the same view give the same bits, whatever was asked before, from whichever thread. Several threads may
    call at once; each gets a workspace of its own, which is kept for the next call.

    Reference:
        Definition: eps(p) = W(F(p)) / sqrt(|F(p)|), white noise W integrated over the footprint F(p) of latent pixel p
        (EquiVDM, arXiv 2504.09789, attaches noise to meshes; the footprint integral over a keyed Haar hierarchy is ours).
    """

    def __init__(
        self,
        charts: Charts,
        triangles: Triangles,
        layout: NoiseLayout,
        *,
        seed: int = 0,
        device: str = "cpu",
        tau: float = CELL_TAU,
        cap: float = FOOTPRINT_CAP,
    ) -> None:
        """Upload the scene.

        Args:
            charts: ``charts_of(scene, triangles)``.
            triangles: faces that face images refer to.
            layout: pixels per latent and number of channels.
            seed: another seed, an independent field of noise on the same surfaces.
            device: ``cpu`` or ``cuda``.
            tau: cell side over the longer axis of a sample's footprint, for layouts of factor 8 and more.
            cap: cell side over the root area of a latent's footprint, for finer layouts; smaller cells carry changes of scale
                better and cost in proportion to their number.
        """
        if len(charts.side_m) > CHART_LIMIT:
            raise BadValueError("the number of parts", len(charts.side_m), right=f"at most {CHART_LIMIT - 6}")
        if layout.channels < 1:
            raise BadValueError("the number of noise channels", layout.channels, right="1 or more")
        warp_ready()
        self.layout, self.device = layout, device
        self.walks = layout.factor < SAMPLED_FACTOR
        self._seed = np.uint64(seed % 2**64)
        self._tau_squared = float(tau**2)
        self._cap_squared = float(((cap if self.walks else CELL_CAP) * layout.factor) ** 2)
        self._padded = layout.channels + layout.channels % 2
        self._faces = wp.array(triangles.faces, dtype=int, device=device)
        self._coordinates = wp.array(charts.coordinates, dtype=wp.vec2, device=device)
        self._face_chart = wp.array(charts.face_chart, dtype=int, device=device)
        self._side = wp.array(charts.side_m, dtype=float, device=device)
        self._chart_key = wp.array(charts.key, dtype=wp.uint64, device=device)
        self._idle: list[_Workspace] = []
        self._lock = threading.Lock()

    def frame(
        self,
        face: Int32[torch.Tensor, "height width"],
        camera_vertices: Float32[torch.Tensor, "vertices 3"],
        intrinsics: Float[np.ndarray, "3 3"],
        world_from_camera: Float[np.ndarray, "4 4"],
        lens: Lens = PINHOLE,
    ) -> Float32[torch.Tensor, "channels latent_height latent_width"]:
        """The noise of one view.

        Args:
            face: face that each pixel sees, -1 for the background; any rasterizer's.
            camera_vertices: all vertices in the camera's frame, metres.
            intrinsics: of the face image, pixels.
            world_from_camera: the camera; it matters for the background only.
            lens: what bends the camera's rays, or makes them parallel.

        Returns:
            i.i.d. standard normal values, a new tensor.

        Raises:
            BadValueError: the picture is not a multiple of the layout's factor.
        """
        with self._workspace(face) as work:
            work.run(face, camera_vertices, _view(intrinsics, world_from_camera, lens, work.size, self.device))
            height, width = self.layout.latent_size((face.shape[0], face.shape[1]))
            halves = wp.to_torch(work.out).reshape(height, width, 2, -1)  # even channels, odd channels
            return halves.permute(3, 2, 0, 1).reshape(-1, height, width)[: self.layout.channels].clone()

    def leaves(
        self,
        face: Int32[torch.Tensor, "height width"],
        camera_vertices: Float32[torch.Tensor, "vertices 3"],
        intrinsics: Float[np.ndarray, "3 3"],
        world_from_camera: Float[np.ndarray, "4 4"],
        lens: Lens = PINHOLE,
    ) -> dict[str, np.ndarray]:
        """The cells that make up each pixel of a view, for exact covariances (``model_covariance``).

        Returns:
            ``chart``, ``level``, ``i``, ``j``, ``area`` (square metres) and ``pixel`` (owner, row-major) of every owned leaf.
        """
        with self._workspace(face) as work:
            view = _view(intrinsics, world_from_camera, lens, work.size, self.device)
            work.run(face, camera_vertices, view, values=False)
            return work.owned_leaves()

    @contextmanager
    def _workspace(self, face: torch.Tensor) -> Iterator[_Workspace]:
        size = (int(face.shape[0]), int(face.shape[1]))
        self.layout.latent_size(size)
        with self._lock:
            fitting = [w for w in self._idle if w.size == size]
            work = fitting[-1] if fitting else None
            if work:
                self._idle.remove(work)
        work = work or _Workspace(self, size)
        try:
            yield work
        finally:
            with self._lock:
                self._idle = [w for w in self._idle if w.size == size] + [work]


def _view(intrinsics: np.ndarray, world_from_camera: np.ndarray, lens: Lens, size: tuple[int, int], device: str) -> Any:
    """A camera as the kernels take it."""
    k, pose = np.asarray(intrinsics, np.float64), np.asarray(world_from_camera, np.float64)
    view = View()
    view.kind = BENT if lens.bent else PARALLEL if lens.parallel else 0
    view.focal_x, view.focal_y, view.centre_x, view.centre_y = k[0, 0], k[1, 1], k[0, 2], k[1, 2]
    view.shear = k[0, 1] / k[0, 0]
    if lens.bent:
        view.rays = wp.array(bent_rays(k, lens, size, corners=True), dtype=wp.vec2d, device=device)
    view.world_from_camera = wp.mat33(*[float(v) for v in pose[:3, :3].ravel()])
    view.position = wp.vec3d(*[float(v) for v in pose[:3, 3]])
    return view


class _Workspace:
    """Buffers for one frame at a time; the cell table doubles when a frame needs more."""

    def __init__(self, noise: SurfaceNoise, size: tuple[int, int]) -> None:
        self.noise, self.size = noise, size
        self.device = noise.device
        self.asks_late = noise.device != "cpu"  # a device is not waited for inside a frame; too large a one is repeated
        if noise.walks:
            pixels = size[0] * size[1]
            self.lists = Lists()
            for name, shape in (("slots", (pixels, PARENTS)), ("leaves", (pixels, LEAVES))):
                setattr(self.lists, name, wp.empty(shape, dtype=int, device=self.device))
            self.lists.slot_count = wp.empty(pixels, dtype=int, device=self.device)
            self.lists.leaf_count = wp.empty(pixels, dtype=int, device=self.device)
        else:
            self.samples = Samples()
            for name in ("column", "row", "chart_level", "slot"):
                setattr(self.samples, name, wp.empty(size, dtype=int, device=self.device))
            self.leaf = wp.empty(size, dtype=int, device=self.device)
        latent = noise.layout.latent_size(size)
        self.out = wp.empty((latent[0] * latent[1], noise._padded), dtype=float, device=self.device)
        self.level_start = wp.empty(FINEST_LEVEL + 1, dtype=int, device=self.device)
        self.cursor = wp.empty(FINEST_LEVEL, dtype=int, device=self.device)
        cells_per_latent = 12 if not noise.walks else 4  # what most frames need; the rest double it once
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
        self.values = wp.empty(4 * nodes * self.noise._padded, dtype=float, device=self.device)

    def run(self, face: torch.Tensor, camera_vertices: torch.Tensor, view: Any, *, values: bool = True) -> None:
        """Fill the leaves, and ``out`` if values are wanted."""
        noise = self.noise
        surface = Surface()
        empty = camera_vertices.shape[0] == 0
        surface.vertices = None if empty else wp.from_torch(camera_vertices.contiguous(), dtype=wp.vec3)
        surface.faces, surface.coordinates, surface.face_chart = noise._faces, noise._coordinates, noise._face_chart
        face_image = wp.from_torch(face.contiguous(), dtype=wp.int32)

        split, own, gather = (self._walking if noise.walks else self._sampling)(face_image, surface, view)
        while True:
            cells = self.cells
            cells.table.fill_(-1)
            for array in (cells.split_children, cells.level_count, cells.used):
                array.zero_()
            split()
            if not self.asks_late and self._grown():
                continue
            own()
            if values:
                self._draw()
                gather()
            if not self.asks_late or not self._grown():
                break

    def _grown(self) -> bool:
        """Whether the last split wanted more cells than there is room for; then there is more room now."""
        used, homeless = self.cells.used.numpy()
        if used <= 1 << self.bits and homeless == 0:
            return False
        if self.bits >= 27:
            raise Sim2RealError("the picture needs more noise cells than fit in memory; render a smaller --size")
        self._allocate(self.bits + 1)
        return True

    def _sampling(self, face: Any, surface: Any, view: Any) -> tuple[Step, Step, Step]:
        """Split, own and gather where every pixel is a sample of its latent."""
        noise, cpu = self.noise, self.device == "cpu"
        run = RUN if cpu else 1
        runs = (self.size[0], -(-self.size[1] // run))
        channels = noise._padded
        each = channels if cpu else 2

        def split() -> None:
            settings = [run, noise._tau_squared, noise._cap_squared]
            self._launch(split_cells, runs, [face, surface, view, *settings, self.cells, self.samples])

        def own() -> None:
            self._launch(own_leaves, runs, [self.samples, run, self.cells, self.leaf])

        def gather() -> None:
            latent_columns = self.size[1] // noise.layout.factor
            self._launch(
                gather_pixels,
                (self.out.shape[0], -(-channels // each)),
                [noise.layout.factor, latent_columns, noise._seed, each, self.leaf]
                + [self.cells, noise._side, noise._chart_key, self.values, self.out],
            )

        return split, own, gather

    def _walking(self, face: Any, surface: Any, view: Any) -> tuple[Step, Step, Step]:
        """Split, own and gather where every pixel walks over the cells of its footprint."""
        noise = self.noise
        run = RUN if self.device == "cpu" else 1
        runs = (self.size[0], -(-self.size[1] // run))

        def walk(claims: int) -> None:
            settings = [run, wp.float64(noise._cap_squared)]
            self._launch(walk_footprints, runs, [claims, face, surface, view, *settings, self.cells, self.lists])

        def gather() -> None:
            latent_columns = self.size[1] // noise.layout.factor
            self._launch(
                gather_footprints,
                self.out.shape[0],
                [face, noise._face_chart, noise.layout.factor, latent_columns, noise._seed, self.cells, self.lists]
                + [noise._side, noise._chart_key, self.values, self.out],
            )

        return lambda: walk(0), lambda: walk(1), gather

    def _draw(self) -> None:
        """The values of all leaves, level by level."""
        noise, cells, cpu = self.noise, self.cells, self.device == "cpu"
        pairs = noise._padded // 2
        nodes_at_once, parts, pairs_each = (1, 1, pairs) if cpu else (1 << 15, pairs, 1)
        self._launch(start_levels, 1, [cells.level_count, self.level_start, self.cursor])
        self._launch(sort_by_level, nodes_at_once, [cells, nodes_at_once, self.cursor, self.order])
        for level in range(FINEST_LEVEL):
            self._launch(
                draw_level,
                (nodes_at_once, parts),
                [level, noise._seed, noise._padded, pairs_each, nodes_at_once, self.level_start, self.order]
                + [noise._chart_key, cells, self.values],
            )

    def _launch(self, kernel: Any, dim: int | tuple[int, ...], inputs: list) -> None:
        wp.launch(kernel, dim=dim, inputs=inputs, device=self.device, record_tape=False)

    def owned_leaves(self) -> dict[str, np.ndarray]:
        """Decode the leaves that have an owner."""
        count = int(self.cells.used.numpy()[0])
        owner = self.cells.owner.numpy()[: 4 * count]
        leaf = np.flatnonzero(owner != np.iinfo(np.int64).max)
        key = self.cells.key.numpy()[leaf >> 2]
        sample = owner[leaf] & 0xFFFFFFFF
        level = ((key >> 40) & 31) + 1
        per_axis, columns = self.noise.layout.factor, self.size[1]
        row, column = sample // columns // per_axis, sample % columns // per_axis
        chart = key >> 45
        return {
            "chart": chart,
            "level": level,
            "i": ((key >> 20) & 0xFFFFF) * 2 + ((leaf & 3) >> 1),
            "j": (key & 0xFFFFF) * 2 + (leaf & 1),
            "area": (self.noise._side.numpy()[chart].astype(np.float64) * 2.0**-level) ** 2,
            "pixel": row * (self.size[1] // self.noise.layout.factor) + column,
        }
