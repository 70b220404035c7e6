"""Cameras that a robot's file describes, for Gazebo (which looks along +x, z up) or as ROS does (along +z, y down)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .elements import Element, Malformed, from_xyz_rpy, number, numbers, origin_of

GAZEBO_FROM_OPENCV = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
"""Gazebo's camera looks along +x, with y to the left and z up."""
_FOV_RAD, _WIDTH, _HEIGHT, _NEAR_M = 1.047, 320.0, 240.0, 0.1
"""What Gazebo takes where a camera does not say."""
_MOST_PX = 16384


@dataclass(frozen=True, eq=False)
class Sensor:
    """A camera on a link.

    - ``link_from_camera`` has OpenCV's axes; ``fov_rad`` is horizontal; ``size`` is (height, width) in pixels.
    """

    name: str
    link: str
    link_from_camera: Float[np.ndarray, "4 4"]
    fov_rad: float
    size: tuple[int, int]
    near: float


def sensors_of(tree: Element, links: set[str]) -> tuple[Sensor, ...]:
    """All cameras of a robot: ``<gazebo reference><sensor>``, ``<link><sensor>``, and ROS's ``<sensor><parent link>``.

    Raises:
        Malformed: a camera's numbers are wrong, or it is on no link.
    """
    return tuple(_sensor(link, element, camera, links) for link, element, camera in _blocks(tree))


def _blocks(tree: Element) -> Iterator[tuple[str, Element, Element]]:
    """Every camera: its link, ``<sensor>`` and ``<camera>``."""
    holders = [(block.get("reference") or "", block) for block in tree.findall("gazebo")]
    holders += [(link.get("name") or "", link) for link in tree.findall("link")]
    for link, holder in holders:
        yield from ((link, sensor, camera) for sensor in holder.findall("sensor") for camera in sensor.findall("camera"))
    for sensor in tree.findall("sensor"):
        parent = sensor.find("parent")
        link = "" if parent is None else parent.get("link") or ""
        yield from ((link, sensor, camera) for camera in sensor.findall("camera"))


def _sensor(link: str, element: Element, camera: Element, links: set[str]) -> Sensor:
    name = camera.get("name") or element.get("name") or f"{link}_camera"
    try:
        if link not in links:
            raise Malformed(f"it is on {link[:80]!r}, which is no link")
        image = camera.find("image")
        if image is not None and image.get("width") is not None:  # ROS: attributes, the optical frame
            width, height = number(image, "width", None), number(image, "height", None)
            fov, near = number(image, "hfov", _FOV_RAD), number(image, "near", _NEAR_M)
            place = origin_of(element)
        else:
            width, height = _said(camera, "image/width", _WIDTH), _said(camera, "image/height", _HEIGHT)
            fov, near = _said(camera, "horizontal_fov", _FOV_RAD), _said(camera, "clip/near", _NEAR_M)
            place = _pose(element) @ _pose(camera) @ GAZEBO_FROM_OPENCV
        if not (1 <= width <= _MOST_PX and 1 <= height <= _MOST_PX):
            raise Malformed(f"its picture is {width:g} by {height:g} pixels, must be 1 to {_MOST_PX}")
        if not 1e-3 <= fov <= np.pi - 1e-3:
            raise Malformed(f"its horizontal field of view is {fov:g}, must be above 0 and below pi radians")
        if not near > 0:
            raise Malformed(f"its near distance is {near:g}, must be positive")
        return Sensor(name, link, place, fov, (int(height), int(width)), near)
    except Malformed as error:
        raise Malformed(f"camera {name}: {error}") from error


def _said(element: Element, place: str, otherwise: float) -> float:
    return float(numbers(element.findtext(place), 1, (otherwise,), place)[0])


def _pose(element: Element) -> Float[np.ndarray, "4 4"]:
    values = numbers(element.findtext("pose"), 6, (0.0,) * 6, "pose")
    return from_xyz_rpy(values[:3], values[3:])
