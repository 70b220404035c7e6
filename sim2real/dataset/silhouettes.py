"""Where every instance would be seen if it were alone: whole silhouettes, drawn when a clip is rendered.

A writer of a dataset sees the clip, not its scene; formats that say how much of an object is hidden need these.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int, Int32, Int64, Integer, UInt32

from ..arrays import read_arrays
from ..camera import Camera, View
from ..clip import Clip, read_clip
from ..devices import one_torch_thread
from ..errors import BadValueError, MissingFileError, UnreadableFileError
from ..raster import Rasterizer, rasterizer, view_of
from ..scene import Scene, triangles_of
from ..scene.moving_vertices import extent_of
from .clips import DatasetClip
from .masks import Mask, Runs, ids_in, mask_of, runs_of

FILE = "silhouettes.npz"
_FIX = "make the clip again with: sim2real dataset CONFIG -o DIR, with the format in its list"


@dataclass(frozen=True, eq=False)
class Silhouettes:
    """The whole silhouettes of one camera, as far as they lie inside the picture.

    Row by row, in the order of frames and ids: pixels beyond the picture's edge count nowhere, and an instance without a
    pixel inside has no row.

    - ``frame`` and ``instance``: the frame, and the instance's id.
    - ``pixels``: of the silhouette; ``start``: where its runs begin in ``runs``, one more than there are rows.
    - ``size``: (height, width) of the picture.
    """

    size: tuple[int, int]
    frame: Int32[np.ndarray, "rows"]
    instance: Int32[np.ndarray, "rows"]
    pixels: Int64[np.ndarray, "rows"]
    start: Int64[np.ndarray, "rows_and_one"]
    runs: UInt32[np.ndarray, "runs"]

    def rows(self, frame: int) -> range:
        """The rows of a frame."""
        first, last = np.searchsorted(self.frame, [frame, frame + 1])
        return range(int(first), int(last))

    def counts(self, frame: int) -> dict[int, int]:
        """Pixels of the whole silhouettes of a frame, by instance id."""
        return {int(self.instance[row]): int(self.pixels[row]) for row in self.rows(frame)}

    def mask(self, row: int) -> Mask:
        """The silhouette of a row."""
        return mask_of(self.runs[self.start[row] : self.start[row + 1]], self.size)


def write_silhouettes(scene: Scene, folder: Path, *, device: str = "cpu") -> None:
    """Draw every instance of a clip alone and write ``silhouettes.npz`` beside each camera's pictures.

    Only the instance's own triangles are drawn, on the pixel grid of the clip, so that what is visible of an instance always
    lies within its silhouette. Instances out of view cost a test of their boxes; what has not moved in the camera's frame
    since the frame before costs nothing.

    Args:
        scene: the one that the clip was rendered from, at the clip's frames.
        folder: of the clip.
        device: ``cpu`` or ``cuda``.

    Raises:
        BadValueError: the scene is not the clip's.
        UnknownNameError: the scene lacks a camera of the clip.
    """
    clip = read_clip(folder)
    cameras = [_camera_of(scene, clip, name) for name in clip.cameras]
    soloists = [Soloist(scene, place, device) for place in range(len(scene.instances))]
    with one_torch_thread():
        for name, camera in zip(clip.cameras, cameras, strict=True):
            _write(clip.folder(name) / FILE, _drawn(soloists, camera, clip.frames))


def known_silhouettes(clip: DatasetClip, camera: str) -> Silhouettes | None:
    """The same as ``read_silhouettes``; ``None`` for the clip of a real video, whose masks are all that is known."""
    return None if clip.clip.of_video else read_silhouettes(clip, camera)


def read_silhouettes(clip: DatasetClip, camera: str) -> Silhouettes:
    """Read what ``write_silhouettes`` wrote.

    Raises:
        MissingFileError: the clip has none.
        UnreadableFileError: the file is damaged, or is of another render.
    """
    path = clip.clip.folder(camera) / FILE
    what = f"whole silhouettes of clip {clip.clip_id}"
    if not path.is_file():
        raise MissingFileError(path, what=what, fix=_FIX)
    held = read_arrays(path, what=what, fix=_FIX)
    names = ("frame", "instance", "pixels", "start", "runs")
    if any(name not in held for name in (*names, "size")):
        raise UnreadableFileError(path, what=what, why=f"it holds {', '.join(held) or 'nothing'}", fix=_FIX)
    size, right = tuple(held["size"].tolist()), clip.clip.record.size
    if size != tuple(right):
        raise UnreadableFileError(path, what=what, why=f"they are {size}, the clip is {right}", fix=_FIX)
    return Silhouettes(right, *(held[name] for name in names))


def visible_shares(
    clip: DatasetClip, camera: str, silhouettes: Silhouettes | None, frame: int, ids: Integer[np.ndarray, "height width"]
) -> dict[int, float | None]:
    """Visible pixels over those of the whole silhouette inside the picture, of all instances that are visible.

    ``None`` for each where no silhouettes are known.

    Args:
        clip: whose.
        camera: of the clip.
        silhouettes: the camera's, as ``known_silhouettes`` has them.
        frame: of the clip.
        ids: the picture of instance ids of that frame.

    Raises:
        UnreadableFileError: more is visible than the silhouette holds: it is another render's.
    """
    if silhouettes is None:
        return dict.fromkeys(ids_in(ids))
    whole = silhouettes.counts(frame)
    seen = check_visible(clip, camera, silhouettes, frame, ids)
    return {instance: pixels / whole[instance] for instance, pixels in seen.items()}


def check_visible(
    clip: DatasetClip, camera: str, silhouettes: Silhouettes, frame: int, ids: Integer[np.ndarray, "height width"]
) -> dict[int, int]:
    """Visible pixels by instance id, refused where they are more than the silhouette's; see ``visible_shares``."""
    whole, seen = silhouettes.counts(frame), ids_in(ids)
    for instance, pixels in seen.items():
        if pixels > whole.get(instance, 0):
            why = f"instance {instance} shows {pixels} pixels in frame {frame}, more than its silhouette has"
            path = clip.clip.folder(camera) / FILE
            raise UnreadableFileError(path, what=f"whole silhouettes of clip {clip.clip_id}", why=why, fix=_FIX)
    return seen


class Soloist:
    """One instance of a scene, drawn alone."""

    def __init__(self, scene: Scene, instance: int, device: str) -> None:
        """Put its triangles on the device.

        Args:
            scene: the whole.
            instance: its place in ``scene.instances``.
            device: ``cpu`` or ``cuda``.
        """
        self.id = instance + 1
        self._scene = replace(scene, parts=tuple(part for part in scene.parts if part.instance == instance))
        triangles = triangles_of(self._scene)
        self._rasterizer: Rasterizer | None = rasterizer(triangles, device=device) if len(triangles.faces) else None
        self._deforms = any(scene.meshes[part.mesh].deformed is not None for part in self._scene.parts)
        self._corners = _box_corners(self._scene)
        self._last: tuple[tuple[bytes, ...], tuple[int, Runs] | None] | None = None

    def seen(self, camera: Camera, frame: int) -> tuple[int, Runs] | None:
        """Pixels and runs of its silhouette; ``None`` where none of it is in the picture."""
        if self._rasterizer is None:
            return None
        view = view_of(self._scene, camera, frame)
        key = tuple(array.tobytes() for array in (view.camera_from_part, view.intrinsics, view.shown))
        if self._last is not None and self._last[0] == key and not self._deforms:
            return self._last[1]
        found = self._drawn(self._rasterizer, view) if _may_show(view, self._corners) else None
        self._last = (key, found)
        return found

    def forget(self) -> None:
        """Begin with another camera."""
        self._last = None

    def _drawn(self, views: Rasterizer, view: View) -> tuple[int, Runs] | None:
        mask: Bool[np.ndarray, "height width"] = (views.visibility(view).face >= 0).cpu().numpy()
        pixels = int(np.count_nonzero(mask))
        return (pixels, runs_of(mask)) if pixels else None


def _drawn(soloists: list[Soloist], camera: Camera, frames: int) -> Silhouettes:
    """All silhouettes of a camera."""
    for soloist in soloists:
        soloist.forget()
    rows: list[tuple[int, int, int, Runs]] = list(_rows(soloists, camera, frames))
    runs = [row[3] for row in rows]
    return Silhouettes(
        size=camera.size,
        frame=np.array([row[0] for row in rows], np.int32),
        instance=np.array([row[1] for row in rows], np.int32),
        pixels=np.array([row[2] for row in rows], np.int64),
        start=np.cumsum([0, *(len(r) for r in runs)], dtype=np.int64),
        runs=np.concatenate([np.zeros(0, np.uint32), *runs]),
    )


def _rows(soloists: list[Soloist], camera: Camera, frames: int) -> Iterator[tuple[int, int, int, Runs]]:
    for frame in range(frames):
        for soloist in soloists:
            seen = soloist.seen(camera, frame)
            if seen is not None:
                yield frame, soloist.id, *seen


def _write(path: Path, found: Silhouettes) -> None:
    """Write the file, whole or not at all."""
    work = path.with_name(f".{path.name}.tmp")
    with work.open("wb") as file:
        arrays = {name: getattr(found, name) for name in ("frame", "instance", "pixels", "start", "runs")}
        np.savez_compressed(file, size=np.array(found.size), **arrays)
    os.replace(work, path)


def _camera_of(scene: Scene, clip: Clip, name: str) -> Camera:
    """The scene's camera as the clip was rendered with it.

    Raises:
        BadValueError: the scene has other frames, instances or cameras than the clip.
    """
    record, size = clip.record, tuple(clip.record.size)
    camera = scene.camera(name)
    camera = camera if camera.size == size else camera.resized((size[0], size[1]))
    kept = record.cameras[name]
    same = [(i.name, i.class_name) for i in scene.instances] == [(i.name, i.class_name) for i in record.instances]
    same &= np.array_equal(kept.world_from_camera, camera.world_from_camera)
    same &= np.array_equal(kept.intrinsics, camera.intrinsics) and kept.lens == camera.lens
    if not same or scene.frames != clip.frames:
        received = f"{scene.source}, {scene.frames} frames"
        right = f"what the clip was rendered from ({record.scene.path}, {clip.frames} frames), with the same options"
        raise BadValueError("the scene", received, right=right, where=clip.path)
    return camera


def _box_corners(scene: Scene) -> Float[np.ndarray, "parts 8 3"]:
    """The corners of the boxes around the parts' meshes, over all frames."""
    boxes = [np.zeros((0, 8, 3))]
    for part in scene.parts:
        mesh = scene.meshes[part.mesh]
        shapes = mesh.vertices[None] if mesh.deformed is None else mesh.deformed
        ends = np.stack(extent_of(shapes)) if len(mesh.vertices) else np.zeros((2, 3))
        pick: Int[np.ndarray, "8 3"] = np.indices((2, 2, 2)).reshape(3, 8).T
        boxes.append(ends[pick, np.arange(3)][None])
    return np.concatenate(boxes)


def _may_show(view: View, corners: Float[np.ndarray, "parts 8 3"]) -> bool:
    """Whether boxes reach into the picture, in doubt yes: each is held against the planes through the picture's edges."""
    shown = view.shown
    if not shown.any():
        return False
    matrices = view.camera_from_part[shown]
    points = np.einsum("pij,pcj->pci", matrices[:, :3, :3], corners[shown]) + matrices[:, None, :3, 3]
    x, y, z = np.moveaxis(points.reshape(-1, 3), -1, 0)
    if not np.isfinite(points).all():
        return True
    if (z < view.near).all():
        return False
    if view.lens.bent:
        return True
    k, (height, width) = view.intrinsics, view.size
    w = np.ones_like(z) if view.lens.parallel else z
    u, v = k[0, 0] * x + k[0, 1] * y + k[0, 2] * w, k[1, 1] * y + k[1, 2] * w
    beyond = (u < 0, u > width * w, v < 0, v > height * w)
    return not any(side.all() for side in beyond)
