"""``sim2real generate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from . import progress
from .main import Command
from .options import debug_option, generate_options


@click.command("generate", cls=Command)
@click.argument("clip", type=click.Path(path_type=Path))
@click.option("--model", metavar="PATH|HUB_ID", help="A model folder or hub id.  [default: the embedded model]")
@generate_options
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, metavar="N", help="Seed of the look, and of the camera's grain."
)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", help="Where the embedded model runs.")
@debug_option
def command(clip: Path, **options: Any) -> None:
    """Generate footage from a clip folder, driven by its noise and its pictures.

    The footage goes to CLIP/CAMERA/generated/MODEL-SEED, or MODEL-restyle-SEED with --use restyle; the contact sheet and the
    report are drawn anew. `sim2real generate --look list` says what things can be made of.

    Examples:
      sim2real generate out/kitchen
      sim2real generate out/kitchen --camera-effects webcam --steps 4
      sim2real generate out/kitchen --use restyle --seed 1
      sim2real generate out/kitchen --use restyle --look loft,counter=oak --keep robot
    """
    from ..clip import read_clip
    from .shared import generate_footage, say_where

    with progress.shown() as report:
        done = generate_footage(read_clip(clip), options, report)
    say_where(done)
