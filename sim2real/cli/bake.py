"""``sim2real bake``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from . import progress
from .main import Command
from .options import debug_option, scene_options


@click.command("bake", cls=Command)
@scene_options
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The folder to make.")
@click.option("--level", type=click.IntRange(1, 14), metavar="L", help="2^L texels per side of every texture.  [default: 9]")
@click.option(
    "--texels-per-metre",
    type=click.FloatRange(min=0, min_open=True),
    metavar="D",
    help="Instead of --level: textures at least that dense, each part at a level of its own.",
)
@click.option("--channels", type=click.IntRange(1, 1024), default=3, metavar="C", help="Channels of the noise.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, metavar="N", help="Seed of the noise, as of render.")
@click.option("--background", is_flag=True, help="Also bake the sphere of directions, as the six faces of a cube.")
@click.option("--overwrite", is_flag=True, help="Replace a folder that was baked before.")
@debug_option
def command(
    scene: Path,
    output: Path,
    level: int | None,
    texels_per_metre: float | None,
    channels: int,
    seed: int,
    background: bool,
    overwrite: bool,
    **options: Any,
) -> None:
    """Write a scene's noise as Gaussian textures on a GLB, for renderers that know nothing of surface noise.

    DIR gets scene.glb, whose UVs index the textures (the pictures inside are previews), one float32 .npy of shape
    (rows, columns, channels) per part, and bake.json. The texels are the cells that `sim2real render` integrates, bit for bit.

    Examples:
      sim2real bake scenes/tabletop.yaml -o out/baked
      sim2real bake mug.glb -o out/mug-noise --level 11 --channels 16
      sim2real bake scenes/kitchen.yaml -o out/kitchen-noise --texels-per-metre 100 --background
    """
    from .baking import bake, say_what

    settings = {"level": level, "texels_per_metre": texels_per_metre, "channels": channels, "seed": seed}
    with progress.shown() as report:
        baked = bake(scene, output, options, {**settings, "background": background, "overwrite": overwrite}, report)
    say_what(baked, output)
