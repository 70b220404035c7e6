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
@click.option(
    "--finisher",
    type=click.Choice(["realesrgan"]),
    help="Details as a network knows them from photographs, instead of those of the large clip.",
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Of the finisher: RealESRGAN_x4plus as .pth, .safetensors or ncnn's .param.  [default: those of sim2real[realesrgan]]",
)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", help="Where the finisher runs.")
@debug_option
def command(
    clip: Path,
    small: Path,
    footage: str,
    camera: str | None,
    finisher: str | None,
    weights: Path | None,
    device: str,
) -> None:
    """Bring the footage of a small clip to the size of a large one.

    CLIP is the same scene with the same frames and cameras, rendered larger with --for embedded: its depth, normals, colors and
    light say where surfaces end, the footage what they look like. The result is CLIP/CAMERA/generated/NAME-upsampled. With
    --finisher realesrgan, CLIP may hold nothing but noise: the result, NAME-realesrgan, is drawn from the footage alone.

    Examples:
      sim2real run scene.yaml --size 240x320 --camera-effects none -o out/small
      sim2real render scene.yaml --size 960x1280 --for embedded -o out/large
      sim2real upsample out/large --from out/small --footage embedded-0
      sim2real upsample out/large --from out/small --finisher realesrgan
    """
    from ..clip import read_clip, write_pages
    from ..diffusion.edits.upsampling import upsample
    from .shared import say_where

    with progress.shown() as report:
        asked = {"camera": camera, "finisher": finisher, "weights": weights, "device": device}
        done = read_clip(upsample(clip, small, footage, **asked, progress=report))
        write_pages(done)
    say_where(done)
