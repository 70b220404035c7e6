"""What glTF and OBJ say of color, alpha and glow, and notes of what is not read."""

import base64
import json
import struct

import numpy as np
import pytest
import trimesh
from PIL import Image
from trimesh.exchange.gltf import export_gltf
from trimesh.visual import TextureVisuals
from trimesh.visual.material import PBRMaterial, SimpleMaterial

from sim2real.errors import UnreadableFileError
from sim2real.scene.colors import linear_from_srgb
from sim2real.scene.readers.mesh import gltf
from sim2real.scene.readers.mesh.files import read_mesh_file
from sim2real.scene.readers.mesh.materials import dressed
from sim2real.scene.records import Mesh

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
FACES = np.array([[0, 1, 2], [0, 2, 3]])


def dressed_with(material, colors=None):
    visual = TextureVisuals(uv=CORNERS[:, :2], material=material)
    if colors is not None:
        visual.vertex_attributes["color"] = np.asarray(colors)
    geometry = trimesh.Trimesh(CORNERS, FACES, visual=visual, process=False)
    notes = []
    return dressed(Mesh("quad", CORNERS, FACES), geometry, notes), notes


def picture(alpha=None):
    rgb = np.full((8, 8, 3), 200, np.uint8)
    return Image.fromarray(rgb if alpha is None else np.dstack([rgb, np.full((8, 8), 255, np.uint8)]))


@pytest.mark.parametrize(("mode", "alpha"), [(None, 1.0), ("OPAQUE", 1.0), ("BLEND", 0.2)])
def test_alpha_counts_only_where_the_material_says_so(mode, alpha):
    mesh, _ = dressed_with(PBRMaterial(baseColorFactor=[1.0, 1.0, 1.0, 0.2], alphaMode=mode, baseColorTexture=picture(1)))
    assert mesh.material.base_color[3] == pytest.approx(alpha, abs=0.01)
    assert mesh.material.texture.shape[2] == 3 and len(mesh.faces) == 2


def area(mesh):
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


@pytest.mark.parametrize("mode", ["MASK", "BLEND"])
def test_where_a_texture_leaves_something_out_there_are_no_faces(mode):
    holes = np.full((8, 8, 4), 255, np.uint8)
    holes[:, 4:, 3] = 0
    mesh, notes = dressed_with(PBRMaterial(alphaMode=mode, baseColorTexture=Image.fromarray(holes)))
    assert area(mesh) == pytest.approx(0.5) and mesh.vertices[:, 0].max() == pytest.approx(0.5)
    assert mesh.material.base_color[3] == 1 and any("was cut away (alpha below 0.5)" in note for note in notes)
    solid, notes = dressed_with(PBRMaterial(alphaMode="OPAQUE", baseColorTexture=Image.fromarray(holes)))
    assert area(solid) == 1 and not notes


@pytest.mark.parametrize(("cutoff", "left"), [(None, 0.0), (0.25, 1.0), (0.9, 0.0)])
def test_a_mask_counts_with_its_factor_and_its_cutoff(cutoff, left):
    given = {} if cutoff is None else {"alphaCutoff": cutoff}
    source = PBRMaterial(alphaMode="MASK", baseColorFactor=[1.0, 1.0, 1.0, 0.4], baseColorTexture=picture(1), **given)
    mesh, _ = dressed_with(source)
    assert area(mesh) == left


def test_a_pane_that_is_clear_all_over_stays_and_is_blended():
    clear = np.full((8, 8, 4), 60, np.uint8)
    mesh, notes = dressed_with(PBRMaterial(alphaMode="BLEND", baseColorTexture=Image.fromarray(clear)))
    assert area(mesh) == 1 and mesh.material.base_color[3] == pytest.approx(60 / 255, abs=1e-3) and not notes


def test_the_picture_of_map_d_cuts_too(tmp_path):
    holes = np.full((8, 8), 255, np.uint8)
    holes[:, 4:] = 0
    Image.fromarray(holes).save(tmp_path / "holes.png")
    picture().save(tmp_path / "color.png")
    (tmp_path / "m.mtl").write_text("newmtl a\nKd 1 1 1\nmap_Kd color.png\nmap_d holes.png\n")
    corners = "".join(f"v {x} {y} {z}\nvt {x} {y}\n" for x, y, z in CORNERS)
    (tmp_path / "m.obj").write_text(f"mtllib m.mtl\n{corners}usemtl a\nf 1/1 2/2 3/3\nf 1/1 3/3 4/4\n")
    assert area(read_mesh_file(tmp_path / "m.obj").meshes[0]) == pytest.approx(0.5)
    (tmp_path / "holes.png").unlink()
    file = read_mesh_file(tmp_path / "m.obj")
    assert area(file.meshes[0]) == 1 and any("map_d is missing: holes.png" in note for note in file.notes)


@pytest.mark.parametrize("colors", [[[1.0, 0.5, 0.0, 1.0]] * 4, [[255, 128, 0, 255]] * 4, [[65535, 32768, 0]] * 4])
def test_one_color_of_all_vertices_multiplies_factor_and_texture(colors):
    kind = np.float32 if max(max(row) for row in colors) <= 1 else np.uint8 if colors[0][0] == 255 else np.uint16
    mesh, notes = dressed_with(
        PBRMaterial(baseColorFactor=[0.5, 0.5, 0.5, 1.0], baseColorTexture=picture()), np.array(colors, kind)
    )
    assert mesh.material.base_color[:3] == pytest.approx((0.5, 0.25, 0.0), abs=0.005) and mesh.material.texture is not None
    assert not notes


def test_colors_that_differ_are_kept_at_corners_and_in_a_palette_or_multiplied_with_the_texture():
    colors = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 1]], np.float32)
    mesh, notes = dressed_with(PBRMaterial(baseColorFactor=[1.0, 1.0, 1.0, 1.0], metallicFactor=0.3), colors)
    assert mesh.material.metallic == pytest.approx(0.3) and not notes
    assert mesh.colors.in_texture and np.array_equal(mesh.colors.srgb, (colors * 255).astype(np.uint8)[mesh.faces])
    texture = mesh.material.texture
    texels = [texture[int((1 - v) * len(texture)), int(u * texture.shape[1])] for u, v in mesh.uv[:, 0]]
    assert texels[0].tolist() == [255, 0, 0] and 100 < texels[1][2] < texels[1][0] < 255
    mesh, notes = dressed_with(PBRMaterial(baseColorTexture=picture()), colors)
    assert not mesh.colors.in_texture and mesh.material.texture is not None and len(mesh.colors.srgb) == len(mesh.faces)
    assert any("rgb and albedo tell alone" in note for note in notes)


@pytest.mark.parametrize(
    ("said", "alpha"), [({"d": ["0.3"]}, 0.3), ({"Tr": "0.3"}, 0.7), ({}, 1.0), ({"d": ["halo"]}, 1.0), ({"d": "7"}, 1.0)]
)
def test_mtl_says_how_clear_a_material_is(said, alpha):
    mesh, _ = dressed_with(SimpleMaterial(diffuse=[255, 0, 0, 255], kd=[1.0, 0.0, 0.0], **said))
    assert mesh.material.base_color == pytest.approx((1, 0, 0, alpha))


def test_mtl_glow_is_read_and_maps_that_are_not_used_are_noted():
    mesh, notes = dressed_with(SimpleMaterial(kd=[1.0, 1.0, 1.0], Ke=["2", "1", "0.5"], map_Bump=["bumps.png"]))
    assert mesh.material.emission == (2.0, 1.0, 0.5)
    assert any("map_bump are not used" in note for note in notes)


def test_a_glow_with_a_texture_glows_in_the_mean():
    glow = np.zeros((8, 8, 3), np.uint8)
    glow[:, :4] = 255
    mesh, notes = dressed_with(PBRMaterial(emissiveFactor=[1.0, 0.5, 0.0], emissiveTexture=Image.fromarray(glow)))
    assert mesh.material.emission == pytest.approx((0.5, 0.25, 0.0)) and any("emissive texture" in note for note in notes)


def test_extensions_that_change_pictures_and_are_not_read_are_named(tmp_path):
    for name, content in export_gltf(trimesh.Scene(trimesh.Trimesh(CORNERS, FACES))).items():
        (tmp_path / name).write_bytes(content)
    path = tmp_path / "model.gltf"
    used = '"extensionsUsed": ["KHR_materials_clearcoat", "KHR_materials_ior"], "asset"'
    path.write_text(path.read_text().replace('"asset"', used, 1))
    notes = read_mesh_file(path).notes
    assert any(note.endswith("its glTF extensions KHR_materials_clearcoat are not read") for note in notes)


@pytest.mark.parametrize("suffix", ["gltf", "glb"])
@pytest.mark.parametrize(
    ("said", "corner"),
    [
        ({"scale": [0.5, 0.5], "offset": [0.5, 0]}, [0.5, 0.5]),  # of the lower left corner, v up
        ({"rotation": np.pi / 2}, [1.0, 1.0]),
        ({"offset": [0.25, 0.5]}, [0.25, -0.5]),
    ],
)
def test_texture_transforms_are_read(tmp_path, suffix, said, corner):
    visual = TextureVisuals(uv=CORNERS[:, :2], material=PBRMaterial(baseColorTexture=picture()))
    scene = trimesh.Scene(trimesh.Trimesh(CORNERS, FACES, visual=visual, process=False))
    for name, content in export_gltf(scene).items():
        (tmp_path / name).write_bytes(content)
    path = tmp_path / "model.gltf"
    held = json.loads(path.read_text())
    held["extensionsUsed"] = ["KHR_texture_transform"]
    held["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]["extensions"] = {"KHR_texture_transform": said}
    path.write_text(json.dumps(held))
    if suffix == "glb":
        path = as_glb(path)
    file = read_mesh_file(path)
    mesh = file.meshes[0]
    at = np.flatnonzero((mesh.vertices[mesh.faces] == 0).all(axis=-1).ravel())[0]
    assert mesh.uv.reshape(-1, 2)[at] == pytest.approx(corner, abs=1e-6)
    assert not any("KHR_texture_transform" in note for note in file.notes)


def as_glb(path):
    """A glTF file and its buffers in one file."""
    held = json.loads(path.read_text())
    parts = []
    for view in held["bufferViews"]:
        data = (path.parent / held["buffers"][view["buffer"]]["uri"]).read_bytes()
        start = view.get("byteOffset", 0)
        view["buffer"], view["byteOffset"] = 0, sum(map(len, parts))
        parts.append(data[start : start + view["byteLength"]] + b"\0" * (-view["byteLength"] % 4))
    blob = b"".join(parts)
    held["buffers"] = [{"byteLength": len(blob)}]
    text = json.dumps(held).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(blob), b"BIN\0") + blob
    out = path.with_suffix(".glb")
    out.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body)
    return out


@pytest.mark.parametrize(
    "needed", ["KHR_draco_mesh_compression", "EXT_meshopt_compression", "KHR_texture_basisu", "ACME_shape"]
)
def test_a_file_that_needs_an_extension_which_is_not_read_is_refused_by_its_name(tmp_path, needed, monkeypatch):
    monkeypatch.setattr(gltf, "find_spec", lambda name: None)
    for name, content in export_gltf(trimesh.Scene(trimesh.Trimesh(CORNERS, FACES))).items():
        (tmp_path / name).write_bytes(content)
    path = tmp_path / "model.gltf"
    path.write_text(json.dumps({**json.loads(path.read_text()), "extensionsUsed": [needed], "extensionsRequired": [needed]}))
    with pytest.raises(UnreadableFileError, match=f"it needs the glTF extension {needed}, which is not read"):
        read_mesh_file(path)


@pytest.mark.parametrize(
    ("wrap", "repeats", "noted"), [(33071, 2, True), (33648, 2, True), (10497, 2, False), (33071, 1, False)]
)
def test_textures_that_do_not_repeat_beyond_their_border_are_noted(tmp_path, wrap, repeats, noted):
    visual = TextureVisuals(uv=repeats * CORNERS[:, :2], material=PBRMaterial(baseColorTexture=picture()))
    for name, content in export_gltf(trimesh.Scene(trimesh.Trimesh(CORNERS, FACES, visual=visual, process=False))).items():
        (tmp_path / name).write_bytes(content)
    path = tmp_path / "model.gltf"
    held = json.loads(path.read_text())
    held["samplers"] = [{"wrapS": wrap}]
    held["textures"][0]["sampler"] = 0
    path.write_text(json.dumps(held))
    assert any("clamped or mirrored" in note for note in read_mesh_file(path).notes) == noted


def quad_with(folder, mtl, uv=("0 0", "1 0", "1 1", "0 1")):
    """A textured quad as OBJ, and the lines of its material file."""
    picture().save(folder / "my picture.png")
    points = "".join(f"v {x:g} {y:g} {z:g}\n" for x, y, z in CORNERS) + "".join(f"vt {pair}\n" for pair in uv)
    (folder / "a.obj").write_text(f"mtllib a.mtl\n{points}usemtl a\nf 1/1 2/2 3/3 4/4\n")
    (folder / "a.mtl").write_text(f"newmtl a\n{mtl}\n")
    return read_mesh_file(folder / "a.obj")


@pytest.mark.parametrize(
    ("options", "low", "high"),
    [
        ("", (0, 0), (1, 1)),
        ("-s 2 3 1", (0, 0), (2, 3)),
        ("-s 2", (0, 0), (2, 1)),
        ("-o .25 0.5 0 -s 2 2 2", (0.25, 0.5), (2.25, 2.5)),
        ("-blendu on -mm 0 1 -imfchan r -bm 1.5", (0, 0), (1, 1)),
        ("-clamp on", (0, 0), (1, 1)),
    ],
)
def test_options_of_maps_move_the_picture_and_are_no_part_of_its_name(tmp_path, options, low, high):
    file = quad_with(tmp_path, f"map_Kd {options} my picture.png".replace("  ", " "))
    mesh = file.meshes[0]
    assert mesh.material.texture is not None and not file.notes
    assert mesh.uv.reshape(-1, 2).min(axis=0) == pytest.approx(low) and mesh.uv.reshape(-1, 2).max(axis=0) == pytest.approx(
        high
    )


def test_a_picture_that_is_clamped_is_noted_where_it_would_repeat(tmp_path):
    assert any("clamped" in note for note in quad_with(tmp_path, "map_Kd -clamp on -s 2 2 my picture.png").notes)


def test_a_third_texture_coordinate_does_not_matter(tmp_path):
    plain = quad_with(tmp_path, "map_Kd my picture.png").meshes[0]
    deep = quad_with(tmp_path, "map_Kd my picture.png", uv=("0 0 0", "1 0 0", "1 1 0", "0 1 0")).meshes[0]
    assert np.array_equal(plain.uv, deep.uv)


def test_the_picture_of_a_glow_counts_in_the_mean(tmp_path):
    glow = quad_with(tmp_path, "Kd 0 0 0\nKe 1 0.5 0\nmap_Ke my picture.png")
    mean = float(linear_from_srgb(np.array(200 / 255)))
    assert glow.meshes[0].material.emission == pytest.approx((mean, mean / 2, 0)) and "map_Ke" in glow.notes[0]
    assert any("map_Ke is missing: absent.png" in note for note in quad_with(tmp_path, "Ke 1 1 1\nmap_Ke absent.png").notes)


def test_uvs_so_far_away_that_holes_would_be_without_number_are_not_cut(tmp_path):
    holes = np.dstack([np.full((8, 8, 3), 200, np.uint8), np.arange(64, dtype=np.uint8).reshape(8, 8) * 4])
    visual = TextureVisuals(
        uv=1e5 * CORNERS[:, :2], material=PBRMaterial(baseColorTexture=Image.fromarray(holes), alphaMode="MASK")
    )
    notes = []
    made = dressed(Mesh("quad", CORNERS, FACES), trimesh.Trimesh(CORNERS, FACES, visual=visual, process=False), notes)
    assert len(made.faces) == 2 and "too far for its holes" in notes[0]


@pytest.mark.parametrize("kind", ["map_Kd", "map_d", "map_Ke"])
def test_a_picture_of_a_material_that_is_damaged_is_named(tmp_path, kind):
    quad_with(tmp_path, "map_Kd my picture.png")
    whole = (tmp_path / "my picture.png").read_bytes()
    (tmp_path / "half.png").write_bytes(whole[:20])
    with pytest.raises(UnreadableFileError, match=r"half\.png"):
        quad_with(tmp_path, f"Kd 1 1 1\nmap_Kd my picture.png\n{kind} half.png")


@pytest.mark.parametrize("suffix", ["gltf", "glb"])
def test_a_picture_inside_a_gltf_file_that_is_damaged_is_named(tmp_path, suffix):
    visual = TextureVisuals(uv=CORNERS[:, :2], material=PBRMaterial(baseColorTexture=picture()))
    for name, content in export_gltf(trimesh.Scene(trimesh.Trimesh(CORNERS, FACES, visual=visual, process=False))).items():
        (tmp_path / name).write_bytes(content)
    path = tmp_path / "model.gltf"
    if suffix == "glb":
        path = as_glb(path)
    else:
        held = json.loads(path.read_text())
        held["images"] = [{"uri": "data:image/png;base64," + base64.b64encode(b"\x89PNX").decode()}]
        path.write_text(json.dumps(held))
    path.write_bytes(path.read_bytes().replace(b"\x89PNG", b"\x89PNX"))
    with pytest.raises(UnreadableFileError, match=f"picture 0 in .*model.{suffix}"):
        read_mesh_file(path)
