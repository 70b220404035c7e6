"""Looks for restyled footage: what things may be made of, and a draw that goes together.

A draw depends on the seed and on the names of the things that a clip has, never on their order. What is large chooses first,
and what comes later chooses what can be told from it, so that borders stay visible.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from jaxtyping import Float

from ....clip import InstanceRecord
from ....errors import BadValueError, UnknownNameError
from ....scene.colors import lab_from_srgb, srgb_from_lab
from .surfaces import SurfaceMaterial, check_called, is_called, looks, materials, thing_of, things

_CANDIDATES = 16
"""Draws of a thing among which the first is taken that can be told from the things before it."""
_APART = 22.0
"""Distance in L*a*b* at which two surfaces are told apart at a glance."""
_LEAST_APART = 10.0
_MOST_PUSHED = 16
"""Most that a color's L* is moved where no draw is far enough from the others."""
_DARKEST, _LIGHTEST = 12.0, 95.0
"""Least and greatest L* of a surface."""
_GOLDEN = 0.6180339887498949
_SPELLINGS = {"gray": "gray", "aluminium": "aluminum", "galvanised": "galvanized"}


@dataclass(frozen=True)
class Appearance:
    """What one instance is made of: base color in sRGB 0..255, roughness and metallic 0..1."""

    material: str
    kind: str
    color: tuple[int, int, int]
    roughness: float
    metallic: float


@dataclass(frozen=True)
class Look:
    """What ``--look`` says: the name of a look, or None for the seed's; and materials by class, the later entry wins."""

    name: str | None = None
    materials: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def parse_look(text: str | None) -> Look:
    """Read a name, ``class=material`` entries, or both, separated by commas: ``loft,table=oak,wall=plaster``.

    A material is a name (``pale oak``), or words that names or kinds have (``plaster``, ``gray``): one that fits is drawn.

    Raises:
        UnknownNameError: no such look or material; the message lists the valid ones.
        BadValueError: two looks, or nothing.
    """
    name, made_of = None, {}
    for entry in (entry.strip() for entry in ("" if text is None else text).split(",")):
        pattern, found, material = (part.strip() for part in entry.partition("="))
        if found:
            made_of[pattern] = _materials_called(material)
        elif entry and name is None:
            name = _plain(entry).replace(" ", "-")
            if name not in looks():
                raise UnknownNameError(entry, looks(), what="look")
        elif text is not None:
            raise BadValueError("--look", repr(text), right="one look, class=material entries, or both, separated by commas")
    return Look(name, made_of)


def _plain(words: str) -> str:
    """Lower case, single spaces, one spelling."""
    plain = " ".join(re.split(r"[\s_-]+", words.strip().lower()))
    for other, ours in _SPELLINGS.items():
        plain = plain.replace(other, ours)
    return plain


def _materials_called(words: str) -> tuple[str, ...]:
    wanted = _plain(words)
    if wanted in materials():
        return (wanted,)
    fitting = [m.name for m in materials().values() if wanted and set(wanted.split()) <= {*m.name.split(), m.kind}]
    if not fitting:
        kinds = list(dict.fromkeys(m.kind for m in materials().values()))
        raise UnknownNameError(words, [*kinds, *materials()], what="material")
    return tuple(fitting)


def look_of(instances: Sequence[InstanceRecord], look: Look | None, seed: int) -> dict[int, Appearance]:
    """Draw what every instance of a clip is made of.

    Args:
        instances: of the clip.
        look: from :func:`parse_look`; what it leaves open follows the seed.
        seed: another seed, another look: of the named looks they walk through the list.

    Returns:
        By instance id.

    Raises:
        UnknownNameError: the look names a class that the clip does not have.
    """
    look = Look() if look is None else look
    check_called(look.materials, instances)
    palette = looks()[look.name or list(looks())[seed % len(looks())]]
    groups: dict[tuple[int, str, tuple[str, ...]], list[InstanceRecord]] = {}
    places = {name: place for place, name in enumerate(things())}
    for instance in instances:
        thing = thing_of(instance.class_name, instance.name)
        wished = [made_of for pattern, made_of in look.materials.items() if is_called(pattern, instance)]
        key = (places[thing.name], instance.name if thing.loose else instance.class_name, wished[-1] if wished else ())
        groups.setdefault(key, []).append(instance)
    taken: list[np.ndarray] = []
    out: dict[int, Appearance] = {}
    for (place, name, wished), members in sorted(groups.items(), key=lambda row: row[0]):
        thing = list(things().values())[place]
        weights = dict.fromkeys(wished or palette.get(thing.name, ()), 1.0) or dict(thing.materials)
        material, lab = _drawn(weights, taken, (seed, thing.name, name))
        taken.append(lab)
        out |= _members(members, material, lab, thing.vary, (seed, thing.name, name))
    return out


def _rng(*key: object) -> np.random.Generator:
    digest = hashlib.blake2b("/".join(map(str, key)).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


def _drawn(
    weights: Mapping[str, float], taken: list[Float[np.ndarray, "3"]], key: tuple[object, ...]
) -> tuple[SurfaceMaterial, Float[np.ndarray, "3"]]:
    """A material and its color in L*a*b*, apart from those taken."""
    names, shares = list(weights), np.array(list(weights.values()), np.float64)
    best: tuple[float, SurfaceMaterial, np.ndarray] | None = None
    for candidate in range(_CANDIDATES):
        rng = _rng("look", *key, candidate)
        material = materials()[names[rng.choice(len(names), p=shares / shares.sum())]]
        lab = _color(material, rng)
        apart = _nearest(lab, taken)
        if best is None or apart > best[0]:
            best = (apart, material, lab)
        if apart >= _APART:
            break
    assert best is not None
    return best[1], _pushed(best[2], taken)


def _color(material: SurfaceMaterial, rng: np.random.Generator) -> Float[np.ndarray, "3"]:
    """A material's color in L*a*b*."""
    anchors = _anchors(material.colors)
    at = rng.uniform(0, len(anchors) - 1)
    mean = np.array([np.interp(at, np.arange(len(anchors)), anchors[:, k]) for k in range(3)])
    lab = mean + np.clip(rng.standard_normal(3), -2, 2) * material.spread * np.array([1, 1 / 3, 1 / 3])
    return np.clip(lab, [_DARKEST, -128, -128], [_LIGHTEST, 128, 128])


@cache
def _anchors(colors: tuple[str, ...]) -> Float[np.ndarray, "colors 3"]:
    return lab_from_srgb(np.array([[int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)] for color in colors]))


def _nearest(lab: Float[np.ndarray, "3"], taken: list[Float[np.ndarray, "3"]]) -> float:
    return float(np.linalg.norm(np.array(taken) - lab, axis=1).min()) if taken else np.inf


def _pushed(lab: Float[np.ndarray, "3"], taken: list[Float[np.ndarray, "3"]]) -> Float[np.ndarray, "3"]:
    """A color whose lightness is moved as little as tells it from those taken; as it is, if that would be too much."""
    for step in range(0, _MOST_PUSHED + 1, 2):
        for lightness in (lab[0] - step, lab[0] + step):
            moved = _lit(lab, lightness)
            if _DARKEST <= lightness <= _LIGHTEST and _nearest(moved, taken) >= _LEAST_APART:
                return moved
    return lab


def _lit(lab: Float[np.ndarray, "3"], lightness: float) -> Float[np.ndarray, "3"]:
    """A color at another lightness; a darker one has less chroma, as less light comes back in all."""
    return np.array([lightness, *(lab[1:] * min(1.0, lightness / lab[0]))])


def _members(
    members: list[InstanceRecord],
    material: SurfaceMaterial,
    lab: Float[np.ndarray, "3"],
    vary: float,
    key: tuple[object, ...],
) -> dict[int, Appearance]:
    """One material for the instances of a class, a little lighter and darker by turns: names in a row differ most."""
    vary = vary if len(members) > 1 else 0.0
    rng = _rng("surface", *key)
    low, high = material.roughness
    roughness, start = float(rng.uniform(low, high)), rng.uniform()
    middle = np.clip(lab[0], _DARKEST + vary, _LIGHTEST - vary)
    out = {}
    for place, instance in enumerate(sorted(members, key=lambda one: (_natural(one.name), one.id))):
        shade = _lit(lab, float(middle + vary * (2 * ((start + place * _GOLDEN) % 1) - 1)))
        red, green, blue = np.rint(255 * np.clip(srgb_from_lab(shade), 0, 1)).astype(int).tolist()
        out[instance.id] = Appearance(material.name, material.kind, (red, green, blue), round(roughness, 3), material.metallic)
    return out


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts ``link2`` before ``link10``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
