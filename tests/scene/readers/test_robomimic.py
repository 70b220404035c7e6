"""Recordings of robosuite and its kin, from HDF5 files that the tests write themselves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sim2real.errors import BadValueError, EmptySceneError, MissingFileError, UnknownNameError, UnreadableFileError
from sim2real.scene import LoadOptions, Scene
from sim2real.scene.load import load
from sim2real.scene.readers.robomimic import _roots, load_robomimic, reroot

h5py = pytest.importorskip("h5py")
pytest.importorskip("mujoco")

THERE = "/home/somebody/robosuite/models/assets"
XML = f"""
<mujoco>
  <compiler meshdir="meshes/" angle="radian"/>
  <asset>
    <mesh name="link" file="{THERE}/robots/arm/link.stl"/>
    <texture name="wood" type="2d" file="{THERE}/textures/wood.png"/>
    <material name="wood" texture="wood"/>
  </asset>
  <worldbody>
    <camera name="agentview" pos="0 -2 1" xyaxes="1 0 0 0 0.5 1"/>
    <body name="robot0_base">
      <joint type="hinge" axis="0 0 1"/>
      <geom type="box" size="0.1 0.1 0.1" group="0"/>
      <geom type="mesh" mesh="link" group="1" contype="0" conaffinity="0"/>
      <geom type="box" size="0.2 0.2 0.01" group="1" contype="0" conaffinity="0" material="wood"/>
    </body>
  </worldbody>
</mujoco>
"""


def assets(root: Path) -> Path:
    """The files that the XML names, under a folder of this machine."""
    mesh, picture = root / "robots" / "arm" / "link.stl", root / "textures" / "wood.png"
    mesh.parent.mkdir(parents=True)
    picture.parent.mkdir(parents=True)
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    triangles = np.array([corners[[0, 2, 1]], corners[[0, 1, 3]], corners[[1, 2, 3]], corners[[0, 3, 2]]])
    record = np.zeros(4, [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("rest", "<u2")])
    record["corners"] = triangles
    mesh.write_bytes(bytes(80) + np.uint32(4).tobytes() + record.tobytes())
    Image.fromarray(np.full((8, 8, 3), 120, np.uint8)).save(picture)
    return root


def recorded(path: Path, demos: dict[str, np.ndarray], xml: str = XML, **attributes: str) -> Path:
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        data.attrs["env_args"] = json.dumps({"env_name": "Lift", "env_kwargs": {"control_freq": 20}})
        for key, value in attributes.items():
            data.attrs[key] = value
        for name, states in demos.items():
            demo = data.create_group(name)
            demo.attrs["model_file"] = xml
            demo.attrs["ep_meta"] = "not even json"
            demo.create_dataset("states", data=states)
    return path


def rows(count: int) -> np.ndarray:
    """Time, one joint angle, one joint velocity."""
    return np.stack([np.arange(count) / 20, np.linspace(0, 1, count), np.ones(count)], axis=1)


@pytest.fixture
def recording(tmp_path) -> Path:
    return recorded(tmp_path / "demo.hdf5", {"demo_10": rows(3), "demo_2": rows(5)})


def angle(scene: Scene) -> np.ndarray:
    return np.arctan2(scene.world_from_instance[:, 0, 1, 0], scene.world_from_instance[:, 0, 0, 0])


def test_a_recording_of_another_machine_is_replayed_with_files_of_this_one(recording, tmp_path):
    root = assets(tmp_path / "elsewhere" / "robosuite" / "models" / "assets")
    scene = load_robomimic(recording, asset_root=root)
    np.testing.assert_allclose(angle(scene), np.linspace(0, 1, 5), atol=1e-9)
    assert scene.fps == 20
    assert [i.name for i in scene.instances] == ["robot0_base"]
    assert [c.name for c in scene.cameras] == ["agentview"]
    assert any("demonstration demo_2" in note for note in scene.notes)
    assert any("2 files of another machine" in note for note in scene.notes)
    assert "geom groups shown (chosen automatically, --groups chooses others): 1, hidden: 0" in scene.notes
    assert any(mesh.material.texture is not None for mesh in scene.meshes)


@pytest.mark.parametrize("level", ["", "models", "models/assets"])
def test_the_asset_root_may_be_any_folder_above_the_files(recording, tmp_path, level):
    assets(tmp_path / "robosuite" / "models" / "assets")
    assert load_robomimic(recording, asset_root=tmp_path / "robosuite" / level).frames == 5


def test_the_first_of_several_roots_wins(recording, tmp_path):
    near, far = tmp_path / "near", assets(tmp_path / "far")
    assets(near)
    Image.fromarray(np.full((4, 4, 3), 7, np.uint8)).save(near / "textures" / "wood.png")
    scene = load_robomimic(recording, asset_root=(near, far))
    assert {m.material.texture.shape for m in scene.meshes if m.material.texture is not None} == {(4, 4, 3)}


def test_missing_files_are_listed_all_at_once(recording, tmp_path):
    with pytest.raises(MissingFileError, match=r"--asset-root.*link\.stl.*wood\.png") as caught:
        load_robomimic(recording)
    assert "\n" not in str(caught.value)
    with pytest.raises(MissingFileError, match="asset root not found"):
        load_robomimic(recording, asset_root=tmp_path / "nowhere")


def test_an_unknown_demonstration_lists_the_valid_ones(recording):
    with pytest.raises(UnknownNameError, match="unknown demonstration 'demo_3'.*demo_2, demo_10"):
        load_robomimic(recording, demo="demo_3")


def test_a_demonstration_is_chosen_by_name_and_frames_by_slice(recording, tmp_path):
    root = assets(tmp_path / "assets")
    assert load_robomimic(recording, demo="demo_10", asset_root=root).frames == 3
    scene = load(recording, LoadOptions(frames=2, stride=2, size=(24, 32)), demo="demo_2", asset_root=root)
    np.testing.assert_allclose(angle(scene), [0, 0.5], atol=1e-9)
    assert scene.fps == 10
    assert scene.cameras[0].size == (24, 32)


def test_the_control_rate_serves_where_states_tell_no_time(tmp_path):
    path = recorded(tmp_path / "demo.hdf5", {"demo_0": np.linspace(0, 1, 4)[:, None]}, xml=_plain())
    assert load_robomimic(path).fps == 20
    assert load_robomimic(path, frames=slice(0, 4, 2)).fps == 10
    broken = recorded(tmp_path / "broken.hdf5", {"demo_0": np.zeros((2, 1))}, xml=_plain(), env_args="{broken")
    assert load_robomimic(broken).fps == 24


def test_states_that_do_not_fit_or_are_not_numbers_are_refused(tmp_path):
    with pytest.raises(BadValueError, match="width of the states is 7"):
        load_robomimic(recorded(tmp_path / "a.hdf5", {"demo_0": np.zeros((2, 7))}, xml=_plain()))
    bad = rows(3)
    bad[1, 1] = np.inf
    with pytest.raises(BadValueError, match="row 1 of states"):
        load_robomimic(recorded(tmp_path / "b.hdf5", {"demo_0": bad}, xml=_plain()))


def test_files_that_are_no_recordings_are_refused(tmp_path):
    with pytest.raises(MissingFileError, match="recording not found"):
        load_robomimic(tmp_path / "none.hdf5")
    (tmp_path / "text.hdf5").write_text("hello")
    with pytest.raises(UnreadableFileError, match="no HDF5 file"):
        load_robomimic(tmp_path / "text.hdf5")
    with h5py.File(tmp_path / "other.hdf5", "w") as file:
        file.create_dataset("images", data=np.zeros(3))
    with pytest.raises(EmptySceneError, match="no demonstrations"):
        load_robomimic(tmp_path / "other.hdf5")
    path = recorded(tmp_path / "bare.hdf5", {"demo_0": rows(2)})
    with h5py.File(path, "a") as file:
        del file["data/demo_0"].attrs["model_file"]
    with pytest.raises(UnreadableFileError, match="no model_file"):
        load_robomimic(path)


def test_relative_and_windows_names_are_found_too(tmp_path):
    root = assets(tmp_path / "assets")
    xml = """<mujoco><compiler meshdir="C:\\\\users\\\\me\\\\robots" texturedir="/gone/textures"/>
    <asset><mesh name="a" file="arm/link.stl"/><texture name="t" type="2d" file="wood.png"/>
    <mesh name="b" file="D:\\robosuite\\robots\\arm\\link.stl"/></asset></mujoco>"""
    moved, count = reroot(xml, [root])
    assert count == 3
    assert moved.count(str((root / "robots" / "arm" / "link.stl").resolve())) == 2
    assert str((root / "textures" / "wood.png").resolve()) in moved


@pytest.mark.parametrize("way", ["scenes/../textures/wood.png", "./textures/./wood.png", "a/b/../../textures//wood.png"])
@pytest.mark.parametrize("start", ["/home/ann/sim/assets/", "D:\\sim\\assets\\"])
def test_ways_through_folders_and_back_are_the_way_itself(tmp_path, way, start):
    assets(tmp_path / "assets")
    name = start + (way.replace("/", "\\") if "\\" in start else way)
    moved, count = reroot(f'<mujoco><asset><texture name="t" type="2d" file="{name}"/></asset></mujoco>', [tmp_path])
    assert count == 1 and f'file="{(tmp_path / "assets" / "textures" / "wood.png").resolve()}"' in moved


def test_assets_inside_a_package_are_searched(tmp_path, monkeypatch):
    assets(tmp_path / "libero" / "libero" / "assets")
    (tmp_path / "libero" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    xml = '<mujoco><asset><texture name="t" type="2d" file="/home/ann/of/mine/textures/wood.png"/></asset></mujoco>'
    assert str(tmp_path / "libero" / "libero" / "assets" / "textures" / "wood.png") in reroot(xml, _roots(None))[0]


def test_files_that_exist_where_they_were_recorded_stay(tmp_path):
    root = assets(tmp_path / "assets")
    for name in (f"{root}/robots/arm/link.stl", f"{root}/./robots/x/../arm/link.stl"):
        assert reroot(f'<mujoco><asset><mesh file="{name}"/></asset></mujoco>', [])[1] == 0
    with pytest.raises(UnreadableFileError, match="model_file cannot be read"):
        reroot("<mujoco>", [])


def _plain() -> str:
    body = '<body name="b"><joint type="hinge"/><geom type="sphere" size="0.1"/></body>'
    return f"<mujoco><worldbody>{body}</worldbody></mujoco>"


def test_a_recording_of_libero_without_its_model_says_what_is_needed_and_takes_it_from_a_file(tmp_path):
    path = recorded(
        tmp_path / "task_demo.hdf5", {"demo_0": rows(3)}, bddl_file_name="libero/bddl_files/libero_object/soup.bddl"
    )
    with h5py.File(path, "a") as file:
        file["data"].attrs["problem_info"] = json.dumps({"language_instruction": list("pick up the soup")})
        del file["data/demo_0"].attrs["model_file"]
    with pytest.raises(UnreadableFileError, match=r"only LIBERO's task \(BDDL, soup.bddl\).*--model-file.*get_xml"):
        load_robomimic(path)
    root = assets(tmp_path / "models")
    (root / "model.xml").write_text(XML.replace(f"{THERE}/", ""))
    scene = load(path, model_file=root / "model.xml")
    assert scene.frames == 3 and "task: pick up the soup" in scene.notes
    with pytest.raises(MissingFileError, match="the model's XML not found; check --model-file"):
        load(path, model_file=tmp_path / "gone.xml")


def test_tasks_and_rates_are_read_however_robocasa_and_mimicgen_wrote_them(tmp_path):
    path = recorded(tmp_path / "demo.hdf5", {"demo_0": np.linspace(0, 1, 4)[:, None]}, xml=_plain())
    with h5py.File(path, "a") as file:
        data = file["data"]
        data.attrs["env_args"] = json.dumps(json.dumps({"env_name": "PnP", "env_kwargs": {"control_freq": 10}}))  # twice
        data["demo_0"].attrs["ep_meta"] = json.dumps({"lang": "open the\nleft drawer", "layout_id": 3})
        data.create_group("demo_0/datagen_info")["eef_pose"] = np.zeros((4, 4, 4))
    scene = load(path)
    assert scene.fps == 10 and "task: open the left drawer" in scene.notes
