"""``sim2real train``."""

from __future__ import annotations

from pathlib import Path

import click

from . import progress
from .main import Command
from .options import debug_option


@click.command("train", cls=Command)
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where the run goes.")
@click.option(
    "--clips", type=click.Path(path_type=Path), metavar="DIR", help="Folder of the training clips.  [default: DIR/clips]"
)
@click.option("--threads", type=click.IntRange(1, 256), metavar="N", help="Threads of the training.  [default: one per core]")
@click.option("--stop-after", type=click.IntRange(min=1), metavar="N", help="Stop with a checkpoint after step N.")
@debug_option
def command(recipe: Path, output: Path, clips: Path | None, threads: int | None, stop_after: int | None) -> None:
    """Train an embedded-type model on warped noise, from a recipe.

    Makes the training clips (path-traced random scenes) and their noise, then trains; what exists is kept, so that the same
    line goes on after an interrupt. The model comes out as DIR/model, for `sim2real generate CLIP --model DIR/model`.

    Examples:
      sim2real train assets/models/embedded/recipe.yaml -o out/training
    """
    from .training import train_recipe

    with progress.shown() as report:
        folder = train_recipe(recipe, output, clips=clips, threads=threads, stop_after=stop_after, progress=report)
    click.echo(str(folder) if folder else f"stopped; the same command goes on from {output}")
