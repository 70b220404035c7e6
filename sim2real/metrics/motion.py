"""Where every pixel of one frame goes in another, from a clip's own labels: depth, instances, cameras."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from ..camera.rays import camera_from_px, px_from_camera
from ..clip import Clip
from ..transforms import inverse_rigid

DEPTH_TOLERANCE = 0.01
"""A target pixel shows the same surface if its depth differs by less than this share."""


def labeled_motion(
    clip: Clip, camera: str, source: int, target: int
) -> tuple[Float[np.ndarray, "height width 2"], Bool[np.ndarray, "height width"]]:
    """Exact motion of rigid instances between two frames, at any distance in time.

    Args:
        clip: with depth and instances.
        camera: its name.
        source: frame whose pixels are followed.
        target: frame in which they are looked for.

    Returns:
        Position in the target picture of every source pixel (x, y in pixels, centers at 0.5), and whether it is visible there:
        inside the picture, not hidden, and more than one pixel away from another instance in the target.
    """
    found = _followed(clip, camera, source, target)
    target_ids = clip.instances(camera, target)
    same = _uniform(target_ids)[found.row, found.column]
    same &= target_ids[found.row, found.column] == found.ids
    target_depth = clip.depth(camera, target)[found.row, found.column]
    near = np.abs(target_depth - np.where(found.surface, found.z, 0)) <= DEPTH_TOLERANCE * np.where(found.surface, found.z, 1)
    return found.there, found.inside & same & (near | ~found.surface)


def hidden(clip: Clip, camera: str, source: int, target: int) -> Bool[np.ndarray, "height width"]:
    """Which pixels of the source frame the target frame does not show: another surface is before them, or they are outside."""
    found = _followed(clip, camera, source, target)
    depth = clip.depth(camera, target)[found.row, found.column]
    limit = np.where(found.surface, (1 - DEPTH_TOLERANCE) * np.where(found.surface, found.z, 1), np.inf)
    return ~found.inside | ((depth > 0) & (depth < limit))


@dataclass(frozen=True, eq=False)
class _Followed:
    """Pixels of one frame at their places in another.

    - ``there``: x, y in pixels; ``row``, ``column``: of the pixel there, the nearest one for places outside.
    - ``z``: depth there, metres; ``ids``, ``surface``: instance, and whether there is any, in the frame they come from.
    - ``inside``: the place is at least a pixel inside the picture.
    """

    there: Float[np.ndarray, "height width 2"]
    row: Int[np.ndarray, "height width"]
    column: Int[np.ndarray, "height width"]
    z: Float[np.ndarray, "height width"]
    ids: Int[np.ndarray, "height width"]
    surface: Bool[np.ndarray, "height width"]
    inside: Bool[np.ndarray, "height width"]


def _followed(clip: Clip, camera: str, source: int, target: int) -> _Followed:
    """Move every pixel's surface point as its instance moves, and project it."""
    record = clip.camera(camera)
    depth, ids = clip.depth(camera, source).astype(np.float64), clip.instances(camera, source)
    height, width = depth.shape
    y, x = np.mgrid[:height, :width] + 0.5
    surface = depth > 0
    distance = np.where(surface, depth, 1.0)
    local = camera_from_px(np.stack([x, y], axis=-1), distance, record.intrinsics[source], record.lens)
    into_target = inverse_rigid(record.world_from_camera[target])

    # one transform per instance: target camera <- world at target <- instance <- world at source <- source camera
    moves = {0: into_target @ record.world_from_camera[source]}
    for instance in clip.record.instances:
        world = instance.world_from_instance
        moves[instance.id] = into_target @ world[target] @ np.linalg.inv(world[source]) @ record.world_from_camera[source]
    present, index = np.unique(np.where(surface, ids, 0), return_inverse=True)
    move = np.stack([moves[int(i)] for i in present])[index.reshape(height, width)]
    point = np.einsum("hwij,hwj->hwi", move[..., :3, :3], local) + np.where(surface[..., None], move[..., :3, 3], 0.0)
    z = np.where(point[..., 2] > 0, point[..., 2], np.inf)
    there = px_from_camera(point, record.intrinsics[target], record.lens)
    shown = np.isfinite(z) & np.isfinite(there).all(-1)
    if record.lens.parallel:
        shown &= surface  # what is infinitely far away has no place in a picture of parallel lines
    there = np.where(shown[..., None], there, 0.0)
    inside = shown & (there >= 1).all(-1) & (there[..., 0] < width - 1) & (there[..., 1] < height - 1)
    column = np.clip(there[..., 0], 0, width - 1).astype(int)
    row = np.clip(there[..., 1], 0, height - 1).astype(int)
    return _Followed(there, row, column, z, np.where(surface, ids, 0).astype(np.int64), surface, inside)


def _uniform(ids: np.ndarray) -> Bool[np.ndarray, "height width"]:
    """Pixels whose eight neighbors belong to the same instance."""
    padded = np.pad(ids, 1, mode="edge")
    height, width = ids.shape
    same = np.ones(ids.shape, bool)
    for dy in range(3):
        for dx in range(3):
            same &= padded[dy : dy + height, dx : dx + width] == ids
    return same


def sampled(picture: Float[np.ndarray, "height width c"], there: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n c"]:
    """Bilinear values of a picture at positions (x, y) in pixels."""
    height, width = picture.shape[:2]
    x, y = np.clip(there[..., 0] - 0.5, 0, width - 1.001), np.clip(there[..., 1] - 0.5, 0, height - 1.001)
    column, row = x.astype(int), y.astype(int)
    fx, fy = (x - column)[..., None], (y - row)[..., None]
    top = picture[row, column] * (1 - fx) + picture[row, column + 1] * fx
    bottom = picture[row + 1, column] * (1 - fx) + picture[row + 1, column + 1] * fx
    return top * (1 - fy) + bottom * fy
