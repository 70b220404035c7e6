"""A small clip: a near box in front of a far wall, both of which may move."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim2real.clip import CameraRecord, Clip, ClipRecord, SceneRecord, images, new_folder, read_clip, write_record
from sim2real.sensors import DepthCamera, sensor

FRAMES, SIZE, FOCAL = 5, (96, 128), 110.0
BOX = (slice(30, 70), slice(50, 80))
NEAR, FAR = 1.0, 2.0
FPS = 10.0


def box_depth(near: float = NEAR, far: float = FAR) -> np.ndarray:
    depth = np.full(SIZE, far, np.float32)
    depth[BOX] = near
    return depth


def depth_camera(name: str) -> DepthCamera:
    """That of a sensor that has one."""
    own = sensor(name).depth
    assert own is not None
    return own


def box_picture() -> np.ndarray:
    rng = np.random.default_rng(2)
    picture = np.full((*SIZE, 3), 90, np.uint8) + rng.integers(0, 20, (*SIZE, 3), dtype=np.uint8)
    picture[BOX] = (220, 60, 40)
    return picture


def record_of(frames: int) -> ClipRecord:
    still = np.tile(np.eye(4), (frames, 1, 1))
    k = np.array([[FOCAL, 0, SIZE[1] / 2], [0, FOCAL, SIZE[0] / 2], [0, 0, 1]])
    cameras = {name: CameraRecord(intrinsics=k, world_from_camera=still) for name in ("front", "side")}
    scene = SceneRecord(path="scenes/box.yaml", sha256="0" * 64)
    return ClipRecord(scene=scene, seed=0, fps=FPS, frames=frames, size=SIZE, cameras=cameras)


@pytest.fixture
def make_clip(tmp_path: Path) -> Callable[..., Clip]:
    """Makes a clip of given kinds of pictures (depth, flow, albedo, material), the same in every frame."""

    def make(frames: int = FRAMES, **kinds: np.ndarray) -> Clip:
        with new_folder(tmp_path / "clip") as folder:
            for camera in ("front", "side"):
                for kind in ("rgb", *kinds):
                    (folder / camera / kind).mkdir(parents=True)
                for frame in range(frames):
                    images.write_png(folder / camera / "rgb" / f"{frame:06d}.png", box_picture())
                    for kind, values in kinds.items():
                        file = folder / camera / kind / f"{frame:06d}"
                        if kind == "depth":
                            images.write_depth(file.with_suffix(".exr"), values)
                        elif kind == "flow":
                            images.write_flow(file.with_suffix(".npz"), values, np.ones(SIZE, bool))
                        else:
                            images.write_png(file.with_suffix(".png"), values)
            write_record(folder / "clip.json", record_of(frames))
        return read_clip(tmp_path / "clip")

    return make


@pytest.fixture
def clip(make_clip: Callable[..., Clip]) -> Clip:
    """With depth, and a box that moves to the right."""
    flow = np.zeros((*SIZE, 2), np.float32)
    flow[BOX] = (6, 0)
    return make_clip(depth=box_depth(), flow=flow)
