from __future__ import annotations

import numpy as np
import pytest

from sim2real.errors import BadValueError, UnreadableFileError
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


def test_states_in_a_table_of_text_are_refused_in_our_own_words(tmp_path):
    np.savetxt(tmp_path / "states.csv", np.zeros((3, 14)), delimiter=",")
    with pytest.raises(
        BadValueError, match=r"the kind of states file is '.csv', must be .npy or .npz; write them with numpy.save"
    ):
        read_states(tmp_path / "states.csv")
