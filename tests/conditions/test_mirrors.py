"""Mirrors: what they show is the mirrored scene, cut at their plane; they cost nothing where there are none."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim2real.camera import px_from_camera
from sim2real.conditions.rgb.deferred import overlays
from sim2real.conditions.rgb.deferred.overlays import mirrored_camera
from sim2real.raster.cut import cut_triangles
from sim2real.scene import Material, Mirror
from sim2real.scene.light.lamps import Haze, Lamp, Lights
from sim2real.scene.primitives import box, plane, sphere
from sim2real.transforms import inverse_rigid

from .stage import camera_at, scene_of, tabletop
from .test_rgb import shader_of

BLACK = Material((0.0, 0.0, 0.0, 1.0), roughness=1.0)
RED, GREEN = Material((0.8, 0.1, 0.1, 1.0), roughness=0.9), Material((0.1, 0.7, 0.1, 1.0), roughness=0.9)
SUN = Lamp("directional", (3.0, 3.0, 3.0), (0.0, 0.0, 4.0), (-0.3, 0.2, -1.0), shadows=False)
EYE = camera_at((0.1, -1.2, 0.7), (0.0, 0.0, 0.1), (60, 80))


def flipped(mesh):
    """The mesh in a mirror at z = 0."""
    normals = None if mesh.normals is None else (mesh.normals * [1, 1, -1])[:, [0, 2, 1]]
    return replace(mesh, vertices=mesh.vertices * [1, 1, -1], faces=mesh.faces[:, [0, 2, 1]], normals=normals, uv=None)


def picture(things, *, share: float, lamp: Lamp = SUN, camera=EYE, floor: bool = True):
    ground = replace(plane((3.0, 3.0)), material=BLACK, mirror=Mirror(float(share)) if share else None)
    scene = scene_of([*([(ground, (0, 0, 0))] if floor else []), *things], camera)
    return shader_of(replace(scene, lights=Lights((lamp,))), ambient_occlusion=0.0).radiance(camera, 0)


@pytest.mark.parametrize("share", [1.0, 0.3])
def test_what_a_mirror_adds_is_the_picture_of_the_mirrored_scene(share):
    cube, ball = replace(box((0.1, 0.15, 0.2)), material=RED), replace(sphere(0.1), material=GREEN)
    things = [(cube, (0.1, 0.0, 0.25)), (ball, (-0.3, 0.1, 0.2))]
    below = [(flipped(mesh), (x, y, -z)) for mesh, (x, y, z) in things]
    with_mirror, without = picture(things, share=share), picture(things, share=0)
    x, y, z = SUN.direction
    expected = picture(below, share=0, lamp=replace(SUN, direction=(x, y, -z)), floor=False)
    alone = picture(things, share=0, floor=False).max(axis=-1) > 0  # where things stand in front of the floor
    alone |= np.any([np.roll(alone, step, axis) for axis in (0, 1) for step in (-1, 1)], axis=0)
    added = (with_mirror - without)[~alone]
    assert (added > 0.05 * share).any(axis=-1).sum() > 200
    error = np.abs(added - share * expected[~alone]).max(axis=-1)
    assert np.quantile(error, 0.99) < 1e-3 and error.max() < 0.1  # single samples at borders fall to the other side


def test_a_faint_mirror_is_drawn_at_half_size_which_eight_bits_hardly_show(monkeypatch):
    cube, ball = replace(box((0.1, 0.15, 0.2)), material=RED), replace(sphere(0.1), material=GREEN)
    ground = replace(plane((3.0, 3.0)), material=Material((0.2, 0.2, 0.2, 1.0), roughness=0.5))
    eye = camera_at((0.1, -1.2, 0.7), (0.0, 0.0, 0.1), (121, 161))

    def shown(mirror, faint=overlays.FAINT):
        monkeypatch.setattr(overlays, "FAINT", faint)
        scene = scene_of([(replace(ground, mirror=mirror), (0, 0, 0)), (cube, (0.1, 0.0, 0.25)), (ball, (-0.3, 0.1, 0.2))], eye)
        return shader_of(replace(scene, lights=Lights((SUN,)))).frame(eye, 0).astype(int)

    faint, whole, without = shown(Mirror(0.1)), shown(Mirror(0.1), faint=0.0), shown(None)
    lost, added = np.abs(faint - whole), np.abs(whole - without)
    assert added.max() >= 8 and lost.any()  # it is seen, and not the same
    assert lost.mean() < 0.05 and np.quantile(lost, 0.99) <= 1 and lost.max() <= added.max()


def test_what_is_behind_a_mirror_does_not_show_in_it():
    pole = (replace(box((0.05, 0.05, 0.5)), material=RED), (0.0, 0.1, 0.0))  # half of it under the floor
    short = (replace(box((0.05, 0.05, 0.25)), material=RED), (0.0, 0.1, 0.25))
    deep = (replace(sphere(0.3), material=GREEN), (0.0, -0.2, -0.5))
    cut, whole = picture([pole, deep], share=1.0), picture([short], share=1.0)
    assert np.abs(cut - whole).max() < 0.05 and np.abs(cut - whole).mean() < 1e-3
    assert (whole[..., 0] > 0.1).any() and (cut[..., 1] < 0.3).all()


def test_a_mirror_in_a_side_that_turns_away_shows_nothing():
    ball = (replace(sphere(0.1), material=RED), (0.0, 0.0, 0.3))
    low = camera_at((0.1, -1.2, -0.5), (0.0, 0.0, 0.0), (40, 60))
    assert np.array_equal(picture([ball], share=1.0, camera=low), picture([ball], share=0, camera=low))


def test_from_behind_a_mirror_is_as_other_surfaces_are_whatever_else_is_laid_over_the_picture():
    low, haze = camera_at((0.1, -1.2, -0.5), (0.0, 0.0, 0.0), (40, 60)), Haze((0.5, 0.5, 0.5), 50.0, 0.5, (0.0, 0.0, -9.0))
    lights = Lights((SUN,), mirrored=((2.0, 2.0, 2.0),) * 2, haze=haze)  # what is laid over is the haze
    floors = [replace(plane((3.0, 3.0)), material=BLACK, mirror=mirror) for mirror in (Mirror(1.0), None)]
    pictures = [
        shader_of(replace(scene_of([(floor, (0, 0, 0))], low), lights=lights), ambient_occlusion=0.0).radiance(low, 0)
        for floor in floors
    ]
    assert pictures[1].max() > 0.02 and np.array_equal(*pictures)


def test_one_sees_in_a_mirror_what_is_seen_through_clear_things():
    glass = replace(plane((3.0, 3.0)), material=Material((0.0, 0.0, 0.0, 0.5)))
    ball = (replace(sphere(0.15), material=RED), (0.0, 0.1, 0.4))
    seen, half = picture([ball], share=1.0), picture([ball, (glass, (0.0, 0.0, 0.2))], share=1.0)
    at = np.s_[44:, 30:50]  # the mirror before the eye, which is above the glass
    assert seen[at].max() > 0.1
    assert half[at].max() == pytest.approx(0.25 * seen[at].max(), rel=0.3)  # once in the mirror, once before the eye


def test_scenes_without_mirrors_keep_their_bits_and_faces_beside_the_mirror_their_light():
    scene = tabletop((40, 60), frames=1)
    first = shader_of(scene)
    assert first._overlays is None
    top = replace(box((0.3, 0.3, 0.1)), material=BLACK, mirror=Mirror(1.0, (0.0, 0.0, 0.1)))
    ball = (replace(sphere(0.1), material=RED), (0.0, 0.0, 0.3))
    pictures = [
        shader_of(scene_of([(mesh, (0, 0, 0)), ball], EYE)).radiance(EYE, 0) for mesh in (top, replace(top, mirror=None))
    ]
    differ = np.abs(pictures[0] - pictures[1]).max(axis=-1) > 1e-3
    front = np.zeros_like(differ)
    front[48:, 30:50] = True  # of the box
    assert differ.sum() > 50 and not differ[front].any()


@given(
    corners=st.lists(st.floats(-2, 2, width=32), min_size=9, max_size=9),
    normal=st.tuples(*(st.floats(-1, 1, width=32),) * 3).filter(lambda n: np.linalg.norm(n) > 0.1),
    offset=st.floats(-1, 1, width=32),
)
def test_pieces_of_a_cut_triangle_lie_in_front_and_both_sides_make_the_whole(corners, normal, offset):
    triangle, n = np.array(corners, float).reshape(1, 3, 3), np.array(normal, float)

    def areas(pieces):
        return np.cross(pieces[:, 1] - pieces[:, 0], pieces[:, 2] - pieces[:, 0])

    front, of = cut_triangles(triangle, np.append(n, offset))
    behind, _ = cut_triangles(triangle, np.append(-n, -offset))
    assert (front @ n - offset >= -1e-6).all() and (of == 0).all()
    assert areas(front).sum(axis=0) + areas(behind).sum(axis=0) == pytest.approx(areas(triangle)[0], abs=1e-5)


@pytest.mark.parametrize(
    "lens",
    [
        {},
        {"distortion": np.array([-0.2, 0.05, 0.02, -0.03, 0.01])},
        {"distortion": np.array([0.1, 0.02, 0.01, 0.02, 0.0, 0.0, 0.0, 0.0, 0.02, -0.01, 0.03, 0.01])},
        {"projection": "fisheye", "distortion": np.array([0.02, -0.01, 0.003, 0.0])},
        {"projection": "orthographic"},
    ],
)
def test_the_camera_of_a_mirror_sees_points_where_the_mirror_shows_them(lens):
    camera = replace(camera_at((0.4, -1.5, 0.8), (0.1, 0.2, 0.0), (48, 64)), **lens)
    k = camera.intrinsics.copy()
    k[:, 0, 1], k[:, 0, 2] = 2.0, 29.0
    camera = replace(camera, intrinsics=k)
    normal = np.array([0.1, -0.2, 1.0]) / np.linalg.norm([0.1, -0.2, 1.0])
    mirror = mirrored_camera(camera, 0, np.append(normal, -0.1))
    points = np.random.default_rng(3).uniform(-0.3, 0.3, (50, 3)) + [0, 0, 0.5]
    images = points - 2 * ((points @ normal) + 0.1)[:, None] * normal
    there, here = (
        px_from_camera(p @ pose[:3, :3].T + pose[:3, 3], one.intrinsics[0], one.lens)
        for p, one in ((points, mirror), (images, camera))
        for pose in (inverse_rigid(one.world_from_camera[0]),)
    )
    assert np.linalg.det(mirror.world_from_camera[0][:3, :3]) == pytest.approx(1)
    assert np.abs(there[:, 0] + here[:, 0] - camera.size[1]).max() < 1e-6 and np.abs(there[:, 1] - here[:, 1]).max() < 1e-6
