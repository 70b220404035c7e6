"""What recordings carry, for the frames that the scene reader takes."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from sim2real.dataset.episodes import episode_of
from sim2real.errors import BadValueError, EmptySceneError, MissingFileError, UnknownNameError, UnreadableFileError
from sim2real.scene import LoadOptions, load

XML = """<mujoco><worldbody><camera name="c" pos="0 -2 1" xyaxes="1 0 0 0 .5 1"/>
<body><joint name="j" type="slide" axis="1 0 0"/><geom type="box" size=".1 .1 .1"/></body></worldbody>
<actuator><motor joint="j"/></actuator></mujoco>"""


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Two demonstrations of a sliding box: 9 frames, whose states are known by their numbers."""
    path, rng = tmp_path_factory.mktemp("demo") / "demo.hdf5", np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file.create_group("data").attrs["problem_info"] = json.dumps({"language_instruction": "slide the box"})
        for demo in ("demo_2", "demo_10"):
            group = file.create_group(f"data/{demo}")
            group.attrs["model_file"] = XML
            time = np.arange(9) / 20
            group["states"] = np.stack([time, rng.standard_normal(9), rng.standard_normal(9)], axis=1)
            group["actions"], group["dones"] = rng.standard_normal((9, 1)).astype(np.float32), np.arange(9) == 8
            group["obs/deep/pos"], group["obs/view_image"] = rng.random((9, 3)), np.zeros((9, 4, 4, 3), np.uint8)
            group["obs/long"], group["next_obs/pos"] = np.zeros((10, 2)), rng.random((9, 3))
    return path


@pytest.mark.parametrize(("demo", "frames", "stride"), [(None, None, 1), ("demo_10", 3, 3), (None, 2, 2), ("demo_10", None, 4)])
def test_rows_are_those_of_the_frames_that_the_scene_has(recording, demo, frames, stride):
    scene = load(recording, LoadOptions(frames=frames, stride=stride), demo=demo)
    found = episode_of(recording, {"demo": demo}, frames=frames, stride=stride)
    assert {len(array) for array in found.arrays.values()} == {scene.frames}
    place = scene.world_from_instance[:, 0, 0, 3]
    assert np.array_equal(found.arrays["states"][:, 1], place), "the box is where the state says"
    chosen = slice(0, None if frames is None else frames * stride, stride)
    with h5py.File(recording) as file:
        whole = {name: file[f"data/{demo or 'demo_2'}"][name][()] for name in found.arrays}
    for name, array in found.arrays.items():
        assert array.dtype == whole[name].dtype and array.tobytes() == whole[name][chosen].tobytes()


def test_pictures_are_left_to_others_and_what_fits_no_frame_is_said(recording):
    found = episode_of(recording)
    assert set(found.arrays) == {"actions", "states", "dones", "obs/deep/pos"}
    assert found.task == "slide the box"
    (note,) = found.notes
    assert "obs/long" in note and "image" not in note


def test_the_demonstrations_own_words_come_first(tmp_path):
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file.create_group("data").attrs["language"] = "of the file"
        file["data/demo_0/states"] = np.zeros((2, 3))
        assert not file["data/demo_0"].attrs
    assert episode_of(tmp_path / "d.h5").task == "of the file"
    with h5py.File(tmp_path / "d.h5", "a") as file:
        file["data/demo_0"].attrs["ep_meta"] = json.dumps({"lang": "of the episode"})
        file["data"].attrs["problem_info"] = "no JSON"
    assert episode_of(tmp_path / "d.h5").task == "of the episode"


@pytest.mark.parametrize(("frames", "stride"), [(None, 1), (3, 2), (None, 4)])
def test_states_files_are_sliced_as_the_scene_is(tmp_path, frames, stride):
    rng = np.random.default_rng(1)
    (tmp_path / "model.xml").write_text(XML)
    arrays = {
        "qpos": rng.random((9, 1)),
        "qvel": rng.random((9, 1)),
        "time": np.arange(9) / 30,
        "ctrl": np.ones((9, 1), np.float32),
    }
    np.savez(tmp_path / "states.npz", **arrays, dt=np.array(0.1), short=np.zeros(4))
    options = {"states": str(tmp_path / "states.npz")}
    scene = load(tmp_path / "model.xml", LoadOptions(frames=frames, stride=stride), states=options["states"])
    found = episode_of(tmp_path / "model.xml", options, frames=frames, stride=stride)
    assert np.array_equal(found.arrays["qpos"][:, 0], scene.world_from_instance[:, 0, 0, 3])
    chosen = slice(0, None if frames is None else frames * stride, stride)
    assert set(found.arrays) == set(arrays) and "dt, short" in found.notes[0]
    assert all(found.arrays[k].tobytes() == v[chosen].tobytes() for k, v in arrays.items())
    assert found.arrays["ctrl"].dtype == np.float32


def test_bare_rows_are_called_states(tmp_path):
    np.save(tmp_path / "states.npy", np.arange(6.0).reshape(3, 2))
    np.save(tmp_path / "one.npy", np.arange(2.0))
    assert episode_of("model.xml", {"states": tmp_path / "states.npy"}).arrays["states"].shape == (3, 2)
    assert episode_of("model.xml", {"states": tmp_path / "one.npy"}).arrays["states"].shape == (1, 2)


def test_scenes_without_a_recording_carry_nothing(tmp_path):
    assert not episode_of("scenes/kitchen.yaml", {"stride": 2}, frames=9).arrays
    assert not episode_of(tmp_path).arrays


def test_recordings_that_do_not_fit_are_refused_in_one_line(recording, tmp_path):
    with pytest.raises(UnknownNameError, match="demo_2, demo_10"):
        episode_of(recording, {"demo": "demo_3"})
    with pytest.raises(BadValueError, match="must be 1 to 5 with a stride of 2"):
        episode_of(recording, frames=6, stride=2)
    with pytest.raises(MissingFileError, match="recording"):
        episode_of(tmp_path / "none.hdf5")
    with pytest.raises(MissingFileError, match="--states"):
        episode_of("model.xml", {"states": tmp_path / "none.npz"})
    np.savez(tmp_path / "odd.npz", other=np.zeros(3))
    with pytest.raises(UnreadableFileError, match="it holds other"):
        episode_of("model.xml", {"states": tmp_path / "odd.npz"})
    (tmp_path / "text.hdf5").write_text("text")
    with pytest.raises(UnreadableFileError, match="recording cannot be read"):
        episode_of(tmp_path / "text.hdf5")
    with h5py.File(tmp_path / "empty.h5", "w") as file:
        file["other"] = 1
    with pytest.raises(EmptySceneError, match="no demonstrations"):
        episode_of(tmp_path / "empty.h5")
    with h5py.File(tmp_path / "short.h5", "w") as file:
        file["data/demo_0/states"], file["data/demo_0/actions"] = np.zeros((4, 3)), np.zeros((3, 2))
    with pytest.raises(BadValueError, match="number of rows of actions is 3, must be 4"):
        episode_of(tmp_path / "short.h5")
