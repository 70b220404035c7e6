from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim2real.errors import BadValueError
from sim2real.metrics.whiteness import whiteness
from sim2real.noise import NoiseLayout
from sim2real.noise.bake import baked_texture, level_for, texture_bands
from sim2real.noise.charts.build import Charts
from sim2real.noise.reference import OwnedCells, reference_noise
from tests.noise.views import Views, bumpy_room, camera, grid, scene

KEY = 0xFEDCBA9876543210


def test_a_texture_is_white():
    result = whiteness(baked_texture(KEY, level=9, channels=4, seed=1).transpose(2, 0, 1)[None])
    assert result.values == 4 * 512**2
    assert result.worst() < 5, result


def test_a_texel_is_half_the_sum_of_the_four_inside_it():
    coarse, fine = (baked_texture(KEY, level=level, channels=3, seed=1) for level in (6, 7))
    assert np.abs(fine.reshape(64, 2, 64, 2, 3).sum(axis=(1, 3)) / 2 - coarse).max() < 1e-6


def test_a_texture_equals_the_plain_reference():
    level, channels, seed = 5, 5, 3
    side = 1 << level
    charts = Charts(np.zeros((0, 3, 2), np.float32), np.zeros(0, np.int32), np.ones(1, np.float32), np.array([KEY], np.uint64))
    row, column = (place.ravel() for place in np.mgrid[:side, :side])
    cells = np.stack([np.zeros_like(row), np.full_like(row, level), column, row], axis=-1)
    owned = OwnedCells(cells, np.arange(side * side))
    expected = reference_noise(owned, charts, latents=(side, side), channels=channels, seed=seed)
    assert np.allclose(baked_texture(KEY, level=level, channels=channels, seed=seed), expected.transpose(1, 2, 0), atol=1e-5)


@pytest.mark.slow
def test_frames_are_made_of_the_baked_cells():
    """Every pixel is the area-weighted sum of the texels that it owns, whatever their levels."""
    views = Views(bumpy_room(1, size=(96, 128)), NoiseLayout(8, 4), seed=7)
    noise, leaves = views.frame(), views.leaves()
    weight, value = np.sqrt(leaves["area"]), np.zeros((len(leaves["area"]), 4))
    for chart, level in set(zip(leaves["chart"].tolist(), leaves["level"].tolist(), strict=True)):
        of = (leaves["chart"] == chart) & (leaves["level"] == level)
        i, j = leaves["i"][of], leaves["j"][of]
        rows, columns = ((int(k.min()), int(k.max()) + 1) for k in (j, i))
        key = int(views.charts.key[chart])
        texture = baked_texture(key, level=level, channels=4, seed=7, rows=rows, columns=columns)
        value[of] = texture[j - rows[0], i - columns[0]]
    total = np.stack([np.bincount(leaves["pixel"], weight * v, views.pixels) for v in value.T])
    area = np.bincount(leaves["pixel"], leaves["area"], views.pixels)
    owned = area > 0
    assert owned.mean() > 0.99
    assert np.abs(total[:, owned] / np.sqrt(area[owned]) - noise.reshape(4, -1)[:, owned]).max() < 1e-5


def test_a_pixel_that_owns_one_cell_is_that_texel():
    """Through a very long lens even the finest cells are many pixels wide, and each belongs to one of them."""
    view = camera([0.3, 0.2, 1.0], (0.3, 0.2, 0.0), size=(24, 32), focal=4e5)
    views = Views(scene([grid(4.0, 1)], [view]), NoiseLayout(1, 5), seed=2)
    noise, leaves = views.frame().reshape(5, -1), views.leaves()
    assert set(leaves["level"].tolist()) == {20}
    assert np.bincount(leaves["pixel"]).max() == 1
    assert len(leaves["pixel"]) > 20
    key = int(views.charts.key[leaves["chart"][0]])
    rows, columns = ((int(leaves[k].min()), int(leaves[k].max()) + 1) for k in ("j", "i"))
    texture = baked_texture(key, level=20, channels=5, seed=2, rows=rows, columns=columns)
    assert np.abs(texture[leaves["j"] - rows[0], leaves["i"] - columns[0]].T - noise[:, leaves["pixel"]]).max() < 1e-6


def test_windows_and_bands_are_pieces_of_the_whole(monkeypatch):
    whole = baked_texture(KEY, level=6, channels=3, seed=2)
    window = baked_texture(KEY, level=6, channels=5, seed=2, rows=(7, 20), columns=(33, 50))
    assert np.array_equal(window[..., :3], whole[7:20, 33:50])
    monkeypatch.setattr("sim2real.noise.bake.BAND_BYTES", 4 * 3 * 64 * 8)
    bands = list(texture_bands(KEY, level=6, channels=3, seed=2))
    assert [len(band) for band in bands] == [8] * 8
    assert np.array_equal(np.concatenate(bands), whole)


def test_keys_and_seeds_are_independent_textures():
    made = [baked_texture(key, level=8, channels=2, seed=seed) for key, seed in ((1, 0), (2, 0), (1, 1))]
    for a, b in ((0, 1), (0, 2)):
        assert abs(float((made[a] * made[b]).mean())) < 5 / np.sqrt(made[0].size)


def test_a_density_chooses_the_coarsest_level_that_reaches_it():
    assert level_for(8.0, 64.0) == 9
    assert level_for(8.0, 65.0) == 10
    assert level_for(0.001, 1.0) == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [({"level": 0}, "1 to 20"), ({"level": 3, "channels": 0}, "1 or more"), ({"level": 3, "rows": (4, 9)}, r"\(0, 8\)")],
)
def test_what_does_not_exist_is_refused(options, says):
    with pytest.raises(BadValueError, match=says):
        baked_texture(KEY, **({"channels": 2} | options))


def test_parts_of_one_mesh_have_textures_of_their_own():
    plane = grid(2.0, 1)
    two = scene([plane, replace(plane, name="other")], [camera([0.1, 0.2, 3.0])])
    keys = Views(two, NoiseLayout(8, 1)).charts.key
    assert len(set(keys.tolist())) == len(keys)
