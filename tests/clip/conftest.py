"""A small clip folder made of plain numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim2real.clip import (
    CameraRecord,
    Clip,
    ClipRecord,
    InstanceRecord,
    NoiseRecord,
    SceneRecord,
    VideoWriter,
    images,
    new_folder,
    read_clip,
    write_record,
)

FRAMES, SIZE = 5, (24, 32)


def record_of(frames: int = FRAMES, cameras: tuple[str, ...] = ("front", "wrist")) -> ClipRecord:
    moved = np.tile(np.eye(4), (frames, 1, 1))
    moved[:, 0, 3] = np.arange(frames) / 3
    return ClipRecord(
        scene=SceneRecord(path="scenes/tiny.yaml", sha256="0" * 64),
        seed=7,
        fps=12.5,
        frames=frames,
        size=SIZE,
        cameras={
            name: CameraRecord(intrinsics=np.array([[30.5, 0, 16], [0, 30, 12], [0, 0, 1]]), world_from_camera=moved)
            for name in cameras
        },
        instances=[InstanceRecord(id=1, name="mug", class_name="cup", world_from_instance=moved)],
        noise=NoiseRecord(factor=8, channels=4, beta=0.9, latent_frames=[0, 4], method="surface"),
        depth_range_m=(0.5, 2.0),
        versions={"sim2real": "0.1.0"},
    )


def fill(folder: Path, record: ClipRecord) -> None:
    rng = np.random.default_rng(0)
    for name in record.cameras:
        for kind in ("rgb", "depth", "normals", "edges", "instances"):
            (folder / name / kind).mkdir(parents=True)
        with images.NoiseWriter(folder / name / "noise.npy", (2, 4, 3, 4)) as noise:
            noise.write(1, rng.standard_normal((4, 3, 4), dtype=np.float32))
            noise.write(0, rng.standard_normal((4, 3, 4), dtype=np.float32))
        with VideoWriter(folder / name / "rgb.mp4", record.fps) as video:
            for frame in range(record.frames):
                color = rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
                video.write(color)
                images.write_png(folder / name / "rgb" / f"{frame:06d}.png", color)
                images.write_png(folder / name / "normals" / f"{frame:06d}.png", color)
                images.write_png(folder / name / "edges" / f"{frame:06d}.png", color[..., 0])
                images.write_png(folder / name / "instances" / f"{frame:06d}.png", (color[..., 0] > 99).astype(np.uint16))
                images.write_depth(folder / name / "depth" / f"{frame:06d}.exr", rng.random(SIZE, dtype=np.float32))
    write_record(folder / "clip.json", record)


@pytest.fixture
def clip(tmp_path) -> Clip:
    with new_folder(tmp_path / "clip") as folder:
        fill(folder, record_of())
    return read_clip(tmp_path / "clip")
