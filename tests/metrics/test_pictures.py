from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from sim2real.metrics import pictures
from sim2real.metrics.pictures import EdgeCounts, blur_ssim, canny, edge_counts, luma, psnr, ssim
from tests.metrics.pictures import dead_leaves


@pytest.fixture(scope="module")
def picture():
    return dead_leaves(0, (96, 128))


def blurred(picture, sigma):
    return ndimage.gaussian_filter(picture, (sigma, sigma, 0))


def test_psnr_is_that_of_a_known_error():
    a = np.full((8, 8, 3), 100, np.uint8)
    assert psnr(a, a + np.uint8(10)) == pytest.approx(20 * np.log10(25.5), abs=1e-9)
    assert psnr(a, a) == 120


def test_ssim_is_one_for_equal_pictures_and_falls_with_blur(picture):
    assert ssim(picture, picture) == pytest.approx(1)
    assert 1 > ssim(picture, blurred(picture, 0.7)) > ssim(picture, blurred(picture, 2)) > 0


def test_ssim_is_that_of_the_definition_at_a_single_place():
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 256, (7, 7, 3), dtype=np.uint8) for _ in range(2))
    wide = [np.pad(p, ((3, 3), (3, 3), (0, 0)), mode="symmetric") for p in (a, b)]
    found = []
    for y in range(7):
        for x in range(7):
            for c in range(3):
                p, q = (w[y : y + 7, x : x + 7, c].astype(float) for w in wide)
                s = ((p - p.mean()) * (q - q.mean())).sum() / 48
                top = (2 * p.mean() * q.mean() + 2.55**2) * (2 * s + 7.65**2)
                bottom = (p.mean() ** 2 + q.mean() ** 2 + 2.55**2) * (p.var(ddof=1) + q.var(ddof=1) + 7.65**2)
                found.append(top / bottom)
    assert ssim(a, b) == pytest.approx(np.mean(found), abs=1e-9)


def test_canny_draws_thin_lines_where_values_jump_and_follows_weak_edges_from_strong_ones():
    step = np.full((40, 40), 20.0, np.float32)
    step[:, 20:] = 120
    lines = canny(step, 100.0, 200.0)
    assert lines[1:-1].sum(axis=1).max() == 1
    assert set(np.argwhere(lines)[:, 1]) <= {19, 20}
    fading = np.full((60, 40), 20.0, np.float32)
    fading[:, 20:] += np.linspace(80, 30, 60)[:, None]  # a step that gets weaker, from four times 80 to four times 30
    assert canny(fading, 100.0, 200.0)[1:-1].any(axis=1).all()
    assert not canny(fading, 100.0, 400.0).any()


@pytest.mark.parametrize("seed", range(3))
def test_edges_and_blur_are_those_of_opencv(seed):
    cv2 = pytest.importorskip("cv2")
    picture = dead_leaves(seed, (96, 128))
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    assert np.abs(luma(picture) - gray).max() <= 1
    assert (canny(gray.astype(np.float32), 100.0, 200.0) != (cv2.Canny(gray, 100, 200) > 0)).mean() < 1e-3
    ours = pictures._bilateral(picture, 15, 150.0, 100.0).astype(int)
    assert np.abs(ours - cv2.bilateralFilter(picture, 30, 150, 100)).max() <= 1


def test_edge_counts_add_up_to_the_f1_of_all_frames(picture):
    same = edge_counts(picture, picture)
    assert same.f1 == same.precision == same.recall == 1
    soft = edge_counts(blurred(picture, 1.5), picture)
    assert 0 < soft.f1 < 1
    both = same + soft
    precision, recall = both.precision, both.recall
    assert both.f1 == pytest.approx(2 * precision * recall / (precision + recall))
    assert EdgeCounts().f1 == 0


def test_blurred_ssim_forgives_grain_and_not_other_shapes(picture):
    grain = np.clip(picture + np.random.default_rng(0).normal(0, 12, picture.shape), 0, 255).astype(np.uint8)
    assert blur_ssim(picture, picture) == pytest.approx(1)
    assert blur_ssim(grain, picture) > max(0.9, ssim(grain, picture))
    assert blur_ssim(dead_leaves(1, (96, 128)), picture) < 0.6
