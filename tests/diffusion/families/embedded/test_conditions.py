from dataclasses import replace

import numpy as np
import pytest

from sim2real.diffusion.families.embedded.conditions import (
    CHANNEL_NAMES,
    PICTURE,
    Surface,
    picture_conditions,
    shaded,
)
from sim2real.errors import BadValueError
from sim2real.scene.colors import linear_from_srgb, srgb_from_linear

BASE, FACING, NEAR, LIGHT = (CHANNEL_NAMES.index(name) for name in ("base red", "facing", "nearness", "light red"))


def screen(linear):
    return np.round(255 * srgb_from_linear(np.asarray(linear))).astype(np.uint8)


def flat(shape, color=(200, 120, 40)):
    ones = np.ones(shape, np.uint8)
    return Surface(ones[..., None] * np.array(color, np.uint8), 90 * ones, 0 * ones)


def test_kept_surfaces_are_shown_as_the_simulator_has_them(make_pictures):
    pictures = make_pictures()
    out = picture_conditions(**pictures)
    assert out.shape == (3, len(CHANNEL_NAMES), 24, 40) and np.abs(out).max() <= 1
    assert np.allclose((out[:, PICTURE] + 1) * 127.5, np.moveaxis(pictures["rgb"], -1, 1), atol=1e-3)
    same = picture_conditions(**pictures, surface=flat((3, 24, 40)), kept=np.ones((3, 24, 40), np.bool_))
    assert np.array_equal(out, same)


@pytest.mark.parametrize("old", [(0.5, 0.4, 0.3), (0.9, 0.02, 0.05), (0.1, 0.1, 0.1)])
def test_replaced_surfaces_keep_light_and_shadow(make_pictures, old):
    pictures = make_pictures()
    light = np.linspace(0.2, 1, 40)[None, None, :, None] * np.ones((3, 24, 1, 1))
    pictures["albedo"] = screen(np.broadcast_to(old, (3, 24, 40, 3)))
    pictures["rgb"] = screen(np.array(old) * light)
    out = picture_conditions(**pictures, surface=flat((3, 24, 40)))
    expected = srgb_from_linear(linear_from_srgb(np.array([200, 120, 40]) / 255) * light)
    shown = np.moveaxis((out[:, PICTURE] + 1) / 2, 1, -1)
    assert np.abs(shown - expected).max() < 0.06 and np.abs(shown - expected).mean() < 0.02
    assert np.allclose((out[0, BASE : BASE + 3, 0, 0] + 1) * 127.5, [200, 120, 40], atol=1e-3)


def test_some_are_kept_and_some_replaced_in_one_picture(make_pictures):
    pictures = make_pictures()
    kept = np.zeros((3, 24, 40), np.bool_)
    kept[..., :17] = True
    mixed = picture_conditions(**pictures, surface=flat((3, 24, 40)), kept=kept)
    keep = picture_conditions(**pictures)
    restyle = picture_conditions(**pictures, surface=flat((3, 24, 40)))
    assert np.array_equal(mixed[..., :17], keep[..., :17]) and np.array_equal(mixed[..., 17:], restyle[..., 17:])


def test_the_background_and_what_shines_are_never_replaced(make_pictures):
    pictures = make_pictures()
    pictures["depth"][:, :5] = 0
    pictures["material"][:, 5:8, :, 2] = 200
    out = picture_conditions(**pictures, surface=flat((3, 24, 40)))
    assert np.array_equal(out[:, PICTURE, :8], picture_conditions(**pictures)[:, PICTURE, :8])
    assert not np.array_equal(out[:, PICTURE, 8:], picture_conditions(**pictures)[:, PICTURE, 8:])
    assert (out[:, NEAR, :5] == -1).all() and (out[:, 9:12, :5] == 0).all()


def test_frames_do_not_depend_on_each_other(make_pictures):
    pictures = make_pictures()
    whole = picture_conditions(**pictures, surface=flat((3, 24, 40)))
    one = {name: value[1:2] if name != "K" else value for name, value in pictures.items()}
    assert np.array_equal(whole[1:2], picture_conditions(**one, surface=flat((1, 24, 40))))


def test_a_sphere_around_the_eye_faces_it_everywhere(make_pictures):
    pictures = make_pictures(frames=1)
    y, x = np.indices((24, 40)) + 0.5
    rays = np.stack([(x - 20) / 50, (y - 12) / 50, np.ones((24, 40))], -1)
    normal = -rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    pictures["normals"] = np.round(127.5 * (normal + 1)).astype(np.uint8)[None]
    assert picture_conditions(**pictures)[:, FACING].min() > 0.98


def test_light_has_no_texture_and_stays_when_surfaces_are_replaced(make_pictures):
    pictures = make_pictures(frames=1)
    rng = np.random.default_rng(1)
    light = np.linspace(0.3, 0.9, 40)[None, None, :, None]
    base = rng.uniform(0.2, 0.9, (1, 24, 40, 1)) * np.ones(3)
    pictures["albedo"], pictures["rgb"] = screen(base), screen(base * light)
    pictures["material"][..., 2], pictures["depth"][:] = 0, 1
    shown = picture_conditions(**pictures)[0, LIGHT : LIGHT + 3]
    assert shown.std(axis=1).max() < 0.05 and (np.diff(shown.mean(axis=(0, 1))) > 0).all()
    again = picture_conditions(**pictures, surface=flat((1, 24, 40), (180, 180, 180)))[0, LIGHT : LIGHT + 3]
    assert np.abs(again - shown).max() < 0.12
    pictures["depth"][:] = 0
    bare = picture_conditions(**pictures)[0]
    assert np.abs(bare[LIGHT : LIGHT + 3] - (bare[PICTURE] - 1) / 2).max() < 0.03  # of a white base color


def test_nothing_to_replace_surfaces_with_is_refused(make_pictures):
    pictures = make_pictures()
    with pytest.raises(BadValueError, match="surface is None"):
        picture_conditions(**pictures, kept=np.zeros((3, 24, 40), np.bool_))


def test_another_roughness_of_surface_is_seen(make_pictures):
    pictures = make_pictures()
    surface = flat((3, 24, 40))
    out = picture_conditions(**pictures, surface=surface)
    other = picture_conditions(**pictures, surface=replace(surface, roughness=surface.roughness // 2))
    changed = {CHANNEL_NAMES[k] for k in range(len(CHANNEL_NAMES)) if not np.array_equal(out[:, k], other[:, k])}
    assert changed == {"roughness"}


def test_shading_a_color_multiplies_its_light():
    rng = np.random.default_rng(0)
    colors = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    factor = rng.uniform(0.3, 1.5, (5, 7)).astype(np.float32)
    expected = srgb_from_linear(np.clip(linear_from_srgb(colors / 255) * factor[..., None], 0, 1))
    assert np.abs(shaded(colors, factor) / 255 - expected).max() < 0.006


def test_recolored_instances_do_not_fray_where_the_render_mixes_them():
    """A dark thing before a bright one, anti-aliased; both in new colors are what the same render of these colors would be."""
    y, x = np.mgrid[:48, :64] + 0.5
    share = np.clip(0.5 + (y - 24 - 0.37 * (x - 32)) / np.hypot(1, 0.37), 0, 1)[None, ..., None]  # of a pixel below the slope
    ids = (share[..., 0] > 0.5).astype(np.uint16) + 1
    light = np.array([0.9, 0.6])

    def mixed(below, above):
        return screen(share * below + (1 - share) * above)

    old, new = ((0.02, 0.7), (0.6, 0.15))
    pictures = {
        "rgb": mixed(*(light * old)) * np.ones(3, np.uint8),
        "albedo": mixed(*old) * np.ones(3, np.uint8),
        "material": np.full((1, 48, 64, 3), [128, 0, 0], np.uint8),
        "normals": np.full((1, 48, 64, 3), [128, 128, 0], np.uint8),
        "depth": np.ones((1, 48, 64), np.float32),
        "edges": np.zeros((1, 48, 64), np.uint8),
        "K": np.array([[50.0, 0, 32], [0, 50.0, 24], [0, 0, 1]]),
    }
    flat_colors = np.where((ids == 2)[..., None], screen(np.array(new[0])), screen(np.array(new[1])))
    surface = replace(flat((1, 48, 64)), base_color=(flat_colors * np.ones(3, np.uint8)).astype(np.uint8))
    wanted = mixed(*(light * new))[..., 0].astype(float)
    errors = []
    for known in (None, ids):
        out = picture_conditions(**pictures, surface=surface, ids=known)
        errors.append(np.abs((out[:, PICTURE.start] + 1) * 127.5 - wanted).max())
    assert errors[1] < 40 < 60 < errors[0]


def test_what_is_kept_beside_something_new_loses_the_old_colors_that_were_mixed_in(make_pictures):
    pictures = make_pictures(frames=1)
    pictures["rgb"][:], pictures["albedo"][:] = 100, 120
    pictures["rgb"][..., 20, :], pictures["albedo"][..., 20, :] = 200, 220  # mixed with something bright
    pictures["rgb"][..., 21:, :], pictures["albedo"][..., 21:, :] = 250, 250
    pictures["material"][..., 2] = 0
    ids = np.where(np.arange(40) <= 20, 1, 2)[None, None] * np.ones((1, 24, 1), np.uint16)
    out = picture_conditions(**pictures, surface=flat((1, 24, 40), (100, 100, 100)), kept=ids == 1, ids=ids)
    shown = (out[0, PICTURE.start, 12] + 1) * 127.5
    assert (np.abs(shown[:20] - 100) < 3).all() and abs(shown[20] - 100) < 10
