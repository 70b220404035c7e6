from pathlib import Path

import numpy as np
import pytest

from sim2real.errors import Sim2RealError
from sim2real.scene import LoadOptions, Scene, load
from sim2real.scene.describe import describe

HEAD = "frames: 5\nsize: [48, 64]\nobjects:\n  - {name: box, primitive: box, half_size: [0.2, 0.2, 0.2]}\ncameras:\n"
AT = "position: [0, -3, 1], look_at: [0, 0, 0]"


def scene_with(tmp_path: Path, *cameras: str, **options) -> Scene:
    path = tmp_path / "scene.yaml"
    path.write_text(HEAD + "".join(f"  - {{{camera}}}\n" for camera in cameras))
    return load(path, LoadOptions(**options))


def test_a_stereo_pair_rides_on_its_left_eye_and_shares_its_lens(tmp_path: Path) -> None:
    left = "name: left, orbit: {radius: 2, height: 1}, intrinsics: [70, 70, 30, 20], distortion: [-0.1, 0.01, 0, 0], near: 0.2"
    scene = scene_with(tmp_path, left, "name: right, attached_to: left, position: [0.12, 0, 0]", size=(96, 128))
    a, b = scene.cameras
    between = np.linalg.inv(a.world_from_camera) @ b.world_from_camera
    np.testing.assert_allclose(between[:, :3, 3], np.tile([0.12, 0, 0], (5, 1)), atol=1e-12)
    np.testing.assert_allclose(between[:, :3, :3], np.tile(np.eye(3), (5, 1, 1)), atol=1e-12)
    np.testing.assert_array_equal(a.intrinsics, b.intrinsics)
    assert a.lens == b.lens and a.lens.bent and a.near == b.near == 0.2 and a.size == b.size == (96, 128)
    assert a.intrinsics[0, 0, 2] == 60  # off the center, and scaled with the picture


def test_a_rig_of_cameras_may_differ_in_everything(tmp_path: Path) -> None:
    scene = scene_with(
        tmp_path,
        f"name: head, {AT}, fov_deg: 60",
        "name: side, attached_to: head, position: [0.1, 0, 0], euler_deg: [0, 90, 0], fov_deg: 80, projection: fisheye",
        "name: top, attached_to: side, position: [0, -0.1, 0], look_at: box, projection: orthographic, height_m: 2",
    )
    head, side, top = scene.cameras
    np.testing.assert_allclose(side.world_from_camera[0, :3, 2], head.world_from_camera[0, :3, 0], atol=1e-12)
    assert (side.projection, top.projection) == ("fisheye", "orthographic")
    assert side.distortion is not None and not side.distortion.any() and top.distortion is None
    np.testing.assert_allclose(side.intrinsics[0, 0, 0], 48 / np.deg2rad(80))
    np.testing.assert_allclose(top.intrinsics[0], [[24, 0, 32], [0, 24, 24], [0, 0, 1]])


def test_a_zoom_goes_there_and_back_at_a_steady_speed(tmp_path: Path) -> None:
    camera = scene_with(tmp_path, f"name: c, {AT}, intrinsics: [50, 60, 10, 12], zoom: [1, 16, 1]").cameras[0]
    np.testing.assert_allclose(camera.intrinsics[:, 0, 0], 50 * np.array([1, 4, 16, 4, 1]))
    np.testing.assert_allclose(camera.intrinsics[:, 1, 1], 60 * np.array([1, 4, 16, 4, 1]))
    np.testing.assert_array_equal(camera.intrinsics[:, :2, 2], np.tile([10, 12], (5, 1)))


def test_inspect_names_lenses(tmp_path: Path) -> None:
    facts = describe(
        scene_with(
            tmp_path,
            f"name: a, {AT}, distortion: [-0.1, 0, 0, 0]",
            f"name: b, {AT}, projection: orthographic, height_m: 2.5",
            f"name: c, {AT}, projection: fisheye, fov_deg: 80",
        )
    )["cameras"]
    assert facts[0]["distortion"] == [-0.1, 0, 0, 0] and facts[0]["projection"] == "perspective"
    assert facts[1]["height_m"] == pytest.approx(2.5) and "fov_deg" not in facts[1]
    assert facts[2]["fov_deg"] == pytest.approx(80)


@pytest.mark.parametrize(
    ("camera", "error"),
    [
        ("projection: orthographic", "height_m, intrinsics"),
        ("projection: orthographic, fov_deg: 40", "takes height_m"),
        ("projection: orthographic, height_m: 2, distortion: [0.1, 0, 0, 0]", "does not belong to an orthographic"),
        ("height_m: 2", "belongs to projection: orthographic only"),
        ("height_m: 2, fov_deg: 40", "only one of"),
        ("projection: fisheye, distortion: [0.1, 0, 0, 0, 0]", "k1 k2 k3 k4"),
        ("distortion: [0.1]", "4 or 5 or 8 or 12"),
        ("distortion: [-0.9, 0, 0, 0], fov_deg: 90", "folds back"),
        ("projection: fisheye, fov_deg: 179", "within 89 degrees"),
        ("zoom: [2]", "two or more"),
        ("zoom: [2, -1]", "two or more positive"),
    ],
)
def test_wrong_lenses_are_refused_in_one_line(camera: str, error: str, tmp_path: Path) -> None:
    with pytest.raises(Sim2RealError, match=error) as raised:
        scene_with(tmp_path, f"name: c, {AT}, {camera}")
    assert "\n" not in str(raised.value) and "scene.yaml" in str(raised.value)


def test_cameras_ride_on_what_exists_and_say_where_they_look(tmp_path: Path) -> None:
    with pytest.raises(Sim2RealError, match="object or camera"):
        scene_with(tmp_path, "name: a, attached_to: b, position: [0, 0, 0]", f"name: b, {AT}")  # b comes later
    with pytest.raises(Sim2RealError, match="look_at, quaternion, euler_deg"):
        scene_with(tmp_path, "name: a, attached_to: box, position: [0, 0, 1]")
