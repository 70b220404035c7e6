"""The atlas keeps every texel, shares textures, and averages in linear light."""

import numpy as np
import pytest

from sim2real.conditions.textures import atlas_of, mip_pyramid
from sim2real.scene.colors import linear_from_srgb, srgb_from_linear


def test_the_srgb_curve_and_its_inverse_agree():
    levels = np.arange(256) / 255
    assert np.abs(srgb_from_linear(linear_from_srgb(levels)) - levels).max() < 1e-6
    assert linear_from_srgb(np.array([0.5]))[0] == np.float64(((0.5 + 0.055) / 1.055) ** 2.4)


def test_every_level_of_a_pyramid_has_the_mean_light_of_the_first():
    texture = np.random.default_rng(3).integers(0, 256, (32, 64, 3)).astype(np.uint8)
    pyramid = mip_pyramid(texture)
    assert [level.shape[:2] for level in pyramid] == [(32, 64), (16, 32), (8, 16), (4, 8), (2, 4), (1, 2), (1, 1)]
    light = [linear_from_srgb(level / 255).mean() for level in pyramid]
    assert np.abs(np.array(light) - light[0]).max() < 0.01
    assert abs(pyramid[-1].mean() - texture.mean()) > 5  # averaging bytes would have come out darker


@pytest.mark.parametrize("size", [(5, 7), (3, 64), (1, 9), (31, 2)])
def test_levels_of_odd_sizes_keep_the_mean_light(size):
    texture = np.random.default_rng(5).integers(0, 256, (*size, 3)).astype(np.uint8)
    pyramid = mip_pyramid(texture)
    for larger, smaller in zip(pyramid, pyramid[1:], strict=False):
        assert smaller.shape[:2] == tuple(max(1, n // 2) for n in larger.shape[:2])
    light = [linear_from_srgb(level / 255).mean() for level in pyramid]
    assert np.abs(np.array(light) - light[0]).max() < 0.015


def test_odd_sizes_and_channel_counts_are_kept_texel_by_texel():
    rng = np.random.default_rng(1)
    textures = [rng.integers(0, 256, (h, w, c)).astype(np.uint8) for h, w, c in ((5, 7, 3), (1, 9, 4), (3, 2, 3))]
    atlas = atlas_of(textures)
    for k, texture in enumerate(textures):
        offset, height, width = atlas.levels[atlas.first_level[atlas.texture[k]]]
        texels = atlas.texels[offset : offset + height * width]
        channels = np.stack([(texels >> np.uint32(8 * c)) & np.uint32(255) for c in range(texture.shape[2])], -1)
        assert (channels.reshape(texture.shape) == texture).all()


def test_equal_textures_are_kept_once_and_plain_materials_have_none():
    texture = np.zeros((4, 4, 3), np.uint8)
    atlas = atlas_of([texture, None, texture.copy()])
    assert atlas.texture.tolist() == [0, -1, 0] and len(atlas.first_level) == 1
