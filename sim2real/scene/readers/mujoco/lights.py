"""MuJoCo's lamps, headlight, ambient light and skybox in our records.

Its classic renderer adds light up in display space, where 1 is white and what is more is cut off. Every lamp's value is made
linear as a color is, so that a surface under one lamp looks the same; all are then multiplied with one number, so that a floor
at the model's middle under all of them does, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float

from ....transforms import rigid, rotation_from_quaternion
from ...colors import linear_from_srgb
from ...light.lamps import Haze, Lamp, Lights, Skybox, Triple
from .materials import skybox_of, texture_images
from .types import MjModel

_SPOT, _DIRECTIONAL, _POINT = 0, 1, 2
_GAMMA = 2.2
_BRIGHTEST = 1.5
"""Display value of a floor above which lamps count no further: MuJoCo cuts off at 1, but dark things do not get there."""
_FACING = 0.7
"""Cosine at which a floor sees the eye, as a rule."""
_MIRRORED = 0.25
"""Of a lit white floor, what smooth surfaces mirror of a room that no model has."""
_SOFT_EDGE = 0.02
"""Of the cosine, over which the edge of a cone fades."""
_SKY = 0.7
"""Of the far plane's distance, where MuJoCo draws what is around."""
_BOX_FROM_WORLD = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""A skybox is stored with y up."""


def lights_of(
    model: MjModel,
    position: Float[np.ndarray, "lights 3"],
    direction: Float[np.ndarray, "lights 3"],
    bodies: Sequence[int],
    haze: Haze | None = None,
) -> tuple[Lights, list[str]]:
    """All light of a model, the headlight of every model with it.

    Args:
        model: a compiled model.
        position: of its lamps in the first frame, world.
        direction: in which they shine, likewise.
        bodies: of all instances.
        haze: towards its horizon.

    Returns:
        The light, and sentences for the user.
    """
    active = [k for k in range(model.nlight) if model.light_active[k] and kind_of(model, k) <= _POINT]
    active = [k for k in active if (np.asarray(model.light_diffuse[k]) > 0).any()]
    head = model.vis.headlight
    shine = np.zeros(3) if not head.active else np.asarray(head.diffuse, np.float64)
    ambient = np.asarray(head.ambient, np.float64) * bool(head.active)
    ambient = ambient + sum((np.asarray(model.light_ambient[k], np.float64) for k in active), np.zeros(3))
    middle = np.asarray(model.stat.center, np.float64)
    reaching = np.array([_on_floor(model, k, position[k], direction[k], middle) for k in active])
    colors = np.array([np.asarray(model.light_diffuse[k], np.float64) for k in active]).reshape(-1, 3)
    display = min(float((ambient + _FACING * shine + reaching @ colors).mean()), _BRIGHTEST)
    linear = float((ambient**_GAMMA + _FACING * shine**_GAMMA + reaching @ colors**_GAMMA).mean())
    level = max(display, 0.1) ** _GAMMA
    gain = float(np.clip(level / max(linear, 1e-6), 0.5, 8.0))
    images = sum(bool(model.light_active[k]) and kind_of(model, k) > _POINT for k in range(model.nlight))
    lamps, notes = [], [f"{images} lamp(s) of type image left out"] if images else []
    for k, color in zip(active, colors, strict=True):
        lamp, note = _lamp(model, k, np.pi * gain * color**_GAMMA, (position[k], direction[k]), bodies)
        lamps.append(lamp)
        notes += note
    box = skybox_of(model)
    sides = [] if box < 0 else [side[..., :3] for side in texture_images(model, box)]
    skybox = Skybox(np.stack(sides * (6 // len(sides))), _BOX_FROM_WORLD) if sides else None
    lights = Lights(
        lamps=tuple(lamps),
        ambient=_triple(gain * ambient**_GAMMA),
        mirrored=(_triple(np.full(3, _MIRRORED * level)), _triple(np.full(3, 0.5 * _MIRRORED * level))),
        headlight=_triple(np.pi * gain * shine**_GAMMA),
        skybox=skybox,
        haze=haze if skybox is not None else None,
    )
    return lights, notes


def haze_of(model: MjModel, geoms: Iterable[int], poses: Float[np.ndarray, "bodies 4 4"]) -> Haze | None:
    """The haze above the first endless plane, as MuJoCo draws it where there is a skybox; ``None`` where there is none.

    Args:
        model: a compiled model.
        geoms: that are shown.
        poses: of bodies in the first frame.
    """
    plane = next((k for k in geoms if int(model.geom_type[k]) == 0 and not np.any(model.geom_size[k, :2])), None)
    if plane is None:
        return None
    place = rigid(rotation_from_quaternion(model.geom_quat[plane]), model.geom_pos[plane])
    pose = poses[int(model.geom_bodyid[plane])] @ place
    return Haze(
        color=_triple(linear_from_srgb(np.clip(np.asarray(model.vis.rgba.haze[:3], np.float64), 0, 1))),
        reach=_SKY * float(model.vis.map.zfar) * float(model.stat.extent),
        depth=float(model.vis.map.haze),
        point=_triple(pose[:3, 3]),
        normal=_triple(pose[:3, 2]),
    )


def _lamp(
    model: MjModel, k: int, color: np.ndarray, of_world: tuple[np.ndarray, np.ndarray], bodies: Sequence[int]
) -> tuple[Lamp, list[str]]:
    """A lamp; one on a body that moves goes with the body's instance, if it has one."""
    kind, body = kind_of(model, k), int(model.light_bodyid[k])
    (position, direction), instance, notes = of_world, None, list[str]()
    if int(model.body_weldid[body]) != 0 or int(model.light_mode[k]) != 0:
        if int(model.light_mode[k]) == 0 and body in bodies:
            instance = list(bodies).index(body)
            position, direction = np.asarray(model.light_pos[k]), np.asarray(model.light_dir[k])
        else:
            notes.append(f"light {model.light(k).name or k} moves in MuJoCo; here it stands as in the first frame")
    cutoff = np.cos(np.deg2rad(min(float(model.light_cutoff[k]), 180.0)))
    lamp = Lamp(
        kind="spot" if kind == _SPOT else "directional" if kind == _DIRECTIONAL else "point",
        color=_triple(color),
        position=_triple(position),
        direction=_triple(direction),
        attenuation=_triple(np.asarray(model.light_attenuation[k])),
        cone=(min(float(cutoff) + _SOFT_EDGE, 1.0), float(cutoff)),
        exponent=float(model.light_exponent[k]),
        shadows=bool(model.light_castshadow[k]),
        instance=instance,
    )
    return lamp, notes


def _on_floor(model: MjModel, k: int, position: np.ndarray, direction: np.ndarray, middle: np.ndarray) -> float:
    """What share of its value a lamp gives a floor at the model's middle."""
    kind = kind_of(model, k)
    away = np.asarray(position, np.float64) - middle
    distance = float(np.linalg.norm(away))
    towards = -np.asarray(direction, np.float64) if kind == _DIRECTIONAL or distance < 1e-9 else away / distance
    share = max(float(towards[2]), 0.0)
    if kind != _DIRECTIONAL:
        a, b, c = (float(x) for x in model.light_attenuation[k])
        share /= max(a + distance * (b + distance * c), 1e-6)
    if kind == _SPOT:
        cosine = -float(towards @ direction)
        inside = cosine > np.cos(np.deg2rad(float(model.light_cutoff[k])))
        share *= max(cosine, 0.0) ** float(model.light_exponent[k]) if inside else 0.0
    return share


def kind_of(model: MjModel, light: int) -> int:
    """``mjtLightType`` of a lamp as a plain integer."""
    if hasattr(model, "light_type"):
        return int(model.light_type[light])
    return _DIRECTIONAL if model.light_directional[light] else _SPOT  # MuJoCo before 3.3


def _triple(values: np.ndarray) -> Triple:
    x, y, z = (float(v) for v in values)
    return x, y, z
