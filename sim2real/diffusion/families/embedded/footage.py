"""From a clip folder to the embedded model's conditions: what stays as it is, and what becomes something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from ....clip import Clip, ClipRecord
from ....errors import BadValueError
from ....scene.material_kinds import MATERIAL_KINDS
from .conditions import Surface, picture_conditions
from .looks import Appearance, look_of, parse_look
from .surfaces import check_called, is_called

USES = ("keep", "restyle")


@dataclass(frozen=True)
class Restyle:
    """What becomes of the instances of a clip, by id; those that it does not name keep their colors and textures.

    - ``look``: as it was asked for.
    """

    appearances: Mapping[int, Appearance] = field(default_factory=dict)
    look: str | None = None


def check_use(use: str, look: str | None, keep: Sequence[str]) -> None:
    """Refuse what does not go together, before a clip or a model is looked at.

    Raises:
        BadValueError: not a use, or a look or exceptions for footage that keeps its colors.
        UnknownNameError: no such look or material.
    """
    if use not in USES:
        raise BadValueError("--use", use, right=" or ".join(USES))
    for option, value in (("--look", look), ("--keep", ",".join(keep) or None)):
        if value is not None and use == "keep":
            raise BadValueError(
                option, repr(value), right="left out, as --use keep keeps all colors", mend="or pass --use restyle"
            )
    parse_look(look)


def restyle_of(record: ClipRecord, use: str, look: str | None, keep: Sequence[str], seed: int) -> Restyle | None:
    """New materials for the instances of a clip; None where all stay as they are.

    Args:
        record: of the clip.
        use: ``keep`` or ``restyle``.
        look: see :func:`sim2real.diffusion.families.embedded.looks.parse_look`.
        keep: classes or instances that stay as they are (``*`` is anything).
        seed: chooses what the look leaves open.

    Raises:
        UnknownNameError: a look, material, class or instance that does not exist.
        BadValueError: options that do not go together.
    """
    check_use(use, look, keep)
    if use == "keep":
        return None
    check_called(keep, record.instances)
    appearances = look_of(record.instances, parse_look(look), seed)
    kept = {i.id for i in record.instances if any(is_called(pattern, i) for pattern in keep)}
    return Restyle({id_: made_of for id_, made_of in appearances.items() if id_ not in kept}, look)


def clip_conditions(
    clip: Clip, camera: str, frames: slice, restyle: Restyle | None = None
) -> Float32[np.ndarray, "n channels height width"]:
    """The network's conditions for a stretch of a clip's frames; see ``picture_conditions``."""
    numbers = range(frames.start, frames.stop)
    kinds = ("rgb", "albedo", "material", "normals", "depth", "edges")
    pictures: dict[str, Any] = {kind: np.stack([getattr(clip, kind)(camera, k) for k in numbers]) for kind in kinds}
    surface, kept = None, None
    if restyle is not None:
        surface, kept = _surface(np.stack([clip.instances(camera, k) for k in numbers]), restyle.appearances)
    return picture_conditions(**pictures, K=clip.camera(camera).intrinsics[frames], surface=surface, kept=kept)


def _surface(ids: np.ndarray, appearances: Mapping[int, Appearance]) -> tuple[Surface, Bool[np.ndarray, "frames height width"]]:
    """What every pixel becomes, and where it stays: by one look-up in a table of ids."""
    table = np.zeros((int(ids.max(initial=0)) + 1, 6), np.uint8)
    kept = np.ones(len(table), np.bool_)
    for id_, made_of in appearances.items():
        if id_ < len(table):
            table[id_] = _row(made_of)
            kept[id_] = False
    rows = table[ids]
    return Surface(rows[..., 0:3], rows[..., 3], rows[..., 4], rows[..., 5]), kept[ids]


def _row(made_of: Appearance) -> UInt8[np.ndarray, "6"]:
    """Color, roughness, metallic and kind, as pictures of a clip have them."""
    rough, metallic = round(255 * made_of.roughness), round(255 * made_of.metallic)
    return np.array([*made_of.color, rough, metallic, MATERIAL_KINDS.index(made_of.kind)], np.uint8)


def settings_of(restyle: Restyle | None, record: ClipRecord, keep: Sequence[str]) -> dict[str, Any]:
    """What ``settings.json`` tells of a use: the look, and a line of words per instance."""
    if restyle is None:
        return {"use": "keep"}
    names = {instance.id: instance.name for instance in record.instances}
    lines = {names[id_]: _words(made_of) for id_, made_of in restyle.appearances.items()}
    return {"use": "restyle", "look": restyle.look, "keep": list(keep), "materials": lines}


def _words(made_of: Appearance) -> str:
    red, green, blue = made_of.color
    return f"{made_of.material} #{red:02x}{green:02x}{blue:02x}, roughness {made_of.roughness:g}, metallic {made_of.metallic:g}"
