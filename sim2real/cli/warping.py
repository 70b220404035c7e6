"""What ``warp`` does: open the video, choose where motion comes from, make the clip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import BadValueError
from .rendering import beta_of, layout_of

if TYPE_CHECKING:
    import numpy as np

    from ..clip import Clip
    from ..noise.layout import NoiseLayout
    from ..video import DepthFiles, MotionSource, Pictures
    from .progress import Progress

READING = ("frames", "stride", "size", "fps", "estimator", "weights", "flow", "flow_direction", "depth", "intrinsics", "poses")
"""Options that tell how a video is read and followed."""


def warp(source: Path, output: Path, options: dict[str, Any], progress: Progress) -> Clip:
    """Make a clip folder from a video with the options of ``warp``."""
    from ..clip import check_output

    check_output(output, overwrite=options["overwrite"])
    _check_options(options)
    layout = layout_of(options["model"], options["factor"], options["channels"], options["latent_time"])
    pictures = _pictures(source, options, layout)
    from ..video import DepthFiles, read_poses, warp_video

    depth = DepthFiles(options["depth"], pictures.frames, pictures.size) if options["depth"] else None
    poses = read_poses(options["poses"], pictures.frames) if options["poses"] else None
    if options["intrinsics"] is None:
        _note("the camera is unknown: clip.json has a nominal K; pass --intrinsics to say better")
    if depth is not None and depth.gap is not None:
        _note(depth.gap)
    beta = beta_of(options["beta"], options["degradation"])
    return warp_video(
        pictures,
        output,
        motion=_motion(pictures, options, depth, poses),
        layout=layout,
        seed=options["seed"],
        beta=beta if isinstance(beta, float) else 1.0,
        depth=depth,
        intrinsics=options["intrinsics"],
        world_from_camera=poses,
        device=options["device"],
        only=options["only"],
        overwrite=options["overwrite"],
        threads=options["threads"],
        progress=progress,
        options=_record(options),
    )


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
