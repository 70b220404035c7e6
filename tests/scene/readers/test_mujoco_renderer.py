"""Our geometry, labels, cameras and textures against MuJoCo's own renderer."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.mujoco_agreement import Eyes, Picture, instances_of_geoms
from sim2real.scene import Scene, triangles_of
from sim2real.scene.load import load
from sim2real.scene.readers.mujoco.labels import label_geoms
from sim2real.scene.readers.mujoco.model import load_mujoco
from sim2real.scene.readers.package_files import package_file

from .mujoco_pictures import mujoco_pictures

mujoco = pytest.importorskip("mujoco")

KITCHEN = "gymnasium_robotics/envs/assets/kitchen_franka/kitchen_assets/kitchen_env_model.xml"
ROOT = Path(__file__).parents[3]

EVERYTHING = """
<mujoco>
  <statistic extent="2" center="0 0 0.3"/>
  <visual><map znear="0.02"/><quality numslices="27" numstacks="15"/></visual>
  <asset>
    <hfield name="hills" nrow="4" ncol="5" size="0.4 0.3 0.2 0.05"
            elevation="0 1 2 1 0  1 3 4 2 1  0 2 5 3 0  0 1 1 0 0"/>
    <mesh name="wedge" vertex="0 0 0  0.3 0 0  0 0.3 0  0 0 0.4"/>
  </asset>
  <worldbody>
    <light pos="0 0 3" dir="0 0 -1"/>
    <geom name="floor" type="plane" size="0 0 0.1"/>
    <geom name="hills" type="hfield" hfield="hills" pos="-0.8 0.7 0.05" euler="0 0 20"/>
    <camera name="front" pos="0.2 -2 1.2" xyaxes="1 0 0 0 0.5 0.9" fovy="50"/>
    <camera name="plan" pos="0 0 3" xyaxes="1 0.2 0 -0.2 1 0" {parallel} fovy="2.5"/>
    <camera name="lens" pos="-0.5 -1.8 1.3" xyaxes="1 0.3 0 -0.2 0.8 0.5" focal="0.004 0.005" principal="0.0007 -0.0004"
            sensorsize="0.0064 0.0048" resolution="160 120"/>
    <body name="things" pos="0 0 0.3">
      <joint name="turn" type="hinge" axis="0 0 1"/>
      <geom type="box" size="0.1 0.15 0.2" pos="0.6 0 0" euler="20 10 0"/>
      <geom type="sphere" size="0.15" pos="-0.5 0 0"/>
      <geom type="ellipsoid" size="0.1 0.2 0.15" pos="0 0.5 0"/>
      <body name="tubes" pos="0 -0.4 0">
        <joint name="slide" type="slide" axis="1 0 0"/>
        <geom type="cylinder" size="0.1 0.2" pos="0.3 0 0" euler="40 0 0"/>
        <geom type="capsule" size="0.08 0.15" pos="-0.1 0 0.1" euler="0 70 0"/>
        <geom type="mesh" mesh="wedge" pos="-0.6 0 0" euler="10 20 30"/>
        <camera name="rider" pos="0 -0.8 0.4" xyaxes="1 0 0 0 0.8 0.5" fovy="70"/>
      </body>
    </body>
  </worldbody>
</mujoco>
"""


def ours(scene: Scene, camera_name: str, frames: list[int]) -> list[Picture]:
    eyes = Eyes(scene)
    return [eyes.picture(scene.camera(camera_name), frame) for frame in frames]


def agreement(scene: Scene, camera_name: str, frames: list[int], theirs: dict, geom_instance: dict[int, int]):
    """Share of pixels with equal ids, and the relative depth errors of those."""
    same, errors = [], []
    for k, picture in enumerate(ours(scene, camera_name, frames)):
        equal = picture.ids == instances_of_geoms(theirs["geom"][k], geom_instance)
        same.append(equal)
        seen = equal & (picture.ids > 0)
        errors.append(np.abs(picture.depth - theirs["depth"][k])[seen] / theirs["depth"][k][seen])
    return float(np.mean(same)), np.concatenate(errors)


KITCHEN_FRAMES = [0, 16, 32, 48]


def labels_of(path, groups):
    model = mujoco.MjModel.from_xml_path(str(path))
    return label_geoms(model, np.isin(model.geom_group, groups)).geom_instance


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    """The scene, MuJoCo's pictures by camera, and which instance each geom belongs to."""
    if find_spec("gymnasium_robotics") is None:
        pytest.skip("the kitchen needs pip install 'sim2real[kitchen]'")
    scene = load(ROOT / "scenes" / "kitchen.yaml")
    rows = np.load(ROOT / "assets" / "kitchen" / "states.npy")[::2][KITCHEN_FRAMES]
    model = package_file(KITCHEN)
    places = np.concatenate([camera.world_from_camera[KITCHEN_FRAMES] for camera in scene.cameras])
    lenses = np.concatenate([camera.intrinsics[KITCHEN_FRAMES] for camera in scene.cameras])
    first = scene.cameras[0]
    qpos = np.tile(rows[:, 1:31], (len(scene.cameras), 1))
    folder = tmp_path_factory.mktemp("kitchen")
    pictures = mujoco_pictures(folder, model, qpos, places, lenses, first.size, first.near)
    by_camera = {
        camera.name: {what: views[k * len(rows) : (k + 1) * len(rows)] for what, views in pictures.items()}
        for k, camera in enumerate(scene.cameras)
    }
    return scene, by_camera, labels_of(model, (0, 1))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["counter", "wrist"])
def test_kitchen_agrees_with_mujocos_segmentation_and_depth(kitchen, name):
    scene, pictures, geom_instance = kitchen
    same, errors = agreement(scene, name, KITCHEN_FRAMES, pictures[name], geom_instance)
    assert same >= 0.995
    assert np.mean(errors < 1e-4) >= 0.999
    assert np.median(errors) < 1e-5


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """A scene with every kind of geom and camera, MuJoCo's pictures by camera, and which instance each geom belongs to."""
    folder = tmp_path_factory.mktemp("everything")
    path = folder / "everything.xml"
    parallel = 'projection="orthographic"' if hasattr(mujoco, "mjtProjection") else 'orthographic="true"'
    path.write_text(EVERYTHING.format(parallel=parallel))
    qpos = np.array([[0.0, 0.0], [0.7, 0.1], [-0.5, -0.2]])
    scene = load_mujoco(path, states=qpos, size=(120, 160))
    names = ["front", "lens", "rider", "plan"]
    order = [name for name in names for _ in qpos]
    nothing = np.zeros((0, 4, 4))
    pictures = mujoco_pictures(
        folder, path, np.tile(qpos, (4, 1)), nothing, nothing, (120, 160), scene.cameras[0].near, names=order
    )
    by_camera = {name: {what: views[3 * k : 3 * k + 3] for what, views in pictures.items()} for k, name in enumerate(names)}
    return scene, by_camera, labels_of(path, (0,))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["front", "lens", "rider"])
def test_every_kind_of_geom_and_camera_agrees_with_mujocos_renderer(everything, name):
    scene, pictures, geom_instance = everything
    same, errors = agreement(scene, name, [0, 1, 2], pictures[name], geom_instance)
    assert len(np.unique(pictures[name]["geom"])) >= 6  # the views show most of the geoms
    assert same >= 0.995
    assert np.mean(errors < 1e-4) >= 0.995


@pytest.mark.slow
def test_an_orthographic_camera_sees_what_mujocos_renderer_draws(everything):
    scene, pictures, geom_instance = everything
    camera = scene.camera("plan")
    assert camera.projection == "orthographic"
    assert camera.intrinsics[0].tolist() == [[48, 0, 80], [0, 48, 60], [0, 0, 1]]  # pixels per metre
    views = zip(ours(scene, "plan", [0, 1, 2]), pictures["plan"]["geom"], strict=True)
    same = [picture.ids == instances_of_geoms(geoms, geom_instance) for picture, geoms in views]
    assert len(np.unique(pictures["plan"]["geom"])) >= 6
    assert np.mean(same) >= 0.99


WALKED_FAR = """
<mujoco>
  <worldbody>
    <light pos="0 0 3"/>
    <geom name="floor" type="plane" size="0 0 0.05"/>
    <body name="robot" pos="0 0 0.3">
      <freejoint/>
      <geom type="box" size="0.2 0.1 0.1"/>
      <camera name="chase" mode="track" pos="0 -1.5 0.6" xyaxes="1 0 0 0 0.35 0.95"/>
    </body>
    <body name="head" pos="0.4 0.8 0.5">
      <geom type="sphere" size="0.1"/>
      <camera name="eye" xyaxes="0 -1 0 0.3 0 0.95" fovy="80"/>
    </body>
  </worldbody>
</mujoco>
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chase", "eye"])
def test_floors_reach_every_horizon_and_eyes_see_out_of_their_heads(tmp_path, name):
    path = tmp_path / "walk.xml"
    path.write_text(WALKED_FAR)
    away = [0.0, 20.0, 40.0]  # at some 60 m MuJoCo itself no longer draws the floor
    qpos = np.array([[x, 0, 0.3, 1, 0, 0, 0] for x in away])
    scene = load_mujoco(path, states=qpos, size=(120, 160))
    nothing = np.zeros((0, 4, 4))
    near = scene.cameras[0].near
    pictures = mujoco_pictures(tmp_path, path, qpos, nothing, nothing, (120, 160), near, names=[name] * len(qpos))
    same, errors = agreement(scene, name, [0, 1, 2], pictures, labels_of(path, (0,)))
    assert same >= 0.98 and np.median(errors) < 1e-4  # the far plane of MuJoCo's cameras cuts a row of pixels off


TEXTURED = """
<mujoco>
  <statistic extent="2" center="0 0 0"/>
  <visual><headlight active="0"/><map znear="0.02"/></visual>
  <asset>
    <texture name="chart" type="2d" file="chart.png"/>
    <texture name="dice" type="cube" builtin="gradient" rgb1="1 0.2 0.2" rgb2="0.2 0.2 1" width="64" height="64"/>
    <texture name="crate" type="cube" file="chart.png" gridsize="1 1"/>
    <material name="chart" texture="chart" emission="1"/>
    <material name="tiled" texture="chart" emission="1" texrepeat="3 2"/>
    <material name="metric" texture="chart" emission="1" texrepeat="4 4" texuniform="true"/>
    <material name="dice" texture="dice" emission="1"/>
    <material name="crate" texture="crate" emission="1"/>
    <mesh name="own" vertex="-0.4 -0.4 0  0.4 -0.4 0  0.4 0.4 0  -0.4 0.4 0  0 0 -0.5"
          face="0 1 2  0 2 3  1 0 4  2 1 4  3 2 4  0 3 4" texcoord="0 0  1 0  1 1  0 1  0.5 0.5"/>
    <mesh name="bare" vertex="-0.4 -0.4 0  0.4 -0.4 0  0.4 0.4 0  -0.4 0.4 0  0 0 -0.5"
          face="0 1 2  0 2 3  1 0 4  2 1 4  3 2 4  0 3 4"/>
    <hfield name="slope" nrow="2" ncol="2" size="0.4 0.4 0.2 0.05" elevation="0 0 1 1"/>
  </asset>
  <worldbody>
    {bodies}
  </worldbody>
</mujoco>
"""


GEOMS = [
    '<geom type="plane" size="0.5 0.4 0.1" material="chart"/>',
    '<geom type="plane" size="0.5 0.4 0.1" material="tiled"/>',
    '<geom type="plane" size="0.5 0.4 0.1" material="metric"/>',
    '<geom type="plane" size="0 0 0.1" material="tiled"/>',
    '<geom type="box" size="0.5 0.4 0.1" material="chart" euler="20 0 0"/>',
    '<geom type="box" size="0.5 0.4 0.3" material="chart" euler="200 20 0"/>',
    '<geom type="box" size="0.4 0.4 0.4" material="tiled" euler="60 50 30"/>',
    '<geom type="box" size="0.4 0.4 0.4" material="tiled" euler="-60 -50 30"/>',
    '<geom type="box" size="0.5 0.4 0.3" material="tiled" euler="0 -30 0"/>',
    '<geom type="sphere" size="0.5" material="chart" euler="30 0 0"/>',
    '<geom type="cylinder" size="0.4 0.5" material="tiled" euler="60 0 0"/>',
    '<geom type="cylinder" size="0.4 0.5" material="chart" euler="120 0 20"/>',
    '<geom type="capsule" size="0.3 0.2" material="chart" euler="60 30 0"/>',
    '<geom type="mesh" mesh="own" material="chart"/>',
    '<geom type="mesh" mesh="own" material="tiled"/>',
    '<geom type="mesh" mesh="bare" material="chart"/>',
    '<geom type="hfield" hfield="slope" material="chart"/>',
    '<geom type="box" size="0.4 0.3 0.3" material="dice" euler="30 20 10"/>',
    '<geom type="box" size="0.4 0.3 0.3" material="crate" euler="30 20 10"/>',
]


@pytest.fixture(scope="module")
def textured(tmp_path_factory):
    """A scene with one camera above each of many textured geoms, and MuJoCo's pictures of them."""
    folder = tmp_path_factory.mktemp("textured")
    chart = np.zeros((64, 64, 3), np.uint8)
    y, x = np.mgrid[:64, :64]
    chart[..., 0], chart[..., 1], chart[..., 2] = 40 + 3 * x, 40 + 3 * y, 128
    Image.fromarray(chart).save(folder / "chart.png")
    eye = '<camera name="eye{k}" pos="0 0 2" xyaxes="1 0 0 0 1 0" fovy="45"/>'
    bodies = "".join(f'<body pos="{10 * k} 0 {-5 * k}">{eye.format(k=k)}{geom}</body>' for k, geom in enumerate(GEOMS))
    path = folder / "textured.xml"
    path.write_text(TEXTURED.format(bodies=bodies))
    scene = load_mujoco(path, size=(96, 96))
    names = [camera.name for camera in scene.cameras]
    nothing = np.zeros((0, 4, 4))
    qpos = np.zeros((len(names), 0))
    near = scene.cameras[0].near
    pictures = mujoco_pictures(folder, path, qpos, nothing, nothing, (96, 96), near, rgb=True, names=names)
    return scene, pictures["rgb"]


@pytest.mark.slow
@pytest.mark.parametrize("k", range(len(GEOMS)), ids=[geom[6:-2] for geom in GEOMS])
def test_textures_lie_where_mujoco_puts_them(textured, k):
    scene, pictures = textured
    found = Eyes(scene).fragments(scene.camera(f"eye{k}"), 0)
    depth = found.depth.numpy()
    seen = (depth > 0) & (depth < 4)  # not the endless plane behind
    inside = seen & np.roll(seen, 2, 0) & np.roll(seen, -2, 0) & np.roll(seen, 2, 1) & np.roll(seen, -2, 1)
    assert inside.sum() > 500
    off = np.abs(_texels(scene, found).astype(int) - pictures[k]).max(axis=-1)[inside]
    assert np.median(off) <= 8
    assert np.mean(off <= 24) >= 0.9  # the rest are seams, where pixels of a repeating texture blend


def _texels(scene: Scene, found) -> np.ndarray:
    """The nearest texel of every pixel."""
    triangles = triangles_of(scene)
    uv = np.einsum("hwcd,chw->hwd", triangles.uv[found.face.clamp(min=0).numpy()], found.barycentrics.numpy())
    part = triangles.face_part[found.face.clamp(min=0).numpy()]
    out = np.zeros((*part.shape, 3), np.uint8)
    for k, p in enumerate(scene.parts):
        image = scene.meshes[p.mesh].material.texture
        assert image is not None
        height, width = image.shape[:2]
        column = (np.floor(uv[..., 0] * width).astype(int)) % width
        row = (np.floor((1 - uv[..., 1]) * height).astype(int)) % height
        out = np.where((part == k)[..., None], image[row, column, :3], out)
    return out
