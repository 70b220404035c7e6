"""USD's lights: the first distant light is the sun, a dome the sky.

Intensities of renderers belong to exposures of their own. Directions and hues are kept, brightness is left to our defaults, so
that pictures are well exposed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ....optional import require
from ...light.environment import Environment
from ...records import Lighting
from .placing import ways_of
from .types import Prim
from .values import number_of, rows_of
from .walking import Found

_DOMES = ("DomeLight", "DomeLight_1")


def lights_of(
    found: Sequence[Found], times: Sequence[Any], z_up_m: Float[np.ndarray, "4 4"], where: Path, files: list[Path]
) -> tuple[Lighting, Environment | None, list[str]]:
    """Sun, sky and panorama of a stage, and what is to be said of its lights.

    Args:
        found: lights that are visible.
        times: time codes of all frames; lights are as in the first.
        z_up_m: our world from the stage's.
        where: the file.
        files: gets the panorama's file.

    Raises:
        UnreadableFileError: a panorama is damaged.
        BadValueError: it is not twice as wide as high.
    """
    lighting, environment, notes = Lighting(), None, []
    suns = [f.prim for f in found if f.prim.GetTypeName() == "DistantLight"]
    domes = [f.prim for f in found if f.prim.GetTypeName() in _DOMES]
    if suns:
        sun = max(suns, key=lambda prim: _strength(prim, times[0]))
        linear = ways_of([sun], times[:1], z_up_m, where)[str(sun.GetPath())][0, :3, :3]
        towards = linear[:, 2] / max(float(np.linalg.norm(linear[:, 2])), 1e-30)
        if np.linalg.norm(towards) > 0.5:
            lighting = replace(lighting, sun_direction=_three(towards), sun=_hue(sun, times[0], lighting.sun))
        if len(suns) > 1:
            notes.append(f"of {len(suns)} distant lights the strongest is the sun: {sun.GetPath()}")
    if domes:
        lighting = replace(
            lighting,
            sky=_hue(domes[0], times[0], _three(np.full(3, np.mean(lighting.sky)))),
            ground=_hue(domes[0], times[0], _three(np.full(3, np.mean(lighting.ground)))),
        )
        environment = _panorama(domes[0], times[0], notes, files)
        if environment is not None:
            from ...light.plain import lighting_of

            lighting = lighting_of(environment, balanced=True)
    others = Counter(str(f.prim.GetTypeName()) for f in found if f.prim not in [*suns, *domes])
    if others:
        said = ", ".join(f"{count} {kind}" for kind, count in sorted(others.items()))
        notes.append(f"lights that are not read: {said}")
    return lighting, environment, notes


def _panorama(dome: Prim, time: Any, notes: list[str], files: list[Path]) -> Environment | None:
    from ...light.panoramas import environment_of

    asset = require("pxr.UsdLux", "usd").DomeLight(dome).GetTextureFileAttr().Get(time)
    if asset is None or not asset.path:
        return None
    file = Path(str(asset.resolvedPath))
    if not asset.resolvedPath or not file.is_file() or file.suffix.lower() != ".exr":
        why = "is missing" if not asset.resolvedPath else "is no .exr file beside the stage"
        notes.append(f"the panorama of {dome.GetPath()} {why}, and is not used: {asset.path}")
        return None
    files.append(file)
    notes.append(f"the panorama of {dome.GetPath()} lights the scene; about the vertical it stands as --light would turn it")
    return environment_of(str(file))


def _strength(prim: Prim, time: Any) -> float:
    light = require("pxr.UsdLux", "usd").LightAPI(prim)
    strength = number_of(light.GetIntensityAttr(), time) * 2 ** min(number_of(light.GetExposureAttr(), time), 100.0)
    return strength if np.isfinite(strength) else 0.0


def _hue(prim: Prim, time: Any, usual: tuple[float, float, float]) -> tuple[float, float, float]:
    """A light's color at the usual brightness; black says nothing about hue."""
    color = rows_of(require("pxr.UsdLux", "usd").LightAPI(prim).GetColorAttr(), time).reshape(-1)[:3]
    if len(color) < 3 or not np.isfinite(color).all() or color.mean() < 0.01:
        return usual
    return _three(np.clip(color, 0, None) / color.mean() * np.mean(usual))


def _three(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in values)
    return x, y, z
