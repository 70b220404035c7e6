"""What a URDF file says: links with what is seen of them, joints that hold them together, cameras."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ....text_files import read_text
from .elements import Element, Malformed, broken, endless, name_of, number, origin_of, parsed, vector
from .sensors import Sensor, sensors_of

SIZES = {"fixed": 0, "revolute": 1, "continuous": 1, "prismatic": 1, "planar": 3, "floating": 7}
"""How many numbers place what hangs on a joint, by its kind."""


@dataclass(frozen=True)
class Look:
    """A ``<material>``: ``rgba`` as on a screen, the name of a picture, or both."""

    rgba: tuple[float, ...] | None = None
    texture: str | None = None


@dataclass(frozen=True)
class Shape:
    """A ``<geometry>``.

    - ``kind``: box, cylinder, sphere, capsule, mesh, or ellipsoid, which no robot's file has.
    - ``size``: lengths of a box, radius and length of a cylinder or capsule, radius of a sphere, three of an ellipsoid, a
      mesh's scale.
    - ``file``: as the robot's file names the mesh's.
    """

    kind: str
    size: tuple[float, ...]
    file: str = ""


@dataclass(frozen=True, eq=False)
class Visual:
    """A shape on a link; ``look`` is ``None`` where the file leaves it open."""

    shape: Shape
    link_from_shape: Float[np.ndarray, "4 4"]
    look: Look | None


@dataclass(frozen=True)
class Mimic:
    """A joint's position is ``multiplier`` times that of another, plus ``offset``."""

    joint: str
    multiplier: float
    offset: float


@dataclass(frozen=True, eq=False)
class Joint:
    """A joint.

    - ``kind``: one of ``SIZES``; ``axis`` is a unit vector in the joint's frame, which is the child's at position 0.
    - ``limits``: lowest and highest position, metres or radians.
    """

    name: str
    kind: str
    parent: str
    child: str
    parent_from_joint: Float[np.ndarray, "4 4"]
    axis: Float[np.ndarray, "3"]
    limits: tuple[float, float] | None = None
    mimic: Mimic | None = None


@dataclass(frozen=True, eq=False)
class Robot:
    """A robot.

    - ``joints`` are in the order in which links are placed: a link's own joint is before those that hang on it.
    - ``visuals`` by link, with the links in the order of the file.
    """

    name: str
    root: str
    links: tuple[str, ...]
    joints: tuple[Joint, ...]
    visuals: dict[str, tuple[Visual, ...]]
    sensors: tuple[Sensor, ...] = ()
    notes: tuple[str, ...] = field(default=())


def read_robot(path: Path) -> Robot:
    """Read a URDF file.

    Raises:
        UnreadableFileError: it is no XML or no robot, its links and joints form no tree, or a value is wrong.
    """
    return robot_of(read_text(path), path)


def robot_of(text: str, path: Path, unexpanded: str | None = None) -> Robot:
    """Read a robot's URDF.

    Args:
        text: the XML.
        path: where it is from, for errors; its stem is the name of a robot that has none.
        unexpanded: what is to be done about xacro macros, where that is not to expand them in the file.

    Raises:
        UnreadableFileError: as of ``read_robot``.
    """
    tree = parsed(text, path, unexpanded)
    if tree.tag != "robot":
        fix = "name it .xml" if tree.tag in ("mujoco", "mujocoinclude") else "give a URDF file"
        raise broken(path, f"it is a <{tree.tag[:40]}>, must be a <robot>", fix)
    try:
        return _robot(tree, path.stem)
    except Malformed as error:
        raise broken(path, str(error)) from error


def _robot(tree: Element, otherwise: str) -> Robot:
    links = {name_of(link): link for link in tree.findall("link")}
    _check_distinct("link", [name_of(link) for link in tree.findall("link")])
    if not links:
        raise Malformed("it has no links")
    joints = [_joint(joint) for joint in tree.findall("joint")]
    _check_distinct("joint", [joint.name for joint in joints])
    notes: list[str] = []
    joints = _with_mimics_that_lead_somewhere(joints, notes)
    root, ordered = _ordered(tuple(links), joints)
    _check_mimics({joint.name: joint for joint in joints})
    visuals = _visuals(tree, links, notes)
    name = tree.get("name") or otherwise
    return Robot(name, root, tuple(links), tuple(ordered), visuals, sensors_of(tree, set(links)), tuple(dict.fromkeys(notes)))


def _check_distinct(what: str, names: list[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise Malformed(f"the {what} {twice[0]} is there twice")


def _joint(element: Element) -> Joint:
    name, kind = name_of(element), element.get("type", "")
    try:
        if kind not in SIZES:
            raise Malformed(f"its type is {kind[:40]!r}, must be one of {', '.join(SIZES)}")
        axis = vector(element.find("axis"), "xyz", 3, (1.0, 0.0, 0.0))
        length = float(np.linalg.norm(axis))
        if length < 1e-9:
            if kind not in ("fixed", "floating"):
                raise Malformed("its axis has no length")
            axis, length = np.array([1.0, 0, 0]), 1.0
        limit, mimic = element.find("limit"), element.find("mimic")
        return Joint(
            name,
            kind,
            name_of(element.find("parent"), "link"),
            name_of(element.find("child"), "link"),
            origin_of(element),
            axis / length,
            None if limit is None else (endless(limit, "lower"), endless(limit, "upper")),
            None
            if mimic is None
            else Mimic(name_of(mimic, "joint"), number(mimic, "multiplier", 1.0), number(mimic, "offset", 0.0)),
        )
    except Malformed as error:
        raise Malformed(f"joint {name}: {error}") from error


def _ordered(links: tuple[str, ...], joints: list[Joint]) -> tuple[str, list[Joint]]:
    """The root, and the joints as they are met on the way from it."""
    held: dict[str, str] = {}
    hanging: dict[str, list[Joint]] = {name: [] for name in links}
    for joint in joints:
        for what, link in (("parent", joint.parent), ("child", joint.child)):
            if link not in hanging:
                raise Malformed(f"joint {joint.name}: its {what} {link} is no link")
        if joint.child in held:
            raise Malformed(f"the link {joint.child} hangs on two joints, {held[joint.child]} and {joint.name}")
        held[joint.child] = joint.name
        hanging[joint.parent].append(joint)
    roots = [link for link in links if link not in held]
    if len(roots) != 1:
        why = "no link is the root: they hang on each other in a circle" if not roots else "several links hang on no joint: "
        raise Malformed(why + ", ".join(roots[:8]))
    ordered, reached = list[Joint](), [roots[0]]
    while reached:
        below = hanging[reached.pop()]
        ordered += below
        reached += [joint.child for joint in reversed(below)]
    if len(ordered) < len(joints):
        placed = {joint.name for joint in ordered}
        lost = next(joint for joint in joints if joint.name not in placed)
        raise Malformed(f"the links around joint {lost.name} hang on each other in a circle")
    return roots[0], ordered


def _with_mimics_that_lead_somewhere(joints: list[Joint], notes: list[str]) -> list[Joint]:
    """The joints without what published robots say in vain: that one which is fixed, or one that is not there, is followed."""
    names = {joint.name for joint in joints}
    fixed = [joint.name for joint in joints if joint.mimic is not None and joint.kind == "fixed"]
    if fixed:
        notes.append(f"joints that are fixed do not mimic others: {', '.join(fixed)}")
    found = [replace(joint, mimic=None) if joint.name in fixed else joint for joint in joints]
    for k, joint in enumerate(found):
        if joint.mimic is not None and joint.mimic.joint not in names:
            notes.append(f"joint {joint.name} mimics {joint.mimic.joint}, which is no joint: it moves only if it is recorded")
            found[k] = replace(joint, mimic=None)
    return found


def _check_mimics(joints: dict[str, Joint]) -> None:
    """Refuse joints that follow what has not one position, or each other in a circle."""
    ends: set[str] = set()
    for joint in joints.values():
        way: dict[str, None] = {}
        while joint.mimic is not None and joint.name not in ends:
            if SIZES[joint.kind] != 1:
                raise Malformed(f"joint {joint.name}: a {joint.kind} joint cannot mimic another")
            if joint.name in way:
                raise Malformed(f"joints mimic each other in a circle: {', '.join([*way, joint.name][:9])}")
            followed = joints[joint.mimic.joint]
            if SIZES[followed.kind] > 1:
                raise Malformed(f"joint {joint.name} mimics {joint.mimic.joint}, which is no joint with one position")
            way[joint.name] = None
            joint = followed
        ends.update(way)


def _visuals(tree: Element, links: dict[str, Element], notes: list[str]) -> dict[str, tuple[Visual, ...]]:
    """What is seen of every link; what collides, where nothing is to be seen of the whole robot."""
    looks = {name: look for material in tree.findall("material") if (name := material.get("name")) if (look := _look(material))}
    for material in (one for link in links.values() for one in link.findall("visual/material")):
        name, look = material.get("name"), _look(material)
        if name and look:
            looks.setdefault(name, look)
    tag = "visual" if any(link.find("visual") is not None for link in links.values()) else "collision"
    found: dict[str, tuple[Visual, ...]] = {}
    for name, link in links.items():
        try:
            shapes = [_visual(element, looks, name, notes) for element in link.findall(tag)]
        except Malformed as error:
            raise Malformed(f"link {name}: {error}") from error
        found[name] = tuple(visual for visual in shapes if visual is not None)
    if tag == "collision" and any(found.values()):
        notes.append("no link has a visual: what collides is shown")
    return found


def _visual(element: Element, looks: dict[str, Look], link: str, notes: list[str]) -> Visual | None:
    geometry = element.find("geometry")
    inner = None if geometry is None else next(iter(geometry), None)
    if inner is None:
        raise Malformed(f"a <{element.tag}> has no shape in its <geometry>")
    shape = _shape(inner)
    if shape is None:
        notes.append(f"link {link}: a shape of the kind {inner.tag} was left out")
        return None
    material = element.find("material")
    look = None if material is None else _look(material) or looks.get(material.get("name") or "")
    if material is not None and look is None and material.get("name"):
        notes.append(f"the material {material.get('name')} is defined nowhere")
    return Visual(shape, origin_of(element), look)


def _shape(element: Element) -> Shape | None:
    kind = element.tag
    if kind == "mesh":
        return Shape(kind, _size(element, "scale", 3, (1.0, 1.0, 1.0)), name_of(element, "filename").strip())
    if kind == "box":
        return Shape(kind, _size(element, "size", 3))
    if kind == "sphere":
        return Shape(kind, _size(element, "radius", 1))
    if kind in ("cylinder", "capsule"):
        return Shape(kind, _size(element, "radius", 1) + _size(element, "length", 1))
    return None


def _size(element: Element, key: str, count: int, otherwise: tuple[float, ...] | None = None) -> tuple[float, ...]:
    """Numbers above 0; a scale may be negative, which makes a mirror image."""
    values = vector(element, key, count, otherwise)
    sizes = np.abs(values) if key == "scale" else values
    if not (sizes >= 1e-9).all():
        raise Malformed(
            f"{key} of <{element.tag}> is {element.get(key)!r}, must be {'not 0' if key == 'scale' else 'positive'}"
        )
    return tuple(values.tolist())


def _look(element: Element) -> Look | None:
    """What a ``<material>`` says; ``None`` where it only names one."""
    color, texture = element.find("color"), element.find("texture")
    name = None if texture is None else texture.get("filename")
    if color is None and not name:
        return None
    rgba = None if color is None else tuple(np.clip(vector(color, "rgba", 4, (0.8, 0.8, 0.8, 1.0)), 0, 1).tolist())
    return Look(rgba, name.strip() if name else None)
