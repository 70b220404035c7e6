"""Cameras of glTF files."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from ....camera.view import Camera
from ....transforms import rigid
from ..mesh.files import Y_UP
from .document import Document
from .nodes import Hierarchy, Poses, distinct

HEIGHT_PX = 480
_USUAL_ASPECT = 4 / 3


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
