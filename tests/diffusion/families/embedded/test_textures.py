"""Textures from noise: unit variance, fixed on the surface, gone where noise is zero or the surface is far away."""

import numpy as np
import pytest

from sim2real.diffusion.families.embedded.surfaces import FORMS, TextureLayer, textures
from sim2real.diffusion.families.embedded.textures import grain_of, laid_out, shade_of
from sim2real.scene.material_kinds import MATERIAL_KINDS

SIZE = (120, 160)


def shade_on(noise, ids, z, normals, k, grain):
    return shade_of(laid_out(ids, z, normals, k, grain, 0), noise, grain)


def drawn(seed=0, size=SIZE):
    return np.random.default_rng(seed).standard_normal((3, *size)).astype(np.float32)


def encoded(normal, size=SIZE):
    return np.broadcast_to(np.round(127.5 * (1 + np.array(normal))).astype(np.uint8), (*size, 3))


def grain(layer, rotation=None, lightness=50.0):
    return grain_of({1: (layer,)}, {1: lightness}, {1: np.eye(3)[None] if rotation is None else rotation[None]}, 1)


def shade(noise, layer, depth=1.0, *, normals=(0.0, 0.0, -1.0), focal=400.0, rotation=None):
    size = noise.shape[1:]
    k = np.array([[focal, 0, size[1] / 2], [0, focal, size[0] / 2], [0, 0, 1]])
    ids, z = np.ones(size, np.uint16), np.full(size, depth, np.float32)
    return shade_on(noise, ids, z, encoded(normals, size), k, grain(layer, rotation))


def test_lightness_varies_as_the_layer_says():
    layer = TextureLayer(size=0.01, stretch=1.0, contrast=4.0)
    factor = shade(drawn(size=(300, 400)), layer)
    lightness = 116 * np.cbrt(0.1842 * factor) - 16  # L* is 50 where Y is 0.1842
    assert lightness.std() == pytest.approx(4, rel=0.2) and factor.mean() == pytest.approx(1, abs=0.02)


def test_spots_have_the_size_and_lie_along_the_grain():
    def length(factor, axis):
        """Of the autocorrelation's fall to exp(-1/4), where a Gaussian's distance is its standard deviation, pixels."""
        x = np.moveaxis(np.log(factor) - np.log(factor).mean(), axis, 0)
        fall = [(x[: len(x) - d] * x[d:]).mean() / (x * x).mean() for d in range(60)]
        return np.interp(-np.exp(-0.25), -np.array(fall), np.arange(60))

    noise = drawn(size=(300, 400))
    even = shade(noise, TextureLayer(0.01, 1.0, 3.0))
    assert length(even, 0) == pytest.approx(4, rel=0.2) and length(even, 1) == pytest.approx(4, rel=0.2)
    near = shade(noise, TextureLayer(0.01, 1.0, 3.0), depth=0.5)
    assert length(near, 0) == pytest.approx(8, rel=0.2)
    wood = shade(noise, TextureLayer(0.005, 6.0, 3.0))
    assert length(wood, 0) == pytest.approx(2, rel=0.3) and length(wood, 1) > 3 * length(wood, 0)
    quarter = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    turned = shade(noise, TextureLayer(0.005, 6.0, 3.0), rotation=quarter)
    assert length(turned, 0) > 3 * length(turned, 1)


def test_a_slanted_surface_is_foreshortened():
    slanted = (0.0, np.sin(1.2), -np.cos(1.2))
    factor = np.log(shade(drawn(size=(300, 400)), TextureLayer(0.02, 1.0, 3.0), normals=slanted, focal=4000.0, depth=10.0))
    down, across = ((np.diff(factor[100:200, 100:300], axis=axis) ** 2).mean() for axis in (0, 1))
    assert down > 3 * across


def test_the_texture_goes_where_the_noise_goes():
    noise = drawn()
    layer = TextureLayer(0.008, 3.0, 3.0)
    here, there = shade(noise, layer), shade(np.roll(noise, 7, axis=2), layer)
    inner = slice(30, -30)
    assert np.allclose(here[inner, 30:-40], there[inner, 37:-33], rtol=0.03)
    other = np.log(shade(drawn(1), layer))
    assert abs(np.corrcoef(np.log(here).ravel(), other.ravel())[0, 1]) < 0.2


def test_a_texture_finer_than_pixels_fades_away():
    fine = TextureLayer(0.001, 1.0, 4.0)
    spread = [np.log(shade(drawn(), fine, depth=depth)).std() for depth in (0.2, 1.0, 5.0, 50.0)]
    assert spread == sorted(spread, reverse=True) and spread[-1] < 0.05 * spread[0]


def test_nothing_happens_without_noise_without_texture_and_without_surface():
    layer = TextureLayer(0.01, 1.0, 3.0)
    assert np.abs(shade(0 * drawn(), layer) - 1).max() < 0.02
    k = np.array([[400.0, 0, 80], [0, 400, 60], [0, 0, 1]])
    ids, flat = np.zeros(SIZE, np.uint16), encoded((0.0, 0.0, -1.0))
    ids[:, 80:] = 900  # an id of which nothing is known
    assert (shade_on(drawn(), ids, np.ones(SIZE, np.float32), flat, k, grain(layer)) == 1).all()
    assert (shade_on(drawn(), ids * 0 + 1, np.zeros(SIZE, np.float32), flat, k, grain(layer)) == 1).all()


def test_what_lies_beside_a_surface_leaves_its_texture_smooth():
    """A fine texture beside a coarse one: the coarse one's blur reaches over the border, and takes no grain from there."""
    noise, size = drawn(size=(200, 300)), (200, 300)
    k = np.array([[400.0, 0, 150], [0, 400, 100], [0, 0, 1]])
    layers = {1: (TextureLayer(0.02, 10.0, 3.0),), 2: (TextureLayer(0.0005, 1.0, 3.0),)}
    both = grain_of(layers, {1: 50.0, 2: 50.0}, {1: np.eye(3)[None], 2: np.eye(3)[None]}, 1)
    ids = np.ones(size, np.uint16)
    ids[:, 150:] = 2
    z = np.ones(size, np.float32)
    shade = np.log(shade_on(noise, ids, z, encoded((0.0, 0.0, -1.0), size), k, both))
    left, right = (np.diff(shade[:, part], axis=0).std() / shade[:, part].std() for part in (np.s_[60:149], np.s_[160:]))
    assert left < 0.25 < right


def test_what_moves_beside_a_surface_leaves_its_texture_alone():
    """A hand that the camera carries: its own noise is the same in every frame, and so is its texture, at any scale."""
    k = np.array([[400.0, 0, 80], [0, 400, 60], [0, 0, 1]])
    layers = (TextureLayer(0.002, 1.0, 2.0), TextureLayer(0.03, 1.0, 2.0), TextureLayer(0.15, 2.0, 2.0))
    both = grain_of({1: layers, 2: layers}, {1: 50.0, 2: 50.0}, {1: np.eye(3)[None], 2: np.eye(3)[None]}, 1)
    ids, z = np.ones(SIZE, np.uint16), np.full(SIZE, 0.3, np.float32)
    ids[70:, 30:130] = 2
    hand, flat = ids == 2, encoded((0.0, 0.0, -1.0))
    here, there = (shade_on(np.where(hand, drawn(), drawn(seed)), ids, z, flat, k, both) for seed in (1, 2))
    assert np.array_equal(here[hand], there[hand]) and here[hand].std() > 0.01
    assert not np.array_equal(here[~hand], there[~hand])


def test_a_wide_spot_is_as_wide_on_its_surface_from_near():
    """Seen from half as far, spots are twice as large in pixels, however large they are."""

    def steepness(depth):
        return np.mean(
            [
                np.square(np.diff(np.log(shade(drawn(seed, (240, 320)), TextureLayer(0.02, 1.0, 3.0), depth)), axis=1)).mean()
                for seed in range(3)
            ]
        )

    assert steepness(0.5) / steepness(0.25) == pytest.approx(4, rel=0.4), "32 pixels against 16"


def test_every_kind_of_material_but_the_unknown_has_a_texture():
    assert set(textures()) >= set(MATERIAL_KINDS) - {"unknown"}
    assert all(layer.form in FORMS and layer.size > 0 for layers in textures().values() for layer in layers)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_the_contrast_that_its_layer_says(form):
    factor = np.log(shade(drawn(size=(300, 400)), TextureLayer(0.004, 1.0, 3.0, form)))
    assert factor.std() == pytest.approx(3 * 3 / 66, rel=0.2) and abs(factor.mean()) < 0.02
    assert (np.mean((factor - factor.mean()) ** 3) < -0.5 * factor.std() ** 3) == (form != "even"), "few places, much darker"
