"""USD's cameras."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ....camera.view import Camera
from ....errors import BadValueError
from ....optional import require
from ....transforms import OPENCV_FROM_OPENGL, rigid
from .placing import linear_parts, ways_of
from .types import Prim
from .values import number_of, rows_of

DEFAULT_SIZE = (480, 640)
_NEAR_M = 0.01
_APERTURE_UNIT = 0.1
"""Apertures and focal lengths are in tenths of the stage's unit."""
_VIEWPORTS = "OmniverseKit_"
"""What the cameras of Omniverse's own viewports are called, which are saved with stages."""


def cameras_of(
    prims: Sequence[Prim],
    times: Sequence[Any],
    z_up_m: Float[np.ndarray, "4 4"],
    size: tuple[int, int] | None,
    where: Path,
) -> tuple[tuple[Camera, ...], list[str]]:
    """The cameras of a stage, and what is to be said of them.

    A pixel is square: the horizontal aperture counts, and the height of the picture takes the place of the vertical one, as
    in usdrecord and Isaac Sim.

    Args:
        prims: cameras.
        times: time codes of all frames.
        z_up_m: our world (metres, z up) from the stage's.
        size: (height, width) in pixels; ``None``: 480x640.
        where: the file, for errors.

    Raises:
        BadValueError: a focal length or an aperture is not positive, a transform is not finite or flat.
    """
    found, notes = [], []
    taken: dict[str, int] = {}
    ways = ways_of(prims, times, z_up_m, where)
    for prim in prims:
        if prim.GetName().startswith(_VIEWPORTS):
            notes.append(f"the viewport's camera {prim.GetName()} is left out")
            continue
        taken[prim.GetName()] = taken.get(prim.GetName(), 0) + 1
        name = prim.GetName() if taken[prim.GetName()] == 1 else f"{prim.GetName()}_{taken[prim.GetName()]}"
        found.append(_camera(prim, name, times, ways[str(prim.GetPath())], size or DEFAULT_SIZE, where))
    return tuple(found), notes


def _camera(
    prim: Prim, name: str, times: Sequence[Any], world: Float[np.ndarray, "frames 4 4"], size: tuple[int, int], where: Path
) -> Camera:
    geom = require("pxr.UsdGeom", "usd").Camera(prim)
    turn, stretch = linear_parts(world[:, :3, :3])
    parallel = geom.GetProjectionAttr().Get(times[0]) == "orthographic"
    attributes = (
        *(geom.GetFocalLengthAttr(), geom.GetHorizontalApertureAttr()),
        *(geom.GetHorizontalApertureOffsetAttr(), geom.GetVerticalApertureOffsetAttr()),
    )
    lens = np.array([[number_of(attribute, time) for attribute in attributes] for time in times])
    scale = np.linalg.norm(stretch, axis=1)[:, 0]
    if not (np.isfinite(lens).all() and (lens[:, 1] > 0).all() and (parallel or (lens[:, 0] > 0).all()) and (scale > 0).all()):
        right = "finite and positive"
        raise BadValueError(f"the lens of {prim.GetPath()}", lens[0].tolist(), right=right, where=where)
    height, width = size
    per_unit = width / lens[:, 1]
    focal = per_unit / (_APERTURE_UNIT * scale) if parallel else lens[:, 0] * per_unit
    k = np.tile(np.eye(3), (len(times), 1, 1))
    k[:, 0, 0] = k[:, 1, 1] = focal
    k[:, 0, 2], k[:, 1, 2] = width / 2 - lens[:, 2] * per_unit, height / 2 + lens[:, 3] * per_unit
    near = _NEAR_M
    if geom.GetClippingRangeAttr().HasAuthoredValue():
        near = float(rows_of(geom.GetClippingRangeAttr(), times[0], 2)[0, 0]) * float(scale[0])
    return Camera(
        name=name,
        size=size,
        intrinsics=k,
        world_from_camera=rigid(turn, world[:, :3, 3]) @ OPENCV_FROM_OPENGL,
        near=near if np.isfinite(near) and near > 0 else _NEAR_M,
        projection="orthographic" if parallel else "perspective",
        source_name=str(prim.GetPath()),
    )
