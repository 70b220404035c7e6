"""What glTF and OBJ say of color, alpha and glow, and notes of what is not read."""

import numpy as np
import pytest
import trimesh
from PIL import Image
from trimesh.exchange.gltf import export_gltf
from trimesh.visual import TextureVisuals
from trimesh.visual.material import PBRMaterial, SimpleMaterial

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


@pytest.mark.parametrize(("mode", "alpha"), [(None, 1.0), ("OPAQUE", 1.0), ("BLEND", 0.2), ("MASK", 0.2)])
def test_alpha_counts_only_where_the_material_says_so(mode, alpha):
    mesh, _ = dressed_with(PBRMaterial(baseColorFactor=[1.0, 1.0, 1.0, 0.2], alphaMode=mode, baseColorTexture=picture(1)))
    assert mesh.material.base_color[3] == pytest.approx(alpha, abs=0.01)
    assert mesh.material.texture.shape[2] == (4 if mode in ("BLEND", "MASK") else 3)


def test_a_texture_that_is_clear_in_parts_is_noted():
    holes = np.full((8, 8, 4), 255, np.uint8)
    holes[:, 4:, 3] = 0
    for mode, noted in (("MASK", True), ("BLEND", True), ("OPAQUE", False)):
        _, notes = dressed_with(PBRMaterial(alphaMode=mode, baseColorTexture=Image.fromarray(holes)))
        assert any("clear in parts" in note for note in notes) == noted


@pytest.mark.parametrize("colors", [[[1.0, 0.5, 0.0, 1.0]] * 4, [[255, 128, 0, 255]] * 4, [[65535, 32768, 0]] * 4])
def test_one_color_of_all_vertices_multiplies_factor_and_texture(colors):
    kind = np.float32 if max(max(row) for row in colors) <= 1 else np.uint8 if colors[0][0] == 255 else np.uint16
    mesh, notes = dressed_with(
        PBRMaterial(baseColorFactor=[0.5, 0.5, 0.5, 1.0], baseColorTexture=picture()), np.array(colors, kind)
    )
    assert mesh.material.base_color[:3] == pytest.approx((0.5, 0.25, 0.0), abs=0.005) and mesh.material.texture is not None
    assert not notes


def test_colors_that_differ_are_averaged_over_faces_or_noted():
    colors = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 1]], np.float32)
    mesh, notes = dressed_with(PBRMaterial(baseColorFactor=[1.0, 1.0, 1.0, 1.0], metallicFactor=0.3), colors)
    assert mesh.material.metallic == pytest.approx(0.3) and any("averaged over each face" in note for note in notes)
    texture = mesh.material.texture
    texels = [texture[int((1 - v) * len(texture)), int(u * texture.shape[1])] for u, v in mesh.uv[:, 0]]
    assert texels[0].tolist() == [255, 0, 0] and 100 < texels[1][2] < texels[1][0] < 255
    _, notes = dressed_with(PBRMaterial(baseColorTexture=picture()), colors)
    assert any("vertex colors are not used" in note for note in notes)


@pytest.mark.parametrize(
    ("said", "alpha"), [({"d": ["0.3"]}, 0.3), ({"Tr": "0.3"}, 0.7), ({}, 1.0), ({"d": ["halo"]}, 1.0), ({"d": "7"}, 1.0)]
)
def test_mtl_says_how_clear_a_material_is(said, alpha):
    mesh, _ = dressed_with(SimpleMaterial(diffuse=[255, 0, 0, 255], kd=[1.0, 0.0, 0.0], **said))
    assert mesh.material.base_color == pytest.approx((1, 0, 0, alpha))


def test_mtl_glow_is_read_and_maps_that_are_not_used_are_noted():
    mesh, notes = dressed_with(SimpleMaterial(kd=[1.0, 1.0, 1.0], Ke=["2", "1", "0.5"], map_d=["holes.png"]))
    assert mesh.material.emission == (2.0, 1.0, 0.5)
    assert any("map_d are not used" in note for note in notes)


def test_a_glow_with_a_texture_glows_in_the_mean():
    glow = np.zeros((8, 8, 3), np.uint8)
    glow[:, :4] = 255
    mesh, notes = dressed_with(PBRMaterial(emissiveFactor=[1.0, 0.5, 0.0], emissiveTexture=Image.fromarray(glow)))
    assert mesh.material.emission == pytest.approx((0.5, 0.25, 0.0)) and any("emissive texture" in note for note in notes)


def test_extensions_that_change_pictures_and_are_not_read_are_named(tmp_path):
    for name, content in export_gltf(trimesh.Scene(trimesh.Trimesh(CORNERS, FACES))).items():
        (tmp_path / name).write_bytes(content)
    path = tmp_path / "model.gltf"
    used = '"extensionsUsed": ["KHR_texture_transform", "KHR_materials_ior"], "asset"'
    path.write_text(path.read_text().replace('"asset"', used, 1))
    notes = read_mesh_file(path).notes
    assert any(note.endswith("its glTF extensions KHR_texture_transform are not read") for note in notes)
