"""``sim2real warp``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import BadValueError
from ..kinds import names_of_videos
from . import progress
from .main import Command
from .options import debug_option, draws_option
from .types import Choices, Intrinsics, Seed, Size

if TYPE_CHECKING:
    import numpy as np

    from ..clip import Clip
    from ..noise.layout import NoiseLayout
    from ..video import DepthFiles, MotionSource, Pictures

READING = ("frames", "stride", "size", "fps", "estimator", "weights", "flow", "flow_direction", "depth", "intrinsics", "poses")
"""Options that tell how a video is read and followed."""


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
@click.option("--seed", type=Seed(), default=0, metavar="N", help="Seed of the noise.")
@draws_option
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
    type=Choices(names_of_videos),
    metavar="KIND,...",
    help=f"Write only some of {', '.join(names_of_videos())}.  [default: all but flow; depth if supplied]",
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
    from .shared import say_where

    with progress.shown() as report:
        clip = _warp(video, output, options, report)
    say_where(clip)


def _warp(source: Path, output: Path, options: dict[str, Any], report: progress.Progress) -> Clip:
    """Make a clip folder from a video with the options of ``warp``."""
    from ..clip import check_output
    from .shared import beta_of, layout_of, record_of

    check_output(output, overwrite=options["overwrite"])
    _check_options(options)
    layout = layout_of(options["model"], options["factor"], options["channels"], options["latent_time"])
    pictures = _pictures(source, options, layout)
    from ..video import DepthFiles, Known, WarpOptions, read_poses, warp_video

    _note_what_footage_takes(pictures, options, layout)
    depth = DepthFiles(options["depth"], pictures.frames, pictures.size) if options["depth"] else None
    poses = read_poses(options["poses"], pictures.frames) if options["poses"] else None
    if options["intrinsics"] is None:
        _note("the camera is unknown: clip.json has a nominal K; pass --intrinsics to say better")
    if depth is not None and depth.gap is not None:
        _note(depth.gap)
    beta = beta_of(options["beta"], options["degradation"])
    wanted = record_of(
        WarpOptions,
        options,
        layout=layout,
        beta=beta if isinstance(beta, float) else 1.0,
        video_options=_record(options),
    )
    known = Known(_motion(pictures, options, depth, poses), depth, options["intrinsics"], poses)
    return warp_video(pictures, output, wanted, known=known, progress=report)


def _note_what_footage_takes(pictures: Pictures, options: dict[str, Any], layout: NoiseLayout) -> None:
    """Say before any work that the video has fewer frames than were asked for, or that no footage can come of the clip."""
    from ..diffusion.families import family_of
    from ..diffusion.inputs import video_families
    from ..kinds import names_of_videos
    from .shared import note_of_footage

    if options["frames"] is not None and pictures.frames < options["frames"]:
        _note(f"the video has {pictures.frames} frames, fewer than --frames {options['frames']}")
    if options["only"] is not None and "noise" not in options["only"]:
        return
    family = family_of(options["model"])
    lacking = [kind for kind in family.needs_for(of_video=True) if kind not in names_of_videos()]
    if lacking and layout == family.layout and family.runs:
        others = ", ".join(f"--for {name}" for name in video_families()[:3])
        _note(f"footage of {family.name} needs {', '.join(lacking)}, which videos do not have; {others} need nothing else")
    note_of_footage(options["model"], layout, pictures.frames, pictures.size)


def _check_options(options: dict[str, Any]) -> None:
    if options["flow"] and options["stride"] != 1:
        raise BadValueError("--stride", options["stride"], right="1 with --flow", fix="vectors lead from frame to frame")
    if options["weights"] and options["estimator"] != "raft":
        raise BadValueError("--weights", options["weights"], right="left out", fix="or pass --estimator raft")
    if options["poses"] and options["intrinsics"] is None:
        raise BadValueError("--intrinsics", "left out", right="given with --poses", fix="pass --intrinsics fx,fy,cx,cy")


def _pictures(source: Path, options: dict[str, Any], layout: NoiseLayout) -> Pictures:
    """Open the video; its size must fit the layout before anything is computed."""
    from ..video import open_pictures

    reading = {name: options[name] for name in ("frames", "stride", "fps")}
    pictures = open_pictures(source, size=options["size"], **reading)
    for note in pictures.notes:
        _note(note)
    if options["size"] is None:
        layout.latent_size(pictures.size)
    elif options["size"] != pictures.source_size:
        height, width = pictures.source_size
        _note(f"the video is {height}x{width}; it is scaled to cover --size, and cropped around its center")
    return pictures


def _motion(
    pictures: Pictures, options: dict[str, Any], depth: DepthFiles | None, poses: np.ndarray | None
) -> MotionSource | None:
    from ..video import DepthMotion, EstimatedMotion, FileMotion

    if options["only"] is not None and not options["only"] & {"noise", "flow"}:
        return None
    if options["flow"]:
        vectors = FileMotion(options["flow"], pictures.frames, pictures.size, options["flow_direction"])
        if vectors.gap is not None:
            _note(vectors.gap)
        return vectors
    if depth is not None and poses is not None:
        import numpy as np

        from ..video import camera_matrix

        matrix = camera_matrix(options["intrinsics"], pictures.size)
        return DepthMotion(depth, np.tile(matrix, (pictures.frames, 1, 1)), poses)
    from ..flow import DisFlow, RaftFlow

    if options["estimator"] == "raft":
        return EstimatedMotion(RaftFlow(options["weights"], device=options["device"]))
    return EstimatedMotion(DisFlow())


def _record(options: dict[str, Any]) -> dict[str, Any]:
    """What differs from the defaults, as JSON can hold it."""
    defaults = {"stride": 1, "estimator": "dis", "flow_direction": "backward"}
    given = {name: options[name] for name in READING if options[name] not in (None, defaults.get(name))}
    return {name: str(value) if isinstance(value, Path) else value for name, value in given.items()}


def _note(text: str) -> None:
    click.echo(click.style("note: ", fg="yellow") + text, err=True)
