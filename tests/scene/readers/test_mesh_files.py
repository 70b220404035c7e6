"""Mesh files: what comes in, what is dropped, what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from trimesh.visual import TextureVisuals
from trimesh.visual.material import PBRMaterial

from sim2real.errors import BadValueError, EmptySceneError, MissingFileError, UnreadableFileError
from sim2real.scene import load, primitives
from sim2real.scene.cameras.orbit import bounds
from sim2real.scene.load import _joined
from sim2real.scene.readers.mesh.files import Y_UP, load_mesh, read_mesh_file, sha256_of
from sim2real.scene.triangles import face_normals

ASSETS = Path(__file__).parents[3] / "assets" / "tabletop"
QUAD = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
QUAD_FACES = "f 1/1 2/2 3/3\nf 1/1 3/3 4/4\n"


def picture(path: Path) -> np.ndarray:
    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    Image.fromarray(pixels).save(path)
    return pixels


@pytest.mark.parametrize("suffix", ["obj", "ply", "stl", "off", "glb", "gltf"])
def test_every_kind_of_file_gives_the_same_surface(tmp_path: Path, suffix: str) -> None:
    solid = primitives.torus(0.3, 0.1, segments=12, rings=8)
    source = trimesh.Trimesh(solid.vertices, solid.faces, process=False)
    if suffix == "gltf":
        for name, data in trimesh.exchange.gltf.export_gltf(source.scene()).items():
            (tmp_path / name).write_bytes(data)
        path = tmp_path / "model.gltf"
    else:
        path = tmp_path / f"model.{suffix}"
        source.export(str(path))
    file = read_mesh_file(path)
    (mesh,) = file.meshes
    ((_, move),) = file.placed
    assert len(mesh.faces) == len(solid.faces)
    corners = mesh.vertices[mesh.faces] @ move[:3, :3].T + move[:3, 3]
    np.testing.assert_allclose(corners, solid.vertices[solid.faces], atol=1e-6)
    np.testing.assert_array_equal(file.world_from_file, Y_UP if "gl" in suffix else np.eye(4))
    assert any("y axis is up" in note for note in file.notes) == ("gl" in suffix)


def test_textures_and_uv_come_in_upright_from_obj_and_glb(tmp_path: Path) -> None:
    pixels = picture(tmp_path / "p.png")
    (tmp_path / "a.mtl").write_text("newmtl m\nKd 1 1 1\nmap_Kd p.png\n")
    (tmp_path / "a.obj").write_text("mtllib a.mtl\nusemtl m\n" + QUAD + QUAD_FACES)
    quad = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], [[0, 1, 2], [0, 2, 3]], process=False)
    material = PBRMaterial(baseColorTexture=Image.fromarray(pixels), metallicFactor=0.25, roughnessFactor=0.5)
    quad.visual = TextureVisuals(uv=[[0, 0], [1, 0], [1, 1], [0, 1]], material=material)
    quad.export(str(tmp_path / "a.glb"))
    for name in ("a.obj", "a.glb"):
        (mesh,) = read_mesh_file(tmp_path / name).meshes
        assert mesh.uv is not None and mesh.material.texture is not None
        np.testing.assert_allclose(mesh.uv, mesh.vertices[mesh.faces][..., :2], atol=1e-7)  # v up, as the file's y
        np.testing.assert_array_equal(mesh.material.texture, pixels)
    assert (mesh.material.metallic, mesh.material.roughness) == (0.25, 0.5)


def test_one_mesh_per_material_and_nodes_share_meshes(tmp_path: Path) -> None:
    scene = trimesh.Scene()
    scene.geometry["box"] = trimesh.creation.box([1, 1, 1])
    shift, stretch = np.eye(4), np.diag([1.0, 2, 1, 1])
    shift[0, 3] = 3
    for name, matrix in (("here", np.eye(4)), ("there", shift), ("tall", stretch)):
        scene.graph.update(frame_to=name, matrix=matrix, geometry="box")
    scene.export(str(tmp_path / "s.glb"))
    file = read_mesh_file(tmp_path / "s.glb")
    assert len(file.meshes) == 2 and len(file.placed) == 3  # the stretched one is a mesh of its own
    loaded = load_mesh(tmp_path / "s.glb", frames=slice(0, 2))
    assert len(loaded.parts) == 3 and len(loaded.instances) == 1 and loaded.frames == 2
    for part in loaded.parts:
        r = part.instance_from_mesh[:3, :3]
        np.testing.assert_allclose(r @ r.T, np.eye(3), atol=1e-9)
    heights = sorted(float(np.ptp(m.vertices[:, 1])) for m in file.meshes)
    assert heights == pytest.approx([1, 2])
    mug = read_mesh_file(ASSETS / "mug.glb")
    assert [m.material.texture is not None for m in mug.meshes] == [True, False]


def test_normals_are_smooth_where_edges_are_blunt_and_sharp_where_they_are_not(tmp_path: Path) -> None:
    solid = primitives.cylinder(0.5, 0.5, segments=48)
    trimesh.Trimesh(solid.vertices, solid.faces, process=False).export(str(tmp_path / "c.stl"))
    (mesh,) = read_mesh_file(tmp_path / "c.stl").meshes
    assert mesh.normals is not None and solid.normals is not None
    np.testing.assert_allclose(mesh.normals, solid.normals, atol=1e-4)


def test_normals_of_the_file_are_kept(tmp_path: Path) -> None:
    (tmp_path / "n.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nvn 0 0.6 0.8\nf 1//1 2//1 3//1\n")
    (mesh,) = read_mesh_file(tmp_path / "n.obj").meshes
    np.testing.assert_allclose(mesh.normals, np.tile([0, 0.6, 0.8], (1, 3, 1)), atol=1e-6)


def test_colors_of_vertices_become_a_palette_that_every_face_points_into(tmp_path: Path) -> None:
    colors = np.array([[255, 0, 0, 255], [255, 0, 0, 255], [255, 0, 0, 255], [0, 0, 255, 255]], np.uint8)
    soup = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], [[0, 1, 2], [0, 2, 3]], process=False)
    soup.visual.vertex_colors = colors
    soup.export(str(tmp_path / "v.ply"))
    file = read_mesh_file(tmp_path / "v.ply")
    (mesh,) = file.meshes
    texture = mesh.material.texture
    assert mesh.uv is not None and texture is not None
    assert mesh.colors is not None and mesh.colors.in_texture
    assert np.array_equal(mesh.colors.srgb, colors[:, :3][mesh.faces])
    u, v = mesh.uv[0, 0]
    row, column = int((1 - v) * texture.shape[0]), int(u * texture.shape[1])
    assert texture[row, column].tolist() == [255, 0, 0]
    assert np.ptp(mesh.uv, axis=1).max() == 0


def test_missing_textures_and_materials_are_noted_and_the_color_stays(tmp_path: Path) -> None:
    (tmp_path / "a.mtl").write_text("newmtl m\nKd 1 0 0\nmap_Kd no.png\n")
    (tmp_path / "a.obj").write_text("mtllib a.mtl\nusemtl m\n" + QUAD + QUAD_FACES)
    file = read_mesh_file(tmp_path / "a.obj")
    assert file.notes == ("a.obj: texture is missing; its color is used instead: no.png",)
    assert file.meshes[0].material.base_color == (1, 0, 0, 1) and file.meshes[0].material.texture is None
    (tmp_path / "b.obj").write_text("mtllib none.mtl\nusemtl m\n" + QUAD + QUAD_FACES)
    file = read_mesh_file(tmp_path / "b.obj")
    assert file.notes == ("b.obj: material file is missing; its color is used instead: none.mtl",)
    assert file.meshes[0].material.texture is None


def test_a_material_file_may_have_any_suffix(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text("mtllib a.mat\nusemtl m\n" + QUAD + QUAD_FACES)
    assert read_mesh_file(tmp_path / "a.obj").notes == ("a.obj: material file is missing; its color is used instead: a.mat",)
    picture(tmp_path / "t.png")
    (tmp_path / "a.mat").write_text("newmtl m\nKd 1 0 0\nmap_Kd -clamp on t.png\n")
    file = read_mesh_file(tmp_path / "a.obj")
    assert file.meshes[0].material.texture is not None and file.notes == ()


def test_pictures_of_materials_may_have_any_suffix(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text("mtllib a.mtl\nusemtl m\n" + QUAD + QUAD_FACES)
    (tmp_path / "a.mtl").write_text("newmtl m\nKd 1 1 1\nmap_Kd t.dds\n")
    assert read_mesh_file(tmp_path / "a.obj").notes == ("a.obj: texture is missing; its color is used instead: t.dds",)
    Image.new("RGB", (4, 4), (200, 13, 10)).save(tmp_path / "t.dds")
    texture = read_mesh_file(tmp_path / "a.obj").meshes[0].material.texture
    assert texture is not None and texture.shape[:2] == (4, 4)


def test_points_lines_and_curves_of_obj_files_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text(QUAD + QUAD_FACES + "l 1 2 3\n  l 3 4\np 1\ncurv 0 1 1 2\n# l 1 2\nlod 3\n")
    scene = load(tmp_path / "a.obj")
    assert len(scene.meshes[0].faces) == 2
    assert scene.notes[0] == "a.obj: left out, because only faces are read: 1 point, 2 lines, 1 curve"


def test_files_that_do_not_say_which_axis_is_up_are_turned_as_asked(tmp_path: Path) -> None:
    trimesh.creation.box(extents=[1, 2, 3]).export(tmp_path / "a.stl")
    for asked, size in ((None, [1, 2, 3]), ("z", [1, 2, 3]), ("y", [1, 3, 2])):
        scene = load(tmp_path / "a.stl", up_axis=asked)
        low, high = bounds(scene)
        assert np.allclose(high - low, size)
        assert ("a.stl: its z axis is taken to be up, --up-axis y turns it" in scene.notes) == (asked is None)
    with pytest.raises(BadValueError, match="--up-axis is x, must be y or z"):
        load(tmp_path / "a.stl", up_axis="x")


def test_what_is_said_of_many_meshes_is_one_note(tmp_path: Path) -> None:
    meshes = {f"part{k}": trimesh.creation.box() for k in range(6)}
    for k in range(5):
        meshes[f"part{k}"].visual = TextureVisuals(material=PBRMaterial(baseColorTexture=Image.new("RGB", (2, 2))))
    trimesh.Scene(meshes).export(tmp_path / "a.glb")
    said = [note for note in load(tmp_path / "a.glb").notes if "texture is not used" in note]
    assert said == ["part0, part1, part2 and 2 more: its texture is not used, because the mesh has no UVs"]


def test_one_note_on_meshes_of_one_name_names_it_once() -> None:
    notes = ("a: is odd", "b: is odd", "a: is odd", "a: is even", "c: is odd")
    assert _joined(notes) == ("a, b, c: is odd", "a: is even")
    assert _joined(("a: is odd",) * 4) == ("a: is odd",)


@pytest.mark.parametrize(
    ("said", "turned"), [("<up_axis>Y_UP</up_axis>", True), ("<up_axis>Z_UP</up_axis>", False), ("", True)]
)
def test_collada_files_are_scenes_in_metres_with_the_axis_up_that_they_name(tmp_path: Path, said: str, turned: bool) -> None:
    pytest.importorskip("collada")
    text = trimesh.creation.box(extents=[100, 200, 300]).export(file_type="dae").decode()
    text = re.sub("<up_axis>.*?</up_axis>", "", text).replace("<asset>", f'<asset><unit name="mm" meter="0.001"/>{said}')
    (tmp_path / "a.dae").write_text(text)
    scene = load(tmp_path / "a.dae")
    low, high = bounds(scene)
    assert np.allclose(high - low, [0.1, 0.3, 0.2] if turned else [0.1, 0.2, 0.3])
    assert ("a.dae: its y axis is up and was turned to z, the up axis here" in scene.notes) == turned
    assert not any("not read" in note for note in scene.notes)
    lamp = '<instance_light url="#sun"/><instance_geometry'
    (tmp_path / "a.dae").write_text(text.replace("<instance_geometry", lamp, 1))
    note = "a.dae: its lights are not read; the file is shown at rest"
    assert note in load(tmp_path / "a.dae").notes
    camera = "cameras: [{name: c, position: [1, 0, 0], look_at: [0, 0, 0]}]"
    (tmp_path / "a.yaml").write_text(f"frames: 2\nobjects: [{{name: a, mesh: a.dae}}]\n{camera}\n")
    assert note in load(tmp_path / "a.yaml").notes


def test_faces_that_cannot_be_drawn_are_dropped_and_counted(tmp_path: Path) -> None:
    text = "v nan 0 0\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 2 0 0\nf 1 2 3\nf 2 3 4\nf 2 3 5\nf 2 2 4\n"
    (tmp_path / "a.obj").write_text(text)
    file = read_mesh_file(tmp_path / "a.obj")
    (mesh,) = file.meshes
    assert len(mesh.faces) == 1 and np.isfinite(mesh.vertices).all() and len(mesh.vertices) == 3
    notes = " ".join(file.notes)
    assert "1 of 4 faces" in notes and "not finite" in notes and "2 of 4 faces" in notes and "without area" in notes
    assert mesh.normals is not None
    np.testing.assert_allclose(mesh.normals[:, 0], face_normals(mesh.vertices, mesh.faces))


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.ply", b"no mesh", UnreadableFileError),
        ("a.glb", b"no mesh at all", UnreadableFileError),
        ("a.off", b"no mesh", UnreadableFileError),
        ("a.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n", UnreadableFileError),
        ("a.obj", b"", EmptySceneError),
        ("a.stl", b"no mesh", EmptySceneError),
        ("flat.obj", b"v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n", EmptySceneError),
        ("nan.obj", b"v 0 0 nan\nv 1 0 0\nv 2 1 0\nf 1 2 3\n", EmptySceneError),
    ],
)
def test_files_without_a_surface_are_refused_in_one_line(tmp_path: Path, name: str, content: bytes, error: type) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(error) as error:
        read_mesh_file(path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)


def test_a_missing_file_and_a_missing_buffer(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        read_mesh_file(tmp_path / "a.obj")
    for name, data in trimesh.exchange.gltf.export_gltf(trimesh.creation.box([1, 1, 1]).scene()).items():
        if name == "model.gltf":
            (tmp_path / name).write_bytes(data)
    with pytest.raises(MissingFileError, match=r"a file that model\.gltf names"):
        read_mesh_file(tmp_path / "model.gltf")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text[:-9], r"not JSON \("),
        (lambda text: f"[{text}]", "it holds a list in place of an object"),
        (lambda text: text.replace('"2.0"', '"1.0"'), "it is of glTF 1.0, and glTF 2.0 is read"),
        (lambda text: text.replace('"POSITION"', '"POSITIONS"'), "it lacks 'POSITION'"),
        (lambda text: re.sub(r'"accessors":\s*\[', '"accessors": [3,', text), r"it has a value of another kind \("),
    ],
)
def test_what_is_wrong_with_a_gltf_file_is_said_in_words(tmp_path: Path, change: Callable[[str], str], says: str) -> None:
    for name, data in trimesh.Scene(trimesh.creation.box()).export(file_type="gltf").items():
        (tmp_path / name).write_bytes(data)
    path = tmp_path / "a.gltf"
    path.write_text(change((tmp_path / "model.gltf").read_text()))
    with pytest.raises(UnreadableFileError, match=says):
        read_mesh_file(path)


def test_numbers_of_a_damaged_node_are_no_warnings(tmp_path: Path) -> None:
    for name, data in trimesh.Scene(trimesh.creation.box()).export(file_type="gltf").items():
        (tmp_path / name).write_bytes(data)
    tree = json.loads((tmp_path / "model.gltf").read_text())
    for scale in ([0, 0, 0], [1e308, 1e308, 1e308], [1e-320, 1, 1]):
        tree["nodes"] = [{"mesh": 0, "scale": scale, "rotation": [1e200, 0, 0, 1e200]}]
        tree["scenes"] = [{"nodes": [0]}]
        (tmp_path / "a.gltf").write_text(json.dumps(tree))
        with pytest.raises((EmptySceneError, UnreadableFileError)):
            read_mesh_file(tmp_path / "a.gltf")


def test_a_mesh_beside_a_linked_folder_is_found_where_the_system_finds_it(tmp_path: Path) -> None:
    (tmp_path / "there" / "meshes").mkdir(parents=True)
    (tmp_path / "there" / "scenes").mkdir()
    (tmp_path / "scenes").symlink_to(tmp_path / "there" / "scenes")
    (tmp_path / "there" / "meshes" / "quad.obj").write_text("mtllib quad.mtl\nusemtl m\n" + QUAD + QUAD_FACES)
    (tmp_path / "there" / "meshes" / "quad.mtl").write_text("newmtl m\nKd 1 0 0\n")
    path = tmp_path / "scenes" / ".." / "meshes" / "quad.obj"
    (mesh,) = load_mesh(path).meshes
    assert len(mesh.faces) == 2 and mesh.material.base_color[:3] == pytest.approx((1, 0, 0))


def test_the_hash_changes_with_the_files_that_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.mtl").write_text("newmtl m\nKd 1 0 0\n")
    (tmp_path / "a.obj").write_text("mtllib a.mtl\nusemtl m\n" + QUAD + QUAD_FACES)
    before = sha256_of(read_mesh_file(tmp_path / "a.obj").files)
    (tmp_path / "a.mtl").write_text("newmtl m\nKd 0 1 0\n")
    assert sha256_of(read_mesh_file(tmp_path / "a.obj").files) != before


def test_a_texture_of_sixteen_bits_is_scaled_and_not_clipped(tmp_path: Path) -> None:
    gray = np.linspace(0, 65535, 64).astype(np.uint16)[None].repeat(64, 0)
    Image.fromarray(gray).save(tmp_path / "gray.png")
    (tmp_path / "a.mtl").write_text("newmtl a\nKd 1 1 1\nmap_Kd gray.png\n")
    (tmp_path / "a.obj").write_text(f"mtllib a.mtl\n{QUAD}usemtl a\n{QUAD_FACES}")
    texture = read_mesh_file(tmp_path / "a.obj").meshes[0].material.texture
    assert texture is not None
    assert np.abs(texture[..., 0] - gray / 257).max() <= 0.51


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_marks_and_line_ends_of_meshes_and_materials_do_not_matter(end: str, mark: bytes, tmp_path: Path) -> None:
    picture(tmp_path / "tex.png")
    texts = {"a.mtl": "newmtl a\nKd 1 1 1\nmap_Kd tex.png\n", "a.obj": f"mtllib a.mtl\n{QUAD}usemtl a\n{QUAD_FACES}"}
    for name, text in texts.items():
        (tmp_path / name).write_bytes(mark + text.replace("\n", end).encode())
    (mesh,) = read_mesh_file(tmp_path / "a.obj").meshes
    assert len(mesh.faces) == 2
    assert mesh.material.texture is not None
