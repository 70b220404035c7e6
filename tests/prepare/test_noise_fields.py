import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.prepare.noise_fields import NoiseDraws, clip_noise, make_training_noise, orthonormal_rows
from sim2real.prepare.random_scenes import random_scene

EVERYTHING = (slice(None), slice(None), slice(None))


@pytest.fixture
def paths(tmp_path):
    """Fields of two clips whose second frame repeats the first."""
    made = []
    for clip in range(2):
        frame = np.random.default_rng(clip).standard_normal((1, 12, 48, 64)).astype(np.float16)
        made.append(tmp_path / f"{clip}.npy")
        np.save(made[-1], np.concatenate([frame, frame]))
    return made


@given(st.integers(0, 2**32), st.integers(3, 30))
@settings(max_examples=20, deadline=None)
def test_weights_are_orthonormal(seed, columns):
    rows = orthonormal_rows(np.random.default_rng(seed), 3, columns).astype(np.float64)
    assert np.allclose(rows @ rows.T, np.eye(3), atol=1e-5)


def test_draws_are_white_with_unit_variance_and_move_as_their_fields_do(paths):
    noise = NoiseDraws(paths, seed=3).noise(1, 5, *EVERYTHING)
    assert noise.shape == (2, 3, 48, 64) and np.array_equal(noise[0], noise[1])
    channels = noise[0].reshape(3, -1)
    assert np.abs(np.cov(channels) - np.eye(3)).max() < 5 / np.sqrt(channels.shape[1])


def test_a_draw_is_the_same_whenever_it_is_asked_for_and_crops_are_parts_of_it(paths):
    draws = NoiseDraws(paths, seed=3)
    whole = draws.noise(0, 7, *EVERYTHING)
    draws.noise(1, 2, *EVERYTHING)
    assert np.array_equal(whole, draws.noise(0, 7, *EVERYTHING))
    crop = draws.noise(0, 7, slice(1, 2), slice(8, 24), slice(16, 32))
    assert np.allclose(crop, whole[1:2, :, 8:24, 16:32], atol=1e-5)


def test_other_draws_and_other_seeds_are_unrelated_on_average(paths):
    draws, others = NoiseDraws(paths, seed=3), NoiseDraws(paths, seed=4)

    def likeness(pairs):
        return float(np.mean([np.corrcoef(a[0].ravel(), b[0].ravel())[0, 1] for a, b in pairs]))

    one = [draws.noise(0, n, *EVERYTHING) for n in range(60)]
    # The weights of two draws are independent: their likeness has mean 0 and variance about 1 / (3 channels).
    assert abs(likeness(zip(one[:30], one[30:], strict=True))) < 5 / np.sqrt(30 * 36)
    assert abs(likeness((a, others.noise(0, n, *EVERYTHING)) for n, a in enumerate(one[:30]))) < 5 / np.sqrt(30 * 36)


@pytest.mark.slow
def test_noise_of_a_scene_is_drawn_once_and_has_unit_variance(tmp_path):
    def scene(clip):
        return random_scene(40 + clip, size=(32, 48), frames=2).scene

    told = []
    paths = make_training_noise(scene, [0], tmp_path, channels=8, progress=lambda *done: told.append(done))
    fields = np.load(paths[0]).astype(np.float32)
    assert fields.shape == (2, 8, 32, 48) and fields.dtype == np.float32 and told == [(1, 1)]
    assert abs(fields[0].mean()) < 5 / np.sqrt(8 * 32 * 48) and abs(fields[0].var() - 1) < 5 * np.sqrt(2 / (8 * 32 * 48))
    assert np.array_equal(clip_noise(scene(0), channels=8), np.load(paths[0]))
    stamp = paths[0].stat().st_mtime_ns
    assert make_training_noise(scene, [0], tmp_path, channels=8) == paths and paths[0].stat().st_mtime_ns == stamp
