"""Lamps of glTF files (``KHR_lights_punctual``): lux and candela, exposed together; a single sun at rest is the plain one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ....transforms import rigid
from ...light.lamps import Lamp, Triple
from ...records import Lighting
from ..mesh.files import Y_UP
from .document import Document
from .nodes import Hierarchy, Poses

LIGHTS = "KHR_lights_punctual"
_KINDS = ("directional", "point", "spot")
_EXPOSED = "their strengths are as it says, exposed together"


@dataclass(frozen=True, eq=False)
class Light:
    """The light of a file: ``lighting`` where it has one sun at most, else ``lamps``, of the file's own level."""

    lighting: Lighting
    lamps: tuple[Lamp, ...]


def lights_in(document: Document) -> bool:
    """Whether a node of the file carries a light."""
    nodes = document.tree.get("nodes")
    return any(_light_number(node) is not None for node in (nodes if isinstance(nodes, list) else []))


def _light_number(node: Any) -> object:
    extensions = node.get("extensions") if isinstance(node, dict) else None
    held = extensions.get(LIGHTS) if isinstance(extensions, dict) else None
    return held.get("light") if isinstance(held, dict) else None


def light_of(hierarchy: Hierarchy, poses: Poses, notes: list[str]) -> Light:
    """All lamps of a file, which go with their nodes.

    A single directional lamp that rests is the sun of the plain lighting: it has the direction and the hue that the file says,
    and the usual brightness and sky. Everything else is lit by the file's lamps alone.

    Args:
        hierarchy: the nodes.
        poses: where they are.
        notes: gets sentences on what was read.

    Raises:
        UnreadableFileError: a light is not there, or it has a color, a range or a cone that is none.
    """
    document, name = hierarchy.document, hierarchy.document.path.name
    held = (document.tree.get("extensions") or {}).get(LIGHTS) or {}
    lights = Document(document.path, {"lights": held.get("lights")}, (), ())
    carried = [
        (n, lights.entry("lights", _light_number(hierarchy.node(n))))
        for n in sorted(hierarchy.order)
        if _light_number(hierarchy.node(n)) is not None
    ]
    unknown = [str(light.get("type")) for _, light in carried if light.get("type") not in _KINDS]
    if unknown:
        notes.append(f"{name}: lights of unknown kinds are left out: {', '.join(dict.fromkeys(unknown))}")
    known = [(node, light) for node, light in carried if light.get("type") in _KINDS]
    if not known:
        return Light(Lighting(), ())
    moving = [len(poses.world[node]) > 1 and bool(np.ptp(poses.world[node], axis=0).any()) for node, _ in known]
    if len(known) == 1 and known[0][1]["type"] == "directional" and not moving[0]:
        return Light(_sun(document, poses, *known[0], notes), ())
    lamps = [_lamp(document, poses, node, light, moves) for (node, light), moves in zip(known, moving, strict=True)]
    lamps = [lamp for lamp in lamps if max(lamp.color) > 0]
    kinds = [lamp.kind for lamp in lamps]
    if not lamps:
        notes.append(f"{name}: none of its {len(known)} lights shines: it has our sun and sky")
        return Light(Lighting(), ())
    counted = ", ".join(f"{kinds.count(kind)} {kind}" for kind in _KINDS if kind in kinds)
    notes.append(f"{name}: lit by its {len(lamps)} lamp(s) ({counted}); {_EXPOSED}")
    return Light(Lighting(), tuple(lamps))


def _lamp(document: Document, poses: Poses, node: int, light: dict[str, Any], moves: bool) -> Lamp:
    """A lamp, of lux if it is directional, else of candela: irradiance at one metre."""
    name = f"light {light.get('name') or node}"
    color = _color(document, light)
    strength = max(document.number(light.get("intensity", 1), f"the intensity of {name}"), 0.0)
    reach = document.number(light["range"], f"the range of {name}", least=0.0) if light.get("range") is not None else np.inf
    cone = (0.0, -1.0)
    if light["type"] == "spot":
        spot = light.get("spot") or {}
        inner = document.number(spot.get("innerConeAngle", 0), f"the inner cone of {name}")
        outer = document.number(spot.get("outerConeAngle", np.pi / 4), f"the outer cone of {name}")
        if not 0 <= inner <= outer <= np.pi / 2 + 1e-6:
            raise document.broken(f"the cone of {name} begins at {inner:g} and ends at {outer:g} radians")
        cone = (float(np.cos(inner)), float(np.cos(outer)))
    way = _way(document, poses.of(node), name)
    return Lamp(
        kind=light["type"],
        color=_triple(color * strength),
        position=(0.0, 0.0, 0.0) if moves else _triple(way[0, :3, 3]),
        direction=(0.0, 0.0, -1.0) if moves else _triple(-way[0, :3, 2]),
        attenuation=(1.0, 0.0, 0.0) if light["type"] == "directional" else (0.0, 0.0, 1.0),
        reach=float(reach),
        cone=cone,
        way=way if moves else None,
    )


def _way(document: Document, matrices: Float[np.ndarray, "frames 4 4"], name: str) -> Float[np.ndarray, "frames 4 4"]:
    """Where a lamp's node is, without its scale, in our world: the lamp shines along -z."""
    back, up = matrices[:, :3, 2], matrices[:, :3, 1]
    right = np.cross(up, back)
    lengths = [np.linalg.norm(axis, axis=1, keepdims=True) for axis in (back, right)]
    if not all((length > 1e-12).all() for length in lengths):
        raise document.broken(f"the node of {name} is flat")
    back, right = back / lengths[0], right / lengths[1]
    return Y_UP @ rigid(np.stack([right, np.cross(back, right), back], axis=-1), matrices[:, :3, 3])


def _sun(document: Document, poses: Poses, node: int, light: dict[str, Any], notes: list[str]) -> Lighting:
    """The plain lighting with the direction and hue of a sun."""
    usual = Lighting()
    towards = Y_UP[:3, :3] @ poses.of(node)[0, :3, 2]
    length = float(np.linalg.norm(towards))
    if length <= 1e-12:
        raise document.broken(f"the node of light {light.get('name') or node} is flat")
    color = _color(document, light)
    if color.mean() < 1e-6:
        return Lighting(sun_direction=_triple(towards / length))
    notes.append(f"{document.path.name}: its sun has the direction and hue that it says, at the usual brightness")
    return Lighting(sun_direction=_triple(towards / length), sun=_triple(color / color.mean() * np.mean(usual.sun)))


def _color(document: Document, light: dict[str, Any]) -> Float[np.ndarray, "3"]:
    return np.array(document.numbers(light.get("color", [1, 1, 1]), 3, "the color of a light"), np.float64).clip(0)


def _triple(values: np.ndarray) -> Triple:
    x, y, z = (float(v) for v in values)
    return x, y, z
