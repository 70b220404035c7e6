"""The robot as an estimate of the camera sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32
from scipy import ndimage

from ..camera import View, camera_from_px, ray_from_px
from ..raster import Visibility, rasterizer
from ..scene import Scene, deformed_vertices
from ..transforms import inverse_rigid
from .coarse_mesh import simplified
from .problem import Estimate, Problem

NORMALS_FROM_PX = 1.5
"""Outlines are smoothed by this much to find which way they face."""


@dataclass(frozen=True, eq=False)
class Outline:
    """The robot in one frame: how much of every pixel it covers, and its outline in places about a pixel apart.

    - ``pixels``: of the outline, px; ``normals``: unit vectors out of the robot.
    - ``points``: of the surface whose edge it is (the robot's, or of what hides it), camera axes, metres.
    """

    coverage: Float32[np.ndarray, "height width"]
    pixels: Float[np.ndarray, "n 2"]
    normals: Float[np.ndarray, "n 2"]
    points: Float[np.ndarray, "n 3"]


class RobotViews:
    """Draws the robot of a problem at some size, with what hides it."""

    def __init__(
        self, problem: Problem, size: tuple[int, int] | None = None, *, side: int = 1, detail_m: float | None = None
    ) -> None:
        """Take a problem.

        Args:
            problem: whose robot.
            size: (height, width) to draw at; ``None``: that of the masks.
            side: samples across a pixel.
            detail_m: draw meshes as coarse as that, metres; ``None``: as they are.
        """
        self.problem, self.side = problem, side
        self.camera = problem.camera if size is None else problem.camera.resized(size)
        scene = problem.scene
        triangles, kept = problem.triangles, slice(None)
        if detail_m is not None:
            triangles, kept = simplified(triangles, detail_m)
        self._rasterizer = rasterizer(triangles)
        self._faces = triangles.faces
        self._is_robot = np.append(problem.robot[triangles.face_part], False)  # the last for no face, -1
        self._part_robot = problem.robot
        local = np.stack([part.instance_from_mesh for part in scene.parts])
        owners = [part.instance for part in scene.parts]
        self._carrier_from_part = [
            inverse_rigid(carrier) @ scene.world_from_instance[frame, owners] @ local
            for carrier, frame in zip(problem.world_from_carrier, problem.frames, strict=True)
        ]
        self._shown = [scene.part_visible(frame) for frame in problem.frames]
        deformed = [deformed_vertices(scene, frame) for frame in problem.frames]
        self._vertices = [None if all_of is None else all_of[kept] for all_of in deformed]
        self._boxes = [_boxes(scene, all_of) for all_of in deformed]

    @property
    def count(self) -> int:
        """How many masks there are."""
        return len(self.problem.frames)

    def coverage(self, estimate: Estimate, index: int) -> Float32[np.ndarray, "height width"]:
        """The share of every pixel that is robot, in the frame of a mask."""
        return self._pooled(self._robot(self._seen(estimate, index)))

    def outline(self, estimate: Estimate, index: int) -> Outline:
        """The robot and its outline in the frame of a mask."""
        seen = self._seen(estimate, index)
        robot = self._robot(seen)
        coverage = self._pooled(robot)
        gradient = _gradient(coverage)
        pixels, nearby = [], []
        for axis in (1, 0):
            row, column = np.nonzero(np.diff(robot, axis=axis))
            half = (row + 0.5, column + 1.0) if axis else (row + 1.0, column + 0.5)
            at = np.stack([half[1], half[0]], axis=1) / self.side
            slope = np.abs(_bilinear(gradient, at))
            mine = slope[:, 0] >= slope[:, 1] if axis else slope[:, 1] > slope[:, 0]
            pixels.append(at[mine])
            nearby.append(np.stack([row, column, row + (axis == 0), column + (axis == 1)], axis=1)[mine])
        at = np.concatenate(pixels)
        slope = -_bilinear(gradient, at)
        length = np.linalg.norm(slope, axis=1)
        good = length > 1e-6
        at, slope, length = at[good], slope[good], length[good]
        points = self._points(estimate, seen, at, np.concatenate(nearby)[good])
        return Outline(coverage, at, slope / length[:, None], points)

    def middle(self, estimate: Estimate, index: int) -> Float[np.ndarray, "3"]:
        """The middle of the robot's box in camera axes, whether or not it is in the picture."""
        matrices = estimate.camera_from_carrier @ self._carrier_from_part[index]
        mine = self._part_robot & self._shown[index] & np.isfinite(self._boxes[index]).all(axis=(1, 2))
        if not mine.any():
            return matrices[:, :3, 3].mean(axis=0)
        moved = np.einsum("pij,pcj->pci", matrices[mine, :3, :3], self._boxes[index][mine]) + matrices[mine, None, :3, 3]
        return (moved.min(axis=(0, 1)) + moved.max(axis=(0, 1))) / 2

    def intrinsics(self, estimate: Estimate) -> Float[np.ndarray, "3 3"]:
        """Those at the size that is drawn."""
        return estimate.seen_by(self.camera)

    def view(self, estimate: Estimate, index: int) -> View:
        """What is drawn for a mask, ``side`` samples across a pixel."""
        height, width = self.camera.size
        scale = np.diag([self.side, self.side, 1.0])
        return View(
            estimate.camera_from_carrier @ self._carrier_from_part[index],
            scale @ self.intrinsics(estimate),
            (height * self.side, width * self.side),
            near=self.camera.near,
            part_visible=self._shown[index],
            vertices=self._vertices[index],
            lens=self.camera.lens,
        )

    def _seen(self, estimate: Estimate, index: int) -> Visibility:
        return self._rasterizer.visibility(self.view(estimate, index))

    def _robot(self, seen: Visibility) -> Bool[np.ndarray, "rows columns"]:
        return self._is_robot[seen.face.numpy()]

    def _pooled(self, robot: Bool[np.ndarray, "rows columns"]) -> Float32[np.ndarray, "height width"]:
        height, width = self.camera.size
        return robot.reshape(height, self.side, width, self.side).mean(axis=(1, 3), dtype=np.float32)

    def _points(self, estimate: Estimate, seen: Visibility, at: np.ndarray, nearby: np.ndarray) -> Float[np.ndarray, "n 3"]:
        """Outline points at the depth of the nearer of the two samples that they lie between."""
        k, lens = self.intrinsics(estimate), self.camera.lens
        vertices, faces = seen.camera_vertices.numpy(), seen.face.numpy()
        depth = np.full((2, len(at)), np.inf)
        for mine, (rows, columns) in zip(depth, ((nearby[:, 0], nearby[:, 1]), (nearby[:, 2], nearby[:, 3])), strict=True):
            face = faces[rows, columns]
            hit = face >= 0
            centers = np.stack([columns, rows], axis=1)[hit] + 0.5
            rays = ray_from_px(centers / self.side, k, lens)
            mine[hit] = _depths(vertices[self._faces[face[hit]]].astype(np.float64), rays, parallel=lens.parallel)
        return camera_from_px(at, depth.min(axis=0), k, lens)


def _depths(corners: Float[np.ndarray, "n 3 3"], rays: Float[np.ndarray, "n 2"], *, parallel: bool) -> Float[np.ndarray, "n"]:
    """Where lines of sight meet the planes of faces that they hit; on edges that are seen from the side, near them."""
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    height = (normal * corners[:, 0]).sum(axis=1)
    along = (normal[:, :2] * rays).sum(axis=1)
    over, under = (height - along, normal[:, 2]) if parallel else (height, along + normal[:, 2])
    safe = np.where(under == 0, 1.0, under)
    return np.clip(
        np.where(under == 0, corners[:, 0, 2], over / safe), corners[..., 2].min(axis=1), corners[..., 2].max(axis=1)
    )


def _gradient(coverage: Float32[np.ndarray, "height width"]) -> list[np.ndarray]:
    """Slopes along x and y, smoothed; computed where there is something."""
    out = [np.zeros_like(coverage), np.zeros_like(coverage)]
    rows, columns = (np.flatnonzero(coverage.any(axis=axis)) for axis in (1, 0))
    if len(rows):
        around = tuple(slice(max(at[0] - 8, 0), at[-1] + 9) for at in (rows, columns))
        for slope, order in zip(out, ((0, 1), (1, 0)), strict=True):
            for axis in (0, 1):
                slope[around] = ndimage.gaussian_filter1d(
                    coverage[around] if axis == 0 else slope[around], NORMALS_FROM_PX, axis, order[axis]
                )
    return out


def _boxes(scene: Scene, deformed: np.ndarray | None) -> Float[np.ndarray, "parts 8 3"]:
    """Corners of the boxes around parts, in their mesh frames; not finite where there is nothing."""
    out, start = np.full((len(scene.parts), 8, 3), np.nan), 0
    for k, part in enumerate(scene.parts):
        own = scene.meshes[part.mesh].vertices
        vertices = own if deformed is None else deformed[start : start + len(own)]
        start += len(own)
        if len(vertices):
            sides = zip(vertices.min(axis=0), vertices.max(axis=0), strict=True)
            out[k] = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(8, 3)
    return out


def _bilinear(pictures: list[np.ndarray], at: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n channels"]:
    """Values of pictures at places in pixels."""
    where = at[:, ::-1].T - 0.5
    return np.stack([ndimage.map_coordinates(one, where, order=1, mode="nearest") for one in pictures], axis=1)
