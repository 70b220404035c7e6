import functools

import numpy as np
import pytest

from sim2real.prepare.random_scenes import random_scene
from sim2real.prepare.random_scenes.shapes import arc, ball, board, filled_uv, pill, rod, tube, turned, wrapped
from sim2real.prepare.random_scenes.views import camera_is_free, first_hits
from sim2real.scene import face_normals, triangles_of
from sim2real.scene.material_kinds import MATERIAL_KINDS


def same(one, two):
    a, b = one.scene, two.scene
    assert [m.name for m in a.meshes] == [m.name for m in b.meshes]
    for mine, other in zip(a.meshes, b.meshes, strict=True):
        for field in ("vertices", "faces", "uv", "normals"):
            np.testing.assert_array_equal(getattr(mine, field), getattr(other, field))
        np.testing.assert_array_equal(mine.material.texture, other.material.texture)
    np.testing.assert_array_equal(a.world_from_instance, b.world_from_instance)
    np.testing.assert_array_equal(a.cameras[0].world_from_camera, b.cameras[0].world_from_camera)
    np.testing.assert_array_equal(a.cameras[0].intrinsics, b.cameras[0].intrinsics)
    assert a.lighting == b.lighting
    np.testing.assert_array_equal(one.environment.panorama, two.environment.panorama)
    assert one.environment.sun_direction == two.environment.sun_direction


@functools.cache
def made(seed):
    return random_scene(seed, size=(40, 48), frames=5)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_seed_is_a_scene(seed):
    same(made(seed), random_scene(seed, size=(40, 48), frames=5))


@pytest.mark.slow
def test_another_seed_is_another_scene():
    a, b = made(1).scene, made(3).scene
    assert a.lighting != b.lighting
    assert len(a.parts) != len(b.parts) or not np.array_equal(a.world_from_instance, b.world_from_instance)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [*range(6), 10**9])
def test_scenes_are_sound(seed):
    scene = made(seed).scene
    camera, triangles = scene.cameras[0], triangles_of(scene)
    assert camera.size == (40, 48)
    assert scene.frames == len(camera.intrinsics) == 5
    assert len(triangles.faces) < 60_000
    assert np.isfinite(triangles.vertices).all()
    assert np.isfinite(triangles.uv).all()
    np.testing.assert_allclose(np.linalg.norm(triangles.normals, axis=-1), 1, atol=1e-5)
    for motion in (scene.world_from_instance, camera.world_from_camera[:, None]):
        rotation = motion[..., :3, :3]
        np.testing.assert_allclose(
            rotation @ np.swapaxes(rotation, -1, -2), np.broadcast_to(np.eye(3), rotation.shape), atol=1e-9
        )
        np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=1e-9)
    assert (camera.world_from_camera[:, 2, 3] > 0.1).all()
    assert camera_is_free(scene, camera)
    assert {mesh.material.kind for mesh in scene.meshes} <= set(MATERIAL_KINDS) - {"unknown"}


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (0, 2, 3, 4, 5))])
def test_pictures_show_things_near_and_not_too_near(seed):
    scene = made(seed).scene
    part, distance = first_hits(scene, scene.cameras[0], 0)
    shown = {scene.instances[scene.parts[k].instance].name for k in part[part >= 0]}
    assert len(shown) >= 5
    assert np.median(distance) > 0.25


@pytest.mark.slow
def test_odd_seeds_have_a_panorama_and_even_ones_shining_meshes_all_around():
    for seed in range(6):
        scene, environment = made(seed).scene, made(seed).environment
        shines = [m for m in scene.meshes if any(m.material.emission)]
        names = {i.class_name for i in scene.instances}
        if seed % 2:
            assert environment.panorama is not None
            assert environment.panorama.mean() > 0.1
        else:
            assert shines
            assert "ceiling" in names
            assert (environment.sun_direction is None) == (environment.panorama is None)


@pytest.mark.slow
def test_a_sun_that_comes_in_comes_through_a_window():
    sunny = [s for s in map(made, range(0, 6, 2)) if s.environment.sun_direction is not None]
    assert sunny
    for one in sunny:
        panes = sum(i.name.startswith("pane ") for i in one.scene.instances)
        windows = sum(i.name.startswith("window ") for i in one.scene.instances)
        assert windows == panes + 1  # one is open
        assert one.environment.sun_direction[2] > 0.1
        assert one.scene.lighting.sun_direction == one.environment.sun_direction


@pytest.mark.slow
def test_things_and_cameras_move_in_most_scenes():
    scenes = [made(seed).scene for seed in range(6)]
    moving = sum(bool(np.ptp(s.world_from_instance, axis=0).max() > 1e-3) for s in scenes)
    flying = sum(bool(np.ptp(s.cameras[0].world_from_camera, axis=0).max() > 1e-3) for s in scenes)
    assert moving >= 4
    assert 2 <= flying


@pytest.mark.slow
def test_what_stands_on_the_work_area_does_not_meet_its_neighbors():
    for seed in range(4):
        scene = made(seed).scene
        still = [
            i for i, n in enumerate(scene.instances) if n.class_name in ("bottle", "can", "mug", "kettle", "pot", "carton")
        ]
        still = [i for i in still if np.ptp(scene.world_from_instance[:, i], axis=0).max() < 1e-9]
        boxes = [_box(scene, i) for i in still]
        for k, a in enumerate(boxes):
            for b in boxes[:k]:
                depth = np.minimum(a[1], b[1]) - np.maximum(a[0], b[0])
                assert depth.min() < 0.012


def _box(scene, instance):
    points = [
        scene.meshes[p.mesh].vertices @ m[:3, :3].T + m[:3, 3]
        for p in scene.parts
        if p.instance == instance
        for m in [scene.world_from_instance[0, instance] @ p.instance_from_mesh]
    ]
    return np.concatenate(points).min(axis=0), np.concatenate(points).max(axis=0)


def test_prints_fill_each_side_of_a_box_upright():
    box = filled_uv(board([0.1, 0.2, 0.3]))
    assert box.uv.min() == 0
    assert box.uv.max() == 1
    up = box.vertices[box.faces][..., 2] > 0
    side = np.abs(face_normals(box.vertices, box.faces)[:, 2]) < 0.5
    np.testing.assert_array_equal(box.uv[side][..., 1] > 0.5, up[side])


def test_labels_wrap_around_and_read_from_left_to_right():
    label = wrapped(0.05, 0.0, 0.1, 360)
    outward = np.einsum("fk,fck->fc", face_normals(label.vertices, label.faces), label.normals)
    assert (outward > 0.9).all()
    front = np.abs(label.vertices[label.faces][..., 0]) < 0.03
    seen = (label.vertices[label.faces][..., 1] < 0) & front
    u, x = label.uv[..., 0][seen], label.vertices[label.faces][..., 0][seen]
    assert np.corrcoef(u, x)[0, 1] > 0.99  # seen from -y, x runs to the right


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
