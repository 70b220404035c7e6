"""Exchange folders: everything as plain files that any tool reads.

    <clip>/cameras.json                     fps, frames, size; per camera K, projection, distortion, world_from_camera
    <clip>/instances.json                   id, name, class, world_from_instance per frame
    <clip>/<camera>/rgb/000000.png          8 bits
    <clip>/<camera>/depth/000000.exr        float32 metres along the camera's z, channel Z; 0 where there is no surface
    <clip>/<camera>/depth_mm/000000.png     16 bits, millimetres; 0 where there is no surface within 65.535 m
    <clip>/<camera>/instances/000000.png    16 bits, ids; 0 where there is none

Poses are 4x4 matrices in metres, OpenCV axes; K counts pixels from the picture's corner, so that pixel centers lie at 0.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...clip.images import write_png
from ..clips import DatasetClip
from ..json_files import write_json
from ..kinds import check_kinds
from ..pictures import copy_kind, frame_name, millimetres, write_pictures


def write(clips: Sequence[DatasetClip], folder: Path) -> None:
    """Write the dataset; see ``Writer``."""
    check_kinds(clips, ("rgb", "depth", "instances"))
    for clip in clips:
        place = folder / clip.clip_id
        place.mkdir()
        _write_records(clip, place)
        for camera in clip.clip.cameras:
            write_pictures(clip, camera, place / camera / "rgb")
            for kind in ("depth", "instances"):
                copy_kind(clip, camera, kind, place / camera / kind)
            (place / camera / "depth_mm").mkdir()
            for frame in range(clip.clip.frames):
                depth = millimetres(clip.clip.depth(camera, frame))
                write_png(place / camera / "depth_mm" / frame_name(frame), depth)


def _write_records(clip: DatasetClip, folder: Path) -> None:
    record = clip.clip.record
    cameras = {
        name: {
            "K": camera.intrinsics.tolist(),
            "projection": camera.projection,
            "distortion": list(camera.distortion),
            "world_from_camera": camera.world_from_camera.tolist(),
        }
        for name, camera in record.cameras.items()
    }
    about = {"fps": record.fps, "frames": record.frames, "size": list(record.size), "pixel_centers": 0.5}
    write_json(folder / "cameras.json", {**about, "cameras": cameras})
    instances = [
        {"id": i.id, "name": i.name, "class": i.class_name, "world_from_instance": i.world_from_instance.tolist()}
        for i in record.instances
    ]
    write_json(folder / "instances.json", instances)
