from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim2real.clip import read_clip, write_report
from sim2real.metrics.whiteness import whiteness
from sim2real.noise import NoiseLayout
from sim2real.render import RenderOptions, render_clip

from .conftest import FRAMES

LAYOUT = NoiseLayout(factor=4, channels=16)
BETA = {"toy": 1.0, "floor": 0.5, "background": 0.0}


@pytest.fixture(scope="module")
def resting(scene):
    return replace(scene, world_from_instance=np.repeat(scene.world_from_instance[:1], FRAMES, axis=0))


@pytest.fixture(scope="module")
def clips(resting, tmp_path_factory):
    """The same rest, seen by a camera that stands still: with beta by class, and with all noise on the surfaces."""
    folder = tmp_path_factory.mktemp("beta")

    def made(name, beta):
        return render_clip(
            resting,
            folder / name,
            RenderOptions(cameras=["still"], layout=LAYOUT, seed=4, beta=beta, only={"noise", "instances"}),
        )

    return made("by-class", BETA), made("surface", 1.0)


def latents_that_see_only(clip, ids):
    picture = np.isin(clip.instances("still", 0), ids)
    height, width = picture.shape
    return picture.reshape(height // 4, 4, width // 4, 4).all(axis=(1, 3))


def test_a_class_with_beta_one_keeps_its_noise_bit_for_bit(clips):
    mixed, surface = clips
    toys = latents_that_see_only(mixed, [1, 2])
    assert toys.sum() > 5
    assert np.array_equal(mixed.noise("still")[..., toys], surface.noise("still")[..., toys])


def test_a_class_with_beta_zero_is_independent_between_frames_and_others_as_much_as_they_were_told(clips):
    mixed, surface = clips
    for ids, beta in (([0], 0.0), ([3], 0.5)):
        where = latents_that_see_only(mixed, ids)
        a, b, still = mixed.noise("still")[0][:, where], mixed.noise("still")[1][:, where], surface.noise("still")[0][:, where]
        assert a.size > 200
        assert abs(float((a * b).mean()) - beta**2) < 5 * 1.2 / np.sqrt(a.size)
        assert abs(float((a * still).mean()) - beta) < 5 * 1.2 / np.sqrt(a.size)


def test_frames_with_beta_by_class_are_white(clips):
    for frame in clips[0].noise("still"):
        result = whiteness(np.asarray(frame)[None])
        assert result.worst() < 5, result


def test_the_record_keeps_the_shares_by_name_and_a_number_where_all_are_the_same(clips, resting, tmp_path):
    assert clips[0].record.noise.beta == BETA
    assert read_clip(clips[0].path).record.noise.beta == BETA
    assert "toy 1, floor 0.5, background 0" in write_report(clips[0]).read_text()
    same = render_clip(
        resting, tmp_path / "same", RenderOptions(cameras=["still"], layout=LAYOUT, beta={"*": 0.7}, only={"noise"})
    )
    assert same.record.noise.beta == 0.7
