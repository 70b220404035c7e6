"""Cameras and lights of glTF files (``KHR_lights_punctual``)."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from ....camera.view import Camera
from ....transforms import rigid
from ...records import Lighting
from ..mesh.files import Y_UP
from .document import Document
from .nodes import Hierarchy, Poses, distinct

HEIGHT_PX = 480
_USUAL_ASPECT = 4 / 3
LIGHTS = "KHR_lights_punctual"


def cameras_of(hierarchy: Hierarchy, poses: Poses, size: tuple[int, int] | None) -> tuple[Camera, ...]:
    """All cameras of the scene, perspective and orthographic, moved by their nodes.

    Pixels are square, and what a camera sees from top to bottom is as the file says.

    Args:
        hierarchy: the nodes.
        poses: where they are.
        size: (height, width) in pixels; ``None``: 480 high, and as wide as the file says, else 640.

    Raises:
        UnreadableFileError: a camera sees nothing, or its node is flat.
    """
    document, nodes = hierarchy.document, hierarchy.having("camera")
    entries = [document.entry("cameras", hierarchy.node(node)["camera"]) for node in nodes]
    plain = [hierarchy.name(n) or str(e.get("name") or f"camera_{n}") for n, e in zip(nodes, entries, strict=True)]
    found = []
    for node, entry, name in zip(nodes, entries, distinct(plain), strict=True):
        parallel = entry.get("type") == "orthographic"
        held = entry.get(str(entry.get("type")))
        if not isinstance(held, dict):
            raise document.broken(f"camera {name} is neither perspective nor orthographic")
        chosen = size or _size(document, held, parallel, name)
        k = np.repeat(_intrinsics(document, held, chosen, parallel, name)[None], poses.frames, axis=0)
        way = Y_UP @ _eye(document, poses.of(node), name)
        found.append(Camera(name, chosen, k, way, projection="orthographic" if parallel else "perspective"))
    return tuple(found)


def _size(document: Document, held: dict[str, Any], parallel: bool, name: str) -> tuple[int, int]:
    if parallel:
        across, up = (abs(document.number(held.get(key), f"{key} of camera {name}")) for key in ("xmag", "ymag"))
        aspect = across / up if up else 0.0
    else:
        aspect = document.number(held.get("aspectRatio", _USUAL_ASPECT), f"the aspect ratio of camera {name}", least=0.0)
    if not 0.05 <= aspect <= 20:
        raise document.broken(f"camera {name} is {aspect:g} times as wide as high")
    return HEIGHT_PX, max(2 * round(HEIGHT_PX * aspect / 2), 2)


def _intrinsics(
    document: Document, held: dict[str, Any], size: tuple[int, int], parallel: bool, name: str
) -> Float[np.ndarray, "3 3"]:
    height, width = size
    if parallel:
        up = abs(document.number(held.get("ymag"), f"ymag of camera {name}"))
        f = height / (2 * up) if up > 1e-9 else 0.0
    else:
        angle = document.number(held.get("yfov"), f"yfov of camera {name}", least=0.0)
        f = height / 2 / np.tan(angle / 2) if 1e-6 < angle < np.pi - 1e-6 else 0.0
    if f <= 0:
        raise document.broken(f"camera {name} sees nothing from top to bottom, or more than is in front of it")
    return np.array([[f, 0, width / 2], [0, f, height / 2], [0, 0, 1.0]])


def _eye(document: Document, matrices: Float[np.ndarray, "frames 4 4"], name: str) -> Float[np.ndarray, "frames 4 4"]:
    """Rigid matrices with OpenCV axes of nodes that look along -z with y up, whatever their scale."""
    forward, up = -matrices[:, :3, 2], matrices[:, :3, 1]
    right = np.cross(forward, up)
    lengths = [np.linalg.norm(axis, axis=1, keepdims=True) for axis in (forward, right)]
    if not all((length > 1e-12).all() for length in lengths):
        raise document.broken(f"the node of camera {name} is flat")
    forward, right = forward / lengths[0], right / lengths[1]
    return rigid(np.stack([right, np.cross(forward, right), forward], axis=-1), matrices[:, :3, 3])


def lights_in(document: Document) -> bool:
    """Whether a node of the file carries a light."""
    nodes = document.tree.get("nodes")
    return any(_light_number(node) is not None for node in (nodes if isinstance(nodes, list) else []))


def _light_number(node: Any) -> object:
    extensions = node.get("extensions") if isinstance(node, dict) else None
    held = extensions.get(LIGHTS) if isinstance(extensions, dict) else None
    return held.get("light") if isinstance(held, dict) else None


def lighting_of(hierarchy: Hierarchy, poses: Poses, notes: list[str]) -> Lighting:
    """The sun that the first directional light is: its direction in the first frame and its hue, at the usual brightness.

    Exporters disagree on units of light, so that strengths are not comparable; other lights are left out.

    Args:
        hierarchy: the nodes.
        poses: where they are.
        notes: gets sentences on what was left out.

    Raises:
        UnreadableFileError: a light is not there, or its color is none.
    """
    document, name = hierarchy.document, hierarchy.document.path.name
    held = (document.tree.get("extensions") or {}).get(LIGHTS) or {}
    lights = Document(document.path, {"lights": held.get("lights")}, (), ())
    carried = [
        (n, lights.entry("lights", _light_number(hierarchy.node(n))))
        for n in sorted(hierarchy.order)
        if _light_number(hierarchy.node(n)) is not None
    ]
    suns = [(node, light) for node, light in carried if light.get("type") == "directional"]
    others = [str(light.get("type")) for _, light in carried if light.get("type") != "directional"]
    if others:
        kinds = ", ".join(f"{others.count(kind)} {kind}" for kind in dict.fromkeys(others))
        notes.append(f"{name}: its lights of other kinds than the sun's are left out: {kinds}")
    usual = Lighting()
    if not suns:
        return usual
    node, light = suns[0]
    towards = Y_UP[:3, :3] @ poses.of(node)[:, :3, 2].T
    length = float(np.linalg.norm(towards[:, 0]))
    if length <= 1e-12:
        raise document.broken(f"the node of light {light.get('name') or node} is flat")
    if len(suns) > 1 or (towards != towards[:, :1]).any():
        notes.append(f"{name}: one directional light is the sun, as it is in the first frame; others are left out")
    color = np.array(document.numbers(light.get("color", [1, 1, 1]), 3, "the color of a light")).clip(0)
    x, y, z = (float(v) for v in towards[:, 0] / length)
    if color.mean() < 1e-6:
        return Lighting(sun_direction=(x, y, z))
    r, g, b = (float(v) for v in color / color.mean() * np.mean(usual.sun))
    notes.append(f"{name}: its sun has the direction and hue that it says, at the usual brightness")
    return Lighting(sun_direction=(x, y, z), sun=(r, g, b))
