"""How pixels move from one frame to the next, by what a clip folder says of poses and depth."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from ..camera.rays import camera_from_px, px_from_camera
from ..transforms import inverse_rigid
from .folder import Clip


def pixel_motion(clip: Clip, camera: str, frame: int) -> Float32[np.ndarray, "height width 2"]:
    """Where the surface at each pixel goes until the next frame, pixels (x, y); for the last frame, since the one before.

    Instances move as rigid bodies; what bends besides is left out. Where there is no surface, or it leaves the lens' view,
    nothing moves.
    """
    depth, ids = clip.depth(camera, frame), clip.instances(camera, frame).astype(np.int64)
    height, width = depth.shape
    if clip.frames < 2:
        return np.zeros((height, width, 2), np.float32)
    record = clip.camera(camera)
    other = frame + 1 if frame + 1 < clip.frames else frame - 1
    poses = np.tile(np.eye(4), (int(ids.max(initial=0)) + 1, 1, 1))
    for instance in clip.record.instances:
        if instance.id < len(poses):
            here, there = instance.world_from_instance[[frame, other]]
            poses[instance.id] = there @ inverse_rigid(here)
    here, there = record.world_from_camera[[frame, other]]
    moves = (inverse_rigid(there) @ poses @ here)[ids]
    here_px = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
    points = camera_from_px(here_px, np.where(depth > 0, depth, 1).astype(np.float64), record.intrinsics[frame], record.lens)
    moved = np.einsum("yxij,yxj->yxi", moves[..., :3, :3], points) + moves[..., :3, 3]
    motion = px_from_camera(moved, record.intrinsics[other], record.lens) - here_px
    motion = np.where((depth > 0)[..., None] & np.isfinite(motion).all(-1, keepdims=True), motion, 0.0)
    return (motion if other > frame else -motion).astype(np.float32)
