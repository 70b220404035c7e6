"""Whatever a glTF file that moves holds, it becomes a whole scene, or is refused in one line."""

import copy
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sim2real.scene import LoadOptions, load

from ...mutations import changed, check_scene, damaged, fuzzed, read_or_refused
from .gltf_files import Gltf


@cache
def everything() -> Gltf:
    """A skin with morph targets, an animated node, cameras, lights, sparse and normalized accessors."""
    lights = {"KHR_lights_punctual": {"lights": [{"type": "directional", "color": [1, 0.9, 0.8]}, {"type": "spot"}]}}
    gltf = Gltf(extensions=lights, extensionsUsed=["KHR_lights_punctual"])
    joints = [gltf.node(top=False, name="b", translation=[0, 1, 0]), gltf.node(name="a", children=[0])]
    shares = np.array([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]], np.float32)
    kinds = {"JOINTS_0": np.tile(np.array([1, 0, 0, 0], np.uint8), (4, 1)), "WEIGHTS_0": shares}
    skin = gltf.skin(joints, np.tile(np.eye(4), (2, 1, 1)))
    body = gltf.node(name="body", mesh=gltf.mesh(targets=[np.ones((4, 3))], weights=[0.5], material=0, **kinds), skin=skin)
    gltf.add("materials", {"extensions": {"KHR_materials_emissive_strength": {"emissiveStrength": 2}}})
    box = gltf.node(name="box", mesh=gltf.mesh(), scale=[1, 2, 1], translation=[3, 0, 0])
    gltf.add("cameras", {"type": "perspective", "perspective": {"yfov": 1.0, "aspectRatio": 1.5}})
    gltf.add("cameras", {"type": "orthographic", "orthographic": {"xmag": 3, "ymag": 2}})
    gltf.node(camera=0, translation=[0, 0, 9], extensions={"KHR_lights_punctual": {"light": 0}})
    gltf.node(camera=1, matrix=np.eye(4).ravel().tolist(), extensions={"KHR_lights_punctual": {"light": 1}})
    turns = [[0, 0, 0, 1], [0, 0, 1, 0]]
    gltf.animation(
        (joints[0], "rotation", [0, 1], turns, "LINEAR"),
        (body, "weights", [0, 0.5, 1], [0, 1, 0], "STEP"),
        (box, "scale", [0, 1], np.ones((6, 3)), "CUBICSPLINE"),
        (box, "translation", [0.5], [[1, 2, 3]], "LINEAR"),
        name="one",
    )
    gltf.animation((joints[1], "rotation", [0, 1], turns, "LINEAR"), name="two")
    sparse = {
        "count": 1,
        "indices": {"bufferView": gltf.view(np.array([2], np.uint16).tobytes()), "componentType": 5123},
        "values": {"bufferView": gltf.view(np.array([0, 0, 3], np.float32).tobytes())},
    }
    gltf.tree["accessors"][gltf.tree["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]["sparse"] = sparse
    return gltf


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def test_the_file_that_is_damaged_here_is_whole_before(place):
    scene = load(everything().save(place / "whole.glb"))
    check_scene(scene)
    assert len(scene.instances) == len(scene.cameras) == 2 and scene.frames == 25
    assert sum(mesh.deformed is not None for mesh in scene.meshes) == 2


@fuzzed(40)
def test_files_with_other_entries(place, rng):
    whole = everything()
    made = Gltf()
    made.tree, made.blob = changed(copy.deepcopy(whole.tree), rng), whole.blob
    path = made.save(place / "a.gltf")
    options = LoadOptions(frames=rng.choice([None, 2]), stride=rng.choice([1, 3]), fps=rng.choice([None, 5.0]))
    read_or_refused(lambda: load(path, options, animation=rng.choice([None, "two"])), check_scene)


@pytest.mark.parametrize("suffix", [".glb", ".gltf"])
@fuzzed(15)
def test_files_with_damaged_bytes(place, suffix, rng):
    path = everything().save(place / f"b{suffix}")
    path.write_bytes(damaged(path.read_bytes(), rng))
    read_or_refused(lambda: load(path), check_scene)


def test_chains_as_long_as_files_can_hold_are_read(place):
    gltf = Gltf()
    mesh = gltf.mesh()
    for k in range(1000):
        gltf.node(top=k == 0, translation=[0.001, 0, 0], **({"children": [k + 1]} if k < 999 else {"mesh": mesh}))
    gltf.animation((0, "translation", [0, 0.01], [[0, 0, 0], [1, 0, 0]], "LINEAR"))
    scene = load(gltf.save(place / "long.glb"))
    assert scene.world_from_instance[0, 0, 0, 3] == pytest.approx(0.999, abs=1e-6)


def test_a_json_that_is_nested_without_end_is_refused(place):
    path = place / "deep.gltf"
    path.write_text('{"animations": [' + "[" * 100_000 + "]" * 100_000 + '], "asset": ' + json.dumps({"version": "2.0"}) + "}")
    assert read_or_refused(lambda: load(path)) is not None
