"""Scene files become scenes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from sim2real.errors import BadValueError, MissingFileError, Sim2RealError, UnknownNameError
from sim2real.scene import LoadOptions, Scene, load, triangles_of
from sim2real.scene.colors import linear_from_srgb
from sim2real.transforms import rotation_about

SCENES = Path(__file__).parents[3] / "scenes"
CAMERA = "cameras: [{name: front, position: [0, -2, 0], look_at: [0, 0, 0]}]\n"


def scene_of(folder: Path, text: str, **options) -> Scene:
    path = folder / "scene.yaml"
    path.write_text(text)
    return load(path, LoadOptions(**options))


def pixel_of(scene: Scene, camera: str, frame: int, world: np.ndarray) -> np.ndarray:
    view = scene.camera(camera)
    camera_from_world = np.linalg.inv(view.world_from_camera[frame])
    p = view.intrinsics[frame] @ (camera_from_world @ np.append(world, 1.0))[:3]
    assert p[2] > 0
    return p[:2] / p[2]


@pytest.mark.parametrize("name", ["tabletop", "empty", "mirrored"])
def test_the_small_examples_load_without_a_fault(name: str) -> None:
    scene = load(SCENES / f"{name}.yaml")
    assert scene.frames == 16 and scene.fps == 12
    assert all(camera.size == (96, 128) for camera in scene.cameras)
    triangles = triangles_of(scene)
    assert (len(triangles.faces) == 0) == (name == "empty")
    assert len(scene.sha256) == 64


def test_in_the_tabletop_the_ball_goes_behind_the_box_and_returns() -> None:
    scene = load(SCENES / "tabletop.yaml")
    names = [instance.name for instance in scene.instances]
    ball, box = names.index("ball"), names.index("box")
    side = []
    for frame in (0, 7, 15):
        place = scene.world_from_instance[frame, ball, :3, 3]
        edges = [scene.world_from_instance[frame, box] @ [x, 0.035, z, 1] for x in (-0.075, 0.075) for z in (-0.1, 0.1)]
        seen = np.array([pixel_of(scene, "moving", frame, edge[:3]) for edge in edges])
        at = pixel_of(scene, "moving", frame, place)
        side.append(bool((at > seen.min(axis=0)).all() and (at < seen.max(axis=0)).all()))
    assert side == [False, True, False]


def test_rotations_turn_about_fixed_x_then_y_then_z(tmp_path: Path) -> None:
    text = "objects: [{name: a, primitive: sphere, radius: 0.1, euler_deg: [10, 20, 30], position: [1, 2, 3]}]\n" + CAMERA
    x, y, z = (rotation_about(np.eye(3)[k], np.array(np.deg2rad(d))) for k, d in enumerate((10.0, 20.0, 30.0)))
    way = scene_of(tmp_path, text).world_from_instance[0, 0]
    np.testing.assert_allclose(way[:3, :3], z @ y @ x, atol=1e-12)
    assert way[:3, 3].tolist() == [1, 2, 3]


def test_a_scaled_gltf_object_stands_upright_and_its_scale_follows_its_own_axes(tmp_path: Path) -> None:
    trimesh.creation.box([0.2, 0.6, 0.4]).export(str(tmp_path / "a.glb"))  # y is up: 0.6 high
    text = "objects: [{name: a, mesh: a.glb, scale: [1, 1, 2]}]\n" + CAMERA
    scene = scene_of(tmp_path, text)
    (part,) = scene.parts
    placed = scene.world_from_instance[0, 0] @ part.instance_from_mesh
    vertices = scene.meshes[part.mesh].vertices @ placed[:3, :3].T + placed[:3, 3]
    np.testing.assert_allclose(np.ptp(vertices, axis=0), [0.2, 0.4, 1.2], atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(placed[:3, :3]), 1)


def test_a_mirrored_scale_keeps_the_faces_outward(tmp_path: Path) -> None:
    scene = scene_of(
        tmp_path, "objects: [{name: a, primitive: cone, radius: 0.1, half_height: 0.2, scale: [-1, 1, 1]}]\n" + CAMERA
    )
    mesh = scene.meshes[0]
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    assert np.einsum("fi,fi->", a, np.cross(b, c)) > 0
    assert mesh.normals is not None
    assert (np.einsum("fi,fki->fk", np.cross(b - a, c - a), mesh.normals) > 0).all()


def test_things_appear_and_vanish(tmp_path: Path) -> None:
    text = "frames: 8\nobjects:\n- {name: a, primitive: sphere, radius: 0.1, visible: [[1, 2], [6, null]]}\n" + CAMERA
    assert np.flatnonzero(scene_of(tmp_path, text).visible[:, 0]).tolist() == [1, 2, 6, 7]


def test_keyframes_in_seconds_and_in_frames_agree_and_a_spin_comes_on_top(tmp_path: Path) -> None:
    head = "frames: 9\nfps: 4\nobjects:\n- {name: a, primitive: sphere, radius: 0.1, motion: {"
    frames = "keyframes: [{frame: 0}, {frame: 8, position: [1, 0, 0]}]"
    seconds = "keyframes: [{time_s: 0}, {time_s: 2, position: [1, 0, 0]}]"
    a = scene_of(tmp_path, head + frames + "}}\n" + CAMERA)
    b = scene_of(tmp_path, head + seconds + ", spin: {deg_per_s: 45}}}\n" + CAMERA)
    np.testing.assert_allclose(a.world_from_instance[..., 3], b.world_from_instance[..., 3])
    quarter = rotation_about(np.array([0.0, 0, 1]), np.array(np.pi / 2))
    np.testing.assert_allclose(b.world_from_instance[8, 0, :3, :3], quarter, atol=1e-12)


def test_tables_place_objects_and_cameras_and_set_the_number_of_frames(tmp_path: Path) -> None:
    rows = np.tile([1.0, 2, 3, 1, 0, 0, 0], (5, 1))
    rows[:, 0] = np.arange(5)
    np.save(tmp_path / "a.npy", rows)
    np.save(tmp_path / "c.npy", np.c_[rows, np.tile([50.0, 60, 32, 24], (5, 1))])
    text = (
        "size: [48, 64]\nobjects: [{name: a, primitive: sphere, radius: 0.1, motion: {table: a.npy}}]\n"
        "cameras: [{name: c, table: c.npy}, {name: g, table: c.npy, axes: opengl}]\n"
    )
    scene = scene_of(tmp_path, text.replace("radius: 0.1", "radius: 0.1, visible: [99, null]"))
    assert scene.frames == 5
    np.testing.assert_array_equal(scene.world_from_instance[:, 0, 0, 3], np.arange(5))
    np.testing.assert_array_equal(scene.camera("c").world_from_camera[:, 0, 3], np.arange(5))
    assert scene.camera("c").intrinsics[0].tolist() == [[50, 0, 32], [0, 60, 24], [0, 0, 1]]
    np.testing.assert_allclose(scene.camera("g").world_from_camera[0, :3, 2], [0, 0, -1])
    with pytest.raises(BadValueError, match="rows of the table is 5, must be at least the 6 frames"):
        scene_of(tmp_path, "frames: 6\n" + text)


def test_cameras_look_where_they_should(tmp_path: Path) -> None:
    text = """\
frames: 8
size: [48, 64]
objects:
  - {name: a, primitive: sphere, radius: 0.1, motion: {path: {waypoints: [[0, 0, 0], [1, 0, 0]], align: true}}}
cameras:
  - {name: follow, position: [0, -2, 1], look_at: a}
  - {name: circle, orbit: {center: a, radius: 2, height: 1}}
  - {name: fly, path: {waypoints: [[-1, -2, 1], [1, -2, 1]], target: a}}
  - {name: rider, attached_to: a, position: [-1, 0, 0.5], look_at: [0, 0, 0]}
  - {name: pan, position: [0, 0, 5], look_at: [0, 1, 5], turn_deg: 90}
  - {name: known, position: [0, -2, 0], euler_deg: [-90, 0, 0], intrinsics: [70, 70, 30, 20]}
"""
    scene = scene_of(tmp_path, text)
    for frame in range(8):
        place = scene.world_from_instance[frame, 0, :3, 3]
        for name in ("follow", "circle", "fly", "rider"):
            np.testing.assert_allclose(pixel_of(scene, name, frame, place), [32, 24], atol=1e-6, err_msg=name)
    np.testing.assert_allclose(pixel_of(scene, "known", 0, np.zeros(3)), [30, 20], atol=1e-6)
    np.testing.assert_allclose(scene.camera("pan").world_from_camera[[0, 7], :3, 2], [[0, 1, 0], [-1, 0, 0]], atol=1e-9)
    above = pixel_of(scene, "follow", 0, np.array([0, 0, 0.1]))
    assert above[1] < 24  # up is up
    fov = scene.camera("follow").intrinsics[0, 1, 1]
    assert fov == pytest.approx(24 / np.tan(np.deg2rad(45) / 2))


def test_another_size_keeps_the_field_of_view_and_scales_intrinsics(tmp_path: Path) -> None:
    text = (
        "size: [48, 64]\ncameras:\n- {name: a, position: [0, 0, 0], look_at: [1, 0, 0]}\n"
        "- {name: b, position: [0, 0, 0], look_at: [1, 0, 0], intrinsics: [70, 70, 30, 20]}\n"
    )
    scene = scene_of(tmp_path, text, size=(96, 96))
    assert (
        scene.camera("a").intrinsics[0, 0, 0] == scene.camera("a").intrinsics[0, 1, 1] == pytest.approx(48 / np.tan(np.pi / 8))
    )
    np.testing.assert_allclose(scene.camera("b").intrinsics[0], [[105, 0, 45], [0, 140, 40], [0, 0, 1]])


def test_materials_replace_what_they_name(tmp_path: Path) -> None:
    Image.new("RGB", (4, 2), (10, 20, 30)).save(tmp_path / "t.png")
    text = """\
objects:
  - {name: a, primitive: box, half_size: [1, 1, 1], material: {texture: t.png, texture_repeat: [2, 3], roughness: 0.2}}
  - {name: b, primitive: box, half_size: [1, 1, 1], position: [3, 0, 0], material: {color: "#ff8000", metallic: 1}}
  - {name: c, primitive: box, half_size: [1, 1, 1], position: [6, 0, 0], material: {checker: {cells: [3, 2]}}}
cameras: [{name: front, position: [0, -9, 0], look_at: [0, 0, 0]}]
"""
    a, b, c = scene_of(tmp_path, text).meshes
    assert a.material.texture is not None and a.material.texture.shape == (2, 4, 3) and a.material.roughness == 0.2
    assert a.uv is not None and a.uv.reshape(-1, 2).max(axis=0).tolist() == [2, 3]
    np.testing.assert_allclose(b.material.base_color[:3], linear_from_srgb(np.array([1, 128 / 255, 0])))
    assert b.material.texture is None and b.material.metallic == 1
    assert c.material.texture is not None
    squares = c.material.texture[8::16, 8::16, 0]
    assert squares.shape == (2, 3) and squares[0, 0] != squares[0, 1] and squares[0, 0] == squares[1, 1]


def test_classes_come_from_the_object_then_from_patterns_then_from_the_name(tmp_path: Path) -> None:
    objects = "".join(
        f"- {{name: {n}, primitive: sphere, radius: 0.1{c}}}\n"
        for n, c in (("cup_1", ""), ("cup_2", ", class: mug"), ("x", ""))
    )
    scene = scene_of(tmp_path, f"objects:\n{objects}classes: {{cup_*: cup, pan*: pan}}\n" + CAMERA)
    assert [i.class_name for i in scene.instances] == ["cup", "mug", "x"]
    assert any("'pan*'" in note for note in scene.notes)


def test_what_files_and_names_are_missing_is_said_in_one_line(tmp_path: Path) -> None:
    sphere = "objects: [{name: a, primitive: sphere, radius: 0.1}]\n"
    cases: list[tuple[str, type[Sim2RealError], str]] = [
        ("objects: [{name: a, mesh: no.obj}]\n", MissingFileError, "mesh file not found"),
        ("objects: [{name: a, package: nowhere_at_all/a.obj}]\n", MissingFileError, "pip install nowhere_at_all"),
        ("objects: [{name: a, package: numpy/no.obj}]\n", MissingFileError, "a file in the Python package numpy"),
        (sphere[:-3] + ", material: {texture: no.png}}]\n", MissingFileError, "texture not found"),
        (sphere + "cameras: [{name: c, position: [0, 1, 0], look_at: b}]\n", UnknownNameError, "unknown object 'b'"),
        (
            sphere + "cameras: [{name: c, attached_to: b, position: [0, 1, 0], look_at: a}]\n",
            UnknownNameError,
            "attached_to of camera c",
        ),
        (sphere + "cameras: [{name: c, position: [0, 0, 0], look_at: a}]\n", BadValueError, "position of camera c in frame 0"),
        ("rollout: {path: no.xml}\n", MissingFileError, "MuJoCo model not found"),
        ("rollout: {path: scene.yaml}\n", BadValueError, "must be a simulator's model"),
    ]
    for text, error, words in cases:
        with pytest.raises(error) as error:
            scene_of(tmp_path, text)
        assert words in str(error.value) and "\n" not in str(error.value)


def test_a_texture_on_a_mesh_without_uv_is_refused(tmp_path: Path) -> None:
    trimesh.creation.box([1, 1, 1]).export(str(tmp_path / "a.stl"))
    with pytest.raises(BadValueError, match="no UVs"):
        scene_of(tmp_path, "objects: [{name: a, mesh: a.stl, material: {checker: {}}}]\n")


def test_the_hash_follows_the_scene_and_every_file_that_it_names(tmp_path: Path) -> None:
    Image.new("RGB", (4, 2)).save(tmp_path / "t.png")
    text = "objects: [{name: a, primitive: box, half_size: [1, 1, 1], material: {texture: t.png}}]\n" + CAMERA
    first = scene_of(tmp_path, text).sha256
    assert scene_of(tmp_path, text).sha256 == first
    Image.new("RGB", (4, 2), (1, 1, 1)).save(tmp_path / "t.png")
    second = scene_of(tmp_path, text).sha256
    assert len({first, second, scene_of(tmp_path, text + "fps: 3\n").sha256}) == 3


def test_a_rollout_gets_cameras_classes_and_objects(tmp_path: Path) -> None:
    pytest.importorskip("mujoco")
    xml = """<mujoco><worldbody><body name="cart"><joint type="slide" axis="1 0 0"/>
    <geom type="box" size=".1 .1 .1"/></body><camera name="own" pos="0 -1 0" xyaxes="1 0 0 0 0 1"/></worldbody></mujoco>"""
    (tmp_path / "m.xml").write_text(xml)
    np.save(tmp_path / "s.npy", np.linspace(0, 1, 10)[:, None])
    text = """\
size: [48, 64]
rollout: {path: m.xml, states: s.npy, frames: 4, stride: 2, cameras: []}
objects: [{name: ball, primitive: sphere, radius: 0.05, position: [0, 0.5, 0]}]
cameras: [{name: rider, attached_to: cart, position: [0, -1, 0.5], look_at: [0, 0, 0]}]
classes: {cart*: vehicle}
"""
    scene = scene_of(tmp_path, text)
    assert scene.frames == 4
    assert [(i.name, i.class_name) for i in scene.instances] == [("cart", "vehicle"), ("ball", "ball")]
    np.testing.assert_allclose(scene.world_from_instance[:, 0, 0, 3], [0, 2 / 9, 4 / 9, 6 / 9], atol=1e-7)
    assert [c.name for c in scene.cameras] == ["rider"]
    np.testing.assert_allclose(scene.camera("rider").world_from_camera[3, :3, 3], [6 / 9, -1, 0.5], atol=1e-6)
    with pytest.raises(BadValueError, match="rollout.frames is 9, must be 1 to 5"):
        scene_of(tmp_path, text.replace("frames: 4", "frames: 9"))
