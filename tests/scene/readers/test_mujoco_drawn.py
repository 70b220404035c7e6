"""Skins, flexes, tendons and sites have the surfaces that MuJoCo's own viewer gives them; no OpenGL is needed here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sim2real.errors import UnknownNameError
from sim2real.scene import LoadOptions, Mesh, Scene, load
from sim2real.scene.colors import linear_from_srgb
from sim2real.scene.moving_vertices import MovingVertices
from sim2real.scene.primitives import capsule
from sim2real.scene.readers.mujoco.drawn.tubes import THICK_RINGS, THICK_SLICES
from sim2real.scene.readers.mujoco.model import load_mujoco
from sim2real.scene.triangles import face_normals

mujoco = pytest.importorskip("mujoco")

SKIN = """
<mujoco>
  <asset>
    <texture name="chart" type="2d" file="chart.png"/>
    <material name="chart" texture="chart" rgba="1 0.5 0.25 1"/>
  </asset>
  <worldbody>
    <body name="arm" pos="0 0 1">
      <joint type="ball"/><geom type="sphere" size="0.1"/>
      <body name="hand" pos="0 0 0.5"><joint type="hinge" axis="1 0 0"/><geom type="sphere" size="0.1"/></body>
    </body>
  </worldbody>
  <deformable>
    <skin name="sleeve" inflate="{inflate}" material="chart" vertex="0 0 0 0.3 0 0 0.3 0 1 0 0.1 1 0 0.4 0.5"
          texcoord="0 0 1 0 1 1 0 1 0.5 0.5" face="0 1 2 0 2 3 0 3 4">
      <bone body="arm" bindpos="0.1 0 0" bindquat="0.9 0.1 0.2 0.3" vertid="0 1 2 4" vertweight="1 2 1 0.5"/>
      <bone body="hand" bindpos="0 0.2 0.6" bindquat="1 0 0 0.4" vertid="2 3 4" vertweight="1 1 1.5"/>
    </skin>
  </deformable>
</mujoco>
"""
FLEX = """
<mujoco>
  <asset>
    <texture name="chart" type="2d" file="chart.png"/><material name="chart" texture="chart" rgba="1 0.5 0.25 1"/>
  </asset>
  <worldbody>
    <geom type="plane" size="3 3 0.1"/>
    {flexes}
  </worldbody>
</mujoco>
"""
CLOTH = """<flexcomp name="cloth" type="grid" dim="2" count="4 3 1" spacing="0.1 0.1 0.1" pos="0 0 0.6" {}/>"""
JELLY = """<flexcomp name="jelly" type="grid" dim="3" count="3 4 3" spacing="0.1 0.1 0.1" pos="1 0 0.6" radius="{}"/>"""
ROPE = """<flexcomp name="rope" type="grid" dim="1" count="6 1 1" spacing="0.1 0.1 0.1" pos="-1 0 0.6" radius="0.02"/>"""
CABLES = """
<mujoco>
  {option}
  <worldbody>
    <site name="a" pos="-0.6 0 1.2"/><site name="c" pos="1 0 2"/><site name="d" pos="1.5 0 2"/>
    <geom name="drum" type="{drum}" size="0.2 0.2" pos="-0.3 0.05 0.8" euler="90 0 0"/><site name="side" pos="-0.3 -0.3 0.8"/>
    <body name="load" pos="0 0 0.5">
      <freejoint/>
      <geom type="box" size="0.15 0.15 0.1"/>
      <site name="b" pos="0 0 0.1"/><site name="e" pos="0.1 0 0.1"/>
      <body name="hook" pos="0 0 -0.3">
        <joint type="slide" axis="0 0 1"/><geom type="box" size="0.05 0.05 0.05"/><site name="f"/>
      </body>
    </body>
  </worldbody>
  <tendon>{tendons}</tendon>
  {more}
</mujoco>
"""
STRAIGHT = '<spatial name="cable" width="0.03" rgba="0.9 0.2 0.2 1"><site site="a"/><site site="b"/></spatial>'
WRAPPED = '<spatial name="belt" width="0.02"><site site="a"/><geom geom="drum" sidesite="side"/><site site="b"/></spatial>'
PULLEY = """<spatial name="hoist" width="0.01"><site site="a"/><site site="b"/><pulley divisor="2"/>
  <site site="c"/><site site="e"/><site site="d"/></spatial>"""
SLACK = '<spatial name="rope" width="0.02" limited="true" range="0 {}"><site site="a"/><site site="b"/></spatial>'
INNER = '<spatial name="muscle"><site site="b"/><site site="f"/></spatial>'


def written(folder: Path, text: str) -> Path:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / "chart.png")
    path = folder / "model.xml"
    path.write_text(text)
    return path


def states_of(path: Path, count: int = 4, spread: float = 0.1, seed: int = 0) -> np.ndarray:
    """The reference pose, and others around it."""
    model = mujoco.MjModel.from_xml_path(str(path))
    rows = np.tile(model.qpos0, (count, 1))
    rows[1:] += np.random.default_rng(seed).normal(scale=spread, size=(count - 1, model.nq))
    return rows


class Viewer:
    """What MuJoCo's viewer makes of a model's states, frame by frame."""

    def __init__(self, path: Path, rows: np.ndarray) -> None:
        self.model = mujoco.MjModel.from_xml_path(str(path))
        self.data = mujoco.MjData(self.model)
        self.scene = mujoco.MjvScene(self.model, 1000)
        self._rows = rows

    def __iter__(self):
        for k, row in enumerate(self._rows):
            self.data.qpos[:] = row
            mujoco.mj_fwdPosition(self.model, self.data)
            options, every = mujoco.MjvOption(), int(mujoco.mjtCatBit.mjCAT_ALL)
            camera, nothing = mujoco.MjvCamera(), mujoco.MjvPerturb()
            mujoco.mjv_updateScene(self.model, self.data, options, nothing, camera, every, self.scene)
            yield k

    def skin(self) -> np.ndarray:
        return np.array(self.scene.skinvert).reshape(-1, 3)

    def faces(self, flex: int) -> np.ndarray:
        first, count = int(self.scene.flexfaceadr[flex]), int(self.scene.flexfaceused[flex])
        return np.array(self.scene.flexface).reshape(-1, 3, 3)[first : first + count]

    def tubes(self) -> np.ndarray:
        """Start, end and radius of every piece of a tendon."""
        kind = int(mujoco.mjtObj.mjOBJ_TENDON)
        found = [g for g in self.scene.geoms[: self.scene.ngeom] if int(g.objtype) == kind]
        halves = [np.array(g.mat)[:, 2] * g.size[2] for g in found]
        return np.array([[*(g.pos - half), *(g.pos + half), g.size[0]] for g, half in zip(found, halves, strict=True)])


def mesh_of(scene: Scene, name: str) -> Mesh:
    (mesh,) = meshes_of(scene, name)
    return mesh


def meshes_of(scene: Scene, name: str) -> list[Mesh]:
    number = [instance.name for instance in scene.instances].index(name)
    assert (scene.world_from_instance[:, number] == np.eye(4)).all()
    return [scene.meshes[part.mesh] for part in scene.parts if part.instance == number]


def deformed(mesh: Mesh, frame: int) -> np.ndarray:
    assert mesh.deformed is not None
    return mesh.deformed[frame].astype(np.float64)


def class_of(scene: Scene, name: str) -> str:
    return next(instance.class_name for instance in scene.instances if instance.name == name)


@pytest.mark.parametrize("inflate", [0, 0.05])
def test_skins_follow_their_bones_as_in_mujocos_viewer(tmp_path, inflate):
    path = written(tmp_path, SKIN.format(inflate=inflate))
    rows = states_of(path, spread=0.7)
    scene = load_mujoco(path, states=rows)
    mesh, viewer = mesh_of(scene, "sleeve"), Viewer(path, rows)
    for frame in viewer:
        np.testing.assert_allclose(deformed(mesh, frame), viewer.skin(), atol=1e-6)
    assert class_of(scene, "sleeve") == "arm"
    assert np.abs(deformed(mesh, 1) - deformed(mesh, 2)).max() > 0.1


def test_a_skin_has_the_texture_and_color_of_its_material(tmp_path):
    mesh = mesh_of(load_mujoco(written(tmp_path, SKIN.format(inflate=0))), "sleeve")
    points = np.array([[0, 1], [1, 1], [1, 0], [0, 0], [0.5, 0.5]])  # v up
    assert mesh.uv is not None
    np.testing.assert_allclose(mesh.uv, points[[[0, 1, 2], [0, 2, 3], [0, 3, 4]]], atol=1e-7)
    assert mesh.material.texture is not None and mesh.material.texture.shape == (8, 8, 3)
    np.testing.assert_allclose(mesh.material.base_color[:3], linear_from_srgb(np.array([1, 0.5, 0.25])), atol=1e-6)


@pytest.mark.parametrize("radius", [0.01, 0.03])
def test_cloth_has_two_sides_and_a_rim_as_in_mujocos_viewer(tmp_path, radius):
    path = written(tmp_path, FLEX.format(flexes=CLOTH.format(f'radius="{radius}"')))
    rows = states_of(path, spread=0.03)
    mesh, viewer = mesh_of(load_mujoco(path, states=rows), "cloth"), Viewer(path, rows)
    elements = int(viewer.model.flex_elemnum[0])
    top, bottom = np.arange(elements), elements + np.arange(elements)
    faces = np.concatenate([np.stack([top, bottom], axis=1).ravel(), np.arange(2 * elements, len(mesh.faces))])
    for frame in viewer:
        ours, theirs = deformed(mesh, frame)[mesh.faces[faces]], viewer.faces(0)
        assert len(ours) == len(theirs)
        ours[1 : 2 * elements : 2] = np.roll(ours[1 : 2 * elements : 2, :, :], 1, axis=1)  # they begin at another corner
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
        middle = deformed(mesh, frame).reshape(2, -1, 3).mean(axis=0)
        np.testing.assert_allclose(middle, viewer.data.flexvert_xpos, atol=1e-6)


def test_thin_cloth_is_one_sheet_that_is_seen_from_both_sides(tmp_path):
    path = written(tmp_path, FLEX.format(flexes=CLOTH.format('radius="0"')))
    scene = load_mujoco(path)
    mesh = mesh_of(scene, "cloth")
    model = mujoco.MjModel.from_xml_path(str(path))
    assert len(mesh.faces) == model.nflexelem and not mesh.outside_only
    assert class_of(scene, "cloth") == "cloth"


@pytest.mark.parametrize("radius", [0, 0.02])
def test_soft_solids_are_their_pushed_out_surface(tmp_path, radius):
    path = written(tmp_path, FLEX.format(flexes=JELLY.format(radius)))
    rows = states_of(path, spread=0.02)
    mesh, viewer = mesh_of(load_mujoco(path, states=rows), "jelly"), Viewer(path, rows)
    for frame in viewer:
        np.testing.assert_allclose(deformed(mesh, frame)[mesh.faces], viewer.faces(0), atol=1e-6)
    rest = np.asarray(mesh.vertices)
    outward = (rest[mesh.faces].mean(axis=1) - rest[mesh.faces].mean(axis=(0, 1))) * face_normals(rest, mesh.faces)
    assert (outward.sum(axis=1) > 0).all()


def test_cables_are_tubes_between_their_vertices(tmp_path):
    path = written(tmp_path, FLEX.format(flexes=ROPE))
    rows = states_of(path, spread=0.05)
    mesh, viewer = mesh_of(load_mujoco(path, states=rows), "rope"), Viewer(path, rows)
    for frame in viewer:
        place, edges = viewer.data.flexvert_xpos, viewer.model.flex_edge
        tubes = deformed(mesh, frame).reshape(len(edges), -1, 3)
        for tube, (a, b) in zip(tubes, edges, strict=True):
            np.testing.assert_allclose(distance_to_segment(tube, place[a], place[b]), 0.02, atol=1e-6)


def distance_to_segment(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    along = b - a
    at = np.clip((points - a) @ along / max(float(along @ along), 1e-30), 0, 1)
    return np.linalg.norm(points - a - at[:, None] * along, axis=1)


def test_flexes_that_hang_on_one_tree_are_of_its_class_and_keep_their_own_name(tmp_path):
    cloth = CLOTH.replace("{}/>", '><pin id="0"/></flexcomp>')
    body = f'<body name="robot" pos="0 0 1"><freejoint/><geom size="0.1"/>{cloth}</body>'
    scene = load_mujoco(written(tmp_path, FLEX.format(flexes=body)))
    assert class_of(scene, "cloth") == "robot"


def test_several_flexes_have_surfaces_of_their_own(tmp_path):
    path = written(tmp_path, FLEX.format(flexes=CLOTH.format('radius="0.01"') + JELLY.format(0.01) + ROPE))
    scene = load_mujoco(path)
    assert [instance.name for instance in scene.instances] == ["geom_0", "cloth", "jelly", "rope"]
    viewer = Viewer(path, states_of(path, 1))
    for _ in viewer:
        jelly = mesh_of(scene, "jelly")
        np.testing.assert_allclose(deformed(jelly, 0)[jelly.faces], viewer.faces(1), atol=1e-6)
    assert mesh_of(scene, "cloth").vertices[:, 0].max() < 0.5 < mesh_of(scene, "jelly").vertices[:, 0].min()
    assert mesh_of(scene, "rope").vertices[:, 0].max() < -0.5


def test_cloth_has_the_texture_of_its_material(tmp_path):
    path = written(tmp_path, FLEX.format(flexes=CLOTH.format('radius="0.01" material="chart"')))
    mesh, model = mesh_of(load_mujoco(path), "cloth"), mujoco.MjModel.from_xml_path(str(path))
    assert mesh.material.texture is not None
    own = np.array(model.flex_elemtexcoord).reshape(-1, 3)
    points = np.asarray(model.flex_texcoord, np.float64) * [1, -1] + [0, 1]
    assert mesh.uv is not None
    np.testing.assert_allclose(mesh.uv[: len(own)], points[own], atol=1e-7)
    np.testing.assert_allclose(mesh.uv[len(own) : 2 * len(own)], points[own[:, ::-1]], atol=1e-7)


def tubes_of(mesh: Mesh, frame: int, count: int) -> np.ndarray:
    return deformed(mesh, frame).reshape(count, -1, 3)


def cables(folder: Path, *tendons: str, **more: str) -> Path:
    told = {"drum": "cylinder", "option": "", "more": "", **more}
    return written(folder, CABLES.format(tendons="".join(tendons), **told))


def loads(path: Path, count: int = 12, spread: float = 0.4) -> np.ndarray:
    return states_of(path, count, spread)


@pytest.mark.parametrize(
    ("tendon", "tubes"), [(STRAIGHT, 1), (PULLEY, 3), (INNER, 1)], ids=["straight", "with a pulley", "within a tree"]
)
def test_tendons_are_tubes_where_mujocos_viewer_draws_them(tmp_path, tendon, tubes):
    path = cables(tmp_path, tendon)
    rows = loads(path)
    scene = load_mujoco(path, states=rows)
    name = scene.instances[-1].name
    viewer = Viewer(path, rows)
    for frame in viewer:
        ours = tubes_of(mesh_of(scene, name), frame, tubes)
        for tube, (*ends, radius) in zip(ours, viewer.tubes(), strict=True):
            np.testing.assert_allclose(distance_to_segment(tube, np.array(ends[:3]), np.array(ends[3:])), radius, atol=1e-6)
    assert class_of(scene, name) == ("load" if tendon == INNER else name)


@pytest.mark.parametrize("drum", ["sphere", "cylinder"])
def test_tendons_lie_on_the_geoms_that_they_are_wrapped_around(tmp_path, drum):
    path = cables(tmp_path, WRAPPED, drum=drum)
    rows = loads(path, 30)
    mesh, viewer = mesh_of(load_mujoco(path, states=rows), "belt"), Viewer(path, rows)
    wrapped = 0
    for frame in viewer:
        points, wraps = deformed(mesh, frame), int(viewer.data.ten_wrapnum[0]) == 4
        center, axis = viewer.data.geom("drum").xpos, viewer.data.geom("drum").xmat.reshape(3, 3)[:, 2]
        away = points - center
        away = away - (away @ axis)[:, None] * axis if drum == "cylinder" else away
        theirs = viewer.tubes()
        nearest = np.min([distance_to_segment(points, t[:3], t[3:6]) for t in theirs], axis=0)
        assert nearest.max() <= 0.02 + 1e-3
        assert max(np.linalg.norm(points - t[3:6], axis=1).min() for t in theirs) <= 0.025
        if wraps:
            wrapped += 1
            assert np.linalg.norm(away, axis=1).min() == pytest.approx(0.18, abs=2e-3)  # less its own radius
        length = np.linalg.norm(np.diff(centers(points), axis=0), axis=1).sum()
        assert length == pytest.approx(float(viewer.data.ten_length[0]), rel=2e-3)
    assert 5 < wrapped < 30


def centers(points: np.ndarray) -> np.ndarray:
    """The joints of a chain of tubes: middles of the rings at their ends."""
    unit = capsule(1.0, 1.0, segments=THICK_SLICES, rings=THICK_RINGS).vertices
    tubes = points.reshape(-1, len(unit), 3)
    rims = [tubes[:, np.abs(unit[:, 2] - side) < 1e-9].mean(axis=1) for side in (-1, 1)]
    return np.concatenate([rims[0], rims[1][-1:]])


def test_slack_tendons_hang_and_taut_ones_do_not(tmp_path):
    path = cables(tmp_path, SLACK.format(1.5))
    rows = np.tile(states_of(path, 1), (3, 1))
    rows[1, :3], rows[2, :3] = [0.5, 0, 1], [1.5, 0, 1.1]
    viewer, mesh = Viewer(path, rows), mesh_of(load_mujoco(path, states=rows), "rope")
    counts = []
    for frame in viewer:
        theirs = viewer.tubes()
        counts.append(len(theirs))
        points = deformed(mesh, frame)
        nearest = np.min([distance_to_segment(points, t[:3], t[3:6]) for t in theirs], axis=0)
        assert nearest.max() <= 0.02 + 1e-6
        np.testing.assert_allclose(points[:, 2].min(), theirs[:, [2, 5]].min() - 0.02, atol=2e-3)
    assert counts[0] > 10 and counts[2] == 1


def test_tubes_turn_with_their_segment_and_do_not_spin(tmp_path):
    path = cables(tmp_path, STRAIGHT)
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    rows = np.tile(states_of(path, 1), (60, 1))
    rows[:, :2] = [-0.6, 0] + 0.05 * np.stack([np.cos(angles), np.sin(angles)], axis=1)  # straight below, and around that
    mesh = mesh_of(load_mujoco(path, states=rows), "cable")
    assert mesh.deformed is not None
    steps = np.linalg.norm(np.diff(mesh.deformed, axis=0), axis=-1)
    assert steps.max() < 0.01


def test_sites_are_shown_on_request_on_the_body_that_carries_them(tmp_path):
    path = cables(tmp_path, STRAIGHT)
    rows = loads(path, 3)
    assert not any(instance.name in "abcdef" for instance in load_mujoco(path, states=rows).instances)
    scene = load_mujoco(path, states=rows, show=("sites",))
    names = [instance.name for instance in scene.instances]
    assert {"a", "b", "c", "d", "e", "f", "side"} < set(names) and "cable" not in names
    assert class_of(scene, "b") == "load" and class_of(scene, "a") == "a"
    viewer = Viewer(path, rows)
    part = next(part for part in scene.parts if scene.instances[part.instance].name == "f")
    for frame in viewer:
        place = scene.world_from_instance[frame, part.instance] @ part.instance_from_mesh
        np.testing.assert_allclose(place[:3, 3], viewer.data.site("f").xpos, atol=1e-12)
        np.testing.assert_allclose(place[:3, :3].ravel(), viewer.data.site("f").xmat, atol=1e-12)


@pytest.mark.parametrize("show", ["sites,tendons", ("tendons", "sites"), ["sites", "tendons"], "sites, tendons"])
def test_what_is_shown_may_be_said_in_any_usual_way(tmp_path, show):
    names = [instance.name for instance in load(cables(tmp_path, STRAIGHT), show=show).instances]
    assert "cable" in names and "a" in names


def test_unknown_kinds_list_those_that_there_are(tmp_path):
    with pytest.raises(UnknownNameError, match="'site'.*did you mean 'sites'.*skins, flexes, tendons, sites, none"):
        load_mujoco(cables(tmp_path, STRAIGHT), show=("site",))


def test_a_model_of_cloth_alone_is_a_scene(tmp_path):
    path = tmp_path / "model.xml"
    path.write_text(f"<mujoco><worldbody>{CLOTH.format('')}</worldbody></mujoco>")
    scene = load(path)
    assert [instance.name for instance in scene.instances] == ["cloth"]
    with pytest.raises(Exception, match="no geoms"):
        load(path, show="none")


def test_soft_bodies_are_made_frame_by_frame_with_the_same_bits_in_any_order(tmp_path):
    path = written(tmp_path, FLEX.format(flexes=CLOTH.format('radius="0.01"')))
    rows = states_of(path, 9)
    once, again = (load_mujoco(path, states=rows).meshes[-1].deformed for _ in range(2))
    assert isinstance(once, MovingVertices) and isinstance(again, MovingVertices) and len(once) == 9
    forth = {frame: once[frame].copy() for frame in range(9)}
    for frame in (8, 0, 4, 8):
        assert np.array_equal(again[frame], forth[frame])
    assert not np.array_equal(forth[0], forth[8])


def test_the_hash_follows_what_is_shown_and_nothing_that_is_not(tmp_path):
    def digest(text: str, **options: Any) -> str:
        return load_mujoco(written(tmp_path, text), **options).sha256

    plain, cloth = FLEX.format(flexes=""), FLEX.format(flexes=CLOTH.format('radius="0.01"'))
    thick = FLEX.format(flexes=CLOTH.format('radius="0.02"'))
    assert len({digest(plain), digest(cloth), digest(thick), digest(cloth, show="none")}) == 4
    assert digest(cloth, show="none") == digest(thick, show="none")
    sleeve = SKIN.format(inflate=0)
    assert digest(sleeve) != digest(sleeve.replace('bindpos="0.1', 'bindpos="0.2'))
    marks = '<site name="m" size="{}"/>'
    small, large = (FLEX.format(flexes=marks.format(size)) for size in (0.1, 0.2))
    assert digest(small) == digest(large) == digest(plain)
    assert digest(small, show="sites") != digest(large, show="sites")


def test_orbits_fit_what_deforms(tmp_path):
    path = written(tmp_path, f"<mujoco><worldbody>{CLOTH.format('')}</worldbody></mujoco>")
    rows = states_of(path, 3, 0.01)
    scene = load(path, LoadOptions(size=(48, 64)), states=rows)
    assert scene.cameras[0].name == "orbit" and scene.frames == 3
