from __future__ import annotations

import numpy as np
import pytest

from sim2real.errors import BadValueError, UnknownNameError, UnreadableFileError
from sim2real.scene import load
from sim2real.scene.readers.mujoco.states import read_states
from sim2real.scene.readers.robomimic import _read_demo


def test_a_truncated_recording_says_how_much_of_it_is_there(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "demo.hdf5"
    with h5py.File(path, "w") as file:
        file["data/demo_0/states"] = np.zeros((50, 14))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    right = f"it is truncated, {len(whole) // 2} of {len(whole)} bytes are there; copy it again"
    with pytest.raises(UnreadableFileError, match=right):
        _read_demo(path, None)
    path.write_text("no recording")
    with pytest.raises(UnreadableFileError, match="it is no HDF5 file"):
        _read_demo(path, None)


def test_states_of_another_kind_are_refused_in_our_own_words(tmp_path):
    np.savetxt(tmp_path / "states.txt", np.zeros((3, 14)), delimiter=",")
    with pytest.raises(
        BadValueError, match=r"the kind of states file is '.txt', must be .npy, .npz or .csv; write them with numpy.save"
    ):
        read_states(tmp_path / "states.txt")


def test_links_that_lead_nowhere_and_states_that_no_memory_holds_are_no_crash(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "demo.hdf5"
    with h5py.File(path, "w") as file:
        demo = file.create_group("data/demo_0")
        demo.attrs["model_file"] = "<mujoco/>"
        demo.create_dataset("states", (10**9, 10**6), "f8", chunks=(100, 14))
        file["data/demo_1"] = h5py.SoftLink("/nowhere")
        file["data/demo_2"] = h5py.SoftLink("/data/demo_2")
        file["data/demo_3/states"] = h5py.ExternalLink("absent.hdf5", "/states")
    with pytest.raises(UnreadableFileError, match=r"demonstration demo_0.*need 8000000 GB of memory"):
        _read_demo(path, None)
    with pytest.raises(UnknownNameError, match="'demo_1'.*valid: demo_0$|did you mean 'demo_0'"):
        _read_demo(path, "demo_1")


@pytest.mark.parametrize("states", [b"text", np.zeros(3, "S2"), np.zeros((2, 2, 2)), np.zeros((3, 14), [("a", "f8")])])
def test_states_that_are_no_table_of_numbers_name_the_demonstration(tmp_path, states):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "demo.hdf5", "w") as file:
        file["data/demo_7/states"] = states
        file["data/demo_7"].attrs["model_file"] = "<mujoco/>"
    with pytest.raises(UnreadableFileError, match="demonstration demo_7 .*must be a table of numbers"):
        _read_demo(tmp_path / "demo.hdf5", None)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ('<geom size=".1" pos="nan 0 0"/>', "pos of geom 0 is not finite"),
        ('<geom size="1e20"/>', "size of geom 0 is not finite, or beyond 1e\\+09"),
        ('<geom size=".1" rgba="inf 0 0 1"/>', "rgba of geom 0"),
        ('<geom size=".1"/><camera fovy="nan"/>', "fovy of cam 0"),
        ('<body name="b\xe9"><geom size=".1"/></body>', "a name is no UTF-8"),
    ],
)
def test_what_mujoco_compiles_and_nobody_can_show_is_refused_without_a_log_file(tmp_path, monkeypatch, capfd, model, says):
    pytest.importorskip("mujoco")
    monkeypatch.chdir(tmp_path)
    text = f"<mujoco><worldbody>{model}</worldbody></mujoco>"
    (tmp_path / "a.xml").write_bytes(text.encode("latin-1"))
    with pytest.raises(UnreadableFileError, match=says):
        load(tmp_path / "a.xml")
    assert [path.name for path in tmp_path.iterdir()] == ["a.xml"] and capfd.readouterr().err == ""
