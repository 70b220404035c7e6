"""Clips made of plain numbers, of any size and with any names: no scene is rendered for them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sim2real.clip import CameraRecord, ClipRecord, InstanceRecord, SceneRecord, VideoWriter, images, read_clip, write_record
from sim2real.dataset.clips import DatasetClip
from sim2real.transforms import rigid, rotation_about

ODD_CAMERA = 'Left "eye" 1.\u00e4'


def record_of(*, frames: int, size: tuple[int, int], cameras: Sequence[str], fps: float, instances: int) -> ClipRecord:
    time = np.arange(frames) / 7
    moved = rigid(rotation_about(np.array([0.0, 0.6, 0.8]), time), np.stack([time, 0 * time + 1, time**2], axis=1))
    k = np.array([[30.5, 0, size[1] / 2], [0, 30, size[0] / 2], [0, 0, 1]])
    return ClipRecord(
        scene=SceneRecord(path="scenes/plain.yaml", sha256="0" * 64),
        seed=7,
        fps=fps,
        frames=frames,
        size=size,
        cameras={name: CameraRecord(intrinsics=k, world_from_camera=moved) for name in cameras},
        instances=[
            InstanceRecord(id=n + 1, name="mug", class_name="" if n else "cup", world_from_instance=moved)
            for n in range(instances)
        ],
    )


def plain_clip(
    folder: Path,
    clip_id: str = "plain",
    *,
    record: ClipRecord | None = None,
    kinds: Sequence[str] = ("rgb", "depth", "normals", "edges", "instances"),
    episode: Mapping[str, np.ndarray] | None = None,
    **shape: Any,
) -> DatasetClip:
    """A clip of smooth colors and random labels, without videos; ``shape`` as ``record_of`` has it."""
    defaults = {"frames": 4, "size": (24, 32), "cameras": ("front", "wrist"), "fps": 12.0, "instances": 2}
    record = record or record_of(**(defaults | shape))
    rng, (height, width) = np.random.default_rng(len(clip_id)), record.size
    (folder / clip_id).mkdir(parents=True)
    for number, camera in enumerate(record.cameras):
        for kind in kinds:
            (folder / clip_id / camera / kind).mkdir(parents=True)
        for frame in range(record.frames):
            ramp = np.linspace(0, 150, width)[None] + np.linspace(0, 30, height)[:, None] + 5 * frame + 9 * number
            color = np.stack([ramp, ramp[:, ::-1], ramp[::-1]], axis=-1).astype(np.uint8)
            found = {
                "rgb": color,
                "normals": rng.integers(0, 256, (height, width, 3), np.uint8),
                "edges": rng.integers(0, 256, (height, width), np.uint8),
                "instances": rng.integers(0, len(record.instances) + 1, (height, width)).astype(np.uint16),
            }
            for kind in set(kinds) & set(found):
                images.write_png(folder / clip_id / camera / kind / f"{frame:06d}.png", found[kind])
            if "depth" in kinds:
                depth = rng.random((height, width), np.float32) * (rng.random((height, width)) > 0.2)
                images.write_depth(folder / clip_id / camera / "depth" / f"{frame:06d}.exr", depth.astype(np.float32))
    write_record(folder / clip_id / "clip.json", record)
    if episode is None:
        episode = {"action": rng.standard_normal((record.frames, 3)).astype(np.float32)}
    return DatasetClip(clip_id, read_clip(folder / clip_id), {"seed": 7}, episode, "lift the mug")


def with_footage(clip: DatasetClip, camera: str, *, video: bool = False) -> DatasetClip:
    """The clip, after footage was made for one of its cameras: lossless frames, or a video only."""
    folder = clip.clip.folder(camera) / "generated" / "model-0"
    (folder / "frames").mkdir(parents=True)
    with VideoWriter(folder / "video.mp4", clip.clip.record.fps) as file:
        for frame in range(clip.clip.frames):
            picture = 255 - clip.clip.rgb(camera, frame)
            file.write(picture)
            if not video:
                images.write_png(folder / "frames" / f"{frame:06d}.png", picture)
    (folder / "settings.json").write_text('{"prompt": "a mug of tin"}')
    return replace(clip)


def elsewhere(clip: DatasetClip, folder: Path) -> DatasetClip:
    """The same clip in another folder, with files of another age."""
    target = folder / clip.clip_id
    shutil.copytree(clip.clip.path, target, copy_function=shutil.copyfile)
    return replace(clip, clip=read_clip(target))


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by their paths."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def written(write: Callable[..., None], clips: Sequence[DatasetClip], folder: Path, **options: Any) -> Path:
    """A new folder with a dataset in it."""
    folder.mkdir(parents=True)
    write(clips, folder, **options)
    return folder
