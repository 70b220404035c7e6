"""Pictures of one surface per pixel, mixed by what neighbors cover, are the mean of what samples inside pixels see."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.camera import ray_tables
from sim2real.conditions.coverage import NEIGHBORS, SIDE, coverage, shares
from sim2real.raster import rasterizer, view_of
from sim2real.raster.backends.warp import WarpRasterizer
from sim2real.scene import Material, Mesh, triangles_of
from sim2real.scene.primitives import box, plane, sphere

from .stage import camera_at, quad, scene_of

EYE = camera_at((0, -2, 0), (0, 0, 0), size=(24, 32))


def covered(scene):
    triangles = triangles_of(scene)
    return coverage(scene, triangles, rasterizer(triangles), scene.cameras[0], 0)


def parts_seen(scene, side=1):
    """The part that the center of each pixel sees; -1 where there is none."""
    triangles, camera = triangles_of(scene), scene.cameras[0]
    fine = camera.resized((camera.size[0] * side, camera.size[1] * side))
    face = rasterizer(triangles).visibility(view_of(scene, fine, 0)).face.numpy()
    return np.append(triangles.face_part, -1)[face]


def neighbors(picture):
    """Above, below, left and right of every pixel; at the margin, the pixel itself."""
    padded, (height, width) = np.pad(picture, 1, mode="edge"), picture.shape
    return [padded[1 + i : 1 + i + height, 1 + j : 1 + j + width] for i, j in NEIGHBORS]


def triangle(corners, name):
    return Mesh(name, np.array(corners, float), np.array([[0, 1, 2]]))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_flat_colors_are_mixed_to_the_mean_of_what_samples_see(seed):
    rng = np.random.default_rng(seed)
    shapes = [(triangle(rng.uniform(-0.8, 0.8, (3, 3)) * (1, 0.2, 1), f"t{k}"), (0, 0, 0)) for k in range(4)]
    scene = scene_of(shapes, EYE)
    colors = np.array([0.9, 0.2, 0.5, 0.7, 0.0])  # the last is that of part -1
    own, inside = parts_seen(scene), parts_seen(scene, SIDE)
    blocks = inside.reshape(24, SIDE, 32, SIDE).swapaxes(1, 2).reshape(24, 32, -1)
    given_ = shares(covered(scene))
    assert (given_.sum(axis=0) <= 1).all()
    picture = colors[own]
    mixed = (1 - given_.sum(axis=0)) * picture + sum(
        share * there for share, there in zip(given_, neighbors(picture), strict=True)
    )
    wanted = colors[blocks].mean(axis=-1)
    shown = np.stack([own, *neighbors(own)], axis=-1)
    told = (blocks[..., None] == shown[..., None, :]).any(axis=-1).all(axis=-1)
    told &= (blocks == own[..., None]).any(axis=-1)  # all but one sixteenth can be given away
    np.testing.assert_allclose(mixed[told], wanted[told], atol=1e-6)
    assert np.abs(mixed - wanted).mean() <= np.abs(picture - wanted).mean()


@pytest.mark.parametrize("shape", [plane((5.0, 5.0), cells=(9, 9)), sphere(0.5, segments=48, rings=32)], ids=["floor", "ball"])
def test_inside_a_surface_nothing_is_mixed_however_many_faces_it_has(shape):
    camera = camera_at((0, -1.6, 0.4), (0, 0, 0), size=(48, 64))
    scene = scene_of([(shape, (0, 0, 0))], camera)
    there = parts_seen(scene) == 0
    inner = there & np.logical_and.reduce(neighbors(there))
    assert inner.sum() > 100 and not covered(scene)[inner].any()


def test_creases_and_steps_within_one_part_are_borders():
    camera = camera_at((1.1, -1.5, 0.9), (0, 0, 0), size=(48, 64))
    cube = covered(scene_of([(box((0.5, 0.5, 0.5)), (0, 0, 0))], camera))
    there = parts_seen(scene_of([(box((0.5, 0.5, 0.5)), (0, 0, 0))], camera)) == 0
    inner = there & np.logical_and.reduce(neighbors(there))
    assert 20 < (cube[inner] > 0).sum() < 100  # three creases meet in the middle
    near, far = quad(half=0.3), quad(half=0.9)
    both = Mesh(
        "both",
        np.concatenate([near.vertices + (0.113, -0.5, 0.071), far.vertices]),
        np.concatenate([near.faces, far.faces + len(near.vertices)]),
    )
    stepped = covered(scene_of([(both, (0, 0, 0))], EYE))
    assert (stepped[4:20, 8:26] > 0).sum() > 20  # the near square's rim, in front of the far one


def test_what_is_behind_glass_has_borders_too():
    glass = quad(Material(base_color=(1.0, 1.0, 1.0, 0.3)), half=2.0, name="glass")
    post = replace(box((0.113, 0.1, 0.9)), name="post")
    behind, bare = ([(post, (0.05, 0.5, 0)), *panes] for panes in ([(glass, (0, -0.5, 0))], []))
    assert np.array_equal(covered(scene_of(behind, EYE))[3:-3, 3:-3] > 0, covered(scene_of(bare, EYE))[3:-3, 3:-3] > 0)


def test_shares_are_read_four_bits_each_from_above_to_the_right():
    bits = np.array([[0x0000, 0x4321], [0x000F, 0xF000]], np.uint16)
    wanted = np.array([[[0, 1], [15, 0]], [[0, 2], [0, 0]], [[0, 3], [0, 0]], [[0, 4], [0, 15]]]) / 16
    np.testing.assert_array_equal(shares(bits), wanted.astype(np.float32))


def behind_glass(camera, frames=1):
    glass = quad(Material(base_color=(1.0, 1.0, 1.0, 0.3)), half=0.4, name="glass")
    things = [(box((0.113, 0.1, 0.9)), (0.05, 0.5, 0)), (sphere(0.4), (0.4, 0.2, 0.1)), (glass, (0, -0.5, 0))]
    return scene_of(things, camera, frames=frames)


def test_large_pictures_are_drawn_band_by_band_and_nothing_changes(monkeypatch):
    scene = behind_glass(EYE)
    whole, views = covered(scene), []

    def noted(self, view, _visibility=WarpRasterizer.visibility):
        views.append(view.size[0] * view.size[1])
        return _visibility(self, view)

    monkeypatch.setattr(WarpRasterizer, "visibility", noted)
    monkeypatch.setattr(import_module("sim2real.conditions.coverage"), "_AT_ONCE", 5 * 32 * SIDE**2)
    assert np.array_equal(covered(scene), whole) and whole.any()
    assert len(views) > 5 and max(views) <= (5 + 2) * 32 * SIDE**2


def test_rays_of_a_bent_lens_are_found_once_wherever_the_glass_is():
    turned = replace(camera_at((0, -2, 0), (0, 0, 0), (24, 32), frames=3), projection="fisheye", distortion=np.full(4, 0.01))
    scene = behind_glass(turned, frames=3)
    scene.world_from_instance[:, 2, 0, 3] = (-0.2, 0.1, 0.4)
    triangles = triangles_of(scene)
    seen = rasterizer(triangles)
    coverage(scene, triangles, seen, turned, 0)
    before = ray_tables._tables.cache_info().misses  # noqa: SLF001
    shown = [coverage(scene, triangles, seen, turned, frame) for frame in (1, 2)]
    assert ray_tables._tables.cache_info().misses == before and not np.array_equal(*shown)  # noqa: SLF001
