"""USD stages: units, time codes, ways, visibility, labels, instancing, and what is wrong in one line."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from sim2real.errors import BadValueError, EmptySceneError, MissingFileError, UnreadableFileError
from sim2real.scene import LoadOptions, load
from sim2real.scene.readers.reading import Reading
from sim2real.scene.readers.registry import read

pytest.importorskip("pxr")
from pxr import Gf, Kind, Sdf, Usd, UsdGeom, UsdPhysics, Vt  # noqa: E402

from .usd_stages import CUBE, add_mesh, move, new_stage, world_points  # noqa: E402


def at(x: float, y: float = 0.0, z: float = 0.0, scale: float = 1.0) -> np.ndarray:
    matrix = np.diag([scale, scale, scale, 1.0])
    matrix[:3, 3] = x, y, z
    return matrix


def as_read(path: Path, **reading):
    return read(path, Reading(**reading), {})


@pytest.fixture
def sliding(tmp_path) -> Path:
    """A cube that slides from 0 to 8 m between the codes 0 and 8, at 8 codes a second."""
    stage = new_stage(tmp_path / "a.usda", frames=(0, 8))
    stage.SetTimeCodesPerSecond(8)
    move(UsdGeom.Xform.Define(stage, "/World/cart"), {0.0: at(0), 8.0: at(8)})
    add_mesh(stage, "/World/cart/body")
    stage.Save()
    return tmp_path / "a.usda"


def test_every_time_code_is_a_frame_and_between_samples_usd_interpolates(sliding):
    scene = as_read(sliding)
    assert (scene.frames, scene.fps) == (9, 8.0)
    np.testing.assert_allclose(scene.world_from_instance[:, 0, 0, 3], np.arange(9), atol=1e-12)
    assert [(i.name, i.class_name) for i in scene.instances] == [("cart", "cart")]


def test_frames_strides_and_rates_are_heeded(sliding):
    scene = load(sliding, LoadOptions(frames=3, stride=2))
    assert (scene.frames, scene.fps) == (3, 4.0)
    np.testing.assert_allclose(scene.world_from_instance[:, 0, 0, 3], [0, 2, 4])
    assert load(sliding, LoadOptions(fps=30.0)).fps == 30.0
    with pytest.raises(BadValueError, match="1 to 9"):
        load(sliding, LoadOptions(frames=10))


def test_frames_per_second_say_how_many_time_codes_a_frame_is(tmp_path, sliding):
    stage = Usd.Stage.Open(str(sliding))
    stage.SetFramesPerSecond(16)
    stage.Export(str(tmp_path / "b.usda"))
    scene = as_read(tmp_path / "b.usda")
    assert (scene.frames, scene.fps) == (17, 16.0)
    np.testing.assert_allclose(scene.world_from_instance[:3, 0, 0, 3], [0, 0.5, 1])


def test_a_range_that_nobody_set_ends_with_the_samples(tmp_path, sliding):
    stage = Usd.Stage.Open(str(sliding))
    stage.SetEndTimeCode(1000000)
    stage.Export(str(tmp_path / "b.usda"))
    scene = as_read(tmp_path / "b.usda")
    assert scene.frames == 9 and any("after 8 are left out" in note for note in scene.notes)
    stage.SetEndTimeCode(16)
    stage.Export(str(tmp_path / "c.usda"))
    scene = as_read(tmp_path / "c.usda")
    assert scene.frames == 17
    np.testing.assert_allclose(scene.world_from_instance[8:, 0, 0, 3], 8)  # held


def test_a_stage_without_a_range_has_that_of_its_samples(tmp_path):
    stage = new_stage(tmp_path / "a.usda")
    move(add_mesh(stage, "/World/a"), {3.0: at(0), 6.0: at(3)})
    stage.Save()
    scene = as_read(tmp_path / "a.usda")
    assert scene.frames == 4
    np.testing.assert_allclose(scene.world_from_instance[:, 0, 0, 3], np.arange(4))


def test_a_stage_at_rest_is_circled_and_one_with_a_camera_is_a_picture(tmp_path):
    stage = new_stage(tmp_path / "a.usda", frames=(0, 1000000))
    add_mesh(stage, "/World/a")
    stage.Save()
    assert as_read(tmp_path / "a.usda").frames == 48
    assert load(tmp_path / "a.usda", LoadOptions(frames=5)).frames == 5
    UsdGeom.Camera.Define(stage, "/World/eye")
    stage.Save()
    assert as_read(tmp_path / "a.usda").frames == 1


@pytest.mark.parametrize(("unit", "metres"), [(1.0, 2.0), (0.001, 0.002), (None, 0.02)])
def test_lengths_are_metres(tmp_path, unit, metres):
    stage = new_stage(tmp_path / "a.usda", unit=unit)
    move(add_mesh(stage, "/World/a"), at(5))
    stage.Save()
    scene = as_read(tmp_path / "a.usda")
    points = world_points(scene, 0)
    np.testing.assert_allclose(np.ptp(points[..., 0]), metres)
    np.testing.assert_allclose(points[..., 0].mean(), 2.5 * metres)
    assert any("does not say its unit" in note for note in scene.notes) == (unit is None)
    asked = load(tmp_path / "a.usda", meters_per_unit=1.0)
    np.testing.assert_allclose(np.ptp(world_points(asked, 0)[..., 0]), 2.0)


def test_y_up_becomes_z_up(tmp_path):
    stage = new_stage(tmp_path / "a.usda", up="Y")
    move(add_mesh(stage, "/World/a"), at(1, 2, 3))
    stage.Save()
    scene = as_read(tmp_path / "a.usda")
    np.testing.assert_allclose(world_points(scene, 0).reshape(-1, 3).mean(axis=0), [1, -3, 2], atol=1e-6)
    assert any("y axis is up" in note for note in scene.notes)


def test_what_hangs_on_a_moving_prim_moves_along_and_a_child_that_moves_is_its_own_thing(tmp_path):
    stage = new_stage(tmp_path / "a.usda", frames=(0, 2))
    move(UsdGeom.Xform.Define(stage, "/World/arm"), {0.0: at(0), 2.0: at(2)})
    add_mesh(stage, "/World/arm/link")
    move(UsdGeom.Xform.Define(stage, "/World/arm/hand"), {0.0: at(0, 1), 2.0: at(0, 3)})
    add_mesh(stage, "/World/arm/hand/finger")
    add_mesh(stage, "/World/table")
    stage.Save()
    scene = as_read(tmp_path / "a.usda")
    assert [(i.name, i.class_name) for i in scene.instances] == [("arm", "arm"), ("hand", "arm"), ("table", "table")]
    np.testing.assert_allclose(scene.world_from_instance[:, 1, :3, 3], [[0, 1, 0], [1, 2, 0], [2, 3, 0]], atol=1e-12)
    np.testing.assert_allclose(world_points(scene, 2, "hand").reshape(-1, 3).mean(axis=0), [2, 3, 0], atol=1e-6)


def test_bodies_components_groups_and_clones_are_things_by_the_rule(tmp_path):
    stage = new_stage(tmp_path / "a.usda")
    add_mesh(stage, "/World/envs/env_0/Robot/link/visuals")
    UsdPhysics.RigidBodyAPI.Apply(stage.GetPrimAtPath("/World/envs/env_0/Robot/link"))
    add_mesh(stage, "/World/envs/env_0/Robot/base")
    for shelf in "ab":
        add_mesh(stage, f"/World/shop/shelf_{shelf}/board")
        add_mesh(stage, f"/World/shop/shelf_{shelf}/foot")
        Usd.ModelAPI(stage.GetPrimAtPath(f"/World/shop/shelf_{shelf}")).SetKind(Kind.Tokens.component)
    Usd.ModelAPI(stage.GetPrimAtPath("/World/shop")).SetKind(Kind.Tokens.group)
    add_mesh(stage, "/floor")
    stage.Save()
    found = [(i.name, i.class_name) for i in as_read(tmp_path / "a.usda").instances]
    assert found == [
        ("link", "Robot"),
        ("Robot", "Robot"),
        ("shelf_a", "shelf_a"),
        ("shelf_b", "shelf_b"),
        ("floor", "floor"),
    ]


def test_semantics_give_the_class_old_and_new_inherited_too(tmp_path):
    stage = new_stage(tmp_path / "a.usda")
    for name in ("new", "old"):
        add_mesh(stage, f"/World/{name}/part")
    labels = stage.GetPrimAtPath("/World/new").CreateAttribute("semantics:labels:class", Sdf.ValueTypeNames.TokenArray)
    labels.Set(["mug", "cup"])
    old = stage.GetPrimAtPath("/World/old")
    for suffix, value in (("Type", "class"), ("Data", "plate")):
        old.CreateAttribute(f"semantic:Semantics_a:params:semantic{suffix}", Sdf.ValueTypeNames.String).Set(value)
    old.CreateAttribute("semantic:Aside:params:semanticType", Sdf.ValueTypeNames.String).Set("material")
    old.CreateAttribute("semantic:Aside:params:semanticData", Sdf.ValueTypeNames.String).Set("steel")
    stage.Save()
    assert [(i.name, i.class_name) for i in as_read(tmp_path / "a.usda").instances] == [("new", "mug"), ("old", "plate")]


def test_visibility_is_sampled_and_inherited_and_purposes_are_heeded(tmp_path):
    stage = new_stage(tmp_path / "a.usda", frames=(0, 3))
    move(UsdGeom.Xform.Define(stage, "/World/a"), {0.0: at(0), 3.0: at(1)})
    add_mesh(stage, "/World/a/blinks")
    visibility = UsdGeom.Imageable(stage.GetPrimAtPath("/World/a")).CreateVisibilityAttr()
    visibility.Set("inherited", 0)
    visibility.Set("invisible", 2)
    add_mesh(stage, "/World/stays")
    add_mesh(stage, "/World/never").CreateVisibilityAttr("invisible")
    for purpose in ("render", "proxy", "guide"):
        add_mesh(stage, f"/World/{purpose}/part")
        UsdGeom.Imageable(UsdGeom.Xform.Define(stage, f"/World/{purpose}")).CreatePurposeAttr(purpose)
    stage.OverridePrim("/World/gone").SetActive(False)
    stage.Save()
    scene = as_read(tmp_path / "a.usda")
    assert [i.name for i in scene.instances] == ["a", "stays", "render"]
    assert scene.visible.T.tolist() == [[True, True, False, False], [True] * 4, [True] * 4]
    assert any("1 guide, 1 invisible, 1 proxy" in note for note in scene.notes)


def test_parts_of_a_thing_that_are_seen_at_other_times_are_instances_of_their_own(tmp_path):
    stage = new_stage(tmp_path / "a.usda", frames=(0, 1))
    add_mesh(stage, "/World/lamp/foot")
    blink = add_mesh(stage, "/World/lamp/bulb").CreateVisibilityAttr()
    blink.Set("inherited", 0)
    blink.Set("invisible", 1)
    stage.Save()
    scene = as_read(tmp_path / "a.usda")
    assert [i.name for i in scene.instances] == ["lamp", "lamp_2"]
    assert scene.visible.tolist() == [[True, True], [True, False]]


def test_native_instances_share_their_mesh_and_are_things_of_their_own(tmp_path):
    asset = new_stage(tmp_path / "bolt.usda")
    add_mesh(asset, "/World/part")
    asset.Save()
    stage = new_stage(tmp_path / "a.usda")
    for k in range(3):
        prim = UsdGeom.Xform.Define(stage, f"/World/bolt_{k}")
        prim.GetPrim().GetReferences().AddReference("./bolt.usda")
        prim.GetPrim().SetInstanceable(True)
        move(prim, at(3.0 * k, scale=1 + k // 2))
    stage.Save()
    scene = as_read(tmp_path / "a.usda")
    assert [i.name for i in scene.instances] == ["bolt_0", "bolt_1", "bolt_2"]
    assert [part.mesh for part in scene.parts] == [0, 0, 1]  # the third is twice as large
    np.testing.assert_allclose(np.ptp(world_points(scene, 0, "bolt_2")[..., 0]), 4)
    np.testing.assert_allclose(world_points(scene, 0, "bolt_1")[..., 0].mean(), 3)


def test_a_point_instancer_scatters_things_that_move_and_hide(tmp_path):
    stage = new_stage(tmp_path / "a.usda", frames=(0, 1))
    instancer = UsdGeom.PointInstancer.Define(stage, "/World/rocks")
    move(instancer, at(0, 10))
    move(add_mesh(stage, "/World/rocks/kinds/small", CUBE / 10), at(0, 0, 0, scale=2))
    add_mesh(stage, "/World/rocks/kinds/large")
    instancer.CreatePrototypesRel().SetTargets(["/World/rocks/kinds/small", "/World/rocks/kinds/large"])
    instancer.CreateProtoIndicesAttr([0, 1, 0])
    instancer.CreateIdsAttr([7, 8, 9])
    instancer.CreatePositionsAttr().Set([Gf.Vec3f(0, 0, 0), Gf.Vec3f(5, 0, 0), Gf.Vec3f(9, 0, 0)], 0)
    instancer.CreatePositionsAttr().Set([Gf.Vec3f(0, 0, 1), Gf.Vec3f(5, 0, 0), Gf.Vec3f(9, 0, 0)], 1)
    instancer.CreateInvisibleIdsAttr().Set(Vt.Int64Array([]), 0)
    instancer.CreateInvisibleIdsAttr().Set(Vt.Int64Array([9]), 1)
    stage.Save()
    scene = as_read(tmp_path / "a.usda")
    assert [(i.name, i.class_name) for i in scene.instances] == [
        ("rocks_7", "small"),
        ("rocks_8", "large"),
        ("rocks_9", "small"),
    ]
    assert scene.visible.tolist() == [[True] * 3, [True, True, False]]
    np.testing.assert_allclose(world_points(scene, 1, "rocks_7").reshape(-1, 3).mean(axis=0), [0, 10, 1], atol=1e-6)
    np.testing.assert_allclose(np.ptp(world_points(scene, 0, "rocks_7")[..., 0]), 0.4, rtol=1e-6)


def test_scales_are_baked_and_scales_that_change_deform(tmp_path):
    stage = new_stage(tmp_path / "a.usda", frames=(0, 1))
    move(add_mesh(stage, "/World/tall"), np.diag([1.0, 2, 3, 1]))
    move(add_mesh(stage, "/World/grows"), {0.0: np.diag([1.0, 1, 1, 1]), 1.0: np.diag([1.0, 1, 3, 1])})
    move(add_mesh(stage, "/World/mirrored"), {0.0: np.diag([-1.0, 1, 1, 1]), 1.0: np.diag([-1.0, 1, 1, 1]) @ at(1)})
    stage.Save()
    scene = as_read(tmp_path / "a.usda")
    tall, grows, mirrored = (scene.meshes[part.mesh] for part in scene.parts)
    np.testing.assert_allclose(np.ptp(tall.vertices, axis=0), [2, 4, 6])
    assert tall.deformed is None and mirrored.deformed is None and grows.deformed is not None
    np.testing.assert_allclose(np.ptp(world_points(scene, 1, "grows").reshape(-1, 3), axis=0), [2, 2, 6])
    for name in ("tall", "mirrored"):  # faces still look outward
        p = world_points(scene, 0, name)
        assert np.linalg.det(p - p.reshape(-1, 3).mean(axis=0)).sum() > 0


def test_a_thing_that_is_hidden_by_a_scale_of_zero_is_not_there(tmp_path):
    stage = new_stage(tmp_path / "a.usda", frames=(0, 2))
    move(add_mesh(stage, "/World/a"), {0.0: at(0, scale=0), 1.0: at(1), 2.0: at(2)})
    stage.Save()
    scene = as_read(tmp_path / "a.usda")
    assert scene.visible[:, 0].tolist() == [False, True, True]
    assert scene.meshes[0].deformed is None


@pytest.mark.parametrize("suffix", ["usd", "usda", "usdc", "usdz"])
def test_all_kinds_of_files_hold_the_same_scene(tmp_path, sliding, suffix):
    path = tmp_path / f"b.{suffix}"
    if suffix == "usdz":
        from pxr import UsdUtils

        assert UsdUtils.CreateNewUsdzPackage(str(sliding), str(path))
    else:
        assert Usd.Stage.Open(str(sliding)).Export(str(path))
    one, other = as_read(sliding), as_read(path)
    np.testing.assert_array_equal(one.world_from_instance, other.world_from_instance)
    np.testing.assert_array_equal(world_points(one, 3), world_points(other, 3))


def test_a_sublayer_of_samples_over_a_stage_is_a_recording(tmp_path):
    base = new_stage(tmp_path / "base.usda")
    add_mesh(base, "/World/a")
    base.Save()
    stage = Usd.Stage.CreateNew(str(tmp_path / "recorded.usda"))
    stage.GetRootLayer().subLayerPaths.append("./base.usda")
    move(stage.OverridePrim("/World/a"), {0.0: at(0), 4.0: at(4)})
    stage.Save()
    scene = as_read(tmp_path / "recorded.usda")
    assert scene.frames == 5 and scene.instances[0].name == "a"
    before = scene.sha256
    base.GetPrimAtPath("/World/a").CreateAttribute("note", Sdf.ValueTypeNames.String).Set("x")
    base.Save()
    assert as_read(tmp_path / "recorded.usda").sha256 != before


def refused(path: Path, capfd: pytest.CaptureFixture[str], error: type[Exception], match: str) -> None:
    capfd.readouterr()
    with pytest.raises(error, match=match) as caught:
        load(path)
    assert "\n" not in str(caught.value) and path.name in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_reference_to_a_file_that_is_not_there_is_one_line(tmp_path, capfd):
    stage = new_stage(tmp_path / "a.usda")
    add_mesh(stage, "/World/b")
    stage.GetPrimAtPath("/World").GetReferences().AddReference("./absent.usda")
    stage.Save()
    refused(tmp_path / "a.usda", capfd, MissingFileError, "absent.usda")


def test_a_missing_sublayer_is_one_line(tmp_path, capfd):
    (tmp_path / "a.usda").write_text('#usda 1.0\n(\n subLayers = [@./absent.usda@]\n)\ndef Cube "c"\n{\n}\n')
    refused(tmp_path / "a.usda", capfd, MissingFileError, "absent.usda")


def test_references_in_a_circle_are_one_line(tmp_path, capfd):
    for one, other in ("ab", "ba"):
        (tmp_path / f"{one}.usda").write_text(
            f'#usda 1.0\n(\n defaultPrim = "w"\n)\ndef Xform "w" (references = @./{other}.usda@)\n{{\n}}\n'
        )
    refused(tmp_path / "a.usda", capfd, UnreadableFileError, "circle")


NO_STAGES = ["", "no stage", "#usda 1.0\ndef Mesh {", "#usda 9.0\n", "PXR-USDC\x63", "#usda 1.0\ndef Xform 'a' {"]


@pytest.mark.parametrize("text", NO_STAGES)
def test_files_that_are_no_stages_are_one_line(tmp_path, text, capfd):
    for suffix in ("usda", "usdc", "usd", "usdz"):
        (tmp_path / f"a.{suffix}").write_text(text)
        refused(tmp_path / f"a.{suffix}", capfd, UnreadableFileError, "cannot be read")


def test_a_truncated_crate_file_is_one_line(tmp_path, sliding, capfd):
    Usd.Stage.Open(str(sliding)).Export(str(tmp_path / "b.usdc"))
    whole = (tmp_path / "b.usdc").read_bytes()
    for k, share in enumerate((0.1, 0.5, 0.9)):
        (tmp_path / f"c{k}.usdc").write_bytes(whole[: int(share * len(whole))])
        refused(tmp_path / f"c{k}.usdc", capfd, UnreadableFileError, "cannot be read")


@pytest.mark.parametrize(
    ("attribute", "error", "match"),
    [
        ("matrix4d xformOp:transform = ((nan,0,0,0),(0,1,0,0),(0,0,1,0),(0,0,0,1))", BadValueError, "transform of /w/m"),
        ("matrix4d xformOp:transform = ((1,0,0,0),(0,1,0,0),(0,0,1,0),(1e300,0,0,1))", BadValueError, "transform of /w/m"),
        ("int[] faceVertexIndices = [0, 1, 9]", UnreadableFileError, "do not fit its 3 points"),
        ("int[] faceVertexCounts = [2000000000]", UnreadableFileError, "do not fit its 3 points"),
        ("int[] faceVertexCounts = [-3, 6]", UnreadableFileError, "do not fit its 3 points"),
        ("point3f[] points = [(nan, 0, 0), (1, 0, 0), (0, 1, 0)]", EmptySceneError, "not finite"),
    ],
)
def test_a_mesh_with_bad_numbers_is_one_line(tmp_path, attribute, error, match, capfd):
    given = {
        "faceVertexCounts": "int[] faceVertexCounts = [3]",
        "faceVertexIndices": "int[] faceVertexIndices = [0, 1, 2]",
        "points": "point3f[] points = [(0, 0, 0), (1, 0, 0), (0, 1, 0)]",
        "xformOp:transform": "matrix4d xformOp:transform = ((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,0,0,1))",
    }
    given[attribute.split()[1]] = attribute
    lines = "\n".join([*given.values(), 'uniform token[] xformOpOrder = ["xformOp:transform"]'])
    mesh = f'def "w"\n{{\n def Mesh "m"\n {{\n{lines}\n }}\n}}\n'
    (tmp_path / "a.usda").write_text(f"#usda 1.0\n(\n metersPerUnit = 1\n)\n{mesh}")
    refused(tmp_path / "a.usda", capfd, error, match)


@pytest.mark.parametrize(
    ("head", "match"),
    [
        ("metersPerUnit = 0", "metersPerUnit"),
        ("metersPerUnit = nan", "metersPerUnit"),
        ("timeCodesPerSecond = 0", "timeCodesPerSecond"),
        ("startTimeCode = 5\n endTimeCode = 1", "range of time codes"),
        ("startTimeCode = 0\n endTimeCode = inf", "range of time codes"),
        ("startTimeCode = -1e15\n endTimeCode = 4", "number of frames"),
    ],
)
def test_stages_with_bad_settings_are_one_line(tmp_path, head, match, capfd):
    samples = "double3 xformOp:translate.timeSamples = {0: (0,0,0), 4: (1,0,0)}"
    moving = f'{samples}\n uniform token[] xformOpOrder = ["xformOp:translate"]'
    (tmp_path / "a.usda").write_text(f'#usda 1.0\n(\n {head}\n)\ndef Cube "c"\n{{\n {moving}\n}}\n')
    refused(tmp_path / "a.usda", capfd, BadValueError, match)


def test_a_stage_without_surfaces_is_one_line_that_says_what_was_left_out(tmp_path, capfd):
    stage = new_stage(tmp_path / "a.usda")
    UsdGeom.Xform.Define(stage, "/World/empty")
    stage.Save()
    refused(tmp_path / "a.usda", capfd, EmptySceneError, "no surfaces")


def test_curves_points_and_subdivision_are_noted_and_nothing_is_printed(tmp_path, capfd):
    stage = new_stage(tmp_path / "a.usda")
    add_mesh(stage, "/World/a").CreateSubdivisionSchemeAttr("catmullClark")
    UsdGeom.BasisCurves.Define(stage, "/World/hair")
    UsdGeom.Points.Define(stage, "/World/dust")
    stage.Save()
    capfd.readouterr()
    notes = " ".join(load(tmp_path / "a.usda").notes)
    assert "1 BasisCurves, 1 Points" in notes and "1 meshes are subdivision surfaces" in notes
    assert capfd.readouterr() == ("", "")


def test_reading_again_sees_a_file_that_has_changed(tmp_path):
    path = tmp_path / "a.usda"
    for size in (1.0, 3.0):
        path.write_text(f'#usda 1.0\n(\n metersPerUnit = 1\n)\ndef Cube "c"\n{{\n double size = {size}\n}}\n')
        os.utime(path, (size, size))
        np.testing.assert_allclose(np.ptp(world_points(as_read(path), 0)[..., 0]), size)
