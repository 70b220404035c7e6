from dataclasses import replace

import numpy as np
import pytest

from sim2real.camera_effects import Development
from sim2real.camera_effects.tone import toned
from sim2real.diffusion.families.embedded.conditions import (
    CHANNEL_NAMES,
    PICTURE,
    RENDERED,
    KnownPictures,
    Surface,
    Wear,
    _plausible,
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


def test_kept_surfaces_are_shown_in_the_light_that_falls_on_them(make_pictures):
    pictures = make_pictures()
    pictures["reflection"][:], pictures["material"][..., 1] = 0, 0
    out = picture_conditions(KnownPictures(**pictures))
    assert out.shape == (3, len(CHANNEL_NAMES), 24, 40) and np.abs(out).max() <= 1
    wanted = toned((linear_from_srgb(pictures["albedo"] / 255) * pictures["light"]).astype(np.float32), Development())
    shown = np.moveaxis((out[:, PICTURE] + 1) / 2, 1, -1)
    grazing = np.moveaxis(out[:, FACING : FACING + 1], 1, -1) < 0.5  # where much is mirrored, and nothing is there to be
    assert np.abs(shown - wanted)[~np.broadcast_to(grazing, shown.shape)].max() < 2e-3
    same = picture_conditions(KnownPictures(**pictures), surface=flat((3, 24, 40)), kept=np.ones((3, 24, 40), np.bool_))
    assert np.array_equal(out, same)


def test_replaced_surfaces_stand_in_the_same_light(make_pictures):
    pictures = make_pictures()
    pictures["reflection"][:] = 0
    out = picture_conditions(KnownPictures(**pictures), surface=flat((3, 24, 40)))
    wanted = toned((linear_from_srgb(np.array([200, 120, 40]) / 255) * pictures["light"]).astype(np.float32), Development())
    assert np.abs(np.moveaxis((out[:, PICTURE] + 1) / 2, 1, -1) - wanted).max() < 2e-3
    assert np.allclose((out[0, BASE : BASE + 3, 0, 0] + 1) * 127.5, [200, 120, 40], atol=1e-3)


def test_metal_mirrors_in_its_own_color_and_sends_back_nothing_else(make_pictures):
    pictures = make_pictures(frames=1)
    pictures["material"][..., 0], pictures["material"][..., 1] = 10, 255
    y, x = np.indices((24, 40)) + 0.5
    rays = np.stack([(x - 20) / 50, (y - 12) / 50, np.ones((24, 40))], -1)
    normal = -rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    pictures["normals"] = np.round(127.5 * (normal + 1)).astype(np.uint8)[None]
    out = picture_conditions(KnownPictures(**pictures))
    wanted = toned((linear_from_srgb(pictures["albedo"] / 255) * pictures["reflection"]).astype(np.float32), Development())
    assert np.abs(np.moveaxis((out[:, PICTURE] + 1) / 2, 1, -1) - wanted).max() < 0.12  # and a little white, at grazing angles


def test_a_line_of_a_rounded_edge_shines_as_what_is_around_it_does(make_pictures):
    pictures = make_pictures(frames=1)
    pictures["depth"][:], pictures["light"][:], pictures["reflection"][:] = 2, 0, 1
    pictures["material"][:] = [60, 0, 0]

    def seen(normal):
        given = KnownPictures(**{**pictures, "normals": np.round(127.5 * (normal + 1)).astype(np.uint8)})
        out = picture_conditions(given)[0]
        return out[PICTURE][0, 2:-2, 20], out[FACING, 2:-2, 20]

    plain = np.zeros((1, 24, 40, 3))
    plain[..., 2] = -1
    along, edge = plain.copy(), plain.copy()
    along[:] = [1, 0, 0]
    edge[0, ::2, 20] = [1, 0, 0]  # every other pixel of a column is seen along its surface
    (dark, _), (bright, _), (shown, facing) = seen(plain), seen(along), seen(edge)
    assert shown.max() - dark.mean() < 0.6 * (bright.mean() - dark.mean()), "no sparks"
    assert np.ptp(facing) > 0.5, "the network is told of the surface as it is"


def test_some_are_kept_and_some_replaced_in_one_picture(make_pictures):
    pictures = make_pictures()
    kept = np.zeros((3, 24, 40), np.bool_)
    kept[..., :17] = True
    mixed = picture_conditions(KnownPictures(**pictures), surface=flat((3, 24, 40)), kept=kept)
    keep = picture_conditions(KnownPictures(**pictures))
    restyle = picture_conditions(KnownPictures(**pictures), surface=flat((3, 24, 40)))
    assert np.array_equal(mixed[..., :17], keep[..., :17]) and np.array_equal(mixed[..., 17:], restyle[..., 17:])


def test_the_background_and_what_shines_are_never_replaced(make_pictures):
    pictures = make_pictures()
    pictures["depth"][:, :5] = 0
    pictures["material"][:, 5:8, :, 2] = 200
    out = picture_conditions(KnownPictures(**pictures), surface=flat((3, 24, 40)))
    assert np.array_equal(out[:, PICTURE, :8], picture_conditions(KnownPictures(**pictures))[:, PICTURE, :8])
    assert not np.array_equal(out[:, PICTURE, 8:], picture_conditions(KnownPictures(**pictures))[:, PICTURE, 8:])
    assert (out[:, NEAR, :5] == -1).all() and (out[:, 9:12, :5] == 0).all()


def test_frames_do_not_depend_on_each_other(make_pictures):
    pictures = make_pictures()
    whole = picture_conditions(KnownPictures(**pictures), surface=flat((3, 24, 40)))
    one = {name: value[1:2] if name != "K" else value for name, value in pictures.items()}
    assert np.array_equal(whole[1:2], picture_conditions(KnownPictures(**one), surface=flat((1, 24, 40))))


def test_a_sphere_around_the_eye_faces_it_everywhere(make_pictures):
    pictures = make_pictures(frames=1)
    y, x = np.indices((24, 40)) + 0.5
    rays = np.stack([(x - 20) / 50, (y - 12) / 50, np.ones((24, 40))], -1)
    normal = -rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    pictures["normals"] = np.round(127.5 * (normal + 1)).astype(np.uint8)[None]
    assert picture_conditions(KnownPictures(**pictures))[:, FACING].min() > 0.98


def test_light_is_given_by_itself_and_stays_when_surfaces_are_replaced(make_pictures):
    pictures = make_pictures(frames=1)
    rng = np.random.default_rng(1)
    light = np.linspace(0.3, 0.9, 40)[None, None, :, None]
    base = rng.uniform(0.2, 0.9, (1, 24, 40, 1)) * np.ones(3)
    pictures["albedo"], pictures["rgb"] = screen(base), screen(base * light)
    pictures["material"][..., 2], pictures["depth"][:] = 0, 1
    out = picture_conditions(KnownPictures(**pictures))[0]
    assert np.allclose(np.moveaxis(out[LIGHT : LIGHT + 3], 0, -1), 2 * toned(pictures["light"][0], Development()) - 1)
    rendered = out[RENDERED]
    assert rendered.std(axis=1).max() < 0.05 and (np.diff(rendered.mean(axis=(0, 1))) > 0).all()
    again = picture_conditions(KnownPictures(**pictures), surface=flat((1, 24, 40), (180, 180, 180)))[0]
    assert np.array_equal(again[RENDERED], rendered) and np.array_equal(again[LIGHT : LIGHT + 3], out[LIGHT : LIGHT + 3])
    pictures["depth"][:] = 0
    assert np.array_equal(
        picture_conditions(KnownPictures(**pictures))[0, PICTURE], out[LIGHT : LIGHT + 3]
    )  # what is seen is the light


def test_nothing_to_replace_surfaces_with_is_refused(make_pictures):
    pictures = make_pictures()
    with pytest.raises(BadValueError, match="surface is None"):
        picture_conditions(KnownPictures(**pictures), kept=np.zeros((3, 24, 40), np.bool_))


def test_another_roughness_of_surface_is_seen(make_pictures):
    pictures = make_pictures()
    surface = flat((3, 24, 40))
    out = picture_conditions(KnownPictures(**pictures), surface=surface)
    other = picture_conditions(KnownPictures(**pictures), surface=replace(surface, roughness=surface.roughness // 2))
    changed = {CHANNEL_NAMES[k] for k in range(len(CHANNEL_NAMES)) if not np.array_equal(out[:, k], other[:, k])}
    assert changed == {"roughness", "red", "green", "blue"}


def test_shading_a_color_multiplies_its_light():
    rng = np.random.default_rng(0)
    colors = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    factor = rng.uniform(0.3, 1.5, (5, 7)).astype(np.float32)
    expected = srgb_from_linear(np.clip(linear_from_srgb(colors / 255) * factor[..., None], 0, 1))
    assert np.abs(shaded(colors, factor) / 255 - expected).max() < 0.006


def test_recolored_instances_do_not_fray_where_the_render_mixes_them():
    """A dark thing before a bright one, anti-aliased; in new colors, base colors are what a render of these would have."""
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
        "light": np.ones((1, 48, 64, 3), np.float32),
        "reflection": np.zeros((1, 48, 64, 3), np.float32),
        "K": np.array([[50.0, 0, 32], [0, 50.0, 24], [0, 0, 1]]),
    }
    flat_colors = np.where((ids == 2)[..., None], screen(np.array(new[0])), screen(np.array(new[1])))
    surface = replace(flat((1, 48, 64)), base_color=(flat_colors * np.ones(3, np.uint8)).astype(np.uint8))
    wanted = mixed(*new)[..., 0].astype(float)
    errors = []
    for known in (None, ids):
        out = picture_conditions(KnownPictures(**pictures), surface=surface, ids=known)
        errors.append(np.abs((out[:, BASE] + 1) * 127.5 - wanted).max())
    assert errors[1] < 40 < 50 < errors[0]


def test_what_is_kept_beside_something_new_loses_the_old_colors_that_were_mixed_in(make_pictures):
    pictures = make_pictures(frames=1)
    pictures["rgb"][:], pictures["albedo"][:] = 100, 120
    pictures["rgb"][..., 20, :], pictures["albedo"][..., 20, :] = 200, 220  # mixed with something bright
    pictures["rgb"][..., 21:, :], pictures["albedo"][..., 21:, :] = 250, 250
    pictures["material"][..., 2] = 0
    ids = np.where(np.arange(40) <= 20, 1, 2)[None, None] * np.ones((1, 24, 1), np.uint16)
    out = picture_conditions(KnownPictures(**pictures), surface=flat((1, 24, 40), (100, 100, 100)), kept=ids == 1, ids=ids)
    shown = (out[0, BASE, 12] + 1) * 127.5
    assert (np.abs(shown[:20] - 120) < 3).all() and abs(shown[20] - 120) < 12


def test_no_paint_sends_back_all_light_and_what_is_not_white_stays():
    light = np.linspace(0, 1, 101, dtype=np.float32)
    held = _plausible(np.stack([light, light / 2, light / 4], axis=-1))
    assert (np.diff(held[:, 0]) > 0).all() and held.max() < 0.8
    assert np.array_equal(held[:56, 0], light[:56]) and np.allclose(held[1:, 1:], held[1:, :1] * [0.5, 0.25])


def test_wear_looks_alike_on_dark_and_on_bright_and_leaves_lamps_and_the_sky_alone(make_pictures):
    pictures = make_pictures(frames=1)
    pictures["albedo"][:, :12], pictures["albedo"][:, 12:] = 100, 200
    pictures["depth"][:, :, :5] = 0
    pictures["material"][:, :, 5:10, 2] = 200
    shape = pictures["depth"].shape
    shade = np.exp(0.05 * np.random.default_rng(0).standard_normal(shape)).astype(np.float32)
    known = KnownPictures(**pictures)
    new, old = picture_conditions(known), picture_conditions(known, wear=Wear(0.0, *2 * [np.ones(shape, np.float32)]))
    assert np.array_equal(new, old)
    worn = picture_conditions(known, wear=Wear(1.0, shade, np.full(shape, 1.2, np.float32)))
    assert np.array_equal(worn[..., :10], new[..., :10])
    moved = worn[0, BASE, :, 10:] - new[0, BASE, :, 10:]
    assert moved[:12].std() == pytest.approx(moved[12:].std(), rel=0.35) and abs(moved.mean()) < 0.01
    assert (worn[0, 6, :, 10:] >= new[0, 6, :, 10:]).all() and worn[0, 6].mean() > new[0, 6].mean() + 0.05
