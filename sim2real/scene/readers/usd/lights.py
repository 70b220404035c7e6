"""USD's lights: one distant light that rests is the plain sun, a dome the sky; with more, all of them are lamps.

A sun and a dome alone keep direction and hue, at the usual brightness. Lamps are as strong as ``UsdLux`` says (nits, or, if
normalized, power), and all are exposed together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ....optional import require
from ...light.environment import Environment
from ...light.lamps import Lamp
from ...records import Lighting
from .lamps import AREAS, hue_of, lamp_of, strength_of
from .placing import moves, ways_of
from .types import Prim
from .walking import Found

_DOMES = ("DomeLight", "DomeLight_1")
_KINDS = ("DistantLight", "SphereLight", "RectLight", "DiskLight", "CylinderLight")


@dataclass(frozen=True, eq=False)
class Light:
    """The light of a stage: ``lighting`` and ``environment``, or ``lamps`` and a ``dome`` of the stage's own level."""

    lighting: Lighting
    environment: Environment | None = None
    lamps: tuple[Lamp, ...] = ()
    dome: Environment | None = None


def light_of(
    found: Sequence[Found], times: Sequence[Any], z_up_m: Float[np.ndarray, "4 4"], where: Path, files: list[Path]
) -> tuple[Light, list[str]]:
    """Sun, sky, panorama and lamps of a stage, and what is to be said of its lights.

    Args:
        found: lights that are visible.
        times: time codes of all frames; strengths are as in the first.
        z_up_m: our world from the stage's.
        where: the file.
        files: gets the panorama's file.

    Raises:
        UnreadableFileError: a panorama is damaged.
        BadValueError: it is not twice as wide as high.
    """
    notes: list[str] = []
    known = [f for f in found if f.prim.GetTypeName() in _KINDS]
    domes = [f.prim for f in found if f.prim.GetTypeName() in _DOMES]
    _say_others(found, domes, notes)
    one_sun = [f.prim.GetTypeName() for f in known] == ["DistantLight"] and known[0].visible.all() and not moves(known[0].prim)
    if not known or one_sun:
        return _plain([f.prim for f in known], domes, times, z_up_m, where, (files, notes)), notes
    ways = ways_of([f.prim for f in known], times, z_up_m, where)
    lamps = [lamp_of(f, ways[str(f.prim.GetPath())], times[0], float(np.cbrt(np.linalg.det(z_up_m[:3, :3])))) for f in known]
    shining = tuple(lamp for lamp in lamps if lamp is not None and max(lamp.color) > 0)
    if not shining:
        notes.append(f"none of its {len(known)} lights shines: it has our sun and sky")
        return _plain([], domes, times, z_up_m, where, (files, notes)), notes
    counted = Counter(str(f.prim.GetTypeName()) for f in known)
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(counted.items()))
    notes.append(f"lit by its own lamps ({said}); their strengths are as it says, in the first frame, exposed together")
    areas = [kind for kind in counted if kind in AREAS]
    if areas:
        notes.append(f"lamps with a size shine from their centers, with hard shadows: {', '.join(sorted(areas))}")
    return Light(Lighting(), None, shining, _dome(domes, times[0], notes, files)), notes


def _say_others(found: Sequence[Found], domes: Sequence[Prim], notes: list[str]) -> None:
    others = Counter(str(f.prim.GetTypeName()) for f in found if f.prim.GetTypeName() not in (*_KINDS, *_DOMES))
    if others:
        said = ", ".join(f"{count} {kind}" for kind, count in sorted(others.items()))
        notes.append(f"lights that are not read: {said}")
    if len(domes) > 1:
        notes.append(f"of {len(domes)} domes the first shines: {domes[0].GetPath()}")


def _plain(
    suns: Sequence[Prim],
    domes: Sequence[Prim],
    times: Sequence[Any],
    z_up_m: np.ndarray,
    where: Path,
    told: tuple[list[Path], list[str]],
) -> Light:
    """The plain light of a stage with a sun or a dome at most; ``told`` gets the panorama's file, and sentences."""
    files, notes = told
    lighting, environment = Lighting(), None
    for sun in suns:
        linear = ways_of([sun], times[:1], z_up_m, where)[str(sun.GetPath())][0, :3, :3]
        towards = linear[:, 2] / max(float(np.linalg.norm(linear[:, 2])), 1e-30)
        if np.linalg.norm(towards) > 0.5:
            lighting = replace(lighting, sun_direction=_three(towards), sun=_hue(sun, times[0], lighting.sun))
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
    return Light(lighting, environment)


def _dome(domes: Sequence[Prim], time: Any, notes: list[str], files: list[Path]) -> Environment | None:
    """What shines from all around, as strong as the stage says; ``None``: nothing."""
    if not domes:
        return None
    radiance = strength_of(domes[0], time) * hue_of(domes[0], time)
    found = _panorama(domes[0], time, notes, files)
    around = np.ones((8, 16, 3)) if found is None or found.panorama is None else found.panorama
    return Environment("dome", np.ascontiguousarray(radiance * around, np.float32))


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


def _hue(prim: Prim, time: Any, usual: tuple[float, float, float]) -> tuple[float, float, float]:
    """A light's color at the usual brightness; black says nothing about hue."""
    color = hue_of(prim, time)
    if color.mean() < 0.01:
        return usual
    return _three(color / color.mean() * np.mean(usual))


def _three(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in values)
    return x, y, z
