"""Skins, flexes and tendons against MuJoCo's own renderer: which is seen in every pixel, how far, and in which colors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.mujoco_agreement import Eyes, inner
from sim2real.scene import Scene
from sim2real.scene.readers.mujoco.model import load_mujoco

from .mujoco_pictures import mujoco_pictures
from .test_mujoco_drawn import states_of
from .test_mujoco_renderer import _texels

mujoco = pytest.importorskip("mujoco")
pytestmark = pytest.mark.slow

SIZE = (120, 160)
MODEL = """
<mujoco>
  <statistic extent="2" center="0 0 0.5"/>
  <visual><map znear="0.02"/></visual>
  <worldbody>
    <light pos="0 0 3"/>
    <geom name="floor" type="plane" size="3 3 0.1"/>
    <camera name="front" pos="0 -2.2 1.4" xyaxes="1 0 0 0 0.45 0.9" fovy="50"/>
    <camera name="above" pos="0.3 -0.2 3" xyaxes="1 0 0 0 1 0" fovy="50"/>
    <flexcomp name="cloth" type="grid" dim="2" count="6 5 1" spacing="0.1 0.1 0.1" pos="0.5 -0.3 0.4" radius="0.03"/>
    <flexcomp name="jelly" type="grid" dim="3" count="4 4 4" spacing="0.1 0.1 0.1" pos="-0.6 -0.3 0.3" radius="0.02"/>
    <flexcomp name="rope" type="grid" dim="1" count="8 1 1" spacing="0.1 0.1 0.1" pos="0 0.6 0.6" radius="0.03"/>
    <geom name="drum" type="cylinder" size="0.15 0.2" pos="0 0.3 1" euler="90 0 0"/><site name="up" pos="0 0.3 1.4"/>
    <site name="a" pos="-0.8 0.3 0.9"/><site name="b" pos="0.8 0.3 0.9"/>
    <body name="arm" pos="-0.2 -0.4 0.2">
      <joint type="hinge" axis="1 0 0"/><geom type="sphere" size="0.05"/>
      <body name="hand" pos="0 0 0.4"><joint type="hinge" axis="0 1 0"/><geom type="sphere" size="0.05"/></body>
    </body>
  </worldbody>
  <tendon><spatial name="belt" width="0.03"><site site="a"/><geom geom="drum" sidesite="up"/><site site="b"/></spatial></tendon>
  <deformable>
    <skin name="sleeve" vertex="-0.3 0 0 0.3 0 0 0.3 0 0.6 -0.3 0 0.6 0 -0.2 0.3" face="0 1 4 1 2 4 2 3 4 3 0 4" inflate="0.02">
      <bone body="arm" bindpos="0 0 0" bindquat="1 0 0 0" vertid="0 1 4" vertweight="1 1 1"/>
      <bone body="hand" bindpos="0 0 0.4" bindquat="1 0 0 0" vertid="2 3 4" vertweight="1 1 1"/>
    </skin>
  </deformable>
</mujoco>
"""
CHART = """
<mujoco>
  <statistic extent="2" center="0 0 0"/>
  <visual><headlight active="0"/><map znear="0.02"/></visual>
  <asset>
    <texture name="chart" type="2d" file="chart.png"/><material name="chart" texture="chart" emission="1" {repeat}/>
  </asset>
  <worldbody>
    <camera name="eye" pos="0 0 2" xyaxes="1 0 0 0 1 0" fovy="45"/>
    <body name="bone" pos="0 0 -1"><geom type="sphere" size="0.01"/></body>
    {flex}
  </worldbody>
  {skin}
</mujoco>
"""
FLEX = """<flexcomp name="thing" type="grid" dim="2" count="5 5 1" spacing="0.25 0.25 0.1" radius="0.01" material="chart"/>"""
SKIN = """<deformable><skin name="thing" material="chart" vertex="-0.5 -0.5 0 0.5 -0.5 0 0.5 0.5 0 -0.5 0.5 0"
  texcoord="0 0 1 0 1 1 0 1" face="0 1 2 0 2 3">
  <bone body="bone" bindpos="0 0 -1" bindquat="1 0 0 0" vertid="0 1 2 3" vertweight="1 1 1 1"/></skin></deformable>"""


def instances_of(kinds: np.ndarray, scene: Scene, model: object) -> np.ndarray:
    """Our instance ids of a picture of numbers and kinds."""
    names = [instance.name for instance in scene.instances]
    out = np.zeros(kinds.shape[:2], int)
    for number, kind in np.unique(kinds.reshape(-1, 2), axis=0):
        if number >= 0:
            geom = int(kind) == int(mujoco.mjtObj.mjOBJ_GEOM)
            body = int(model.geom_bodyid[number]) if geom else 0  # pyright: ignore[reportAttributeAccessIssue]
            what = (int(mujoco.mjtObj.mjOBJ_BODY), body) if body else (int(kind), int(number))
            out[(kinds == [number, kind]).all(axis=-1)] = names.index(mujoco.mj_id2name(model, *what)) + 1
    return out


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    path = folder / "drawn.xml"
    path.write_text(MODEL)
    rows = states_of(path, 3, 0.02)
    model = mujoco.MjModel.from_xml_path(str(path))
    rows[1:, -2:] = [[0.5, 0.4], [-0.4, -0.6]]
    scene = load_mujoco(path, states=rows, size=SIZE)
    names = [name for name in ("front", "above") for _ in rows]
    nothing, near = np.zeros((0, 4, 4)), scene.cameras[0].near
    pictures = mujoco_pictures(folder, path, np.tile(rows, (2, 1)), nothing, nothing, SIZE, near, names=names)
    return scene, model, pictures


@pytest.mark.parametrize("name", ["front", "above"])
def test_what_deforms_is_seen_where_mujocos_renderer_draws_it(drawn, name):
    scene, model, pictures = drawn
    eyes, first = Eyes(scene), 0 if name == "front" else scene.frames
    seen: set[str] = set()
    for frame in range(scene.frames):
        ours = eyes.picture(scene.camera(name), frame)
        theirs = instances_of(pictures["kinds"][first + frame], scene, model)
        inside = inner(theirs)
        same = ours.ids == theirs
        assert same[inside].mean() >= 0.995
        both, depth = inside & same & (theirs > 0), pictures["depth"][first + frame]
        assert np.mean(np.abs(ours.depth - depth)[both] < 2e-3 * depth[both]) >= 0.995
        seen |= {scene.instances[k - 1].name for k in np.unique(theirs[both]) if (theirs[both] == k).sum() > 20}
    thin = {"rope"} if name == "above" else set[str]()  # from the front it has no inner pixels
    assert {"cloth", "jelly", "belt", "sleeve", "floor"} | thin <= seen


@pytest.mark.parametrize("repeat", ["", 'texrepeat="3 2"', 'texrepeat="3 2" texuniform="true"'])
@pytest.mark.parametrize("kind", ["flex", "skin"])
def test_textures_lie_where_mujoco_puts_them(tmp_path, kind, repeat):
    y, x = np.mgrid[:64, :64]
    chart = np.stack([40 + 3 * x, 40 + 3 * y, np.full_like(x, 128)], axis=-1).astype(np.uint8)
    Image.fromarray(chart).save(tmp_path / "chart.png")
    path: Path = tmp_path / "chart.xml"
    path.write_text(CHART.format(repeat=repeat, flex=FLEX if kind == "flex" else "", skin=SKIN if kind == "skin" else ""))
    scene = load_mujoco(path, size=(96, 96))
    rows, nothing = states_of(path, 1), np.zeros((0, 4, 4))
    near = scene.cameras[0].near
    theirs = mujoco_pictures(tmp_path, path, rows, nothing, nothing, (96, 96), near, rgb=True, names=["eye"])["rgb"][0]
    (number,) = [k for k, instance in enumerate(scene.instances) if instance.name == "thing"]
    found = Eyes(scene).fragments(scene.camera("eye"), 0)
    only = tuple(part for part in scene.parts if part.instance == number)
    assert len(only) == 1
    texels = _texels_of(scene, found, only[0].mesh)
    seen = found.depth.numpy() > 1.9
    inside = seen & np.roll(seen, 2, 0) & np.roll(seen, -2, 0) & np.roll(seen, 2, 1) & np.roll(seen, -2, 1)
    assert inside.sum() > 500
    off = np.abs(texels.astype(int) - theirs).max(axis=-1)[inside]
    assert np.median(off) <= 8 and np.mean(off <= 24) >= 0.85


def _texels_of(scene: Scene, found, mesh: int) -> np.ndarray:
    """The nearest texel of every pixel; what has no texture has that of the thing."""
    from dataclasses import replace

    texture = scene.meshes[mesh].material.texture
    meshes = tuple(replace(m, material=replace(m.material, texture=texture)) for m in scene.meshes)
    return _texels(replace(scene, meshes=meshes), found)
