"""robomimic's HDF5, read back by h5py as robomimic does it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from sim2real.clip import SceneRecord
from sim2real.dataset.clips import DatasetClip
from sim2real.dataset.episodes import episode_of
from sim2real.dataset.writers.registry import writer
from sim2real.dataset.writers.robomimic import demo_names
from sim2real.errors import BadValueError, MissingFileError, UnknownNameError
from tests.dataset.plain_clips import ODD_CAMERA, contents, elsewhere, plain_clip, record_of, with_footage, written


def write(clips, folder):
    writer("robomimic").write(clips, folder)


def recording(path: Path, demos: tuple[str, ...] = ("demo_0", "demo_2"), env_name: str = "Lift") -> Path:
    """What robosuite's collection script leaves, and robomimic's split of it."""
    rng = np.random.default_rng(len(env_name))
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        data.attrs["env_args"] = json.dumps({"env_name": env_name, "type": 1, "env_kwargs": {"control_freq": 20}})
        data.attrs["total"] = 6 * len(demos)
        for demo in demos:
            group = data.create_group(demo)
            group.attrs["model_file"] = "<mujoco/>" + " " * 100_000  # as long as real ones
            group.attrs["num_samples"], group.attrs["ep_meta"] = 6, json.dumps({"lang": f"lift it ({demo})"})
            group["states"], group["actions"] = rng.standard_normal((6, 14)), rng.standard_normal((6, 7))
            group["rewards"], group["dones"] = rng.random(6), np.array([0, 0, 0, 0, 0, 1])
            group["obs/robot0_eef_pos"] = rng.standard_normal((6, 3)).astype(np.float32)
        file["mask/train"] = np.array([demos[-1]], dtype="S8")
    return path


def clip_of(source: Path, folder: Path, clip_id: str, demo: str | None, *, frames: int = 6, stride: int = 1) -> DatasetClip:
    """A clip that says that it was made of a recording."""
    options = {} if demo is None else {"demo": demo}
    record = record_of(frames=frames, size=(24, 32), cameras=("agentview", ODD_CAMERA), fps=20.0, instances=2)
    record = record.model_copy(update={"scene": SceneRecord(path=str(source), sha256="0" * 64, options=options)})
    found = episode_of(source, options, frames=frames, stride=stride)
    clip = plain_clip(folder, clip_id, record=record, kinds=("rgb", "depth"), episode=found.arrays)
    return replace(clip, row={} if demo is None else {"demo": demo}, task=found.task)


@pytest.fixture
def clips(tmp_path) -> list[DatasetClip]:
    source = recording(tmp_path / "demo.hdf5")
    return [clip_of(source, tmp_path / "clips", f"clip-{demo}", demo) for demo in ("demo_0", "demo_2")]


def test_the_same_demonstrations_come_out_with_new_pictures(clips, tmp_path):
    folder = written(write, clips, tmp_path / "out")
    with h5py.File(folder / "dataset.hdf5") as new, h5py.File(tmp_path / "demo.hdf5") as old:
        assert sorted(new["data"]) == ["demo_0", "demo_2"] and new["data"].attrs["total"] == 12
        assert new["data"].attrs["env_args"] == old["data"].attrs["env_args"]
        assert new["mask/train"][()].tolist() == [b"demo_2"]
        for clip, demo in zip(clips, ("demo_0", "demo_2"), strict=True):
            there, here = old[f"data/{demo}"], new[f"data/{demo}"]
            for name in ("actions", "states", "rewards", "dones", "obs/robot0_eef_pos"):
                assert here[name].dtype == there[name].dtype and here[name][()].tobytes() == there[name][()].tobytes()
            for name in ("model_file", "num_samples", "ep_meta"):
                assert here.attrs[name] == there.attrs[name]
            for camera in clip.clip.cameras:
                pictures, depth = here[f"obs/{camera}_image"], here[f"obs/{camera}_depth"]
                assert pictures.dtype == np.uint8 and depth.dtype == np.float32
                assert np.array_equal(pictures[()], np.stack(list(clip.pictures(camera))))
                right = np.stack([clip.clip.depth(camera, frame) for frame in range(6)])[..., None]
                assert np.array_equal(depth[()], right)
            assert here.attrs["task"] == f"lift it ({demo})" and here.attrs["clip_id"] == clip.clip_id


def test_a_clip_of_some_frames_has_their_actions(tmp_path):
    source = recording(tmp_path / "demo.hdf5")
    clip = clip_of(source, tmp_path / "clips", "short", "demo_2", frames=3, stride=2)
    with h5py.File(written(write, [clip], tmp_path / "out") / "dataset.hdf5") as new, h5py.File(source) as old:
        assert np.array_equal(new["data/demo_2/actions"], old["data/demo_2/actions"][0:6:2])
        assert new["data/demo_2"].attrs["num_samples"] == 3


def test_several_clips_of_one_demonstration_have_names_that_robomimic_can_sort(tmp_path):
    source = recording(tmp_path / "demo.hdf5")
    demos = ("demo_0", "demo_0", None, "demo_2")
    clips = [clip_of(source, tmp_path / "clips", f"clip-{n}", demo) for n, demo in enumerate(demos)]
    with h5py.File(written(write, clips, tmp_path / "out") / "dataset.hdf5") as file:
        said = {name: (group.attrs["clip_id"], group.attrs["source_demo"]) for name, group in file["data"].items()}
    right = {"demo_0": ("clip-0", "demo_0"), "demo_3": ("clip-1", "demo_0"), "demo_4": ("clip-2", "demo_0")}
    assert said == right | {"demo_2": ("clip-3", "demo_2")}


def test_names_are_kept_where_they_can_be_and_numbered_where_not():
    assert demo_names(["demo_3", None, "demo_3", "demo_0", "episode_7", "demo_01"]) == [
        "demo_3",
        "demo_4",
        "demo_5",
        "demo_0",
        "demo_6",
        "demo_7",
    ]
    assert demo_names([None, None]) == ["demo_0", "demo_1"] and demo_names([]) == []


@pytest.mark.slow
def test_the_bytes_depend_on_the_clips_alone(clips, tmp_path):
    first = contents(written(write, clips, tmp_path / "first"))
    time.sleep(1.1)  # HDF5 keeps times in seconds, unless told not to
    assert contents(written(write, [elsewhere(clip, tmp_path / "there") for clip in clips], tmp_path / "second")) == first


def test_clips_of_other_sources_are_demonstrations_too(tiny_clips, tmp_path):
    with h5py.File(written(write, tiny_clips, tmp_path / "out") / "dataset.hdf5") as file:
        assert json.loads(file["data"].attrs["env_args"])["env_name"] == "moving"
        for name, clip in zip(("demo_0", "demo_1"), tiny_clips, strict=True):
            assert np.array_equal(file[f"data/{name}/actions"], clip.episode["action"])
            assert np.array_equal(file[f"data/{name}/states"], clip.episode["state"])
            assert np.array_equal(file[f"data/{name}/timestamp"], clip.episode["timestamp"])


@pytest.mark.parametrize("video", [False, True])
def test_footage_takes_the_place_of_the_render(tmp_path, video):
    clip = with_footage(plain_clip(tmp_path, kinds=("rgb",)), "front", video=video)
    with h5py.File(written(write, [clip], tmp_path / "out") / "dataset.hdf5") as file:
        assert np.array_equal(file["data/demo_0/obs/front_image"], np.stack(list(clip.pictures("front"))))
        assert "front_depth" not in file["data/demo_0/obs"]


def test_texts_and_flags_are_kept(tmp_path):
    episode = {"actions": np.zeros((4, 2)), "note": np.array(["a", "", "\u00e4", "b"]), "flag": np.eye(4)[0] > 0}
    clip = plain_clip(tmp_path, kinds=("rgb",), episode=episode)
    with h5py.File(written(write, [clip], tmp_path / "out") / "dataset.hdf5") as file:
        assert [note.decode() for note in file["data/demo_0/note"][()]] == ["a", "", "\u00e4", "b"]
        assert file["data/demo_0/flag"][()].tolist() == [True, False, False, False]


def test_what_cannot_be_a_demonstration_is_refused_in_one_line(clips, tmp_path):
    with pytest.raises(BadValueError, match="the table of actions is missing.*plain"):
        written(write, [plain_clip(tmp_path, episode={})], tmp_path / "a")
    other = clip_of(recording(tmp_path / "other.hdf5", env_name="Stack"), tmp_path / "o", "other", "demo_0")
    with pytest.raises(BadValueError, match="env_args of the recordings is different for clip-demo_0 and other"):
        written(write, [clips[0], other], tmp_path / "b")
    twice = {"action": np.zeros((4, 2)), "actions": np.zeros((4, 2))}
    with pytest.raises(BadValueError, match="array actions is there twice"):
        written(write, [plain_clip(tmp_path / "twice", episode=twice)], tmp_path / "c")
    old = {"actions": np.zeros((4, 2)), "obs/front_image": np.zeros((4, 2))}
    with pytest.raises(BadValueError, match="obs/front_image"):
        written(write, [plain_clip(tmp_path / "old", episode=old)], tmp_path / "d")
    with pytest.raises(UnknownNameError, match="demo_9"):
        written(write, [replace(clips[0], row={"demo": "demo_9"})], tmp_path / "e")
    with pytest.raises(MissingFileError, match="rgb of clip plain"):
        written(write, [plain_clip(tmp_path / "dark", kinds=("depth",))], tmp_path / "f")
    (tmp_path / "demo.hdf5").unlink()
    with pytest.raises(MissingFileError, match="recording of clip clip-demo_0"):
        written(write, clips, tmp_path / "g")
    with pytest.raises(BadValueError, match="at least 1"):
        written(write, [], tmp_path / "h")
