"""``sim2real generate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import progress
from .main import Command
from .options import debug_option, generate_options, quick_option
from .types import Seed

if TYPE_CHECKING:
    from ..clip import Clip
    from .progress import Progress


@click.command("generate", cls=Command)
@click.argument("clips", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="CLIP...")
@click.option(
    "--model",
    metavar="NAME|PATH|HUB_ID",
    help="A family's name, a model folder or a hub id (see: sim2real families).  [default: the embedded model]",
)
@generate_options
@click.option("--seed", type=Seed(), default=0, metavar="N", help="Seed of the look, and of the camera's grain.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", help="Where the embedded model runs.")
@quick_option
@debug_option
def command(clips: tuple[Path, ...], dry_run: bool, **options: Any) -> None:
    """Generate footage from clip folders, driven by their noise and their pictures; the model is loaded once.

    The footage goes to CLIP/CAMERA/generated/MODEL-SEED, or MODEL-restyle-SEED with --use restyle; the contact sheet and the
    report are drawn anew. `sim2real generate --look list` says what things can be made of.

    Examples:
      sim2real generate out/kitchen
      sim2real generate out/kitchen --camera-effects webcam --steps 4
      sim2real generate out/kitchen --use restyle --seed 1
      sim2real generate out/kitchen --use restyle --look loft,counter=oak --keep robot
      sim2real generate out/a out/b --model wan-vace --prompt auto --control depth=0.6,edges=0.4
      sim2real generate out/rig --model wan-vace --prompt auto --canvas 1x2 --dry-run
    """
    from ..clip import read_clip
    from .shared import check_footage, facts_of_clips, generate_footage, say_estimate, say_where

    opened = [read_clip(clip) for clip in clips]
    for clip in opened:
        check_footage(clip, options)
    say_estimate(facts_of_clips(opened, options), options)
    if dry_run:
        click.echo("nothing is missing; no footage was made (--dry-run)")
        return
    with progress.shown() as report:
        done = [generate_footage(clip, options, _of_clip(report, clip) if len(opened) > 1 else report) for clip in opened]
    for clip in done:
        say_where(clip)


def _of_clip(report: Progress, clip: Clip) -> Progress:
    """Progress whose stages have a clip's name, as several clips have stages of one name."""
    return lambda what, done, total: report(f"{clip.path}: {what}", done, total)
