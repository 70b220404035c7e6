"""LeRobot datasets: read back by pyarrow, pandas and PyAV as the published layout says, and by lerobot where there is one."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from sim2real.clip.images import read_depth
from sim2real.dataset.writers.lerobot import write
from sim2real.dataset.writers.lerobot.statistics import PictureStatistics, array_statistics, pooled
from sim2real.dataset.writers.registry import writer
from sim2real.errors import BadValueError, MissingFileError
from sim2real.yuv import rgb_picture
from tests.dataset.plain_clips import ODD_CAMERA, contents, elsewhere, plain_clip, with_footage, written


class Dataset:
    """A reader that knows the published layout and nothing of the writer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.info = json.loads((folder / "meta/info.json").read_text(encoding="utf-8"))
        self.stats = json.loads((folder / "meta/stats.json").read_text(encoding="utf-8"))
        self.tasks = pd.read_parquet(folder / "meta/tasks.parquet")
        files = sorted(folder.glob("meta/episodes/*/*.parquet"))
        self.episodes = [row for file in files for row in pq.read_table(file).to_pylist()]

    def rows(self, episode: int):
        row = self.episodes[episode]
        names = {"chunk_index": row["data/chunk_index"], "file_index": row["data/file_index"]}
        table = pq.read_table(self.folder / self.info["data_path"].format(**names))
        return table.filter(np.equal(table.column("episode_index").to_numpy(), episode))

    def column(self, episode: int, name: str) -> np.ndarray:
        values = self.rows(episode).column(name).combine_chunks()
        while hasattr(values, "flatten") and "list" in str(values.type):
            values = values.flatten()
        return values.to_numpy(zero_copy_only=False).reshape(-1, *self.info["features"][name]["shape"])

    def pictures(self, episode: int, key: str) -> list[np.ndarray]:
        """Every frame whose time is that of a row, as a loader finds it."""
        row = self.episodes[episode]
        names = {name: row[f"videos/{key}/{name}"] for name in ("chunk_index", "file_index")}
        start = row[f"videos/{key}/from_timestamp"]
        with av.open(str(self.folder / self.info["video_path"].format(video_key=key, **names))) as file:
            found = {float(f.pts * f.time_base): rgb_picture(f) for f in file.decode(video=0)}
        times = np.array(list(found))
        wanted = [start + float(t) for t in self.column(episode, "timestamp").ravel()]
        nearest = [times[np.abs(times - t).argmin()] for t in wanted]
        assert np.abs(np.array(nearest) - wanted).max() < 1e-4, "LeRobot refuses frames that are farther away in time"
        return [found[t] for t in nearest]


def check(folder: Path, clips) -> Dataset:
    """Refuse a dataset that is not what the layout says, or does not hold the clips."""
    data = Dataset(folder)
    assert data.info["codebase_version"] == "v3.0"
    assert data.info["total_episodes"] == len(data.episodes) == len(clips)
    assert data.info["total_frames"] == sum(c.clip.frames for c in clips)
    assert data.info["splits"] == {"train": f"0:{len(clips)}"}
    start = 0
    for number, (row, clip) in enumerate(zip(data.episodes, clips, strict=True)):
        frames = clip.clip.frames
        assert (row["episode_index"], row["length"], row["tasks"]) == (number, frames, [clip.task])
        assert (row["dataset_from_index"], row["dataset_to_index"]) == (start, start + frames)
        table = data.rows(number)
        assert set(table.column_names) == {k for k, f in data.info["features"].items() if f["dtype"] != "video"}
        assert table.column("index").to_pylist() == list(range(start, start + frames))
        assert table.column("frame_index").to_pylist() == list(range(frames))
        assert {data.tasks.index[i] for i in table.column("task_index").to_pylist()} == {clip.task}
        for camera in clip.clip.cameras:
            key = f"observation.images.{camera}"
            assert data.info["features"][key]["dtype"] == "video"
            shown = data.pictures(number, key)
            for picture, right in zip(shown, clip.pictures(camera), strict=True):
                assert list(picture.shape) == data.info["features"][key]["shape"]
                height, width = right.shape[:2]
                assert np.abs(picture[:height, :width].astype(int) - right).mean() < 6
            assert np.array_equal(data.column(number, f"camera.{camera}.K"), clip.clip.camera(camera).intrinsics)
            world = clip.clip.camera(camera).world_from_camera
            assert np.array_equal(data.column(number, f"camera.{camera}.world_from_camera"), world)
        start += frames
    return data


@pytest.fixture(scope="module")
def dataset(tiny_clips, tmp_path_factory) -> Path:
    return written(writer("lerobot").write, tiny_clips, tmp_path_factory.mktemp("lerobot") / "out")


def test_clips_become_episodes_with_their_pictures_cameras_and_counters(dataset, tiny_clips):
    check(dataset, tiny_clips)


def test_what_the_recording_carries_is_there_to_the_bit(dataset, tiny_clips):
    data = Dataset(dataset)
    names = {"action": "action", "state": "observation.state", "timestamp": "source_timestamp"}
    for number, clip in enumerate(tiny_clips):
        for own, name in names.items():
            found = data.column(number, name)
            assert found.dtype == clip.episode[own].dtype == np.dtype(data.info["features"][name]["dtype"])
            assert found.tobytes() == clip.episode[own].tobytes()


def test_depth_is_the_clips_own_and_no_input_that_policies_take(dataset, tiny_clips):
    data = Dataset(dataset)
    for number, clip in enumerate(tiny_clips):
        for camera in clip.clip.cameras:
            assert data.info["features"][f"depth.{camera}"]["dtype"] == "string"
            for frame, file in enumerate(data.rows(number).column(f"depth.{camera}").to_pylist()):
                assert np.array_equal(read_depth(dataset / file), clip.clip.depth(camera, frame))
    inputs = [k for k, f in data.info["features"].items() if k.startswith("observation") or f["dtype"] in ("video", "image")]
    assert set(inputs) == {"observation.state", *(f"observation.images.{c}" for c in tiny_clips[0].clip.cameras)}


def test_statistics_are_those_of_all_frames(dataset, tiny_clips):
    data = Dataset(dataset)
    actions = np.concatenate([c.episode["action"] for c in tiny_clips]).astype(np.float64)
    for what, values in {"min": actions.min(0), "max": actions.max(0), "mean": actions.mean(0), "std": actions.std(0)}.items():
        assert np.allclose(data.stats["action"][what], values, atol=1e-12)
    assert data.stats["action"]["count"] == [len(actions)]
    camera = tiny_clips[0].clip.cameras[0]
    shown = np.stack([p for c in tiny_clips for p in c.pictures(camera)]) / 255
    found = data.stats[f"observation.images.{camera}"]
    for what, values in (("mean", shown.mean((0, 1, 2))), ("std", shown.std((0, 1, 2))), ("max", shown.max((0, 1, 2)))):
        assert np.allclose(found[what], values[:, None, None], atol=1e-9)
    own = {k.removeprefix("stats/action/"): v for k, v in data.episodes[1].items() if k.startswith("stats/action/")}
    assert np.allclose(own["q90"], np.quantile(tiny_clips[1].episode["action"].astype(np.float64), 0.9, axis=0))


def test_the_bytes_depend_on_the_clips_alone(tmp_path):
    clips = [plain_clip(tmp_path / "here", f"plain-{n}") for n in range(2)]
    first = contents(written(write, clips, tmp_path / "first"))
    moved = [elsewhere(clip, tmp_path / "there") for clip in clips]
    assert contents(written(write, moved, tmp_path / "second")) == first


@pytest.mark.slow
def test_files_stay_within_their_limits_and_every_episode_is_found_again(tmp_path):
    clips = [plain_clip(tmp_path, f"plain-{n}", cameras=("front",)) for n in range(5)]
    folder = written(write, clips, tmp_path / "out", data_mb=0.004, video_mb=0.004)
    data = check(folder, clips)
    assert data.info["data_files_size_in_mb"] == 0.004
    assert 1 < len(list(folder.glob("data/*/*.parquet"))) < 5
    assert len(list(folder.glob("videos/*/*/*.mp4"))) > 1
    assert len(list(folder.glob("meta/episodes/*/*.parquet"))) == 5, "an episode's row with its statistics is beyond the limit"


def test_videos_are_split_by_size_between_episodes(tmp_path):
    from sim2real.dataset.writers.lerobot.videos import CameraVideos

    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (32, 48, 3), np.uint8) for _ in range(4)]
    alone = CameraVideos(tmp_path / "alone", "key", Fraction(12), 2**20)
    alone.add(iter(pictures))
    alone.close()
    limit = 5 * next((tmp_path / "alone").rglob("*.mp4")).stat().st_size // 2
    videos = CameraVideos(tmp_path / "all", "key", Fraction(12), limit)
    places = [videos.add(iter(pictures)) for _ in range(5)]
    videos.close()
    files = sorted((tmp_path / "all").rglob("*.mp4"))
    assert len(files) == 3 and all(file.stat().st_size <= limit for file in files)
    assert [(place.file.file_index, place.first_frame) for place in places] == [(0, 0), (0, 4), (1, 0), (1, 4), (2, 0)]


def test_odd_clips_are_written_like_any_other(tmp_path):
    episode = {"states": np.arange(12, dtype=">f8").reshape(3, 4), "obs/gripper": np.ones((3, 2, 2), np.float16)}
    episode |= {
        "ctrl": np.zeros((3, 0)),
        "index": np.arange(3),
        "note": np.array(["a", "", "\u00e4"]),
        "done": np.eye(3)[0] > 0,
    }
    shape = {"frames": 3, "size": (23, 31), "cameras": (ODD_CAMERA,), "fps": 23.976, "instances": 0}
    clip = plain_clip(tmp_path, "odd", kinds=("rgb",), episode=episode, **shape)
    data = check(
        written(write, [clip, replace(clip, clip_id="twin", task="")], tmp_path / "out"), [clip, replace(clip, task="")]
    )
    assert data.info["fps"] == 23.976 and not [k for k in data.info["features"] if k.startswith("depth")]
    assert np.array_equal(data.column(0, "observation.state"), episode["states"])
    assert data.column(0, "obs.gripper").dtype == np.float16 and data.column(0, "source_index").ravel().tolist() == [0, 1, 2]
    assert data.rows(0).column("note").to_pylist() == ["a", "", "\u00e4"]
    assert data.column(0, "done").ravel().tolist() == [True, False, False]
    assert "ctrl" not in data.info["features"]


def test_float32_timestamps_of_a_recording_stay_themselves(tmp_path):
    own = np.nextafter(np.arange(4, dtype=np.float32) / np.float32(12), np.float32(9))
    clip = plain_clip(tmp_path, episode={"timestamp": own, "action": np.zeros((4, 1), np.float32)})
    data = check(written(write, [clip], tmp_path / "out"), [clip])
    assert data.column(0, "timestamp").tobytes() == own.tobytes()
    assert "source_timestamp" not in data.info["features"]


@pytest.mark.parametrize("video", [False, True])
def test_footage_takes_the_place_of_the_render(tmp_path, video):
    clip = with_footage(plain_clip(tmp_path), "front", video=video)
    check(written(write, [clip], tmp_path / "out"), [clip])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fps": 10.0}, "frame rate of plain and other is 12 and 10"),
        ({"cameras": ("front",)}, "cameras of plain and other is front, wrist and front"),
        ({"size": (24, 40)}, "pictures' size of plain and other is video 24x32x3 and video 24x40x3"),
        ({"episode": {}}, "feature action of plain and other is float32 3 and none"),
        ({"episode": {"action": np.zeros((4, 3))}}, "feature action of plain and other is float32 3 and float64 3"),
    ],
)
def test_clips_that_are_not_alike_are_refused_by_name(tmp_path, changes, words):
    clips = [plain_clip(tmp_path), plain_clip(tmp_path, "other", **changes)]
    with pytest.raises(BadValueError, match=words) as error:
        written(write, clips, tmp_path / "out")
    assert len(str(error.value).splitlines()) == 1


def test_a_clip_without_pictures_says_how_to_get_them(tmp_path):
    with pytest.raises(MissingFileError, match=r"rgb of clip plain.*sim2real render"):
        written(write, [plain_clip(tmp_path, kinds=("depth",))], tmp_path / "out")
    with pytest.raises(BadValueError, match="at least 1"):
        written(write, [], tmp_path / "none")


def test_arrays_that_lerobot_has_no_column_for_are_refused(tmp_path):
    clip = plain_clip(tmp_path, episode={"action": np.zeros((4, 2)), "actions": np.zeros((4, 2))})
    with pytest.raises(BadValueError, match="column action is there twice"):
        written(write, [clip], tmp_path / "twice")
    with pytest.raises(BadValueError, match="array odd is complex128"):
        written(write, [replace(clip, episode={"odd": np.zeros((4, 2), complex)})], tmp_path / "complex")


def test_statistics_of_parts_pool_to_those_of_the_whole():
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal((n, 3)) * n for n in (2, 9, 30)]
    whole, pool = array_statistics(np.concatenate(parts)), pooled([array_statistics(part) for part in parts])
    for what in ("min", "max", "mean", "std", "count"):
        assert np.allclose(pool[what], whole[what])


def test_statistics_leave_out_what_is_not_finite():
    found = array_statistics(np.array([[1.0, np.nan], [3.0, np.inf]]))
    assert found["mean"].tolist() == [2.0, 0.0] and found["max"].tolist() == [3.0, 0.0]


def test_histograms_give_the_statistics_of_pictures():
    rng = np.random.default_rng(1)
    pictures = rng.integers(40, 90, (5, 6, 7, 3), np.uint8)
    seen = PictureStatistics()
    assert np.array_equal(np.stack(list(seen.watched(iter(pictures)))), pictures)
    values = pictures.reshape(-1, 3) / 255
    found = seen.result()
    for what, right in (("min", values.min(0)), ("max", values.max(0)), ("mean", values.mean(0)), ("std", values.std(0))):
        assert np.allclose(found[what].ravel(), right)
    assert np.allclose(found["q50"].ravel(), np.quantile(values, 0.5, axis=0, method="lower"))
    assert found["count"].tolist() == [5] and found["q01"].shape == (3, 1, 1)


@pytest.mark.skipif(importlib.util.find_spec("lerobot") is None, reason="lerobot has an environment of its own")
def test_lerobot_itself_loads_a_batch(dataset, tiny_clips):
    import torch
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    loaded = LeRobotDataset("local/dataset", root=dataset, video_backend="pyav")
    assert (len(loaded), loaded.num_episodes) == (10, 2)
    batch = next(iter(torch.utils.data.DataLoader(loaded, batch_size=10)))
    assert torch.equal(batch["action"], torch.from_numpy(np.concatenate([c.episode["action"] for c in tiny_clips])))
    camera = tiny_clips[0].clip.cameras[0]
    shown = np.stack([p for c in tiny_clips for p in c.pictures(camera)]).transpose(0, 3, 1, 2) / 255
    assert np.abs(batch[f"observation.images.{camera}"].numpy() - shown).mean() < 4 / 255
