"""Robots from URDF files that the tests write: what is seen, what it is called, where its files are, and what is refused."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from sim2real.errors import (
    BadValueError,
    EmptySceneError,
    MissingFileError,
    Sim2RealError,
    UnknownNameError,
    UnreadableFileError,
)
from sim2real.scene import LoadOptions, Scene, load
from sim2real.scene.colors import linear_from_srgb
from sim2real.scene.load import load_as

from .urdf_robots import ARM, BOX, TETRAHEDRON, arm, joint, link, robot


def meshes_of(scene: Scene, name: str):
    number = [thing.name for thing in scene.instances].index(name)
    return [scene.meshes[part.mesh] for part in scene.parts if part.instance == number]


def points_of(scene: Scene, frame: int) -> dict[str, np.ndarray]:
    """Vertices by instance, in the world."""
    found: dict[str, list[np.ndarray]] = {thing.name: [] for thing in scene.instances}
    for part in scene.parts:
        world = scene.world_from_instance[frame, part.instance] @ part.instance_from_mesh
        corners = scene.meshes[part.mesh].vertices[scene.meshes[part.mesh].faces].reshape(-1, 3)
        found[scene.instances[part.instance].name].append(corners @ world[:3, :3].T + world[:3, 3])
    return {name: np.concatenate(points) for name, points in found.items()}


def test_links_that_are_seen_are_instances_of_the_class_of_the_robot(tmp_path):
    scene = load(arm(tmp_path))
    assert [thing.name for thing in scene.instances] == ["base", "upper", "lower", "slide", "left", "right"]
    assert {thing.class_name for thing in scene.instances} == {"arm"}
    assert scene.frames == 48 and [camera.name for camera in scene.cameras] == ["orbit"]
    assert "no joint table given: all joints rest at 0" in scene.notes
    place = dict(zip([t.name for t in scene.instances], scene.world_from_instance[0, :, :3, 3], strict=True))
    assert np.allclose(place["upper"], [0, 0, 0.05]) and np.allclose(place["lower"], [0, 0, 0.55])
    assert np.allclose(place["right"], [*(place["slide"] + [-np.sin(0.3) * -0.01, np.cos(0.3) * -0.01, 0])])


def test_sizes_are_whole_lengths_and_a_capsules_is_without_its_ends(tmp_path):
    points = points_of(load(arm(tmp_path)), 0)
    assert np.allclose(np.ptp(points["base"], axis=0), [0.4, 0.4, 0.1])
    assert np.ptp(points["upper"][:, 2]) == pytest.approx(0.5)
    tilted = load(
        robot(tmp_path / "c.urdf", link("a", '<visual><geometry><capsule radius=".04" length=".4"/></geometry></visual>'))
    )
    assert np.ptp(points_of(tilted, 0)["a"][:, 2]) == pytest.approx(0.48)


def test_materials_are_colors_of_a_screen_by_name_for_the_whole_robot_or_a_picture(tmp_path):
    scene = load(arm(tmp_path))
    (base,) = meshes_of(scene, "base")
    assert base.material.base_color == (1, 0, 0, 1)
    assert [mesh.material.base_color for mesh in meshes_of(scene, "lower")] == [(0, 0, 1, 1), (0.8, 0.8, 0.8, 1)]
    (tip,) = meshes_of(scene, "slide")
    assert tip.material.texture is None and any("has no UVs" in note for note in scene.notes)
    red = BOX.replace(
        "</visual>", '<material name="wood"><texture filename="wood.png"/><color rgba=".5 .5 .5 .5"/></material></visual>'
    )
    shutil.copy(tmp_path / "arm_description" / "wood.png", tmp_path)
    (box,) = load(robot(tmp_path / "box.urdf", link("a", red))).meshes
    gray = linear_from_srgb(np.array(0.5))
    assert box.material.texture is not None and box.material.texture.shape == (4, 4, 3) and box.uv is not None
    assert np.allclose(box.material.base_color, [gray, gray, gray, 0.5])


def test_a_meshs_own_material_goes_before_the_robots(tmp_path):
    (tmp_path / "a.mtl").write_text("newmtl a\nKd 0 1 0\n")
    (tmp_path / "own.obj").write_text("mtllib a.mtl\n" + TETRAHEDRON.replace("f 1 3 2", "usemtl a\nf 1 3 2"))
    (tmp_path / "bare.obj").write_text(TETRAHEDRON)
    red = '<material name="r"><color rgba="1 0 0 1"/></material>'
    body = "".join(link(n, f'<visual><geometry><mesh filename="{n}.obj"/></geometry>{red}</visual>') for n in ("own", "bare"))
    scene = load(robot(tmp_path / "a.urdf", body + joint("j", "own", "bare")))
    assert [mesh.material.base_color for mesh in scene.meshes] == [(0, 1, 0, 1), (1, 0, 0, 1)]


def test_meshes_are_scaled_and_mirrored_with_faces_outward_and_read_once(tmp_path):
    (tmp_path / "a.obj").write_text(TETRAHEDRON)
    scales = {"a": "1 1 1", "b": "2 1 .5", "c": "1 -1 1", "d": "1 1 1"}
    body = "".join(
        link(n, f'<visual><origin xyz="0 0 1"/><geometry><mesh filename="a.obj" scale="{s}"/></geometry></visual>')
        for n, s in scales.items()
    )
    scene = load(robot(tmp_path / "a.urdf", body + "".join(joint(f"j{n}", "a", n) for n in "bcd")))
    assert len(scene.meshes) == 3 and len(scene.parts) == 4
    points = points_of(scene, 0)
    assert np.allclose(np.ptp(points["b"], axis=0), [0.4, 0.3, 0.2]) and points["b"][:, 2].min() == pytest.approx(1)
    assert points["c"][:, 1].min() == pytest.approx(-0.3)
    for mesh in scene.meshes:
        assert trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).volume > 0


def test_gltf_and_collada_meshes_keep_the_axes_that_they_were_written_in(tmp_path):
    pytest.importorskip("collada")
    box = trimesh.creation.box(extents=[100, 200, 300])
    dae = box.export(file_type="dae").replace(
        b"<asset>", b'<asset><unit name="millimeter" meter="0.001"/><up_axis>Y_UP</up_axis>'
    )
    (tmp_path / "a.dae").write_bytes(dae)
    box.apply_scale(1e-3)
    (tmp_path / "a.glb").write_bytes(box.export(file_type="glb"))
    for suffix in ("dae", "glb"):
        body = link("a", f'<visual><geometry><mesh filename="a.{suffix}"/></geometry></visual>')
        scene = load(robot(tmp_path / f"{suffix}.urdf", body))
        assert np.allclose(np.ptp(points_of(scene, 0)["a"], axis=0), [0.1, 0.2, 0.3]), suffix


def test_colors_of_collada_are_those_of_a_screen(tmp_path):
    pytest.importorskip("collada")
    box = trimesh.creation.box()
    box.visual = trimesh.visual.TextureVisuals(material=trimesh.visual.material.PBRMaterial(baseColorFactor=[128, 255, 0, 255]))
    (tmp_path / "a.dae").write_bytes(box.export(file_type="dae"))
    (mesh,) = load(
        robot(tmp_path / "a.urdf", link("a", '<visual><geometry><mesh filename="a.dae"/></geometry></visual>'))
    ).meshes
    assert np.allclose(mesh.material.base_color, [linear_from_srgb(np.array(128 / 255)), 1, 0, 1])


def test_a_material_of_collada_that_leads_nowhere_takes_no_geometry_with_it(tmp_path):
    pytest.importorskip("collada")
    box = trimesh.creation.box()
    box.visual = trimesh.visual.TextureVisuals(material=trimesh.visual.material.PBRMaterial(baseColorFactor=[9, 9, 9, 255]))
    text = box.export(file_type="dae").decode()
    assert len(re.findall("<instance_effect url=", text)) == 1
    (tmp_path / "a.dae").write_text(text.replace('<instance_effect url="#', '<instance_effect url="#gone_'))
    body = link("a", '<visual><geometry><mesh filename="a.dae"/></geometry></visual>')
    scene = load(robot(tmp_path / "a.urdf", body))
    assert len(scene.meshes[0].faces) == 12
    assert any(note.startswith("a.dae: materials that lead nowhere are left out: ") for note in scene.notes)


def test_meshes_without_faces_are_left_out_and_noted(tmp_path):
    (tmp_path / "none.obj").write_text("v 0 0 0\n")
    none = '<visual><geometry><mesh filename="none.obj"/></geometry></visual>'
    body = link("a") + link("b", none) + link("c", none + BOX)
    body += joint("j", "a", "b") + joint("k", "a", "c")
    scene = load(robot(tmp_path / "a.urdf", body))
    assert [thing.name for thing in scene.instances] == ["a", "c"] and len(scene.parts) == 2
    assert "none.obj has no faces that can be drawn and is left out" in scene.notes
    with pytest.raises(EmptySceneError, match="no visuals"):
        load(robot(tmp_path / "b.urdf", link("b", none)))


def test_what_collides_is_shown_only_where_nothing_else_is(tmp_path):
    collision = BOX.replace("visual", "collision")
    body = link("a", collision) + link("b", collision) + joint("j", "a", "b")
    scene = load(robot(tmp_path / "a.urdf", body))
    assert len(scene.instances) == 2 and "no link has a visual: what collides is shown" in scene.notes
    scene = load(robot(tmp_path / "b.urdf", body.replace(collision, BOX, 1)))
    assert [thing.name for thing in scene.instances] == ["a"]


def test_clear_shapes_are_left_out_and_noted(tmp_path):
    clear = BOX.replace("</visual>", '<material name="m"><color rgba="1 1 1 0"/></material></visual>')
    body = link("a") + link("b", clear) + joint("j", "a", "b")
    scene = load(robot(tmp_path / "a.urdf", body))
    assert len(scene.instances) == 1 and "1 shapes whose color is clear (alpha 0) were left out" in scene.notes
    with pytest.raises(EmptySceneError, match="no visuals"):
        load(robot(tmp_path / "b.urdf", link("b", clear)))


# files


def in_package(folder: Path, name: str) -> Path:
    return robot(folder / "a.urdf", link("a", f'<visual><geometry><mesh filename="{name}"/></geometry></visual>'))


@pytest.mark.parametrize(
    ("name", "packages"),
    [
        ("package://arm_description/meshes/tip.obj", "{there}"),
        ("package://arm_description/meshes/tip.obj", "arm_description={there}/arm_description"),
        ("package://arm_description/meshes/tip.obj", "/,{there}/arm_description"),
        ("model://arm_description/meshes/tip.obj", "{there}"),
        ("package://elsewhere/arm_description/meshes/tip.obj", "{there}"),
        ("file://{there}/arm_description/meshes/tip.obj", None),
        ("{there}/arm_description/meshes/tip.obj", None),
        ("/home/somebody/ws/src/arm_description/meshes/tip.obj", "{there}"),
        ("C:\\\\ws\\\\arm_description\\\\meshes\\\\tip.obj", "{there}"),
        ("meshes/tip.obj", "{there}/arm_description"),
    ],
)
def test_meshes_are_found_where_packages_are(name, packages, tmp_path):
    arm(tmp_path / "there")
    (tmp_path / "here").mkdir()
    places = {"there": tmp_path / "there"}
    path = in_package(tmp_path / "here", name.format(**places))
    assert len(load(path, packages=None if packages is None else packages.format(**places)).meshes[0].faces) == 4


def test_packages_around_the_robots_file_and_those_of_ros_need_no_option(tmp_path, monkeypatch):
    load(arm(tmp_path / "ws"))
    (tmp_path / "far").mkdir()
    path = in_package(tmp_path / "far", "package://arm_description/meshes/tip.obj")
    with pytest.raises(MissingFileError):
        load(path)
    monkeypatch.setenv("ROS_PACKAGE_PATH", str(tmp_path / "ws"))
    load(path)
    monkeypatch.delenv("ROS_PACKAGE_PATH")
    shutil.move(tmp_path / "ws", tmp_path / "install" / "share")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "install"))
    load(path)


def test_relative_folders_of_packages_are_seen_from_here_or_from_the_robot(tmp_path, monkeypatch):
    arm(tmp_path / "there")
    (tmp_path / "here" / "robot").mkdir(parents=True)
    path = in_package(tmp_path / "here" / "robot", "package://arm_description/meshes/tip.obj")
    load(path, packages="../../there")
    monkeypatch.chdir(tmp_path)
    load(path, packages="there")
    with pytest.raises(MissingFileError, match="folder of packages not found; check --packages: nowhere"):
        load(path, packages="nowhere")


def test_all_files_that_are_missing_are_listed_with_where_was_looked(tmp_path):
    visual = '<visual><geometry><mesh filename="package://p/{}"/></geometry></visual>'
    path = robot(tmp_path / "a.urdf", link("a", visual.format("a.stl") + visual.format("b.stl")))
    with pytest.raises(MissingFileError) as caught:
        load(path, packages=str(tmp_path))
    said = str(caught.value)
    assert "package://p/a.stl, package://p/b.stl" in said and f"looked in {tmp_path}" in said and "--packages" in said


def test_a_broken_mesh_and_a_broken_picture_are_named(tmp_path):
    path = arm(tmp_path)
    (tmp_path / "arm_description" / "wood.png").write_bytes(b"no picture")
    with pytest.raises(UnreadableFileError, match="wood.png"):
        load(path)
    (tmp_path / "arm_description" / "meshes" / "tip.obj").write_text("v 0 0 0\nv 1 0 0\nf 1 2 9\n")
    with pytest.raises(Sim2RealError, match="tip.obj"):
        load(path)


# cameras

SENSOR = """<gazebo reference="hand"><sensor type="camera" name="eye"><pose>0 0 .1 0 0 0</pose><camera name="front">
<horizontal_fov>1.2</horizontal_fov><image><width>64</width><height>48</height></image><clip><near>.02</near></clip>
</camera></sensor></gazebo>"""


def handed(folder: Path, more: str) -> Path:
    body = link("base") + link("hand") + joint("j", "base", "hand", kind="revolute", origin='xyz="0 0 1"', axis="0 0 1")
    (folder / "log.csv").write_text(f"j\n0\n{np.pi / 2}\n")
    return robot(folder / "hand.urdf", body + more)


def test_gazebos_cameras_look_along_x_of_their_link_with_z_up(tmp_path):
    scene = load(handed(tmp_path, SENSOR), joints=tmp_path / "log.csv")
    (camera,) = scene.cameras
    assert camera.name == "front" and camera.size == (48, 64) and camera.near == 0.02
    assert camera.intrinsics[0, 0, 0] == camera.intrinsics[0, 1, 1] == pytest.approx(32 / np.tan(0.6))
    right, down, forward, place = (camera.world_from_camera[:, :3, k] for k in range(4))
    assert np.allclose(forward, [[1, 0, 0], [0, 1, 0]]) and np.allclose(down, [[0, 0, -1]] * 2)
    assert np.allclose(right, [[0, -1, 0], [1, 0, 0]]) and np.allclose(place, [[0, 0, 1.1]] * 2)
    wide = load(handed(tmp_path, SENSOR), LoadOptions(size=(50, 100)), joints=tmp_path / "log.csv").cameras[0]
    assert wide.size == (50, 100) and wide.intrinsics[0, 0, 0] == pytest.approx(50 / np.tan(0.6))


def test_cameras_as_ros_describes_them_look_along_z(tmp_path):
    camera = '<camera><image width="8" height="6" hfov="1.5" near=".01"/></camera>'
    sensor = f'<sensor name="rear"><parent link="hand"/><origin xyz="0 0 2"/>{camera}</sensor>'
    (camera,) = load(handed(tmp_path, sensor), joints=tmp_path / "log.csv").cameras
    assert camera.name == "rear" and camera.size == (6, 8)
    assert np.allclose(camera.world_from_camera[0], [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 3], [0, 0, 0, 1]])


def test_links_carry_cameras_where_asked_for(tmp_path):
    path = arm(tmp_path)
    scene = load(path, LoadOptions(size=(30, 40)), camera_links="camera_optical_frame:60, base")
    assert [camera.name for camera in scene.cameras] == ["camera_optical_frame", "base"]
    assert scene.cameras[0].intrinsics[0, 1, 1] == pytest.approx(15 / np.tan(np.deg2rad(30)))
    assert scene.cameras[1].intrinsics[0, 1, 1] == pytest.approx(15 / np.tan(np.deg2rad(22.5)))
    forward = scene.cameras[0].world_from_camera[0, :3, 2]
    assert np.allclose(forward, [np.sin(0.2) * np.cos(0.3), np.sin(0.2) * np.sin(0.3), np.cos(0.2)])
    with pytest.raises(UnknownNameError, match="did you mean 'base'"):
        load(path, camera_links="bas:60")
    for degrees in ("0", "180", "wide", "nan"):
        with pytest.raises(BadValueError, match="field of view"):
            load(path, camera_links=f"base:{degrees}")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("64", "0"), "must be 1 to 16384"),
        (("1.2", "3.2"), "below pi"),
        (('reference="hand"', 'reference="foot"'), "on 'foot', which is no link"),
        ((".02", "-1"), "near distance is -1"),
        (("0 0 .1 0 0 0", "0 0 .1"), "pose is '0 0 .1', must be 6 finite numbers"),
    ],
)
def test_cameras_that_cannot_be_are_refused(change, says, tmp_path):
    with pytest.raises(UnreadableFileError) as caught:
        load(handed(tmp_path, SENSOR.replace(*change)))
    assert says in str(caught.value) and "camera front" in str(caught.value)


# what is refused

NAN = 'xyz="nan 0 0"'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no XML"),
        ("<robot>", "no XML"),
        ("<sdf/>", "it is a <sdf>, must be a <robot>"),
        ("<mujoco/>", "name it .xml"),
        ("<robot/>", "it has no links"),
        ("<robot><link/></robot>", "a <link> has no name"),
        (f"<robot>{link('a')}{link('a')}</robot>", "the link a is there twice"),
        (f"<robot>{link('a')}{link('b')}</robot>", "several links hang on no joint: a, b"),
        (f"<robot>{link('a')}{joint('j', 'a', 'b')}</robot>", "its child b is no link"),
        (f"<robot>{link('a')}{link('b')}{joint('j', 'a', 'b')}{joint('k', 'a', 'b')}</robot>", "hangs on two joints, j and k"),
        (f"<robot>{link('a')}{link('b')}{joint('j', 'a', 'b')}{joint('k', 'b', 'a')}</robot>", "in a circle"),
        (f"<robot>{link('a')}{link('b')}{link('c')}{joint('j', 'c', 'b')}{joint('k', 'b', 'c')}</robot>", "around joint j"),
        (f"<robot>{link('a')}{link('b')}{joint('j', 'a', 'b', kind='ball')}</robot>", "its type is 'ball'"),
        (f"<robot>{link('a')}{link('b')}{joint('j', 'a', 'b', kind='revolute', axis='0 0 0')}</robot>", "axis has no length"),
        (
            f"<robot>{link('a')}{link('b')}{joint('j', 'a', 'b', origin=NAN)}</robot>",
            "xyz of <origin> is 'nan 0 0'",
        ),
        (f"<robot>{link('a', BOX.replace('.1 .2 .3', '1 2 0'))}</robot>", "size of <box> is '1 2 0', must be positive"),
        (f"<robot>{link('a', BOX.replace('.1 .2 .3', '1 2'))}</robot>", "must be 3 finite numbers"),
        (f"<robot>{link('a', '<visual><geometry/></visual>')}</robot>", "has no shape"),
        ('<!DOCTYPE r [<!ENTITY a "b">]><robot>&a;</robot>', "declares the entity a"),
        ('<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><robot>&a;</robot>', "declares the entity a"),
    ],
)
def test_files_that_are_no_robot_are_refused_in_one_line(content, says, tmp_path):
    path = tmp_path / "bad.urdf"
    path.write_text(content)
    with pytest.raises(UnreadableFileError) as caught:
        load(path)
    assert says in str(caught.value) and "bad.urdf" in str(caught.value) and len(str(caught.value)) < 500


def test_macros_are_refused_with_how_to_expand_them(tmp_path):
    macros = '<robot name="r" xmlns:xacro="http://ros.org/wiki/xacro"><xacro:include filename="a.xacro"/></robot>'
    for name, expanded in (("arm.urdf.xacro", "arm.urdf"), ("arm.xacro", "arm.urdf"), ("arm.urdf", "arm-expanded.urdf")):
        (tmp_path / name).write_text(macros)
        with pytest.raises(UnreadableFileError) as caught:
            load(tmp_path / name)
        assert f"expand them with: xacro {name} > {expanded}" in str(caught.value)
    (tmp_path / "plain.urdf").write_text(
        ARM.replace("<robot ", '<robot xmlns:xacro="http://ros.org/wiki/xacro" ').replace("package://", "package://")
    )
    with pytest.raises(MissingFileError):  # its meshes, and not its namespace
        load(tmp_path / "plain.urdf")


def test_marks_line_ends_and_blank_lines_before_do_not_matter(tmp_path):
    path = arm(tmp_path)
    whole = load(path)
    for data in ("\n\n" + ARM, "\ufeff" + ARM.replace("\n", "\r\n")):
        path.write_bytes(data.encode())
        assert np.array_equal(load(path).world_from_instance, whole.world_from_instance)


def test_options_of_other_readers_are_refused_and_a_clip_tells_how_it_was_read(tmp_path):
    path = arm(tmp_path)
    with pytest.raises(BadValueError, match="--states"):
        load(path, states="s.npy")
    (tmp_path / "log.csv").write_text("elbow\n0.5\n")
    told = {"joints": str(tmp_path / "log.csv"), "camera_links": "base", "size": [30, 40]}
    scene = load_as(path, told)
    assert scene.frames == 1 and scene.cameras[0].size == (30, 40)


def test_a_robot_is_the_rollout_of_a_scene_file_with_its_table_beside_it(tmp_path):
    path = arm(tmp_path)
    (tmp_path / "log.csv").write_text("elbow\n0.5\n0.6\n")
    (tmp_path / "scene.yaml").write_text(
        "size: [30, 40]\n"
        f"rollout: {{path: {path.relative_to(tmp_path)}, joints: log.csv, camera_links: camera_optical_frame}}\n"
        "objects:\n  - {name: cup, primitive: cylinder, radius: 0.03, half_height: 0.05, position: [0.5, 0, 0.05]}\n"
    )
    scene = load(tmp_path / "scene.yaml")
    assert scene.frames == 2 and scene.instances[-1].name == "cup"
    assert [camera.name for camera in scene.cameras] == ["camera_optical_frame"]


def test_the_hash_is_of_the_robot_its_table_and_its_meshes(tmp_path):
    path, table = arm(tmp_path), tmp_path / "log.csv"
    table.write_text("elbow\n0.5\n")
    known = {load(path).sha256, load(path, joints=table).sha256}
    table.write_text("elbow\n0.6\n")
    known.add(load(path, joints=table).sha256)
    Image.fromarray(np.full((4, 4, 3), 91, np.uint8)).save(tmp_path / "arm_description" / "wood.png")
    known.add(load(path).sha256)
    assert len(known) == 4
