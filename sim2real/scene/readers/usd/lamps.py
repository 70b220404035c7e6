"""Lamps of ``UsdLux``: distant, sphere, rectangle, disk and cylinder, as lamps without size at their centers.

``UsdLux`` gives radiance (nits); times the area that is seen, it is intensity, and over the squared distance irradiance. A
normalized light's radiance is divided by its area (of a distant one by its solid angle), in units of the stage.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from ....errors import UnreadableFileError
from ....optional import require
from ....transforms import rigid
from ...light.lamps import Lamp, Triple
from .placing import linear_parts, moves
from .types import Prim
from .values import number_of, rows_of
from .walking import Found

AREAS = ("SphereLight", "RectLight", "DiskLight", "CylinderLight")
_SOFT = 1e-3
"""Of the cosine, over which the light of a flat lamp ends at its plane, and that of a hard cone at its edge."""
_MOST_STOPS = 100.0


def lamp_of(found: Found, world: Float[np.ndarray, "frames 4 4"], time: Any, unit_m: float) -> Lamp | None:
    """A light as a lamp of the stage's own level; ``None`` where its transform leaves nothing of it.

    Args:
        found: the light, and in which frames it is on.
        world: where it is, in our world.
        time: at which its strength is looked up.
        unit_m: metres of the stage's unit.

    Raises:
        UnreadableFileError: an attribute holds something else than it should.
    """
    prim, kind = found.prim, str(found.prim.GetTypeName())
    lengths = np.linalg.norm(world[0, :3, :3], axis=0)
    if not (lengths > 1e-12).all():
        return None
    if kind == "DistantLight":
        strength, shape = _distant(prim, time), {}
        attenuation = (1.0, 0.0, 0.0)
    else:
        strength, shape = _from_area(prim, kind, time, lengths, unit_m)
        attenuation = (0.0, 0.0, 1.0)
    light = require("pxr.UsdLux", "usd").LightAPI(prim)
    strength *= _number(light.GetDiffuseAttr(), time, 1.0)
    way = rigid(linear_parts(world[:, :3, :3])[0], world[:, :3, 3])
    going = moves(prim) or not found.visible.all()
    way[~found.visible] = np.nan
    return Lamp(
        kind="directional" if kind == "DistantLight" else "spot" if shape else "point",
        color=_triple(strength * hue_of(prim, time)),
        position=(0.0, 0.0, 0.0) if going else _triple(way[0, :3, 3]),
        direction=(0.0, 0.0, -1.0) if going else _triple(-way[0, :3, 2]),
        attenuation=attenuation,
        shadows=_casts(prim, time),
        way=way if going else None,
        **shape,
    )


def strength_of(prim: Prim, time: Any) -> float:
    """Intensity times two to the power of exposure."""
    light = require("pxr.UsdLux", "usd").LightAPI(prim)
    strength = number_of(light.GetIntensityAttr(), time) * 2 ** min(number_of(light.GetExposureAttr(), time), _MOST_STOPS)
    return max(strength, 0.0) if np.isfinite(strength) else 0.0


def hue_of(prim: Prim, time: Any) -> Float64[np.ndarray, "3"]:
    """A light's color, with its temperature if it says one; white where it says nothing that can be used."""
    light = require("pxr.UsdLux", "usd").LightAPI(prim)
    color = rows_of(light.GetColorAttr(), time).reshape(-1)[:3]
    color = np.clip(color, 0, None) if len(color) == 3 and np.isfinite(color).all() else np.ones(3)
    if light.GetEnableColorTemperatureAttr().Get(time):
        kelvin = float(np.clip(_number(light.GetColorTemperatureAttr(), time, 6500.0), 1000.0, 10000.0))
        color = color * np.array(require("pxr.UsdLux", "usd").BlackbodyTemperatureAsRgb(kelvin), np.float64)
    return color.astype(np.float64)


def _distant(prim: Prim, time: Any) -> float:
    """Irradiance of a distant light: radiance times the disc's projected solid angle."""
    lux = require("pxr.UsdLux", "usd")
    half = np.radians(min(max(_number(lux.DistantLight(prim).GetAngleAttr(), time, 0.53), 0.0), 180.0)) / 2
    normalized = bool(lux.LightAPI(prim).GetNormalizeAttr().Get(time))
    return strength_of(prim, time) * (1.0 if normalized or half <= 0 else float(np.pi * np.sin(half) ** 2))


def _from_area(
    prim: Prim, kind: str, time: Any, lengths: Float[np.ndarray, "3"], unit_m: float
) -> tuple[float, dict[str, Any]]:
    """Intensity along the axis, and how it falls off it: the record's ``cone`` and ``exponent``, nothing if it does not."""
    lux = require("pxr.UsdLux", "usd")
    x, y, z = lengths
    if kind == "RectLight":
        one = lux.RectLight(prim)
        area = facing = _number(one.GetWidthAttr(), time, 1.0) * x * _number(one.GetHeightAttr(), time, 1.0) * y
    elif kind == "DiskLight":
        area = facing = np.pi * _number(lux.DiskLight(prim).GetRadiusAttr(), time, 0.5) ** 2 * x * y
    elif kind == "CylinderLight":
        one = lux.CylinderLight(prim)
        area = (
            2 * np.pi * _number(one.GetRadiusAttr(), time, 0.5) * np.sqrt(y * z) * _number(one.GetLengthAttr(), time, 1.0) * x
        )
        facing = area / 4  # the mean over all directions
    else:
        area = 4 * np.pi * (_number(lux.SphereLight(prim).GetRadiusAttr(), time, 0.5) * float(np.cbrt(x * y * z))) ** 2
        facing = area / 4
    point = kind == "SphereLight" and bool(lux.SphereLight(prim).GetTreatAsPointAttr().Get(time))
    flat = kind in ("RectLight", "DiskLight")
    if bool(lux.LightAPI(prim).GetNormalizeAttr().Get(time)) or point or area <= 0:
        area = facing = unit_m**2 * (1.0 if flat else 0.25)
    shape: dict[str, Any] = {"cone": (_SOFT, 0.0), "exponent": 1.0} if flat else {}
    return strength_of(prim, time) * float(facing), _shaped(prim, time, shape)


def _shaped(prim: Prim, time: Any, shape: dict[str, Any]) -> dict[str, Any]:
    """The falloff of a light with that of its ``ShapingAPI``."""
    lux = require("pxr.UsdLux", "usd")
    if not prim.HasAPI(lux.ShapingAPI):
        return shape
    given = lux.ShapingAPI(prim)
    angle = _number(given.GetShapingConeAngleAttr(), time, 90.0)
    softness = float(np.clip(_number(given.GetShapingConeSoftnessAttr(), time, 0.0), 0.0, 1.0))
    focus = max(_number(given.GetShapingFocusAttr(), time, 0.0), 0.0)
    exponent = shape.get("exponent", 0.0) + focus
    if angle >= 90.0 and not shape and exponent == 0:
        return shape
    dark = np.cos(np.radians(min(max(angle, 0.1), 90.0 if shape or exponent else 180.0)))
    whole = np.cos(np.radians(min(max(angle, 0.1), 180.0)) * (1 - softness))
    return {"cone": (float(max(whole, dark + _SOFT)), float(dark)), "exponent": float(exponent)}


def _casts(prim: Prim, time: Any) -> bool:
    lux = require("pxr.UsdLux", "usd")
    enabled = lux.ShadowAPI(prim).GetShadowEnableAttr().Get(time) if prim.HasAPI(lux.ShadowAPI) else None
    return enabled is None or bool(enabled)


def _number(attribute: Any, time: Any, usual: float) -> float:
    """A finite number of an attribute, or what is usual where it has none.

    Raises:
        UnreadableFileError: it holds something else.
    """
    if not attribute or attribute.Get(time) is None:
        return usual
    found = number_of(attribute, time)
    if not np.isfinite(found):
        where, why = attribute.GetStage().GetRootLayer().realPath, f"{attribute.GetPath()} is {found}"
        raise UnreadableFileError(where, what="the USD stage", why=why, fix="export it again")
    return found


def _triple(values: np.ndarray) -> Triple:
    x, y, z = (float(v) for v in values)
    return x, y, z
