"""nerfstudio: pictures with cameras, depth and masks, for reconstruction.

    <clip>/transforms.json                    where nothing moves: all frames of all cameras
    <clip>/transforms_000000.json             where something moves: all cameras at one frame, a file per frame
    <clip>/images/<camera>/000000.png
    <clip>/depth/<camera>/000000.png          16 bits, millimetres (nerfstudio's own default unit)
    <clip>/masks/<camera>/000000.png          white where there is a surface; black pixels are not trained on

A reconstruction takes a scene to stand still. One file per moment keeps to that: ``--data CLIP/transforms_000003.json``.
Whether something moves is read from the poses in the clip's record; a mesh that deforms in place does not show there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...clip import CameraRecord
from ...clip.images import write_png
from ...errors import BadValueError
from ...transforms import OPENCV_FROM_OPENGL
from ..clips import DatasetClip
from ..json_files import write_json
from ..kinds import check_kinds
from ..pictures import frame_name, millimetres, write_pictures

MODELS = {"perspective": "OPENCV", "fisheye": "OPENCV_FISHEYE"}
"""nerfstudio's camera models; OPENCV has no rational and no thin-prism terms."""


def write(clips: Sequence[DatasetClip], folder: Path) -> None:
    """Write the dataset; see ``Writer``."""
    check_kinds(clips, ("rgb", "depth"))
    for clip in clips:
        _camera_model(clip)
    for clip in clips:
        place = folder / clip.clip_id
        place.mkdir()
        for camera in clip.clip.cameras:
            write_pictures(clip, camera, place / "images" / camera)
            for kind in ("depth", "masks"):
                (place / kind / camera).mkdir(parents=True)
            for frame in range(clip.clip.frames):
                depth = clip.clip.depth(camera, frame)
                write_png(place / "depth" / camera / frame_name(frame), millimetres(depth))
                write_png(place / "masks" / camera / frame_name(frame), np.where(depth > 0, np.uint8(255), np.uint8(0)))
        if _moves(clip):
            for frame in range(clip.clip.frames):
                write_json(place / f"transforms_{frame:06d}.json", _transforms(clip, [frame]))
        else:
            write_json(place / "transforms.json", _transforms(clip, range(clip.clip.frames)))


def _moves(clip: DatasetClip) -> bool:
    """Whether an instance is not everywhere where it was at first."""
    poses = [instance.world_from_instance for instance in clip.clip.record.instances]
    return any(not np.array_equal(pose, np.broadcast_to(pose[:1], pose.shape)) for pose in poses)


def _transforms(clip: DatasetClip, frames: Iterable[int]) -> dict[str, Any]:
    """The cameras of some frames."""
    record = clip.clip.record
    shots = [
        {
            "file_path": f"images/{name}/{frame_name(frame)}",
            "depth_file_path": f"depth/{name}/{frame_name(frame)}",
            "mask_path": f"masks/{name}/{frame_name(frame)}",
            **_intrinsics(camera, frame, record.size),
            "transform_matrix": (camera.world_from_camera[frame] @ OPENCV_FROM_OPENGL).tolist(),
        }
        for frame in frames
        for name, camera in record.cameras.items()
    ]
    return {"camera_model": _camera_model(clip), "frames": shots}


def _intrinsics(camera: CameraRecord, frame: int, size: tuple[int, int]) -> dict[str, float | int]:
    """Of one frame; nerfstudio has pixel centers at 0.5, as clips have."""
    k = camera.intrinsics[frame]
    lens = {"fl_x": float(k[0, 0]), "fl_y": float(k[1, 1]), "cx": float(k[0, 2]), "cy": float(k[1, 2])}
    names = ("k1", "k2", "k3", "k4") if camera.projection == "fisheye" else ("k1", "k2", "p1", "p2", "k3")
    given = (*camera.distortion, *(0.0,) * len(names))
    return {"w": size[1], "h": size[0], **lens, **dict(zip(names, given, strict=False))}


def _camera_model(clip: DatasetClip) -> str:
    """What nerfstudio calls what all cameras of a clip are.

    Raises:
        BadValueError: the format cannot say what a camera is, or cameras differ in kind.
    """
    fix = "leave the camera out, or leave out the format"
    for name, camera in clip.clip.record.cameras.items():
        where = f"clip {clip.clip_id}, camera {name}"
        if camera.projection not in MODELS:
            right = f"{' or '.join(MODELS)} for nerfstudio"
            raise BadValueError("the projection", camera.projection, right=right, fix=fix, where=where)
        if camera.projection == "perspective" and any(camera.distortion[5:]):
            right = "at most k1 k2 p1 p2 k3 for nerfstudio"
            raise BadValueError("the distortion", list(camera.distortion), right=right, fix=fix, where=where)
        if camera.intrinsics[:, 0, 1].any():
            raise BadValueError("the skew", camera.intrinsics[0, 0, 1], right="0 for nerfstudio", fix=fix, where=where)
    kinds = sorted({camera.projection for camera in clip.clip.record.cameras.values()})
    if len(kinds) > 1:
        received, where = " and ".join(kinds), f"clip {clip.clip_id}"
        raise BadValueError("the cameras' projection", received, right="one kind for nerfstudio", fix=fix, where=where)
    return MODELS[kinds[0]] if kinds else "OPENCV"
