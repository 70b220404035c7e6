"""Models as XML, in MuJoCo's binary form, and in archives; floors and walls by their names."""

from __future__ import annotations

import random
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sim2real.errors import MissingFileError, UnreadableFileError
from sim2real.scene import load
from sim2real.scene.readers.mujoco import files
from sim2real.scene.readers.mujoco.model import load_mujoco

from ...mutations import check_scene, damaged, fuzzed, read_or_refused

mujoco = pytest.importorskip("mujoco")

MESH = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n"
MODEL = """<mujoco><compiler meshdir="meshes"/><asset><mesh name="wedge" file="wedge.obj"/></asset>
<worldbody><geom name="floor" type="plane" size="2 2 0.1"/>
<body name="thing"><freejoint/><geom type="mesh" mesh="wedge"/></body></worldbody></mujoco>"""
PARENT = """<mujoco><asset><model name="child" file="parts/child.xml"/></asset>
<worldbody><geom type="box" size="1 1 0.1" name="table"/>
<frame pos="0 0 1"><attach model="child" body="finger" prefix="left_"/></frame></worldbody></mujoco>"""
CHILD = """<mujoco><worldbody><body name="finger"><joint type="hinge"/><geom type="sphere" size="0.1"/></body></worldbody>
</mujoco>"""


def archive(path: Path, held: dict[str, str], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, text in held.items():
            file.writestr(name, text)
    return path


def names(path: Path) -> list[tuple[str, str]]:
    return [(instance.name, instance.class_name) for instance in load(path).instances]


@pytest.mark.parametrize("suffix", [".zip", ".mjz"])
@pytest.mark.parametrize("place", ["model.xml", "robot.xml", "robot/robot.xml", "robot/model.xml", "other/scene.xml"])
def test_archives_hold_a_model_and_its_meshes(tmp_path, suffix, place):
    folder = f"{Path(place).parent}/".removeprefix("./")
    path = archive(tmp_path / f"robot{suffix}", {place: MODEL, f"{folder}meshes/wedge.obj": MESH})
    assert names(path) == [("floor", "floor"), ("thing", "thing")]
    (tmp_path / "meshes").mkdir()
    (tmp_path / "meshes" / "wedge.obj").write_text(MESH)
    (tmp_path / "model.xml").write_text(MODEL)
    assert load(path).sha256 == load(tmp_path / "model.xml").sha256


def test_what_mujocos_own_writer_packs_is_read(tmp_path):
    spec = mujoco.MjSpec.from_string(CHILD)
    spec.modelname = "child"
    with (tmp_path / "any.zip").open("wb") as file:
        mujoco.MjSpec.to_zip(spec, file)
    assert names(tmp_path / "any.zip") == [("finger", "finger")]


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"readme.txt": "x"}, "holds no XML file"),
        ({}, "holds no XML file"),
        ({"a.xml": MODEL, "b.xml": MODEL}, r"several models: a\.xml, b\.xml; name the one that is meant model\.xml"),
        ({"model.xml": MODEL}, r"model cannot be read: .*meshes/wedge\.obj"),
        ({"../model.xml": MODEL}, "leads out of it"),
        ({"/model.xml": MODEL}, "leads out of it"),
        ({"model.xml": MODEL, "meshes/../../x": ""}, "leads out of it"),
        ({"model.xml": MODEL, "C:\\x": ""}, "leads out of it"),
        ({"model.xml": "<mujoco"}, "XML"),
    ],
)
def test_archives_that_hold_no_model_are_refused_in_one_line_without_our_own_paths(tmp_path, held, said):
    path = archive(tmp_path / "robot.zip", held)
    with pytest.raises(UnreadableFileError, match=said) as caught:
        load(path)
    assert "\n" not in str(caught.value) and "sim2real-model-" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_links_in_archives_are_refused(tmp_path):
    path = archive(tmp_path / "robot.zip", {"model.xml": MODEL})
    link = zipfile.ZipInfo("meshes/wedge.obj")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(link, "/etc/passwd")
    with pytest.raises(UnreadableFileError, match="leads out of it"):
        load(path)


def test_archives_that_would_fill_the_memory_or_the_disk_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    path = archive(tmp_path / "bomb.zip", {"model.xml": MODEL, "zeros": "0" * 4_000_000})
    assert path.stat().st_size < 20_000
    monkeypatch.setattr(files, "memory_bytes", lambda: 8_000_000)
    with pytest.raises(UnreadableFileError, match=r"holds 0\.0 GB, more than 0\.0 GB"):
        load(path)
    monkeypatch.undo()
    monkeypatch.setattr(files, "MOST_FILES", 3)
    many = archive(tmp_path / "many.zip", {"model.xml": MODEL, **{str(k): "" for k in range(3)}})
    with pytest.raises(UnreadableFileError, match="holds 4 files, more than 3"):
        load(many)


def test_a_binary_model_is_the_model_that_it_was_made_from(tmp_path):
    (tmp_path / "model.xml").write_text(PARENT)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "child.xml").write_text(CHILD)
    compiled = mujoco.MjModel.from_xml_path(str(tmp_path / "model.xml"))
    mujoco.mj_saveModel(compiled, str(tmp_path / "model.mjb"), None)
    assert (
        names(tmp_path / "model.mjb") == names(tmp_path / "model.xml") == [("table", "table"), ("left_finger", "left_finger")]
    )
    assert load(tmp_path / "model.mjb").sha256 == load(tmp_path / "model.xml").sha256


def test_models_that_attach_others_may_be_packed(tmp_path):
    path = archive(tmp_path / "hand.zip", {"model.xml": PARENT, "parts/child.xml": CHILD})
    assert names(path) == [("table", "table"), ("left_finger", "left_finger")]


@pytest.mark.parametrize("change", ["version", "cut", "empty", "text"])
def test_binary_models_of_other_versions_and_damaged_ones_are_one_line(tmp_path, change):
    compiled = mujoco.MjModel.from_xml_string(CHILD)
    path = tmp_path / "model.mjb"
    mujoco.mj_saveModel(compiled, str(path), None)
    data = bytearray(path.read_bytes())
    if change == "version":
        at = data.index(int(mujoco.mj_version()).to_bytes(4, "little"))
        data[at : at + 4] = (237).to_bytes(4, "little")
    content = {"cut": data[: len(data) // 2], "empty": b"", "text": b"<mujoco/>"}.get(change, bytes(data))
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"write it again with MuJoCo \d.*, or use the XML") as caught:
        load(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["none.mjb", "none.zip", "none.mjz"])
def test_missing_files_are_called_that(tmp_path, name):
    with pytest.raises(MissingFileError, match="MuJoCo model not found"):
        load(tmp_path / name)


@fuzzed(40)
def test_damaged_archives_are_read_or_refused(tmp_path_factory, rng: random.Random):
    folder = tmp_path_factory.mktemp("zip", numbered=True)
    whole = archive(folder / "robot.zip", {"model.xml": MODEL, "meshes/wedge.obj": MESH}, rng.choice([0, 8, 12, 14]))
    whole.write_bytes(damaged(whole.read_bytes(), rng))
    read_or_refused(lambda: load(whole), check_scene)


ROOM = """<mujoco><worldbody>
<geom name="floor" type="box" size="2 2 0.1"/><geom name="wall_left" type="box" size="2 0.1 1" pos="0 2 1"/>
<geom name="back_wall" type="plane" size="2 1 0.1" euler="90 0 0"/><geom name="groundplane" type="plane" size="0 0 1"/>
<geom name="wall_shelf" type="box" size="0.1 0.1 0.1"/><geom name="table" type="plane" size="1 1 0.1" pos="0 0 0.5"/>
<geom type="plane" size="1 1 0.1" pos="0 0 -1"/><geom type="plane" size="1 1 0.1" euler="0 90 0"/>
<geom type="plane" size="1 1 0.1" euler="0 180 0"/><geom type="box" size="1 1 1" pos="9 9 9"/>
<geom name="turf" type="plane" size="0 0 1" pos="0 0 -2"/>
<body name="robot"><geom name="floor_of_robot" type="box" size="0.1 0.1 0.1"/></body>
</worldbody></mujoco>"""


def test_floors_and_walls_are_called_that_where_name_or_shape_leaves_no_doubt(tmp_path):
    (tmp_path / "room.xml").write_text(ROOM)
    assert names(tmp_path / "room.xml") == [
        ("floor", "floor"),
        ("wall_left", "wall"),
        ("back_wall", "wall"),
        ("groundplane", "floor"),
        ("wall_shelf", "wall_shelf"),
        ("table", "table"),
        ("geom_6", "floor"),
        ("geom_7", "wall"),
        ("geom_8", "geom_8"),  # a ceiling
        ("geom_9", "geom_9"),
        ("turf", "floor"),
        ("robot", "robot"),
    ]


def test_the_hash_follows_lights_and_how_textures_are_used(tmp_path):
    def digest(light: str, material: str) -> str:
        text = f"""<mujoco><asset><texture name="a" type="2d" builtin="checker" width="8" height="8" rgb1="1 0 0"/>
        <texture name="b" type="2d" builtin="checker" width="8" height="8" rgb1="0 1 0"/>
        <material name="m" {material}/></asset>
        <worldbody>{light}<geom type="plane" size="1 1 1" material="m"/></worldbody></mujoco>"""
        (tmp_path / "model.xml").write_text(text)
        return load_mujoco(tmp_path / "model.xml").sha256

    lights = ['<light dir="0 0 -1"/>', '<light dir="0 1 -1"/>', '<light dir="0 0 -1" diffuse="1 0 0"/>', ""]
    materials = ['texture="a"', 'texture="b"', 'texture="a" texrepeat="2 2"', ""]
    assert len({digest(light, material) for light in lights for material in materials}) == 16


def test_every_static_geom_of_the_world_is_a_thing_of_its_own(tmp_path):
    (tmp_path / "model.xml").write_text(ROOM)
    scene = load_mujoco(tmp_path / "model.xml")
    assert len({instance.name for instance in scene.instances}) == len(scene.instances) == 12
    assert np.array_equal(np.sort([part.instance for part in scene.parts]), np.arange(12))
