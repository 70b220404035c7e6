from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from sim2real.errors import BadValueError, MissingFileError, UnreadableFileError
from sim2real.metrics.frechet import Moments, frechet, picture_moments, pooled
from sim2real.metrics.photographs import appearance, distances, photograph, photograph_files
from sim2real.metrics.scene_statistics import _lopsided, _shape, scene_statistics, statistics_distance
from tests.metrics.pictures import dead_leaves


@pytest.fixture(scope="module")
def leaves():
    return [dead_leaves(seed) for seed in range(8)]


def all_statistics(pictures):
    return np.concatenate([scene_statistics(picture) for picture in pictures])


@pytest.mark.slow
def test_halves_of_a_set_are_nearer_to_each_other_than_to_blurred_or_grainy_ones(leaves):
    first, second = all_statistics(leaves[::2]), all_statistics(leaves[1::2])
    rng = np.random.default_rng(0)
    soft = all_statistics([ndimage.gaussian_filter(p, (1, 1, 0)) for p in leaves[1::2]])
    grainy = all_statistics([np.clip(p + rng.normal(0, 12, p.shape), 0, 255).astype(np.uint8) for p in leaves[1::2]])
    apart = statistics_distance(first, second)
    assert statistics_distance(first, soft) > 1.5 * apart
    assert statistics_distance(first, grainy) > 1.5 * apart
    assert statistics_distance(first, first) == 0


@pytest.mark.slow
def test_graying_leaves_the_statistics_as_they_are(leaves):
    gray = [np.repeat(np.rint(p @ [0.2126, 0.7152, 0.0722])[..., None], 3, -1).astype(np.uint8) for p in leaves]
    assert statistics_distance(all_statistics(leaves), all_statistics(gray)) < 0.2


def test_flat_patches_have_no_statistics():
    picture = np.full((128, 192, 3), 90, np.uint8)
    assert scene_statistics(picture).shape == (0, 36)
    picture[:64, 64:128] = dead_leaves(0, (64, 64))
    assert scene_statistics(picture).shape[0] < 6
    assert np.isfinite(scene_statistics(picture)).all()


@pytest.mark.parametrize("shape", [1.0, 2.0, 4.0])
def test_shapes_of_generalized_gaussians_are_found(shape):
    rng = np.random.default_rng(0)
    x = rng.gamma(1 / shape, size=400_000) ** (1 / shape) * rng.choice([-1, 1], 400_000)
    assert _shape((x * x).mean() / np.abs(x).mean() ** 2) == pytest.approx(shape, rel=0.05)
    left, right = np.where(x < 0, x, 0), np.where(x >= 0, 2 * x, 0)
    _, below, above, _ = _lopsided((left + right).reshape(400, 1000))
    assert above / below == pytest.approx(2, rel=0.02)


def moments(x: np.ndarray) -> Moments:
    return Moments(len(x), x.sum(0), x.T @ x)


def test_the_frechet_distance_is_that_of_normal_distributions():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((5000, 3))
    a = moments(x)
    assert frechet(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet(a, moments(x + [3, 0, 4])) == pytest.approx(25)
    shrunk = moments(x - x.mean(0)), moments(2 * (x - x.mean(0)))
    assert frechet(*shrunk) == pytest.approx(np.trace(shrunk[0].covariance))  # (2 - 1)^2 of every deviation's square
    assert np.allclose(pooled([moments(x[:100]), moments(x[100:])]).covariance, np.cov(x.T))


@pytest.mark.slow
def test_features_know_pictures_of_one_kind_from_others(vgg, leaves):
    made = [picture_moments(vgg, picture) for picture in leaves[:4]]
    soft = [picture_moments(vgg, ndimage.gaussian_filter(picture, (3, 3, 0))) for picture in leaves[2:4]]
    halves = frechet(pooled(made[:2]), pooled(made[2:]))
    assert frechet(pooled(made[:2]), pooled(soft)) > 2 * halves > 0


@pytest.mark.slow
def test_both_distances_are_found_together(vgg, leaves):
    shown = [appearance(picture, vgg) for picture in leaves[:4]]
    found = distances(shown[:2], shown[2:])
    assert found.statistics == statistics_distance(all_statistics(leaves[:2]), all_statistics(leaves[2:4]))
    assert found.vgg > 0
    flat = appearance(np.full((64, 64, 3), 90, np.uint8), vgg)
    assert np.isnan(distances([flat], shown).statistics)


def write(folder: Path, name: str, size: tuple[int, int]) -> Path:
    folder.mkdir(exist_ok=True)
    Image.fromarray(dead_leaves(0, size)).save(folder / name)
    return folder / name


def test_photographs_are_fitted_to_the_size_they_are_compared_at(tmp_path):
    same = write(tmp_path, "same.png", (48, 64))
    assert np.array_equal(photograph(same, (48, 64)), dead_leaves(0, (48, 64)))
    wide = write(tmp_path, "wide.png", (50, 200))
    assert photograph(wide, (48, 64)).shape == (48, 64, 3)
    assert photograph(wide, (100, 30)).shape == (100, 30, 3)


def test_folders_without_enough_photographs_are_refused(tmp_path):
    with pytest.raises(MissingFileError, match="photographs"):
        photograph_files(tmp_path / "none")
    write(tmp_path / "deep", "a.PNG", (8, 8))
    with pytest.raises(BadValueError, match="is 1, must be at least 4"):
        photograph_files(tmp_path)
    (tmp_path / "b.jpg").write_text("no picture")
    with pytest.raises(UnreadableFileError, match=r"b\.jpg"):
        photograph(tmp_path / "b.jpg", (8, 8))
