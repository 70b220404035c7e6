"""From masks to a camera file, and from it to the same pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sim2real.calibration import Estimate
from sim2real.cli import main
from sim2real.clip import read_clip
from sim2real.scene import LoadOptions, load

from ..calibration.arm import SIZE, arm, camera_at, off_by, problem_for, true_pose, write_arm, write_camera, write_masks


def run(*arguments: object) -> int:
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A robot, its joints, masks from the true camera, and a camera file that is off."""
    folder = tmp_path_factory.mktemp("seen")
    scene = arm(folder)
    problem, _ = problem_for(scene, camera_at(true_pose()))
    write_masks(problem, folder / "masks")
    write_camera(camera_at(true_pose()), folder / "guess.json", off_by(true_pose(), 0.05, 5))
    return folder


def calibrated(folder: Path, *more: object, masks: object = "masks", output: object = "out") -> int:
    given = ("--joints", folder / "log.csv", "--start", folder / "guess.json", "--masks", folder / str(masks))
    return run("calibrate", folder / "arm.urdf", *given, "-o", folder / str(output), *more)


@pytest.mark.slow
def test_the_camera_that_is_found_draws_what_the_real_one_saw(seen: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert calibrated(seen, output="good") == 0
    shown = capsys.readouterr().out
    assert "mm" in shown and "degrees" in shown and str(seen / "good" / "camera.json") in shown
    common = (seen / "arm.urdf", "--joints", seen / "log.csv", "--only", "instances", "--camera", "front")
    assert run("render", *common, "--camera-file", seen / "good" / "camera.json", "-o", seen / "clip") == 0
    clip = read_clip(seen / "clip")
    for frame in range(4):
        real = np.array(Image.open(seen / "masks" / f"mask_{frame}.png")) > 0
        drawn = clip.instances("front", frame) > 0
        assert (drawn & real).sum() / (drawn | real).sum() > 0.97
    block = (seen / "good" / "camera.yaml").read_text()
    (seen / "scene.yaml").write_text(f"rollout: {{path: arm.urdf, joints: log.csv}}\n{block}")
    from_yaml = load(seen / "scene.yaml").camera("front")
    from_json = load(seen / "arm.urdf", LoadOptions(camera_file=seen / "good" / "camera.json"), joints=seen / "log.csv").camera(
        "front"
    )
    assert np.allclose(from_yaml.world_from_camera, from_json.world_from_camera, atol=1e-9)
    assert np.allclose(from_yaml.intrinsics, from_json.intrinsics, atol=1e-9)
    figures = json.loads((seen / "good" / "calibration.json").read_text())
    assert np.mean(figures["iou_after"]) > 0.95 > np.mean(figures["iou_before"])
    overlay = np.array(Image.open(seen / "good" / "overlay" / "0003.png"))
    assert overlay.shape == (*SIZE, 3)
    magenta, orange = (np.abs(overlay.astype(int) - color).sum(-1) < 60 for color in ((255, 0, 255), (255, 150, 40)))
    assert magenta.sum() > 50 and orange.sum() > 20


BAD = {
    "a mask too few": (["--frames", "0,1,2"], "the number of masks is 4, must be 3"),
    "a frame that is not there": (["--frames", "0,1,2,9"], "a frame of --frames is 9, must be 0 to 3"),
    "an unknown robot": (["--robot", "gripper"], "unknown class or instance 'gripper'"),
    "an unknown mount": (["--mount", "wrist"], "unknown link or camera to be attached to 'wrist'"),
    "a mount that the guess does not ride on": (["--mount", "lower"], "moving on lower"),
    "an unknown camera": (["--camera", "back"], "unknown camera 'back'"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_is_said_in_one_line(what: str, seen: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, message = BAD[what]
    assert calibrated(seen, *arguments) == 1
    assert_one_line(capsys, message)
    assert not (seen / "out").exists()


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros(SIZE, np.uint8), "the mask is empty"),
        (np.full(SIZE, 255, np.uint8), "the mask is 255 everywhere"),
        (np.eye(60, 80, dtype=np.uint8), "the size of the mask is 60x80, must be 120x160"),
        (b"\x89PNG\r\n\x1a\nnot a picture", "the mask cannot be read"),
    ],
)
def test_a_mask_that_says_nothing_is_named(
    mask: np.ndarray | bytes, message: str, seen: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for index in range(4):
        (tmp_path / f"{index}.png").write_bytes((seen / "masks" / f"mask_{index}.png").read_bytes())
    if isinstance(mask, bytes):
        (tmp_path / "2.png").write_bytes(mask)
    else:
        Image.fromarray(mask).save(tmp_path / "2.png")
    assert calibrated(seen, masks=tmp_path) == 1
    assert_one_line(capsys, message, "2.png")


def test_pictures_without_masks_are_refused_with_the_reason(seen: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("--joints", seen / "log.csv", "--start", seen / "guess.json", "--images", seen / "masks", "-o", seen / "out")
    assert run("calibrate", seen / "arm.urdf", *given) == 1
    assert_one_line(capsys, "--masks is left out", "SAM")


@pytest.mark.slow
def test_masks_of_something_else_are_refused(seen: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rails = np.zeros(SIZE, np.uint8)
    rails[:, [0, -1]] = 255
    for index in range(4):
        Image.fromarray(rails).save(tmp_path / f"{index}.png")
    assert calibrated(seen, masks=tmp_path) == 1
    assert_one_line(capsys, "not in view where the masks have it")
    assert not (seen / "out").exists()


def test_joints_that_are_not_numbers_are_refused(seen: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    urdf, _ = write_arm(tmp_path)
    (tmp_path / "log.csv").write_text("yaw,shoulder,elbow\n0,nan,0\n")
    given = (
        "--joints",
        tmp_path / "log.csv",
        "--start",
        seen / "guess.json",
        "--masks",
        seen / "masks",
        "-o",
        tmp_path / "out",
    )
    assert run("calibrate", urdf, *given) == 1
    assert_one_line(capsys, "log.csv")


def assert_one_line(capsys: pytest.CaptureFixture[str], *parts: str) -> None:
    """Standard error is notes and progress, if any, and one line that says what is wrong."""
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith(("note: ", "find the camera: "))]
    assert len(lines) == 1 and lines[0].startswith("error: "), lines
    assert all(part in lines[0] for part in parts), lines[0]


def test_an_estimate_says_where_the_camera_is() -> None:
    pose = true_pose()
    assert np.allclose(Estimate(np.linalg.inv(pose)).carrier_from_camera, pose)
