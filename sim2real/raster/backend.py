"""The backends, and the function that makes a rasterizer with one of them."""

from __future__ import annotations

from ..errors import UnknownNameError
from ..scene import Triangles
from .protocol import Rasterizer

BACKENDS = ("warp", "reference", "pytorch3d", "nvdiffrast")
"""Kernels for CPU and CUDA; plain torch, slow and simple; adapters for those who have pytorch3d or nvdiffrast."""


def rasterizer(triangles: Triangles, *, device: str = "cpu", backend: str = "warp") -> Rasterizer:
    """Put triangles on a device and return a rasterizer for them.

    Args:
        triangles: what to draw; triangles without area or with vertices that are not finite are never seen.
        device: ``cpu`` or ``cuda`` (``cuda:1``, ...); results stay there.
        backend: one of ``BACKENDS``.

    Raises:
        UnknownNameError: no such backend.
        BadValueError: a face or part index is out of range, the device is not available or not one of the backend's, or the
            backend's package is not installed.
    """
    if backend == "warp":
        from .backends.warp import WarpRasterizer

        return WarpRasterizer(triangles, device)
    if backend == "reference":
        from .reference import ReferenceRasterizer

        return ReferenceRasterizer(triangles, device)
    if backend == "pytorch3d":
        from .backends.pytorch3d import Pytorch3dRasterizer

        return Pytorch3dRasterizer(triangles, device)
    if backend == "nvdiffrast":
        from .backends.nvdiffrast import NvdiffrastRasterizer

        return NvdiffrastRasterizer(triangles, device)
    raise UnknownNameError(backend, BACKENDS, what="rasterizer backend")
