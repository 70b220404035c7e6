"""From a clip folder to the embedded model's conditions: what stays as it is, and what becomes something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32

from ....clip import Clip, ClipRecord
from ....conditions.light.shine import mirrored_by
from ....errors import BadValueError
from .clear import Clear, as_background, before_nothing, clear_of, seen_through, shapes_behind, without_clear
from .conditions import KnownPictures, Surface, between, picture_conditions
from .lines import lines_if_beaded
from .looks import Appearance, look_of, parse_look
from .occlusion import occlusion
from .surfaces import check_called, is_called
from .texturing import Stretch, textured, worn

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
    worn_by: float = 0.0,
    *,
    quick: bool = False,
) -> Float32[np.ndarray, "n channels height width"]:
    """The network's conditions for a stretch of a clip's frames; see ``picture_conditions``.

    Args:
        clip: the clip folder.
        camera: one of its cameras.
        frames: from where to where.
        restyle: what becomes of its instances; None keeps all.
        noise: of these frames, which draws the textures of what is restyled, and wear; None leaves all plain.
        worn_by: how worn surfaces are that keep their colors: 0 not at all, 1 as in a household.
        quick: for a network that sees pictures of half the size.
    """
    numbers = range(frames.start, frames.stop)

    def stacked(*kinds: str) -> dict[str, Any]:
        return {kind: np.stack([getattr(clip, kind)(camera, k) for k in numbers]) for kind in kinds}

    clear, ids = _clear(clip, camera, frames), stacked("instances")["instances"]
    shape, K = stacked("depth", "normals"), clip.camera(camera).intrinsics[frames]  # noqa: N806
    at = None if noise is None else Stretch(clip, camera, frames, ids, **shape, K=K, noise=noise)
    surface, kept, wear = None, None, None
    if restyle is not None:
        surface, kept = _new_surfaces(ids, clear, restyle.appearances, at)
    if at is not None and worn_by and (kept is None or (kept & (shape["depth"] > 0)).any()):
        wear = worn(at, worn_by)
    hidden = occlusion(**shape, K=K, quick=quick)
    covered = stacked("coverage")["coverage"] if clip.has(camera, "coverage") else None
    pictures = stacked("rgb", "albedo", "material", "edges", "light", "reflection")  # last: light may still be followed
    if clear is not None:
        pictures["albedo"] = before_nothing(pictures["albedo"], clear)
    known = KnownPictures(**pictures, **shape, K=K, hidden=hidden, coverage=covered, along=_along(ids, **shape, clear=clear))
    if restyle is not None and surface is not None and restyle.strength < 1:
        surface = between(known.albedo, known.material, surface, restyle.strength)
    if surface is not None and kept is not None and clip.has(camera, "gloss"):
        known = replace(known, reflection=_of_other_gloss(known, surface, kept, stacked("gloss")["gloss"], clear))
    out = picture_conditions(known, surface=surface, kept=kept, ids=ids if restyle is not None else None, wear=wear)
    if clear is not None:
        as_background(out, clear)
    return out


def _along(
    ids: np.ndarray, depth: np.ndarray, normals: np.ndarray, clear: Clear | None
) -> Float32[np.ndarray, "n 2 height width"] | None:
    """Which way borders run, where that is needed; through clear things those of what is behind them."""
    return lines_if_beaded(*((ids, depth, normals) if clear is None else shapes_behind(ids, depth, normals, clear)))


def _clear(clip: Clip, camera: str, frames: slice) -> Clear | None:
    """What is behind clear things, where the clip knows it and there is any."""
    if not clip.has(camera, "behind"):
        return None
    clear = clear_of([clip.behind(camera, k) for k in range(frames.start, frames.stop)], clip.record.size[1])
    return clear if len(clear.frame) else None


def _new_surfaces(
    ids: np.ndarray, clear: Clear | None, appearances: Mapping[int, Appearance], at: Stretch | None
) -> tuple[Surface, Bool[np.ndarray, "frames height width"]]:
    """What every pixel becomes, and where it stays: what is clear goes with what is behind it.

    Args:
        ids: of the first surfaces.
        clear: what is behind those that are clear.
        appearances: of what is restyled.
        at: the frames, where noise draws textures on them.
    """
    if clear is not None:
        ids = ids.copy()
        ids[clear.place] = clear.ids
    surface, kept = _surface(ids, appearances)
    if at is not None:
        surface = textured(surface, appearances, at if clear is None else without_clear(at, clear))
    return surface if clear is None else seen_through(surface, clear), kept


def _of_other_gloss(
    known: KnownPictures,
    surface: Surface,
    kept: Bool[np.ndarray, "frames height width"],
    gloss: Float[np.ndarray, "frames height width 3"],
    clear: Clear | None,
) -> Float32[np.ndarray, "frames height width 3"]:
    """What surfaces mirror when they have become smoother or rougher; what is clear is as smooth as before."""
    other = ~kept
    if clear is not None:
        other[clear.place] = False
    out = known.reflection.astype(np.float32)
    rough, own = (picture[other] / np.float32(255) for picture in (surface.roughness, known.material[..., 0]))
    out[other] = mirrored_by(rough, own, *(picture[other].astype(np.float32) for picture in (gloss, out, known.light)))
    return out


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


def settings_of(restyle: Restyle | None, record: ClipRecord, keep: Sequence[str], knows_behind: bool) -> dict[str, Any]:
    """What ``settings.json`` tells of a use: the look, and a line of words per instance that gets a new surface.

    Args:
        restyle: what becomes of instances.
        record: of the clip.
        keep: as it was asked for.
        knows_behind: the clip says what is behind clear things, so that these stay as they are.
    """
    if restyle is None:
        return {"use": "keep"}
    names = {instance.id: instance.name for instance in record.instances}
    clear = {instance.id for instance in record.instances if instance.clear and knows_behind}
    lines = {names[id_]: _words(made_of) for id_, made_of in restyle.appearances.items() if id_ not in clear}
    return {"use": "restyle", "look": restyle.look, "strength": restyle.strength, "keep": list(keep), "materials": lines}


def _words(made_of: Appearance) -> str:
    red, green, blue = made_of.color
    return f"{made_of.material} #{red:02x}{green:02x}{blue:02x}, roughness {made_of.roughness:g}, metallic {made_of.metallic:g}"
