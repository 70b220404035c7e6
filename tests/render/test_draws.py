"""Further draws of a clip's noise: white, independent of each other, and moving as the first does."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim2real.clip import command_for, read_clip
from sim2real.errors import BadValueError, MissingFileError
from sim2real.metrics.whiteness import whiteness
from sim2real.noise import NoiseLayout, seed_of_draw
from sim2real.render import RenderOptions, render_clip

DRAWS, LAYOUT = 3, NoiseLayout(factor=2, channels=16)
ALL = range(DRAWS + 1)


@pytest.fixture(scope="module")
def clip(scene, tmp_path_factory):
    options = RenderOptions(layout=LAYOUT, only={"noise"}, threads=2, seed=3, draws=DRAWS, pages=False)
    return render_clip(scene, tmp_path_factory.mktemp("draws") / "clip", options)


@pytest.fixture(scope="module")
def noise(clip):
    return {camera: np.stack([clip.noise(camera, draw) for draw in ALL]) for camera in clip.cameras}


def correlation(a, b):
    """Of all values, in standard errors of independent ones."""
    a, b = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())) * np.sqrt(a.size)


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), st.integers(0, 1000), st.integers(0, 1000))
def test_no_two_draws_of_no_two_seeds_share_a_field(seed, other, draw, another):
    same = (seed, draw) == (other, another)
    assert (seed_of_draw(seed, draw) == seed_of_draw(other, another)) == same
    assert 0 <= seed_of_draw(seed, draw) < 2**64


def test_draws_are_the_noise_of_other_seeds_on_the_same_surfaces_bit_for_bit(clip, scene, tmp_path):
    for draw in (0, 2):
        options = RenderOptions(layout=LAYOUT, only={"noise"}, threads=1, seed=seed_of_draw(3, draw), pages=False)
        alone = render_clip(scene, tmp_path / str(draw), options)
        for camera in clip.cameras:
            assert np.array_equal(alone.noise(camera), clip.noise(camera, draw))


def test_every_draw_is_white(noise):
    for of_camera in noise.values():
        for frame in range(of_camera.shape[1]):
            assert whiteness(of_camera[:, frame]).worst() < 5


def test_draws_are_independent_of_each_other_in_every_pair_of_frames_and_cameras(noise):
    both = np.concatenate(list(noise.values()), axis=1)
    worst = max(
        abs(correlation(both[a, f], both[b, g])) for a in ALL for b in ALL if a < b for f in (0, 4, 9) for g in (0, 5, 9)
    )
    assert worst < 5, "54 pairs of normal numbers"


def test_every_draw_moves_as_the_first_does(noise):
    shared = [correlation(draw[0], draw[-1]) / np.sqrt(draw[0].size) for draw in noise["still"]]
    assert min(shared) > 0.5 and max(shared) - min(shared) < 0.03


def test_the_independent_part_is_drawn_anew_too(scene, tmp_path):
    options = RenderOptions(layout=LAYOUT, only={"noise"}, threads=1, beta=0.0, draws=1, pages=False)
    fresh = render_clip(scene, tmp_path / "clip", options)
    assert abs(correlation(fresh.noise("still"), fresh.noise("still", 1))) < 5


def test_the_record_and_the_command_say_how_many_and_old_clips_have_none(clip, tmp_path):
    copied = shutil.copytree(clip.path, tmp_path / "clip")
    assert read_clip(copied).noise_record().draws == DRAWS
    assert f"--draws {DRAWS}" in command_for(clip, []) and command_for(clip, ["--draws", 9]).count("--draws") == 1
    with pytest.raises(BadValueError, match=r"draw 4 of the noise is asked for, must be at most 3; make .* --draws 4"):
        clip.latents("still", slice(0, 1), 4)
    (copied / "still" / "noise-2.npy").unlink()
    with pytest.raises(MissingFileError, match="noise not found"):
        read_clip(copied).noise("still", 2)
    said = json.loads((copied / "clip.json").read_text())
    del said["noise"]["draws"]
    (copied / "clip.json").write_text(json.dumps(said))
    assert read_clip(copied).noise_record().draws == 0


@pytest.mark.parametrize(
    ("asked", "message"),
    [({"draws": -1}, "--draws is -1"), ({"draws": 1001}, "from 0 to 1000"), ({"only": {"depth"}, "draws": 1}, "no noise")],
)
def test_draws_that_cannot_be_are_refused(asked, message):
    with pytest.raises(BadValueError, match=message):
        replace(RenderOptions(), **asked)
