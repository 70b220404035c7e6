from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.clip import read_clip
from sim2real.clip.record import CameraRecord, check_names, read_record, write_record
from sim2real.errors import BadValueError, UnknownNameError, UnreadableFileError


def test_the_record_comes_back_bit_for_bit(clip, tmp_path):
    write_record(tmp_path / "again.json", clip.record)
    again = read_record(tmp_path / "again.json")
    assert again.model_dump() == clip.record.model_dump()
    assert again.instances[0].class_name == "cup"


def test_the_keys_are_those_of_the_contract(clip):
    data = json.loads((clip.path / "clip.json").read_text())
    assert list(data) == [
        "version",
        "scene",
        "seed",
        "fps",
        "frames",
        "size",
        "cameras",
        "instances",
        "noise",
        "depth_range_m",
        "versions",
    ]
    assert {"path", "sha256"} <= data["scene"].keys()
    assert data["cameras"]["front"].keys() == {"K", "world_from_camera"}
    assert data["instances"][0].keys() == {"id", "name", "class", "world_from_instance"}
    assert data["noise"].keys() == {"factor", "channels", "beta", "latent_frames", "method"}


def test_a_constant_K_is_written_once_and_read_per_frame(clip):
    data = json.loads((clip.path / "clip.json").read_text())
    assert np.shape(data["cameras"]["front"]["K"]) == (3, 3)
    assert clip.camera("front").intrinsics.shape == (5, 3, 3)


def test_a_changing_K_is_written_per_frame(clip, tmp_path):
    camera = clip.record.cameras["front"]
    zoomed = camera.model_copy(update={"intrinsics": camera.intrinsics * np.linspace(1, 2, 5)[:, None, None]})
    write_record(tmp_path / "zoom.json", clip.record.model_copy(update={"cameras": {"front": zoomed}}))
    assert np.array_equal(read_record(tmp_path / "zoom.json").cameras["front"].intrinsics, zoomed.intrinsics)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3))
def test_positions_survive_the_file_exactly(position):
    place = np.tile(np.eye(4), (2, 1, 1))
    place[:, :3, 3] = position
    camera = CameraRecord(intrinsics=np.eye(3), world_from_camera=place)
    again = CameraRecord.model_validate_json(camera.model_dump_json(by_alias=True))
    assert again.world_from_camera.tolist() == place.tolist()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda d: d.pop("frames"), "frames"),
        (lambda d: d.update(frames=4), "4"),
        (lambda d: d["cameras"]["front"].update(K=[[1, 2], [3, 4]]), "K"),
        (lambda d: d["cameras"]["front"]["world_from_camera"].pop(), "front"),
        (lambda d: d["instances"][0].update(id=0), "id"),
        (lambda d: d["noise"].update(beta=2), "beta"),
        (lambda d: d.update(version=99), "99"),
        (lambda d: d["cameras"]["front"]["world_from_camera"][0][0].__setitem__(0, float("nan")), "finite"),
    ],
)
def test_a_damaged_record_names_the_entry_in_one_line(clip, change, named):
    data = json.loads((clip.path / "clip.json").read_text())
    change(data)
    (clip.path / "clip.json").write_text(json.dumps(data))
    with pytest.raises(UnreadableFileError, match=named) as caught:
        read_clip(clip.path)
    assert "\n" not in str(caught.value)


def test_a_record_that_is_not_json_says_so(clip):
    (clip.path / "clip.json").write_text("{")
    with pytest.raises(UnreadableFileError, match="not JSON"):
        read_clip(clip.path)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a\\b"])
def test_camera_names_that_cannot_be_folders_are_refused(name):
    with pytest.raises(BadValueError):
        check_names(["front", name])


def test_an_unknown_camera_lists_the_valid_ones(clip):
    with pytest.raises(UnknownNameError, match="front, wrist"):
        clip.camera("font")
