"""``sim2real generate``."""

from __future__ import annotations

from pathlib import Path

import click

from . import progress
from .main import Command
from .options import debug_option, generate_options


@click.command("generate", cls=Command)
@click.argument("clip", type=click.Path(path_type=Path))
@click.option("--model", metavar="PATH|HUB_ID", help="A model folder or hub id.  [default: the embedded model]")
@generate_options
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, metavar="N", help="Seed of what the clip's noise does not fix."
)
@debug_option
def command(clip: Path, model: str | None, prompt: str | None, steps: int | None, seed: int) -> None:
    """Generate footage from a clip folder, driven by its noise, depth and edges.

    The footage goes to CLIP/CAMERA/generated/MODEL-SEED; the contact sheet and the report are drawn anew.

    Examples:
      sim2real generate out/kitchen
      sim2real generate out/kitchen --steps 8 --seed 1
    """
    from ..clip import read_clip
    from .generating import generate_footage
    from .rendering import say_where

    with progress.shown() as report:
        done = generate_footage(read_clip(clip), model=model, prompt=prompt, steps=steps, seed=seed, progress=report)
    say_where(done)
