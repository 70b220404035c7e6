"""Prompts that are written from the scene: what is in it, in what color or of what material."""

from __future__ import annotations

import re

import numpy as np
from jaxtyping import Float, UInt8

from ..clip import Clip, InstanceRecord, command_for
from ..errors import BadValueError, MissingFileError
from ..scene.colors import lab_from_srgb
from .options import GenerateOptions

AUTO = "auto"
_COLORS = {
    "black": (20, 20, 20),
    "dark gray": (75, 75, 75),
    "gray": (130, 130, 130),
    "light gray": (190, 190, 190),
    "white": (240, 240, 240),
    "red": (190, 40, 40),
    "dark red": (100, 25, 25),
    "pink": (230, 150, 170),
    "orange": (225, 120, 40),
    "brown": (110, 70, 40),
    "tan": (200, 165, 120),
    "beige": (225, 210, 180),
    "yellow": (225, 200, 50),
    "olive": (110, 110, 45),
    "green": (50, 140, 60),
    "dark green": (25, 75, 40),
    "light green": (150, 205, 140),
    "teal": (40, 130, 130),
    "turquoise": (80, 200, 195),
    "light blue": (150, 190, 225),
    "blue": (45, 90, 180),
    "dark blue": (30, 45, 95),
    "purple": (115, 60, 140),
    "lilac": (185, 160, 210),
}
_MOST = 12
"""Things that a prompt names; the largest first."""
_LEAST = 0.0005
"""Of the picture: what is smaller is not named."""


def prompt_of(clip: Clip, camera: str, options: GenerateOptions) -> str:
    """The prompt that was asked for, or the one that the scene gives for ``auto``; empty without any.

    Raises:
        BadValueError: ``auto`` for a real video, which does not say what is in it.
        MissingFileError: ``auto`` without instances or render; the message has the command.
    """
    if options.prompt != AUTO:
        return options.prompt or ""
    check_prompt(clip, camera, options)
    things = _things(clip, camera, options)
    shown = f": {', '.join(things)}" if things else ""
    return f"A realistic video filmed by a real camera{shown}. Real materials, natural light, fine detail, sharp focus."


def check_prompt(clip: Clip, camera: str, options: GenerateOptions) -> None:
    """Refuse ``auto`` where nothing says what is seen.

    Raises:
        BadValueError, MissingFileError: as :func:`prompt_of`.
    """
    if options.prompt != AUTO:
        return
    if clip.of_video:
        raise BadValueError("--prompt", "'auto'", right="words: real videos do not say what they show", fix="--prompt TEXT")
    for kind in ("instances", "rgb"):
        if not clip.has(camera, kind):
            what = f"{kind} (which --prompt auto is written from)"
            fix = f"render the clip with: {command_for(clip, [] if options.model is None else ['--for', options.model])}"
            raise MissingFileError(clip.folder(camera), what=what, fix=fix)


def color_word(color: UInt8[np.ndarray, "3"] | Float[np.ndarray, "3"]) -> str:
    """The nearest name in CIE L*a*b* of an sRGB color, 0 to 255."""
    table = lab_from_srgb(np.array(list(_COLORS.values())) / 255)
    nearest = np.linalg.norm(table - lab_from_srgb(np.asarray(color, np.float64) / 255), axis=-1).argmin()
    return list(_COLORS)[int(nearest)]


def _things(clip: Clip, camera: str, options: GenerateOptions) -> list[str]:
    """Classes with their colors or materials, largest first, each said once."""
    frames = sorted({0, clip.frames // 2, clip.frames - 1})
    ids = np.stack([clip.instances(camera, frame) for frame in frames])
    kind = "albedo" if clip.has(camera, "albedo") else "rgb"
    pictures = np.stack([clip.picture(camera, kind, frame) for frame in frames])
    areas = np.bincount(ids.ravel(), minlength=1 + max((one.id for one in clip.record.instances), default=0))
    made_of = _materials(clip, options)
    said: dict[str, int] = {}
    for one in clip.record.instances:
        if areas[one.id] < _LEAST * ids.size:
            continue
        how = made_of.get(one.id) or color_word(np.median(pictures[ids == one.id], axis=0))
        words = f"{how} {plain_name(one)}"
        said[words] = said.get(words, 0) + int(areas[one.id])
    return sorted(said, key=lambda words: -said[words])[:_MOST]


def _materials(clip: Clip, options: GenerateOptions) -> dict[int, str]:
    """What a look makes instances of, by id; what is kept is not in it."""
    if options.look is None:
        return {}
    from .families.embedded.footage import restyle_of

    restyle = restyle_of(clip.record, "restyle", options.look, options.keep, options.seed)
    return {} if restyle is None else {id_: made_of.material for id_, made_of in restyle.appearances.items()}


def plain_name(instance: InstanceRecord) -> str:
    """A class's name as people write it; an instance's own where its class says nothing."""
    name = instance.class_name or instance.name
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    words = re.sub(r"[^A-Za-z]+", " ", words).strip().lower()
    return words or "object"
