"""Restyled clips in which one sees through things: what is behind is restyled, what is clear stays as it is."""

import shutil
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.camera_effects import Development
from sim2real.camera_effects.tone import toned
from sim2real.clip import read_clip
from sim2real.clip.behind import SeenBehind
from sim2real.diffusion.edits.part import seen_where, untouched
from sim2real.diffusion.families.embedded import scale
from sim2real.diffusion.families.embedded.clear import before_nothing, clear_of, seen_through
from sim2real.diffusion.families.embedded.conditions import ALONG, BASE, NORMALS, PICTURE, RENDERED, SHARES, Surface
from sim2real.diffusion.families.embedded.footage import Restyle, clip_conditions, settings_of
from sim2real.diffusion.families.embedded.looks import Appearance
from sim2real.noise import NoiseLayout
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import Material
from sim2real.scene.colors import linear_from_srgb
from sim2real.scene.light.environment import Environment

from ....conditions.stage import camera_at, quad, scene_of

SIZE = (48, 64)
PANE, WALL = 1, 2
KINDS = {"noise", *"rgb depth edges normals instances albedo material light reflection coverage".split()}
OAK = Appearance("oak", "wood", (150, 110, 70), 0.5, 0.0)
STEEL = Appearance("brushed steel", "metal", (180, 180, 185), 0.3, 1.0)


def behind_of(at, share, color, ids):
    count = len(at)
    return SeenBehind(
        at=np.array(at, np.uint32),
        share=np.array(share, np.float16),
        color=np.array(color, np.float16).reshape(count, 3),
        material=np.full((count, 3), 0.25, np.float16),
        ids=np.array(ids, np.uint16),
        depth=np.ones(count, np.float32),
        normals=np.full((count, 3), 128, np.uint8),
        noise=np.zeros((count, 3), np.float16),
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_a_pixel_is_the_light_of_what_is_behind_and_of_what_is_clear(seed):
    rng = np.random.default_rng(seed)
    frames, shape = 2, (2, 3, 4)
    surface = Surface(*(rng.integers(0, 256, (*shape, *more)).astype(np.uint8) for more in ((3,), (), ())))
    seen = []
    for _ in range(frames):
        at, share = np.flatnonzero(rng.random(12) < 0.5), rng.uniform()
        seen.append(behind_of(at, [share] * len(at), rng.uniform(0, 1 - share, (len(at), 3)), [1] * len(at)))
    out = seen_through(surface, clear_of(seen, 4))
    for k, one in enumerate(seen):
        flat, before = out.base_color[k].reshape(-1, 3), surface.base_color[k].reshape(-1, 3)
        wanted = one.color.astype(float) + one.share[:, None].astype(float) * linear_from_srgb(before[one.at] / 255)
        np.testing.assert_allclose(linear_from_srgb(flat[one.at] / 255), wanted, atol=0.01)
        elsewhere = np.setdiff1d(np.arange(12), one.at)
        assert np.array_equal(flat[elsewhere], before[elsewhere])
        rough = 63.75 + one.share * surface.roughness[k].ravel()[one.at]
        np.testing.assert_allclose(out.roughness[k].ravel()[one.at], np.minimum(rough, 255), atol=0.51)


def test_before_nothing_the_light_that_is_seen_there_comes_through():
    albedo = np.zeros((1, 2, 4, 3), np.uint8)
    clear = clear_of([behind_of([1, 6], [0.9, 0.9], np.zeros((2, 3)), [0, 2])], 4)
    out = before_nothing(albedo, clear)
    np.testing.assert_allclose(linear_from_srgb(out[0, 0, 1] / 255), 0.9, atol=0.01)
    assert not out[0, 1].any() and not albedo.any()


@pytest.fixture(scope="module")
def scene():
    """A pane of green glass that moves before a wall, seen by a camera that moves as well."""
    frames = 2
    camera = camera_at((0, -2, 0), (0, 0, 0), SIZE, frames=frames)
    poses = camera.world_from_camera.copy()
    poses[1, 0, 3] += 0.2
    pane = quad(Material((0.1, 0.6, 0.1, 0.4), roughness=0.2), half=0.4, name="pane")
    wall = quad(Material((0.5, 0.5, 0.5, 1.0)), half=4.0, name="wall")
    made = scene_of([(pane, (0, -0.6, 0)), (wall, (0, 0.5, 0))], replace(camera, world_from_camera=poses), frames=frames)
    moved = made.world_from_instance.copy()
    moved[1, 0, 0, 3] += 0.1
    return replace(made, world_from_instance=moved)


@pytest.fixture(scope="module")
def clips(scene, tmp_path_factory):
    """The clip with the pane, the same of an older version, and the clip without the pane."""
    folder, layout = tmp_path_factory.mktemp("clear"), NoiseLayout(factor=1, channels=3)

    def made(name, scene, kinds):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return render_clip(scene, folder / name, RenderOptions(layout=layout, only=kinds, pages=False, threads=1))

    bare = replace(scene, visible=np.array([[False, True]] * scene.frames))
    return made("pane", scene, KINDS | {"behind"}), made("older", scene, KINDS), made("bare", bare, KINDS)


def test_what_is_behind_is_what_is_seen_without_the_pane(clips):
    clip, _, bare = clips
    for frame in range(clip.frames):
        behind = clip.behind("front", frame)
        assert np.array_equal(behind.at, np.flatnonzero(clip.instances("front", frame) == PANE)) and len(behind) > 100
        assert np.array_equal(behind.ids, bare.instances("front", frame).ravel()[behind.at])
        assert np.array_equal(behind.depth, bare.depth("front", frame).ravel()[behind.at])
        assert np.array_equal(behind.normals, bare.normals("front", frame).reshape(-1, 3)[behind.at])
        noise = np.asarray(bare.noise("front")[frame], np.float16).reshape(3, -1).T
        same = (behind.noise == noise[behind.at]).all(axis=1)
        assert same.mean() > 0.95, "but for cells whose place is rounded to another side of a border"
        assert np.corrcoef(behind.noise.ravel(), noise[behind.at].ravel())[0, 1] > 0.995


def conditions(clip, appearances):
    noise = np.array(clip.latents("front", slice(0, clip.frames)))
    return clip_conditions(clip, "front", slice(0, clip.frames), Restyle(appearances), noise)


def test_behind_a_pane_things_have_their_new_material_and_texture_and_the_pane_its_tint(clips):
    clip, older, bare = clips
    look = {PANE: STEEL, WALL: OAK}
    with_pane, without = conditions(clip, look), conditions(bare, look)
    pane = np.stack([clip.instances("front", k) for k in range(clip.frames)]) == PANE
    seen, wall = (linear_from_srgb(np.moveaxis(one[:, BASE], 1, -1) / 2 + 0.5) for one in (with_pane, without))
    np.testing.assert_allclose(seen[pane], 0.4 * np.array([0.1, 0.6, 0.1]) + 0.6 * wall[pane], atol=0.01)
    assert wall[pane].std(axis=0).min() > 0.005, "it has a texture"
    beside = ~pane
    np.testing.assert_allclose(
        with_pane[:, BASE].swapaxes(0, 1)[:, beside], without[:, BASE].swapaxes(0, 1)[:, beside], atol=0.1
    )
    opaque = linear_from_srgb(np.moveaxis(conditions(older, look)[:, BASE], 1, -1) / 2 + 0.5)
    assert np.abs(opaque[pane] - linear_from_srgb(np.array(STEEL.color) / 255)).mean() < 0.1, "clips without it are as before"


def test_finished_pictures_are_averaged_along_what_is_behind_a_pane(clips, monkeypatch):
    clip, older, bare = clips
    assert clip_conditions(clip, "front", slice(0, 2)).shape[1] == SHARES.stop, "where the network sees every pixel, nothing is"
    monkeypatch.setattr(scale, "LONGEST_PX", max(SIZE) // 2)
    behind, of_pane, without = (clip_conditions(one, "front", slice(0, 2))[:, ALONG] for one in (clip, older, bare))
    assert np.array_equal(behind, without) and not np.array_equal(of_pane, without)


def test_a_pane_before_what_is_kept_stays_as_it_was(clips):
    clip, older, _ = clips
    kept, before = conditions(clip, {PANE: STEEL}), conditions(older, {})
    assert np.array_equal(kept, before)
    assert not np.array_equal(conditions(older, {PANE: STEEL})[:, BASE], before[:, BASE])
    assert np.array_equal(kept[:, RENDERED], before[:, RENDERED])


def test_a_pane_before_nothing_is_background_that_is_seen_through_it(scene, tmp_path):
    """Without anything behind, the light of the pixel is that of the sky."""
    open_air = replace(scene, visible=np.array([[True, False]] * scene.frames))
    options = RenderOptions(layout=NoiseLayout(1, 3), only=KINDS | {"behind"}, pages=False)
    clip = render_clip(open_air, tmp_path / "clip", options)
    pane = np.stack([clip.instances("front", k) for k in range(clip.frames)]) == PANE
    seen = np.moveaxis(clip_conditions(clip, "front", slice(0, clip.frames)), 1, -1)
    inner = pane & np.roll(pane, 1, 1) & np.roll(pane, -1, 1) & np.roll(pane, 1, 2) & np.roll(pane, -1, 2)
    assert inner.sum() > 200
    assert (seen[inner][:, BASE] == -1).all() and (seen[inner][:, NORMALS] == 0).all()
    share, sky = 0.6, np.stack([clip.light("front", k) for k in range(clip.frames)])[inner]
    tint = 0.4 * np.array([0.1, 0.6, 0.1])
    least = 2 * toned((0.9 * (share + tint) * sky)[None, None].astype(np.float32), Development())[0, 0] - 1
    assert (seen[inner][:, PICTURE] >= least - 0.02).all(), "with what the pane mirrors, it is no darker than this"


def test_what_becomes_smooth_mirrors_as_smooth_things_do_and_a_pane_as_before(scene, tmp_path):
    """The wall is of roughness 0.6; brushed steel in its place mirrors other light. What is clear or stays does not change."""
    options = RenderOptions(layout=NoiseLayout(1, 3), only=KINDS | {"behind", "gloss"}, pages=False)
    lights = np.full((32, 64, 3), 0.4, np.float32)
    lights[8:10, ::8] = 60
    clip = render_clip(replace(scene, environment=Environment("lamps", lights)), tmp_path / "clip", options)

    def both():
        return (clip_conditions(clip, "front", slice(0, clip.frames), Restyle(look)) for look in ({}, {WALL: STEEL}))

    kept, steel = both()
    shutil.rmtree(clip.path / "front" / "gloss")
    kept_before, steel_before = both()
    assert np.array_equal(kept, kept_before)
    pane = np.stack([clip.instances("front", k) for k in range(clip.frames)]) == PANE
    new, before = (np.moveaxis(one[:, PICTURE], 1, -1) for one in (steel, steel_before))
    assert np.array_equal(new[pane], before[pane]) and np.abs(new - before)[~pane].mean() > 0.02


def test_settings_tell_no_material_of_what_stays_clear(clips):
    clip, older, _ = clips
    again, restyle = read_clip(clip.path), Restyle({PANE: STEEL, WALL: OAK})
    assert [one.clear for one in again.record.instances] == [True, False]
    assert list(settings_of(restyle, again.record, (), again.has("front", "behind"))["materials"]) == ["wall"]
    assert list(settings_of(restyle, older.record, (), older.has("front", "behind"))["materials"]) == ["pane", "wall"]


def test_an_edit_changes_what_is_seen_through_a_pane_too(clips):
    clip, older, bare = clips
    assert np.array_equal(seen_where(clip, "front", 0, {WALL}), bare.instances("front", 0) == WALL)
    assert np.array_equal(seen_where(older, "front", 0, {WALL}), older.instances("front", 0) == WALL)
    wall = bare.instances("front", 0) == WALL
    assert not untouched(clip, "front", 0, {WALL})[wall].any() and untouched(older, "front", 0, {WALL})[wall].any()
