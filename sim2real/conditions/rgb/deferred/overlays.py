"""What mirrors and haze add to shaded renders. A mirror shows what a camera behind it sees in front of its plane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import warp as wp
from jaxtyping import Bool, Float, Float32, Int32, UInt8
from torch import Tensor

from ....camera import View
from ....devices import as_warp, launch, load, row_threads, upload
from ....raster import CutView, Rasterizer, Visibility
from ....scene import Camera, Mesh, Scene, Triangles
from ....scene.light.lamps import Haze
from ...samples import Sampler, Samples
from . import lane_kernels, overlay_kernels
from .exposure import EXPOSURE, radiance_shown_as

_FLAT = 1e-5
"""Of a mesh's size, by which faces may be off their mirror's plane."""
FAINT = 0.1
"""Share up to which what a mirror shows is drawn at half size: of what that loses, a tenth or less is seen."""
_ODD_ACROSS = {"perspective": (3, 8, 9), "fisheye": (), "orthographic": ()}
"""Coefficients of a lens that change their sign where left and right change places: p2, s1, s2."""


@dataclass(frozen=True)
class _MirrorPart:
    """A part of the scene that mirrors, by its number: its mesh, and its first and last face that mirror."""

    part: int
    mesh: Mesh
    share: float
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class _Mirrored:
    """What a mirror shows, left and right exchanged, in cells of ``step`` pixels, from a row and column of cells on."""

    radiance: Float32[Tensor, "rows columns 3"]
    top: int
    left: int
    step: int


def has_overlays(scene: Scene) -> bool:
    """Whether a scene has mirrors or haze."""
    hazy = scene.lights is not None and scene.lights.haze is not None
    return hazy or any(scene.meshes[part.mesh].mirror is not None for part in scene.parts)


class Overlays:
    """The mirrors and the haze of a clip; may be asked from several threads at once.

    A mirror shows no other mirror in it, no haze, and nothing where there is no surface, the sky neither: MuJoCo's do so. What
    it shows takes the place of the surroundings in its gloss.

    Args:
        scene: the rollout.
        triangles: of the scene.
        rasterizer: of these triangles.
        sampler: of the scene.
        device: where pictures are made.
    """

    def __init__(self, scene: Scene, triangles: Triangles, rasterizer: Rasterizer, sampler: Sampler, device: str) -> None:
        self._scene, self._sampler, self._device = scene, sampler, device
        load(overlay_kernels, device)
        self._mirrors, mirror_of = _mirrors_of(scene, triangles)
        self._mirror_of = torch.as_tensor(mirror_of).to(device)
        self._cut = CutView(triangles, rasterizer, device) if self._mirrors else None
        self._haze = None if scene.lights is None else scene.lights.haze

    def of(self, samples: Samples, mirrored: Callable[[Samples, Camera], Tensor]) -> Any:
        """What is laid over a view, an ``overlay_kernels.Overlay``; ``None``: nothing.

        Args:
            samples: of the view.
            mirrored: makes radiance of what the camera of a mirror sees; the second camera carries the headlight.
        """
        shown = [self._picture(number, samples, mirrored) for number in range(len(self._mirrors))]
        hazy = self._haze is not None and self._haze_height(self._haze, samples) > 0
        if not hazy and all(picture is None for picture in shown):
            return None
        over = overlay_kernels.Overlay()
        over.mirror_of = as_warp(self._mirror_of, wp.int32)
        shares = [0.0 if picture is None else one.share for one, picture in zip(self._mirrors, shown, strict=True)]
        over.share = upload(np.array(shares or [0.0], np.float32), wp.float32, self._device)
        windows, begin = np.zeros((len(shares) or 1, 6), np.int32), 0
        for window, picture in zip(windows, shown, strict=False):
            if picture is not None:
                window[:] = begin, *picture.radiance.shape[:2], picture.top, picture.left, picture.step
                begin += window[1] * window[2]
        pictures = [picture.radiance.reshape(-1, 3) for picture in shown if picture is not None]
        over.windows = upload(windows, wp.int32, self._device)
        over.mirrored = as_warp(torch.cat(pictures or [torch.zeros((1, 3), device=self._device)]), wp.vec3)
        over.haze_reach = 0.0
        if hazy and self._haze is not None:
            self._lay_haze(over, self._haze, samples)
        return over

    def shade(
        self, samples: Samples, occlusion: Any, light: Any, over: Any, without: Float32[Tensor, "height width 3"]
    ) -> Float32[Tensor, "height width 3"]:
        """The picture of a view with what is laid over it, written into the picture ``without``."""
        shape, run = row_threads(samples.size, self._device)
        color = as_warp(without, wp.vec3)
        seen = [samples.face, samples.side, run, occlusion, samples.materials, samples.view, light, over, color]
        launch(overlay_kernels.shade_over_kernel, shape, seen, self._device)
        return without

    def _picture(self, number: int, samples: Samples, mirrored: Callable[[Samples, Camera], Tensor]) -> _Mirrored | None:
        """What a mirror shows in the cells in which it is seen; ``None`` where it shows nothing."""
        one, camera, frame = self._mirrors[number], samples.camera, samples.frame
        plane = self._plane(one, frame)
        eye = camera.world_from_camera[frame]
        ahead = eye[:3, 2] @ plane[:3] < 0 if camera.lens.parallel else eye[:3, 3] @ plane[:3] > plane[3]
        if not ahead or not self._scene.part_visible(frame)[one.part]:
            return None
        step = 2 if one.share <= FAINT and not camera.lens.bent else 1
        cells = self._cells(number, samples, step)
        seen = [torch.nonzero(cells.any(dim=1 - axis)).flatten() for axis in (0, 1)]
        if not len(seen[0]):
            return None
        ends = [(int(at[0]), int(at[-1]) + 1) for at in seen]
        if camera.lens.bent:  # tables of its rays are kept for whole pictures
            ends = [(0, length) for length in cells.shape]
        (top, bottom), (left, right) = ends
        size = bottom - top, right - left
        part = camera.cropped(step * top, step * left, (step * size[0], step * size[1]))
        behind = mirrored_camera(part, frame, plane).resized(size)
        wanted = cells[top : top + size[0], left : left + size[1]].flip(1)
        others = np.arange(len(self._scene.parts)) != one.part
        look = _Look(self._cut, plane, others)
        front = replace(self._sampler.samples(behind, frame, look=look), wanted=wanted)
        picture = mirrored(front, camera)
        weight = self._sampler.weight(front)
        if bool(((weight < 1) & (wanted > 0)).any()):
            solid = self._sampler.samples(behind, frame, without_clear=True, look=look)
            picture = torch.lerp(mirrored(replace(solid, wanted=wanted), camera), picture, weight[..., None])
        return _Mirrored(picture, top, left, step)

    def _cells(self, number: int, samples: Samples, step: int) -> UInt8[Tensor, "rows columns"]:
        """1 for the cells, of ``step`` pixels, that the pixels of a mirror look up."""
        size, one, device = samples.size, self._mirrors[number], self._device
        cells = torch.zeros((-(-size[0] // step), -(-size[1] // step)), dtype=torch.uint8, device=device)
        which = [as_warp(self._mirror_of, wp.int32), number, wp.vec2i(one.first, one.last), step, as_warp(cells, wp.uint8)]
        if device == "cpu":
            launch(lane_kernels.mark_rows_kernel, size[0], [samples.face, samples.side, *which], device)
        else:
            shape, run = row_threads(size, device)
            launch(overlay_kernels.mark_kernel, shape, [samples.face, samples.side, run, *which], device)
        return cells

    def _plane(self, mirror: _MirrorPart, frame: int) -> Float[np.ndarray, "4"]:
        """The mirror's plane in the world: unit normal n and offset d, with n.p = d."""
        part, given = self._scene.parts[mirror.part], mirror.mesh.mirror
        assert given is not None
        pose = self._scene.world_from_instance[frame, part.instance] @ part.instance_from_mesh
        normal = np.linalg.inv(pose[:3, :3]).T @ np.array(given.normal)
        normal /= np.linalg.norm(normal)
        return np.append(normal, normal @ (pose[:3, :3] @ np.array(given.point) + pose[:3, 3]))

    def _haze_height(self, haze: Haze, samples: Samples) -> float:
        """How high above the haze's plane the eye is, metres; parallel lines of sight see no horizon."""
        normal, eye = np.array(haze.normal, np.float64), samples.camera.world_from_camera[samples.frame, :3, 3]
        height = float(normal @ (eye - np.array(haze.point))) / float(np.linalg.norm(normal))
        return 0.0 if samples.camera.lens.parallel else height

    def _lay_haze(self, over: Any, haze: Haze, samples: Samples) -> None:
        up = samples.camera.world_from_camera[samples.frame, :3, :3].T @ np.array(haze.normal, np.float64)
        over.haze = wp.vec3(*radiance_shown_as(np.array(haze.color), EXPOSURE).tolist())
        over.haze_up = wp.vec3(*(up / np.linalg.norm(up)).tolist())
        over.haze_height = self._haze_height(haze, samples)
        over.haze_reach, over.haze_depth = haze.reach, min(max(haze.depth, 1e-3), 0.999)


@dataclass(frozen=True, eq=False)
class _Look:
    """Finds what some parts show in front of a plane of the world."""

    cut: CutView | None
    plane: Float[np.ndarray, "4"]
    parts: Bool[np.ndarray, "parts"]

    def __call__(self, view: View) -> Visibility:
        assert self.cut is not None
        return self.cut.visibility(view.only(self.parts), self.plane)


def mirrored_camera(camera: Camera, frame: int, plane: Float[np.ndarray, "4"]) -> Camera:
    """The camera behind a mirror: its picture, with left and right exchanged, is what a camera sees in the mirror.

    Args:
        camera: that looks at the mirror.
        frame: in which it does; the camera that is returned stands there in all frames.
        plane: the mirror's unit normal and offset, world.
    """
    normal, across = plane[:3], np.diag([-1.0, 1.0, 1.0])
    turn, eye = camera.world_from_camera[frame, :3, :3], camera.world_from_camera[frame, :3, 3]
    pose = np.eye(4)
    pose[:3, :3] = (turn - 2 * np.outer(normal, normal @ turn)) @ across
    pose[:3, 3] = eye - 2 * (normal @ eye - plane[3]) * normal
    k = camera.intrinsics[frame].copy()
    k[0, 1], k[0, 2] = -k[0, 1], camera.size[1] - k[0, 2]
    distortion = None if camera.distortion is None else np.array(camera.distortion, np.float64)
    if distortion is not None:
        odd = [place for place in _ODD_ACROSS[camera.projection] if place < len(distortion)]
        distortion[odd] *= -1
    frames = len(camera.intrinsics)
    return replace(
        camera,
        intrinsics=np.broadcast_to(k, (frames, 3, 3)),
        world_from_camera=np.broadcast_to(pose, (frames, 4, 4)),
        distortion=distortion,
    )


def _mirrors_of(scene: Scene, triangles: Triangles) -> tuple[tuple[_MirrorPart, ...], Int32[np.ndarray, "faces"]]:
    """The mirrors of a scene, and the number of the mirror that every face belongs to, -1 if to none."""
    found: list[_MirrorPart] = []
    mirror_of = np.full(max(len(triangles.faces), 1), -1, np.int32)
    for number, part in enumerate(scene.parts):
        mesh = scene.meshes[part.mesh]
        if mesh.mirror is None or mesh.mirror.share <= 0 or mesh.deformed is not None or not len(mesh.faces):
            continue
        faces = np.flatnonzero(triangles.face_part == number)[_in_plane(mesh)]
        if len(faces):
            mirror_of[faces] = len(found)
            found.append(_MirrorPart(number, mesh, mesh.mirror.share, int(faces[0]), int(faces[-1])))
    return tuple(found), mirror_of


def _in_plane(mesh: Mesh) -> Bool[np.ndarray, "faces"]:
    """Which faces lie in the plane of their mesh's mirror."""
    assert mesh.mirror is not None
    normal = np.array(mesh.mirror.normal, np.float64)
    normal /= np.linalg.norm(normal)
    height = (np.asarray(mesh.vertices, np.float64) - mesh.mirror.point) @ normal
    level = np.abs(height) <= _FLAT * float(np.ptp(mesh.vertices, axis=0).max())
    return np.asarray(level[mesh.faces].all(axis=1))
