"""From a clip folder to the embedded model's conditions: what stays as it is, and what becomes something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32

from ....clip import Clip, ClipRecord
from ....errors import BadValueError
from ....scene.colors import lab_from_srgb
from .conditions import KnownPictures, Surface, between, picture_conditions, shaded
from .looks import Appearance, look_of, parse_look
from .surfaces import check_called, is_called, textures
from .textures import Grain, grain_of, shade_of

USES = ("keep", "restyle")


@dataclass(frozen=True)
class Restyle:
    """What becomes of the instances of a clip, by id; those that it does not name keep their colors and textures.

    - ``look``: as it was asked for.
    - ``strength``: how far from the simulator's surfaces, 0, to those of the look, 1.
    """

    appearances: Mapping[int, Appearance] = field(default_factory=dict)
    look: str | None = None
    strength: float = 1.0


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
                option, repr(value), right="left out, as --use keep keeps all colors", fix="or pass --use restyle"
            )
    parse_look(look)


def restyle_of(
    record: ClipRecord, use: str, look: str | None, keep: Sequence[str], seed: int, strength: float = 1.0
) -> Restyle | None:
    """New materials for the instances of a clip; None where all stay as they are.

    Args:
        record: of the clip.
        use: ``keep`` or ``restyle``.
        look: see :func:`sim2real.diffusion.families.embedded.looks.parse_look`.
        keep: classes or instances that stay as they are (``*`` is anything).
        seed: chooses what the look leaves open.
        strength: how far to go towards it, greater than 0, at most 1.

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
    return Restyle({id_: made_of for id_, made_of in appearances.items() if id_ not in kept}, look, strength)


def clip_conditions(
    clip: Clip,
    camera: str,
    frames: slice,
    restyle: Restyle | None = None,
    noise: Float32[np.ndarray, "n 3 height width"] | None = None,
) -> Float32[np.ndarray, "n channels height width"]:
    """The network's conditions for a stretch of a clip's frames; see ``picture_conditions``.

    Args:
        clip: the clip folder.
        camera: one of its cameras.
        frames: from where to where.
        restyle: what becomes of its instances; None keeps all.
        noise: of these frames, which draws the textures of what is restyled; None leaves it plain.
    """
    numbers = range(frames.start, frames.stop)
    kinds = ("rgb", "albedo", "material", "light", "reflection", "normals", "depth", "edges")
    pictures: dict[str, Any] = {kind: np.stack([getattr(clip, kind)(camera, k) for k in numbers]) for kind in kinds}
    surface, kept, ids, K = None, None, None, clip.camera(camera).intrinsics[frames]  # noqa: N806
    if restyle is not None:
        ids = np.stack([clip.instances(camera, k) for k in numbers])
        surface, kept = _surface(ids, restyle.appearances)
        if noise is not None:
            grain = _grain(clip.record, camera, frames, restyle.appearances)
            given = zip(noise, ids, pictures["depth"], pictures["normals"], K, strict=True)
            shades = [shade_of(*rows, grain, k) for k, rows in enumerate(given)]
            surface = replace(surface, base_color=shaded(surface.base_color, np.stack(shades)))
        if restyle.strength < 1:
            surface = between(pictures["albedo"], pictures["material"], surface, restyle.strength)
    return picture_conditions(KnownPictures(**pictures, K=K), surface=surface, kept=kept, ids=ids)


def _surface(ids: np.ndarray, appearances: Mapping[int, Appearance]) -> tuple[Surface, Bool[np.ndarray, "frames height width"]]:
    """What every pixel becomes, and where it stays: by one look-up in a table of ids."""
    table = np.zeros((int(ids.max(initial=0)) + 1, 5), np.uint8)
    kept = np.ones(len(table), np.bool_)
    for id_, made_of in appearances.items():
        if id_ < len(table):
            table[id_] = (*made_of.color, round(255 * made_of.roughness), round(255 * made_of.metallic))
            kept[id_] = False
    rows = table[ids]
    return Surface(rows[..., 0:3], rows[..., 3], rows[..., 4]), kept[ids]


def _grain(record: ClipRecord, camera: str, frames: slice, appearances: Mapping[int, Appearance]) -> Grain:
    """How the textures of all restyled instances lie."""
    camera_from_world = np.swapaxes(record.cameras[camera].world_from_camera[frames, :3, :3], 1, 2)
    restyled = [instance for instance in record.instances if instance.id in appearances]
    poses = {instance.id: camera_from_world @ instance.world_from_instance[frames, :3, :3] for instance in restyled}
    layers = {id_: textures()[appearances[id_].kind] for id_ in poses}
    lightness = {id_: float(lab_from_srgb(np.array(appearances[id_].color) / 255)[0]) for id_ in poses}
    return grain_of(layers, lightness, poses, frames.stop - frames.start)


def settings_of(restyle: Restyle | None, record: ClipRecord, keep: Sequence[str]) -> dict[str, Any]:
    """What ``settings.json`` tells of a use: the look, and a line of words per instance."""
    if restyle is None:
        return {"use": "keep"}
    names = {instance.id: instance.name for instance in record.instances}
    lines = {names[id_]: _words(made_of) for id_, made_of in restyle.appearances.items()}
    return {"use": "restyle", "look": restyle.look, "strength": restyle.strength, "keep": list(keep), "materials": lines}


def _words(made_of: Appearance) -> str:
    red, green, blue = made_of.color
    return f"{made_of.material} #{red:02x}{green:02x}{blue:02x}, roughness {made_of.roughness:g}, metallic {made_of.metallic:g}"
