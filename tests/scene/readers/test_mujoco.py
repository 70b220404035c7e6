"""MuJoCo models and states become scenes; no OpenGL is needed here."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from sim2real.errors import BadValueError, MissingFileError, UnreadableFileError
from sim2real.scene import LoadOptions, Scene
from sim2real.scene.colors import linear_from_srgb
from sim2real.scene.load import load
from sim2real.scene.readers.mujoco.geoms import horizon_m, visual_geoms
from sim2real.scene.readers.mujoco.model import load_mujoco
from sim2real.transforms import rotation_from_quaternion

mujoco = pytest.importorskip("mujoco")

ARM = """
<mujoco>
  <statistic extent="2" center="0 0 0"/>
  <visual><map znear="0.02"/></visual>
  <asset><material name="paint" rgba="0.5 0.25 1 1" shininess="0.2"/></asset>
  <worldbody>
    <light directional="true" dir="0 -0.6 -0.8" diffuse="1 0.5 0.5"/>
    <geom name="floor" type="plane" size="1 2 0.1" material="paint"/>
    <geom type="box" size="0.1 0.1 0.1" pos="2 0 0"/>
    <body name="arm" pos="0 0 1">
      <joint type="hinge" axis="0 0 1"/>
      <geom type="box" size="0.2 0.1 0.05" pos="0.2 0 0" material="paint"/>
      <geom type="box" size="0.2 0.1 0.05" pos="0.2 0 0.3" material="paint"/>
      <geom type="box" size="0.2 0.1 0.05" pos="0.2 0 0.6" rgba="1 0 0 1" material="paint"/>
      <geom type="sphere" size="1" rgba="1 1 1 0"/>
      <body name="hand" pos="0.5 0 0">
        <joint type="slide" axis="1 0 0"/>
        <geom type="capsule" size="0.05 0.1"/>
        <camera name="wrist" pos="0 0 0.2" xyaxes="0 -1 0 1 0 0" fovy="60"/>
      </body>
    </body>
    <body name="ball" pos="0 1 1"><freejoint/><geom type="sphere" size="0.1"/></body>
    <body name="marker" mocap="true" pos="0 -1 1"><geom type="sphere" size="0.05"/></body>
  </worldbody>
  <keyframe><key name="away" qpos="1 1 0 1 1 1 0 0 0"/><key name="home" qpos="0.5 0.1 0 1 1 1 0 0 0"/></keyframe>
</mujoco>
"""
WIDTHS = {"nq": 9, "nv": 8}


@pytest.fixture(scope="module")
def arm(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("arm") / "arm.xml"
    path.write_text(ARM)
    return path


def written(folder: Path, body: str, assets: str = "") -> Path:
    path = folder / "model.xml"
    text = f'<mujoco><statistic extent="2" center="0 0 0"/><asset>{assets}</asset><worldbody>{body}</worldbody></mujoco>'
    path.write_text(text)
    return path


def place(scene: Scene, name: str) -> np.ndarray:
    return scene.world_from_instance[:, [i.name for i in scene.instances].index(name)]


def poses(count: int) -> np.ndarray:
    """Angle, slide, and a free body's position and quaternion that is not of unit length."""
    rng = np.random.default_rng(3)
    return rng.normal(size=(count, 9))


def test_bodies_are_where_the_joints_put_them(arm):
    qpos = poses(5)
    scene = load_mujoco(arm, states=qpos)
    assert scene.frames == 5
    hand = place(scene, "hand")
    reach = 0.5 + qpos[:, 1]
    expected = np.stack([reach * np.cos(qpos[:, 0]), reach * np.sin(qpos[:, 0]), np.ones(5)], axis=1)
    np.testing.assert_allclose(hand[:, :3, 3], expected, atol=1e-12)
    ball = place(scene, "ball")
    np.testing.assert_allclose(ball[:, :3, 3], qpos[:, 2:5], atol=1e-12)
    np.testing.assert_allclose(ball[:, :3, :3], rotation_from_quaternion(qpos[:, 5:]), atol=1e-12)
    np.testing.assert_array_equal(place(scene, "floor"), np.tile(np.eye(4), (5, 1, 1)))


@pytest.mark.parametrize("layout", ["qpos", "time qpos qvel", "qpos qvel", "FULLPHYSICS", "INTEGRATION"])
def test_every_usual_layout_of_states_is_recognized(arm, layout):
    qpos, qvel, time = poses(3), np.ones((3, WIDTHS["nv"])), np.arange(3)[:, None] / 50
    if layout.isupper():
        model = mujoco.MjModel.from_xml_path(str(arm))
        data = mujoco.MjData(model)
        kind = int(getattr(mujoco.mjtState, f"mjSTATE_{layout}"))
        rows = np.empty((3, mujoco.mj_stateSize(model, kind)))
        for k in range(3):
            data.time, data.qpos[:] = time[k, 0], qpos[k]
            mujoco.mj_getState(model, data, rows[k], kind)
    else:
        rows = np.concatenate([{"qpos": qpos, "qvel": qvel, "time": time}[word] for word in layout.split()], axis=1)
    scene = load_mujoco(arm, states=rows)
    np.testing.assert_allclose(scene.world_from_instance, load_mujoco(arm, states=qpos).world_from_instance, atol=1e-12)
    assert scene.fps == (24.0 if layout in ("qpos", "qpos qvel") else 50.0)


def test_states_of_the_wrong_width_list_the_widths_that_fit(arm):
    with pytest.raises(BadValueError, match=r"width of the states is 11, must be one of 18 .*qvel\], 9 \[qpos\], 17") as caught:
        load_mujoco(arm, states=np.zeros((4, 11)))
    assert "\n" not in str(caught.value)


def test_a_bad_row_is_named(arm, tmp_path):
    rows = poses(6)
    rows[4, 2] = np.nan
    np.save(tmp_path / "states.npy", rows)
    with pytest.raises(BadValueError, match="row 4 of states is NaN") as caught:
        load_mujoco(arm, states=tmp_path / "states.npy")
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not an array", b"PK\x03\x04"])
def test_states_that_are_no_arrays_are_refused(arm, tmp_path, content):
    (tmp_path / "states.npy").write_bytes(content)
    with pytest.raises(UnreadableFileError, match="states file cannot be read"):
        load_mujoco(arm, states=tmp_path / "states.npy")


def test_missing_and_broken_models_are_one_line(arm, tmp_path):
    with pytest.raises(MissingFileError, match="MuJoCo model not found"):
        load_mujoco(tmp_path / "none.xml")
    with pytest.raises(MissingFileError, match="states file not found"):
        load_mujoco(arm, states=tmp_path / "none.npy")
    path = written(tmp_path, '<geom type="mesh" mesh="gone"/>', '<mesh name="gone" file="gone.stl"/>')
    with pytest.raises(UnreadableFileError, match="gone.stl") as caught:
        load_mujoco(path)
    assert "\n" not in str(caught.value)


def test_mocap_bodies_follow_their_own_table(arm, tmp_path):
    mocap = np.zeros((2, 1, 7))
    mocap[:, 0, :3], mocap[:, 0, 3] = [[1, 2, 3], [4, 5, 6]], 1
    np.savez(tmp_path / "states.npz", states=poses(2), mocap=mocap)
    scene = load_mujoco(arm, states=tmp_path / "states.npz")
    np.testing.assert_allclose(place(scene, "marker")[:, :3, 3], mocap[:, 0, :3])
    np.savez(tmp_path / "states.npz", states=poses(2), mocap=np.zeros((2, 3, 7)))
    with pytest.raises(BadValueError, match="mocap bodies is 3, must be 1"):
        load_mujoco(arm, states=tmp_path / "states.npz")


def test_without_states_the_home_keyframe_is_shown_and_noted(arm):
    scene = load_mujoco(arm)
    assert scene.frames == 1
    np.testing.assert_allclose(place(scene, "hand")[0, :3, 3], [0.6 * np.cos(0.5), 0.6 * np.sin(0.5), 1])
    assert any("keyframe home" in note for note in scene.notes)


def test_frames_are_chosen_before_replay_and_keep_the_pace(arm):
    rows = np.concatenate([np.arange(10)[:, None] / 20, poses(10), np.zeros((10, 8))], axis=1)
    scene = load_mujoco(arm, states=rows, frames=slice(1, 9, 3))
    whole = load_mujoco(arm, states=rows)
    np.testing.assert_array_equal(scene.world_from_instance, whole.world_from_instance[1:9:3])
    assert (whole.fps, scene.fps) == (20.0, 6.667)
    with pytest.raises(BadValueError, match="range of frames"):
        load_mujoco(arm, states=rows, frames=slice(10, 20))


def test_instances_are_bodies_and_the_worlds_own_geoms(arm):
    scene = load_mujoco(arm)
    assert [(i.name, i.class_name) for i in scene.instances] == [
        ("floor", "floor"),
        ("geom_1", "geom_1"),
        ("arm", "arm"),
        ("hand", "arm"),
        ("ball", "ball"),
        ("marker", "marker"),
    ]


def test_classes_look_through_one_grouping_body_and_name_unnamed_trees(tmp_path):
    box = '<geom type="box" size="0.1 0.1 0.1"/>'
    path = written(
        tmp_path,
        f"""<body name="room">
          <body name="table">{box}<body name="drawer">{box}</body></body><body name="shelf">{box}</body>
        </body>
        <body>{box}<body name="robot0_link1">{box}</body><body name="robot0_link2">{box}</body></body>
        <body>{box}</body>""",
    )
    found = [(i.name, i.class_name) for i in load_mujoco(path).instances]
    assert found == [
        ("table", "table"),
        ("drawer", "table"),
        ("shelf", "shelf"),
        ("body_5", "robot0"),
        ("robot0_link1", "robot0"),
        ("robot0_link2", "robot0"),
        ("body_8", "body_8"),
    ]


def test_equal_geoms_share_a_mesh_and_transparent_ones_are_left_out(arm):
    scene = load_mujoco(arm)
    of_arm = [p.mesh for p in scene.parts if scene.instances[p.instance].name == "arm"]
    assert len(of_arm) == 3
    assert of_arm[0] == of_arm[1] != of_arm[2]
    red = scene.meshes[of_arm[2]].material
    assert red.base_color == (1.0, 0.0, 0.0, 1.0)
    paint = scene.meshes[of_arm[0]].material
    np.testing.assert_allclose(paint.base_color[:3], linear_from_srgb(np.array([0.5, 0.25, 1])), atol=1e-6)
    assert paint.roughness > load_mujoco(arm).meshes[of_arm[2]].material.roughness - 1e-12


@pytest.mark.parametrize(
    ("geom", "half"),
    [
        ('type="box" size="0.1 0.2 0.3"', [0.1, 0.2, 0.3]),
        ('type="sphere" size="0.2"', [0.2, 0.2, 0.2]),
        ('type="ellipsoid" size="0.1 0.2 0.3"', [0.1, 0.2, 0.3]),
        ('type="cylinder" size="0.1 0.3"', [0.1, 0.1, 0.3]),
        ('type="capsule" size="0.1 0.3"', [0.1, 0.1, 0.4]),
        ('type="plane" size="0.4 0.5 0.1"', [0.4, 0.5, 0]),
        ('type="hfield" hfield="hill"', [0.5, 0.4, 0.3]),
    ],
)
def test_every_primitive_has_its_size_and_place(tmp_path, geom, half):
    hill = '<hfield name="hill" nrow="3" ncol="3" size="0.5 0.4 0.3 0.1" elevation="0 0 0 0 1 0 0 0 0"/>'
    path = written(tmp_path, f'<body pos="1 2 3" euler="0 0 90"><geom {geom} pos="0.5 0 0"/></body>', hill)
    scene = load_mujoco(path)
    (part,) = scene.parts
    vertices = scene.meshes[part.mesh].vertices
    np.testing.assert_allclose(vertices.max(axis=0), half, atol=1e-3 if "sphere" not in geom else 2e-3)
    np.testing.assert_allclose(part.instance_from_mesh[:3, 3], [0.5, 0, 0])
    np.testing.assert_allclose((scene.world_from_instance[0, 0] @ part.instance_from_mesh)[:3, 3], [1, 2.5, 3], atol=1e-12)


def test_height_fields_keep_their_heights(tmp_path):
    rows = np.array([[0, 1, 2], [3, 6, 4]])
    text = " ".join(map(str, rows.ravel()))
    asset = f'<hfield name="h" nrow="2" ncol="3" size="1 2 0.6 0.05" elevation="{text}"/>'
    scene = load_mujoco(written(tmp_path, '<geom type="hfield" hfield="h"/>', asset))
    vertices = scene.meshes[0].vertices
    for i, y in enumerate([-2, 2]):
        for j, x in enumerate([-1, 0, 1]):
            column = vertices[np.abs(vertices[:, :2] - [x, y]).max(axis=1) < 1e-9]
            # MuJoCo's first row of elevation data is the far one (largest y)
            assert np.isclose(column[:, 2].max(), rows[::-1][i, j] / 6 * 0.6, atol=1e-6)
            assert np.isclose(column[:, 2].min(), -0.05)


def test_compiled_meshes_lie_where_their_files_vertices_do(tmp_path):
    corners = np.array([[0.1, 0.2, 0.3], [1.1, 0.2, 0.3], [0.1, 0.9, 0.3], [0.1, 0.2, 0.8]])
    text = " ".join(map(str, corners.ravel()))
    scene = load_mujoco(
        written(tmp_path, '<body pos="0 0 5"><geom type="mesh" mesh="m"/></body>', f'<mesh name="m" vertex="{text}"/>')
    )
    (part,) = scene.parts
    mesh = scene.meshes[part.mesh]
    assert not np.allclose(mesh.vertices, corners, atol=0.05)  # the compiler moves them to the center of mass
    world = mesh.vertices @ (at := scene.world_from_instance[0, 0] @ part.instance_from_mesh)[:3, :3].T + at[:3, 3]
    expected = corners + [0, 0, 5]
    np.testing.assert_allclose(world[np.lexsort(world.round(4).T)], expected[np.lexsort(expected.round(4).T)], atol=1e-6)


def test_texture_coordinates_have_their_own_index(tmp_path):
    """An OBJ whose two triangles share vertices but not texture coordinates."""
    (tmp_path / "fold.obj").write_text(
        "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0.5\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0.2 0.3\nvt 0.4 0.3\nvt 0.4 0.6\n"
        "f 1/1 2/2 3/3\nf 1/4 3/5 4/6\nf 1/1 3/3 2/2\n"
    )
    asset = '<mesh name="fold" file="fold.obj" inertia="shell"/>'
    scene = load_mujoco(written(tmp_path, '<geom type="mesh" mesh="fold"/>', asset))
    uv = scene.meshes[0].uv
    assert uv is not None
    expected = {
        ((0, 0), (1, 0), (1, 1)),
        ((0.2, 0.3), (0.4, 0.3), (0.4, 0.6)),
        ((0, 0), (1, 1), (1, 0)),
    }
    assert {tuple(tuple(corner) for corner in face) for face in uv.round(6).tolist()} == expected


def test_cube_maps_with_different_sides_are_split_by_side(tmp_path):
    assets = """<texture name="dice" type="cube" builtin="gradient" rgb1="1 0 0" rgb2="0 0 1" width="16" height="16"/>
    <texture name="plain" type="cube" builtin="flat" rgb1="1 0 0" rgb2="1 0 0" width="16" height="16"/>
    <material name="dice" texture="dice"/><material name="plain" texture="plain"/>"""
    scene = load_mujoco(written(tmp_path, '<geom type="box" size="1 1 1" material="dice"/>', assets))
    assert len(scene.parts) == 6
    assert sum(len(scene.meshes[p.mesh].faces) for p in scene.parts) == 12
    for part in scene.parts:
        mesh = scene.meshes[part.mesh]
        assert mesh.uv is not None and mesh.normals is not None
        assert np.ptp(mesh.vertices, axis=0).min() == 0  # one side of the box each
        assert (mesh.uv.min(), mesh.uv.max()) == (0, 1)
    scene = load_mujoco(written(tmp_path, '<geom type="sphere" size="1" material="plain"/>', assets))
    assert len(scene.parts) == 1


def test_infinite_planes_get_an_extent_and_a_note(tmp_path):
    scene = load_mujoco(written(tmp_path, '<geom type="plane" size="0 3 0.1"/>'))
    half = scene.meshes[0].vertices.max(axis=0)
    assert half[0] == (50 + 1) * 2  # MuJoCo draws to 50 times the extent; cameras may be as far off as it once
    assert half[1] == 3
    assert any("infinite plane" in note for note in scene.notes)


def test_a_plane_is_the_same_wherever_cameras_stay_about_and_reaches_past_all_of_them():
    model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><geom type='box' size='1 1 1'/></worldbody></mujoco>")
    extent, near = model.stat.extent, 50 * model.stat.extent
    found = [horizon_m(model, np.array([[away * extent, 0.0, 0.0]])) for away in np.linspace(0, 40, 400)]
    assert all(near + away * extent <= horizon for away, horizon in zip(np.linspace(0, 40, 400), found, strict=True))
    assert len(set(found)) <= 8


@pytest.mark.parametrize(
    ("geoms", "expected"),
    [
        ([(0, 1), (0, 1), (1, 0), (1, 0)], [False, False, True, True]),  # robosuite: 0 collides, 1 is seen
        ([(0, 0), (0, 0), (1, 0), (3, 1), (4, 1)], [True, True, True, False, False]),  # kitchen: 3 and 4 collide
        ([(2, 0), (2, 0), (3, 1)], [True, True, False]),  # Menagerie
        ([(0, 1), (0, 1)], [True, True]),  # everything in the default group
        ([(0, 1), (1, 1), (2, 1)], [True, True, True]),  # all collide: all are seen
        ([(3, 1), (4, 1)], [True, True]),  # nothing else there
    ],
)
def test_pictures_are_told_from_what_collides(tmp_path, geoms, expected):
    inside = "".join(
        f'<geom type="sphere" size="0.1" group="{group}" contype="{collides}" conaffinity="{collides}" pos="{k} 0 0"/>'
        for k, (group, collides) in enumerate(geoms)
    )
    path = written(tmp_path, f"<body>{inside}</body>")
    assert visual_geoms(mujoco.MjModel.from_xml_path(str(path))).tolist() == expected
    scene = load_mujoco(path)
    assert len(scene.parts) == sum(expected)
    seen = sorted({group for (group, _), shown in zip(geoms, expected, strict=True) if shown})
    assert scene.notes[0].startswith("geom groups shown (chosen automatically, --groups chooses others): ")
    assert scene.notes[0].split(": ")[1].split(", hidden")[0] == ", ".join(map(str, seen))


def test_what_has_no_other_picture_stays_beside_a_robot_whose_collision_geoms_are_hidden(tmp_path):
    """Floor, terrain, table and a tool without pictures of their own are all in group 0 and collide, as a link's hull does."""
    link = '<geom name="hull" type="sphere" size="0.1"/><geom name="shell" type="sphere" size="0.11" group="{}" {}/>'
    picture = 'contype="0" conaffinity="0"'
    body = (
        '<geom name="floor" type="plane" size="2 2 0.1"/><geom name="post" type="box" size="0.1 0.1 1"/>'
        '<body name="table"><geom name="top" type="box" size="0.5 0.5 0.1"/></body>'
        f'<body name="link1" pos="0 0 1">{link.format(2, picture)}</body>'
        f'<body name="link2" pos="0 0 2">{link.format(2, picture).replace("hull", "hull2").replace("shell", "shell2")}</body>'
    )
    path = written(tmp_path, body)
    model = mujoco.MjModel.from_xml_path(str(path))
    seen = {model.geom(k).name for k in np.flatnonzero(visual_geoms(model))}
    assert seen == {"floor", "post", "top", "shell", "shell2"}
    assert any(
        note.startswith("2 colliding geom(s) of group 0 hidden") and "link1, link2" in note for note in load_mujoco(path).notes
    )
    assert len(load_mujoco(path, groups=(0, 2)).parts) == 7


def test_groups_can_be_asked_for_and_empty_choices_are_refused(tmp_path):
    path = written(tmp_path, '<geom type="sphere" size="0.1"/><geom type="sphere" size="0.1" group="3"/>')
    assert len(load_mujoco(path, groups=(3,)).instances) == 1
    with pytest.raises(
        BadValueError, match="geom groups is none that the model has, must be groups with visible geoms, of 0, 3"
    ):
        load_mujoco(path, groups=(5,))


def test_cameras_ride_on_bodies_with_opencv_axes(arm):
    qpos = np.zeros((2, 9))
    qpos[:, 5] = 1
    qpos[1, 0] = np.pi / 2
    camera = load_mujoco(arm, states=qpos, size=(60, 80)).camera("wrist")
    # looks down (-z of its OpenGL axes), its picture's right is -y of the hand
    np.testing.assert_allclose(camera.world_from_camera[0, :3, 2], [0, 0, -1], atol=1e-12)
    np.testing.assert_allclose(camera.world_from_camera[0, :3, 0], [0, -1, 0], atol=1e-12)
    np.testing.assert_allclose(camera.world_from_camera[:, :3, 3], [[0.5, 0, 1.2], [0, 0.5, 1.2]], atol=1e-12)
    focal = 30 / np.tan(np.radians(30))
    np.testing.assert_allclose(camera.intrinsics[1], [[focal, 0, 40], [0, focal, 30], [0, 0, 1]])
    assert np.isclose(camera.near, 0.04)


def test_physical_lenses_have_both_focal_lengths_and_an_off_center_point(tmp_path):
    lens = 'focal="0.004 0.005" principal="0.001 -0.0005" sensorsize="0.008 0.006" resolution="160 120"'
    path = written(tmp_path, f'<geom size="1"/><camera name="c" {lens}/>')
    camera = load_mujoco(path).camera("c")
    assert camera.size == (120, 160)
    np.testing.assert_allclose(camera.intrinsics[0], [[80, 0, 80 - 20], [0, 100, 60 + 10], [0, 0, 1]], rtol=1e-6)
    resized = load_mujoco(path, size=(60, 80)).camera("c")
    np.testing.assert_allclose(resized.intrinsics[0], camera.resized((60, 80)).intrinsics[0], rtol=1e-6)


def test_the_sun_is_the_first_directional_light(arm):
    lighting = load_mujoco(arm).lighting
    np.testing.assert_allclose(lighting.sun_direction, [0, 0.6, 0.8], atol=1e-9)
    assert lighting.sun[0] > lighting.sun[1] == lighting.sun[2]


def test_a_skybox_is_seen_and_dyes_nothing(tmp_path):
    box = '<asset><texture type="skybox" builtin="gradient" rgb1="0.2 0.7 0.3" rgb2="0 0 0" width="32" height="192"/></asset>'
    geom = '<worldbody><light directional="true" dir="0 0 -1"/><geom size="1"/></worldbody>'
    (tmp_path / "model.xml").write_text(f"<mujoco>{box}{geom}</mujoco>")
    (tmp_path / "plain.xml").write_text(f"<mujoco>{geom}</mujoco>")
    boxed, plain = (load_mujoco(tmp_path / f"{name}.xml").lighting for name in ("model", "plain"))
    assert (boxed.sun, boxed.sky, boxed.ground) == (plain.sun, plain.sky, plain.ground)
    assert boxed.sky[0] == boxed.sky[1] == boxed.sky[2]
    assert plain.backdrop is None and boxed.backdrop is not None
    above, below = boxed.backdrop
    assert above[1] > 1.5 * above[2] > 1.5 * above[0] and sum(below) < 0.1 * sum(above)
    tinted = '<visual><headlight ambient="0.4 0.2 0.1" diffuse="0 0 0"/></visual>'
    (tmp_path / "tinted.xml").write_text(f"<mujoco>{tinted}{geom}</mujoco>")
    warm = load_mujoco(tmp_path / "tinted.xml").lighting
    assert warm.sky[0] > warm.sky[1] > warm.sky[2] and warm.sun == plain.sun


def test_the_hash_follows_geometry_and_states(arm, tmp_path):
    states = poses(2)
    same = load_mujoco(arm, states=states).sha256
    assert load_mujoco(arm, states=states.copy()).sha256 == same
    assert load_mujoco(arm, states=states + 1e-3).sha256 != same
    (tmp_path / "arm.xml").write_text(ARM.replace('size="0.05 0.1"', 'size="0.05 0.11"'))
    assert load_mujoco(tmp_path / "arm.xml", states=states).sha256 != same


def test_load_finds_the_reader(arm):
    assert load(arm, LoadOptions(size=(32, 48))).cameras[0].size == (32, 48)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("gymnasium_robotics") is None, reason="the kitchen needs pip install 'sim2real[kitchen]'")
def test_the_kitchen_rollout_opens_the_microwave():
    scene = load(Path(__file__).parents[3] / "scenes" / "kitchen.yaml")
    assert scene.frames == 49
    assert scene.fps == 12
    assert [camera.name for camera in scene.cameras] == ["counter", "wrist"]
    door, hand = place(scene, "microdoorroot"), place(scene, "panda0_link7")
    swing = np.degrees(np.arccos((np.trace(door[0, :3, :3].T @ door[-1, :3, :3]) - 1) / 2))
    assert 40 < swing < 60
    step = np.linalg.norm(np.diff(hand[:, :3, 3], axis=0), axis=1)
    assert step.max() < 0.15  # metres in a twelfth of a second
    assert step.sum() > 0.8
    assert {i.class_name for i in scene.instances} >= {"robot", "microwave", "kettle", "counter", "stove", "cabinet", "wall"}
    for camera in scene.cameras:
        moved = np.linalg.norm(np.ptp(camera.world_from_camera[:, :3, 3], axis=0))
        assert moved > 0.3
