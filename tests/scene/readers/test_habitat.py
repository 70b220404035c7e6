"""Habitat's gfx-replay files, which the tests write themselves."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from sim2real.errors import BadValueError, EmptySceneError, MissingFileError, UnknownNameError, UnreadableFileError
from sim2real.scene import LoadOptions, Scene, load

from .simulator_logs import replay

Y_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""Our world, z up, from Habitat's."""


def corners(scene: Scene, name: str, frame: int) -> np.ndarray:
    """Lowest and highest corner of an instance in our world."""
    number = [i.name for i in scene.instances].index(name)
    points = []
    for part in scene.parts:
        if part.instance == number:
            move = scene.world_from_instance[frame, number] @ part.instance_from_mesh
            points.append(scene.meshes[part.mesh].vertices @ move[:3, :3].T + move[:3, 3])
    whole = np.concatenate(points)
    return np.stack([whole.min(axis=0), whole.max(axis=0)])


def tree(path) -> dict[str, Any]:
    return json.loads(path.read_text())


def test_instances_are_where_habitat_drew_them_with_y_turned_up(tmp_path):
    scene = load(replay(tmp_path))
    assert [i.name for i in scene.instances] == ["room", "uvSphereSolid", "chair"]
    np.testing.assert_allclose(corners(scene, "room", 0), [[-2, -2, -0.2], [2, 2, 0]], atol=1e-6)
    np.testing.assert_allclose(corners(scene, "uvSphereSolid", 0), [[0.8, -0.2, 0], [1.2, 0.2, 0.8]], atol=0.01)
    # the chair's file has z up: its 0.8 along y lies along our y; then it is turned by a quarter about the vertical
    np.testing.assert_allclose(corners(scene, "chair", 1), [[-1.2, -0.4, 0.2], [-0.8, 0.4, 0.6]], atol=1e-6)
    np.testing.assert_allclose(corners(scene, "chair", 2), [[-1.4, -1.2, 0.2], [-0.6, -0.8, 0.6]], atol=1e-4)


def test_what_is_created_later_and_deleted_is_seen_while_it_exists(tmp_path):
    scene = load(replay(tmp_path))
    assert scene.visible.T.tolist() == [[True] * 4, [True] * 4, [False, True, True, False]]
    assert [i.class_name for i in scene.instances] == ["room", "semantic_7", "chair"]
    assert "1 instances left out: for semantic sensors only" in scene.notes


def test_a_sensors_transform_is_a_camera_that_looks_along_minus_z(tmp_path):
    path = replay(tmp_path)
    scene = load(path, LoadOptions(size=(60, 80)), hfov=60.0)
    (camera,) = scene.cameras
    assert camera.name == "sensor" and camera.size == (60, 80)
    np.testing.assert_allclose(camera.intrinsics[0, 0, 0], 40 / np.tan(np.deg2rad(30)))
    turn = Rotation.from_quat([-0.1736, 0, 0, 0.9848]).as_matrix()
    np.testing.assert_allclose(camera.world_from_camera[2, :3, 2], Y_UP @ turn @ [0, 0, -1], atol=1e-4)
    np.testing.assert_allclose(camera.world_from_camera[2, :3, 1], Y_UP @ turn @ [0, -1, 0], atol=1e-4)
    np.testing.assert_allclose(camera.world_from_camera[2, :3, 3], [0, -3, 1.5], atol=1e-6)
    assert any("no cameras: agent" in note for note in scene.notes)
    assert [c.name for c in load(path, camera_transforms="agent").cameras] == ["agent"]
    with pytest.raises(UnknownNameError, match="unknown user transform 'eye'.*sensor"):
        load(path, camera_transforms="eye")
    with pytest.raises(BadValueError, match="--hfov is 180"):
        load(path, hfov=180.0)


def test_the_light_from_above_is_the_sun_in_its_color(tmp_path):
    lighting = load(replay(tmp_path)).lighting
    np.testing.assert_allclose(lighting.sun_direction, [0, 0, 1], atol=1e-9)
    assert lighting.sun[0] > 1.5 * lighting.sun[1]


def test_frames_are_chosen_and_ways_go_on_where_nothing_is_said(tmp_path):
    scene = load(replay(tmp_path), LoadOptions(frames=2, stride=2))
    assert scene.frames == 2 and scene.fps == 15
    np.testing.assert_allclose(scene.world_from_instance[1, 2, :3, 3], [-1, -1, 0.4], atol=1e-6)
    np.testing.assert_array_equal(scene.world_from_instance[:, 0], scene.world_from_instance[[0, 0], 0])


def test_assets_are_found_by_the_ends_of_their_paths_or_listed_all_at_once(tmp_path):
    path = replay(tmp_path)
    root = tmp_path / "assets" / "scenes"
    root.mkdir(parents=True)
    (tmp_path / "room.stage.glb").rename(root / "room.stage.glb")
    with pytest.raises(MissingFileError, match=r"--asset-root.*/data/scenes/room\.stage\.glb"):
        load(path)
    assert load(path, asset_root=tmp_path / "assets").frames == 4
    (tmp_path / "chair.ply").unlink()
    with pytest.raises(MissingFileError, match=r"room\.stage\.glb, chair\.ply"):
        load(path)
    with pytest.raises(MissingFileError, match="asset root not found"):
        load(path, asset_root=tmp_path / "nowhere")


def test_what_was_never_loaded_or_has_bones_or_no_surface_is_left_out_with_a_note(tmp_path):
    path = replay(tmp_path)
    told = tree(path)
    first = told["keyframes"][0]
    flags = {"isRGBD": True, "isSemantic": True}
    for key, more in enumerate(
        ({"filepath": "ghost.glb"}, {"filepath": "cubeWireframe"}, {"filepath": "chair.ply", "rigId": 0})
    ):
        first["creations"].append({"instanceKey": 10 + key, "creation": flags | more})
    first["loads"] += [{"filepath": "cubeWireframe"}, {"filepath": "chair.ply"}]
    path.write_text(json.dumps(told))
    notes = " ".join(load(path).notes)
    assert "ghost.glb is created, but was never loaded" in notes
    assert "1 instances left out: wireframes" in notes and "1 instances left out: moved by bones" in notes
    told["keyframes"] = [{"loads": [], "creations": []}]
    path.write_text(json.dumps(told))
    with pytest.raises(EmptySceneError, match="no instances that can be drawn"):
        load(path)


@pytest.mark.parametrize("scale", [[1, 2, 3], [-1, 1, 1], [2, 2, 2]])
def test_scales_are_along_habitats_axes_and_mirror_images_face_outward(tmp_path, scale):
    path = replay(tmp_path)
    told = tree(path)
    told["keyframes"][1]["creations"][0]["creation"]["scale"] = scale
    path.write_text(json.dumps(told))
    scene = load(path)
    size = np.abs(Y_UP @ (np.array([0.4, 0.4, 0.8]) * scale))
    np.testing.assert_allclose(np.ptp(corners(scene, "chair", 1), axis=0), size, atol=1e-6)
    mesh = scene.meshes[next(p.mesh for p in scene.parts if p.instance == 2)]
    p = mesh.vertices[mesh.faces]
    outward = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    assert ((outward * (p.mean(axis=1) - mesh.vertices.mean(axis=0))).sum(axis=1) > 0).all()


@pytest.mark.parametrize(
    ("where", "value", "error"),
    [
        (("stateUpdates", 0, "state", "absTransform", "rotation"), [0, 0, 0, 0], "keyframe 0: a rotation is .*length 1"),
        (("stateUpdates", 0, "state", "absTransform", "translation"), [float("nan"), 0, 0], "must be 3 finite numbers"),
        (("stateUpdates", 0, "state", "absTransform", "translation"), [1e300, 0, 0], "must be 3 finite numbers"),
        (("stateUpdates", 0, "instanceKey"), "a", "instanceKey is 'a'"),
        (("loads", 0, "frame"), {"up": [0, 1, 0], "front": [0, 1, 0]}, "at right angles"),
        (("loads", 0, "filepath"), 3, "filepath is 3, must be a text"),
        (("creations", 0, "creation", "scale"), [0, 1, 1], "scale of an instance is 0"),
        (("creations",), {"a": 1}, "creations is no list of objects"),
        (("userTransforms", 0, "transform"), None, "transform is None, must be an object"),
    ],
)
def test_values_that_are_none_are_refused_in_one_line(tmp_path, where, value, error):
    path = replay(tmp_path)
    told = tree(path)
    held: Any = told["keyframes"][0]
    for step in where[:-1]:
        held = held[step]
    held[where[-1]] = value
    path.write_text(json.dumps(told))
    with pytest.raises(UnreadableFileError, match=error) as caught:
        load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"keyframes": []}', "keyframes are no list, or an empty one"),
        ('{"keyframes": [3]}', "keyframe 0: it is no object"),
        ('{"env_info": {}, "episodes": []}', "ManiSkill's JSON beside a recording; give the .h5 file"),
        ('{"camera_model": "OPENCV", "frames": []}', "cameras only"),
        ('{"a": 1}', "it has no keyframes"),
        ("[1]", "holds a list in place of an object"),
        ('{"keyframes": [', "not JSON"),
        ("[" * 100000, "nested too deeply|not JSON"),
    ],
)
def test_other_json_files_are_told_apart(tmp_path, text, error):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(UnreadableFileError, match=error):
        load(path)
