"""MuJoCo's named cameras."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ....camera.view import Camera
from .types import MjModel

DEFAULT_SIZE = (480, 640)


def cameras_of(
    model: MjModel, world_from_camera: Float[np.ndarray, "frames cameras 4 4"], size: tuple[int, int] | None
) -> tuple[Camera, ...]:
    """All cameras of a model, perspective and orthographic.

    Args:
        model: a compiled model.
        world_from_camera: their places in every frame, OpenCV axes.
        size: (height, width) in pixels; ``None``: each camera's own ``resolution``, else 480x640.
    """
    cameras = []
    projection = getattr(model, "cam_projection", getattr(model, "cam_orthographic", np.zeros(model.ncam)))
    for k in range(model.ncam):
        name = model.camera(k).name or f"camera_{k}"
        parallel = int(projection[k]) != 0
        width, height = (int(n) for n in model.cam_resolution[k])
        own = (height, width) if min(height, width) > 1 else DEFAULT_SIZE
        chosen = size or own
        frames = len(world_from_camera)
        cameras.append(
            Camera(
                name=name,
                size=chosen,
                intrinsics=np.broadcast_to(_intrinsics(model, k, chosen, parallel), (frames, 3, 3)).copy(),
                world_from_camera=world_from_camera[:, k],
                near=float(model.vis.map.znear * model.stat.extent),
                projection="orthographic" if parallel else "perspective",
            )
        )
    return tuple(cameras)


def _intrinsics(model: MjModel, camera: int, size: tuple[int, int], parallel: bool) -> Float[np.ndarray, "3 3"]:
    """Pixels from ``fovy`` (of a parallel camera, the metres that it shows), or from a physical sensor.

    The principal point's offset counts towards right and down negative.
    MuJoCo's documentation leaves the sign of ``principal`` open; here it is as measured in its pictures.
    """
    height, width = size
    if parallel:
        per_metre = height / float(model.cam_fovy[camera])
        return np.array([[per_metre, 0, width / 2], [0, per_metre, height / 2], [0, 0, 1.0]])
    fy = height / 2 / np.tan(np.radians(float(model.cam_fovy[camera])) / 2)
    fx, cx, cy = fy, width / 2, height / 2
    sensor = np.asarray(model.cam_sensorsize[camera], np.float64)
    if (sensor > 0).all():
        per_metre = np.array([width, height]) / sensor
        lens = np.asarray(model.cam_intrinsic[camera], np.float64)
        fx, fy = lens[:2] * per_metre
        cx, cy = np.array([cx, cy]) - lens[2:] * per_metre
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])
