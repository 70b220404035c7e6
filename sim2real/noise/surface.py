"""Gaussian noise that sticks to surfaces, one frame at a time, from nothing but a face image and a camera."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import warp as wp
from jaxtyping import Float32

from ..camera.kernels import device_camera
from ..camera.view import View
from ..devices import as_warp, load, shared, upload
from ..errors import BadValueError
from ..raster.fragments import Fragments
from ..raster.protocol import Visibility
from ..scene.triangles import Triangles
from .charts.build import Charts
from .draws import seed_of_draw
from .layout import NoiseLayout
from .passes import sample
from .passes.cells import CHART_LIMIT
from .passes.pipeline import Domain, Workspace, Workspaces, leaf_limits
from .passes.planes import NoiseView, Surface
from .passes.sample import split_cells


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
        self._seed = seed
        self._limits = leaf_limits(layout)
        self._faces = shared(triangles.faces, wp.int32, device)
        self._coordinates = shared(charts.coordinates, wp.vec2, device)
        self._face_chart = shared(charts.face_chart, wp.int32, device)
        self._side = upload(charts.side_m, wp.float32, device)
        self._chart_key = upload(charts.key, wp.uint64, device)

    def frame(self, seen: Visibility | Fragments, view: View) -> Float32[torch.Tensor, "channels latent_height latent_width"]:
        """The noise of one view.

        Args:
            seen: what any rasterizer found; of somebody else's, ``Visibility(face, camera_vertices)``.
            view: what it was asked for.

        Returns:
            i.i.d. standard normal values, a new tensor.

        Raises:
            BadValueError: the picture is not a multiple of the layout's factor, or not of the view's size.
        """
        with self.workspaces.of(_size_of(seen, view)) as work:
            self._run(work, seen, view)
            return work.noise()

    def draws(
        self, seen: Visibility | Fragments, view: View, count: int
    ) -> list[Float32[torch.Tensor, "channels latent_height latent_width"]]:
        """The noise of one view, and ``count`` more draws of it, which are found by looking at the view once.

        Draw 0 is what ``frame`` returns, draw k that of a ``SurfaceNoise`` with ``seed_of_draw(seed, k)``, bit for bit.

        Raises:
            BadValueError: as ``frame``.
        """
        with self.workspaces.of(_size_of(seen, view)) as work:
            self._run(work, seen, view)
            found = [work.noise()]
            for draw in range(1, count + 1):
                work.again(self._domain(draw))
                found.append(work.noise())
            return found

    def leaves(self, seen: Visibility | Fragments, view: View) -> dict[str, np.ndarray]:
        """The cells that make up each pixel of a view, for exact covariances (``model_covariance``).

        Returns:
            ``chart``, ``level``, ``i``, ``j``, ``area`` (square metres) and ``pixel`` (owner, row-major) of every cell.
        """
        with self.workspaces.of(_size_of(seen, view)) as work:
            self._run(work, seen, view, values=False)
            return self._listed(work)

    def _run(self, work: Workspace, seen: Visibility | Fragments, view: View, *, values: bool = True) -> None:
        """Find a frame's leaves, and its values if they are wanted."""
        surface = Surface()
        surface.vertices = as_warp(seen.camera_vertices, wp.vec3)
        surface.faces, surface.coordinates, surface.face_chart = self._faces, self._coordinates, self._face_chart
        face, eye = as_warp(seen.face, wp.int32), _noise_view(view, self.device)

        def split() -> None:
            inputs = [face, surface, eye, work.run_length, *self._limits, work.cells, work.samples]
            work.launch(split_cells, work.runs, inputs)

        work.run(split, self._domain(0) if values else None)

    def _domain(self, draw: int) -> Domain:
        return Domain(self._side, self._chart_key, np.uint64(seed_of_draw(self._seed, draw) % 2**64))

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


def _size_of(seen: Visibility | Fragments, view: View) -> tuple[int, int]:
    height, width = seen.face.shape
    if (height, width) != view.size:
        raise BadValueError("the size of the face image", f"{height}x{width}", right="{}x{}".format(*view.size))
    return view.size


def _noise_view(view: View, device: str) -> Any:
    """A view as the kernels take it."""
    record = NoiseView()
    record.camera = device_camera(view.intrinsics, view.lens, view.size, device, corners=True)
    record.world_from_camera = wp.mat33(*view.world_from_camera[:3, :3].ravel().tolist())
    record.position = wp.vec3d(*view.world_from_camera[:3, 3].tolist())
    return record
