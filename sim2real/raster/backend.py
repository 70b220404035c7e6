"""The backends, and the function that makes a rasterizer with one of them."""

from __future__ import annotations

from ..errors import UnknownNameError
from ..scene import Triangles
from .protocol import Rasterizer

BACKENDS = ("warp", "reference", "pytorch3d")
"""Names of the backends: kernels for CPU and CUDA; plain torch, slow and simple; an adapter for those who have pytorch3d."""


def rasterizer(triangles: Triangles, *, device: str = "cpu", backend: str = "warp") -> Rasterizer:
    """Put triangles on a device and return a rasterizer for them.

    Args:
        triangles: what to draw; triangles without area or with vertices that are not finite are never seen.
        device: ``cpu`` or ``cuda`` (``cuda:1``, ...); results stay there.
        backend: one of ``BACKENDS``.

    Raises:
        UnknownNameError: no such backend.
        BadValueError: a face or part index is out of range, the device is not available, or pytorch3d is not installed.
    """
    if backend == "warp":
        from .warp_backend import WarpRasterizer

        return WarpRasterizer(triangles, device)
    if backend == "reference":
        from .reference import ReferenceRasterizer

        return ReferenceRasterizer(triangles, device)
    if backend == "pytorch3d":
        from .pytorch3d_backend import Pytorch3dRasterizer

        return Pytorch3dRasterizer(triangles, device)
    raise UnknownNameError(backend, BACKENDS, what="rasterizer backend")
