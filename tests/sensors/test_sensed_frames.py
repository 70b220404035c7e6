"""Sensed clips: identity without strength, any frame alone, files read back, errors of one line."""

from __future__ import annotations

import json
from itertools import islice

import numpy as np
import OpenEXR
import pytest
from click.testing import CliRunner
from PIL import Image

from sim2real.cli import main
from sim2real.clip.report.sheet import rows_of
from sim2real.clip.sensed import sensed_of
from sim2real.errors import BadKeyError, BadValueError, MissingFileError, UnknownNameError
from sim2real.scene.colors import linear_from_srgb
from sim2real.sensors import (
    NAMES,
    Compression,
    Metering,
    Picture,
    Sensor,
    Shutter,
    read_sensor,
    sensed_frames,
    sensor,
    write_sensed,
)
from sim2real.sensors.metering import gains_at

from .conftest import BOX, FRAMES, SIZE, box_depth, box_picture


def pictures(clip, camera="front", first=0):
    return (clip.rgb(camera, frame) for frame in range(first, clip.frames))


def test_a_sensor_without_strength_is_the_identity_to_the_bit(clip):
    frames = list(sensed_frames(clip, "front", sensor("none"), 0, pictures(clip)))
    assert len(frames) == FRAMES
    for frame, sensed in enumerate(frames):
        np.testing.assert_array_equal(sensed.rgb, clip.rgb("front", frame))
        np.testing.assert_array_equal(sensed.depth, clip.depth("front", frame))


def test_the_way_through_linear_light_loses_nothing(clip):
    nearly = Sensor(shutter=Shutter(exposure_s=1e-9), picture=Picture(gains=(1.0, 1.0, 1.0 + 1e-9)))
    assert not nearly.plain
    first = next(sensed_frames(clip, "front", nearly, 0, pictures(clip)))
    np.testing.assert_array_equal(first.rgb, clip.rgb("front", 0))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_any_frame_alone_has_the_same_bits(clip, name):
    chosen = sensor(name)
    group = 2
    if chosen.compression.h264_crf is not None:
        chosen = chosen.model_copy(update={"compression": Compression(h264_crf=24, group=group)})
    whole = list(sensed_frames(clip, "front", chosen, 7, pictures(clip)))
    first = 2 if chosen.compression.h264_crf is not None else 3
    alone = list(islice(sensed_frames(clip, "front", chosen, 7, pictures(clip, first=first), first_frame=first), 4 - first))
    np.testing.assert_array_equal(alone[-1].rgb, whole[3].rgb)
    assert (alone[-1].depth is None) == (name in ("phone", "webcam"))
    if alone[-1].depth is not None:
        np.testing.assert_array_equal(alone[-1].depth, whole[3].depth)
    other = next(sensed_frames(clip, "front", chosen, 8, pictures(clip)))
    assert (other.rgb != whole[0].rgb).any() == (name != "none")


def test_noise_has_the_variance_that_is_asked_for_in_linear_light(make_clip):
    clip = make_clip(frames=1, depth=box_depth())
    noise = Sensor(picture=Picture(shot=4e-3, read=0.004))
    for level in (60, 120, 200):
        gray = np.full((*SIZE, 3), level, np.uint8)
        light = linear_from_srgb(next(sensed_frames(clip, "front", noise, 0, [gray])).rgb / 255)[..., 0]
        expected = linear_from_srgb(np.array(level / 255))
        scale = SIZE[0] / 480  # larger pixels gather more light
        assert light.std() == pytest.approx(scale * np.sqrt(4e-3 * expected + 0.004**2), rel=0.06)
        assert light.mean() == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_silhouettes_stay_within_the_extent_of_the_blur(clip, name):
    """The border of the box, where its color is half the background's, is where labels have it, give or take the motion."""
    *_, last = sensed_frames(clip, "front", sensor(name), 0, [box_picture()] * 2)
    contrast = last.rgb[..., 0].astype(float) - last.rgb[..., 2]
    inside = contrast > (contrast[45:55, 60:70].mean() + contrast[:, 100:].mean()) / 2
    labels = np.zeros(SIZE, bool)
    labels[BOX] = True
    reach = int(np.ceil(last.moved_px + last.smeared_px / 2)) + 2
    most, least = labels.copy(), labels.copy()
    most[BOX[0].start - reach : BOX[0].stop + reach, BOX[1].start - reach : BOX[1].stop + reach] = True
    least[:] = False
    least[BOX[0].start + reach : BOX[0].stop - reach, BOX[1].start + reach : BOX[1].stop - reach] = True
    assert not (inside & ~most).any() and inside[least].mean() > 0.99
    assert reach <= 5


def test_exposure_hunts_in_steps_and_comes_back_and_depends_on_time_alone():
    metering = Metering(hunting_stops=0.5, step_stops=0.25, white_hunting=0.05, every_s=2.0, settle_s=0.1)
    gains = np.array([gains_at(metering, time / 30, seed=3, camera="front") for time in range(600)])
    stops = np.log2(gains[:, 1])
    np.testing.assert_allclose(stops / 0.25, np.rint(stops / 0.25), atol=1e-4)
    assert 0.02 < np.mean(stops != 0) < 0.6
    assert np.ptp(gains[:, 0] / gains[:, 2]) > 0.02
    np.testing.assert_array_equal(gains_at(metering, 10.0, seed=3, camera="front"), gains[300])
    assert (gains_at(Metering(offset_stops=-1), 3.0, seed=0, camera="x") == 0.5).all()


def test_specimens_vary_within_stated_ranges_and_what_is_off_stays_off():
    preset = sensor("realsense_d435")
    specimens = [preset.varied(seed) for seed in range(40)]
    assert specimens[0] == preset.varied(0) != specimens[1]
    exposures = np.array([s.shutter.exposure_s for s in specimens]) / preset.shutter.exposure_s
    assert exposures.min() >= 1 / 1.6 - 1e-9 and exposures.max() <= 1.6 + 1e-9 and np.ptp(exposures) > 0.5
    assert all(s.depth and preset.depth and s.depth.unit_m == preset.depth.unit_m for s in specimens)
    assert all(s.compression == preset.compression for s in specimens)
    for specimen in specimens:
        assert Sensor.model_validate(specimen.model_dump()) == specimen  # within all bounds
    assert sensor("none").varied(5) == sensor("none")


@pytest.mark.parametrize("name", ["realsense_d435", "webcam"])
def test_what_is_written_is_read_back_by_the_formats_own_readers(clip, name):
    chosen = sensor(name)
    write_sensed(clip, "front", chosen, 5, pictures(clip), source="rgb")
    folder = clip.folder("front") / "sensed"
    suffix = "jpg" if chosen.compression.jpeg_quality else "png"
    for frame, sensed in enumerate(sensed_frames(clip, "front", chosen, 5, pictures(clip))):
        with Image.open(folder / "rgb" / f"{frame:06d}.{suffix}") as picture:
            np.testing.assert_array_equal(np.array(picture), sensed.rgb)
        if sensed.depth is not None:
            with OpenEXR.File(str(folder / "depth" / f"{frame:06d}.exr")) as file:
                np.testing.assert_array_equal(file.channels()["Z"].pixels, sensed.depth)
            np.testing.assert_array_equal(clip.depth("front", frame), box_depth())  # the ideal one is kept
    facts = json.loads((folder / "sensor.json").read_text())
    assert Sensor.model_validate(facts["sensor"]) == chosen
    assert len(facts["frames"]) == FRAMES and facts["frames"][0]["smeared_px"] > 0
    assert (folder / "depth").is_dir() == (chosen.depth is not None)


def test_sensed_frames_are_whole_or_absent_and_replace_older_ones(clip):
    write_sensed(clip, "front", sensor("webcam"), 0, pictures(clip))
    with pytest.raises(BadValueError, match="number of pictures is 2, must be 5"):
        write_sensed(clip, "front", sensor("none"), 0, [box_picture()] * 2)
    folder = clip.folder("front")
    assert json.loads((folder / "sensed" / "sensor.json").read_text())["sensor"]["name"] == "webcam"
    write_sensed(clip, "front", sensor("none"), 0, pictures(clip))
    assert not list((folder / "sensed").glob("rgb/*.jpg"))
    assert sorted(p.name for p in folder.iterdir()) == ["depth", "flow", "rgb", "sensed"]


def test_pictures_are_taken_one_by_one(clip):
    taken = []

    def watched():
        for frame in range(FRAMES):
            taken.append(frame)
            yield box_picture()

    frames = sensed_frames(clip, "front", sensor("phone"), 0, watched())
    next(frames)
    assert taken == [0]


def test_errors_say_what_would_be_right(clip, make_clip, tmp_path):
    with pytest.raises(UnknownNameError, match="unknown sensor 'kinect_v2'.*none, phone, webcam"):
        sensor("kinect_v2")
    with pytest.raises(BadValueError, match=r"shape is \(4, 4, 3\), must be \(96, 128, 3\)"):
        next(sensed_frames(clip, "front", sensor("webcam"), 0, [np.zeros((4, 4, 3), np.uint8)]))
    with pytest.raises(BadValueError, match="above 5, must be 5"):
        list(sensed_frames(clip, "front", sensor("none"), 0, [box_picture()] * 6))
    with pytest.raises(BadValueError, match="first frame is 3, must be a multiple of 30"):
        next(sensed_frames(clip, "front", sensor("phone"), 0, [box_picture()], first_frame=3))


def test_what_a_clip_lacks_is_named_with_the_way_to_it(make_clip):
    bare = make_clip()
    with pytest.raises(MissingFileError, match="depth .which the sensor kinect_v1 needs. not found; make the clip again"):
        next(sensed_frames(bare, "front", sensor("kinect_v1"), 0, pictures(bare)))
    with pytest.raises(MissingFileError, match="flow .* not found; .*sim2real render scenes/box.yaml .* --only rgb,flow"):
        next(sensed_frames(bare, "front", Sensor(shutter=Shutter(exposure_s=0.01)), 0, pictures(bare)))
    assert next(sensed_frames(bare, "front", sensor("none"), 0, pictures(bare))).depth is None


def test_a_file_of_parameters_takes_the_rest_from_the_sensor_it_is_like(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("like: kinect_v1\nshutter: {exposure_s: 0.01}\ndepth:\n  triangulation: {baseline_m: 0.1}\n")
    mine, kinect = read_sensor(file), sensor("kinect_v1")
    assert (mine.name, mine.shutter.exposure_s, mine.shutter.readout_s) == ("mine", 0.01, kinect.shutter.readout_s)
    assert mine.depth and kinect.depth and mine.depth.triangulation and kinect.depth.triangulation
    assert mine.depth.triangulation == kinect.depth.triangulation.model_copy(update={"baseline_m": 0.1})
    assert mine.picture == kinect.picture
    file.write_text("compression: {jpeg_quality: 50}\n")
    assert read_sensor(file) == Sensor(name="mine", compression=Compression(jpeg_quality=50))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("like: kinekt", "line 1: like: is 'kinekt', must be one of: none, phone"),
        ("shutter:\n  exposure: 1", "line 2: shutter.exposure: unknown key; did you mean 'exposure_s'"),
        ("like: phone\nshutter:\n  exposure_s: -1", "line 3: shutter.exposure_s: is -1, must be greater than or equal to 0"),
        ("compression: {jpeg_quality: 50, h264_crf: 20}", "compression: has jpeg_quality and h264_crf"),
        ("depth: {min_m: 3, max_m: 2}", "depth: has max_m 2, must be above min_m 3"),
        ("like: kinect_v1\ndepth: {time_of_flight: {}}", "depth: has triangulation and time_of_flight"),
    ],
)
def test_a_wrong_file_is_one_line_that_says_where(tmp_path, text, says):
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    with pytest.raises(BadKeyError) as error:
        read_sensor(file)
    assert says in str(error.value)


def test_the_command_films_every_camera_or_one(clip, tmp_path):
    run = CliRunner().invoke
    assert run(main, ["sense", "--sensor", "list"]).output.split() == list(NAMES)
    done = run(main, ["sense", str(clip.path), "--sensor", "industrial", "--seed", "4", "--vary"])
    assert done.exit_code == 0, done.output
    for camera in clip.cameras:
        facts = json.loads((clip.folder(camera) / "sensed" / "sensor.json").read_text())
        assert Sensor.model_validate(facts["sensor"]) == sensor("industrial").varied(4)
        assert (facts["seed"], facts["source"]) == (4, "rgb")
    wrong = run(main, ["sense", str(clip.path), "--sensor", "gopro"])
    assert wrong.exit_code == 1 and "unknown sensor 'gopro'" in wrong.stderr and len(wrong.stderr.splitlines()) == 1
    assert "sensor file not found" in run(main, ["sense", str(clip.path), "--sensor", "no.yaml"]).stderr


def test_filming_again_films_the_same_pictures(clip):
    command = ["sense", str(clip.path), "--sensor", "realsense_d435", "--camera", "front"]
    assert CliRunner().invoke(main, command).exit_code == 0
    first = {path.name: path.read_bytes() for path in (clip.folder("front") / "sensed" / "rgb").iterdir()}
    assert CliRunner().invoke(main, command).exit_code == 0
    again = {path.name: path.read_bytes() for path in (clip.folder("front") / "sensed" / "rgb").iterdir()}
    assert len(first) == FRAMES and again == first


def test_what_a_sensor_saw_is_on_the_sheet_and_in_the_report(clip):
    done = CliRunner().invoke(main, ["sense", str(clip.path), "--sensor", "realsense_d435", "--camera", "front"])
    assert done.exit_code == 0, done.output
    rows = {row.label: row for row in rows_of(clip, "front")}
    sensed = sensed_of(clip, "front")
    assert sensed is not None and sensed.has_depth
    np.testing.assert_array_equal(rows["sensed"].picture(2), sensed.rgb(2))
    assert rows["sensed depth"].picture(2).shape == (*SIZE, 3)
    assert "sensed" not in [row.label for row in rows_of(clip, "side")]
    page = (clip.path / "report.html").read_text()
    assert "<h2>Sensors</h2>" in page and "realsense_d435" in page
