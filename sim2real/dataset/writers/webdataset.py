"""WebDataset: one sample per clip, in tar shards that are the same bytes whenever and wherever they are written.

A sample's key is the clip's id. Its files, as ``webdataset.WebDataset(shards, shardshuffle=False).decode()`` gives them:

- ``CAMERA.rgb.mp4``: the pictures to train on, h264: the clip's own file where it has one.
- ``CAMERA.depth.npy``: float32 (frames, height, width), metres; 0 where there is no surface.
- ``CAMERA.instances.npz``: ``ids``, uint16 (frames, height, width).
- ``CAMERA.noise.npy``: float32 (latents, channels, h, w), the noise that sticks to surfaces.
- ``episode.npz``: what the recording carries, in its own dtypes, where it carries something.
- ``meta.json``: cameras, instances, frame rate, task and the plan's row.

Labels are arrays because image decoders make eight bits of everything. A clip has the files of the kinds that it was rendered
with. ``CAMERA`` is the camera's name in lower case, with ``_`` for what is no letter, digit, ``-`` or ``_``: the rest of a
file's name after the first dot is what webdataset looks up, in lower case. ``meta.json`` has the names as they are.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import BadValueError
from ..clips import DatasetClip
from ..kinds import check_kinds
from ..lerobot_layout import FileSeries
from ..videos import check_footage, picture_video

SHARD_BYTES = 1_000_000_000


def write(clips: Sequence[DatasetClip], folder: Path, *, shard_bytes: int = SHARD_BYTES) -> None:
    """Write ``clips-000000.tar`` and so on.

    Args:
        clips: at least one.
        folder: an empty folder.
        shard_bytes: a shard that would grow beyond this is closed; a clip is never split.

    Raises:
        BadValueError: there is no clip; a footage has another length than its clip.
        MissingFileError: a clip has no pictures.
    """
    if not clips:
        raise BadValueError("the number of clips", 0, right="at least 1", where=folder)
    check_kinds(clips, ("rgb",))
    series = FileSeries(shard_bytes)
    shard, place, number = None, None, -1
    try:
        for item in clips:
            files = sorted(sample_files(item))
            here = series.take(sum(len(data) for _, data in files))
            if shard is None or here != place:
                if shard is not None:
                    shard.close()
                place, number = here, number + 1
                shard = tarfile.open(folder / f"clips-{number:06d}.tar", "w", format=tarfile.USTAR_FORMAT)
            for name, data in files:
                shard.addfile(_entry(f"{item.clip_id}.{name}", len(data)), io.BytesIO(data))
    finally:
        if shard is not None:
            shard.close()


def sample_files(item: DatasetClip) -> Iterator[tuple[str, bytes]]:
    """Names and contents of a clip's files, without the key."""
    check_footage(item)
    clip = item.clip
    tokens = camera_tokens(clip.cameras)
    for camera, token in tokens.items():
        yield f"{token}.rgb.mp4", picture_video(item, camera)
        if clip.has(camera, "depth"):
            yield f"{token}.depth.npy", _npy(np.stack([clip.depth(camera, frame) for frame in range(clip.frames)]))
        if clip.has(camera, "instances"):
            ids = np.stack([clip.instances(camera, frame) for frame in range(clip.frames)])
            yield f"{token}.instances.npz", _npz({"ids": ids})
        if clip.has(camera, "noise"):
            yield f"{token}.noise.npy", _npy(clip.latents(camera, slice(None)))
    if item.episode:
        yield "episode.npz", _npz(item.episode)
    yield "meta.json", json.dumps(_meta(item, tokens), ensure_ascii=False).encode("utf-8")


def camera_tokens(cameras: Sequence[str]) -> dict[str, str]:
    """What each camera is called in names of files; names that would be one are numbered."""
    tokens: dict[str, str] = {}
    for camera in cameras:
        stem = re.sub(r"[^a-z0-9_-]", "_", camera.lower())
        names = (stem, *(f"{stem}_{k}" for k in range(2, len(cameras) + 2)))
        tokens[camera] = next(name for name in names if name not in tokens.values())
    return tokens


def _meta(item: DatasetClip, tokens: Mapping[str, str]) -> dict[str, Any]:
    record = item.clip.record
    cameras = {
        tokens[name]: {
            "name": name,
            "K": camera.intrinsics.tolist(),
            "world_from_camera": camera.world_from_camera.tolist(),
            "projection": camera.projection,
            "distortion": list(camera.distortion),
            "source": "footage" if name in item.footage else "render",
        }
        for name, camera in record.cameras.items()
    }
    instances = [
        {"id": i.id, "name": i.name, "class": i.class_name, "world_from_instance": i.world_from_instance.tolist()}
        for i in record.instances
    ]
    noise = None if record.noise is None else record.noise.model_dump(mode="json")
    return {
        "clip_id": item.clip_id,
        "fps": record.fps,
        "frames": record.frames,
        "size": list(record.size),
        "seed": record.seed,
        "task": item.task,
        "row": dict(sorted(item.row.items())),
        "cameras": cameras,
        "instances": instances,
        "noise": noise,
        "depth_range_m": None if record.depth_range_m is None else list(record.depth_range_m),
    }


def _entry(name: str, size: int) -> tarfile.TarInfo:
    """A file without a date and an owner."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o644, 0
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _npy(array: np.ndarray) -> bytes:
    with io.BytesIO() as file:
        np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
        return file.getvalue()


def _npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """A compressed archive of arrays, sorted and without dates."""
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w") as archive:
            for name in sorted(arrays):
                entry = zipfile.ZipInfo(f"{name}.npy")  # of 1980, the format's first year
                archive.writestr(entry, _npy(arrays[name]), zipfile.ZIP_DEFLATED, 1)
        return file.getvalue()
