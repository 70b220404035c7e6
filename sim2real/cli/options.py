"""Options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .. import kinds
from .sections import SectionOption
from .types import RGB_OR_PATH, Choices, Falling, Intrinsics, LoraFile, Names, Seed, Shares, Size, Tiles, Weights

Command = TypeVar("Command", bound=Callable[..., Any])


size_option = click.option("--size", type=Size(), metavar="HxW", help="Picture size in pixels.  [default: the scene's]")
intrinsics_option = click.option(
    "--intrinsics",
    type=Intrinsics(),
    metavar="FX,FY,CX,CY",
    help="Intrinsics in pixels of --size, instead of the file's.",
)


draws_option = click.option(
    "--draws",
    type=click.IntRange(0, 1000),
    default=0,
    metavar="N",
    help="N further draws of the noise on the same geometry, for samplers that add noise at every step (docs/samplers.md).",
)


def scene_options(function: Command) -> Command:
    """SCENE and what tells any reader how to read it; ``SceneCommand`` adds what the reader of SCENE alone takes."""
    for decorate in reversed(
        (
            click.argument("scene", type=click.Path(path_type=Path)),
            click.option("--orbit", is_flag=True, help="Add a camera that circles the scene."),
            click.option(
                "--frames", type=click.IntRange(min=1), metavar="N", help="The first N frames (after --stride).  [default: all]"
            ),
            click.option(
                "--stride", type=click.IntRange(min=1), default=1, metavar="S", help="Keep every S-th frame of the rollout."
            ),
            click.option(
                "--interpolate",
                type=click.IntRange(1, 1000),
                default=1,
                metavar="N",
                help="N times the frames a second, with frames put between those of the rollout.",
            ),
            size_option,
            click.option(
                "--fps",
                type=click.FloatRange(min=0, min_open=True, max=1000),
                metavar="F",
                help="Frames per second.  [default: the scene's]",
            ),
            intrinsics_option,
            click.option(
                "--camera-file",
                type=click.Path(path_type=Path),
                metavar="FILE.json",
                help="Cameras that are added, such as sim2real calibrate writes (docs/cameras.md).",
            ),
            click.option(
                "--light",
                metavar="NAME|FILE.exr",
                help="A panorama that lights the scene: apartment, lobby, lab, studio, warehouse, workshop, city, courtyard, "
                "park, dawn or a file; :DEGREES turns it. model: the rollout's own light, whatever a scene file says.  "
                "[default: the scene's own lamps, or its sun and sky]",
            ),
            click.option(
                "--camera-track",
                type=click.Path(path_type=Path),
                metavar="FILE|DIR",
                help="A recorded camera path to see the scene along: of TUM, KITTI, nerfstudio (transforms.json), COLMAP.",
            ),
            click.option(
                "--track-format",
                type=click.Choice(["tum", "kitti", "nerfstudio", "colmap"]),
                help="The format of --camera-track.  [default: found by its content]",
            ),
            click.option(
                "--track-scale",
                type=click.FloatRange(min=0, min_open=True),
                metavar="M",
                help="Metres per unit of the track; COLMAP has none of its own.  [default: 1]",
            ),
            click.option(
                "--world-from-track",
                metavar="AXES|FILE|M11,...",
                help="The track's world in the scene's: z-up, y-up, y-down, a file with 4x4 numbers, or these with commas.  "
                "[default: the same]",
            ),
            click.option(
                "--track-fov",
                type=click.FloatRange(min=0, max=180, min_open=True, max_open=True),
                metavar="DEG",
                help="Vertical field of view of a track without intrinsics.  [default: 45]",
            ),
        )
    ):
        function = decorate(function)
    return function


def render_options(function: Command) -> Command:
    """What to render, and how."""
    for decorate in reversed(
        (
            click.option(
                "-o",
                "--output",
                type=click.Path(path_type=Path),
                required=True,
                metavar="CLIP",
                help="The clip folder to make.",
            ),
            click.option(
                "--camera",
                "cameras",
                multiple=True,
                metavar="NAME",
                help="A camera of the scene; may be repeated.  [default: all]",
            ),
            click.option(
                "--for",
                "model",
                default="embedded",
                metavar="MODEL",
                help="The model that the clip is for, by its family's name: it decides the noise's layout and what is written.",
            ),
            click.option(
                "--factor", type=click.IntRange(1, 64), metavar="F", help="Pixels per latent.  [default: the model's]"
            ),
            click.option(
                "--channels", type=click.IntRange(1, 1024), metavar="C", help="Channels of the noise.  [default: the model's]"
            ),
            click.option(
                "--latent-time",
                type=click.Choice(["first", "middle", "last"]),
                help="The frame of its group that a latent stands for.  [default: the model's]",
            ),
            click.option(
                "--beta",
                type=Shares(),
                metavar="B|NAME=B,...",
                help="Share of surface noise: B * surface + sqrt(1 - B^2) * fresh; or shares by class or instance: "
                "robot=1,background=0.5,*=0.9.  [default: 1]",
            ),
            click.option(
                "--degradation",
                type=Shares(),
                metavar="A|NAME=A,...",
                help="The same as Go-with-the-Flow spells it, instead of --beta: B = (1 - A) / sqrt((1 - A)^2 + A^2).",
            ),
            click.option("--seed", type=Seed(), default=0, metavar="N", help="Seed of the noise."),
            draws_option,
            click.option(
                "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", help="Where to rasterize and draw noise."
            ),
            click.option(
                "--only",
                type=Choices(kinds.names),
                metavar="KIND,...",
                help=f"Write only some of {', '.join(kinds.names())}.  "
                "[default: all but flow; albedo, material, light, reflection, gloss, coverage, behind "
                "only if the model of --for takes them]",
            ),
            click.option(
                "--rgb",
                type=click.Choice(kinds.RGB_RENDERERS),
                default="ours",
                help="Who makes the pictures rgb: our renderer, pyrender (OpenGL) or mitsuba (path tracing).",
            ),
            click.option(
                "--rgb-samples",
                type=click.IntRange(1, 1 << 20),
                metavar="N",
                help="Paths per pixel of --rgb mitsuba.  [default: 64]",
            ),
            click.option(
                "--threads", type=click.IntRange(1, 256), metavar="N", help="Frames rendered at once.  [default: one per core]"
            ),
            click.option(
                "--fine",
                type=click.IntRange(1, kinds.MOST_FINE),
                default=1,
                metavar="N",
                help="Also render what the embedded model makes footage from N times as wide and high; the footage, reduced to "
                "the size of the clip, has clean borders and thin lines. About N * N times the time.",
            ),
            click.option(
                "--as-live",
                is_flag=True,
                help="Find exposure and shadows from the first frame alone: the pictures that sim2real.live makes of a running "
                "simulation, bit for bit.",
            ),
            click.option("--overwrite", is_flag=True, help="Replace an existing clip folder."),
        )
    ):
        function = decorate(function)
    return function


quick_option = click.option(
    "--quick",
    is_flag=True,
    help="In less time: light from a quarter of the places, and the embedded model's network at half the size; softer.",
)
"""Of rendering and of footage."""


def _list_looks(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Print what ``--look`` may say, and end there, if it says ``list``."""
    if value != "list" or context.resilient_parsing:
        return value
    from .looks import looks_text

    click.echo(looks_text())
    context.exit()


def generate_options(function: Command) -> Command:
    """What to ask of a video model."""
    for decorate in reversed(
        (
            click.option(
                "--use",
                type=click.Choice(["keep", "restyle"]),
                default="keep",
                help="keep: the simulator's colors and textures stay, light and camera become real; restyle: everything gets "
                "a new surface.",
            ),
            click.option(
                "--look",
                metavar="NAME|CLASS=MATERIAL,...|list",
                is_eager=True,
                callback=_list_looks,
                help="For restyle: a look, materials by class (loft,table=oak,wall=plaster), or both; list prints them all.  "
                "[default: the seed's]",
            ),
            click.option(
                "--keep",
                type=Names(),
                metavar="CLASS,...",
                help="For restyle: classes or instances that keep their own colors; * stands for anything (panda0_*).",
            ),
            click.option(
                "--wear",
                type=click.FloatRange(0, 3),
                default=1.0,
                metavar="SHARE",
                help="Stains, dust and prints on surfaces that keep their colors, drawn by the noise: 0 is as new, 1 a "
                "household's.",
            ),
            click.option(
                "--change",
                type=Names(),
                metavar="CLASS,...",
                help="Make only these classes or instances anew; all other pixels stay what they are in --onto.",
            ),
            click.option(
                "--onto",
                metavar="FOOTAGE",
                help="What --change edits, or --invert begins from: rgb, or footage of this clip by name, such as embedded-0.",
            ),
            click.option(
                "--camera-effects",
                type=click.Choice(["none", "phone", "webcam", "realsense"]),
                help="The camera that films it.  [default: phone for the embedded model, else none]",
            ),
            click.option("--steps", type=click.IntRange(1, 1000), metavar="N", help="Sampling steps.  [default: the model's]"),
            click.option(
                "--dry-run", is_flag=True, help="Check everything, say what it would take of memory and time, and end."
            ),
            *_large_model_options(),
        )
    ):
        function = decorate(function)
    return function


LARGE = "Large models"
"""The section of the help that lists what the embedded model does not take."""


def _large_model_options() -> tuple[Callable[[Command], Command], ...]:
    """What to ask of models that run through diffusers; the names are those of ``LargeModelOptions``."""

    def option(*names: str, **about: Any) -> Callable[[Command], Command]:
        return click.option(*names, cls=SectionOption, section=LARGE, **about)

    return (
        option("--prompt", metavar="TEXT|auto", help="What the footage should show; auto writes it from the scene."),
        option("--negative-prompt", metavar="TEXT", help="What it should not show."),
        option(
            "--control",
            "controls",
            type=Weights(),
            metavar="KIND=W,...",
            help="What the model follows, and how closely: depth=0.6,edges=0.4.  [default: the family's first kind]",
        ),
        option("--guidance", type=float, metavar="G", help="Weight of the prompt.  [default: the family's]"),
        option(
            "--canvas",
            type=Tiles(),
            metavar="RxC",
            help="Make all cameras as one picture of R rows and C columns of tiles, so that they share a look.",
        ),
        option(
            "--scheduler", metavar="NAME", help="A sampler: UniPC, DDIM, LCM ... (docs/samplers.md).  [default: the model's]"
        ),
        option(
            "--timesteps",
            type=Falling(),
            metavar="T,...",
            help="What the model is told, step by step, in the place of --steps: a few-step student's list, 999,750,500,250.",
        ),
        option("--eta", type=float, metavar="E", help="Of DDIM: share of noise that is drawn again, 0 to 1.  [default: 0]"),
        option(
            "--first-frame",
            type=RGB_OR_PATH,
            metavar="IMAGE|rgb",
            help="Begin from a picture, or from the clip's own render.",
        ),
        option(
            "--reference",
            "references",
            type=click.Path(path_type=Path),
            multiple=True,
            metavar="IMAGE",
            help="A picture of how things should look; may be repeated.",
        ),
        option(
            "--strength",
            type=float,
            metavar="S",
            help="Of video to video, and of restyle: 1 keeps nothing of what was there, near 0 all.",
        ),
        option(
            "--invert",
            type=float,
            metavar="B",
            help="Turn the footage of --onto into noise, and begin from sqrt(1 - B^2) of that and B of surface noise: 0 keeps "
            "what it shows, 1 nothing.",
        ),
        option("--source-prompt", metavar="TEXT", help="What that footage shows.  [default: what it was made with]"),
        option(
            "--lora",
            "loras",
            type=LoraFile(),
            multiple=True,
            metavar="FILE[:SCALE]",
            help="Weights on top of the model's; may be repeated.",
        ),
        option("--window", type=int, metavar="N", help="Frames made at once.  [default: all that the model is made for]"),
        option("--overlap", type=int, metavar="N", help="Frames, at least, that windows share.  [default: 8, or a quarter]"),
        option(
            "--seams",
            type=click.Choice(["matched", "blended", "continued"]),
            default="matched",
            help="matched: windows take over the colors of those before, and are blended; blended: they are blended alone; "
            "continued: they go on from the last frames (models that take masks).",
        ),
        option(
            "--dtype", type=click.Choice(["float32", "bfloat16", "float16"]), help="[default: bfloat16 on CUDA, else float32]"
        ),
        option(
            "--offload",
            type=click.Choice(["none", "model", "sequential"]),
            default="none",
            help="Keep weights off the GPU while they are not used.",
        ),
        option("--device-map", metavar="NAME", help="Spread the parts over several GPUs: balanced."),
        option("--vae-tiling", is_flag=True, help="Encode and decode in tiles: less memory."),
        option("--attention-slicing", is_flag=True, help="Attention in slices: less memory."),
        option("--compile", is_flag=True, help="Compile the denoiser: slow to start, faster per step."),
    )


def debug_option(function: Command) -> Command:
    """``--debug`` after the command's name, too."""
    return click.option("--debug", is_flag=True, expose_value=False, help="Show the whole traceback of an error.")(function)
