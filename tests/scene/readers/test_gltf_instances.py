"""One mesh in many places (``EXT_mesh_gpu_instancing``): things of their own, where their attributes put them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.errors import UnreadableFileError
from sim2real.scene import LoadOptions, load, triangles_of
from sim2real.scene.readers.mesh.files import read_mesh_file

from ...mutations import check_scene
from .gltf_files import Gltf, matrix_of, moved, times
from .test_gltf import in_world

NAME = "EXT_mesh_gpu_instancing"
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]], np.float32)
FACES = np.array([0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3], np.uint16)


def scattered(columns: dict[str, np.ndarray], **node) -> tuple[Gltf, int]:
    """A tetrahedron in many places, and its node."""
    gltf = Gltf(extensionsUsed=[NAME], extensionsRequired=[NAME])
    attributes = {key: gltf.accessor(values) for key, values in columns.items()}
    extensions = {NAME: {"attributes": attributes}}
    return gltf, gltf.node(name="tree", mesh=gltf.mesh(CORNERS, FACES), extensions=extensions, **node)


def draws(count: int, seed: int, *, one_scale: bool = False) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    turns = rng.normal(size=(count, 4))
    scale = np.full((count, 3), 0.5) if one_scale else rng.uniform(0.2, 2, (count, 3))
    columns = {
        "TRANSLATION": rng.uniform(-50, 50, (count, 3)),
        "ROTATION": turns / np.linalg.norm(turns, axis=1, keepdims=True),
    }
    return {key: values.astype(np.float32) for key, values in (columns | {"SCALE": scale}).items()}


@settings(max_examples=12)
@given(seed=st.integers(0, 999), kept=st.sets(st.sampled_from(["TRANSLATION", "ROTATION", "SCALE"]), min_size=1))
def test_every_instance_is_where_its_attributes_and_its_node_put_it(tmp_path_factory, seed, kept):
    columns = {key: values for key, values in draws(4, seed).items() if key in kept}
    half = float(np.sqrt(0.5))
    gltf, _ = scattered(columns, translation=[1, 2, 3], rotation=[half, 0, 0, half], scale=[1, 1, 2])
    scene = load(gltf.save(tmp_path_factory.mktemp("many") / "a.glb"), LoadOptions(frames=2))
    check_scene(scene)
    assert [i.name for i in scene.instances] == [f"tree_{k}" for k in range(4)]
    assert {i.class_name for i in scene.instances} == {"tree"}
    node = matrix_of([1, 2, 3], [half, 0, 0, half], [1, 1, 2])
    usual = {"TRANSLATION": [0, 0, 0], "ROTATION": [0, 0, 0, 1], "SCALE": [1, 1, 1]}
    for k in range(4):
        t, q, s = (columns[key][k].astype(float) if key in columns else usual[key] for key in usual)
        expected = np.array([moved(times(node, matrix_of(t, q / np.linalg.norm(q), s)), p) for p in CORNERS])
        found = in_world(scene, k, 1)
        gaps = np.linalg.norm(found[:, None] - expected[None], axis=-1)
        assert gaps.min(axis=0).max() < 1e-4 and gaps.min(axis=1).max() < 1e-4


def test_instances_move_with_their_node_and_change_their_shape_with_its_weights(tmp_path):
    columns = {"TRANSLATION": np.array([[0, 0, 0], [5, 0, 0]], np.float32)}
    gltf, node = scattered(columns)
    gltf.tree["meshes"][0]["primitives"][0]["targets"] = [{"POSITION": gltf.accessor(CORNERS)}]
    gltf.animation((node, "translation", [0, 1], [[0, 0, 0], [0, 3, 0]], "LINEAR"), (node, "weights", [0, 1], [0, 1], "LINEAR"))
    scene = load(gltf.save(tmp_path / "a.glb"), LoadOptions(fps=1.0))
    assert scene.frames == 2
    for k, x in enumerate((0, 5)):
        assert np.sort(in_world(scene, k, 1), axis=0) == pytest.approx(np.sort(2 * CORNERS + [x, 3, 0], axis=0), abs=1e-5)


def test_small_scales_that_differ_are_not_taken_for_the_same(tmp_path):
    scales = np.float32([[1.004e-7] * 3, [1.0e-7] * 3, [1.0e-7] * 3])
    gltf = Gltf(extensionsUsed=[NAME], extensionsRequired=[NAME])
    extensions = {NAME: {"attributes": {"SCALE": gltf.accessor(scales)}}}
    gltf.node(mesh=gltf.mesh(CORNERS * np.float32(1e7), FACES), extensions=extensions)
    scene = load(gltf.save(tmp_path / "a.glb"))
    sizes = [np.ptp(in_world(scene, k, 0), axis=0).max() for k in range(3)]
    assert np.array(sizes) / sizes[1] == pytest.approx([1.004, 1, 1], rel=1e-5) and len(scene.meshes) == 2


def test_integers_that_stand_for_rotations_are_read(tmp_path):
    half = round(32767 * np.sqrt(0.5))
    gltf, _ = scattered({"TRANSLATION": np.zeros((1, 3), np.float32)})
    turn = gltf.accessor(np.array([[0, 0, half, half]], np.int16), normalized=True)
    gltf.tree["nodes"][0]["extensions"][NAME]["attributes"]["ROTATION"] = turn
    found = in_world(load(gltf.save(tmp_path / "a.gltf"), LoadOptions(frames=1)), 0, 0)
    expected = CORNERS[:, [1, 0, 2]] * [-1, 1, 1]
    assert np.sort(found, axis=0) == pytest.approx(np.sort(expected, axis=0), abs=1e-4)


@pytest.mark.slow
@pytest.mark.timeout(100)  # seconds on an idle machine; a square of their number would take minutes
@pytest.mark.parametrize("one_scale", [True, False])
def test_five_thousand_instances_are_read_in_seconds_and_share_meshes_where_they_can(tmp_path, one_scale):
    gltf, _ = scattered(draws(5000, 0, one_scale=one_scale))
    scene = load(gltf.save(tmp_path / "a.glb"), LoadOptions(frames=2))
    triangles = triangles_of(scene)
    assert len(scene.instances) == len(scene.parts) == 5000 and len(scene.meshes) == (1 if one_scale else 5000)
    assert triangles.faces.shape == (20000, 3) and len({i.name for i in scene.instances}) == 5000
    assert any("5000 instances of 1 node(s)" in note for note in scene.notes)


def test_a_mesh_file_of_a_scene_has_all_of_them_in_one_thing(tmp_path):
    gltf, _ = scattered(draws(7, 3))
    file = read_mesh_file(gltf.save(tmp_path / "a.glb"))
    assert len(file.placed) == 7 and not any("not read" in note for note in file.notes)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda held: held.update(TRANSLATION=99), "names number 99 of its"),
        (lambda held: held.clear(), "instances of node 0 must be as many by each of their attributes: no attributes"),
        (lambda held: held.update(SCALE=3), "3 of TRANSLATION, 4 of SCALE"),
        (lambda held: held.update(ROTATION=held["TRANSLATION"]), "ROTATION of instances must be VEC4"),
        (lambda held: held.update(TRANSLATION=4), "node 0 has more than 100,000 instances"),
        (lambda held: held.update(TRANSLATION="a"), "names number 'a'"),
        (lambda held: held.update(TRANSLATION=5), "is not finite"),
    ],
)
def test_attributes_that_place_nothing_are_one_line(tmp_path, change, why):
    gltf, _ = scattered({"TRANSLATION": np.zeros((3, 3), np.float32)})
    assert gltf.accessor(np.zeros((4, 3), np.float32)) == 3
    gltf.add("accessors", {"componentType": 5126, "count": 10**7, "type": "VEC3"})
    gltf.accessor(np.full((3, 3), np.nan, np.float32))
    change(gltf.tree["nodes"][0]["extensions"][NAME]["attributes"])
    with pytest.raises(UnreadableFileError, match=why) as caught:
        load(gltf.save(tmp_path / "a.glb"))
    assert "\n" not in str(caught.value)
