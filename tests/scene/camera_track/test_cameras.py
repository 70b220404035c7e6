"""Scenes seen along tracks: what rests lasts as long as the track, what moves keeps its time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from sim2real.errors import BadValueError, UnknownNameError
from sim2real.scene import LoadOptions, load, load_as
from sim2real.scene.camera_track.cameras import lasting, rests
from sim2real.scene.camera_track.placing import UP_AXES, placed, world_from_track
from sim2real.scene.camera_track.timing import between
from sim2real.scene.light.lamps import Lamp, Lights

from .track_files import Known, way, write_colmap, write_kitti, write_nerfstudio, write_tum

MOVING = """
frames: 10
fps: 10
objects:
  - {name: ball, primitive: sphere, radius: 0.2, motion: {path: {waypoints: [[0, 0, 0], [1, 0, 0]]}}}
"""


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.ply"
    trimesh.creation.icosphere(subdivisions=1).export(path)
    return path


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_between_two_poses_rotations_go_as_scipy_has_it(seed):
    rng = np.random.default_rng(seed)
    poses = way(6, seed)
    if seed % 3 == 0:
        poses[3, :3, :3] = poses[2, :3, :3] @ Rotation.from_rotvec([0, np.pi - 1e-3, 0]).as_matrix()
    if seed % 3 == 1:
        poses[3, :3, :3] = poses[2, :3, :3]
    at = np.sort(rng.uniform(0, 5, 20))
    found = between(poses, at)
    expected = Slerp(np.arange(6), Rotation.from_matrix(poses[:, :3, :3]))(at).as_matrix()
    assert np.allclose(found[:, :3, :3], expected, atol=1e-7)
    assert np.allclose(found[:, :3, 3], np.stack([np.interp(at, np.arange(6), poses[:, k, 3]) for k in range(3)], axis=1))


def test_at_the_poses_themselves_not_a_bit_is_changed():
    poses = way(5)
    assert np.array_equal(between(poses, np.arange(5.0)), poses)
    assert np.array_equal(between(poses[:1], np.zeros(3)), np.repeat(poses[:1], 3, axis=0))


def test_a_mesh_lasts_as_long_as_the_track_which_takes_the_place_of_its_orbit(scan, tmp_path):
    track = write_kitti(tmp_path / "poses.txt", way(7))
    scene = load(scan, LoadOptions(camera_track=track))
    assert scene.frames == 7 and [camera.name for camera in scene.cameras] == ["track"]
    assert np.allclose(scene.cameras[0].world_from_camera, way(7), atol=1e-7)
    assert any("45 degrees" in note for note in scene.notes)
    some = load(scan, LoadOptions(camera_track=track, frames=3, stride=2, orbit=True))
    assert [camera.name for camera in some.cameras] == ["track", "orbit"]
    assert np.allclose(some.cameras[0].world_from_camera, way(7)[:5:2], atol=1e-7)
    with pytest.raises(BadValueError, match="must be 1 to 7"):
        load(scan, LoadOptions(camera_track=track, frames=8))


def test_a_scene_whose_lamps_rest_lasts_with_them_as_long_as_asked_and_one_whose_lamp_moves_keeps_its_time(scan):
    scene = load(scan, LoadOptions(frames=3))
    rest = np.tile(np.eye(4), (3, 1, 1))
    lit = [replace(scene, lights=Lights((Lamp("point", (1.0, 1.0, 1.0), way=one),))) for one in (rest, way(3))]
    assert [rests(one) for one in lit] == [True, False]
    longer = lasting(lit[0], 7, 10.0)
    assert longer.frames == 7 and longer.lights is not None
    assert [lamp.at(6) for lamp in longer.lights.lamps] == [Lamp("point", (1.0, 1.0, 1.0))]


def test_a_track_with_times_is_sampled_when_a_rate_is_asked_for(scan, tmp_path):
    seconds = np.array([5.0, 5.5, 6.0, 8.0])
    track = write_tum(tmp_path / "t.txt", way(4), seconds)
    as_it_is, sampled = (load(scan, LoadOptions(camera_track=track, fps=fps)) for fps in (None, 4.0))
    assert as_it_is.frames == 4 and as_it_is.fps == 2.0
    assert sampled.frames == 13 and sampled.fps == 4.0
    assert np.allclose(sampled.cameras[0].world_from_camera[[0, 2, 4, 12]], way(4), atol=1e-7)
    assert load(scan, LoadOptions(camera_track=track, fps=4.0, stride=3)).frames == 5


def test_a_rollout_keeps_its_time_and_ends_with_the_track(tmp_path):
    scene_file = tmp_path / "scene.yaml"
    scene_file.write_text(MOVING)
    poses = way(3)
    timed = load(scene_file, LoadOptions(camera_track=write_tum(tmp_path / "t.txt", poses, np.array([0.0, 0.2, 0.4]))))
    assert timed.frames == 5 and any("ends after 5 of 10" in note for note in timed.notes)
    assert np.allclose(timed.cameras[0].world_from_camera[::2], poses, atol=1e-7)
    untimed = load(scene_file, LoadOptions(camera_track=write_kitti(tmp_path / "k.txt", way(20)), stride=2))
    assert untimed.frames == 5 and np.allclose(untimed.cameras[0].world_from_camera, way(20)[:10:2], atol=1e-7)


def test_size_intrinsics_scale_and_world_are_heeded(scan, tmp_path):
    known = Known(way(4))
    track = write_colmap(tmp_path / "sparse", {"a": known}, binary=True)
    scene = load(scan, LoadOptions(camera_track=track, track_scale=3.0, world_from_track="y-up", size=(96, 128)))
    camera = scene.cameras[0]
    assert camera.size == (96, 128) and np.allclose(camera.intrinsics[0], np.diag([2, 2, 1]) @ known.matrix)
    expected = known.poses.copy()
    expected[:, :3, 3] *= 3
    assert np.allclose(camera.world_from_camera, UP_AXES["y-up"] @ expected)
    given = load(scan, LoadOptions(camera_track=track, intrinsics=(9.0, 9.0, 32.0, 24.0)))
    assert given.cameras[0].size == (48, 64) and given.cameras[0].intrinsics[0, 0, 0] == 9


def test_a_world_with_a_scale_moves_cameras_and_turns_them():
    world = world_from_track("0,-2,0,1, 2,0,0,0, 0,0,2,0")
    found = placed(way(3), world, 1.5)
    assert np.allclose(found[:, :3, 3], 1.5 * way(3)[:, :3, 3] @ world[:3, :3].T + [1, 0, 0])
    assert np.allclose(found[:, :3, :3], world[:3, :3] / 2 @ way(3)[:, :3, :3])


@pytest.mark.parametrize(
    "said, why",
    [
        ("1,0,0", "3 numbers"),
        ("1,0,0,0,0,2,0,0,0,0,1,0", "one scale"),
        ("1,0,0,0,0,1,0,0,0,0,-1,0", "mirrored"),
        ("a,b", "numbers"),
    ],
)
def test_worlds_that_are_none_are_refused(said, why):
    with pytest.raises(BadValueError, match=why):
        world_from_track(said)


def test_a_world_may_lie_in_a_file(tmp_path):
    np.save(tmp_path / "w.npy", UP_AXES["y-down"])
    np.savetxt(tmp_path / "w.txt", UP_AXES["y-down"][:3])
    for name in ("w.npy", "w.txt"):
        assert np.array_equal(world_from_track(str(tmp_path / name)), UP_AXES["y-down"])


def test_cameras_of_different_length_last_as_long_as_the_longest(scan, tmp_path):
    track = write_nerfstudio(tmp_path / "t.json", {"a": Known(way(2)), "b": Known(way(5, 1))})
    scene = load(scan, LoadOptions(camera_track=track))
    assert scene.frames == 5 and any("2 to 5 poses" in note for note in scene.notes)
    assert np.allclose(scene.camera("a").world_from_camera[1:], way(2)[1])


def test_a_clip_says_how_its_track_was_read(scan, tmp_path):
    track = write_colmap(tmp_path / "sparse", {"a": Known(way(4))}, binary=False)
    told = {"camera_track": str(track), "track_scale": 2.0, "world_from_track": "y-down", "size": [24, 32]}
    once, again = load_as(scan, told), load_as(scan, told)
    assert once.sha256 == again.sha256 != load(scan).sha256
    assert np.array_equal(once.cameras[0].world_from_camera, again.cameras[0].world_from_camera)


def test_what_only_tracks_take_is_refused_without_one(scan):
    with pytest.raises(BadValueError, match="--track-scale is 2"):
        load(scan, LoadOptions(track_scale=2.0))


def test_a_camera_inside_a_scan_is_where_it_was(scan, tmp_path):
    inside = np.tile(np.eye(4), (2, 1, 1))
    scene = load(scan, LoadOptions(camera_track=write_kitti(tmp_path / "in.txt", inside)))
    assert scene.frames == 2 and scene.cameras[0].recorded


SCENE = """
objects:
  - {name: ball, primitive: sphere, radius: 0.2}
cameras:
  - {name: left, track: {path: sparse, camera: b, scale: 2, world: y-down}}
  - {name: right, track: t.txt, fov_deg: 60, zoom: [1, 2]}
"""


def test_scene_files_have_cameras_on_tracks(tmp_path):
    known = Known(way(9, 1))
    write_colmap(tmp_path / "sparse", {"a": Known(way(9)), "b": known}, binary=True)
    write_tum(tmp_path / "t.txt", way(3), np.array([0.0, 0.1, 0.25]))
    (tmp_path / "scene.yaml").write_text(SCENE)
    scene = load(tmp_path / "scene.yaml")
    left, right = scene.cameras
    assert scene.frames == 7  # a quarter of a second at 24 frames per second
    expected = known.poses.copy()
    expected[:, :3, 3] *= 2
    assert left.size == known.size and np.allclose(left.world_from_camera, (UP_AXES["y-down"] @ expected)[:7])
    assert right.size == (480, 640) and right.intrinsics[-1, 0, 0] == pytest.approx(2 * right.intrinsics[0, 0, 0])
    assert right.intrinsics[0, 1, 1] == pytest.approx(240 / np.tan(np.pi / 6))
    assert load(tmp_path / "scene.yaml", LoadOptions(size=(24, 32))).cameras[0].size == (24, 32)


@pytest.mark.parametrize(
    "change, why",
    [
        ("frames: 8\n", "at least the 8 frames"),
        ("camera: c, ", "camera of the track 'c'"),
        ("position: [0, 0, 1], ", "only one of"),
    ],
)
def test_scene_files_say_what_is_wrong_with_a_track(tmp_path, change, why):
    write_colmap(tmp_path / "sparse", {"a": Known(way(9)), "b": Known(way(9))}, binary=True)
    write_tum(tmp_path / "t.txt", way(3), np.array([0.0, 0.1, 0.25]))
    text = change + SCENE if change.startswith("frames") else SCENE.replace("camera: b, ", change)
    if change.startswith("position"):
        text = SCENE.replace("name: right, ", f"name: right, {change}")
    (tmp_path / "scene.yaml").write_text(text)
    with pytest.raises((UnknownNameError, Exception), match=why):
        load(tmp_path / "scene.yaml")
