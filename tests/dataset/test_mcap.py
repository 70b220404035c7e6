"""Recordings for Foxglove, read back by the mcap reader and Foxglove's protobuf schemas."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from sim2real.clip import CameraRecord
from sim2real.clip.report.colors import colorized
from sim2real.dataset.writers.registry import writer
from sim2real.errors import MissingFileError
from sim2real.transforms import rotation_from_quaternion
from tests.dataset.plain_clips import ODD_CAMERA, contents, elsewhere, plain_clip, record_of, with_footage, written

pytest.importorskip("foxglove")
reader = pytest.importorskip("mcap.reader")
decoder = pytest.importorskip("mcap_protobuf.decoder")


def write(clips, folder):
    writer("mcap").write(clips, folder)


def messages(path) -> dict[str, list]:
    """Decoded messages by topic, in order of time, with their times."""
    found: dict[str, list] = {}
    with path.open("rb") as file:
        for schema, channel, message in reader.make_reader(file).iter_messages():
            if channel.message_encoding == "json":
                decoded = json.loads(message.data)
            else:
                decoded = decoder.DecoderFactory().decoder_for("protobuf", schema)(message.data)
            found.setdefault(channel.topic, []).append((message.log_time, decoded))
    return found


def array(image, dtype) -> np.ndarray:
    assert image.step == np.dtype(dtype).itemsize * image.width
    return np.frombuffer(image.data, dtype).reshape(image.height, image.width)


def decoded_png(image) -> np.ndarray:
    assert image.format == "png"
    return np.array(Image.open(io.BytesIO(image.data)))


def test_pictures_depth_ids_and_cameras_come_back(tiny_clips, tmp_path):
    written(write, tiny_clips, tmp_path / "out")
    for clip in tiny_clips:
        found, own = messages(tmp_path / "out" / f"{clip.clip_id}.mcap"), clip.clip
        for camera in own.cameras:
            for frame in range(own.frames):
                at = {name: found[f"/{camera}/{name}"][frame][1] for name in ("image", "depth", "instances", "segmentation")}
                assert np.array_equal(decoded_png(at["image"]), own.rgb(camera, frame))
                assert at["depth"].encoding == "32FC1" and at["instances"].encoding == "mono16"
                assert np.array_equal(array(at["depth"], "<f4"), own.depth(camera, frame))
                assert np.array_equal(array(at["instances"], "<u2"), own.instances(camera, frame))
                assert np.array_equal(decoded_png(at["segmentation"]), colorized(own.instances(camera, frame)))
                seen = found[f"/{camera}/calibration"][frame][1]
                assert np.array_equal(np.reshape(seen.K, (3, 3)), own.camera(camera).intrinsics[frame])
                assert np.array_equal(np.reshape(seen.P, (3, 4))[:, :3], own.camera(camera).intrinsics[frame])
                assert (seen.width, seen.height, seen.frame_id) == (own.record.size[1], own.record.size[0], camera)


def test_transforms_are_those_of_cameras_and_instances(tiny_clips, tmp_path):
    clip = tiny_clips[0]
    found = messages(written(write, [clip], tmp_path / "out") / f"{clip.clip_id}.mcap")["/tf"]
    moved = {name: camera.world_from_camera for name, camera in clip.clip.record.cameras.items()}
    moved |= {i.name: i.world_from_instance for i in clip.clip.record.instances}
    for frame, (_, message) in enumerate(found):
        assert {t.child_frame_id for t in message.transforms} == set(moved)
        for t in message.transforms:
            q = np.array([t.rotation.w, t.rotation.x, t.rotation.y, t.rotation.z])
            right = moved[t.child_frame_id][frame]
            assert t.parent_frame_id == "world" and np.allclose(rotation_from_quaternion(q), right[:3, :3], atol=1e-9)
            assert [t.translation.x, t.translation.y, t.translation.z] == right[:3, 3].tolist()


def test_what_the_recording_carries_can_be_plotted_at_its_own_times(tiny_clips, tmp_path):
    clip = tiny_clips[1]
    found = messages(written(write, [clip], tmp_path / "out") / f"{clip.clip_id}.mcap")
    values = np.array([message["value"] for _, message in found["/episode/action"]], np.float32)
    assert np.array_equal(values, clip.episode["action"])
    assert [time for time, _ in found["/moving/image"]] == np.rint(clip.episode["timestamp"] * 1e9).astype(int).tolist()
    stamp = found["/moving/image"][1][1].timestamp
    assert stamp.seconds * 10**9 + stamp.nanos == found["/moving/image"][1][0]


def test_times_that_do_not_grow_are_those_of_the_frame_rate(tmp_path):
    clip = plain_clip(tmp_path, frames=3, kinds=("rgb",), episode={"timestamp": np.array([0.0, np.nan, 1.0])})
    found = messages(written(write, [clip], tmp_path / "out") / "plain.mcap")
    assert [time for time, _ in found["/front/image"]] == [0, 83333333, 166666667]
    assert [message["value"] for _, message in found["/episode/timestamp"]] == [[0.0], [None], [1.0]]


def test_the_bytes_depend_on_the_clips_alone(tmp_path):
    clips = [plain_clip(tmp_path / "here", f"plain-{n}") for n in range(2)]
    first = contents(written(write, clips, tmp_path / "first"))
    assert contents(written(write, [elsewhere(clip, tmp_path / "there") for clip in clips], tmp_path / "second")) == first
    assert set(first) == {"plain-0.mcap", "plain-1.mcap"}


@pytest.mark.parametrize("video", [False, True])
def test_footage_takes_the_place_of_the_render(tmp_path, video):
    clip = with_footage(plain_clip(tmp_path), "front", video=video)
    found = messages(written(write, [clip], tmp_path / "out") / "plain.mcap")
    for (_, message), right in zip(found["/front/image"], clip.pictures("front"), strict=True):
        assert np.array_equal(decoded_png(message), right)


def test_a_lens_is_called_what_foxglove_calls_it(tmp_path):
    record = record_of(frames=2, size=(24, 32), cameras=("bent", "fish", "flat"), fps=12.0, instances=0)
    cameras = {
        "bent": record.cameras["bent"].model_copy(update={"distortion": (0.1, 0.01, 0.0, 0.0)}),
        "fish": CameraRecord(**{**dict(record.cameras["fish"]), "projection": "fisheye", "distortion": (0.01, 0, 0, 0)}),
        "flat": record.cameras["flat"],
    }
    clip = plain_clip(tmp_path, record=record.model_copy(update={"cameras": cameras}), kinds=("rgb",), episode={})
    found = messages(written(write, [clip], tmp_path / "out") / "plain.mcap")
    said = {camera: found[f"/{camera}/calibration"][0][1] for camera in cameras}
    assert {c: m.distortion_model for c, m in said.items()} == {
        "bent": "plumb_bob",
        "fish": "kannala_brandt",
        "flat": "plumb_bob",
    }
    assert list(said["bent"].D) == [0.1, 0.01, 0, 0] and not said["flat"].D


def test_odd_names_are_kept_and_told_apart(tmp_path):
    clip = plain_clip(tmp_path, "odd", size=(23, 31), cameras=(ODD_CAMERA, "mug"), instances=3, kinds=("rgb",))
    path = written(write, [replace(clip, task="\u00e4")], tmp_path / "out") / "odd.mcap"
    found = messages(path)
    assert f"/{ODD_CAMERA}/image" in found and "/mug/depth" not in found
    names = [t.child_frame_id for t in found["/tf"][0][1].transforms]
    assert names == [ODD_CAMERA, "mug", "mug#1", "mug#2", "mug#3"]
    with path.open("rb") as file:
        (metadata,) = reader.make_reader(file).iter_metadata()
    assert metadata.metadata["task"] == "\u00e4" and len(json.loads(metadata.metadata["instances"])) == 3


def test_a_clip_without_pictures_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match="rgb of clip plain"):
        written(write, [plain_clip(tmp_path, kinds=("depth",))], tmp_path / "out")
