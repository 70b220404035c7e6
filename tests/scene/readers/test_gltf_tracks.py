"""Keys of animations, against a plain evaluation of the specification's formulas."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.errors import UnknownNameError, UnreadableFileError
from sim2real.scene.readers.gltf.document import open_document
from sim2real.scene.readers.gltf.tracks import LONGEST_S, animation_names, animation_of

from .gltf_files import Gltf, value_at

WAYS = ("LINEAR", "STEP", "CUBICSPLINE")
PATHS = {"translation": 3, "rotation": 4, "scale": 3, "weights": 2}


def track_of(folder, path, seconds, values, way):
    gltf = Gltf()
    node = gltf.node(mesh=gltf.mesh(targets=[np.zeros((4, 3))] * 2))
    gltf.animation((node, path, seconds, values, way))
    animation = animation_of(open_document(gltf.save(folder / "a.glb")), None)
    assert animation is not None
    return animation.tracks[node, path]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", PATHS)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_values_are_those_of_the_specification_at_keys_between_and_beyond(tmp_path_factory, way, path, data):
    count, seed = data.draw(st.integers(1, 5)), data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    seconds = np.cumsum(rng.uniform(0.1, 1, count)).astype(np.float32)
    values = rng.normal(size=(count * (3 if way == "CUBICSPLINE" else 1), PATHS[path])).astype(np.float32)
    track = track_of(tmp_path_factory.mktemp("a"), path, seconds, values, way)
    times = np.concatenate([[0, 1e3], seconds, rng.uniform(0, seconds[-1] + 0.5, 8)])
    found = track.at(times)
    for t, value in zip(times, found, strict=True):
        expected = np.array(value_at(seconds, values, way, t, turns=path == "rotation"))
        sign = np.sign(value @ expected) if path == "rotation" else 1  # a quaternion and its negative are one turn
        assert sign * value == pytest.approx(expected, abs=1e-5)


def test_a_turn_goes_the_shorter_way_whatever_the_signs_of_its_keys(tmp_path):
    quarter = [0, 0, np.sin(np.pi / 4), np.cos(np.pi / 4)]
    for sign in (1, -1):
        track = track_of(tmp_path, "rotation", [0, 1], [[0, 0, 0, 1], np.multiply(sign, quarter)], "LINEAR")
        half = track.at(np.array([0.5]))[0]
        assert half == pytest.approx([0, 0, np.sin(np.pi / 8), np.cos(np.pi / 8)], abs=1e-6)


def test_the_same_turn_twice_with_other_signs_stays(tmp_path):
    q = np.array([0.5, 0.5, 0.5, 0.5])
    track = track_of(tmp_path, "rotation", [0, 1], [q, -q], "LINEAR")
    assert np.abs(track.at(np.linspace(0, 1, 7)[:-1]) - q).max() < 1e-6


def test_one_key_holds_always_and_is_known_to_rest(tmp_path):
    for way in WAYS:
        values = [[1, 2, 3]] * (3 if way == "CUBICSPLINE" else 1)
        track = track_of(tmp_path, "translation", [0.5], values, way)
        assert np.array_equal(track.at(np.array([0, 0.5, 9])), [[1, 2, 3]] * 3)
        assert track.rests == (way != "CUBICSPLINE")
    assert not track_of(tmp_path, "translation", [0, 1], [[0, 0, 0], [1, 0, 0]], "LINEAR").rests


def test_a_step_changes_at_its_key_and_not_before(tmp_path):
    track = track_of(tmp_path, "scale", [0, 1, 2], [[1, 1, 1], [2, 2, 2], [3, 3, 3]], "STEP")
    assert track.at(np.array([0, 0.999, 1, 1.5, 2, 3]))[:, 0].tolist() == [1, 1, 2, 2, 3, 3]


def test_normalized_integers_are_turns(tmp_path):
    gltf = Gltf()
    node = gltf.node(mesh=gltf.mesh())
    gltf.animation((node, "rotation", [0, 1], [[0, 0, 0, 1]] * 2, "LINEAR"))
    keys = np.array([[0, 0, 0, 32767], [0, 0, 32767, 0]], np.int16)
    gltf.tree["animations"][0]["samplers"][0]["output"] = gltf.accessor(keys, normalized=True)
    animation = animation_of(open_document(gltf.save(tmp_path / "a.glb")), None)
    assert animation is not None and animation.tracks[node, "rotation"].at(np.array([0.5]))[0] == pytest.approx(
        [0, 0, np.sqrt(0.5), np.sqrt(0.5)]
    )


def test_animations_are_chosen_by_name_and_those_without_one_by_number(tmp_path):
    gltf = Gltf()
    node = gltf.node(mesh=gltf.mesh())
    for name, end in (("walk", 1), (None, 2)):
        gltf.animation((node, "translation", [0, end], [[0, 0, 0], [1, 0, 0]], "LINEAR"), name=name)
    document = open_document(gltf.save(tmp_path / "a.glb"))
    assert animation_names(document) == ["walk", "animation_1"]
    for name, seconds in ((None, 1), ("walk", 1), ("animation_1", 2)):
        found = animation_of(document, name)
        assert found is not None and found.seconds == seconds
    with pytest.raises(UnknownNameError, match="unknown animation 'run' in .*; valid: walk, animation_1"):
        animation_of(document, "run")


@pytest.mark.parametrize(
    ("path", "seconds", "values", "why"),
    [
        ("translation", [1, 0], [[0, 0, 0]] * 2, "do not go up from 0"),
        ("translation", [-1, 0], [[0, 0, 0]] * 2, "do not go up from 0"),
        ("translation", [0, 1], [[0, 0, 0]] * 3, "2 keys of translation have 9 numbers"),
        ("translation", [0, np.nan], [[0, 0, 0]] * 2, "row 1 of accessor 4, times of keys, is not finite"),
        ("translation", [0, 1], [[0, 0, 0], [np.inf, 0, 0]], "row 1 of accessor 5, keys of translation, is not finite"),
        ("translation", [0, 1], [[0, 0, 0], [1e20, 0, 0]], "endless"),
        ("translation", [0, 10 * LONGEST_S], [[0, 0, 0]] * 2, "lasts 1e\\+08 s"),
        ("rotation", [0], [[0, 0, 0, 0]], "no quaternion"),
        ("rotation", [0], [[0, 0, 1]], "must be VEC4"),
        ("weights", [0, 1], [[1, 2, 3]], "2 keys of weights have 3 numbers"),
    ],
)
def test_keys_that_are_none_are_refused_in_one_line(tmp_path, path, seconds, values, why):
    with pytest.raises(UnreadableFileError, match=why):
        track_of(tmp_path, path, seconds, values, "LINEAR")


def test_a_frame_at_a_key_that_was_rounded_up_is_not_before_it(tmp_path):
    frames = np.arange(200)
    seconds = np.float32(frames / 24)
    track = track_of(tmp_path, "translation", seconds, np.stack([frames, frames, frames], axis=1), "STEP")
    assert (seconds > frames / 24).any() and np.array_equal(track.at(frames / 24)[:, 0], frames)
