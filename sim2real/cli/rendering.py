"""What ``run`` and ``render`` share: read the scene, lay out the noise, render, say where things are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import BadValueError

if TYPE_CHECKING:
    from ..clip import Clip
    from ..noise import Beta
    from ..noise.layout import NoiseLayout
    from ..scene import Scene
    from .progress import Progress

READING = ("states", "demo", "orbit", "frames", "stride", "size", "fps", "intrinsics", "asset_root", "groups")
"""Options that tell how a scene is read."""


def load_scene(source: Path, options: dict[str, Any], *, show_notes: bool = True) -> Scene:
    """Read a scene with the options of ``scene_options`` and show what the reader has to say."""
    from ..scene import load

    scene = load(source, **{name: options[name] for name in READING})
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
    from ..render import DEFAULT_KINDS

    return DEFAULT_KINDS.union(family_of(model).needs)


def render(
    source: Path,
    output: Path,
    options: dict[str, Any],
    progress: Progress,
    check: Callable[[Scene], None] | None = None,
) -> Clip:
    """Render a scene file to a clip folder with the options of both groups; ``check`` may refuse the scene before that."""
    from ..clip import check_output

    check_output(output, overwrite=options["overwrite"])
    layout = layout_of(options["model"], options["factor"], options["channels"], options["latent_time"])
    scene = load_scene(source, options)
    if check is not None:
        check(scene)
    from ..render import render_clip

    return render_clip(
        scene,
        output,
        cameras=options["cameras"] or None,
        size=options["size"],
        layout=layout,
        seed=options["seed"],
        beta=beta_of(options["beta"], options["degradation"]),
        device=options["device"],
        only=kinds_for(options["model"], options["only"]),
        overwrite=options["overwrite"],
        threads=options["threads"],
        progress=progress,
        scene_options=reading_record(options),
    )


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


def reading_record(options: dict[str, Any]) -> dict[str, Any]:
    """The reading options that differ from their defaults, as JSON can hold them."""
    record: dict[str, Any] = {}
    for name in READING:
        value = options[name]
        if value is None or value is False or (name == "stride" and value == 1):
            continue
        record[name] = str(value) if isinstance(value, Path) else value
    return record


def say_where(clip: Clip) -> None:
    """Print where the results are, most useful first."""
    rows = [("contact sheet", clip.path / "sheet.png"), ("report", clip.path / "report.html"), ("clip folder", clip.path)]
    for camera in clip.cameras:
        rows += [(f"footage, {camera}", folder / "video.mp4") for folder in clip.generated(camera)]
        rows += [(f"video, {camera}", clip.path / camera / "rgb.mp4")] if clip.has(camera, "rgb") else []
    width = max(len(name) for name, _ in rows)
    for name, path in rows:
        click.echo(f"{name:<{width}}  {path}")
