"""Recordings for Rerun, read back with its own reader and compared with the clip."""

from __future__ import annotations

import json
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from sim2real.clip import CameraRecord, Clip, SceneRecord, VideoWriter, images, read_clip, write_record
from sim2real.clip.behind import nothing_behind, write_behind
from sim2real.clip.report.colors import id_colors
from sim2real.clip.report.rerun import write_recording
from sim2real.clip.report.rerun.pictures import depth_image
from sim2real.clip.video import noise_picture
from sim2real.errors import MissingPackageError, UnwritableOutputError

from .recordings import ReadRecording

CAMERA = "/world/cameras/front"


@pytest.fixture
def recorded(clip) -> tuple[Clip, ReadRecording]:
    return clip, ReadRecording(write_recording(clip).path)


def changed(clip: Clip, **values: object) -> Clip:
    """The clip with other values in its record."""
    write_record(clip.path / "clip.json", clip.record.model_copy(update=values))
    return read_clip(clip.path)


def test_every_frame_is_on_both_timelines(recorded):
    clip, read = recorded
    assert read.timelines == {"frame", "time"}
    assert read.seconds == pytest.approx({frame: frame / 12.5 for frame in range(clip.frames)}, abs=1e-8)
    for kind in ("rgb", "normals", "edges"):
        assert list(read.moving[f"{CAMERA}/{kind}"]["EncodedImage:blob"]) == list(range(clip.frames))


def test_instances_and_cameras_are_where_the_clip_says(recorded):
    clip, read = recorded
    for frame in range(clip.frames):
        seen = clip.camera("wrist").world_from_camera[frame]
        assert np.allclose(read.pose("/world/cameras/wrist", frame), seen, atol=1e-6)
        mug = clip.record.instances[0].world_from_instance[frame]
        assert np.allclose(read.pose("/world/instances/mug", frame), mug, atol=1e-6)


def test_arrays_that_are_no_pictures_are_left_out(clip):
    for kind, write in (("behind", lambda path: write_behind(path, nothing_behind())), ("flow", lambda path: path.touch())):
        (clip.folder("front") / kind).mkdir()
        for frame in range(clip.frames):
            write(clip.frame_path("front", kind, frame))
    entities = ReadRecording(write_recording(clip).path).entities
    assert f"{CAMERA}/rgb" in entities and not {f"{CAMERA}/behind", f"{CAMERA}/flow"} & entities


def test_what_never_moves_is_logged_once(clip):
    still = clip.record.instances[0].model_copy(update={"world_from_instance": np.tile(np.eye(4), (clip.frames, 1, 1))})
    read = ReadRecording(write_recording(changed(clip, instances=[still])).path)
    assert "/world/instances/mug" not in read.moving
    assert np.array_equal(read.pose("/world/instances/mug", 3), np.eye(4))


def test_pinholes_have_the_true_intrinsics(recorded):
    clip, read = recorded
    found = read.still[CAMERA]
    assert np.array(found["Pinhole:image_from_camera"]).reshape(3, 3).T == pytest.approx(clip.camera("front").intrinsics[0])
    assert found["Pinhole:resolution"] == [[32, 24]]
    assert found["Pinhole:camera_xyz"] == [[3, 2, 5]]  # right, down, forward


def test_intrinsics_that_change_are_logged_per_frame(clip):
    k = clip.camera("front").intrinsics * np.linspace(1, 2, clip.frames)[:, None, None] ** [[[1], [1], [0]]]
    zooming = CameraRecord(intrinsics=k, world_from_camera=clip.camera("front").world_from_camera)
    read = ReadRecording(write_recording(changed(clip, cameras={"front": zooming})).path)
    found = read.moving[CAMERA]["Pinhole:image_from_camera"]
    assert [np.array(found[f]).reshape(3, 3).T for f in range(clip.frames)] == [pytest.approx(k[f]) for f in range(clip.frames)]


def test_depth_is_metric_to_half_a_millimetre(recorded):
    clip, read = recorded
    for frame in (0, 4):
        metres = read.pixels(f"{CAMERA}/depth", "DepthImage", frame) / read.moving[f"{CAMERA}/depth"]["DepthImage:meter"][frame]
        assert np.abs(metres - clip.depth("front", frame)).max() <= 0.0005001


@pytest.mark.parametrize(("farthest", "steps"), [(0.0, 1000), (65.0, 1000), (70.0, 100), (900.0, 10), (1e7, 1e-3)])
def test_depth_that_16_bits_do_not_hold_in_millimetres_has_coarser_steps(farthest, steps):
    rr = pytest.importorskip("rerun")
    image = depth_image(rr, np.array([[0.0, farthest / 3, farthest]], np.float32))
    assert image.meter.as_arrow_array().to_pylist() == pytest.approx([steps])
    stored = np.frombuffer(bytes(image.buffer.as_arrow_array().to_pylist()[0]), np.uint16)
    assert stored[0] == 0
    assert stored / steps == pytest.approx([0, farthest / 3, farthest], abs=0.5001 / steps)


def test_labels_have_their_ids_names_and_colors(recorded):
    clip, read = recorded
    for frame in range(clip.frames):
        assert np.array_equal(read.pixels(f"{CAMERA}/instances", "SegmentationImage", frame), clip.instances("front", frame))
    context = read.still["/"]["AnnotationContext:context"][0]
    told = {entry["class_id"]: entry["class_description"]["info"] for entry in context}
    assert {number: info["label"] for number, info in told.items()} == {0: "background", 1: "mug"}
    red, green, blue = id_colors(2)[1].tolist()
    assert told[1]["color"] == red << 24 | green << 16 | blue << 8 | 255


def test_ids_beyond_255_keep_their_16_bits(clip):
    many = clip.record.instances[0].model_copy(update={"id": 300})
    ids = np.full(clip.record.size, 300, np.uint16)
    images.write_png(clip.frame_path("front", "instances", 2), ids)
    read = ReadRecording(write_recording(changed(clip, instances=[many])).path)
    assert np.array_equal(read.pixels(f"{CAMERA}/instances", "SegmentationImage", 2), ids)


def test_pictures_are_those_of_the_clip(clip):
    smooth = np.add.outer(np.arange(24) * 5, np.arange(32) * 3)[..., None].repeat(3, 2).astype(np.uint8)
    images.write_png(clip.frame_path("front", "rgb", 1), smooth)
    read = ReadRecording(write_recording(clip).path)
    assert np.abs(read.picture(f"{CAMERA}/rgb", 1).astype(int) - smooth).max() < 8
    assert np.array_equal(read.picture(f"{CAMERA}/edges", 3), clip.edges("front", 3))


def test_noise_is_shown_where_its_latents_begin(recorded):
    clip, read = recorded
    assert list(read.moving[f"{CAMERA}/noise"]["EncodedImage:blob"]) == [0, 1]  # two latents; the second has frames 1 to 4
    expected = noise_picture(clip.noise("front")[1], clip.record.size)
    assert np.array_equal(read.picture(f"{CAMERA}/noise", 1), expected)


@pytest.mark.parametrize("pictures", [True, False])
def test_footage_is_shown_from_pictures_or_from_the_video(clip, pictures):
    folder = clip.path / "front" / "generated" / "embedded-0"
    (folder / "frames").mkdir(parents=True)
    with VideoWriter(folder / "video.mp4", 12.5) as video:
        for frame in range(clip.frames):
            video.write(np.full((24, 32, 3), 40 * frame, np.uint8))
            if pictures:
                images.write_png(folder / "frames" / f"{frame:06d}.png", np.full((24, 32, 3), 40 * frame, np.uint8))
    (folder / "settings.json").write_text(json.dumps({"model": "embedded"}))
    read = ReadRecording(write_recording(clip).path)
    entity = f"{CAMERA}/generated/embedded-0"
    assert [round(read.picture(entity, f).mean() / 40) for f in range(clip.frames)] == [0, 1, 2, 3, 4]
    assert [entity] in read.blueprint["ViewBlueprint:space_origin"]


def test_what_a_sensor_saw_is_there_with_its_files_as_they_are(clip):
    folder = clip.path / "front" / "sensed"
    for kind in ("rgb", "depth"):
        (folder / kind).mkdir(parents=True)
    for frame in range(clip.frames):
        Image.fromarray(clip.rgb("front", frame)).save(folder / "rgb" / f"{frame:06d}.jpg")
        images.write_depth(folder / "depth" / f"{frame:06d}.exr", np.full((24, 32), frame, np.float32))
    read = ReadRecording(write_recording(clip).path)
    blob = bytes(read.moving[f"{CAMERA}/sensed/rgb"]["EncodedImage:blob"][2][0])
    assert blob == (folder / "rgb" / "000002.jpg").read_bytes()
    assert (read.pixels(f"{CAMERA}/sensed/depth", "DepthImage", 4) == 4000).all()


def test_without_its_scene_a_clip_has_all_but_meshes_and_a_note(clip):
    found = write_recording(clip)
    assert len(found.notes) == 1 and "meshes are left out" in found.notes[0] and "scenes/tiny.yaml" in found.notes[0]
    read = ReadRecording(found.path)
    assert found.notes[0] in read.still["/notes"]["TextDocument:text"][0]
    assert not any("mesh" in entity for entity in read.entities)
    queries = read.blueprint["ViewContents:query"]
    assert any(query[0] == "$origin/**" and f"- {CAMERA}/depth" not in query for query in queries if len(query) > 1)


def test_clips_of_videos_have_pictures_only(clip):
    video = changed(clip, scene=SceneRecord(path="real.mp4", sha256="0" * 64, options={"reader": "video"}), instances=[])
    for name in video.cameras:
        shutil.rmtree(video.path / name / "instances")
    found = write_recording(video)
    read = ReadRecording(found.path)
    assert found.notes == ()
    kinds = ("rgb", "depth", "normals", "edges", "noise")
    assert read.entities == {"/notes", *(f"/cameras/{camera}/{kind}" for camera in ("front", "wrist") for kind in kinds)}


def test_cameras_that_rerun_does_not_know_have_their_pictures_outside_the_world(clip):
    front, wrist = clip.camera("front"), clip.camera("wrist")
    fisheye = front.model_copy(update={"projection": "fisheye", "distortion": (0.0, 0.0, 0.0, 0.0)})
    bent = wrist.model_copy(update={"distortion": (0.1, 0.0, 0.0, 0.0)})
    found = write_recording(changed(clip, cameras={"front": fisheye, "wrist": bent}))
    read = ReadRecording(found.path)
    assert "Pinhole:image_from_camera" not in read.still[CAMERA]
    assert np.allclose(read.pose(CAMERA, 2), front.world_from_camera[2], atol=1e-6)
    assert "/cameras/front/rgb" in read.entities and "/world/cameras/wrist/rgb" in read.entities
    assert any("front is fisheye" in note for note in found.notes)
    assert any("wrist is shown without its distortion" in note for note in found.notes)


def test_names_that_are_no_paths_are_escaped_and_kept_apart(clip):
    first = clip.record.instances[0]
    named = [first.model_copy(update={"id": k + 1, "name": "left/hand 1"}) for k in range(3)]
    read = ReadRecording(write_recording(changed(clip, instances=named)).path)
    places = sorted(entity for entity in read.entities if entity.startswith("/world/instances/"))
    assert len(places) == 3 and all(place.startswith("/world/instances/left\\/hand\\ 1") for place in places)


def test_the_kinds_that_are_usual_are_shown_first(clip):
    (clip.path / "front" / "albedo").mkdir()
    for frame in range(clip.frames):
        images.write_png(clip.frame_path("front", "albedo", frame), clip.rgb("front", frame))
    read = ReadRecording(write_recording(clip).path)
    assert ["front"] in read.blueprint["ContainerBlueprint:display_name"]
    assert ["front, more"] in read.blueprint["ContainerBlueprint:display_name"]
    assert read.blueprint["TimePanelBlueprint:timeline"] == [["frame"]]


def test_an_interrupted_recording_leaves_the_older_file_and_nothing_else(clip):
    path = clip.path / "clip.rrd"
    path.write_bytes(b"older")

    def stop(what: str, done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_recording(clip, progress=stop)
    assert path.read_bytes() == b"older"
    assert not list(clip.path.glob(".*"))
    write_recording(clip)
    assert len(ReadRecording(path).seconds) == clip.frames


def test_a_disk_that_takes_no_more_is_said_in_a_line(clip, monkeypatch):
    rr = pytest.importorskip("rerun")

    def full(self: object, **options: float) -> None:
        raise RuntimeError("File-writer thread shut down prematurely")

    monkeypatch.setattr(rr.RecordingStream, "flush", full)
    with pytest.raises(UnwritableOutputError, match="takes no more data"):
        write_recording(clip)
    assert not list(clip.path.glob("*.rrd*")) and not list(clip.path.glob(".*"))


def test_frames_are_read_as_they_are_written_and_are_on_disk_soon_after(clip, monkeypatch):
    rr = pytest.importorskip("rerun")
    events: list[str] = []
    flush, picture = rr.RecordingStream.flush, Clip.picture

    def flushed(self: object, **options: float) -> None:
        events.append("flush")
        flush(self, **options)

    def looked(self: Clip, camera: str, kind: str, frame: int) -> object:
        if kind == "rgb" and camera == "front":
            events.append(f"read {frame}")
        return picture(self, camera, kind, frame)

    monkeypatch.setattr(rr.RecordingStream, "flush", flushed)
    monkeypatch.setattr(Clip, "picture", looked)
    monkeypatch.setattr("sim2real.clip.report.rerun.recording._FRAMES_AT_ONCE", 2)
    write_recording(clip, progress=lambda what, done, total: events.append(f"done {done}"))
    steps = [e for e in events if e != "flush"]
    assert steps == ["done 0", *(word for f in range(clip.frames) for word in (f"read {f}", f"done {f + 1}"))]
    assert events[: events.index("read 2")].count("flush") == 1 and events.count("flush") >= 3


def test_without_rerun_the_extra_is_named(clip, monkeypatch):
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'sim2real\[view\]'"):
        write_recording(clip)
    assert not list(clip.path.glob("*.rrd"))
