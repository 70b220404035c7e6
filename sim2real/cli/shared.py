"""What commands share: read the scene, lay out the noise, render, make footage, say where things are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import BadValueError
from ..kinds import usual_names
from .scene_command import own_names

if TYPE_CHECKING:
    from ..clip import Clip
    from ..diffusion import ClipFacts, GenerateOptions
    from ..noise import Beta
    from ..noise.layout import NoiseLayout
    from ..render import RenderOptions
    from ..scene import Scene
    from .progress import Progress

Record = TypeVar("Record")


def record_of(record: type[Record], options: Mapping[str, Any], **others: Any) -> Record:
    """A record from the options of a command that have its fields' names, and others beside them."""
    chosen = {field.name: options[field.name] for field in fields(record) if field.name in options}  # type: ignore[arg-type]
    return record(**(chosen | others))


def load_scene(source: Path, options: dict[str, Any], *, show_notes: bool = True) -> Scene:
    """Read a scene with the options of ``scene_options`` and its reader's own, and show what the reader has to say."""
    from ..scene import LoadOptions, load

    own = {name: options[name] for name in own_names(source) if name in options}
    scene = load(source, record_of(LoadOptions, options), **own)
    for note in scene.notes if show_notes else ():
        click.echo(click.style("note: ", fg="yellow") + note, err=True)
    return scene


def layout_of(model: str, factor: int | None, channels: int | None, latent_time: str | None) -> NoiseLayout:
    """The noise layout of a model, changed by hand where options say so."""
    from ..diffusion.families import layout_for

    by_hand = {"factor": factor, "channels": channels, "latent_time": latent_time}
    return replace(layout_for(model), **{name: value for name, value in by_hand.items() if value is not None})


def kinds_for(model: str, only: frozenset[str] | None) -> frozenset[str]:
    """The kinds of pictures to write: those asked for or, without any, the usual ones and what a model needs."""
    if only is not None:
        return only
    from ..diffusion.families import family_of

    family = family_of(model)
    return usual_names().union(family.needs, family.better_with)


def render(source: Path, output: Path, options: dict[str, Any], progress: Progress) -> Clip:
    """Render a scene file to a clip folder with the options of both groups."""
    scene, wanted = asked_of_render(source, output, options)
    _note_what_footage_takes(scene, wanted, options)
    return rendered(scene, wanted, output, progress)


def _note_what_footage_takes(scene: Scene, wanted: RenderOptions, options: dict[str, Any]) -> None:
    """Say before rendering that the model of ``--for`` will not take so many frames, or such a size."""
    if "noise" in wanted.kinds:
        from ..render.plan import planned

        note_of_footage(options["model"], wanted.layout, scene.frames, planned(scene, wanted).size)


def note_of_footage(model: str, layout: NoiseLayout, frames: int, size: tuple[int, int]) -> None:
    """Say that a model will not take so many frames, or such a size, of noise that is laid out for it."""
    from ..diffusion.families import family_of
    from ..diffusion.family import ClipFacts, ModelFamily
    from ..diffusion.options import GenerateOptions

    family = family_of(model)
    if layout != family.layout:
        return
    try:
        ModelFamily.check(family, GenerateOptions(), ClipFacts(frames, size))
    except BadValueError as why:
        click.echo(click.style("note: ", fg="yellow") + f"sim2real generate will not take this clip: {why}", err=True)


def asked_of_render(source: Path, output: Path, options: dict[str, Any]) -> tuple[Scene, RenderOptions]:
    """The scene that is read and what is asked for of it, once the output is known to be free."""
    from ..clip import check_output
    from ..diffusion import check_finer

    check_output(output, overwrite=options["overwrite"])
    check_finer(options["model"], options["fine"])
    layout = layout_of(options["model"], options["factor"], options["channels"], options["latent_time"])
    scene = load_scene(source, options)
    from ..render import RenderOptions

    wanted = record_of(
        RenderOptions,
        options,
        cameras=options["cameras"] or None,
        layout=layout,
        beta=beta_of(options["beta"], options["degradation"]),
        only=kinds_for(options["model"], options["only"]),
        scene_options=reading_record(source, options),
    )
    return scene, wanted


def rendered(scene: Scene, wanted: RenderOptions, output: Path, progress: Progress) -> Clip:
    """The clip folder of a scene that is read."""
    from ..render import render_clip

    return render_clip(scene, output, wanted, progress=progress)


def beta_of(beta: Beta | None, degradation: Beta | None) -> Beta:
    """The share of surface noise in whichever of its two spellings it was given.

    Raises:
        BadValueError: both were given.
    """
    if degradation is None:
        return 1.0 if beta is None else beta
    if beta is not None:
        raise BadValueError("--degradation", degradation, right="left out beside --beta", fix="both say the same thing")
    from ..noise import beta_from_degradation

    if isinstance(degradation, Mapping):
        return {name: beta_from_degradation(value) for name, value in degradation.items()}
    return beta_from_degradation(degradation)


def reading_record(source: Path, options: dict[str, Any]) -> dict[str, Any]:
    """The options that tell how a scene is read, as far as they differ from their defaults, as JSON can hold them."""
    from ..scene import LoadOptions

    usual = {field.name: field.default for field in fields(LoadOptions)} | dict.fromkeys(own_names(source))
    found = {name: options[name] for name, default in usual.items() if options.get(name) not in (None, default)}
    return {name: str(value) if isinstance(value, Path) else value for name, value in found.items()}


def options_of_footage(options: dict[str, Any]) -> GenerateOptions:
    """What the options of a command ask of a video model."""
    from ..diffusion import GenerateOptions, LargeModelOptions, Lora

    large = {"controls": options["controls"] or {}, "loras": tuple(Lora(path, scale) for path, scale in options["loras"])}
    large["timesteps"] = options["timesteps"] or ()
    return record_of(
        GenerateOptions,
        options,
        keep=options["keep"] or (),
        change=options["change"] or (),
        large=record_of(LargeModelOptions, options, **large),
    )


def check_inputs_of_footage(options: dict[str, Any]) -> int:
    """Refuse, before anything is rendered, options that leave nothing for a model to work on.

    Returns:
        How many further draws of the noise the model's sampler takes.

    Raises:
        BadValueError: ``--only`` leaves out what the model needs, the noise is laid out for none, ``--onto`` is footage, which
            a new clip does not have, or the model cannot do what is asked of it.
        UnknownNameError: a model, look or material that does not exist.
    """
    from ..diffusion import check_options

    asked = options_of_footage(options)
    family = check_options(asked)
    if asked.onto not in (None, "rgb"):
        raise BadValueError("--onto", asked.onto, right="rgb: a new clip has no footage", fix="or use: sim2real generate")
    only: frozenset[str] | None = options["only"]
    kinds = [*family.needs_of(asked, of_video=False), *(["rgb"] * (asked.onto == "rgb")), *(["instances"] * bool(asked.change))]
    needed = list(dict.fromkeys(kinds))
    lacking = [kind for kind in needed if only is not None and kind not in only]
    if only is not None and lacking:
        received = ",".join(sorted(only))
        raise BadValueError(
            "--only", received, right=f"with {', '.join(lacking)}, which footage is made from", fix="or use: sim2real render"
        )
    if options["rgb"] != "ours" and "rgb" in family.needs:
        right = "ours, which the model of --for is given and knows"
        raise BadValueError("--rgb", options["rgb"], right=right, fix="or use: sim2real render")
    for name in ("factor", "channels"):
        if options[name] is not None:
            raise BadValueError(
                f"--{name}", options[name], right="left out: the model of --for decides", fix="or use: sim2real render"
            )
    return family.draws_needed(asked)


def check_scene_of_footage(scene: Scene, wanted: RenderOptions, options: dict[str, Any]) -> ClipFacts:
    """Refuse, before anything is rendered, a scene that the model cannot take, or without what ``--look`` and ``--keep`` name.

    Returns:
        What the model will be asked to make at once: a camera, or the canvas of all.

    Raises:
        UnknownNameError: no such class or instance; the message lists them.
        BadValueError: a number of frames, or a size, that the model does not take, or fewer tiles than cameras.
    """
    from ..diffusion import ClipFacts, family_of
    from ..diffusion.pipelines.canvas import canvas_size, require_tiles
    from ..render.plan import planned

    asked, plan = options_of_footage(options), planned(scene, wanted)
    size = plan.size
    if asked.canvas is not None:
        require_tiles(asked.canvas, len(plan.cameras), where=scene.source)
        size = canvas_size(size, *asked.canvas)
    facts = ClipFacts(scene.frames, size, scene.instances)
    family_of(asked.model).check_footage(asked, facts)
    return facts


def check_footage(clip: Clip, options: dict[str, Any]) -> None:
    """Refuse, before any model is loaded, a clip that lacks what the model needs, or options that it does not take."""
    from ..diffusion import check_clip

    check_clip(clip, options_of_footage(options))


def facts_of_clips(clips: Sequence[Clip], options: dict[str, Any]) -> list[ClipFacts]:
    """What a model is asked to make at once of each clip."""
    from ..diffusion.pipelines.canvas import facts_of

    asked = options_of_footage(options)
    return [facts_of(clip, asked) for clip in clips]


def say_estimate(facts: Sequence[ClipFacts], options: dict[str, Any]) -> None:
    """Say how much memory and time the model will take, where that can be known before it is loaded."""
    from ..diffusion import family_of

    asked = options_of_footage(options)
    said = {family_of(asked.model).expected(asked, fact) for fact in facts}
    for sentence in sorted(one for one in said if one is not None):
        click.echo(sentence, err=True)


def generate_footage(clip: Clip, options: dict[str, Any], progress: Progress) -> Clip:
    """Generate footage for every camera of a clip, then draw the contact sheet and the report anew."""
    from ..clip import readable_write_errors, write_pages
    from ..diffusion import generate

    generate(clip.path, options_of_footage(options), progress=progress)
    with readable_write_errors(clip.path):
        progress("contact sheet and report", 0, 1)
        write_pages(clip)
        progress("contact sheet and report", 1, 1)
    return clip


def say_where(clip: Clip) -> None:
    """Print where the results are, most useful first."""
    rows = [("contact sheet", clip.path / "sheet.png"), ("report", clip.path / "report.html"), ("clip folder", clip.path)]
    for camera in clip.cameras:
        rows += [(f"footage, {camera}", folder / "video.mp4") for folder in clip.generated(camera)]
        rows += [(f"video, {camera}", clip.path / camera / "rgb.mp4")] if clip.has(camera, "rgb") else []
    width = max(len(name) for name, _ in rows)
    for name, path in rows:
        click.echo(f"{name:<{width}}  {path}")
