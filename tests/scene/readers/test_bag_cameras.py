"""Cameras of recordings, to the pixel: their matrices and lenses against OpenCV's and ROS's formulas, written out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sim2real.camera.rays import px_from_camera
from sim2real.camera.view import Camera
from sim2real.errors import UnknownNameError
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import LoadOptions, load
from sim2real.transforms import rigid, rotation_about

pytest.importorskip("rosbags")

from .bag_files import SIZE, K, Words, json_mcap, mcap_of, ns, of_arm
from .urdf_robots import ARM, arm, link

BOX = f'<robot name="box">{link("root")}</robot>'
POINTS = np.array([[0.0, 0, 2], [0.3, -0.2, 2], [-0.5, 0.4, 2.5], [0.2, 0.35, 1.5]])
TURN = rigid(rotation_about(np.array([0.2, -1, 0.4]), np.array(0.7)), np.array([0.4, 0.1, -2]))


@pytest.fixture(scope="module")
def words() -> Words:
    return Words()


def scene_of(folder, words, *messages, topic="/front/camera_info", more=(), **options):
    """A box, and a camera that is somewhere."""
    said = [("/robot_description", ns(0), words.text(BOX)), ("/tf_static", ns(0), words.transforms((0, "root", "eye", TURN)))]
    said += [(topic, message.header.stamp.sec * 10**9 + message.header.stamp.nanosec, message) for message in messages]
    return load(mcap_of(folder / "run", [*said, *more]), options.pop("options", None), **options)


def pixels(camera: Camera, points: np.ndarray = POINTS) -> np.ndarray:
    return px_from_camera(points, camera.intrinsics[0], camera.lens)


def plumb_bob(x, y, k1, k2, p1, p2, k3=0.0, k4=0.0, k5=0.0, k6=0.0):
    r2 = x * x + y * y
    radial = (1 + k1 * r2 + k2 * r2**2 + k3 * r2**3) / (1 + k4 * r2 + k5 * r2**2 + k6 * r2**3)
    return x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x), y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y


def equidistant(x, y, k1, k2, k3, k4):
    r = np.hypot(x, y)
    t = np.arctan(r)
    scale = np.where(r > 0, t * (1 + k1 * t**2 + k2 * t**4 + k3 * t**6 + k4 * t**8) / np.where(r > 0, r, 1), 1)
    return x * scale, y * scale


@pytest.mark.parametrize(
    ("model", "d", "lens"),
    [
        ("plumb_bob", (), lambda x, y, *d: (x, y)),
        ("plumb_bob", (0.0,) * 5, lambda x, y, *d: (x, y)),
        ("plumb_bob", (-0.2, 0.05, 0.001, -0.002, 0.01), plumb_bob),
        ("rational_polynomial", (0.1, 0.02, 0.001, -0.002, 0.01, 0.05, 0.01, 0.001), plumb_bob),
        ("rational_polynomial", (0.1, 0.02, 0.001, -0.002, 0.01, 0.05, 0.01, 0.001, *(0.0,) * 6), plumb_bob),
        ("equidistant", (0.05, -0.01, 0.002, -0.001), equidistant),
    ],
)
def test_points_are_at_the_pixels_that_the_lens_says(model, d, lens, words, tmp_path):
    scene = scene_of(
        tmp_path, words, words.camera(ns(0), "eye", model=model, d=d), words.camera(ns(1), "eye", model=model, d=d)
    )
    (camera,) = scene.cameras
    x, y = lens(POINTS[:, 0] / POINTS[:, 2], POINTS[:, 1] / POINTS[:, 2], *d[:8])
    assert np.allclose(pixels(camera), np.stack([60 * x + 32, 62 * y + 24], axis=1), atol=1e-9)
    assert camera.name == "front" and camera.size == SIZE and scene.frames == 2 and scene.fps == 1
    assert np.allclose(camera.world_from_camera, TURN, atol=1e-12)


def test_binning_and_regions_are_those_of_the_picture(words, tmp_path):
    whole = scene_of(tmp_path / "a", words, words.camera(ns(0), "eye")).cameras[0]
    part = scene_of(tmp_path / "b", words, words.camera(ns(0), "eye", binning=2, roi=(8, 16, 32, 40))).cameras[0]
    assert part.size == (16, 20)
    assert np.allclose(pixels(part), (pixels(whole) - [8, 16]) / 2)
    sized = scene_of(tmp_path / "c", words, words.camera(ns(0), "eye"), options=LoadOptions(size=(24, 32))).cameras[0]
    assert np.allclose(pixels(sized), pixels(whole) / 2)


def test_rectified_pictures_have_their_own_matrix_and_turn(words, tmp_path):
    r, p = rotation_about(np.array([0.0, 1, 0]), np.array(0.1)), (50.0, 0, 30, -4, 0, 50, 20, 0, 0, 0, 1, 0)
    message = words.camera(ns(0), "eye", d=(-0.3, 0.1, 0, 0, 0), r=r, p=p)
    (camera,) = scene_of(tmp_path, words, message, rectified=True).cameras
    assert camera.lens.plain
    turned = POINTS @ r.T
    by_hand = np.stack([50 * turned[:, 0] / turned[:, 2] + 30, 50 * turned[:, 1] / turned[:, 2] + 20], axis=1)
    camera_from_eye = np.linalg.inv(camera.world_from_camera[0]) @ TURN
    assert np.allclose(pixels(camera, POINTS @ camera_from_eye[:3, :3].T), by_hand)


def test_a_matrix_that_is_0_gives_way_to_the_rectified_one(words, tmp_path):
    p = (50.0, 0, 30, 0, 0, 50, 20, 0, 0, 0, 1, 0)
    (camera,) = scene_of(tmp_path, words, words.camera(ns(0), "eye", k=(0.0,) * 9, p=p)).cameras
    assert camera.intrinsics[0].tolist() == [[50, 0, 30], [0, 50, 20], [0, 0, 1]]


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"k": (0.0,) * 9, "p": (0.0,) * 12}, "it is not calibrated"),
        ({"d": (0.1,), "model": "scaramuzza"}, "its lens has the model 'scaramuzza', which cannot be drawn"),
        ({"d": (-5.0, 0, 0, 0, 0)}, "the map folds back"),
        ({"k": (60, 0, 32, 0, float("nan"), 24, 0, 0, 1)}, "its calibration is not finite"),
        ({"k": (60, 0, 32, 5, 62, 24, 0, 0, 1)}, "its intrinsics are"),
    ],
)
def test_cameras_that_cannot_be_are_left_out_with_the_reason(how, says, words, tmp_path):
    scene = scene_of(tmp_path, words, words.camera(ns(0), "eye", **how))
    assert [camera.name for camera in scene.cameras] == ["orbit"]
    assert any("camera front is left out" in note and says in note for note in scene.notes), scene.notes


def test_a_zoom_is_followed_and_another_lens_is_not(words, tmp_path):
    zoomed = (90.0, 0, 32, 0, 93, 24, 0, 0, 1)
    (camera,) = scene_of(tmp_path / "a", words, words.camera(ns(0), "eye"), words.camera(ns(1), "eye", k=zoomed)).cameras
    assert camera.intrinsics[:, 0, 0].tolist() == [60, 90]
    other = words.camera(ns(1), "eye", d=(0.1, 0, 0, 0, 0))
    scene = scene_of(tmp_path / "b", words, words.camera(ns(0), "eye"), other)
    assert any("its lens or the size of its pictures changes" in note for note in scene.notes)


def test_a_camera_that_tells_of_itself_once_has_the_stamps_of_its_pictures(words, tmp_path):
    more = [("/front/image/compressed", ns(t) + 99, words.image(ns(t), "eye")) for t in (0.0, 0.25, 0.5)]
    scene = scene_of(tmp_path, words, words.camera(ns(0), "eye"), more=more)
    assert scene.frames == 3 and scene.fps == 4
    assert not any("not used" in note for note in scene.notes)


def test_the_first_cameras_stamps_count_unless_another_is_asked_for(words, tmp_path):
    side = [("/side/camera_info", ns(t), words.camera(ns(t), "root")) for t in (0.0, 0.1)]
    front = [words.camera(ns(t), "eye") for t in (0.0, 0.5, 1.0)]
    scene = scene_of(tmp_path / "a", words, *front, more=side)
    assert scene.frames == 3 and {camera.name for camera in scene.cameras} == {"front", "side"}
    assert scene_of(tmp_path / "b", words, *front, more=side, stamps_of="side").frames == 2
    with pytest.raises(UnknownNameError, match="did you mean 'side'"):
        scene_of(tmp_path / "c", words, *front, more=side, stamps_of="sid")


def test_frames_carry_cameras_where_asked_for(words, tmp_path):
    scene = scene_of(tmp_path, words, words.camera(ns(0), "eye"), camera_links="eye:60,root")
    assert [camera.name for camera in scene.cameras] == ["front", "eye", "root"]
    assert scene.cameras[1].intrinsics[0, 1, 1] == pytest.approx(240 / np.tan(np.deg2rad(30)))
    assert np.allclose(scene.cameras[1].world_from_camera, TURN) and np.allclose(scene.cameras[2].world_from_camera, np.eye(4))
    with pytest.raises(UnknownNameError, match="unknown link 'ear'"):
        scene_of(tmp_path / "b", words, words.camera(ns(0), "eye"), camera_links="ear")


HOUSED = ARM.replace(
    '<link name="camera_optical_frame"/>',
    '<link name="camera_optical_frame"><visual><geometry><box size=".06 .06 .06"/></geometry></visual></link>',
)


@pytest.mark.parametrize("around", ["run.mcap", "scene.yaml"])
def test_a_camera_sees_out_of_the_link_that_carries_it(around, words, tmp_path):
    arm(tmp_path)
    seconds = np.arange(0, 0.5, 0.1)
    run = mcap_of(tmp_path / "run", of_arm(words, seconds, seconds[:3], HOUSED))
    path, told = run, {"packages": str(tmp_path)}
    if around == "scene.yaml":
        path, told = tmp_path / "scene.yaml", {}
        path.write_text(
            f"rollout: {{path: {run}, packages: {tmp_path}}}\nobjects: [{{name: floor, primitive: plane, half_size: [9, 9]}}]"
        )
    scene = load(path, LoadOptions(size=SIZE), **told)
    name = next(c.name for c in scene.cameras if c.name.startswith("wrist"))
    clip = render_clip(scene, tmp_path / "clip", RenderOptions(cameras=[name], only=["instances"], pages=False))
    shown = set(np.unique(np.stack([clip.instances(name, frame) for frame in range(3)])))
    names = {scene.instances[k - 1].name for k in shown if k}
    assert "camera_optical_frame" not in names and names, "what is around, not the housing's inner side"
    if around == "run.mcap":
        said = f"camera {name} is inside camera_optical_frame in frame 0, and sees out of it: its inner side is not drawn"
        assert said in scene.notes


# Foxglove


def test_what_our_own_writer_writes_comes_back(tmp_path):
    pytest.importorskip("foxglove")
    pytest.importorskip("mcap_protobuf")
    from sim2real.dataset.writers.registry import writer
    from tests.dataset.plain_clips import plain_clip, written

    clip = plain_clip(tmp_path, frames=4)
    written(lambda clips, folder: writer("mcap").write(clips, folder), [clip], tmp_path / "out")
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    record = clip.clip.record
    thing = record.instances[0]
    scene = load(tmp_path / "out" / f"{clip.clip_id}.mcap", mesh=(f"{thing.name}={tmp_path / 'a.obj'}",))
    assert scene.frames == 4 and scene.fps == pytest.approx(record.fps, abs=1e-3)
    assert {camera.name for camera in scene.cameras} == set(record.cameras)
    for camera in scene.cameras:
        own = record.cameras[camera.name]
        assert camera.size == record.size and np.array_equal(camera.intrinsics, own.intrinsics)
        assert np.allclose(camera.world_from_camera, own.world_from_camera, atol=1e-9)
    assert np.allclose(scene.world_from_instance[:, 0], thing.world_from_instance, atol=1e-9)


def test_foxgloves_messages_may_be_json(tmp_path):
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    said = []
    for second in (0, 1, 2):
        stamp = {"sec": second, "nsec": 5}
        place = {"translation": {"x": second, "y": 0, "z": 0}, "rotation": {"x": 0, "y": 0, "z": 0, "w": 1}}
        transform = {"timestamp": stamp, "parent_frame_id": "world", "child_frame_id": "eye", **place}
        said.append(("/moves", "foxglove.FrameTransform", second * 10**9, transform))
        calibration = {"timestamp": stamp, "frame_id": "eye", "width": 64, "height": 48, "distortion_model": ""}
        calibration |= {"D": [], "K": list(K), "R": [], "P": [*K[:3], 0, *K[3:6], 0, *K[6:], 0]}
        said.append(("/front/calibration", "foxglove.CameraCalibration", second * 10**9, calibration))
    scene = load(json_mcap(tmp_path / "a.mcap", said), mesh=(f"world={tmp_path / 'a.obj'}",))
    assert scene.frames == 3 and scene.cameras[0].world_from_camera[:, 0, 3].tolist() == [0, 1, 2]
