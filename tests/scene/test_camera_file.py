import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim2real.camera import Camera
from sim2real.errors import Sim2RealError
from sim2real.scene import LoadOptions, Scene, load
from sim2real.scene.cameras.file import camera_entry, with_camera_file
from sim2real.transforms import look_at, rigid

POSE = look_at(np.array([1.0, -2, 1.5]), np.zeros(3), np.array([0, 0, 1.0]))
GOOD = {"name": "front", "size": [48, 64], "K": [[50, 0, 32], [0, 50, 24], [0, 0, 1]], "world_from_camera": POSE.tolist()}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("box") / "scene.yaml"
    path.write_text(
        "frames: 3\nobjects:\n- {name: box, primitive: box, half_size: [0.1, 0.1, 0.1], position: [0, 0, 1],"
        " motion: {spin: {axis: z, deg_per_s: 90}}}\ncameras:\n- {name: front, position: [3, 0, 1], look_at: box}\n"
    )
    return path


@pytest.fixture(scope="module")
def scene(box: Path) -> Scene:
    return load(box)


def test_a_camera_of_a_file_takes_the_place_of_one_of_its_name(box: Path, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(json.dumps([GOOD, {**GOOD, "name": "side"}]))
    scene = load(box, LoadOptions(camera_file=tmp_path / "c.json"))
    assert [camera.name for camera in scene.cameras] == ["front", "side"]
    assert np.allclose(scene.camera("front").world_from_camera, POSE)
    resized = load(box, LoadOptions(camera_file=tmp_path / "c.json", size=(96, 128))).camera("side")
    assert resized.size == (96, 128) and resized.intrinsics[0, 0, 0] == 100


@pytest.mark.parametrize(
    ("projection", "distortion"), [("perspective", None), ("perspective", (-0.1, 0.02, 0, 0)), ("fisheye", (0.01, 0, 0, 0))]
)
def test_what_is_written_is_read_back(
    scene: Scene, tmp_path: Path, projection: str, distortion: tuple[float, ...] | None
) -> None:
    k = np.repeat(np.array(GOOD["K"], float)[None], 3, axis=0)
    bend = None if distortion is None else np.array(distortion)
    camera = Camera("side", (48, 64), k, np.repeat(POSE[None], 3, axis=0), 0.05, bend, projection)
    (tmp_path / "c.json").write_text(json.dumps(camera_entry(camera, POSE)))
    back = with_camera_file(scene, tmp_path / "c.json").camera("side")
    assert (back.intrinsics == k).all() and (back.world_from_camera == POSE).all()
    assert (back.size, back.near, back.lens) == (camera.size, camera.near, camera.lens)


def test_a_camera_that_is_attached_rides_along(scene: Scene, tmp_path: Path) -> None:
    local = rigid(np.eye(3), np.array([0.3, 0, 0]))
    entry = {key: value for key, value in GOOD.items() if key != "world_from_camera"}
    for carrier, way in (("box", scene.world_from_instance[:, 0]), ("front", scene.cameras[0].world_from_camera)):
        riding = {**entry, "name": "rider", "attached_to": carrier, "link_from_camera": local.tolist()}
        (tmp_path / "c.json").write_text(json.dumps(riding))
        assert np.allclose(with_camera_file(scene, tmp_path / "c.json").camera("rider").world_from_camera, way @ local)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": [0, 4]}, "size of camera front"),
        ({"K": [[1, 2], [3, 4]]}, "K of camera front has the shape"),
        ({"K": [[float("nan"), 0, 1], [0, 1, 1], [0, 0, 1]]}, "K of camera front"),
        ({"K": [[-5, 0, 1], [0, 1, 1], [0, 0, 1]]}, "positive focal lengths"),
        ({"world_from_camera": np.diag([1.0, 1, -1, 1]).tolist()}, "no rotation"),
        ({"world_from_camera": "here"}, "world_from_camera of camera front"),
        ({"attached_to": "box", "link_from_camera": np.eye(4).tolist()}, "must have either"),
        ({"near": -1}, "near of camera front"),
        ({"distortion": [1, 2]}, "distortion"),
        ({"projection": "round"}, "projection of camera front is round"),
        ({"fov": 3}, "the key 'fov'"),
        ({"name": ""}, "name of a camera"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(scene: Scene, tmp_path: Path, change: dict, message: str) -> None:
    (tmp_path / "c.json").write_text(json.dumps({**GOOD, **change}))
    with pytest.raises(Sim2RealError, match=message):
        with_camera_file(scene, tmp_path / "c.json")


def test_a_file_that_is_missing_or_no_camera_is_named(scene: Scene, tmp_path: Path) -> None:
    for text in ("", "[", "[]", "3", "[3]", "[" * 100_000, '{"name": "x"}'):
        (tmp_path / "c.json").write_text(text)
        with pytest.raises(Sim2RealError, match="c.json"):
            with_camera_file(scene, tmp_path / "c.json")
    with pytest.raises(Sim2RealError, match="not found"):
        with_camera_file(scene, tmp_path / "none.json")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["name", "K"]), inner, max_size=2),
    max_leaves=6,
)


@given(st.sampled_from([*GOOD, "attached_to", "link_from_camera", "near", "projection", "distortion"]), VALUES)
def test_no_value_of_any_key_is_a_traceback(
    scene: Scene, tmp_path_factory: pytest.TempPathFactory, key: str, value: object
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.json"
    path.write_text(json.dumps({**GOOD, key: value}))
    try:
        with_camera_file(scene, path)
    except Sim2RealError:
        pass
