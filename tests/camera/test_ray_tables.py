"""Rays through pixels, and the boxes of pixels around bundles of rays."""

import numpy as np
import pytest

from sim2real.camera.ray_tables import ray_tables
from sim2real.camera.rays import bent_rays

from .test_lens import LENSES, SIZE, K


@pytest.mark.parametrize("name", LENSES)
def test_the_box_of_a_cell_holds_all_pixels_that_look_into_it(name: str) -> None:
    tables = ray_tables(K, LENSES[name], SIZE, "cpu")
    angles = np.arctan(tables.rays.numpy())
    start, side = 0, tables.cells
    while side >= 1:
        at = np.clip(((angles - tables.low) * tables.scale * side / tables.cells).astype(int), 0, side - 1)
        box = tables.boxes.numpy()[start + at[..., 1] * side + at[..., 0]]
        y, x = np.indices(SIZE)
        assert ((box[..., 0] <= x) & (x <= box[..., 1]) & (box[..., 2] <= y) & (y <= box[..., 3])).all()
        start, side = start + side * side, side // 2
    assert start == len(tables.boxes)


def test_all_who_ask_for_a_view_share_one_table_whether_they_have_its_intrinsics_in_float32_or_float64() -> None:
    third = K / 3 * [[3], [3], [3]] + [[1 / 3, 0, 0], [0, 0, 0], [0, 0, 0]]
    ours, theirs = (ray_tables(k, LENSES["barrel"], SIZE, "cpu") for k in (third, third.astype(np.float32)))
    assert ours is theirs
    exact = bent_rays(third, LENSES["barrel"], SIZE)
    assert 0 < np.abs(ours.rays.numpy() - exact).max() < 1e-6
