from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim2real.clip import Clip
from sim2real.metrics.footage import edge_agreement, footage_figures
from sim2real.metrics.motion import labelled_motion, sampled
from sim2real.noise import NoiseLayout
from sim2real.render import render_clip
from tests.render.conftest import moving_scene


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    only = {"depth", "instances", "edges", "rgb", "flow"}
    out = tmp_path_factory.mktemp("metrics") / "clip"
    return render_clip(moving_scene(size=(96, 128)), out, layout=NoiseLayout(1, 3), only=only)


def test_motion_from_labels_is_the_exact_flow_of_the_geometry(clip):
    for camera in clip.cameras:
        there, visible = labelled_motion(clip, camera, 1, 2)
        stored = np.load(clip.frame_path(camera, "flow", 1))
        y, x = np.mgrid[:96, :128] + 0.5
        both = visible & stored["visible"]
        assert both.mean() > 0.5
        assert np.abs(there - np.stack([x, y], -1) - stored["forward"])[both].max() < 0.02
        assert (visible & ~stored["visible"]).mean() < 0.01


def test_footage_that_sticks_to_the_surfaces_scores_far_above_footage_that_does_not(clip):
    rng = np.random.default_rng(0)
    texture = rng.uniform(0, 255, (16, 3))
    painted = {k: texture[clip.instances("moving", k) % 16].astype(np.uint8) for k in range(clip.frames)}
    noisy = {k: rng.integers(0, 255, (96, 128, 3), dtype=np.uint8) for k in range(clip.frames)}
    sticks = footage_figures(clip, "moving", painted.__getitem__)
    flickers = footage_figures(clip, "moving", noisy.__getitem__)
    assert sticks.psnr_db[1] > 45 and sticks.psnr_db[4] > 45
    assert flickers.psnr_db[1] < 12
    assert sticks.warp_error[1] < 0.005 < flickers.warp_error[1]


def test_edges_agree_with_a_picture_drawn_from_them_and_not_with_noise(clip):
    edges = clip.edges("moving", 0) > 127
    blocks = (clip.instances("moving", 0)[..., None] * np.array([70, 70, 70])).astype(np.uint8)
    assert edge_agreement(blocks, edges) > 0.75
    noise = np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    assert edge_agreement(noise, edges) < 0.5


def test_sampling_between_pixels_is_bilinear():
    ramp = np.broadcast_to(np.arange(8.0)[None, :, None], (4, 8, 1))
    where = np.array([[1.5, 1.5], [2.0, 1.7], [3.25, 2.0]])
    assert np.allclose(sampled(ramp, where)[:, 0], where[:, 0] - 0.5)


def test_a_missing_frame_is_named(tmp_path: Path):
    from sim2real.errors import MissingFileError
    from sim2real.metrics.footage import generated_frames

    with pytest.raises(MissingFileError, match=r"000003\.png"):
        generated_frames(tmp_path)(3)
