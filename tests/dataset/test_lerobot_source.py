"""A LeRobot dataset as a source: what the writer wrote, and what other people's files look like."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim2real.dataset.episodes import episode_of
from sim2real.dataset.lerobot_source import episode_arrays, is_lerobot, read_lerobot
from sim2real.dataset.writers.lerobot import write
from sim2real.errors import BadValueError, MissingFileError, UnreadableFileError
from tests.dataset.plain_clips import contents, plain_clip, written


def episode(frames: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "action": rng.standard_normal((frames, 6)).astype(np.float32),
        "observation.state": rng.standard_normal((frames, 6)).astype(np.float32),
        "timestamp": (np.arange(frames) / np.float32(30)).astype(np.float32),
        "next.reward": rng.random(frames).astype(np.float32),
        "next.done": np.arange(frames) == frames - 1,
        "grid": rng.integers(-9, 9, (frames, 2, 3)),
    }


@pytest.fixture
def clips(tmp_path):
    found = [
        plain_clip(tmp_path / "clips", f"plain-{n}", frames=n + 3, fps=30.0, kinds=("rgb",), episode=episode(n + 3, n))
        for n in range(3)
    ]
    names = {"robot_type": "so100", "names": {"action": list("abcdef")}}
    return [replace(clip, task=f"task {n % 2}", row=clip.row | names) for n, clip in enumerate(found)]


@pytest.fixture
def folder(clips, tmp_path):
    return written(write, clips, tmp_path / "dataset", data_mb=0.002, video_mb=0.004)


def test_episodes_are_listed_with_the_places_of_their_pictures(folder, clips):
    source = read_lerobot(folder)
    assert is_lerobot(folder) and (source.fps, source.robot_type) == (30.0, "so100")
    assert [(e.index, e.frames, e.tasks) for e in source.episodes] == [(n, n + 3, (c.task,)) for n, c in enumerate(clips)]
    for item in source.episodes:
        assert set(item.videos) == {"front", "wrist"} and item.data.is_file()
        for video in item.videos.values():
            assert video.path.is_file() and video.to_s - video.from_s == pytest.approx(item.frames / 30)
    assert source.names == {"action": list("abcdef")}


def test_what_was_written_comes_back_to_the_bit(folder, clips):
    source = read_lerobot(folder)
    for number, clip in enumerate(clips):
        found = episode_arrays(source, number)
        for name, array in clip.episode.items():
            assert found[name].dtype == array.dtype and found[name].shape == array.shape, name
            assert found[name].tobytes() == array.tobytes()
        assert not {"index", "frame_index", "episode_index", "task_index"} & set(found)


def test_the_same_recording_goes_in_and_comes_out_again(folder, clips, tmp_path):
    again = []
    for number, clip in enumerate(clips):
        found = episode_of(folder, {"episode": number})
        kept = {name: array for name, array in found.arrays.items() if not name.startswith("camera.")}
        again.append(replace(clip, episode=kept, task=found.task))
    second = written(write, again, tmp_path / "again", data_mb=0.002, video_mb=0.004)
    assert contents(second) == contents(folder), "same episodes, actions, states and times, to the byte"


def test_cameras_are_those_of_the_videos_and_keep_their_features(tmp_path):
    names = ("observation.image", "wrist")
    clip = plain_clip(tmp_path / "clips", kinds=("rgb",), cameras=names, size=(24, 33), frames=3, fps=30.0)
    folder = written(write, [clip], tmp_path / "dataset")
    source = read_lerobot(folder)
    assert {"observation.image", "observation.images.wrist"} <= set(source.features)
    assert source.cameras == dict.fromkeys(names, (24, 34)) and set(source.episode(0).videos) == set(names)
    feature = {"dtype": "video", "shape": [3, 24, 34], "names": ["channels", "height", "width"]}
    odd = {"b": {**feature, "names": None}, "c": {**feature, "shape": [24, 34]}, "d": {**feature, "info": []}}
    found = replace(source, features={"a": feature, **odd, "depth": {**feature, "info": {"video.is_depth_map": True}}}).cameras
    assert found == {"a": (24, 34), "b": None, "c": None, "d": (24, 34)}


def test_paths_of_depth_are_left_to_the_dataset_that_has_the_files(tmp_path):
    clip = plain_clip(tmp_path / "clips", kinds=("rgb", "depth"), frames=3, fps=30.0, episode=episode(3, 0))
    folder = written(write, [clip], tmp_path / "dataset")
    assert {"depth.front", "depth.wrist"} <= set(episode_arrays(read_lerobot(folder), 0))
    found = episode_of(folder)
    assert not any(name.startswith("depth.") for name in found.arrays) and "depth.front" in found.notes[0]


@pytest.mark.parametrize(("frames", "stride"), [(2, 2), (None, 3), (4, 1)])
def test_an_episode_is_sliced_like_a_scene(folder, clips, frames, stride):
    found = episode_of(folder, {"episode": 1}, frames=frames, stride=stride)
    chosen = slice(0, None if frames is None else frames * stride, stride)
    assert np.array_equal(found.arrays["action"], clips[1].episode["action"][chosen])
    assert found.task == "task 1"


def test_files_as_lerobot_and_datasets_write_them_are_read(folder, clips):
    """Lists of variable length, rows out of order, several episodes in a file."""
    source = read_lerobot(folder)
    tables = [pq.read_table(source.episode(n).data).filter(pa.compute.field("episode_index") == n) for n in range(3)]
    whole = pa.concat_tables(tables)
    rows = pd.DataFrame({name: whole.column(name).to_pylist() for name in whole.column_names}).sample(frac=1, random_state=0)
    schema = pa.schema([pa.field(f.name, pa.list_(f.type.value_type) if f.name == "action" else f.type) for f in whole.schema])
    pq.write_table(pa.Table.from_pandas(rows, schema=schema, preserve_index=False), folder / "data/all.parquet")
    moved = replace(source, episodes=tuple(replace(e, data=folder / "data/all.parquet") for e in source.episodes))
    for number, clip in enumerate(clips):
        found = episode_arrays(moved, number)
        assert all(found[name].tobytes() == array.tobytes() for name, array in clip.episode.items())


def test_damaged_and_foreign_folders_are_refused_in_one_line(folder, tmp_path):
    with pytest.raises(MissingFileError, match="meta/info.json"):
        read_lerobot(tmp_path)
    with pytest.raises(BadValueError, match="episode is 7, must be 0 to 2"):
        episode_arrays(read_lerobot(folder), 7)
    source = read_lerobot(folder)
    data = source.episode(0).data
    short = pq.read_table(data).slice(1)
    pq.write_table(short, data)
    with pytest.raises(UnreadableFileError, match="2 rows for 3 frames"):
        episode_arrays(source, 0)
    data.write_bytes(b"no parquet")
    with pytest.raises(UnreadableFileError, match="episode 0 cannot be read"):
        episode_arrays(source, 0)
    data.unlink()
    with pytest.raises(MissingFileError, match="data of episode 0"):
        episode_arrays(source, 0)
    info = json.loads((folder / "meta/info.json").read_text())
    del info["fps"]
    (folder / "meta/info.json").write_text(json.dumps(info))
    with pytest.raises(UnreadableFileError, match="fps is missing or wrong"):
        read_lerobot(folder)
    (folder / "meta/info.json").write_text(json.dumps(info | {"codebase_version": "v2.1"}))
    with pytest.raises(UnreadableFileError, match="version v2.1, not v3.0; convert it"):
        read_lerobot(folder)
    (folder / "meta/info.json").write_text(json.dumps(info | {"codebase_version": "v3.0"}))
    next(folder.glob("meta/episodes/*/*.parquet")).write_bytes(b"PAR1")
    with pytest.raises(UnreadableFileError, match="list of episodes"):
        read_lerobot(folder)
