from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import trimesh

from sim2real.clip.video import noise_picture
from sim2real.errors import BadValueError, EmptySceneError, MissingFileError, OutputExistsError, UnreadableFileError
from sim2real.metrics.whiteness import whiteness
from sim2real.noise import charts_of
from sim2real.noise.bake import baked_texture
from sim2real.render import BakeOptions, bake_scene, read_baked
from sim2real.render.bake_record import texels
from sim2real.scene import Instance, LoadOptions, Part, load, triangles_of
from sim2real.transforms import rigid, rotation_about

WORLD_FROM_FILE = np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])


@pytest.fixture(scope="module")
def folder(scene, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bake") / "baked"
    bake_scene(scene, folder, BakeOptions(level=7, channels=4, seed=5))
    return folder


def mapped(matrix, points):
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def test_the_folder_holds_a_scene_a_texture_per_instance_and_the_record(folder):
    assert sorted(p.name for p in folder.iterdir()) == ["bake.json", "ball.npy", "box.npy", "floor.npy", "scene.glb"]
    baked = read_baked(folder)
    assert (baked.seed, baked.channels) == (5, 4)
    assert [(t.node, t.instance, t.class_name, t.level) for t in baked.textures] == [
        ("ball", "ball", "toy", 7),
        ("box", "box", "toy", 7),
        ("floor", "floor", "ground", 7),
    ]
    for texture in baked.textures:
        values = np.load(folder / texture.file)
        assert values.dtype == np.float32 and values.shape == (128, 128, 4)
        assert np.array_equal(values, baked_texture(int(texture.keys[0], 16), level=7, channels=4, seed=5))
        result = whiteness(values.transpose(2, 0, 1)[None])
        assert result.worst() < 5, result


def test_another_renderer_finds_the_right_texel_at_every_place_of_the_surface(scene, folder):
    """trimesh reads the GLB; the place in space alone leads back to our own chart and cell."""
    triangles, rng = triangles_of(scene), np.random.default_rng(0)
    charts = charts_of(scene, triangles)
    read = trimesh.load_scene(str(folder / "scene.glb"), process=False)
    assert sorted(read.graph.nodes_geometry) == ["ball", "box", "floor"]
    for part, name in enumerate(("ball", "box", "floor")):
        file_from_node, geometry = read.graph[name]
        mesh = read.geometry[geometry]
        assert mesh.metadata["noise"] == f"{name}.npy"
        face = rng.integers(0, len(mesh.faces), 60)
        weight = rng.dirichlet((1, 1, 1), 60)
        uv = (weight[..., None] * np.asarray(mesh.visual.uv)[mesh.faces[face]]).sum(axis=1)
        uv[:, 1] = 1 - uv[:, 1]  # trimesh has v up
        found = texels(np.load(folder / mesh.metadata["noise"]), uv)
        place = (weight[..., None] * mesh.vertices[mesh.faces[face]]).sum(axis=1)
        place = mapped(WORLD_FROM_FILE @ file_from_node, place)

        own = np.flatnonzero(triangles.face_part == part)
        corner = mapped(scene.world_from_instance[0, part], triangles.vertices[triangles.faces[own]].astype(np.float64))
        nearest, distance = nearest_faces(corner, place)
        assert distance.max() < 1e-5
        bary = trimesh.triangles.points_to_barycentric(corner[nearest], place)
        coordinates = (bary[..., None] * charts.coordinates[own[nearest]]).sum(axis=1)
        column, row = np.floor(coordinates * 128).astype(int).T
        expected = baked_texture(int(charts.key[6 + part]), level=7, channels=4, seed=5)[row, column]
        assert (found == expected).all(axis=1).mean() > 0.95  # places on the border of two texels may go to either


def nearest_faces(corner, places):
    """For every place the face that it lies on, and how far it is from it."""
    face, distance = [], []
    for place in places:
        point = trimesh.triangles.closest_point(corner, np.repeat(place[None], len(corner), axis=0))
        away = np.linalg.norm(point - place, axis=1)
        face.append(int(away.argmin()))
        distance.append(float(away.min()))
    return np.array(face), np.array(distance)


def test_the_pictures_in_the_file_are_the_noise_and_are_not_blended(folder):
    read = trimesh.load_scene(str(folder / "scene.glb"), process=False)
    picture = np.asarray(read.geometry["box"].visual.material.baseColorTexture)
    assert np.array_equal(picture[..., :3], noise_picture(np.load(folder / "box.npy").transpose(2, 0, 1)))
    data = (folder / "scene.glb").read_bytes()
    tree = json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])
    assert tree["samplers"][0]["magFilter"] == tree["samplers"][0]["minFilter"] == 9728
    assert {texture["sampler"] for texture in tree["textures"]} == {0}


def test_our_own_reader_opens_it_and_sees_the_same_surfaces(scene, folder):
    again = load(folder / "scene.glb", LoadOptions(orbit=True))
    ours = [mapped(scene.world_from_instance[0, k], mesh.vertices) for k, mesh in enumerate(scene.meshes)]
    bounds = np.array([np.concatenate(ours).min(axis=0), np.concatenate(ours).max(axis=0)])
    matrices = [again.world_from_instance[0, p.instance] @ p.instance_from_mesh for p in again.parts]
    placed = [mapped(m, again.meshes[p.mesh].vertices) for m, p in zip(matrices, again.parts, strict=True)]
    read = np.concatenate(placed)
    assert np.allclose([read.min(axis=0), read.max(axis=0)], bounds, atol=1e-5)
    assert all(mesh.material.texture is not None for mesh in again.meshes)


def test_instances_of_several_parts_and_awkward_names_get_files_of_their_own(scene, tmp_path):
    half = rigid(rotation_about(np.array([0.0, 0, 1]), np.array(0.3)), np.array([0.5, 0, 0]))
    named = replace(
        scene,
        parts=(*scene.parts, Part(1, 1, half)),
        instances=(Instance("a/b c", "toy"), Instance("A_b_c", "toy"), Instance("a/b c", "ground")),
    )
    baked = bake_scene(named, tmp_path / "baked", BakeOptions(level=2))
    assert [t.file for t in baked.textures] == ["a_b_c.npy", "A_b_c.0.npy", "a_b_c-2.npy", "A_b_c.1.npy"]
    assert len({t.keys for t in baked.textures}) == 4
    assert all(np.load(tmp_path / "baked" / t.file).shape == (4, 4, 3) for t in baked.textures)


@pytest.mark.slow
def test_a_density_gives_every_part_a_level_of_its_own(scene, tmp_path):
    baked = bake_scene(scene, tmp_path / "baked", BakeOptions(texels_per_metre=20.0, channels=1))
    for texture in baked.textures:
        assert 20 <= 2**texture.level / texture.side_m < 40
    assert len({t.level for t in baked.textures}) > 1


def test_the_background_is_six_faces(scene, tmp_path):
    baked = bake_scene(scene, tmp_path / "baked", BakeOptions(level=4, background=True))
    sky = baked.textures[-1]
    values = np.load(tmp_path / "baked" / sky.file)
    assert sky.node is None and values.shape == (6, 16, 16, 3)
    for face, key in enumerate(sky.keys):
        assert np.array_equal(values[face], baked_texture(int(key, 16), level=4, channels=3))


def test_an_instance_stands_where_it_first_appears_and_as_it_is_bent_then(scene, tmp_path):
    visible = scene.visible.copy()
    visible[:2, 0] = False
    ball = scene.meshes[0]
    bent = replace(ball, deformed=np.stack([ball.vertices * (1 + 0.1 * k) for k in range(scene.frames)]))
    late = replace(scene, visible=visible, meshes=(bent, *scene.meshes[1:]))
    bake_scene(late, tmp_path / "baked", BakeOptions(level=1))
    read = trimesh.load_scene(str(tmp_path / "baked" / "scene.glb"), process=False)
    matrix, geometry = read.graph["ball"]
    places = mapped(WORLD_FROM_FILE @ matrix, np.asarray(read.geometry[geometry].vertices))
    expected = mapped(scene.world_from_instance[2, 0], ball.vertices * 1.2)
    assert np.allclose(places.min(axis=0), expected.min(axis=0), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"level": 15}, "1 to 14"),
        ({"level": 3, "texels_per_metre": 3.0}, "left out"),
        ({"texels_per_metre": 1e6}, "at most .* for ball"),
        ({"texels_per_metre": 0.0}, "greater than 0"),
        ({"channels": 0}, "1 or more"),
    ],
)
def test_bad_values_are_refused_before_anything_is_written(scene, tmp_path, options, says):
    with pytest.raises(BadValueError, match=says):
        bake_scene(scene, tmp_path / "baked", BakeOptions(**options))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_replaced_only_when_told_and_only_if_it_was_baked(scene, tmp_path):
    bake_scene(scene, tmp_path / "baked", BakeOptions(level=1))
    with pytest.raises(OutputExistsError):
        bake_scene(scene, tmp_path / "baked", BakeOptions(level=2))
    assert bake_scene(scene, tmp_path / "baked", BakeOptions(level=2, overwrite=True)) == read_baked(tmp_path / "baked")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(BadValueError, match="clip folder"):
        bake_scene(scene, tmp_path / "mine", BakeOptions(level=1, overwrite=True))


def test_nothing_to_bake_or_to_read_is_one_line(scene, tmp_path):
    with pytest.raises(EmptySceneError, match="surface"):
        bake_scene(replace(scene, parts=()), tmp_path / "baked")
    with pytest.raises(MissingFileError, match="sim2real bake"):
        read_baked(tmp_path / "baked")
    (tmp_path / "bake.json").write_text('{"version": 1}')
    with pytest.raises(UnreadableFileError, match="bake the scene again"):
        read_baked(tmp_path)
