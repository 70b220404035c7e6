"""MCAP with Foxglove's schemas, a file per clip, for Foxglove, rerun and everything else that reads them.

Topics, in protobuf but for the last:

- ``/CAMERA/image``: CompressedImage, the pictures to train on, as lossless PNG.
- ``/CAMERA/calibration``: CameraCalibration.
- ``/CAMERA/depth``: RawImage 32FC1, metres; ``/CAMERA/instances``: RawImage mono16, ids; ``/CAMERA/segmentation``:
  CompressedImage, these ids as colors. Each where the clip has it.
- ``/tf``: FrameTransforms from ``world`` to every camera (z forward, x right, as Foxglove's pictures have it) and instance.
- ``/episode/NAME``: JSON ``{"value": [...]}``, what the recording carries, to plot.

Times are the recording's ``timestamp`` where these grow from 0 or later, else those of the frame rate. The metadata record
``sim2real`` has the clip's id, task, row and instances.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Int64, Shaped
from PIL import Image

from ...clip import CameraRecord
from ...clip.report.colors import colorized
from ...optional import require
from ...transforms import quaternion_from_rotation
from ..clips import DatasetClip
from ..kinds import check_kinds
from ..videos import check_footage

WORLD = "world"
_MODELS = {"perspective": {0: "plumb_bob", 4: "plumb_bob", 5: "plumb_bob", 8: "rational_polynomial"}}
_MODELS["fisheye"] = {4: "kannala_brandt"}
_VALUES = {"type": "object", "properties": {"value": {"type": "array", "items": {"type": "number"}}}}


def write(clips: Sequence[DatasetClip], folder: Path) -> None:
    """Write ``CLIP.mcap`` for every clip.

    Raises:
        MissingFileError: a clip has no pictures.
        BadValueError: a footage has another length than its clip.
        MissingPackageError: mcap or foxglove-sdk is not installed.
    """
    check_kinds(clips, ("rgb",))
    for item in clips:
        check_footage(item)
        with (folder / f"{item.clip_id}.mcap").open("wb") as file:
            _write_clip(item, file)


def frame_times_ns(item: DatasetClip) -> Int64[np.ndarray, "frames"]:
    """When each frame is, in nanoseconds."""
    own = item.episode.get("timestamp")
    if own is not None and own.dtype.kind in "fiu" and own.shape == (item.clip.frames,):
        seconds = own.astype(np.float64)
        if np.isfinite(seconds).all() and seconds[0] >= 0 and (np.diff(seconds) > 0).all() and seconds[-1] < 2**31:
            return np.rint(seconds * 1e9).astype(np.int64)
    return np.rint(np.arange(item.clip.frames) / item.clip.record.fps * 1e9).astype(np.int64)


def _write_clip(item: DatasetClip, file: io.BufferedWriter) -> None:
    foxglove, mcap = require("foxglove.messages", "mcap"), require("mcap.writer", "mcap")
    writer = mcap.Writer(file)
    writer.start(profile="", library="sim2real")
    writer.add_metadata("sim2real", _metadata(item))
    topics = _Topics(writer)
    pictures = {camera: png_pictures(item, camera) for camera in item.clip.cameras}
    for frame, time in enumerate(frame_times_ns(item).tolist()):
        stamp = foxglove.Timestamp(sec=time // 10**9, nsec=time % 10**9)
        topics.write("/tf", _transforms(item, frame, stamp, foxglove), frame, time)
        for camera, pngs in pictures.items():
            topics.write(
                f"/{camera}/image",
                foxglove.CompressedImage(timestamp=stamp, frame_id=camera, data=next(pngs), format="png"),
                frame,
                time,
            )
            for topic, message in _labels(item, camera, frame, stamp, foxglove):
                topics.write(f"/{camera}/{topic}", message, frame, time)
        for name, array in item.episode.items():
            if array.dtype.kind in "fiub":
                topics.write_values(f"/episode/{name}", np.ravel(array[frame]), frame, time)
    writer.finish()


class _Topics:
    """Channels and schemas of a file, registered when first used."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}

    def write(self, topic: str, message: Any, frame: int, time_ns: int) -> None:
        """Append one of Foxglove's messages."""
        if topic not in self._channels:
            schema = type(message).get_schema()
            self._register(topic, schema.name, schema.encoding, schema.data, "protobuf")
        self._append(topic, message.encode(), frame, time_ns)

    def write_values(self, topic: str, values: Shaped[np.ndarray, "count"], frame: int, time_ns: int) -> None:
        """Append a row of numbers; those that are not finite are null, as JSON has no other word for them."""
        if topic not in self._channels:
            self._register(topic, "sim2real.Values", "jsonschema", json.dumps(_VALUES).encode(), "json")
        numbers = [value if np.isfinite(value) else None for value in values.tolist()]
        self._append(topic, json.dumps({"value": numbers}, allow_nan=False).encode(), frame, time_ns)

    def _register(self, topic: str, name: str, encoding: str, data: bytes, message_encoding: str) -> None:
        if name not in self._schemas:
            self._schemas[name] = self._writer.register_schema(name=name, encoding=encoding, data=data)
        self._channels[topic] = self._writer.register_channel(
            topic=topic, message_encoding=message_encoding, schema_id=self._schemas[name]
        )

    def _append(self, topic: str, data: bytes, frame: int, time_ns: int) -> None:
        self._writer.add_message(
            channel_id=self._channels[topic], log_time=time_ns, publish_time=time_ns, sequence=frame, data=data
        )


def png_pictures(item: DatasetClip, camera: str) -> Iterator[bytes]:
    """The pictures to train on as PNG files: those of the clip where they lie there as such."""
    files = item.lossless(camera)
    if files and all(file.is_file() for file in files):
        yield from (file.read_bytes() for file in files)
    else:
        yield from (_png(picture) for picture in item.pictures(camera))


def _png(picture: np.ndarray) -> bytes:
    with io.BytesIO() as file:
        Image.fromarray(picture).save(file, format="PNG", compress_level=1)
        return file.getvalue()


def _labels(item: DatasetClip, camera: str, frame: int, stamp: Any, foxglove: ModuleType) -> Iterator[tuple[str, Any]]:
    """Calibration, depth and instances of a frame: the ends of their topics, and messages."""
    height, width = item.clip.record.size
    common: dict[str, Any] = {"timestamp": stamp, "frame_id": camera}
    yield "calibration", _calibration(item.clip.record.cameras[camera], frame, (height, width), common, foxglove)
    raw = common | {"width": width, "height": height}
    if item.clip.has(camera, "depth"):
        depth = item.clip.depth(camera, frame).astype("<f4")
        yield "depth", foxglove.RawImage(**raw, encoding="32FC1", step=4 * width, data=depth.tobytes())
    if item.clip.has(camera, "instances"):
        ids = item.clip.instances(camera, frame)
        yield "instances", foxglove.RawImage(**raw, encoding="mono16", step=2 * width, data=ids.astype("<u2").tobytes())
        yield "segmentation", foxglove.CompressedImage(**common, data=_png(colorized(ids)), format="png")


def _calibration(
    camera: CameraRecord, frame: int, size: tuple[int, int], common: Mapping[str, Any], foxglove: ModuleType
) -> Any:
    """The camera of a frame; a lens that Foxglove has no model of is left out, and its pictures are shown as they are."""
    k = camera.intrinsics[frame]
    model = _MODELS.get(camera.projection, {}).get(len(camera.distortion), "")
    return foxglove.CameraCalibration(
        **common,
        width=size[1],
        height=size[0],
        distortion_model=model,
        D=list(camera.distortion) if model else [],
        K=k.ravel().tolist(),
        R=np.eye(3).ravel().tolist(),
        P=np.hstack([k, np.zeros((3, 1))]).ravel().tolist(),
    )


def _transforms(item: DatasetClip, frame: int, stamp: Any, foxglove: ModuleType) -> Any:
    """Where cameras and instances are."""
    moved = {name: camera.world_from_camera[frame] for name, camera in item.clip.record.cameras.items()}
    names = instance_frames(item)
    moved |= {names[i.id]: i.world_from_instance[frame] for i in item.clip.record.instances}
    found = []
    for name, matrix in moved.items():
        (x, y, z), (qw, qx, qy, qz) = matrix[:3, 3].tolist(), quaternion_from_rotation(matrix[:3, :3]).tolist()
        transform = foxglove.FrameTransform(
            timestamp=stamp,
            parent_frame_id=WORLD,
            child_frame_id=name,
            translation=foxglove.Vector3(x=x, y=y, z=z),
            rotation=foxglove.Quaternion(x=qx, y=qy, z=qz, w=qw),
        )
        found.append(transform)
    return foxglove.FrameTransforms(transforms=found)


def instance_frames(item: DatasetClip) -> dict[int, str]:
    """The coordinate frame of each instance, by id: its name, with the id where something else is called so."""
    taken = {WORLD, *item.clip.cameras}
    frames: dict[int, str] = {}
    for instance in item.clip.record.instances:
        name = instance.name if instance.name and instance.name not in taken else f"{instance.name}#{instance.id}"
        frames[instance.id] = name
        taken.add(name)
    return frames


def _metadata(item: DatasetClip) -> dict[str, str]:
    frames = instance_frames(item)
    instances = [
        {"id": i.id, "name": i.name, "class": i.class_name, "frame_id": frames[i.id]} for i in item.clip.record.instances
    ]
    data = {"row": dict(sorted(item.row.items())), "instances": instances}
    said = {name: json.dumps(value, ensure_ascii=False) for name, value in data.items()}
    return {"clip_id": item.clip_id, "task": item.task, "seed": str(item.clip.record.seed), **said}
