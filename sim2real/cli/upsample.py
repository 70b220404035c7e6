"""``sim2real upsample``."""

from __future__ import annotations

from pathlib import Path

import click

from . import progress
from .main import Command
from .options import debug_option


@click.command("upsample", cls=Command)
@click.argument("clip", type=click.Path(path_type=Path))
@click.option("--from", "small", type=click.Path(path_type=Path), required=True, metavar="CLIP", help="The small clip folder.")
@click.option("--footage", metavar="NAME", default="embedded-0", show_default=True, help="Its footage, by name.")
@click.option("--camera", metavar="NAME", help="One camera.  [default: all that have this footage]")
@debug_option
def command(clip: Path, small: Path, footage: str, camera: str | None) -> None:
    """Bring the footage of a small clip to the size of a large one.

    CLIP is the same scene with the same frames and cameras, rendered larger with --for embedded: its depth, normals, colors and
    light say where surfaces end, the footage what they look like. The result is CLIP/CAMERA/generated/NAME-upsampled.

    Examples:
      sim2real run scene.yaml --size 240x320 --camera-effects none -o out/small
      sim2real render scene.yaml --size 960x1280 --for embedded -o out/large
      sim2real upsample out/large --from out/small --footage embedded-0
    """
    from ..clip import read_clip, write_pages
    from ..diffusion.edits.upsampling import upsample
    from .shared import say_where

    with progress.shown() as report:
        done = read_clip(upsample(clip, small, footage, camera=camera, progress=report))
        write_pages(done)
    say_where(done)
