"""``sim2real warp``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from . import progress
from .main import Command
from .options import debug_option
from .types import Choices, Intrinsics, Size

KINDS = ("noise", "rgb", "depth", "edges", "flow")


@click.command("warp", cls=Command)
@click.argument("video", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="CLIP", help="The clip folder to make.")
@click.option("--frames", type=click.IntRange(min=1), metavar="N", help="The first N frames (after --stride).  [default: all]")
@click.option("--stride", type=click.IntRange(min=1), default=1, metavar="S", help="Keep every S-th frame of the video.")
@click.option("--size", type=Size(), metavar="HxW", help="Scale and crop to this size in pixels.  [default: the video's]")
@click.option(
    "--fps",
    type=click.FloatRange(min=0, min_open=True, max=1000),
    metavar="F",
    help="Frames per second of the video.  [default: what it says; 24 for a folder of pictures]",
)
@click.option(
    "--for", "model", default="embedded", metavar="MODEL", help="The model that the noise is laid out for: a family's name."
)
@click.option("--factor", type=click.IntRange(1, 64), metavar="F", help="Pixels per latent.  [default: the model's]")
@click.option("--channels", type=click.IntRange(1, 1024), metavar="C", help="Channels of the noise.  [default: the model's]")
@click.option(
    "--latent-time",
    type=click.Choice(["first", "middle", "last"]),
    help="The frame of its group that a latent stands for.  [default: the model's]",
)
@click.option(
    "--beta",
    type=click.FloatRange(0, 1),
    metavar="B",
    help="Share of the noise that moves: B * moving + sqrt(1 - B^2) * fresh.  [default: 1]",
)
@click.option(
    "--degradation",
    type=click.FloatRange(0, 1),
    metavar="A",
    help="The same as Go-with-the-Flow spells it, instead of --beta: B = (1 - A) / sqrt((1 - A)^2 + A^2).",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, metavar="N", help="Seed of the noise.")
@click.option(
    "--estimator", type=click.Choice(["dis", "raft"]), default="dis", help="What finds the motion; raft needs weights at hand."
)
@click.option("--weights", type=click.Path(path_type=Path), metavar="FILE", help="Weights of RAFT.  [default: torch's cache]")
@click.option(
    "--flow",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A renderer's motion vectors instead: .npy, .npz or .exr, (x, y) in pixels of --size, a file per frame.",
)
@click.option(
    "--flow-direction",
    type=click.Choice(["backward", "forward"]),
    default="backward",
    help="Whether the file of a frame leads to the frame before or to the next one.",
)
@click.option(
    "--depth",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Metric depth, a file per frame: .exr or .npy in metres, .png in millimetres. With --poses it gives the motion, too.",
)
@click.option("--intrinsics", type=Intrinsics(), metavar="FX,FY,CX,CY", help="The camera, in pixels of --size.")
@click.option(
    "--poses",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="world_from_camera of every frame (OpenCV axes, metres): .npy (frames, 4, 4), .json or .txt.",
)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", help="Where to draw noise.")
@click.option(
    "--only",
    type=Choices(KINDS),
    metavar="KIND,...",
    help=f"Write only some of {', '.join(KINDS)}.  [default: all but flow; depth if supplied]",
)
@click.option("--threads", type=click.IntRange(1, 256), metavar="N", help="Frames at once.  [default: one per core]")
@click.option("--overwrite", is_flag=True, help="Replace an existing clip folder.")
@debug_option
def command(video: Path, output: Path, **options: Any) -> None:
    """Make a clip folder from a real video, without any mesh: noise that moves with what is seen, edges, and given depth.

    VIDEO is any video file, or a folder of pictures. Its motion is estimated, unless --flow brings it or --depth,
    --intrinsics and --poses determine it. Every frame's noise is exactly white, however wrong the motion.

    Examples:
      sim2real warp video.mp4 -o out/clip
      sim2real warp video.mp4 --for wan-vace --size 480x720 --frames 49 -o out/vace
      sim2real warp frames/ --flow vectors/ --flow-direction forward -o out/rendered
      sim2real warp video.mp4 --depth depth/ --intrinsics 600,600,320,240 --poses poses.npy -o out/scan
    """
    from .rendering import say_where
    from .warping import warp

    with progress.shown() as report:
        clip = warp(video, output, options, report)
    say_where(clip)
