"""Lines a pixel wide, which centers of pixels meet now and then, are lit evenly; nothing else is."""

from __future__ import annotations

import numpy as np
import pytest

from sim2real.conditions.light.filters import fill_lines


def slanting(slope, steep, width):
    """Pixels of a line through a picture, so many wide."""
    y, x = np.indices((60, 60)) + 0.5
    across = (y - 30) - slope * (x - 30)
    apart = across.T if steep else across
    return np.abs(apart) < width / 2


@pytest.mark.parametrize("steep", [False, True])
@pytest.mark.parametrize("slope", [0.0, 0.21, 0.5, 0.73, 1.0])
def test_grooves_a_pixel_wide_are_lit_as_the_faces_that_they_join(slope, steep):
    groove = slanting(slope, steep, 1)
    normals = np.where(groove[..., None], [0.0, 1, 0], [0.0, 0, -1]).astype(np.float32)
    light = np.where(groove[..., None], np.random.default_rng(0).uniform(0, 1, (60, 60, 1)), 0.5) * np.ones(3)
    light = light.astype(np.float32)
    fill_lines((light,), np.zeros((60, 60), np.int32), normals)
    np.testing.assert_allclose(light[2:-2, 2:-2], 0.5, atol=1e-6)


@pytest.mark.parametrize("steep", [False, True])
@pytest.mark.parametrize("slope", [0.0, 0.21, 0.5, 0.73, 1.0])
def test_faces_that_meet_and_wide_grooves_keep_their_own_light(slope, steep):
    y, x = np.indices((60, 60)) + 0.5
    one = ((x - 30) > slope * (y - 30)) if steep else ((y - 30) > slope * (x - 30))
    for other in (one, slanting(slope, steep, 5)):
        normals = np.where(other[..., None], [0.0, 1, 0], [0.0, 0, -1]).astype(np.float32)
        light = np.where(other[..., None], 0.2, 0.9) * np.ones(3, np.float32)
        filled = light.astype(np.float32)
        fill_lines((filled,), np.zeros((60, 60), np.int32), normals)
        np.testing.assert_array_equal(filled[2:-2, 2:-2], light.astype(np.float32)[2:-2, 2:-2])
