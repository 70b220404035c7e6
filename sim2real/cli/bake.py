"""``sim2real bake``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import progress
from .options import debug_option, scene_options
from .scene_command import SceneCommand
from .types import Seed

if TYPE_CHECKING:
    from ..render import Baked


@click.command("bake", cls=SceneCommand)
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
@click.option("--seed", type=Seed(), default=0, metavar="N", help="Seed of the noise, as of render.")
@click.option("--background", is_flag=True, help="Also bake the sphere of directions, as the six faces of a cube.")
@click.option("--overwrite", is_flag=True, help="Replace a folder that was baked before.")
@debug_option
def command(scene: Path, output: Path, **options: Any) -> None:
    """Write a scene's noise as Gaussian textures on a GLB, for renderers that know nothing of surface noise.

    DIR gets scene.glb, whose UVs index the textures (the pictures inside are previews), one float32 .npy of shape
    (rows, columns, channels) per part, and bake.json. The texels are the cells that `sim2real render` integrates, bit for bit.

    Examples:
      sim2real bake scenes/tabletop.yaml -o out/baked
      sim2real bake mug.glb -o out/mug-noise --level 11 --channels 16
      sim2real bake scenes/kitchen.yaml -o out/kitchen-noise --texels-per-metre 100 --background
    """
    with progress.shown() as report:
        baked = _bake(scene, output, options, report)
    _say_what(baked, output)


def _bake(source: Path, output: Path, options: dict[str, Any], report: progress.Progress) -> Baked:
    """Bake a scene file's noise with the options of the command."""
    from ..clip import check_output
    from .shared import load_scene, record_of

    check_output(output, overwrite=options["overwrite"])
    scene = load_scene(source, options)
    from ..render import BakeOptions, bake_scene

    return bake_scene(scene, output, record_of(BakeOptions, options), progress=report)


def _say_what(baked: Baked, output: Path) -> None:
    """Print what was written, the scene first."""
    sides = sorted({2**texture.level for texture in baked.textures})
    span = f"{sides[0]}x{sides[0]}" + (f" to {sides[-1]}x{sides[-1]}" if len(sides) > 1 else "")
    megabytes = sum((output / texture.file).stat().st_size for texture in baked.textures) / 1e6
    rows = [
        ("scene", str(output / "scene.glb")),
        ("textures", f"{len(baked.textures)} of {span}, {baked.channels} channels, {megabytes:.1f} MB"),
        ("record", str(output / "bake.json")),
    ]
    for name, value in rows:
        click.echo(f"{name:<8}  {value}")
