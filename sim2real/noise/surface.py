"""Gaussian noise that sticks to surfaces, one frame at a time, from nothing but a face image and a camera."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import warp as wp
from jaxtyping import Float, Float32, Int32

from ..devices import as_warp, load, upload
from ..errors import BadValueError
from ..scene.lens import PINHOLE, Lens, bent_rays
from ..scene.triangles import Triangles
from .charts.build import Charts
from .layout import NoiseLayout
from .passes import sample
from .passes.cells import CHART_LIMIT
from .passes.pipeline import Domain, Workspace, Workspaces, leaf_limits
from .passes.sample import BENT, PARALLEL, Surface, View, split_cells


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
    ) -> None:
        """Upload the scene.

        Args:
            charts: ``charts_of(scene, triangles)``.
            triangles: faces that face images refer to.
            layout: pixels per latent and number of channels.
            seed: another seed, an independent field of noise on the same surfaces.
            device: ``cpu`` or ``cuda``.
        """
        if len(charts.side_m) > CHART_LIMIT:
            raise BadValueError("the number of parts", len(charts.side_m), right=f"at most {CHART_LIMIT - 6}")
        load(sample, device)
        self.layout, self.device = layout, device
        self.workspaces = Workspaces(layout, device)
        self._seed = np.uint64(seed % 2**64)
        self._limits = leaf_limits(layout)
        self._faces = upload(triangles.faces, wp.int32, device)
        self._coordinates = upload(charts.coordinates, wp.vec2, device)
        self._face_chart = upload(charts.face_chart, wp.int32, device)
        self._side = upload(charts.side_m, wp.float32, device)
        self._chart_key = upload(charts.key, wp.uint64, device)

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
        with self.workspaces.of((int(face.shape[0]), int(face.shape[1]))) as work:
            self._run(work, face, camera_vertices, _view(intrinsics, world_from_camera, lens, work.size, self.device))
            return work.noise()

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
            ``chart``, ``level``, ``i``, ``j``, ``area`` (square metres) and ``pixel`` (owner, row-major) of every cell.
        """
        with self.workspaces.of((int(face.shape[0]), int(face.shape[1]))) as work:
            view = _view(intrinsics, world_from_camera, lens, work.size, self.device)
            self._run(work, face, camera_vertices, view, values=False)
            return self._listed(work)

    def _run(
        self, work: Workspace, face: torch.Tensor, camera_vertices: torch.Tensor, view: Any, *, values: bool = True
    ) -> None:
        """Find a frame's leaves, and its values if they are wanted."""
        surface = Surface()
        surface.vertices = as_warp(camera_vertices, wp.vec3)
        surface.faces, surface.coordinates, surface.face_chart = self._faces, self._coordinates, self._face_chart
        seen = as_warp(face, wp.int32)

        def split() -> None:
            inputs = [seen, surface, view, work.run_length, *self._limits, work.cells, work.samples]
            work.launch(split_cells, work.runs, inputs)

        work.run(split, Domain(self._side, self._chart_key, self._seed) if values else None)

    def _listed(self, work: Workspace) -> dict[str, np.ndarray]:
        """Decode the cells that the leaves are cut into."""
        key, latent = work.listed(self._side)
        chart, level = key >> 45, (key >> 40) & 31
        return {
            "chart": chart,
            "level": level,
            "i": (key >> 20) & 0xFFFFF,
            "j": key & 0xFFFFF,
            "area": (self._side.numpy()[chart].astype(np.float64) * 2.0**-level) ** 2,
            "pixel": latent,
        }


def _view(intrinsics: np.ndarray, world_from_camera: np.ndarray, lens: Lens, size: tuple[int, int], device: str) -> Any:
    """A camera as the kernels take it."""
    k, pose = np.asarray(intrinsics, np.float64), np.asarray(world_from_camera, np.float64)
    view = View()
    view.kind = BENT if lens.bent else PARALLEL if lens.parallel else 0
    view.focal_x, view.focal_y, view.center_x, view.center_y = k[0, 0], k[1, 1], k[0, 2], k[1, 2]
    view.shear = k[0, 1] / k[0, 0]
    if lens.bent:
        view.rays = wp.array(bent_rays(k, lens, size, corners=True), dtype=wp.vec2d, device=device)
    view.world_from_camera = wp.mat33(*[float(v) for v in pose[:3, :3].ravel()])
    view.position = wp.vec3d(*[float(v) for v in pose[:3, 3]])
    return view
