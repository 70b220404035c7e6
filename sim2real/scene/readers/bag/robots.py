"""Robots in recordings: their descriptions, what their joints do, and whether transforms say the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from ....text_files import read_text
from ....transforms import quaternion_from_rotation
from ..urdf.kinematics import world_from_links
from ..urdf.motion import beyond_limits, listed
from ..urdf.robot import SIZES, Joint, Robot, robot_of
from .contents import Contents, namespace
from .keys import Series, numbers_at
from .tree import Placed, Tree

_UNEXPANDED = "expand them before they are published, or pass --urdf with the expanded file"
_AGREE_M, _AGREE_RAD = 1e-3, 1e-3


@dataclass(eq=False)
class Described:
    """A robot, and what its frames are called: ``prefix`` stands before the names of its links.

    - ``series``: of the joints that joint states tell of, one number each.
    - ``space``: the namespace of its description; ``label`` stands before the names of its instances, where there are several.
    """

    robot: Robot
    space: str
    prefix: str
    series: dict[str, Series]
    label: str = ""

    def frame(self, link: str) -> str:
        """What transforms call a link."""
        return self.prefix + link


def described(contents: Contents, urdf: Path | None, frames: Iterable[str], source: Path) -> list[Described]:
    """The robots of a recording.

    Args:
        contents: with their descriptions and joint states.
        urdf: the description of the one robot instead of the recording's.
        frames: the names of all coordinate frames.
        source: the recording, for errors.

    Raises:
        UnreadableFileError: a description is no robot, or xacro that was not expanded.
    """
    if urdf is not None:
        texts = {"": (read_text(urdf), urdf)}
    else:
        texts = {namespace(topic): (text, Path(f"{source}:{topic}")) for topic, text in contents.descriptions.items()}
    there = set(frames)
    found = []
    for space, (text, where) in texts.items():
        robot = robot_of(text, where, _UNEXPANDED if urdf is None else None)
        prefix = _prefix(robot, there, space)
        found.append(Described(robot, space, prefix, _series(robot, contents, space, prefix, list(texts))))
    if len(found) > 1:
        names = [one.space or one.robot.name for one in found]
        found = [replace(one, label=f"{name}/") for one, name in zip(found, names, strict=True)]
    return found


def _prefix(robot: Robot, frames: set[str], space: str) -> str:
    """What stands before most links' names in transforms: nothing, the namespace, or anything that stands before the root's."""
    found = {"", f"{space}/" if space else "", f"{space}_" if space else ""}
    found |= {frame[: -len(robot.root)] for frame in frames if frame.endswith(robot.root)}
    own = (f"{space}/", f"{space}_")

    def fit(prefix: str) -> tuple[int, bool, int]:
        return sum(prefix + link in frames for link in robot.links), prefix in own, -len(prefix)

    return max(sorted(found), key=fit)


def _series(robot: Robot, contents: Contents, space: str, prefix: str, spaces: list[str]) -> dict[str, Series]:
    """What joint states tell of a robot's joints: those in its own namespace; of all, where none are and no other robot's."""
    topics = [topic for topic in contents.joints if _owner(topic, spaces) == space]
    topics = topics or [topic for topic in contents.joints if _owner(topic, spaces) in ("", None)]
    wanted = {joint.name: joint.name for joint in robot.joints if SIZES[joint.kind] == 1}
    wanted |= {prefix + name: name for name in wanted.values()}
    found: dict[str, Series] = {}
    for topic in topics:
        for called, series in contents.joints[topic].items():
            name = wanted.get(called)
            if name is None:
                continue
            if name not in found:
                found[name] = Series()
            found[name].times.extend(series.times)
            found[name].numbers.extend(series.numbers)
    return found


def _owner(topic: str, spaces: list[str]) -> str | None:
    """The longest of some namespaces that a topic is in."""
    return max((s for s in spaces if not s or f"{topic.strip('/')}/".startswith(f"{s}/")), key=len, default=None)


def hang_links(one: Described, tree: Tree, placed: Placed, times_ns: Int[np.ndarray, "clip"], *, several: bool) -> list[str]:
    """Put a robot's links on its root, by joint states; by transforms where these do not tell of a joint.

    Args:
        one: the robot.
        tree: coordinate frames, which are changed.
        placed: where they are by transforms alone.
        times_ns: of the frames.
        several: there are more robots, so that notes have to name it.

    Returns:
        Notes.
    """
    robot, of = one.robot, f"{one.label[:-1]}: " if several else ""
    positions = {
        joint.name: numbers_at(one.series[joint.name], times_ns, wraps=joint.kind == "continuous")
        for joint in robot.joints
        if joint.name in one.series
    }
    joints, by_frames = list[Joint](), list[str]()
    moved = _followers(robot, set(positions))
    for joint in robot.joints:
        if SIZES[joint.kind] and joint.name not in moved:
            way, good = placed.between(one.frame(joint.parent), one.frame(joint.child))
            if good.all():
                by_frames.append(joint.name)
                positions[joint.name] = np.concatenate([way[:, :3, 3], _quaternions(way)], axis=1)
                joint = replace(joint, kind="floating", parent_from_joint=np.eye(4), mimic=None)
        joints.append(joint)
    still = [j.name for j in robot.joints if SIZES[j.kind] and j.name not in moved and j.name not in by_frames and not j.mimic]
    moving = replace(robot, joints=tuple(joints))
    ways = world_from_links(moving, positions, np.tile(np.eye(4), (len(times_ns), 1, 1)))
    notes = _agreement(one, ways, placed, set(by_frames))
    for k, link in enumerate(robot.links):
        if link != robot.root:
            tree.hang(one.frame(link), one.frame(robot.root), ways[:, k])
    if by_frames:
        notes.append(f"joints that no joint states tell of are where transforms put them: {listed(by_frames)}")
    if still:
        notes.append(f"joints that nothing tells of rest at 0: {listed(still)}")
    notes += beyond_limits(robot, {name: values for name, values in positions.items() if name not in by_frames})
    return [of + note for note in notes]


def told(one: Described) -> set[str]:
    """The joints that joint states place: those they tell of, those that mimic these, and fixed ones."""
    return _followers(one.robot, set(one.series)) | {joint.name for joint in one.robot.joints if not SIZES[joint.kind]}


def _followers(robot: Robot, names: set[str]) -> set[str]:
    """Some joints, and those that mimic them, directly or not."""
    moved, mimics = set(names), {joint.name: joint.mimic.joint for joint in robot.joints if joint.mimic is not None}
    for name in mimics:
        way = name
        while way in mimics and way not in moved:
            way = mimics[way]
        if way in moved:
            moved.add(name)
    return moved


def _quaternions(way: Float[np.ndarray, "clip 4 4"]) -> Float[np.ndarray, "clip 4"]:
    return np.stack([quaternion_from_rotation(matrix[:3, :3]) for matrix in way])


def _agreement(one: Described, ways: np.ndarray, placed: Placed, by_frames: set[str]) -> list[str]:
    """What transforms say of links that are placed by their joints."""
    robot = one.robot
    upper = {joint.child: joint for joint in robot.joints}
    worst: tuple[float, float, str] = (0.0, 0.0, "")
    count = 0
    for k, link in enumerate(robot.links):
        if link == robot.root or upper[link].name in by_frames:
            continue
        said, good = placed.between(one.frame(robot.root), one.frame(link))
        if good.any():
            count += 1
            off = np.linalg.norm(said[good, :3, 3] - ways[good, k, :3, 3], axis=1).max()
            turn = _angle(said[good], ways[good, k])
            if not worst[2] or (off, turn) > worst[:2]:
                worst = (float(off), float(turn), link)
    if not count:
        return []
    off, turn, link = worst
    if off > _AGREE_M or turn > _AGREE_RAD:
        apart = f"{off:.3g} m and {np.rad2deg(turn):.3g} degrees (at {link})"
        return [f"transforms and joint states disagree by up to {apart}; joint states count"]
    return [f"transforms of {count} links agree with the joint states to {max(off, 1e-15):.1g} m"]


def _angle(a: np.ndarray, b: np.ndarray) -> float:
    """The largest angle between rotations, radians."""
    apart = np.linalg.norm(a[:, :3, :3] - b[:, :3, :3], axis=(1, 2)).max()
    return float(2 * np.arcsin(min(apart / np.sqrt(8), 1)))
