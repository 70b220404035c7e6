"""Normals point where analysis says, face the camera, and survive their 8-bit picture."""

from dataclasses import replace

import numpy as np
import pytest

from sim2real.conditions import camera_normals, decode_normals, encode_normals
from sim2real.scene import Part, Scene
from sim2real.scene.primitives import box, sphere
from sim2real.transforms import rigid

from .stage import camera_at, scene_of, seen, tabletop


def degrees_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    unit = [v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (a.astype(np.float64), b.astype(np.float64))]
    return np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(unit[0] - unit[1], axis=-1) / 2, 0, 1)))


def ball(instance_from_mesh: np.ndarray) -> Scene:
    scene = scene_of([(sphere(0.5, segments=64, rings=32), (0, 0, 0))], camera_at((0.3, -2, 0.7), (0, 0, 0)))
    return replace(scene, parts=(Part(0, 0, instance_from_mesh),))


@pytest.mark.parametrize("scale", [(1, 1, 1), (-1, 1, 1), (1.5, 0.8, 1), (-1.2, -1, 0.7)])
def test_smooth_normals_of_a_stretched_or_mirrored_ball_are_its_gradient(scale):
    scene = ball(np.diag([*scale, 1.0]))
    fragments, triangles, camera_from_part = seen(scene)
    normals = camera_normals(fragments, triangles, camera_from_part).numpy()
    camera = scene.cameras[0]
    y, x = np.nonzero(fragments.depth.numpy())
    rays = np.stack([x + 0.5, y + 0.5, np.ones(len(x))], -1) @ np.linalg.inv(camera.intrinsics[0]).T
    pose = camera.world_from_camera[0]
    points = rays * fragments.depth.numpy()[y, x, None] @ pose[:3, :3].T + pose[:3, 3]
    gradient = points / np.array(scale) ** 2 @ pose[:3, :3]
    assert len(y) > 1000
    assert np.quantile(degrees_between(normals[y, x], gradient), 0.98) < 1.5


def test_every_normal_is_a_unit_vector_that_faces_the_camera():
    scene = tabletop()
    fragments, triangles, camera_from_part = seen(scene)
    camera = scene.cameras[0]
    y, x = np.nonzero(fragments.depth.numpy())
    rays = np.stack([x + 0.5, y + 0.5, np.ones(len(x))], -1) @ np.linalg.inv(camera.intrinsics[0]).T
    flat = camera_normals(fragments, triangles).numpy()[y, x]
    smooth = camera_normals(fragments, triangles, camera_from_part).numpy()[y, x]
    for normals in (flat, smooth):
        assert np.abs(np.linalg.norm(normals, axis=1) - 1).max() < 1e-5
    assert ((flat * rays).sum(1) < 1e-6).all()
    assert ((smooth * flat).sum(1) > 0).all()


def test_a_box_has_the_three_normals_of_its_visible_sides():
    scene = scene_of([(box((0.2, 0.2, 0.2)), (0, 0, 0))], camera_at((1, -1.2, 0.9), (0, 0, 0)))
    fragments, triangles, camera_from_part = seen(scene)
    normals = camera_normals(fragments, triangles, camera_from_part).numpy()[fragments.face.numpy() >= 0]
    world = normals @ scene.cameras[0].world_from_camera[0][:3, :3].T
    sides = np.array([[1, 0, 0], [0, -1, 0], [0, 0, 1]])
    nearest = np.argmax(world @ sides.T, axis=1)
    assert set(nearest) == {0, 1, 2}
    assert degrees_between(world, sides[nearest]).max() < 1e-2


def test_the_picture_gives_the_normal_back_within_half_a_degree_and_marks_the_background():
    scene = ball(np.eye(4))
    fragments, triangles, camera_from_part = seen(scene)
    normals = camera_normals(fragments, triangles, camera_from_part)
    picture = encode_normals(normals)
    hit = fragments.face.numpy() >= 0
    assert (picture[~hit] == 128).all()
    back = decode_normals(picture)
    assert degrees_between(back[hit], normals.numpy()[hit]).max() < 0.5
    assert (back[~hit] == 0).all()
    facing = picture[60, 90].astype(int)  # near the middle of the ball: towards the camera, so z is negative
    assert facing[2] < 10


def test_normals_turn_with_a_mesh_that_deforms():
    turn = rigid(np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]]), np.zeros(3))
    ellipsoid = replace(sphere(0.5), vertices=sphere(0.5).vertices * [1.5, 0.6, 1])
    n = ellipsoid.normals / [1.5, 0.6, 1]
    ellipsoid = replace(ellipsoid, normals=n / np.linalg.norm(n, axis=-1, keepdims=True))
    camera = camera_at((0.3, -2, 0.7), (0, 0, 0))
    turned = replace(scene_of([(ellipsoid, (0, 0, 0))], camera), parts=(Part(0, 0, turn),))
    fragments, triangles, camera_from_part = seen(turned)
    expected = camera_normals(fragments, triangles, camera_from_part).numpy()
    vertices = (triangles.vertices @ turn[:3, :3].T.astype(np.float32)).copy()
    still = scene_of([(ellipsoid, (0, 0, 0))], camera).camera_from_part(camera, 0)
    found = camera_normals(fragments, triangles, still, vertices=vertices).numpy()
    assert np.abs(found - expected).max() < 1e-4
