"""A camera over the frames of a clip, and what it is asked to see at one instant."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float

from ..errors import BadValueError
from .lens import PINHOLE, Lens, Projection


@dataclass(frozen=True, eq=False)
class Camera:
    """A camera over all frames of a scene, OpenCV axes, pixel centers at 0.5.

    - ``intrinsics`` has one matrix per frame; the principal point may lie anywhere. An orthographic camera's hold pixels per
      metre in place of focal lengths.
    - ``world_from_camera`` is rigid.
    - surfaces nearer than ``near`` metres (along z) are cut away.
    - ``distortion`` holds a lens' coefficients in OpenCV's order (``Lens``); ``None``: rays are straight.
    - ``projection``: a fisheye is OpenCV's equidistant model with its four coefficients.
    - ``source_name`` is what the source calls it, where that is no name for a folder; ``None``: ``name``.
    - ``recorded``: a real camera was there, whatever it seems to be inside of.
    """

    name: str
    size: tuple[int, int]
    intrinsics: Float[np.ndarray, "frames 3 3"]
    world_from_camera: Float[np.ndarray, "frames 4 4"]
    near: float = 0.01
    distortion: Float[np.ndarray, "coefficients"] | None = None
    projection: Projection = "perspective"
    source_name: str | None = None
    recorded: bool = False

    @property
    def lens(self) -> Lens:
        """What bends this camera's rays."""
        return Lens(self.projection, () if self.distortion is None else tuple(self.distortion))

    def resized(self, size: tuple[int, int]) -> Camera:
        """The same view on another pixel grid (both focal lengths follow their own axis)."""
        scale = np.diag([size[1] / self.size[1], size[0] / self.size[0], 1.0])
        return replace(self, size=size, intrinsics=scale @ self.intrinsics)

    def cropped(self, top_px: int, left_px: int, size: tuple[int, int]) -> Camera:
        """The part of the picture that starts at (top, left), as a camera of its own."""
        shift = np.array([[1.0, 0, -left_px], [0, 1.0, -top_px], [0, 0, 1.0]])
        return replace(self, size=size, intrinsics=shift @ self.intrinsics)


@dataclass(frozen=True, eq=False)
class View:
    """What one camera is to see at one instant, checked once: rasterizers take nothing else, noise this and what they found.

    - ``camera_from_part``: (parts, 4, 4), one affine matrix per part, from its mesh frame to the camera's (OpenCV axes).
    - ``intrinsics``: 3x3, upper triangular (skew allowed), in pixels of ``size``; for supersampling both are scaled.
    - ``size``: (height, width) of the picture.
    - ``near``: surfaces nearer than this many metres are cut away, pixel by pixel.
    - ``part_visible``: (parts,), those that exist; ``None``: all.
    - ``vertices``: (vertices, 3), mesh-frame vertices of this instant, where meshes deform; ``None``: the triangles' own.
    - ``lens``: what bends rays.
    - ``world_from_camera``: 4x4; counts for what is seen behind all surfaces only.

    Raises:
        BadValueError: a shape, a size or the near distance cannot be used, or a matrix is not finite.
    """

    # any array is taken: shapes are what is checked below
    camera_from_part: np.ndarray
    intrinsics: np.ndarray
    size: tuple[int, int]
    near: float = 0.01
    part_visible: np.ndarray | None = None
    vertices: np.ndarray | None = None
    lens: Lens = PINHOLE
    world_from_camera: np.ndarray = field(default_factory=lambda: np.eye(4))

    def __post_init__(self) -> None:
        """Check all fields and bring them to their types."""
        matrices = np.asarray(self.camera_from_part, np.float64)
        pose = np.asarray(self.world_from_camera, np.float64)
        if matrices.ndim != 3 or matrices.shape[1:] != (4, 4):
            raise BadValueError("the shape of camera_from_part", matrices.shape, right="(parts, 4, 4), one matrix per part")
        if not np.isfinite(matrices).all():
            part = int(np.flatnonzero(~np.isfinite(matrices).all(axis=(1, 2)))[0])
            raise BadValueError(f"camera_from_part[{part}]", "not finite", right="a finite 4x4 matrix")
        if pose.shape != (4, 4) or not np.isfinite(pose).all():
            raise BadValueError("world_from_camera", pose.tolist(), right="a finite 4x4 matrix")
        if min(self.size) < 1:
            raise BadValueError("the picture size", f"{self.size[0]}x{self.size[1]}", right="at least 1x1")
        if not 0 < self.near < float("inf"):
            raise BadValueError("the near distance", self.near, right="positive", fix="0.01 m suits most scenes")
        self._set(camera_from_part=matrices, world_from_camera=pose, intrinsics=_checked_intrinsics(self.intrinsics))
        self._set(size=(int(self.size[0]), int(self.size[1])), near=float(self.near))
        if self.part_visible is not None:
            visible = np.asarray(self.part_visible, bool)
            if visible.shape != (len(matrices),):
                raise BadValueError("the shape of part_visible", visible.shape, right=f"{(len(matrices),)}")
            self._set(part_visible=visible)
        if self.vertices is not None:
            vertices = np.ascontiguousarray(self.vertices, np.float32)
            if vertices.ndim != 2 or vertices.shape[1] != 3:
                raise BadValueError("the shape of vertices", vertices.shape, right="(vertices, 3)")
            self._set(vertices=vertices)

    def _set(self, **fields: object) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    def shown(self) -> Bool[np.ndarray, "parts"]:
        """Which parts are drawn."""
        return np.ones(len(self.camera_from_part), bool) if self.part_visible is None else self.part_visible

    def only(self, parts: Bool[np.ndarray, "parts"]) -> View:
        """The same view without all other parts."""
        return replace(self, part_visible=self.shown & parts)


def _checked_intrinsics(intrinsics: np.ndarray) -> Float[np.ndarray, "3 3"]:
    k = np.asarray(intrinsics, np.float64)
    if k.shape != (3, 3) or not np.isfinite(k).all() or not (k[0, 0] > 0 and k[1, 1] > 0):
        raise BadValueError("intrinsics", k.tolist(), right="a finite 3x3 matrix with positive focal lengths")
    if k[1, 0] or k[2, 0] or k[2, 1] or k[2, 2] != 1:
        raise BadValueError("intrinsics", k.tolist(), right="[[fx, skew, cx], [0, fy, cy], [0, 0, 1]]")
    return k
