"""Cells that have no light of their own take that of cells around: what is looked up in few equals what is defined for all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.conditions.light.cache import _Cells


def around(values: np.ndarray) -> np.ndarray:
    """Sums over the six cells around."""
    padded = np.pad(values, [(1, 1)] * 3 + [(0, 0)] * (values.ndim - 3))
    low, middle, high = slice(None, -2), slice(1, -1), slice(2, None)
    places = [(high, middle, middle), (low, middle, middle), (middle, high, middle)]
    places += [(middle, low, middle), (middle, middle, high), (middle, middle, low)]
    return np.sum([padded[place] for place in places], axis=0)


def filled(place: np.ndarray, light: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """As it is defined, for every cell at once."""
    shape, count = (*cells.tolist(), 6), int(np.prod(cells)) * 6
    weight = np.bincount(place, minlength=count).reshape(*shape, 1)
    total = np.stack([np.bincount(place, light[:, k], count) for k in range(3)], axis=1).reshape(*shape, 3)
    known, have = total / np.maximum(weight, 1), weight > 0
    for _ in range(3):
        many = around(have.astype(float))
        known = np.where(have, known, around(known * have) / np.maximum(many, 1))
        have |= many > 0
    overall = total.sum(axis=(0, 1, 2)) + 0.1 * total.sum(axis=(0, 1, 2, 3))
    overall /= weight.sum(axis=(0, 1, 2)) + 0.1 * weight.sum()
    return np.where(have, known, overall).reshape(count, 3)


@settings(max_examples=40, deadline=None)
@given(st.tuples(*[st.integers(1, 9)] * 3), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_few_cells_are_filled_as_all_are(cells, elements, seed):
    rng, along = np.random.default_rng(seed), np.array(cells)
    place, light = rng.integers(0, along.prod() * 6, elements), rng.gamma(1, 1, (elements, 3))
    np.testing.assert_allclose(_Cells(place, along).filled(light), filled(place, light, along), rtol=1e-12)


def test_light_reaches_three_cells_and_beyond_them_is_that_of_the_direction():
    cells, gray = np.array([20, 1, 1]), np.ones(3)
    out = _Cells(np.array([4 * 6 + 2, 19 * 6 + 2]), cells).filled(np.array([1 * gray, 3 * gray])).reshape(20, 6, 3)
    assert (out[1:8, 2] == 1).all() and (out[16:, 2] == 3).all()
    assert out[[0, 10], 2] == pytest.approx(2 * np.ones((2, 3))) and out[4, 3] == pytest.approx(2 * gray)
