"""The folder that Isaac Sim's CosmosWriter leaves for Cosmos-Transfer, made from clips: one clip folder per clip and camera.

::

  clip_0000/
    rgb/rgb_0000.png            the render, which Cosmos takes as its input video and blurs for ``vis``
    depth/depth_0000.png        inverse depth in one range for the whole clip, near bright
    segmentation/...            a color per instance, the same in every frame, clip and run; background black
    shaded_seg/...              these colors, darker where the surface turns away from the camera
    edges/...                   edges of the geometry, white on black
    rgb.mp4 depth.mp4 segmentation.mp4 shaded_seg.mp4 edges.mp4
    spec.json                   what Cosmos-Transfer is called with; paths are below this folder
    generated.mp4               the footage, where the clip has some
  clips.json                    which folder is which clip and camera, and what each color stands for

Source: Isaac Sim's documentation of CosmosWriter; spec.json as in Cosmos-Transfer 2.5's examples.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ...clip import VideoWriter
from ...clip.footage import footage_settings
from ...clip.images import read_png, write_png
from ...clip.report.colors import colorized, id_colors
from ...conditions.depth import DepthRange, DepthRangeEstimate, control_depth
from ..clips import DatasetClip
from ..kinds import check_kinds
from ..pictures import copy_file
from ..videos import check_footage, write_picture_video, write_video

MODALITIES = ("rgb", "depth", "segmentation", "shaded_seg", "edges")
GUIDANCE, STEPS, WEIGHT = 3, 35, 0.5
_AMBIENT = 90  # of 255: the brightness of a surface that is seen edge-on


def write(clips: Sequence[DatasetClip], folder: Path) -> None:
    """Write a folder per clip and camera, numbered in order.

    Args:
        clips: any number.
        folder: an empty folder.

    Raises:
        MissingFileError: a clip lacks its render, depth, normals, edges or instances; says the command that renders them.
    """
    check_kinds(clips, ("rgb", "depth", "normals", "edges", "instances"))
    index: list[dict[str, Any]] = []
    for item in clips:
        check_footage(item)
        depth_range = _depth_range(item)
        for camera in item.clip.cameras:
            target = folder / f"clip_{len(index):04d}"
            _write_pictures(item, camera, depth_range, target)
            _write_json(target / "spec.json", spec(item, camera))
            colors = id_colors(1 + max((i.id for i in item.clip.record.instances), default=0))
            index.append(
                {
                    "folder": target.name,
                    "clip_id": item.clip_id,
                    "camera": camera,
                    "depth_range_m": depth_range.as_list(),
                    "colors": [
                        {"name": i.name, "class": i.class_name, "id": i.id, "rgb": colors[i.id].tolist()}
                        for i in item.clip.record.instances
                    ],
                }
            )
    _write_json(folder / "clips.json", index)


def spec(item: DatasetClip, camera: str) -> dict[str, Any]:
    """What Cosmos-Transfer is called with: all four controls, of equal weight.

    The prompt is the row's ``prompt``, else that of the footage, else the task.
    """
    prompt = item.row.get("prompt")
    if not prompt and camera in item.footage:
        prompt = footage_settings(item.footage[camera]).get("prompt")
    controls = {
        name: {"control_path": f"{file}.mp4", "control_weight": WEIGHT}
        for name, file in (("depth", "depth"), ("edge", "edges"), ("seg", "segmentation"))
    }
    return {
        "name": f"{item.clip_id}-{camera}",
        "prompt": str(prompt or item.task),
        "video_path": "rgb.mp4",
        "guidance": GUIDANCE,
        "seed": item.clip.record.seed,
        "num_steps": STEPS,
        **controls,
        "vis": {"control_weight": WEIGHT},
    }


def shaded(
    colors: UInt8[np.ndarray, "height width 3"], normals: UInt8[np.ndarray, "height width 3"]
) -> UInt8[np.ndarray, "height width 3"]:
    """Colors of instances, lit from the camera.

    Args:
        colors: the picture of segmentation.
        normals: camera axes (z away from the camera), as ``(n + 1) / 2`` in 8 bits.
    """
    facing = np.maximum(255 - 2 * normals[..., 2].astype(np.int32), 0)
    light = _AMBIENT + (255 - _AMBIENT) * facing // 255
    return ((colors * light[..., None] + 127) // 255).astype(np.uint8)


def _depth_range(item: DatasetClip) -> DepthRange:
    """The range that the clip's own control videos have, else one that its depth has."""
    if item.clip.record.depth_range_m is not None:
        return DepthRange(*item.clip.record.depth_range_m)
    estimate = DepthRangeEstimate()
    for camera in item.clip.cameras:
        for frame in range(item.clip.frames):
            estimate.add(item.clip.depth(camera, frame), camera)
    return estimate.result()


def _write_pictures(item: DatasetClip, camera: str, depth_range: DepthRange, target: Path) -> None:
    """All pictures and videos of a camera; what the clip has as it is needed here is copied."""
    clip, source = item.clip, item.clip.folder(camera)
    for name in MODALITIES:
        (target / name).mkdir(parents=True)
    with VideoWriter(target / "shaded_seg.mp4", clip.record.fps) as video:
        for frame in range(clip.frames):
            for kind in ("rgb", "edges"):
                copy_file(clip.frame_path(camera, kind, frame), _picture(target, kind, frame), of=item)
            colors = colorized(clip.instances(camera, frame))
            lit = shaded(colors, clip.normals(camera, frame))
            write_png(_picture(target, "depth", frame), control_depth(clip.depth(camera, frame), depth_range))
            write_png(_picture(target, "segmentation", frame), colors)
            write_png(_picture(target, "shaded_seg", frame), lit)
            video.write(lit)
    for name, ready in (("rgb", "rgb"), ("depth", "depth"), ("segmentation", "instances"), ("edges", "edges")):

        def pictures(name: str = name) -> Iterator[np.ndarray]:
            return (read_png(_picture(target, name, frame)) for frame in range(clip.frames))

        write_video(item, source / f"{ready}.mp4", pictures, target / f"{name}.mp4")
    if camera in item.footage:
        write_picture_video(item, camera, target / "generated.mp4")


def _picture(target: Path, name: str, frame: int) -> Path:
    return target / name / f"{name}_{frame:04d}.png"


def _write_json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
