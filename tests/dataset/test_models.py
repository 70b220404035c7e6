"""Models of instances."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from sim2real.dataset.models import diameter, model_info, model_of, read_models, write_models
from sim2real.dataset.ply import ply_bytes, ply_vertices
from sim2real.errors import BadValueError, MissingFileError, UnreadableFileError
from sim2real.scene import Material, Part, Scene
from sim2real.scene.primitives import box
from sim2real.transforms import rotation_about
from tests.dataset.conftest import SEEDS, scene_of
from tests.dataset.labels import copied, odd_scene


def scene_with(mesh, instance_from_mesh=None) -> Scene:
    scene = odd_scene()
    part = Part(0, 0) if instance_from_mesh is None else Part(0, 0, instance_from_mesh)
    return replace(scene, meshes=(mesh,), parts=(part,))


@pytest.mark.parametrize("scale", [(1.0, 1.0, 1.0), (2.0, -1.0, 0.5)])
def test_trimesh_reads_the_instance_in_millimetres_with_faces_outward(tmp_path, scale):
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_about(np.array([1.0, 2, 3]), np.array(0.7)) @ np.diag(scale)
    matrix[:3, 3] = 0.1, -0.2, 0.5
    model, center = model_of(scene_with(box((0.1, 0.2, 0.3)), matrix), 0)
    assert center == pytest.approx([0.1, -0.2, 0.5], abs=1e-7)
    (tmp_path / "a.ply").write_bytes(ply_bytes(model))
    read = trimesh.load(tmp_path / "a.ply", process=False)
    assert read.volume == pytest.approx(8 * 0.1 * 0.2 * 0.3 * abs(np.prod(scale)) * 1e9, rel=1e-5)  # negative if inside out
    assert (read.vertices == ply_vertices(ply_bytes(model))).all() and (read.faces == model.faces).all()
    outward = (read.vertex_normals * read.vertices).sum(axis=1)
    assert (outward > 0).all() and (np.linalg.norm(model.normals, axis=1) == pytest.approx(1.0))
    assert np.abs(read.bounds.sum(axis=0)).max() < 1e-3


def test_vertices_that_no_face_uses_do_not_move_the_origin():
    mesh = box((0.1, 0.2, 0.3))
    stray = replace(mesh, vertices=np.concatenate([mesh.vertices, [[9.0, 9, 9]]]))
    model, center = model_of(scene_with(stray), 0)
    assert np.abs(center).max() == 0 and len(model.vertices) == len(mesh.vertices)


def test_colors_are_the_base_color_times_the_texel():
    texture = np.zeros((2, 2, 3), np.uint8)
    texture[0] = 255, 0, 0  # row 0 is v = 1
    texture[1] = 0, 255, 0
    mesh = box((0.1, 0.2, 0.3))
    plain, _ = model_of(scene_with(replace(mesh, material=Material((1.0, 0.0, 0.2158605, 1.0)))), 0)
    assert (plain.colors == [255, 0, 128]).all()
    uv = np.full(mesh.uv.shape, 0.25)
    lower, _ = model_of(scene_with(replace(mesh, uv=uv, material=Material((1.0, 1.0, 1.0, 1.0), texture))), 0)
    upper, _ = model_of(scene_with(replace(mesh, uv=uv + [3, 0.5], material=Material((1.0, 1.0, 1.0, 1.0), texture))), 0)
    assert (lower.colors == [0, 255, 0]).all() and (upper.colors == [255, 0, 0]).all()


def test_what_deforms_or_has_no_surface_has_no_model():
    mesh = box((0.1, 0.2, 0.3))
    assert model_of(scene_with(replace(mesh, deformed=np.repeat(mesh.vertices[None], 3, axis=0))), 0) is None
    assert model_of(scene_with(mesh), 1) is None


@given(
    st.lists(st.tuples(*[st.integers(-50, 50)] * 3), min_size=2, max_size=40),
    st.sampled_from([(1, 1, 1), (1, 1, 0), (0, 1, 0), (0, 0, 0)]),
)
@settings(max_examples=80, deadline=None)
def test_the_diameter_is_the_largest_distance_of_any_two_points(points, flat):
    cloud = np.array(points, np.float64) * flat
    assert diameter(cloud) == pytest.approx(pdist(cloud).max(), abs=1e-9)


def test_the_box_of_a_model_is_told_in_the_benchmark_s_names():
    info = model_info(np.array([[0.0, 0, 0], [1, 2, 2], [0, 2, -1]]))
    box_of = {"min_x": 0, "min_y": 0, "min_z": -1, "size_x": 1, "size_y": 2, "size_z": 3}
    assert info == {"diameter": pytest.approx(10**0.5), **box_of}


def test_models_of_a_clip_are_read_back_and_equal_ones_share_a_file(tiny_clips, tmp_path):
    clip = copied(tiny_clips[0], tmp_path)
    scene = scene_of(SEEDS[0])
    twins = replace(scene, parts=(*scene.parts[:2], replace(scene.parts[1], instance=2)))
    write_models(twins, clip.clip.path)
    found = read_models(clip)
    assert sorted(found) == [1, 2, 3] and found[2].file == found[3].file != found[1].file
    before = {p.name: p.read_bytes() for p in (clip.clip.path / "models").iterdir()}
    write_models(twins, clip.clip.path)
    assert before == {p.name: p.read_bytes() for p in (clip.clip.path / "models").iterdir()} and len(before) == 3


def test_wrong_scenes_and_damaged_records_are_refused(tiny_clips, tmp_path):
    clip = copied(tiny_clips[0], tmp_path)
    with pytest.raises(MissingFileError, match="models of clip moving-3"):
        read_models(clip)
    with pytest.raises(BadValueError, match="must be those of the clip"):
        write_models(odd_scene(), clip.clip.path)
    write_models(scene_of(SEEDS[0]), clip.clip.path)
    read_models(clip)[1].file.unlink()
    with pytest.raises(MissingFileError, match="models of clip moving-3"):
        read_models(clip)
    (clip.clip.path / "models" / "models.json").write_text('{"1": {"file": "a.ply"}}')
    with pytest.raises(UnreadableFileError, match="an entry is wrong"):
        read_models(clip)
