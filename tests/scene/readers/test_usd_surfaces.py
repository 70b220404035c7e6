"""USD's meshes, solids, materials and skins as triangles with UVs, normals and colors of ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sim2real.errors import EmptySceneError, UnreadableFileError
from sim2real.scene.colors import linear_from_srgb, srgb_from_linear
from sim2real.scene.readers.reading import Reading
from sim2real.scene.readers.registry import read
from sim2real.scene.triangles import face_normals

pytest.importorskip("pxr")
from pxr import Gf, Sdf, UsdGeom, UsdShade, Vt  # noqa: E402

from .usd_stages import (  # noqa: E402
    CUBE,
    TRIANGLE,
    add_material,
    add_mesh,
    add_texture,
    add_uv,
    bind,
    new_stage,
    world_points,
)

SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
RED, GRAY = [255, 0, 0], [128, 128, 128]


@pytest.fixture
def stage(tmp_path):
    return new_stage(tmp_path / "a.usda")


def read_back(stage):
    stage.Save()
    return read(Path(stage.GetRootLayer().realPath), Reading(), {})


def only_mesh(stage):
    (mesh,) = read_back(stage).meshes
    return mesh


def picture(folder: Path, name: str = "t.png", channels: int = 3) -> np.ndarray:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, channels), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / name)
    return pixels


def test_left_handed_faces_and_holes_are_heeded(stage):
    mesh = add_mesh(stage, "/World/a")
    mesh.CreateOrientationAttr("leftHanded")
    mesh.CreateHoleIndicesAttr([0, 5])
    found = only_mesh(stage)
    assert len(found.faces) == 8
    right = face_normals(found.vertices, found.faces)
    assert (np.einsum("fi,fi->f", right, found.vertices[found.faces].mean(axis=1)) < 0).all()


@pytest.mark.parametrize(("value", "expected"), [(None, False), (True, False), (False, True)])
def test_only_what_is_said_to_be_single_sided_is_seen_from_outside_only(stage, value, expected):
    mesh = add_mesh(stage, "/World/a")
    if value is not None:
        mesh.CreateDoubleSidedAttr(value)
    assert only_mesh(stage).outside_only is expected


@pytest.mark.parametrize("interpolation", ["vertex", "varying", "faceVarying", "uniform", "constant"])
@pytest.mark.parametrize("indexed", [False, True])
def test_uvs_of_every_interpolation_lie_at_their_corners(stage, interpolation, indexed):
    mesh = add_mesh(stage, "/World/a")
    faces = [list(range(4 * k, 4 * k + 4)) for k in range(6)]  # of the corners
    count = {"vertex": 8, "varying": 8, "faceVarying": 24, "uniform": 6, "constant": 1}[interpolation]
    values = np.random.default_rng(1).random((count, 2))
    add_uv(mesh, values[::-1] if indexed else values, interpolation, list(range(count))[::-1] if indexed else None)
    found = only_mesh(stage)
    values = values.astype(np.float32)
    assert found.uv is not None
    for k in range(6):
        points = found.faces[2 * k : 2 * k + 2]
        ring = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])[k]
        corner = np.array([[faces[k][list(ring).index(p)] for p in triangle] for triangle in points])
        rows = {"vertex": points, "varying": points, "faceVarying": corner, "uniform": 0 * points + k, "constant": 0 * points}
        np.testing.assert_array_equal(found.uv[2 * k : 2 * k + 2], values[rows[interpolation]])


@pytest.mark.parametrize(("kind", "count"), [("vertex", 3), ("faceVarying", 3), ("uniform", 1)])
@pytest.mark.parametrize("primvar", [False, True])
def test_authored_normals_are_kept(stage, kind, count, primvar):
    mesh = add_mesh(stage, "/World/a", TRIANGLE, [[0, 1, 2]])
    values = np.random.default_rng(2).normal(size=(count, 3)) + [0, 0, 3]
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    if primvar:
        mesh.CreateNormalsAttr(Vt.Vec3fArray([Gf.Vec3f(1, 0, 0)] * 3))
        held = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar("normals", Sdf.ValueTypeNames.Normal3fArray, kind)
        held.Set(values.astype(np.float32))
    else:
        mesh.CreateNormalsAttr(values.astype(np.float32))
        mesh.SetNormalsInterpolation(kind)
    np.testing.assert_allclose(only_mesh(stage).normals[0], np.broadcast_to(values, (3, 3)), atol=1e-6)


def test_normals_that_fit_nothing_are_noted(stage):
    add_mesh(stage, "/World/a").CreateNormalsAttr(Vt.Vec3fArray([Gf.Vec3f(1, 0, 0)] * 5))
    assert any("5 normals do not fit" in note for note in read_back(stage).notes)


@pytest.mark.parametrize(
    ("kind", "sizes", "extent"),
    [
        ("Cube", {"size": 3.0}, (3, 3, 3)),
        ("Sphere", {"radius": 1.5}, (3, 3, 3)),
        ("Cylinder", {"radius": 1.0, "height": 4.0, "axis": "Z"}, (2, 2, 4)),
        ("Cylinder", {"radius": 1.0, "height": 4.0, "axis": "X"}, (4, 2, 2)),
        ("Cone", {"radius": 1.0, "height": 4.0, "axis": "Y"}, (2, 4, 2)),
        ("Capsule", {"radius": 0.5, "height": 2.0, "axis": "X"}, (3, 1, 1)),
        ("Plane", {"width": 2.0, "length": 4.0, "axis": "Z"}, (2, 4, 0)),
        ("Plane", {"width": 2.0, "length": 4.0, "axis": "Y"}, (2, 0, 4)),
        ("Plane", {"width": 2.0, "length": 4.0, "axis": "X"}, (0, 4, 2)),
    ],
)
def test_solids_have_their_sizes_along_their_axes(stage, kind, sizes, extent):
    prim = stage.DefinePrim("/World/a", kind)
    for name, value in sizes.items():
        prim.GetAttribute(name).Set(value)
    found = only_mesh(stage)
    np.testing.assert_allclose(np.ptp(found.vertices, axis=0), extent, atol=1e-9)
    p = found.vertices[found.faces]
    if kind == "Plane":
        up = face_normals(found.vertices, found.faces)
        np.testing.assert_allclose(up, np.broadcast_to(np.eye(3)["XYZ".index(sizes["axis"])], up.shape), atol=1e-12)
    else:
        assert np.linalg.det(p).sum() > 0  # outward
    if kind == "Cone":
        apex = found.vertices[np.argmax(found.vertices[:, 1])]
        np.testing.assert_allclose(apex, [0, 2, 0], atol=1e-9)


def test_solids_without_a_size_are_one_line(stage):
    stage.DefinePrim("/World/a", "Sphere").GetAttribute("radius").Set(-1.0)
    with pytest.raises(UnreadableFileError, match="radius of /World/a is -1.0, must be positive"):
        read_back(stage)


def test_points_that_move_deform_the_mesh(tmp_path):
    stage = new_stage(tmp_path / "a.usda", frames=(0, 2))
    mesh = add_mesh(stage, "/World/cloth", TRIANGLE, [[0, 1, 2]])
    mesh.GetPointsAttr().Clear()
    mesh.GetPointsAttr().Set(TRIANGLE.astype(np.float32), 0)
    mesh.GetPointsAttr().Set((TRIANGLE + [0, 0, 2]).astype(np.float32), 2)
    scene = read_back(stage)
    np.testing.assert_allclose(world_points(scene, 1), (TRIANGLE + [0, 0, 1])[None])
    assert scene.meshes[0].deformed is not None and scene.meshes[0].deformed.shape == (3, 3, 3)


def soft_body(stage, faces=None):
    body = UsdGeom.TetMesh.Define(stage, "/World/body")
    body.CreatePointsAttr([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)])
    body.CreateTetVertexIndicesAttr([(0, 1, 2, 3), (1, 4, 2, 3)])
    if faces is not None:
        body.CreateSurfaceFaceVertexIndicesAttr(faces)
    return body


def test_a_soft_body_is_its_surface_and_deforms(tmp_path):
    stage = new_stage(tmp_path / "a.usda", frames=(0, 1))
    points = soft_body(stage).GetPointsAttr()
    start = np.array(points.Get())
    points.Clear()
    points.Set(start, 0)
    points.Set(2 * start, 1)
    scene = read_back(stage)
    for frame in range(2):
        a, b, c = (world_points(scene, frame)[:, k] for k in range(3))
        volume = np.einsum("fi,fi->f", a, np.cross(b, c)).sum() / 6  # outward faces enclose it
        assert len(a) == 6 and volume == pytest.approx(8**frame * (1 / 6 + 1 / 3))


def test_the_faces_that_a_soft_body_says_count_and_must_fit(stage):
    body = soft_body(stage, [(0, 2, 1)])
    assert len(only_mesh(stage).faces) == 1
    body.GetSurfaceFaceVertexIndicesAttr().Set([(0, 2, 9)])
    with pytest.raises(UnreadableFileError, match="the faces of /World/body do not fit its 5 points"):
        read_back(stage)


def test_what_is_left_out_of_a_stage_without_surfaces_is_said(stage):
    UsdGeom.Points.Define(stage, "/World/sand").CreatePointsAttr([(0, 0, 0)])
    with pytest.raises(EmptySceneError, match="left out, because only meshes and solids are read: 1 Points"):
        read_back(stage)


def test_a_preview_surface_keeps_its_numbers(stage):
    color, glow = Gf.Vec3f(0.5, 0.25, 0.125), Gf.Vec3f(0, 2, 0)
    numbers = {"metallic": 0.5, "roughness": 0.25, "opacity": 0.75}
    bind(add_mesh(stage, "/World/a"), add_material(stage, "/World/m", diffuseColor=color, emissiveColor=glow, **numbers))
    found = only_mesh(stage).material
    assert found.base_color == (0.5, 0.25, 0.125, 0.75) and found.emission == (0.0, 2.0, 0.0)
    assert (found.metallic, found.roughness, found.texture) == (0.5, 0.25, None)


def test_display_colors_stand_in_for_materials(stage):
    add_mesh(stage, "/World/a").CreateDisplayColorAttr([Gf.Vec3f(0.5, 0.25, 0.125)])
    UsdGeom.Gprim(stage.GetPrimAtPath("/World/a")).CreateDisplayOpacityAttr([0.5])
    np.testing.assert_allclose(only_mesh(stage).material.base_color, (0.5, 0.25, 0.125, 0.5))


def test_display_colors_of_faces_are_a_palette(stage):
    colors = UsdGeom.PrimvarsAPI(add_mesh(stage, "/World/a")).CreatePrimvar(
        "displayColor", Sdf.ValueTypeNames.Color3fArray, "uniform"
    )
    colors.Set([Gf.Vec3f(0, 1, 0), Gf.Vec3f(1, 0, 0)])
    colors.SetIndices([0, 1, 0, 1, 0, 1])
    found = only_mesh(stage)
    side = found.material.texture.shape[0]
    pixel = np.floor(np.stack([1 - found.uv[:, 0, 1], found.uv[:, 0, 0]], axis=1) * side).astype(int)
    shown = found.material.texture[pixel[:, 0], pixel[:, 1]]
    assert shown.tolist() == [[0, 255, 0], [0, 255, 0], RED, RED] * 3


def test_display_colors_of_points_stay_at_the_corners_of_faces(stage):
    prim = add_mesh(stage, "/World/a")
    colors = UsdGeom.PrimvarsAPI(prim).CreatePrimvar("displayColor", Sdf.ValueTypeNames.Color3fArray, "vertex")
    many = len(prim.GetPointsAttr().Get())
    values = np.random.default_rng(0).random((many, 3)).astype(np.float32)
    colors.Set(Vt.Vec3fArray.FromNumpy(values))
    found = only_mesh(stage)
    assert found.colors.in_texture
    shown = linear_from_srgb(found.colors.srgb / 255)
    points = np.array(prim.GetPointsAttr().Get())
    for corners, own in zip(found.vertices[found.faces], shown, strict=True):
        for place, color in zip(corners, own, strict=True):
            number = np.abs(points - place).sum(axis=1).argmin()
            assert color == pytest.approx(values[number], abs=0.01)


def test_subsets_bind_materials_of_their_own(stage):
    mesh = add_mesh(stage, "/World/a")
    bind(mesh, add_material(stage, "/World/gray", diffuseColor=Gf.Vec3f(0.5)))
    api = UsdShade.MaterialBindingAPI(mesh)
    subset = api.CreateMaterialBindSubset("top", Vt.IntArray([5, 1]))
    bind(subset, add_material(stage, "/World/red", diffuseColor=Gf.Vec3f(1, 0, 0)))
    scene = read_back(stage)
    found = {mesh.material.base_color[:3]: len(mesh.faces) for mesh in scene.meshes}
    assert found == {(1.0, 0.0, 0.0): 4, (0.5, 0.5, 0.5): 8} and len(scene.instances) == 1


def test_a_texture_lies_as_its_reader_and_its_transform_say(stage, tmp_path):
    pixels = picture(tmp_path)
    mesh = add_mesh(stage, "/World/a", SQUARE, [[0, 1, 2, 3]])
    add_uv(mesh, CORNERS, "vertex", name="other")
    add_uv(mesh, CORNERS + 5, "vertex")
    material = add_material(stage, "/World/m")
    node = add_texture(stage, material, "diffuseColor", "./t.png", scale=Gf.Vec4f(0.5, 1, 1, 1))
    transform = UsdShade.Shader.Define(stage, "/World/m/transform")
    transform.CreateIdAttr("UsdTransform2d")
    for name, kind, value in (("scale", "Float2", (2, 3)), ("rotation", "Float", 90.0), ("translation", "Float2", (0.5, 0.25))):
        transform.CreateInput(name, getattr(Sdf.ValueTypeNames, kind)).Set(value)
    node.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(transform.ConnectableAPI(), "result")
    reader = UsdShade.Shader.Define(stage, "/World/m/reader")
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set("other")
    transform.CreateInput("in", Sdf.ValueTypeNames.Float2).ConnectToSource(reader.ConnectableAPI(), "result")
    bind(mesh, material)
    found = only_mesh(stage)
    np.testing.assert_array_equal(found.material.texture, pixels)
    np.testing.assert_allclose(found.material.base_color[:3], (0.5, 1, 1))
    s, t = (CORNERS * [2, 3]).T
    expected = np.stack([-t + 0.5, s + 0.25], axis=1)  # scaled, then turned, then moved
    np.testing.assert_allclose(found.uv, expected[found.faces], atol=1e-6)


def test_raw_pictures_are_linear(stage, tmp_path):
    pixels = picture(tmp_path)
    mesh = add_mesh(stage, "/World/a", SQUARE, [[0, 1, 2, 3]])
    add_uv(mesh, CORNERS, "vertex")
    material = add_material(stage, "/World/m")
    add_texture(stage, material, "diffuseColor", "./t.png", sourceColorSpace="raw")
    bind(mesh, material)
    np.testing.assert_array_equal(only_mesh(stage).material.texture, np.rint(255 * srgb_from_linear(pixels / 255)))


def test_pictures_of_numbers_are_replaced_by_their_mean(stage, tmp_path):
    pixels = picture(tmp_path)
    mesh = add_mesh(stage, "/World/a", SQUARE, [[0, 1, 2, 3]])
    add_uv(mesh, CORNERS, "vertex")
    material = add_material(stage, "/World/m")
    add_texture(stage, material, "roughness", "./t.png", output="g")
    add_texture(stage, material, "emissiveColor", "./t.png", sourceColorSpace="sRGB")
    bind(mesh, material)
    scene = read_back(stage)
    found = scene.meshes[0].material
    np.testing.assert_allclose(found.roughness, pixels[..., 1].mean() / 255, rtol=1e-6)
    np.testing.assert_allclose(found.emission, linear_from_srgb(pixels / 255).mean(axis=(0, 1)), rtol=1e-6)
    assert sum("replaced by its mean" in note for note in scene.notes) == 2


def test_what_an_opacity_threshold_leaves_out_is_cut_away(stage, tmp_path):
    pixels = np.full((8, 8, 4), 255, np.uint8)
    pixels[:, :4, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "t.png")
    mesh = add_mesh(stage, "/World/a", SQUARE, [[0, 1, 2, 3]])
    add_uv(mesh, CORNERS, "vertex")
    material = add_material(stage, "/World/m", opacityThreshold=0.5)
    add_texture(stage, material, "diffuseColor", "./t.png")
    add_texture(stage, material, "opacity", "./t.png", output="a")
    bind(mesh, material)
    found = only_mesh(stage)
    p = found.vertices[found.faces]
    area = 0.5 * np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1).sum()
    assert 0.4 < area < 0.6 and found.material.base_color[3] == 1.0


@pytest.mark.parametrize("file", ["./absent.png", "./tiles.<UDIM>.png", "./light.exr"])
def test_textures_that_cannot_be_had_are_noted(stage, file):
    mesh = add_mesh(stage, "/World/a", SQUARE, [[0, 1, 2, 3]])
    add_uv(mesh, CORNERS, "vertex")
    material = add_material(stage, "/World/m")
    add_texture(stage, material, "diffuseColor", file)
    bind(mesh, material)
    scene = read_back(stage)
    assert scene.meshes[0].material.texture is None
    assert any(file.strip("./") in note for note in scene.notes)


def test_a_damaged_texture_is_one_line(stage, tmp_path):
    (tmp_path / "t.png").write_bytes(b"\x89PNG nothing")
    mesh = add_mesh(stage, "/World/a", SQUARE, [[0, 1, 2, 3]])
    add_uv(mesh, CORNERS, "vertex")
    material = add_material(stage, "/World/m")
    add_texture(stage, material, "diffuseColor", "./t.png")
    bind(mesh, material)
    with pytest.raises(UnreadableFileError, match="texture cannot be read"):
        read_back(stage)


def test_textures_inside_a_package_are_found(stage, tmp_path):
    from pxr import UsdUtils

    pixels = picture(tmp_path)
    mesh = add_mesh(stage, "/World/a", SQUARE, [[0, 1, 2, 3]])
    add_uv(mesh, CORNERS, "vertex")
    material = add_material(stage, "/World/m")
    add_texture(stage, material, "diffuseColor", "./t.png")
    bind(mesh, material)
    stage.Save()
    assert UsdUtils.CreateNewUsdzPackage(str(tmp_path / "a.usda"), str(tmp_path / "b.usdz"))
    (tmp_path / "t.png").unlink()
    scene = read(tmp_path / "b.usdz", Reading(), {})
    np.testing.assert_array_equal(scene.meshes[0].material.texture, pixels)


def omni(stage, **inputs):
    material = UsdShade.Material.Define(stage, "/World/m")
    shader = UsdShade.Shader.Define(stage, "/World/m/Shader")
    shader.CreateImplementationSourceAttr("sourceAsset")
    shader.SetSourceAsset("OmniPBR.mdl", "mdl")
    shader.SetSourceAssetSubIdentifier("OmniPBR", "mdl")
    kinds = {float: Sdf.ValueTypeNames.Float, str: Sdf.ValueTypeNames.Asset, bool: Sdf.ValueTypeNames.Bool}
    for name, value in inputs.items():
        shader.CreateInput(name, kinds.get(type(value), Sdf.ValueTypeNames.Color3f)).Set(value)
    material.CreateSurfaceOutput("mdl").ConnectToSource(shader.ConnectableAPI(), "out")
    return material


def test_omni_pbr_is_read_by_its_inputs(stage, tmp_path):
    pixels = picture(tmp_path)
    mesh = add_mesh(stage, "/World/a", SQUARE, [[0, 1, 2, 3]])
    add_uv(mesh, CORNERS, "vertex")
    given = {"diffuse_color_constant": Gf.Vec3f(0.5, 0, 0), "metallic_constant": 0.75, "reflection_roughness_constant": 0.25}
    bind(mesh, omni(stage, **given))
    found = only_mesh(stage).material
    assert (found.base_color, found.metallic, found.roughness) == ((0.5, 0.0, 0.0, 1.0), 0.75, 0.25)
    omni(stage, diffuse_texture="./t.png", diffuse_tint=Gf.Vec3f(1, 0.5, 1))
    found = only_mesh(stage).material
    np.testing.assert_array_equal(found.texture, pixels)
    np.testing.assert_allclose(found.base_color, (1, 0.5, 1, 1))


def test_other_shaders_are_noted_and_display_color_stands_in(stage):
    mesh = add_mesh(stage, "/World/a")
    mesh.CreateDisplayColorAttr([Gf.Vec3f(0, 0.5, 0)])
    material = omni(stage)
    shader = UsdShade.Shader(stage.GetPrimAtPath("/World/m/Shader"))
    shader.SetSourceAsset("Own.mdl", "mdl")
    bind(mesh, material)
    scene = read_back(stage)
    assert scene.meshes[0].material.base_color == (0.0, 0.5, 0.0, 1.0)
    assert any("its shader is not read" in note for note in scene.notes)


def test_cubes_given_as_meshes_and_as_solids_are_the_same_triangles(stage):
    add_mesh(stage, "/World/a", CUBE)
    stage.DefinePrim("/World/b", "Cube").GetAttribute("size").Set(2.0)
    scene = read_back(stage)
    one, other = (mesh.vertices[np.lexsort(mesh.vertices.T)] for mesh in scene.meshes)
    np.testing.assert_allclose(one, other)
