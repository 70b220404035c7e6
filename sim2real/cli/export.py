"""``sim2real export``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .main import Command
from .options import debug_option


@click.command("export", cls=Command)
@click.argument("clip", type=click.Path(path_type=Path))
@click.option(
    "--to",
    type=click.Choice(["gwtf", "latents", "cosmos-transfer1", "diffusion-renderer"]),
    required=True,
    help="Whose format; explained above.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="The file to make: .npy, .pt or .safetensors; .npy for gwtf; a folder for diffusion-renderer.",
)
@click.option("--camera", metavar="NAME", help="A camera of the clip.  [default: its only one; all for diffusion-renderer]")
@click.option("--for", "model", metavar="MODEL", help="The family that --to latents is for.  [default: wan-vace]")
@click.option(
    "--latent-time",
    type=click.Choice(["first", "middle", "last"]),
    help="The frame of its group that a latent stands for.  [default: the model's]",
)
@click.option(
    "--sigma-max",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="What --to cosmos-transfer1 multiplies the noise with.  [default: 80]",
)
@click.option(
    "--draws",
    type=click.IntRange(0, 1000),
    default=0,
    metavar="N",
    help="Also N further draws of the clip, as FILE-1.npy and so on, for samplers that add noise at every step "
    "(docs/samplers.md).",
)
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@debug_option
def command(clip: Path, to: str, output: Path, overwrite: bool, **options: Any) -> None:
    """Export a clip's noise for other people's models.

    gwtf: Go-with-the-Flow's noises.npy, float16 (frames, h, w, 16), every frame. latents: what a diffusers pipeline takes as
    latents=, one clip, axes in the family's order. cosmos-transfer1: x_sigma_max of its sampler, (1, 16, latents, h, w),
    8 frames per latent. A clip rendered with --factor 8 --channels 16 has what all of them want. diffusion-renderer: no noise,
    but the pictures that Cosmos DiffusionRenderer reads (base color, normals, depth, roughness, metallic), a folder per camera.

    Examples:
      sim2real export out/clip --to gwtf -o out/gwtf/noises.npy
      sim2real export out/clip --to latents --for cogvideox -o out/latents.pt
      sim2real export out/clip --to latents --for wan-vace --draws 3 -o out/latents.pt
      sim2real export out/clip --to cosmos-transfer1 --camera front -o out/x_sigma_max.pt
      sim2real export out/clip --to diffusion-renderer -o out/gbuffer_frames
    """
    if to == "diffusion-renderer":
        _export_gbuffers(clip, output, options, overwrite)
        return
    from ..diffusion.export import ExportOptions, draw_file, export_noise
    from .shared import record_of

    shape = export_noise(clip, output, to, record_of(ExportOptions, options), overwrite=overwrite)
    for draw in range(options["draws"] + 1):
        click.echo(f"{draw_file(output, draw)}  {' x '.join(str(n) for n in shape)}")


def _export_gbuffers(clip: Path, output: Path, options: dict[str, Any], overwrite: bool) -> None:
    """Pictures instead of noise; what belongs to noise is refused."""
    from ..diffusion.families.diffusion_renderer import PASSES, export_gbuffers
    from ..errors import BadValueError

    of_noise = {"for": options["model"], "latent-time": options["latent_time"], "sigma-max": options["sigma_max"]}
    for name, value in {**of_noise, "draws": options["draws"] or None}.items():
        if value is not None:
            raise BadValueError(f"--{name}", value, right="left out: --to diffusion-renderer writes no noise")
    for name, frames in export_gbuffers(clip, output, camera=options["camera"], overwrite=overwrite).items():
        click.echo(f"{output / name}  {frames} x {', '.join(PASSES)}")
