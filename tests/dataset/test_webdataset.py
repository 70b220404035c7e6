"""Shards, read back by the webdataset package."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim2real.clip import read_video
from sim2real.dataset.writers.registry import writer
from sim2real.dataset.writers.webdataset import camera_tokens, write
from sim2real.errors import BadValueError, MissingFileError
from tests.dataset.plain_clips import ODD_CAMERA, contents, elsewhere, plain_clip, with_footage, written

webdataset = pytest.importorskip("webdataset")
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning")
"""The package leaves its shards open until they are collected."""


def samples(folder: Path) -> list[dict]:
    shards = [str(path) for path in sorted(folder.glob("*.tar"))]
    return list(webdataset.WebDataset(shards, shardshuffle=False, empty_check=False).decode())


def frames(data: bytes, tmp_path: Path) -> np.ndarray:
    (tmp_path / "seen.mp4").write_bytes(data)
    return np.stack(list(read_video(tmp_path / "seen.mp4")))


def raw(folder: Path, name: str) -> bytes:
    for shard in sorted(folder.glob("*.tar")):
        with tarfile.open(shard) as file:
            if name in file.getnames():
                return file.extractfile(name).read()
    raise AssertionError(f"no {name}")


def test_a_sample_holds_the_clips_own_values(tiny_clips, tmp_path):
    folder = written(writer("webdataset").write, tiny_clips, tmp_path / "out")
    read = samples(folder)
    assert [sample["__key__"] for sample in read] == [clip.clip_id for clip in tiny_clips]
    for sample, clip in zip(read, tiny_clips, strict=True):
        for camera in clip.clip.cameras:
            depth = np.stack([clip.clip.depth(camera, k) for k in range(clip.clip.frames)])
            ids = np.stack([clip.clip.instances(camera, k) for k in range(clip.clip.frames)])
            assert sample[f"{camera}.depth.npy"].dtype == np.float32 and np.array_equal(sample[f"{camera}.depth.npy"], depth)
            found = sample[f"{camera}.instances.npz"]["ids"]
            assert found.dtype == np.uint16 and np.array_equal(found, ids)
            assert np.array_equal(sample[f"{camera}.noise.npy"], clip.clip.noise(camera))
            video = raw(folder, f"{clip.clip_id}.{camera}.rgb.mp4")
            assert video == (clip.clip.folder(camera) / "rgb.mp4").read_bytes()
            about = sample["meta.json"]["cameras"][camera]
            assert np.array_equal(about["K"], clip.clip.camera(camera).intrinsics)
            assert np.array_equal(about["world_from_camera"], clip.clip.camera(camera).world_from_camera)
        for name, array in clip.episode.items():
            found = sample["episode.npz"][name]
            assert found.dtype == array.dtype and found.tobytes() == array.tobytes()
        assert sample["meta.json"]["task"] == clip.task and sample["meta.json"]["row"] == clip.row
        assert [i["id"] for i in sample["meta.json"]["instances"]] == [i.id for i in clip.clip.record.instances]


def test_shards_are_the_same_bytes_for_the_same_clips(tmp_path):
    clips = [plain_clip(tmp_path / "here", f"plain-{n}") for n in range(2)]
    first = contents(written(write, clips, tmp_path / "first"))
    assert contents(written(write, [elsewhere(clip, tmp_path / "there") for clip in clips], tmp_path / "second")) == first
    with tarfile.open(tmp_path / "first/clips-000000.tar") as file:
        assert {(e.mtime, e.uid, e.gid, e.uname, e.gname) for e in file} == {(0, 0, 0, "", "")}


@pytest.mark.slow
def test_a_shard_is_closed_before_it_is_too_large_and_clips_stay_whole(tmp_path):
    clips = [plain_clip(tmp_path, f"plain-{n}") for n in range(5)]
    whole = written(write, clips, tmp_path / "one")
    size = (whole / "clips-000000.tar").stat().st_size
    folder = written(write, clips, tmp_path / "many", shard_bytes=size // 2)
    shards = sorted(folder.glob("*.tar"))
    assert len(shards) == 3 and [shard.name for shard in shards][2] == "clips-000002.tar"
    assert [sample["__key__"] for sample in samples(folder)] == [clip.clip_id for clip in clips]


@pytest.mark.parametrize("video", [False, True])
def test_footage_is_what_is_trained_on(tmp_path, video):
    clip = with_footage(plain_clip(tmp_path), "front", video=video)
    folder = written(write, [clip], tmp_path / "out")
    shown = frames(raw(folder, "plain.front.rgb.mp4"), tmp_path)
    right = np.stack([255 - clip.clip.rgb("front", k) for k in range(clip.clip.frames)])
    assert np.abs(shown.astype(int) - right).mean() < 6
    about = json.loads(raw(folder, "plain.meta.json"))["cameras"]
    assert (about["front"]["source"], about["wrist"]["source"]) == ("footage", "render")


def test_odd_cameras_and_empty_scenes_are_written(tmp_path):
    clip = plain_clip(tmp_path, "odd", kinds=("rgb",), cameras=(ODD_CAMERA, "FRONT", "front"), instances=0, episode={})
    (sample,) = samples(written(write, [clip], tmp_path / "out"))
    names = {about["name"]: token for token, about in sample["meta.json"]["cameras"].items()}
    assert set(names) == {ODD_CAMERA, "FRONT", "front"}
    assert all(f"{token}.rgb.mp4" in sample for token in names.values()) and "episode.npz" not in sample
    assert sample["meta.json"]["instances"] == []


def test_tokens_of_cameras_are_plain_and_never_the_same():
    tokens = camera_tokens([ODD_CAMERA, "front", "FRONT", "fr.ont", "fr_ont"])
    assert list(tokens.values()) == ["left__eye__1__", "front", "front_2", "fr_ont", "fr_ont_2"]


def test_clips_without_pictures_or_no_clips_are_refused(tmp_path):
    with pytest.raises(MissingFileError, match="rgb of clip plain"):
        written(write, [plain_clip(tmp_path, kinds=("depth",))], tmp_path / "out")
    with pytest.raises(BadValueError, match="at least 1"):
        written(write, [], tmp_path / "none")


def test_arrays_of_any_type_come_back(tmp_path):
    episode = {
        "note": np.array(["a", "\u00e4", ""]),
        "flag": np.array([True, False, True]),
        "half": np.ones((3, 2), np.float16),
    }
    clip = plain_clip(tmp_path, frames=3, kinds=("rgb",), episode=episode)
    folder = written(write, [clip, replace(clip, clip_id="b")], tmp_path / "out")
    with np.load(io.BytesIO(raw(folder, "plain.episode.npz"))) as found:
        assert set(found.files) == set(episode)
        assert all(found[k].dtype == v.dtype and (found[k] == v).all() for k, v in episode.items())
