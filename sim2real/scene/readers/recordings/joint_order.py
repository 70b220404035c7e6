"""In which order a simulator counts the joints of a robot, whose recording has no names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....errors import BadValueError, UnknownNameError
from .mapping import ThingEntry


@dataclass(frozen=True)
class Edge:
    """A joint between two links; ``moves``: it has one position."""

    joint: str
    parent: str
    child: str
    moves: bool


def joint_names(edges: Sequence[Edge], entry: ThingEntry, count: int, what: str, where: object) -> tuple[list[str], str | None]:
    """The names of a recording's joints, in its order.

    PhysX, under Isaac Lab and ManiSkill, counts joints breadth first or depth first, by version and importer. For a chain of
    links (an arm with its fingers) all orders are the same.

    Args:
        edges: the robot's joints, in the order of its file.
        entry: what the mapping says of the robot.
        count: how many joints were recorded.
        what: the robot's name.
        where: the mapping file.

    Returns:
        The names, and a sentence if they were not given.

    Raises:
        BadValueError: there are not as many as were recorded, or the order cannot be told.
        UnknownNameError: a name that no joint of the robot has.
    """
    moving = [edge.joint for edge in edges if edge.moves]
    if isinstance(entry.joints, tuple):
        for name in entry.joints:
            if name not in moving:
                raise UnknownNameError(name, moving, what=f"joint of {what}", where=where)
        twice = next((name for k, name in enumerate(entry.joints) if name in entry.joints[:k]), None)
        if twice is not None:
            raise BadValueError(f"a joint of {what}", f"{twice}, twice", right="each once", where=where)
        names = list(entry.joints)
    else:
        names = _ordered(edges, entry, count, what, where)
    if len(names) != count:
        fix = f"list those that were recorded, in order, as joints of {what}"
        received = f"{len(names)} ({', '.join(names[:12])}{', …' if len(names) > 12 else ''})"
        raise BadValueError(f"the number of joints of {what}", received, right=f"{count}, as recorded", fix=fix, where=where)
    listed = isinstance(entry.joints, tuple) or not count
    return names, None if listed else f"joints of {what}, in the recording's order: {', '.join(names)}"


def orders(edges: Sequence[Edge]) -> dict[str, list[str]]:
    """The robot's moving joints by every rule, by its name in mapping files."""
    below: dict[str, list[Edge]] = {}
    for edge in edges:
        below.setdefault(edge.parent, []).append(edge)
    children = {edge.child for edge in edges}
    roots = [link for link in below if link not in children]
    breadth, level = list[Edge](), [edge for root in roots for edge in below[root]]
    while level:
        breadth += level
        level = [edge for above in level for edge in below.get(above.child, ())]
    depth, waiting = list[Edge](), [edge for root in reversed(roots) for edge in reversed(below[root])]
    while waiting:
        depth.append(waiting.pop())
        waiting += reversed(below.get(depth[-1].child, []))
    found = {"file": list(edges), "breadth_first": breadth, "depth_first": depth}
    return {name: [edge.joint for edge in every if edge.moves] for name, every in found.items()}


def _ordered(edges: Sequence[Edge], entry: ThingEntry, count: int, what: str, where: object) -> list[str]:
    rules = orders(edges)
    if isinstance(entry.joints, str):
        return rules[entry.joints]
    if len({tuple(names) for names in rules.values()}) > 1 and len(rules["file"]) == count and count:
        received = f"unknown: its links branch, and {count} recorded positions have no names"
        right = f"listed as joints, or breadth_first ({', '.join(rules['breadth_first'][:12])}), depth_first, or file"
        raise BadValueError(f"the order of the joints of {what}", received, right=right, where=where)
    return rules["file"]
