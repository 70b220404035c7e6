"""What visualizations show: markers of ROS, entities of Foxglove, as shapes that ride on coordinate frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from ..urdf.robot import Look, Shape
from .decoding import frame_name, frame_of, nanoseconds
from .keys import Poses, pose_row

_ENDLESS = 2**62
_ADD, _DELETE, _DELETE_ALL = 0, 2, 3
_SOLIDS = {1: "box", 2: "ellipsoid", 3: "cylinder", 10: "mesh"}
_OTHERS = {0: "arrows", 4: "lines", 5: "lines", 6: "lists", 7: "lists", 8: "points", 9: "texts", 11: "triangles"}
_ENTITY_OTHERS = ("arrows", "lines", "triangles", "texts", "axes")
_MOST = 4096
"""Things; more are no scene."""
Clock = Callable[[int], int]
"""From a stamp, in nanoseconds, to the time that counts."""


@dataclass(eq=False)
class Thing:
    """A shape with a color; ``spans`` are the times from and until which it is shown."""

    name: str
    shape: Shape
    look: Look
    poses: Poses = field(default_factory=Poses)
    spans: list[list[int]] = field(default_factory=list)

    def show(self, time: int, lifetime: int, parent: str, row: list[float]) -> None:
        """It is somewhere, for so long (0: until it is told to go)."""
        self.poses.put(time, parent, row)
        until = time + lifetime if lifetime else _ENDLESS
        if self.spans and self.spans[-1][0] <= time <= self.spans[-1][1]:
            self.spans[-1][1] = until
        else:
            self.spans.append([time, until])

    def hide(self, time: int) -> None:
        """It is told to go."""
        if self.spans:
            self.spans[-1][1] = min(self.spans[-1][1], max(time, self.spans[-1][0]))

    def visible(self, times_ns: Int[np.ndarray, "frames"]) -> Bool[np.ndarray, "frames"]:
        """Whether it is shown at some times."""
        shown = [(times_ns >= start) & (times_ns < end) for start, end in self.spans]
        return np.any(shown, axis=0) if shown else np.zeros(len(times_ns), bool)


@dataclass
class Shown:
    """All things, by what tells them apart.

    - ``current``: the one that each is now; ``counts``: of how many each of Foxglove's entities is made now.
    - ``left_out``: kinds that are no surfaces.
    """

    things: dict[tuple, Thing] = field(default_factory=dict)
    current: dict[tuple[str, str, str], Thing] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def thing(self, key: tuple[str, str, str], name: str, shape: Shape, look: Look, time: int) -> Thing | None:
        """What a key stands for while it looks so: another one where it looked otherwise before, which goes."""
        whole = (key, shape, look)
        if whole not in self.things:
            if len(self.things) >= _MOST:
                self.left_out[f"more than {_MOST} things"] += 1
                return None
            count = sum(known == key for known, _, _ in self.things)
            self.things[whole] = Thing(name if not count else f"{name}-{count + 1}", shape, look)
        thing = self.things[whole]
        if (before := self.current.get(key)) is not None and before is not thing:
            before.hide(time)
        self.current[key] = thing
        return thing

    def hide(self, time: int, topic: str, group: str | None = None, name: str | None = None) -> None:
        """What goes: all of a topic, or of a group in it, or one."""
        for (of, within, called), thing in self.current.items():
            if of == topic and group in (None, within) and name in (None, called):
                thing.hide(time)


def put_markers(shown: Shown, topic: str, message: Any, clock: Clock) -> None:
    """Add what a ``Marker`` or a ``MarkerArray`` says."""
    for marker in message.markers if hasattr(message, "markers") else (message,):
        time, group, name = clock(nanoseconds(marker.header.stamp)), str(marker.ns), str(marker.id)
        if marker.action == _DELETE_ALL:
            shown.hide(time, topic)
        elif marker.action == _DELETE:
            shown.hide(time, topic, group, name)
        elif marker.action == _ADD and (shape := _shape_of(marker)) is not None:
            thing = shown.thing((topic, group, name), f"{group or topic.strip('/')}/{name}", shape, _look(marker.color), time)
            row = _row(marker.pose)
            if thing is not None and row is not None:
                thing.show(time, nanoseconds(marker.lifetime), frame_name(marker.header.frame_id), row)
        elif marker.action == _ADD:
            shown.left_out[_OTHERS.get(int(marker.type), "shapes without size")] += 1


def _shape_of(marker: Any) -> Shape | None:
    kind = _SOLIDS.get(int(marker.type))
    scale = (float(marker.scale.x), float(marker.scale.y), float(marker.scale.z))
    return None if kind is None else _shape(kind, scale, str(marker.mesh_resource))


def _shape(kind: str, scale: tuple[float, float, float], file: str = "") -> Shape | None:
    """A shape of whole lengths along x, y and z; ``None`` where they are none."""
    if not all(1e-9 <= v <= 1e9 for v in scale) or kind == "mesh" and not file:
        return None
    x, y, z = scale
    if kind == "cylinder":
        return Shape(kind, ((x + y) / 4, z))
    return Shape(kind, (x / 2, y / 2, z / 2) if kind == "ellipsoid" else scale, file)


def _look(color: Any) -> Look:
    rgba = np.array([color.r, color.g, color.b, color.a], np.float64)
    return Look(tuple(np.clip(np.nan_to_num(rgba, nan=1.0), 0, 1).tolist()))


def _row(pose: Any) -> list[float] | None:
    p, q = pose.position, pose.orientation
    turn = (q.x, q.y, q.z, q.w)
    return pose_row(
        (p.x, p.y, p.z), turn if any(turn) else (0, 0, 0, 1)
    )  # RViz takes a quaternion that was left at 0 for no turn


def put_entities(shown: Shown, topic: str, message: Any, clock: Clock) -> None:
    """Add what a ``SceneUpdate`` of Foxglove says."""
    for deletion in getattr(message, "deletions", ()):
        time = clock(nanoseconds(deletion.timestamp))
        shown.hide(time, topic, None if int(deletion.type) == 1 else str(deletion.id))
    for entity in message.entities:
        time, name = clock(nanoseconds(entity.timestamp)), str(entity.id)
        found = [("box", one, "") for one in getattr(entity, "cubes", ())]
        found += [("ellipsoid", one, "") for one in getattr(entity, "spheres", ())]
        found += [("cylinder", one, "") for one in getattr(entity, "cylinders", ())]
        found += [("mesh", one, str(one.url)) for one in getattr(entity, "models", ())]
        for number, (kind, one, url) in enumerate(found):
            size = one.scale if kind == "mesh" else one.size
            shape = _shape(kind, (float(size.x), float(size.y), float(size.z)), url)
            row = _row(one.pose)
            if shape is None or row is None:
                shown.left_out["models within the message" if kind == "mesh" else "shapes without size"] += 1
                continue
            look = _look(one.color)
            called = name if len(found) == 1 else f"{name}/{number}"
            thing = shown.thing((topic, name, str(number)), called, shape, look, time)
            if thing is not None:
                thing.show(time, nanoseconds(getattr(entity, "lifetime", None)), frame_of(entity), row)
        for number in range(len(found), shown.counts.get((topic, name), 0)):
            if (gone := shown.current.get((topic, name, str(number)))) is not None:
                gone.hide(time)
        shown.counts[topic, name] = len(found)
        for kind in _ENTITY_OTHERS:
            if getattr(entity, kind, ()):
                shown.left_out[kind] += len(getattr(entity, kind))
