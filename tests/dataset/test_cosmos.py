"""The folder of CosmosWriter, read back by Pillow, PyAV and json."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from sim2real.clip import read_video
from sim2real.clip.report.colors import id_colors
from sim2real.conditions.depth import DepthRange, control_depth
from sim2real.dataset.writers.cosmos import MODALITIES, write
from sim2real.dataset.writers.registry import writer
from sim2real.errors import MissingFileError
from tests.dataset.plain_clips import ODD_CAMERA, contents, elsewhere, plain_clip, with_footage, written


def picture(folder, name: str, frame: int) -> np.ndarray:
    return np.array(Image.open(folder / name / f"{name}_{frame:04d}.png"))


@pytest.fixture(scope="module")
def dataset(tiny_clips, tmp_path_factory):
    return written(writer("cosmos").write, tiny_clips, tmp_path_factory.mktemp("cosmos") / "out")


def test_every_clip_and_camera_has_five_modalities_as_pictures_and_videos(dataset, tiny_clips):
    index = json.loads((dataset / "clips.json").read_text())
    assert [(e["clip_id"], e["camera"]) for e in index] == [(c.clip_id, k) for c in tiny_clips for k in c.clip.cameras]
    for entry in index:
        folder, clip = dataset / entry["folder"], next(c for c in tiny_clips if c.clip_id == entry["clip_id"])
        for name in MODALITIES:
            assert len(list((folder / name).glob(f"{name}_????.png"))) == clip.clip.frames
            shown = list(read_video(folder / f"{name}.mp4"))
            assert len(shown) == clip.clip.frames
            still = picture(folder, name, 2).reshape(*clip.clip.record.size, -1)
            assert np.abs(shown[2].astype(int) - still).mean() < 6, name


def test_pictures_are_those_of_the_clip(dataset, tiny_clips):
    for entry in json.loads((dataset / "clips.json").read_text()):
        folder, clip = dataset / entry["folder"], next(c for c in tiny_clips if c.clip_id == entry["clip_id"]).clip
        camera, depth_range = entry["camera"], DepthRange(*clip.record.depth_range_m)
        colors = {e["id"]: e["rgb"] for e in entry["colors"]}
        assert entry["depth_range_m"] == list(clip.record.depth_range_m)
        for frame in range(clip.frames):
            ids = clip.instances(camera, frame)
            assert np.array_equal(picture(folder, "rgb", frame), clip.rgb(camera, frame))
            assert np.array_equal(picture(folder, "edges", frame), clip.edges(camera, frame))
            assert np.array_equal(picture(folder, "depth", frame), control_depth(clip.depth(camera, frame), depth_range))
            labels, lit = picture(folder, "segmentation", frame), picture(folder, "shaded_seg", frame)
            for number, color in colors.items():
                assert np.array_equal(labels[ids == number], np.broadcast_to(color, ((ids == number).sum(), 3)))
            assert not labels[ids == 0].any() and (lit <= labels).all()
            facing = (clip.normals(camera, frame)[..., 2] < 40) & (ids > 0)
            aside = (clip.normals(camera, frame)[..., 2] > 110) & (ids > 0)
            share = lit.sum(-1) / np.maximum(labels.sum(-1), 1)
            if facing.any() and aside.any():
                assert share[facing].min() > share[aside].max()


def test_the_spec_names_files_that_are_there(dataset, tiny_clips):
    for folder in sorted(dataset.glob("clip_*")):
        spec = json.loads((folder / "spec.json").read_text())
        assert (folder / spec["video_path"]).is_file() and spec["prompt"] == tiny_clips[0].task
        for control in ("depth", "edge", "seg"):
            assert (folder / spec[control]["control_path"]).is_file() and 0 < spec[control]["control_weight"] <= 1
        assert "control_path" not in spec["vis"], "Cosmos blurs the input itself"
        assert (spec["guidance"], spec["num_steps"]) == (3, 35)
    assert [json.loads((f / "spec.json").read_text())["seed"] for f in sorted(dataset.glob("clip_*"))] == [3, 3, 4, 4]


@pytest.mark.slow
def test_colors_are_those_of_the_clips_reports_whatever_else_there_is(tmp_path):
    few, many = plain_clip(tmp_path, "few", instances=1), plain_clip(tmp_path, "many", instances=40)
    index = json.loads((written(write, [few, many], tmp_path / "out") / "clips.json").read_text())
    assert index[0]["colors"][0]["rgb"] == index[2]["colors"][0]["rgb"] == id_colors(2)[1].tolist()


@pytest.mark.slow
def test_the_bytes_depend_on_the_clips_alone(tmp_path):
    clips = [plain_clip(tmp_path / "here", f"plain-{n}") for n in range(2)]
    first = contents(written(write, clips, tmp_path / "first"))
    assert contents(written(write, [elsewhere(clip, tmp_path / "there") for clip in clips], tmp_path / "second")) == first


def test_footage_stands_beside_what_it_was_made_from(tmp_path):
    clip = with_footage(plain_clip(tmp_path), "wrist")
    folder = written(write, [clip], tmp_path / "out")
    assert not (folder / "clip_0000/generated.mp4").exists()
    assert np.array_equal(picture(folder / "clip_0001", "rgb", 1), clip.clip.rgb("wrist", 1))
    shown = list(read_video(folder / "clip_0001/generated.mp4"))
    assert np.abs(shown[1].astype(int) - (255 - clip.clip.rgb("wrist", 1))).mean() < 6
    assert json.loads((folder / "clip_0001/spec.json").read_text())["prompt"] == "a mug of tin"
    told = replace(clip, row={"prompt": "a mug of gold"})
    assert (
        json.loads((written(write, [told], tmp_path / "told") / "clip_0000/spec.json").read_text())["prompt"] == "a mug of gold"
    )


def test_clips_of_any_size_name_and_content_are_written(tmp_path):
    odd = plain_clip(tmp_path, "odd", size=(23, 31), cameras=(ODD_CAMERA,), instances=0, frames=2)
    folder = written(write, [odd, plain_clip(tmp_path, "even")], tmp_path / "out")
    assert not picture(folder / "clip_0000", "segmentation", 0).any()
    assert picture(folder / "clip_0000", "rgb", 0).shape == (23, 31, 3)
    assert len(list(folder.glob("clip_*"))) == 3


@pytest.mark.parametrize("kind", ["depth", "normals", "edges", "instances", "rgb"])
def test_a_kind_that_is_missing_is_named_with_the_command_that_renders_it(tmp_path, kind):
    kinds = [k for k in ("rgb", "depth", "normals", "edges", "instances") if k != kind]
    with pytest.raises(MissingFileError, match=rf"{kind} of clip plain.*sim2real render.*--only"):
        written(write, [plain_clip(tmp_path, kinds=kinds)], tmp_path / "out")
