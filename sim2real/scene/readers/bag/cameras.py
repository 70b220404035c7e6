"""Cameras of recordings: a calibration and a coordinate frame that looks along z."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from ....camera.rays import check_lens
from ....camera.view import Camera
from ....errors import BadValueError, UnknownNameError
from ....transforms import inverse_rigid, rigid
from .calibration import Calibration, CameraLog
from .contents import base_name, namespace

_LAST_WORDS = ("camera_info", "calibration")


class Unseen(Exception):
    """Why a camera is left out."""


def camera_name(topic: str) -> str:
    """What a camera is called by the topic of its calibration: ``/wrist/color/camera_info`` is ``wrist/color``."""
    return (namespace(topic) if base_name(topic) in _LAST_WORDS else topic.strip("/")) or topic.strip("/")


def chosen_camera(cameras: Iterable[str], asked: str | None, where: Path) -> str | None:
    """The topic of the camera at whose stamps the frames are: the one that is asked for, else the first.

    Raises:
        UnknownNameError: there is no such camera.
    """
    names = {camera_name(topic): topic for topic in cameras}
    if asked is None:
        return next(iter(names.values()), None)
    topic = names.get(asked.strip("/"), asked if asked in names.values() else None)
    if topic is None:
        raise UnknownNameError(asked, names, what="camera", where=where)
    return topic


def frame_in(log: CameraLog, topic: str, frames: set[str]) -> str:
    """The frame of a camera: in the namespace of its topic, or of one above, where it is there."""
    space = namespace(topic)
    while space:
        if f"{space}/{log.frame}" in frames:
            return f"{space}/{log.frame}"
        space = namespace(space)
    return log.frame


def camera_of(
    topic: str,
    log: CameraLog,
    world_from_frame: Float[np.ndarray, "frames 4 4"],
    times_ns: Int[np.ndarray, "frames"],
    *,
    size: tuple[int, int] | None,
    rectified: bool,
) -> Camera:
    """A camera.

    Args:
        topic: of its calibration, by which it is called.
        log: what was said of it; at any time, what was said last counts.
        world_from_frame: where its frame is (x right, y down, z forward).
        times_ns: of the frames.
        size: (height, width) of its pictures, if not as it says.
        rectified: as its pictures are after rectification, by R and P, without distortion.

    Raises:
        Unseen: its calibration or its lens cannot be used.
    """
    keys, numbers, _ = log.numbers.ordered()
    at = np.maximum(np.searchsorted(keys, times_ns, side="right") - 1, 0)
    used = numbers[at, 0].astype(int)
    first = log.calibrations[used[0]]
    good = {k: c for k in np.unique(used).tolist() if (c := log.calibrations[k]).flaw is None and _alike(c, first)}
    if first.flaw is not None or len(good) < len(np.unique(used)):
        raise Unseen(first.flaw or "its lens or the size of its pictures changes")
    projection, coefficients, unread = first.projection()
    way = world_from_frame
    if rectified:
        projection, coefficients, unread = "perspective", (), None
        way = way @ inverse_rigid(rigid(first.rotation(), np.zeros(3)))
    if unread is not None:
        raise Unseen(f"its lens has {unread}, which cannot be drawn; --rectified takes it without")
    k = np.stack([log.calibrations[number].intrinsics(rectified=rectified) for number in used])
    if not ((k[:, [0, 1], [0, 1]] > 0).all() and (k[:, [1, 2, 2], [0, 0, 1]] == 0).all() and (k[:, 2, 2] == 1).all()):
        raise Unseen(f"its intrinsics are {k[0].tolist()}")
    distortion = np.array(coefficients) if coefficients else None
    camera = Camera(camera_name(topic), first.size, k, way, distortion=distortion, projection=projection)
    camera = camera if size is None else camera.resized(size)
    try:
        check_lens(camera)
    except BadValueError as error:
        raise Unseen(f"{error}; --rectified takes it without distortion") from error
    return camera


def _alike(a: Calibration, b: Calibration) -> bool:
    """Whether two calibrations are of pictures of one size through one lens."""
    return (a.size, a.model, a.d) == (b.size, b.model, b.d)
