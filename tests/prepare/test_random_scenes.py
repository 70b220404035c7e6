import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.prepare.random_scenes import scene as random_scene
from sim2real.prepare.random_scenes.shapes import arc, ball, board, pill, rod, tube, turned
from sim2real.scene import face_normals, triangles_of


def same(a, b):
    assert [m.name for m in a.meshes] == [m.name for m in b.meshes]
    for one, two in zip(a.meshes, b.meshes, strict=True):
        for field in ("vertices", "faces", "uv", "normals"):
            np.testing.assert_array_equal(getattr(one, field), getattr(two, field))
        np.testing.assert_array_equal(one.material.texture, two.material.texture)
    np.testing.assert_array_equal(a.world_from_instance, b.world_from_instance)
    np.testing.assert_array_equal(a.cameras[0].world_from_camera, b.cameras[0].world_from_camera)
    np.testing.assert_array_equal(a.cameras[0].intrinsics, b.cameras[0].intrinsics)
    assert a.lighting == b.lighting


def test_a_seed_is_a_scene():
    same(random_scene(7), random_scene(7))


def test_another_seed_is_another_scene():
    a, b = random_scene(7), random_scene(8)
    assert a.lighting != b.lighting
    assert len(a.parts) != len(b.parts) or not np.array_equal(a.world_from_instance, b.world_from_instance)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**9))
def test_scenes_are_sound(seed):
    scene = random_scene(seed, size=(40, 48), frames=5)
    camera, triangles = scene.cameras[0], triangles_of(scene)
    assert camera.size == (40, 48)
    assert scene.frames == len(camera.intrinsics) == 5
    assert len(triangles.faces) < 40_000
    assert np.isfinite(triangles.vertices).all()
    assert np.isfinite(triangles.uv).all()
    np.testing.assert_allclose(np.linalg.norm(triangles.normals, axis=-1), 1, atol=1e-5)
    for motion in (scene.world_from_instance, camera.world_from_camera[:, None]):
        rotation = motion[..., :3, :3]
        np.testing.assert_allclose(
            rotation @ np.swapaxes(rotation, -1, -2), np.broadcast_to(np.eye(3), rotation.shape), atol=1e-9
        )
        np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=1e-9)
    eyes = camera.world_from_camera[:, :3, 3]
    assert (eyes[:, 2] > 0.1).all()


def test_things_and_cameras_move_in_most_scenes():
    scenes = [random_scene(seed, frames=4) for seed in range(12)]
    moving = sum(bool(np.ptp(s.world_from_instance, axis=0).max() > 1e-3) for s in scenes)
    flying = sum(bool(np.ptp(s.cameras[0].world_from_camera, axis=0).max() > 1e-3) for s in scenes)
    assert moving >= 8
    assert 5 <= flying <= 12


@pytest.mark.parametrize(
    ("body", "volume"),
    [
        (board([0.1, 0.2, 0.3], 0.02), None),
        (board([0.1, 0.2, 0.3]), 0.048),
        (rod(0.1, 0.5, segments=200), np.pi * 0.005),
        (ball(0.1, 1.3, segments=60), 4 / 3 * np.pi * 0.0013),
        (pill(0.1, 0.4, segments=60), None),
        (turned([(0, 0), (0.1, 0), (0.12, 0.2), (0.1, 0.2), (0.08, 0.02), (0, 0.02)]), None),
    ],
    ids=["bevelled board", "board", "rod", "ball", "pill", "cup"],
)
def test_bodies_are_closed_wind_outwards_and_shade_outwards(body, volume):
    a, b, c = (body.vertices[body.faces[:, k]] for k in range(3))
    enclosed = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6
    assert enclosed > 0
    if volume is not None:
        assert enclosed == pytest.approx(volume, rel=0.06)
    np.testing.assert_allclose(np.cross(b - a, c - a).sum(axis=0), 0, atol=1e-12)  # closed: areas cancel
    outward = face_normals(body.vertices, body.faces)
    assert (np.einsum("fk,fck->fc", outward, body.normals) > 0.5).all()
    np.testing.assert_allclose(np.linalg.norm(body.normals, axis=-1), 1, atol=1e-9)


def test_a_bevelled_board_keeps_its_size():
    np.testing.assert_allclose(np.ptp(board([0.1, 0.2, 0.3], 0.02).vertices, axis=0), [0.2, 0.4, 0.6])


def test_a_tube_stays_at_its_radius():
    path = arc(0.5, 0, 180, 40)
    body = tube(path, 0.02)
    apart = np.linalg.norm(body.vertices[:, None] - path[None], axis=-1).min(axis=1)
    np.testing.assert_allclose(apart, 0.02, rtol=1e-6)
    assert (np.einsum("fk,fck->fc", face_normals(body.vertices, body.faces), body.normals) > 0.5).all()
