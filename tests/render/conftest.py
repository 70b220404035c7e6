"""A small moving scene, rendered once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim2real import kinds
from sim2real.clip import Clip
from sim2real.noise import NoiseLayout
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import Camera, Instance, Mesh, Part, Scene
from sim2real.scene.primitives import box, sphere
from sim2real.transforms import look_at, rigid, rotation_about

FRAMES, SIZE = 5, (48, 64)


def moving_scene(frames: int = FRAMES, size: tuple[int, int] = SIZE) -> Scene:
    """A ball passes in front of a turning box on a floor; one camera moves, one stands still."""
    meshes: tuple[Mesh, ...] = (sphere(0.35), box((0.3, 0.3, 0.3)), box((2.0, 2.0, 0.05)))
    time = np.linspace(0, 1, frames)
    poses = np.tile(np.eye(4), (frames, 3, 1, 1))
    poses[:, 0, :3, 3] = np.stack([1.4 * time - 0.7, 0 * time - 0.4, 0 * time + 0.35], axis=1)
    poses[:, 1] = rigid(rotation_about(np.array([0.0, 0.0, 1.0]), time), np.array([0.0, 0.5, 0.3]))
    poses[:, 2, 2, 3] = -0.05
    eye = np.stack([2 * np.sin(0.5 * time), -2 * np.cos(0.5 * time), 1.2 + 0 * time], axis=1)
    up, target = np.array([0.0, 0.0, 1.0]), np.array([0.0, 0.0, 0.3])
    f = 1.1 * size[0]
    k = np.tile(np.array([[f, 0, size[1] / 2], [0, f, size[0] / 2], [0, 0, 1.0]]), (frames, 1, 1))
    still = np.tile(look_at(np.array([0.8, -1.8, 1.6]), target, up), (frames, 1, 1))
    return Scene(
        source=Path("scenes/moving.yaml"),
        sha256="0" * 64,
        meshes=meshes,
        parts=tuple(Part(i, i) for i in range(3)),
        instances=(Instance("ball", "toy"), Instance("box", "toy"), Instance("floor", "ground")),
        world_from_instance=poses,
        visible=np.ones((frames, 3), bool),
        cameras=(Camera("moving", size, k, look_at(eye, target, up)), Camera("still", size, k, still)),
        fps=12.0,
    )


@pytest.fixture(scope="session")
def scene() -> Scene:
    return moving_scene()


@pytest.fixture(scope="session")
def clip(scene, tmp_path_factory) -> Clip:
    everything = set(kinds.names()) - {"coverage", "behind"}
    output = tmp_path_factory.mktemp("render") / "clip"
    return render_clip(
        scene, output, RenderOptions(layout=NoiseLayout(factor=8, channels=4), seed=3, beta=0.9, only=everything, threads=2)
    )
