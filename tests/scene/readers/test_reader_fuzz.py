"""Whatever a scene's files hold, a reader makes a whole scene of them, or says in one line what is wrong."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from sim2real.scene import load

from ...mutations import VALUES, WORDS, changed, check_scene, damaged, fuzzed, odd_array, read_or_refused

TABLES = ((4, 3), (4, 7), (4, 11), (4, 4, 4), (2, 3), (0, 7), (0, 3))
MODEL = """<mujoco><asset><texture name="t" type="2d" builtin="checker" width="8" height="8"/><material name="m" texture="t"/>
<mesh name="p" vertex="0 0 0 1 0 0 0 1 0 0 0 1"/>
<hfield name="h" nrow="3" ncol="3" size="1 1 .1 .1" elevation="0 1 0 1 0 1 0 1 0"/>
</asset><worldbody><light pos="0 0 3"/><geom name="floor" type="plane" size="2 2 .1" material="m"/>
<geom type="hfield" hfield="h" pos="3 0 0"/>
<body name="hand" mocap="true" pos="1 0 1"><geom type="capsule" size=".05 .1"/></body>
<body name="cube" pos="0 0 .2"><freejoint/><geom type="box" size=".1 .1 .1" rgba="1 .2 .1 1"/><geom type="mesh" mesh="p"/>
<camera name="wrist" pos="0 -.5 .2" xyaxes="1 0 0 0 .3 1"/></body>
<camera name="front" pos="0 -1.5 .6" xyaxes="1 0 0 0 .3 1" resolution="64 48"/></worldbody></mujoco>"""


def quad_obj(folder: Path) -> Path:
    """A quad with normals, UVs, a texture and a map of holes."""
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (8, 8, 4), dtype=np.uint8)).save(folder / "t.png")
    (folder / "a.mtl").write_text("newmtl a\nKd 1 .5 0\nNs 90\nd .9\nmap_Kd t.png\nmap_d t.png\nnewmtl b\nKe 1 0 0\n")
    corners = "v -1 0 -1\nv 1 0 -1\nv 1 0 1\nv -1 0 1\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nvn 0 -1 0\n"
    (folder / "a.obj").write_text(f"mtllib a.mtl\n{corners}usemtl a\nf 1/1/1 2/2/1 3/3/1 4/4/1\nusemtl b\nf 1/1 2/2 4/4\n")
    return folder / "a.obj"


def exported(kind: str) -> bytes:
    """A box with texture or colors, as trimesh writes it."""
    import trimesh

    box = trimesh.creation.box()
    if kind in ("glb", "gltf"):
        picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8, 4), dtype=np.uint8))
        material = trimesh.visual.material.PBRMaterial(
            baseColorTexture=picture,
            baseColorFactor=[255, 200, 100, 255],
            emissiveFactor=[0.1, 0, 0],
            alphaMode="MASK",
            alphaCutoff=0.4,
        )
        box.visual = trimesh.visual.TextureVisuals(uv=box.vertices[:, :2] + 0.5, material=material)
    elif kind == "ply":
        box.visual.vertex_colors = np.random.default_rng(0).integers(0, 256, (8, 4), dtype=np.uint8)
    made: Any = trimesh.Scene(box).export(file_type="glb") if kind == "glb" else None
    if kind == "gltf":
        made = _one_gltf(trimesh.Scene(box).export(file_type="gltf"))
    made = box.export(file_type=kind) if made is None else made
    return made.encode() if isinstance(made, str) else bytes(made)


def _one_gltf(files: dict[str, bytes]) -> bytes:
    """The files of a glTF export in one."""
    import base64

    tree = json.loads(files["model.gltf"])
    for buffer in tree["buffers"]:
        buffer["uri"] = "data:application/octet-stream;base64," + base64.b64encode(files[buffer["uri"]]).decode()
    return json.dumps(tree).encode()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


SCENE = {
    "frames": 4,
    "fps": 8,
    "size": [48, 64],
    "classes": {"b*": "thing"},
    "light": {"sun_direction": [0, 0, 1], "sun": [1, 1, 1]},
    "objects": [
        {
            "name": "box",
            "primitive": "box",
            "half_size": [0.1, 0.1, 0.1],
            "motion": {"table": "way.csv", "spin": {"deg_per_s": 9}},
        },
        {
            "name": "ball",
            "primitive": "sphere",
            "radius": 0.2,
            "position": [1, 0, 0],
            "euler_deg": [0, 10, 0],
            "scale": [1, 2, 1],
            "material": {"color": [1, 0, 0], "roughness": 0.5, "checker": {"cells": [2, 2]}, "texture_repeat": [2, 2]},
            "motion": {"keyframes": [{"frame": 0, "position": [0, 0, 1]}, {"frame": 3, "quaternion": [1, 0, 0, 0]}]},
            "visible": [[0, 1], [3, None]],
        },
        {"name": "quad", "mesh": "a.obj", "up_axis": "z", "material": {"texture": "t.png", "metallic": 0.5}},
        {
            "name": "car",
            "primitive": "plane",
            "half_size": [1, 1],
            "cells": [2, 2],
            "motion": {"path": {"waypoints": [[0, 0, 0], [1, 1, 0]], "align": True}},
        },
    ],
    "cameras": [
        {"name": "front", "position": [0, -3, 1], "look_at": "ball", "fov_deg": 60, "zoom": [1, 2]},
        {"name": "far", "orbit": {"center": [0, 0, 0], "radius": 4, "height": 1}, "distortion": [0.01, 0, 0, 0]},
        {"name": "eye", "table": "eye.npy", "axes": "opengl"},
        {"name": "ride", "attached_to": "front", "position": [0.1, 0, 0]},
        {
            "name": "flat",
            "path": {"waypoints": [[0, -4, 0], [1, -4, 0]], "target": "box"},
            "projection": "orthographic",
            "height_m": 2,
        },
    ],
}


def scene_files(folder: Path) -> Path:
    """A scene file that uses every kind of entry, and the files that it names."""
    quad_obj(folder)
    (folder / "way.csv").write_text("x,y,z,qw,qx,qy,qz\n" + "0,0,1,1,0,0,0\n" * 4)
    np.save(folder / "eye.npy", np.tile([0.0, -3, 0, 0.7, 0.7, 0, 0, 60, 60, 32, 24], (4, 1)))
    (folder / "a.yaml").write_text(yaml.safe_dump(SCENE))
    return folder / "a.yaml"


def test_the_files_that_are_damaged_here_are_whole_before(place):
    for path in (scene_files(place), quad_obj(place)):
        check_scene(load(path))
    for kind in ("ply", "stl", "off", "glb", "gltf"):
        (place / f"b.{kind}").write_bytes(exported(kind))
        check_scene(load(place / f"b.{kind}"))


@pytest.mark.slow
@fuzzed(25)
def test_scene_files_with_other_entries(place, rng):
    path = scene_files(place)
    tree = changed(SCENE, rng)
    path.write_text(yaml.dump(tree, allow_unicode=True))
    read_or_refused(lambda: load(path), check_scene)


@fuzzed(15)
def test_scene_files_with_damaged_text(place, rng):
    path = scene_files(place)
    path.write_bytes(damaged(path.read_bytes(), rng))
    read_or_refused(lambda: load(path), check_scene)


@pytest.mark.slow
@fuzzed(16)
def test_the_files_that_a_scene_file_names(place, rng):
    path = scene_files(place)
    if rng.random() < 0.5:
        kind = rng.choice(["way", "eye"])
        np.save(place / f"{kind}.npy", odd_array(rng, *TABLES))
        path.write_text(path.read_text().replace("way.csv", "way.npy"))
        if kind == "eye":
            np.save(place / "way.npy", np.zeros((4, 3)))
    else:
        name = rng.choice(["way.csv", "eye.npy", "t.png", "a.obj", "a.mtl"])
        (place / name).write_bytes(damaged((place / name).read_bytes(), rng))
    read_or_refused(lambda: load(path), check_scene)


@pytest.mark.parametrize("kind", ["obj", "mtl", "png", "ply", "stl", "off", "glb", "gltf"])
@fuzzed(15)
def test_mesh_files_with_damaged_bytes(place, kind, rng):
    path = quad_obj(place)
    if kind in ("obj", "mtl", "png"):
        target = place / {"obj": "a.obj", "mtl": "a.mtl", "png": "t.png"}[kind]
        target.write_bytes(damaged(target.read_bytes(), rng))
    else:
        path = place / f"a.{kind}"
        path.write_bytes(damaged(_whole(kind), rng))
    read_or_refused(lambda: load(path), check_scene)


def _whole(kind: str, made: dict[str, bytes] = {}) -> bytes:  # noqa: B006
    return made.setdefault(kind, exported(kind)) if kind in made else made.setdefault(kind, exported(kind))


@fuzzed(25)
def test_gltf_files_with_other_entries(place, rng):
    path = place / "a.gltf"
    path.write_text(json.dumps(changed(json.loads(_whole("gltf")), rng)))
    read_or_refused(lambda: load(path), check_scene)


@fuzzed(30)
def test_mujoco_models_with_other_words(place, rng):
    pytest.importorskip("mujoco")
    path = place / "a.xml"
    path.write_bytes(damaged(MODEL.encode(), rng))
    read_or_refused(lambda: load(path), check_scene)


@fuzzed(30)
def test_states_of_mujoco_models(place, rng):
    pytest.importorskip("mujoco")
    (place / "a.xml").write_text(MODEL)
    shapes = [(3, w) for w in (7, 13, 14, 21)] + [(0, 7), (14,)]
    if rng.random() < 0.3:
        np.save(place / "s.npy", odd_array(rng, *shapes))
        states = place / "s.npy"
    else:
        arrays = {"states": odd_array(rng, *shapes)} if rng.random() < 0.95 else {}
        if rng.random() < 0.7:
            arrays["mocap"] = odd_array(rng, (3, 1, 7), (3, 7), (3, 2, 7), (0, 1, 7))
        if rng.random() < 0.7:
            arrays["time"] = odd_array(rng, (3,), (3, 1), (0,))
        states = place / "s.npz"
        np.savez(states, **arrays)
    if rng.random() < 0.2:
        states.write_bytes(damaged(states.read_bytes(), rng))
    read_or_refused(lambda: load(place / "a.xml", states=states), check_scene)


@fuzzed(25)
def test_recordings_with_odd_groups_and_attributes(place, rng):
    h5py = pytest.importorskip("h5py")
    path = place / "a.hdf5"
    path.unlink(missing_ok=True)
    with h5py.File(path, "w") as file:
        _fill(file, rng, h5py)
    if rng.random() < 0.3:
        path.write_bytes(damaged(path.read_bytes(), rng))
    demo = rng.choice([None, None, None, "demo_0", "states", "", "demo_0/states", "../data"])
    read_or_refused(lambda: load(path, demo=demo), check_scene)


def _fill(file: Any, rng: random.Random, h5py: Any) -> None:
    """A recording of which anything may be something else."""
    if rng.random() < 0.03:
        file["data"] = np.zeros(3)
        return
    data = file.create_group("data")
    values = [*VALUES, *WORDS, np.zeros(3), np.zeros((2, 2)), b"\xff\xfe", h5py.Empty("f8"), MODEL.encode(), np.bytes_(b"x")]
    for name in ("env_args", "total", "model_file"):
        if rng.random() < 0.3:
            _set(data, name, rng.choice([*values, json.dumps(changed({"env_kwargs": {"control_freq": 20}}, rng))]))
    for k in range(rng.choice([0, 1, 1, 1, 2])):
        demo = data.create_group(f"demo_{k}")
        if rng.random() < 0.9:
            demo.attrs["model_file"] = MODEL if rng.random() < 0.8 else damaged(MODEL.encode(), rng).replace(b"\0", b"0")
        if rng.random() < 0.2:
            _set(demo, "model_file", rng.choice(values))
        _add_states(demo, rng, h5py)
    if rng.random() < 0.3:
        data[rng.choice(["demo_a", "demo_0x"])] = rng.choice(
            [h5py.SoftLink("/nowhere"), h5py.SoftLink("/data"), h5py.ExternalLink("absent.hdf5", "/x"), np.zeros(3)]
        )


def _set(group: Any, name: str, value: Any) -> None:
    try:
        group.attrs[name] = value
    except (TypeError, ValueError, RuntimeError):  # HDF5 has no such attribute
        group.attrs[name] = str(value).replace("\0", "0")


def _add_states(demo: Any, rng: random.Random, h5py: Any) -> None:
    kind = rng.randrange(8)
    rows = np.tile(np.r_[0.0, 0, 0, 0.2, 1, 0, 0, 0, np.zeros(6)], (3, 1))
    if kind < 3:
        demo["states"] = rows
    elif kind < 5:
        values = odd_array(rng, (3, 14), (3, 7), (0, 14))
        demo["states"] = np.full(values.shape, b"a") if values.dtype.kind in "UM" else values
    elif kind == 5:
        demo.create_dataset("states", (10**9, 10**6), "f8", chunks=(1000, 14))
    elif kind == 6:
        demo["states"] = rng.choice([h5py.Empty("f8"), "text", 1.5, h5py.SoftLink("states"), h5py.SoftLink("/nowhere")])
    else:
        demo.create_group("states")
