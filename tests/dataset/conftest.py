"""A small dataset, rendered once: two clips of a moving scene, as writers of formats see them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim2real.dataset.clips import DatasetClip
from sim2real.kinds import usual_names
from sim2real.noise import NoiseLayout
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import Scene
from tests.render.conftest import moving_scene

SEEDS = (3, 4)


def scene_of(seed: int) -> Scene:
    """What the clip of a seed was rendered from: 5 frames, 48x64, cameras ``moving`` and ``still``; the ball's path differs."""
    scene = moving_scene()
    poses = scene.world_from_instance.copy()
    poses[:, 0, 2, 3] += 0.1 * (seed - SEEDS[0])
    return replace(scene, world_from_instance=poses)


def episode_of(seed: int, frames: int) -> dict[str, np.ndarray]:
    """What a robot did and felt, in the dtypes that recordings have."""
    rng = np.random.default_rng(seed)
    return {
        "action": rng.standard_normal((frames, 7)).astype(np.float32),
        "state": rng.standard_normal((frames, 9)),
        "timestamp": np.arange(frames) / 12 + seed,
    }


@pytest.fixture(scope="session")
def tiny_clips(tmp_path_factory: pytest.TempPathFactory) -> list[DatasetClip]:
    """Two clips of the same cameras and instances (ball, box, floor), with noise, all labels, flow and an episode each."""
    folder, found = tmp_path_factory.mktemp("dataset"), []
    for seed in SEEDS:
        scene, clip_id = scene_of(seed), f"moving-{seed}"
        kinds = usual_names() | {"flow"}
        layout = NoiseLayout(factor=8, channels=4)
        clip = render_clip(scene, folder / clip_id, RenderOptions(layout=layout, seed=seed, only=kinds, threads=2))
        row = {"source": "scenes/moving.yaml", "seed": seed, "look": "none"}
        found.append(DatasetClip(clip_id, clip, row, episode_of(seed, clip.frames), task="push the ball past the box"))
    return found


@pytest.fixture(scope="session")
def every_clip(tiny_clips: list[DatasetClip], tmp_path_factory: pytest.TempPathFactory) -> list[DatasetClip]:
    """The tiny clips, one with footage of one camera, an odd clip and one without instances; with silhouettes and models."""
    from tests.dataset.labels import empty_scene, labeled, odd_scene, rendered, with_footage

    folder = tmp_path_factory.mktemp("labeled")
    found = labeled(tiny_clips, folder)
    with_footage(found[1], "still")
    return [*found, rendered(odd_scene(), "odd", folder), rendered(empty_scene(), "void", folder)]
