"""Tendons with a path: cables over sites, wrapped around geoms."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from .....optional import require
from ....records import Instance
from ..labels import class_of_several
from ..materials import made_of, rgba_of
from ..types import MjData, MjModel
from .deforming import Deforming
from .kinds import material_number, name_of
from .tubes import Tubes

_PULLEY, _SITE, _CYLINDER = 2, 3, 5
"""``mjtWrap`` as plain integers; greater ones are geoms that a tendon may be wrapped around."""
_MOST_LINKS = 99
_TINY = 1e-9
_ARC_LINKS = 16
"""Of a tendon along a geom."""
_Segments = tuple[Float[np.ndarray, "tubes 3"], Float[np.ndarray, "tubes 3"], Float[np.ndarray, "tubes"]]
"""Starts, ends and radii."""


def deforming_tendon(model: MjModel, number: int, at_rest: MjData) -> Deforming | None:
    """A tendon as MuJoCo's viewer draws it: tubes of its width along its path, or hanging where it is slack.

    Args:
        model: a compiled model.
        number: of the tendon.
        at_rest: the model's reference pose with its kinematics.
    """
    path = Hanging(model, number) if may_hang(model, number) else Path(model, number)
    start, end, radius = path.segments(at_rest)
    if not len(start):
        return None
    tubes = Tubes(start, end, np.full(len(start), path.width))
    name = name_of(model, "tendon", number)
    material = material_number(model, "tendon", number)
    look = made_of(model, material, rgba_of(model, material, model.tendon_rgba[number]))
    instance = Instance(name, class_of_several(model, path.bodies(), name))
    return Deforming(instance, tubes.mesh(name, look), lambda data: tubes.vertices(*path.segments(data)))


class Path:
    """A tendon's path, always in the same number of segments.

    Between two sites there is one; a geom between them adds one, and a row of short ones along the geom. While the tendon
    passes the geom by, the short ones have no length and lie where the line is next to the geom.
    """

    def __init__(self, model: MjModel, number: int) -> None:
        """Take what a model says of its tendon of a number."""
        self._model, self._number = model, number
        first = int(model.tendon_adr[number])
        places = slice(first, first + int(model.tendon_num[number]))
        self._stops = [(int(kind), int(k)) for kind, k in zip(model.wrap_type[places], model.wrap_objid[places], strict=True)]
        self.width = float(model.tendon_width[number])

    def bodies(self) -> set[int]:
        """The bodies that it is attached to or wrapped around."""
        model = self._model
        of = {True: model.site_bodyid, False: model.geom_bodyid}
        return {int(of[kind == _SITE][k]) for kind, k in self._stops if kind >= _SITE}

    def segments(self, data: MjData) -> _Segments:
        """Where it runs in a state."""
        place, on = data.wrap_xpos.reshape(-1, 3), data.wrap_obj.reshape(-1)
        at = int(data.ten_wrapadr[self._number])
        found: list[np.ndarray] = []
        last: np.ndarray | None = None
        for kind, k in self._stops:
            if kind == _PULLEY:
                last, at = None, at + 1
                continue
            if kind == _SITE:
                points, at = place[at : at + 1], at + 1
            elif on[at] == k:
                points, at = self._along(data, kind, k, place[at - 1 : at + 2]), at + 2
            else:
                points = np.tile(_nearest(place[at - 1], place[at], data.geom_xpos[k]), (_ARC_LINKS + 1, 1))
            if last is not None:
                found.append(np.concatenate([last[None], points]))
            last = points[-1]
        pairs = [np.stack([points[:-1], points[1:]]) for points in found]
        start, end = np.concatenate(pairs, axis=1) if pairs else np.zeros((2, 0, 3))
        return start, end, np.full(len(start), self.width)

    def _along(self, data: MjData, kind: int, geom: int, points: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "links 3"]:
        """Along a geom: on a sphere the arc, on a cylinder the helix that goes on in the direction in which the tendon arrives.

        Args:
            data: the state.
            kind: of ``mjtWrap``.
            geom: its number.
            points: the last one before the geom, where the tendon meets it, and where it leaves it.
        """
        before, first, last = points
        center = data.geom_xpos[geom]
        if kind == _CYLINDER:
            axis = data.geom_xmat[geom].reshape(3, 3)[:, 2]
            axis = axis if np.cross(first - center, first - before) @ axis > 0 else -axis
        else:
            axis = np.cross(first - center, first - before)
        length = np.linalg.norm(axis)
        at = np.linspace(0, 1, _ARC_LINKS + 1)[:, None]
        if length < _TINY or np.linalg.norm(last - first) < _TINY:
            return first + at * (last - first)
        axis = axis / length
        rise = float((last - first) @ axis) if kind == _CYLINDER else 0.0
        flat = (first - center) - (first - center) @ axis * axis
        across = np.cross(axis, flat)
        angle = np.arctan2((last - center) @ across, (last - center) @ flat) % (2 * np.pi)
        return first + (np.cos(at * angle) - 1) * flat + np.sin(at * angle) * across + at * rise * axis


def _nearest(a: np.ndarray, b: np.ndarray, point: np.ndarray) -> np.ndarray:
    """The point between two that is nearest to a third."""
    along = b - a
    squared = float(along @ along)
    return a if squared == 0 else a + np.clip((point - a) @ along / squared, 0, 1) * along


def may_hang(model: MjModel, number: int) -> bool:
    """Whether MuJoCo may draw a tendon as a slack cable: between two sites, with a greatest length of some kind."""
    first = int(model.tendon_adr[number])
    between_sites = int(model.tendon_num[number]) == 2 and (np.asarray(model.wrap_type[first : first + 2]) == _SITE).all()
    low, high = model.tendon_lengthspring[number]
    return bool(between_sites and (model.tendon_limited[number] or high > low))


class Hanging:
    """A tendon between two sites as MuJoCo's viewer draws it, which hangs where it is slack; always so many links."""

    def __init__(self, model: MjModel, number: int) -> None:
        """Take what a model says of its tendon of a number."""
        self._mujoco: Any = require("mujoco", "mujoco")
        self._model, self._number, self._straight = model, number, Path(model, number)
        self.width = self._straight.width
        self.bodies = self._straight.bodies
        self._links = min(max(int(model.vis.quality.numslices), 2), _MOST_LINKS)
        self._scene = self._mujoco.MjvScene(model, 2000)
        self._options = self._mujoco.MjvOption()
        for group in (self._options.geomgroup, self._options.sitegroup, self._options.skingroup, self._options.flexgroup):
            group[:] = 0

    def segments(self, data: MjData) -> _Segments:
        """Where it hangs in a state."""
        mujoco, scene = self._mujoco, self._scene
        camera, every = mujoco.MjvCamera(), int(mujoco.mjtCatBit.mjCAT_DYNAMIC)
        mujoco.mjv_updateScene(self._model, data, self._options, mujoco.MjvPerturb(), camera, every, scene)
        kind = int(mujoco.mjtObj.mjOBJ_TENDON)
        links = [g for g in scene.geoms[: scene.ngeom] if int(g.objtype) == kind and int(g.objid) == self._number]
        halves = [(np.array(g.pos, np.float64), float(g.size[2]) * np.array(g.mat, np.float64)[:, 2]) for g in links]
        points = np.array([middle - half for middle, half in halves] + [middle + half for middle, half in halves[-1:]])
        if not len(points):
            points = np.stack([end[0] for end in self._straight.segments(data)[:2]])
        points = _links(points, self._links)
        return points[:-1], points[1:], np.full(self._links, self.width)


def _links(points: Float[np.ndarray, "points 3"], count: int) -> Float[np.ndarray, "more 3"]:
    """A polyline with so many links: as it is, or along its length."""
    if len(points) == count + 1:
        return points
    way = np.concatenate([[0.0], np.linalg.norm(np.diff(points, axis=0), axis=1).cumsum()])
    at = np.linspace(0, way[-1], count + 1)
    return np.stack([np.interp(at, way, points[:, k]) for k in range(3)], axis=1)
