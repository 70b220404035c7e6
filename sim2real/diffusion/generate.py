"""Footage for a clip folder: its noise and pictures go into a video model, footage comes back, a frame at a time."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from .. import __version__
from ..clip import Clip, read_clip
from ..clip.footage import write_footage
from ..clip.within import finer
from ..errors import BadValueError
from .edits.part import check_edit, edited, others, settings_of_edit
from .families import families, family_of
from .families.registry import USUAL
from .family import Frames, ModelFamily, Told
from .inputs import noise_source, require_inputs
from .options import GenerateOptions
from .pipelines.canvas import CANVAS, canvas_for, check_canvas, cut_apart, facts_of
from .prompts import check_prompt

ProgressCallback = Callable[[str, int, int], None]
_FRAMES_AHEAD = 1
"""Frames that the network may be ahead of the camera that films them."""


def generate(clip: Path, options: GenerateOptions | None = None, *, progress: ProgressCallback | None = None) -> Path:
    """Generate footage for the cameras of a clip, into ``<camera>/generated/<model>-<seed>``.

    Frames are written as they come: with a model that works in order, as the embedded one does, memory does not grow.

    Args:
        clip: the clip folder.
        options: which model, and what is asked of it; the embedded model, keeping all colors, by default.
        progress: called with (what, done, total).

    Returns:
        The clip folder.

    Raises:
        MissingFileError: no clip, no model, or the clip lacks a kind of pictures that the model needs: the message has the
            command.
        UnknownNameError: a model, camera, look, material or class that does not exist: the message lists the valid.
        BadValueError: options that do not fit each other, or noise laid out for another model.
    """
    options = GenerateOptions() if options is None else options
    opened = read_clip(clip)
    family = check_clip(opened, options)
    if options.change and options.use == "restyle":
        options = replace(options, keep=(*options.keep, *others(opened, options.change)))
    model, label = family.load(options), _label(options)
    if options.canvas is not None:
        canvas = canvas_for(opened, options)
        inputs = model.inputs(canvas, CANVAS, noise_source(canvas, CANVAS, family.layout, options.noise, options.seed))
        made = model.run(inputs, _reporter(progress, f"generate {', '.join(opened.cameras)}"))
        told = {**inputs.settings, "canvas": list(options.canvas), "cameras": opened.cameras}
        with cut_apart(canvas, made) as frames_of:
            for name in opened.cameras:
                _write(opened, name, frames_of(name), {"model": label, **told}, family, options)
        return opened.path
    source, factor = _source(opened, family)
    for name in _cameras(opened, options):
        inputs = model.inputs(source, name, noise_source(source, name, family.layout, options.noise, options.seed))
        made, told = model.run(inputs, _reporter(progress, f"generate {name}")), dict(inputs.settings)
        if factor > 1:
            made, told["fine"] = _binned(made, factor), factor
        _write(opened, name, made, {"model": label, **told}, family, options)
    return opened.path


def _source(clip: Clip, family: ModelFamily) -> tuple[Clip, int]:
    """What footage is made from, and how many times as wide and high as the clip that is."""
    return finer(clip) if family.from_finer else (clip, 1)


def _binned(frames: Frames, factor: int) -> Frames:
    """Footage at the size of the clip."""
    from ..camera_effects import binned

    yield from (binned(frame, factor) for frame in frames)


def check_finer(model: str | None, fine: int) -> None:
    """Refuse finer pictures for a model that would not look at them.

    Raises:
        UnknownNameError: a model that does not exist.
        BadValueError: it makes its footage from the clip's own pictures.
    """
    if fine > 1 and not family_of(model).from_finer:
        takers = ", ".join(name for name, family in families().items() if family.from_finer)
        raise BadValueError("--fine", fine, right=f"left out: it serves {takers}, not {model}")


def _write(
    clip: Clip, camera: str, frames: Frames, settings: Mapping[str, Any], family: ModelFamily, options: GenerateOptions
) -> None:
    """Film the frames of a camera, put them into what is edited, and write them."""
    effects = family.camera_effects if options.camera_effects is None else options.camera_effects
    frames = filmed(clip, camera, frames, effects, options.seed)
    if options.change:
        frames = edited(clip, camera, frames, options)
    asked = {"camera_effects": effects, "noise": options.noise, "seed": options.seed, "sim2real": __version__}
    folder = clip.folder(camera) / "generated" / _footage_name(_label(options), options)
    write_footage(clip, folder, frames, {**settings, **settings_of_edit(options), **asked})


def check_clip(clip: Clip, options: GenerateOptions) -> ModelFamily:
    """Refuse what :func:`generate` would refuse, before any model is loaded; returns the model's family.

    Raises:
        MissingFileError, UnknownNameError, BadValueError, UnreadableFileError: as :func:`generate`.
    """
    family = check_options(options)
    check_edit(options, clip)
    check_canvas(family, options, clip)
    family.check_footage(options, facts_of(clip, options))
    source, factor = _source(clip, family)
    for name in _cameras(clip, options):
        require_inputs(clip, name, family, options)
        if factor > 1:
            require_inputs(source, name, family, options)
        check_prompt(clip, name, options)
    return family


def _cameras(clip: Clip, options: GenerateOptions) -> list[str]:
    return clip.cameras if options.camera is None else [clip.camera_name(options.camera)]


def check_options(options: GenerateOptions) -> ModelFamily:
    """Refuse what :func:`generate` would refuse of its options whatever the clip; returns the model's family.

    Raises:
        UnknownNameError: a model, look or material that does not exist.
        BadValueError: a model that does not run here, or options that it does not have, or that do not fit each other.
        MissingFileError: an embedded-type model that is not there.
        UnreadableFileError: one that does not fit this version.
    """
    check_edit(options)
    family = family_of(options.model)
    if not family.runs:
        runs = ", ".join(sorted(name for name, known in families().items() if known.runs))
        received = f"{options.model} ({family.pipeline})"
        raise BadValueError("the model", received, right=f"of a family that generate runs: {runs}")
    check_canvas(family, options)
    family.check(options)
    return family


def _label(options: GenerateOptions) -> str:
    """The model's name as a folder's name, with what is not the usual."""
    name = USUAL if options.model is None else str(options.model)
    if options.model is not None and Path(name).exists():
        name = Path(name).resolve().name
    unusual = [word for word, usual in ((options.use, "keep"), (options.noise, "clip")) if word != usual]
    return "-".join([name.replace("/", "--"), *unusual])


def _footage_name(label: str, options: GenerateOptions) -> str:
    """The folder of the footage; edits say what of, inversions how far, and a canvas how many tiles it has."""
    tiles = "" if options.canvas is None else f"-canvas-{options.canvas[0]}x{options.canvas[1]}"
    onto = "" if options.onto is None else f"-onto-{options.onto}"
    invert = "" if options.large.invert is None else f"-invert-{options.large.invert:g}"
    return f"{label}-{options.seed}{tiles}{onto}{invert}"


def _reporter(progress: ProgressCallback | None, what: str) -> Told:
    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(what, done, total)

    return tell


def filmed(clip: Clip, camera: str, frames: Frames, effects_name: str, seed: int) -> Frames:
    """Frames as a camera takes them, in a thread beside the network; its grain is keyed by seed, camera and frame."""
    from ..camera_effects import apply_frame, effects
    from ..clip.motion import pixel_motion

    chosen = effects(effects_name)
    if chosen.nothing:
        yield from frames
        return
    key = int.from_bytes(hashlib.blake2b(f"camera effects/{seed}/{camera}".encode(), digest_size=7).digest(), "little")

    def film(index: int, frame: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
        known = {"depth": clip.depth(camera, index) if clip.has(camera, "depth") else None}
        if chosen.exposure_s and clip.has(camera, "instances") and not clip.of_video:
            known["motion"] = pixel_motion(clip, camera, index) * np.float32(min(clip.record.fps, 1 / chosen.exposure_s))
        return apply_frame(frame, chosen, seed=key, frame=index, **known)

    waiting: deque[Future] = deque()
    with ThreadPoolExecutor(1, "camera") as pool:
        for index, frame in enumerate(frames):
            waiting.append(pool.submit(film, index, frame))
            if len(waiting) > _FRAMES_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
