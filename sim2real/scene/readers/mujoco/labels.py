"""Which instance everything that is drawn of a model belongs to, and of which class it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool

from ....errors import BadValueError, EmptySceneError
from ....transforms import rotation_from_quaternion
from ...records import Instance
from .geoms import PLANE, is_infinite, visual_geoms
from .materials import geom_rgba
from .types import MjModel

_WORLD = 0
_SIDE = "left|right|front|back|rear|north|south|east|west|top|bottom|pos|neg|[xyz]"
_ROLE = "plane|geom|visual|vis|collision|col|mesh"
_SURFACE = re.compile(rf"(.*[\W_])?(?P<kind>floor|ground|wall)s?([\W_]|\d|{_SIDE}|{_ROLE})*", re.IGNORECASE | re.DOTALL)
"""Names that say nothing but that it is a floor or a wall, and which one."""


@dataclass(frozen=True)
class Labeling:
    """Which instance every geom belongs to.

    - ``instances`` as in ``Scene.instances``; ``bodies`` are their body numbers in the model (0 is the world).
    - ``geom_instance`` maps the numbers of visible geoms to instance ids (1, 2, ...).
    """

    instances: tuple[Instance, ...]
    bodies: tuple[int, ...]
    geom_instance: dict[int, int]


def label_geoms(
    model: MjModel, shown: Bool[np.ndarray, "geoms"], source: object = "", *, may_be_empty: bool = False
) -> Labeling:
    """Instances in the order of bodies: one per body with visible geoms, and one per visible geom of the world itself.

    The class is the name of the tree that a body belongs to (the child of the world that it hangs on); a body that only
    groups others (no geoms, joints, sites or cameras of its own, several children) is looked through, once. Floors and walls
    of the world are of the classes ``floor`` and ``wall``, where their name or shape leaves no doubt.

    Args:
        model: a compiled model.
        shown: the geoms that are to be seen.
        source: the model's file, for errors.
        may_be_empty: there is something to be seen besides geoms.

    Raises:
        EmptySceneError: the model has no geoms.
        BadValueError: no geom of the model is among those to be shown.
    """
    seen = shown & (np.array([geom_rgba(model, g)[3] for g in range(model.ngeom)]) > 0)
    geoms = [int(g) for g in np.flatnonzero(seen)]
    if not geoms and not may_be_empty:
        if model.ngeom == 0:
            raise EmptySceneError(source, lacks="geoms", fix="give the bodies of the model geoms")
        present = ", ".join(str(int(g)) for g in np.unique(model.geom_group))
        chosen = ", ".join(str(int(g)) for g in np.unique(model.geom_group[shown])) or "none that the model has"
        raise BadValueError("the choice of geom groups", chosen, right=f"groups with visible geoms, of {present}", where=source)
    instances, bodies, of_geom, of_body = [], [], {}, {}
    for geom in sorted(geoms, key=lambda g: (int(model.geom_bodyid[g]), g)):
        body = int(model.geom_bodyid[geom])
        if body == _WORLD or body not in of_body:
            instances.append(_of_world(model, geom) if body == _WORLD else _of_body(model, body))
            bodies.append(body)
            of_body[body] = len(instances)
        of_geom[geom] = of_body[body]
    return Labeling(tuple(distinct(instances)), tuple(bodies), of_geom)


def distinct(instances: Iterable[Instance]) -> list[Instance]:
    """The instances with names of their own."""
    taken: set[str] = set()
    out = []
    for k, instance in enumerate(instances):
        name = instance.name if instance.name not in taken else f"{instance.name}_{k + 1}"
        taken.add(name)
        out.append(replace(instance, name=name))
    return out


def body_name(model: MjModel, body: int) -> str:
    """A body's name, or one made from its number."""
    return model.body(body).name or f"body_{body}"


def class_of(model: MjModel, body: int) -> str:
    """The class of what a body carries: the name of its tree."""
    root = _root(model, body)
    if model.body(root).name:
        return model.body(root).name
    below = [b for b in range(root, model.nbody) if _is_below(model, b, root) and model.body(b).name]
    names = [model.body(b).name for b in below]
    return _common_start(names) or (names[0] if names else body_name(model, root))


def class_of_several(model: MjModel, bodies: Iterable[int], otherwise: str) -> str:
    """The class of what several bodies carry: that of their tree where all hang on the same, else another."""
    numbers = set(bodies)
    roots = {_root(model, body) for body in numbers if body != _WORLD}
    return class_of(model, min(numbers)) if len(roots) == 1 and _WORLD not in numbers else otherwise


def labeling_of(model: MjModel, groups: tuple[int, ...] | None, source: object = "") -> Labeling:
    """The instances of the geoms of some groups (``None``: those that look like pictures); raises as ``label_geoms``."""
    return label_geoms(model, shown_geoms(model, groups), source)


def shown_geoms(model: MjModel, groups: tuple[int, ...] | None) -> Bool[np.ndarray, "geoms"]:
    """The geoms of some groups; ``None``: those that look like pictures."""
    return visual_geoms(model) if groups is None else np.isin(model.geom_group, groups)


def _of_body(model: MjModel, body: int) -> Instance:
    return Instance(body_name(model, body), class_of(model, body), fixed=is_fixed(model, body))


def is_fixed(model: MjModel, body: int) -> bool:
    """Whether no joint and no mocap pose moves a body."""
    root = int(model.body_rootid[body])
    return int(model.body_weldid[body]) == 0 and (root == 0 or int(model.body_mocapid[root]) < 0)


def _of_world(model: MjModel, geom: int) -> Instance:
    name = model.geom(geom).name
    return Instance(name or f"geom_{geom}", _surface_class(model, geom) or name or f"geom_{geom}", fixed=True)


def _surface_class(model: MjModel, geom: int) -> str:
    """``floor`` or ``wall``: by name, else by where a plane that is endless or has no name faces; nothing where in doubt."""
    name = model.geom(geom).name
    if found := _SURFACE.fullmatch(name):
        return "wall" if found["kind"].lower() == "wall" else "floor"
    if int(model.geom_type[geom]) != PLANE or name and not is_infinite(model, geom):
        return ""
    rise = rotation_from_quaternion(np.asarray(model.geom_quat[geom], np.float64))[2, 2]
    return "floor" if rise > 0.99 else "wall" if abs(rise) < 0.01 else ""


def _root(model: MjModel, body: int) -> int:
    """The child of the world that a body hangs on, or the next one below it that does not only group others."""
    chain = [body]
    while int(model.body_parentid[chain[-1]]) != _WORLD:
        chain.append(int(model.body_parentid[chain[-1]]))
    return chain[-2] if len(chain) > 1 and _only_groups(model, chain[-1]) else chain[-1]


def _only_groups(model: MjModel, body: int) -> bool:
    own = int(model.body_geomnum[body]) + int(model.body_jntnum[body])
    own += int(np.sum(model.site_bodyid == body)) + int(np.sum(model.cam_bodyid == body))
    return own == 0 and int(np.sum(model.body_parentid == body)) > 1


def _is_below(model: MjModel, body: int, root: int) -> bool:
    while body > root:
        body = int(model.body_parentid[body])
    return body == root


def _common_start(names: list[str]) -> str:
    """What several names begin with (``panda0`` of ``panda0_link1``, ``panda0_hand``), if that is a word."""
    if len(names) < 2:
        return ""
    first, last = min(names), max(names)
    same = next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    word = first[:same].rsplit("_", 1)[0].strip("_:/- ") if "_" in first[:same] else ""
    return word if len(word) >= 3 else ""
