"""``python -m sim2real.prepare OUTPUT``: make training clips; a stopped run goes on where it stopped."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from ..errors import BadValueError, Sim2RealError
from .clips import Recipe, make_training_clips

_USUAL = Recipe()


def _size(_context: click.Context, _option: click.Parameter, value: str) -> tuple[int, int]:
    width, cross, height = value.lower().partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise click.BadParameter(f"{value!r} is not WIDTHxHEIGHT")
    return int(height), int(width)


def _numbers(_context: click.Context, _option: click.Parameter, value: str | None) -> range | None:
    if value is None:
        return None
    first, dots, end = value.partition(":")
    if not (dots and first.isdigit() and end.isdigit()):
        raise click.BadParameter(f"{value!r} is not FIRST:END")
    return range(int(first), int(end))


@click.command()
@click.argument("output", type=click.Path(path_type=Path, file_okay=False))
@click.option("--clips", type=click.IntRange(1), default=_USUAL.clips, show_default=True, help="How many.")
@click.option("--first", type=click.IntRange(0), default=0, show_default=True, help="Number of the first one.")
@click.option("--numbers", callback=_numbers, metavar="FIRST:END", help="Which ones, in place of --clips and --first.")
@click.option("--frames", type=int, default=_USUAL.frames, show_default=True, help="Pictures of a clip that moves.")
@click.option(
    "--moving-every",
    type=click.IntRange(1),
    default=_USUAL.moving_every,
    show_default=True,
    help="Of every so many clips the last moves; the others are one picture each.",
)
@click.option("--size", callback=_size, default="256x192", show_default=True, metavar="WxH", help="Of the pictures.")
@click.option("--spp", type=click.IntRange(1), default=_USUAL.spp, show_default=True, help="Paths per pixel.")
@click.option(
    "--depth", "max_depth", type=click.IntRange(2), default=_USUAL.max_depth, show_default=True, help="Segments of a path."
)
@click.option("--seed", type=click.IntRange(0), default=_USUAL.seed, show_default=True, help="Of the scenes.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes of one thread each.")
@click.option("--assets/--no-assets", default=True, show_default=True, help="Photographed light, surfaces and models.")
def main(output: Path, clips: int, first: int, numbers: range | None, workers: int, **recipe: Any) -> None:
    """Make training clips in the folder OUTPUT; several runs may share it."""
    chosen = range(first, first + clips) if numbers is None else numbers
    if not len(chosen):
        raise BadValueError("the numbers of the clips", f"{chosen.start}:{chosen.stop}", right="FIRST:END with FIRST < END")
    wanted = Recipe(clips=chosen.stop, **recipe)
    began = time.monotonic()

    def progress(done: int, total: int) -> None:
        if done in (0, total) or done % 10 == 0:
            click.echo(f"{done} of {total} clips, {(time.monotonic() - began) / 60:.1f} min")

    make_training_clips(wanted, output, numbers=chosen, workers=workers, progress=progress, tell=click.echo)


if __name__ == "__main__":
    try:
        main.main(prog_name="python -m sim2real.prepare")
    except Sim2RealError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
