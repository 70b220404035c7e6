"""Border pixels of an edit show what is there now, and nothing of how either footage had the other side."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from sim2real.conditions.coverage import SIDE
from sim2real.diffusion.edits.border import touched, with_border
from sim2real.scene.colors import linear_from_srgb, srgb_from_linear

SIZE = (20, 30)


def thing(rng):
    """Samples of a disc, its share of every pixel, who has each pixel's center, and what neighbors cover."""
    y, x = (np.mgrid[: SIZE[0] * SIDE, : SIZE[1] * SIDE] + 0.5) / SIDE
    middle, radius = rng.uniform((7, 10), (13, 20)), rng.uniform(3, 6)
    inside = np.hypot(y - middle[0], x - middle[1]) < radius
    share = inside.reshape(SIZE[0], SIDE, SIZE[1], SIDE).mean(axis=(1, 3))
    v, u = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    center = np.hypot(v - middle[0], u - middle[1]) < radius
    foreign = np.rint(np.where(center, 1 - share, share) * 16).clip(0, 15).astype(np.uint16)
    coverage = np.zeros(SIZE, np.uint16)
    for bits, axis, step in ((0, 0, 1), (4, 0, -1), (8, 1, 1), (12, 1, -1)):
        other = np.roll(center, step, axis) != center
        coverage += np.where(other & (coverage == 0), foreign << np.uint16(bits), 0).astype(np.uint16)
    return share, center, coverage


def picture(share, of_thing, of_rest):
    return np.rint(255 * srgb_from_linear(share[..., None] * of_thing + (1 - share[..., None]) * of_rest)).astype(np.uint8)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), blur=st.sampled_from([0.0, 0.5]), same_rest=st.booleans(), knows=st.booleans())
def test_nothing_of_the_old_color_is_left_and_nothing_of_what_the_new_footage_has_around_it(seed, blur, same_rest, knows):
    rng = np.random.default_rng(seed)
    share, center, coverage = thing(rng)
    if blur:
        share = ndimage.gaussian_filter(share, blur)
    old_thing, new_thing, old_rest, other_rest = rng.uniform(0.02, 0.9, (4, 3))
    new_rest = old_rest if same_rest else other_rest
    old, new = picture(share, old_thing, old_rest), picture(share, new_thing, new_rest)
    if np.abs(old_thing - new_thing).max() < 0.1 or np.abs((new_thing - old_thing) - (new_rest - old_rest)).max() < 0.15:
        return  # what changes alike on both sides tells no shares
    wanted = picture(share, new_thing, old_rest)
    made = with_border(old, new, center, center.astype(np.uint16), coverage if knows else None)
    far = ~touched(center)
    assert np.array_equal(made[far], old[far])
    inner = ~touched(~center)
    assert np.array_equal(made[inner], new[inner])
    border = ~far & ~inner

    def off(one):
        return np.abs(linear_from_srgb(one[border] / 255) - linear_from_srgb(wanted[border] / 255)).mean()

    assert off(made) < 0.02
    assert off(made) < 0.5 * off(np.where(center[..., None], new, old)) + 0.005


def test_where_both_sides_change_alike_coverage_says_how_much_is_the_others():
    changed = np.zeros((9, 9), np.bool_)
    changed[3:6, 3:6] = True
    coverage = np.zeros((9, 9), np.uint16)
    coverage[2, 4] = 8 << 4  # half of it by what is below
    old, new = np.full((9, 9, 3), 10, np.uint8), np.full((9, 9, 3), 200, np.uint8)
    made = with_border(old, new, changed, changed.astype(np.uint16), coverage)
    half = float(255 * srgb_from_linear(linear_from_srgb(np.array([10, 200]) / 255).mean(keepdims=True))[0])
    assert made[2, 4] == pytest.approx([half] * 3, abs=1)
    made[2, 4] = 10
    assert np.array_equal(made, np.where(changed[..., None], new, old))
