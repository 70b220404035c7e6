"""What there is to choose from for restyled footage: materials, sorts of things, looks; and what things are called.

The tables are in ``looks.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ....clip import InstanceRecord
from ....errors import UnknownNameError
from ....scene import Instance

_TABLES = Path(__file__).with_name("looks.yaml")
_FULL_CONTRAST = 48.0
"""L* from which on a material has the contrast of its kind's texture; grain of half the lightness differs by half as much."""

Labelled = Instance | InstanceRecord
"""An instance of a scene or of a clip."""


@dataclass(frozen=True)
class SurfaceMaterial:
    """What a surface may be made of.

    - ``kind``: one of ``MATERIAL_KINDS``.
    - ``colors``: sRGB, ``#rrggbb``; a draw is one of them or between two neighbors.
    - ``spread``: standard deviation of the lightness L*; a third of it that of a* and b*.
    - ``roughness``: least and greatest.
    """

    name: str
    kind: str
    colors: tuple[str, ...]
    spread: float
    roughness: tuple[float, float]
    metallic: float = 0.0


@dataclass(frozen=True)
class TextureLayer:
    """One layer of a surface's texture: white noise on the surface, blurred.

    - ``size``: standard deviation of the blur across the grain, metres.
    - ``stretch``: times as long along the grain.
    - ``contrast``: standard deviation of the lightness L*.
    - ``form``: ``even``, as the blurred noise is; ``veins``, dark where it is about zero; ``specks``, dark where it is high.
    """

    size: float
    stretch: float
    contrast: float
    form: str = "even"


FORMS = ("even", "veins", "specks")
"""Of a texture's layers."""


@dataclass(frozen=True)
class Pattern:
    """Structure that is laid out on a surface in metres: see ``patterns.py``.

    - ``size``: of a piece, along and across its row; None: there are no pieces.
    - ``joint``: width of the joints between them; ``color``: theirs, sRGB ``#rrggbb``.
    - ``vary``: standard deviation of the lightness L* between pieces.
    - ``shift``: of every row against the one before it, as a share of a piece; None: each by a share of its own.
    - ``rings``: distance between growth rings, 0 without; ``contrast``: how plain these are, 1 as in oak.
    """

    size: tuple[float, float] | None = None
    joint: float = 0.0
    color: str = "#000000"
    vary: float = 0.0
    shift: float | None = 0.0
    rings: float = 0.0
    contrast: float = 1.0


@dataclass(frozen=True)
class Thing:
    """A sort of things that share what they are plausibly made of.

    - ``words``: of the names that they go by.
    - ``materials``: with weights.
    - ``vary``: by how much L* of instances of one class differs from their mean, at most.
    - ``loose``: every instance is drawn by itself, not the whole class at once.
    - ``part``: told by an instance's own name before its class is looked at.
    """

    name: str
    words: tuple[str, ...]
    materials: Mapping[str, float]
    vary: float = 0.0
    loose: bool = False
    part: bool = False


@cache
def materials() -> dict[str, SurfaceMaterial]:
    """All materials by name."""
    rows: dict[str, Any] = _tables()["materials"]
    return {name: _material(name, **row) for name, row in rows.items()}


def _material(name: str, kind: str, colors: list[str], spread: Any, roughness: list[Any], metallic: Any = 0) -> SurfaceMaterial:
    low, high = (float(end) for end in roughness)
    return SurfaceMaterial(name, kind, tuple(colors), float(spread), (low, high), float(metallic))


@cache
def textures() -> dict[str, tuple[TextureLayer, ...]]:
    """Layers of texture by kind of material."""
    return {kind: tuple(_layer(*row) for row in rows) for kind, rows in _tables()["textures"].items()}


def _layer(size: Any, stretch: Any, contrast: Any, form: str = "even") -> TextureLayer:
    return TextureLayer(float(size), float(stretch), float(contrast), form)


@cache
def wear() -> dict[str, tuple[TextureLayer, ...]]:
    """What use leaves on surfaces that keep their colors: of ``color``, and of ``roughness`` in hundredths of its logarithm."""
    return {name: tuple(_layer(*row) for row in rows) for name, rows in _tables()["wear"].items()}


def layers_of(material: str, kind: str, lightness: float) -> tuple[TextureLayer, ...]:
    """Layers of texture of a material as they are, or of its kind: dark ones of a kind have less contrast, in proportion.

    Args:
        material: its name.
        kind: of the material.
        lightness: L* of its color.
    """
    own = textures().get(material)
    if own is not None:
        return own
    share = min(1.0, lightness / _FULL_CONTRAST)
    return tuple(replace(layer, contrast=share * layer.contrast) for layer in textures()[kind])


@cache
def pattern_named(material: str, kind: str) -> Pattern | None:
    """The pattern of a material, or of its kind; None if it has none."""
    rows: dict[str, Any] = _tables()["patterns"]
    row = rows.get(material, rows.get(kind))
    if row is None:
        return None
    size, shift = row.get("size"), row.get("shift", 0.0)
    return Pattern(
        size=None if size is None else (float(size[0]), float(size[1])),
        color=row.get("color", "#000000"),
        shift=None if shift is None else float(shift),
        **{name: float(row[name]) for name in ("joint", "vary", "rings", "contrast") if name in row},
    )


@cache
def things() -> dict[str, Thing]:
    """All sorts of things by name; who comes first chooses first."""
    return {name: _thing(name, **row) for name, row in _tables()["things"].items()}


def _thing(name: str, words: list[str], materials: dict[str, Any], vary: Any = 0, **flags: bool) -> Thing:
    weights = {material: float(weight) for material, weight in materials.items()}
    return Thing(name, tuple(words), weights, float(vary), **flags)


@cache
def looks() -> dict[str, dict[str, tuple[str, ...]]]:
    """Materials by sort of thing, by name of the look."""
    return {name: {thing: tuple(made_of) for thing, made_of in row.items()} for name, row in _tables()["looks"].items()}


@cache
def _tables() -> dict[str, Any]:
    return yaml.safe_load(_TABLES.read_text(encoding="utf-8"))


@cache
def thing_of(class_name: str, name: str) -> Thing:
    """The sort of thing that an instance is, by the words in its names: a telling part, else its class, else its own name."""
    every = list(things().values())
    part = _called(name, [thing for thing in every if thing.part])
    return part or _called(class_name, every) or _called(name, every) or things()["thing"]


def _called(text: str, among: Iterable[Thing]) -> Thing | None:
    """The sort with the longest word in a text; words of up to four letters must stand alone, but for a plural's s."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower()
    whole = set(re.findall(r"[a-z]+\d*", spaced)) | set(re.findall(r"[a-z]+", spaced))
    whole |= {word.removesuffix("s") for word in whole}
    joined = re.sub(r"[^a-z0-9]", "", spaced)
    found = [
        (len(word), -place, thing)
        for place, thing in enumerate(among)
        for word in thing.words
        if word in whole or (len(word) > 3 and word in joined)
    ]
    return max(found, key=lambda row: row[:2])[2] if found else None


def is_called(pattern: str, instance: Labelled) -> bool:
    """Whether a pattern means an instance: its class, its name, or its sort of thing, in any case; ``*`` is anything."""
    names = (instance.class_name, instance.name, thing_of(instance.class_name, instance.name).name)
    return any(fnmatchcase(name.lower(), pattern.strip().lower()) for name in names)


def check_called(patterns: Iterable[str], instances: Sequence[Labelled]) -> None:
    """Refuse patterns that mean no instance.

    Raises:
        UnknownNameError: the message lists classes and names.
    """
    for pattern in patterns:
        if not any(is_called(pattern, instance) for instance in instances):
            sorts = (thing_of(i.class_name, i.name).name for i in instances)
            known = dict.fromkeys([*(i.class_name for i in instances), *sorts, *(i.name for i in instances)])
            raise UnknownNameError(pattern, known, what="class or instance")
