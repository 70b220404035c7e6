"""``sim2real sense``."""

from __future__ import annotations

from pathlib import Path

import click

from . import progress
from .main import Command
from .options import debug_option
from .types import Seed


def _list_sensors(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Print the names of the sensors, and end there, if they are asked for."""
    if value != "list" or context.resilient_parsing:
        return value
    from ..sensors import NAMES

    click.echo("\n".join(NAMES))
    context.exit()


@click.command("sense", cls=Command)
@click.argument("clip", type=click.Path(path_type=Path))
@click.option(
    "--sensor",
    "name",
    metavar="NAME|FILE.yaml|list",
    default="realsense_d435",
    is_eager=True,
    callback=_list_sensors,
    help="A sensor by name, or a file of parameters; list prints the names.",
)
@click.option("--seed", type=Seed(), default=0, metavar="N", help="Seed of all that is random.")
@click.option("--vary", is_flag=True, help="Another specimen of the sensor by every seed: parameters vary in their ranges.")
@click.option("--camera", metavar="NAME", help="A camera of the clip.  [default: all]")
@debug_option
def command(clip: Path, name: str, seed: int, vary: bool, camera: str | None) -> None:
    """Film a clip with a sensor: motion blur, rolling shutter, noise, compression; depth with steps, noise and holes.

    The newest footage is filmed, or the render where there is none; use footage that no other camera has filmed (generate
    --camera-effects none). Pictures and depth go to CLIP/CAMERA/sensed, beside the ideal ones; labels stay true. With
    --sensor list, the sensors are named.

    Examples:
      sim2real sense out/kitchen
      sim2real sense out/kitchen --sensor kinect_azure --seed 3 --vary
      sim2real sense out/kitchen --sensor my_camera.yaml --camera wrist
    """
    from ..clip import read_clip, readable_write_errors, write_pages
    from ..dataset.clips import DatasetClip
    from ..sensors import sensor_of, write_sensed

    chosen = sensor_of(name).varied(seed) if vary else sensor_of(name)
    found = read_clip(clip)
    seen = DatasetClip("clip", found)
    cameras = found.cameras if camera is None else [found.camera_name(camera)]
    with progress.shown() as report:
        for own in cameras:

            def tell(done: int, total: int, own: str = own) -> None:
                report(f"sense {own}", done, total)

            write_sensed(found, own, chosen, seed, seen.ideal(own), source=seen.ideal_source(own), progress=tell)
        with readable_write_errors(found.path):
            write_pages(found)
    width = max(map(len, cameras))
    for own in cameras:
        click.echo(f"{chosen.name}, {own:<{width}}  {found.folder(own) / 'sensed'}")
