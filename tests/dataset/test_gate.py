"""The figures by which clips are judged tell good footage from bad, and the gate says why."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from sim2real.clip import Clip
from sim2real.dataset.clips import DatasetClip
from sim2real.dataset.gate import AT_LEAST, AT_MOST, refusal
from sim2real.dataset.quality import clip_figures, footage_figures, label_agreement, label_shift
from sim2real.metrics.motion import labeled_motion, sampled
from sim2real.metrics.response import noise_response


def textured(clip: Clip, camera: str, *, sticks: bool) -> list[np.ndarray]:
    """Frames with a texture that is carried along exact motion, or drawn anew in every frame."""
    rng = np.random.default_rng(7)

    def fresh() -> np.ndarray:
        return 60 * ndimage.gaussian_filter(rng.standard_normal(clip.record.size), 1.2) / 0.23

    texture = fresh()
    frames = []
    for k in range(clip.frames):
        if k and not sticks:
            texture = fresh()
        elif k:
            there, visible = labeled_motion(clip, camera, k, k - 1)
            carried = sampled(texture[..., None], there[visible])[..., 0]
            texture = fresh()
            texture[visible] = carried
        frames.append(np.clip(clip.rgb(camera, k) * 0.5 + 60 + texture[..., None], 0, 255).astype(np.uint8))
    return frames


@pytest.mark.parametrize("camera", ["moving", "still"])
def test_texture_that_sticks_has_more_detail_and_less_flicker_than_texture_that_boils(tiny_clips, camera):
    clip = tiny_clips[0].clip
    good, bad = (textured(clip, camera, sticks=sticks) for sticks in (True, False))
    figures = [footage_figures(clip, camera, frames.__getitem__, restyled=True) for frames in (good, bad)]
    assert figures[0]["detail"] > 0.6 > 0.2 > abs(figures[1]["detail"])
    assert figures[0]["flicker"] < 0.8 * figures[1]["flicker"]


@pytest.mark.parametrize("shift", [(0, 0), (3, 0), (0, -5), (4, 4)])
def test_a_shift_of_labels_is_found_to_the_pixel(tiny_clips, shift):
    clip = tiny_clips[0].clip
    pairs = [(clip.rgb("still", k), np.roll(clip.instances("still", k), shift, (0, 1))) for k in range(clip.frames)]
    assert label_shift(iter(pairs)) == pytest.approx(math.hypot(*shift))


@pytest.mark.parametrize(("factor", "channels"), [(1, 3), (2, 16)])
def test_footage_is_told_by_the_noise_that_drove_it(tiny_clips, monkeypatch, factor, channels):
    """Weak grain of the clip's noise is found below a texture that is three times as strong, grain of other noise is not."""
    clip = tiny_clips[0].clip
    rng = np.random.default_rng(3)
    height, width = clip.record.size
    grid = (clip.frames, channels, height // factor, width // factor)
    own, other = (rng.standard_normal(grid).astype(np.float32) for _ in range(2))
    record = clip.noise_record().model_copy(update={"factor": factor, "channels": channels})
    monkeypatch.setattr(Clip, "noise_record", lambda self: record)
    monkeypatch.setattr(Clip, "latents", lambda self, camera, which: own[which])

    def footage(noise: np.ndarray) -> Callable[[int], np.ndarray]:
        texture = np.kron(12 * rng.standard_normal(grid[:1] + grid[2:]), np.ones((factor, factor)))
        grain = 4 * np.kron(noise[:, 1], np.ones((factor, factor)))
        return lambda frame: np.clip(120 + texture[frame] + grain[frame], 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)

    said = [noise_response(clip, "still", footage(noise), range(clip.frames)) for noise in (own, other)]
    assert said[0] > 0.2
    assert abs(said[1]) < 0.06


def test_a_picture_without_borders_has_no_shift():
    assert label_shift(iter([(np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40), np.uint16))])) == 0


def test_labels_that_contradict_depth_are_counted(tiny_clips, tmp_path):
    import shutil

    from sim2real.clip import read_clip
    from sim2real.clip.images import write_png

    folder = tmp_path / "clip"
    shutil.copytree(tiny_clips[0].clip.path, folder)
    clip = read_clip(folder)
    assert label_agreement(clip) == 1
    ids = clip.instances("still", 0).copy()
    ids[0, 0] = 999
    write_png(clip.frame_path("still", "instances", 0), ids)
    assert label_agreement(clip) == pytest.approx(1 - 1 / (2 * clip.frames))


def test_figures_of_a_clip_bear_the_names_of_the_gate(tiny_clips: list[DatasetClip]):
    figures = clip_figures(tiny_clips[0].clip)
    assert set(figures) <= {*AT_LEAST, *AT_MOST}
    assert figures["labels"] == 1
    assert json.loads(json.dumps(figures)) == figures


def test_the_gate_says_every_reason():
    figures = {"borders": 0.8, "flicker": 6.0, "noise": math.nan}
    assert refusal(figures, {"borders": 0.7, "flicker": 7.0}) == ""
    said = refusal(figures, {"borders": 0.9, "flicker": 5.0, "noise": 4.0})
    assert (
        said
        == "borders is 0.8, must be at least 0.9; flicker is 6, must be at most 5; noise is not a number, must be at most 4"
    )
    assert refusal(figures, {"color": 3.0}) == ""


def test_figures_do_not_depend_on_where_the_clip_is(tiny_clips, tmp_path: Path):
    import shutil

    from sim2real.clip import read_clip

    shutil.copytree(tiny_clips[1].clip.path, tmp_path / "elsewhere")
    assert clip_figures(read_clip(tmp_path / "elsewhere")) == clip_figures(tiny_clips[1].clip)
