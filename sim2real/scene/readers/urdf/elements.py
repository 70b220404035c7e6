"""A robot's XML and the numbers in it. Nothing outside the file is read: no entities, no document types that declare any."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

import numpy as np
from jaxtyping import Float

from ....errors import UnreadableFileError
from ....transforms import rigid, rotation_about

Element = ElementTree.Element
WHAT = "URDF robot"
_LARGEST = 1e9
"""Metres, or whatever else: a million kilometres."""


class Malformed(ValueError):
    """What a robot's file says is wrong, without the file's name; ``read_robot`` adds it."""


def parsed(text: str, path: Path, unexpanded: str | None = None) -> Element:
    """The root of a robot's XML; prefixes of names (``xacro:``) stay as they are written.

    Args:
        text: the XML.
        path: where it is from, for errors.
        unexpanded: what is to be done about macros that have not been expanded; ``None``: expand them in the file.

    Raises:
        UnreadableFileError: it is no XML, declares entities, or is macros that have not been expanded.
    """
    builder = ElementTree.TreeBuilder()
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = _refuse_entity
    try:
        parser.Parse(text.lstrip().encode("utf-8", "replace"), True)
        root = builder.close()
    except Malformed as error:
        raise broken(path, str(error)) from error
    except expat.ExpatError as error:
        raise broken(path, f"no XML ({error})") from error
    if any(element.tag.startswith("xacro:") for element in root.iter()):
        plain = path.stem if path.suffix.lower() == ".xacro" else f"{path.stem}-expanded.urdf"
        fix = f"expand them with: xacro {path.name} > {plain if plain.endswith('.urdf') else plain + '.urdf'}"
        raise broken(path, "it holds xacro macros", unexpanded or fix)
    return root


def broken(path: Path, why: str, fix: str = "fix the file, or export it again") -> UnreadableFileError:
    """A robot that cannot be read."""
    return UnreadableFileError(path, what=WHAT, why=why, fix=fix)


def _refuse_entity(name: str, *_: object) -> NoReturn:
    raise Malformed(f"it declares the entity {name}")


def vector(element: Element | None, key: str, count: int, otherwise: tuple[float, ...] | None) -> Float[np.ndarray, "count"]:
    """So many numbers of an attribute; ``otherwise`` where it is absent (``None``: it must not be).

    Raises:
        Malformed: it holds something else.
    """
    text = None if element is None else element.get(key)
    return numbers(text, count, otherwise, key if element is None else f"{key} of <{element.tag}>")


def numbers(text: str | None, count: int, otherwise: tuple[float, ...] | None, what: str) -> Float[np.ndarray, "count"]:
    """So many numbers of a text; ``what`` names it in errors.

    Raises:
        Malformed: it holds something else.
    """
    if text is None and otherwise is not None:
        return np.array(otherwise, np.float64)
    try:
        found = np.array([float(word) for word in (text or "").split()])
    except ValueError:
        found = np.zeros(0)
    if found.shape != (count,) or not (np.abs(found) <= _LARGEST).all():
        received = "absent" if text is None else repr(text[:80])
        raise Malformed(f"{what} is {received}, must be {count} finite number{'s' if count > 1 else ''}")
    return found


def number(element: Element | None, key: str, otherwise: float | None) -> float:
    """One number of an attribute; as ``vector``."""
    return float(vector(element, key, 1, None if otherwise is None else (otherwise,))[0])


def endless(element: Element, key: str) -> float:
    """One number of an attribute, 0 where it is absent; one that is too large to be meant, or infinite, is infinite.

    Raises:
        Malformed: it holds something else.
    """
    try:
        found = float(element.get(key, "0"))
    except ValueError:
        found = np.nan
    if np.isnan(found):
        raise Malformed(f"{key} of <{element.tag}> is {element.get(key, '')[:80]!r}, must be a number")
    return found if abs(found) <= _LARGEST else float(np.copysign(np.inf, found))


def origin_of(element: Element | None) -> Float[np.ndarray, "4 4"]:
    """The transform of an element's ``<origin xyz rpy>``; the identity where it has none."""
    origin = None if element is None else element.find("origin")
    return from_xyz_rpy(vector(origin, "xyz", 3, (0.0, 0.0, 0.0)), vector(origin, "rpy", 3, (0.0, 0.0, 0.0)))


def from_xyz_rpy(xyz: Float[np.ndarray, "3"], rpy: Float[np.ndarray, "3"]) -> Float[np.ndarray, "4 4"]:
    """A place, and turns about the fixed axes x, then y, then z."""
    x, y, z = (rotation_about(np.eye(3)[k], np.array(rpy[k])) for k in range(3))
    return rigid(z @ y @ x, xyz)


def name_of(element: Element | None, key: str = "name") -> str:
    """An attribute that must be there.

    Raises:
        Malformed: it is not.
    """
    name = None if element is None else element.get(key)
    if not name:
        raise Malformed(f"a <{'missing' if element is None else element.tag}> has no {key}")
    return name
