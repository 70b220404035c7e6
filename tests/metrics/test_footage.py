from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim2real.clip import Clip
from sim2real.metrics.footage import edge_agreement, footage_figures
from sim2real.metrics.motion import hidden, labeled_motion, sampled
from sim2real.noise import NoiseLayout
from sim2real.render import RenderOptions, render_clip
from tests.render.conftest import moving_scene


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    only = {"depth", "instances", "edges", "rgb", "flow"}
    out = tmp_path_factory.mktemp("metrics") / "clip"
    return render_clip(moving_scene(size=(96, 128)), out, RenderOptions(layout=NoiseLayout(1, 3), only=only))


@pytest.mark.slow
def test_motion_from_labels_is_the_exact_flow_of_the_geometry(clip):
    for camera in clip.cameras:
        there, visible = labeled_motion(clip, camera, 1, 2)
        stored = np.load(clip.frame_path(camera, "flow", 1))
        y, x = np.mgrid[:96, :128] + 0.5
        both = visible & stored["visible"]
        assert both.mean() > 0.5
        assert np.abs(there - np.stack([x, y], -1) - stored["forward"])[both].max() < 0.02
        assert (visible & ~stored["visible"]).mean() < 0.01


@pytest.mark.slow
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


@pytest.mark.slow
def test_what_another_thing_stands_before_is_hidden_and_what_is_in_view_is_not(clip):
    """The ball passes in front of the box and the floor: where it is in the target, nothing else of the source can be seen."""
    source, target = 0, 2
    there, visible = labeled_motion(clip, "still", source, target)
    gone = hidden(clip, "still", source, target)
    assert not (gone & visible).any()
    row, column = np.moveaxis(there, -1, 0)[1].astype(int), np.moveaxis(there, -1, 0)[0].astype(int)
    ball = clip.instances("still", target) == 1
    floor = clip.instances("still", source) == 3
    behind = floor & ball[row.clip(0, 95), column.clip(0, 127)]
    assert behind.sum() > 50
    assert gone[behind].mean() > 0.95
    assert gone[floor & ~behind].mean() < 0.25


@pytest.mark.slow
def test_what_comes_back_otherwise_is_seen_though_all_else_agrees(clip):
    rng = np.random.default_rng(0)
    texture = rng.uniform(0, 255, (4, 3))
    painted = [texture[clip.instances("still", k)].astype(np.uint8) for k in range(clip.frames)]
    faithful = footage_figures(clip, "still", painted.__getitem__)
    assert faithful.psnr_returned_db is not None and faithful.psnr_returned_db > 45
    came_back = hidden(clip, "still", 4, 2)  # of the last frame, what the ball stood before half-way
    forgetful = [*painted[:4], np.where(came_back[..., None], 255 - painted[4], painted[4])]
    figures = footage_figures(clip, "still", forgetful.__getitem__)
    assert figures.psnr_returned_db is not None and figures.psnr_returned_db < faithful.psnr_returned_db - 15
    assert figures.psnr_db[1] > figures.psnr_returned_db


@pytest.mark.slow
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
    from sim2real.clip.footage import generated_frames
    from sim2real.errors import MissingFileError

    with pytest.raises(MissingFileError, match=r"000003\.png"):
        generated_frames(tmp_path)(3)
