"""How the pixels of a clip move, by whatever the clip knows best."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from ..clip import Clip, command_for
from ..clip.motion import pixel_motion
from ..errors import MissingFileError
from ..flow import read_flow


def motion_at(clip: Clip, camera: str, frame: int) -> Float32[np.ndarray, "height width 2"]:
    """Motion (x, y) in pixels until the next frame: the clip's exact flow, else by poses and depth.

    The last frame has no next one: it moves as since the one before, by poses and depth, or as the one before did.

    Args:
        clip: the clip folder.
        camera: one of its cameras.
        frame: its number.

    Raises:
        MissingFileError: the clip knows neither.
    """
    flow, poses = _known(clip, camera)
    if clip.frames < 2:
        return np.zeros((*clip.record.size, 2), np.float32)
    last = frame + 1 == clip.frames
    if poses and (last or not flow):
        return pixel_motion(clip, camera, frame)
    return read_flow(clip.frame_path(camera, "flow", frame - last), clip.record.size)[0].numpy()


def _known(clip: Clip, camera: str) -> tuple[bool, bool]:
    """Whether a camera has flow, and whether it has what motion by poses and depth needs; it must have one of them."""
    flow = clip.has(camera, "flow")
    poses = clip.has(camera, "depth") and clip.has(camera, "instances") and not clip.of_video
    if not flow and not poses:
        fix = f"make the clip again with: {command_for(clip, [], last=['--only', 'rgb,flow'])}, or set shutter to {{}}"
        raise MissingFileError(clip.folder(camera), what="flow (which motion blur and rolling shutter need)", fix=fix)
    return flow, poses
