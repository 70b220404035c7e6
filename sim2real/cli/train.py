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
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True, help="What trains.")
@click.option("--threads", type=click.IntRange(1, 256), metavar="N", help="Threads of the training.  [default: one per core]")
@click.option("--stop-after", type=click.IntRange(min=1), metavar="N", help="Stop with a checkpoint after step N.")
@click.option(
    "--minutes", type=click.FloatRange(min=0), metavar="M", help="Stop with a checkpoint after M minutes of training."
)
@debug_option
def command(
    recipe: Path,
    output: Path,
    clips: Path | None,
    device: str,
    threads: int | None,
    stop_after: int | None,
    minutes: float | None,
) -> None:
    """Train an embedded-type model on warped noise, from a recipe.

    Makes the training clips (path-traced random scenes) and their noise, then trains; what exists is kept, so that the same
    line goes on after an interrupt. The model comes out as DIR/model, anew with every checkpoint, for
    `sim2real generate CLIP --model DIR/model`.

    Examples:
      sim2real train assets/models/embedded/recipe.yaml -o out/training
      sim2real train assets/models/embedded/recipe.yaml -o out/training --minutes 60
    """
    from .training import train_recipe

    with progress.shown() as report:
        folder = train_recipe(
            recipe,
            output,
            clips=clips,
            device=device,
            threads=threads,
            stop_after=stop_after,
            minutes=minutes,
            progress=report,
            tell=lambda line: click.echo(line, err=True),
        )
    click.echo(str(folder) if folder else f"stopped; the same command goes on from {output}")
