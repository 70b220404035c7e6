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
from .kinds import material_number
from .tubes import Tubes

_PULLEY, _SITE = 2, 3
"""``mjtWrap`` as plain integers; greater ones are geoms that a tendon may be wrapped around."""
_MOST_LINKS = 99
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
    name = model.tendon(number).name or f"tendon_{number}"
    material = material_number(model, "tendon", number)
    look = made_of(model, material, rgba_of(model, material, model.tendon_rgba[number]))
    instance = Instance(name, class_of_several(model, path.bodies(), name))
    return Deforming(instance, tubes.mesh(name, look), lambda data: tubes.vertices(*path.segments(data)))


class Path:
    """A tendon's path, always in the same number of segments.

    Between two sites there is one; a geom between them makes it three, the middle one along the geom and half as wide. While
    the tendon passes the geom by, the middle one has no length and lies where the line is next to the geom.
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
        found: list[tuple[np.ndarray, np.ndarray, float]] = []
        last: np.ndarray | None = None
        for kind, k in self._stops:
            if kind == _PULLEY:
                last, at = None, at + 1
            elif kind == _SITE:
                if last is not None:
                    found.append((last, place[at], self.width))
                last, at = place[at], at + 1
            elif last is not None and on[at] == k:
                found += [(last, place[at], self.width), (place[at], place[at + 1], 0.5 * self.width)]
                last, at = place[at + 1], at + 2
            elif last is not None:
                beside = _nearest(last, place[at], data.geom_xpos[k])
                found += [(last, beside, self.width), (beside, beside, self.width)]
                last = beside
        if not found:
            return np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0)
        start, end, radius = zip(*found, strict=True)
        return np.array(start), np.array(end), np.array(radius)


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
