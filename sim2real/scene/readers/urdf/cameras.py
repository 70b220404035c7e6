"""Cameras on links: those that a robot's file describes, and those that a user puts there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ....camera.paths import intrinsics_of_fov
from ....camera.view import Camera
from ....errors import BadValueError, UnknownNameError
from .sensors import Sensor

DEFAULT_SIZE = (480, 640)
LINK_FOV_DEG = 45.0
Ways = Mapping[str, Float[np.ndarray, "frames 4 4"]]
"""``world_from_link`` over the frames, by link."""


def sensor_cameras(sensors: Iterable[Sensor], ways: Ways, size: tuple[int, int] | None) -> tuple[Camera, ...]:
    """The cameras that a robot's file describes; their pictures have the size that it says, unless another is asked for."""
    cameras = []
    for sensor in sensors:
        height, width = size or sensor.size
        focal_px = width / 2 / np.tan(sensor.fov_rad / 2)
        k = np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1.0]])
        way = ways[sensor.link] @ sensor.link_from_camera
        cameras.append(Camera(sensor.name, (height, width), np.tile(k, (len(way), 1, 1)), way, near=sensor.near))
    return tuple(cameras)


def cameras_on(asked: str | None, ways: Ways, size: tuple[int, int] | None, source: Path) -> tuple[Camera, ...]:
    """Cameras where a user wants them.

    Args:
        asked: links that are ROS optical frames, with a vertical field of view in degrees or without: LINK[:DEG],...
        ways: of all links.
        size: (height, width) of their pictures; ``None``: 480x640.
        source: for errors.

    Raises:
        UnknownNameError: there is no such link.
        BadValueError: a field of view is none.
    """
    cameras = []
    for word in filter(None, (word.strip() for word in (asked or "").split(","))):
        link, fov_deg = _link_and_fov(word, ways, source)
        k = intrinsics_of_fov(fov_deg, size or DEFAULT_SIZE)
        cameras.append(Camera(link, size or DEFAULT_SIZE, np.tile(k, (len(ways[link]), 1, 1)), ways[link]))
    return tuple(cameras)


def _link_and_fov(word: str, ways: Ways, source: Path) -> tuple[str, float]:
    if word in ways:
        return word, LINK_FOV_DEG
    link, _, degrees = word.rpartition(":")
    try:
        fov_deg = float(degrees) if link in ways else 0.0
    except ValueError:
        fov_deg = 0.0
    if link not in ways:
        raise UnknownNameError(link or word, ways, what="link", where=source)
    if not 0 < fov_deg < 180:
        raise BadValueError("the field of view of --camera-links", repr(degrees), right="above 0 and below 180 degrees")
    return link, fov_deg
