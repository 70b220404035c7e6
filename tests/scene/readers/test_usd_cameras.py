"""USD's cameras and lights: what a point of the stage is seen at, and where the sun is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim2real.errors import BadValueError
from sim2real.scene.readers.reading import Reading
from sim2real.scene.readers.registry import read

pytest.importorskip("pxr")
from pxr import Gf, UsdGeom, UsdLux  # noqa: E402

from .usd_stages import add_mesh, move, new_stage  # noqa: E402


@pytest.fixture
def stage(tmp_path):
    stage = new_stage(tmp_path / "a.usda", frames=(0, 2))
    move(add_mesh(stage, "/World/a"), {0.0: np.eye(4), 2.0: np.diag([1.0, 1, 1, 1])})
    return stage


def read_back(stage, size=None):
    stage.Save()
    return read(Path(stage.GetRootLayer().realPath), Reading(size=size), {})


def pixel_of(camera, frame: int, point: list[float]) -> np.ndarray:
    local = np.linalg.inv(camera.world_from_camera[frame]) @ [*point, 1.0]
    xy = local[:2] if camera.lens.parallel else local[:2] / local[2]
    return camera.intrinsics[frame, :2, :2] @ xy + camera.intrinsics[frame, :2, 2]


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("unit", [1.0, 0.01])
def test_points_are_seen_where_usds_own_frustum_puts_them(tmp_path, parallel, unit):
    stage = new_stage(tmp_path / "a.usda", unit=unit, frames=(0, 2))
    camera = UsdGeom.Camera.Define(stage, "/World/eye")
    camera.CreateFocalLengthAttr().Set(18.0, 0)
    camera.CreateFocalLengthAttr().Set(30.0, 2)
    camera.CreateHorizontalApertureAttr(24.0)
    camera.CreateVerticalApertureAttr(18.0)
    camera.CreateHorizontalApertureOffsetAttr(3.0)
    camera.CreateVerticalApertureOffsetAttr(-1.5)
    if parallel:
        camera.CreateProjectionAttr("orthographic")
    turn = np.eye(4)
    turn[:3, :3] = [[0, 0, 1], [1, 0, 0], [0, 1, 0]]  # looks along -x, z up
    turn[:3, 3] = [5, 1, 2]
    move(camera, turn)
    add_mesh(stage, "/World/a")
    scene = read_back(stage, size=(120, 160))
    (found,) = scene.cameras
    for frame, code in enumerate((0.0, 1.0, 2.0)):
        frustum = camera.GetCamera(code).frustum
        view = np.array(frustum.ComputeViewMatrix()) @ np.array(frustum.ComputeProjectionMatrix())
        for point in ([0.0, 1, 2], [1.0, 1.5, 2.2], [-3.0, 0.5, 1.0]):
            clip = np.array([*point, 1.0]) @ view
            ndc = clip[:2] / clip[3]
            expected = (ndc[0] + 1) / 2 * 160, (1 - ndc[1]) / 2 * 120
            np.testing.assert_allclose(pixel_of(found, frame, [unit * c for c in point]), expected, atol=1e-3)


def test_a_camera_that_hangs_on_a_scaled_prim_is_rigid(stage):
    move(UsdGeom.Xform.Define(stage, "/World/rig"), {0.0: np.diag([2.0, 2, 2, 1]), 2.0: np.diag([2.0, 2, 2, 1])})
    move(UsdGeom.Camera.Define(stage, "/World/rig/eye"), Gf_translate(1, 2, 3))
    (camera,) = read_back(stage).cameras
    turn = camera.world_from_camera[:, :3, :3]
    np.testing.assert_allclose(turn @ np.swapaxes(turn, 1, 2), np.broadcast_to(np.eye(3), turn.shape), atol=1e-12)
    np.testing.assert_allclose(camera.world_from_camera[0, :3, 3], [2, 4, 6])


def Gf_translate(x: float, y: float, z: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, 3] = x, y, z
    return matrix


def test_cameras_of_one_name_are_told_apart_and_viewports_are_left_out(stage):
    for path in ("/World/left/eye", "/World/right/eye", "/OmniverseKit_Persp"):
        UsdGeom.Camera.Define(stage, path)
    scene = read_back(stage)
    assert [camera.name for camera in scene.cameras] == ["eye", "eye_2"]
    assert scene.camera("/World/right/eye").name == "eye_2"
    assert any("OmniverseKit_Persp" in note for note in scene.notes)


@pytest.mark.parametrize(("name", "value"), [("focalLength", 0.0), ("focalLength", float("nan")), ("horizontalAperture", -1.0)])
def test_a_lens_that_is_none_is_one_line(stage, name, value):
    UsdGeom.Camera.Define(stage, "/World/eye").GetPrim().GetAttribute(name).Set(value)
    with pytest.raises(BadValueError, match="lens of /World/eye"):
        read_back(stage)


def test_near_is_in_metres_where_the_stage_says_it(tmp_path):
    for authored, near in ((None, 0.01), ((5.0, 100.0), 0.05)):
        stage = new_stage(tmp_path / f"{near}.usda", unit=0.01)
        add_mesh(stage, "/World/a")
        camera = UsdGeom.Camera.Define(stage, "/World/eye")
        if authored:
            camera.CreateClippingRangeAttr(Gf.Vec2f(*authored))
        assert read_back(stage).cameras[0].near == pytest.approx(near)


def test_a_single_distant_light_is_the_sun(stage):
    sun = UsdLux.DistantLight.Define(stage, "/World/sun")
    sun.CreateIntensityAttr(3000.0)
    sun.CreateColorAttr(Gf.Vec3f(1, 0.5, 0.5))
    tilt = np.eye(4)
    tilt[:3, :3] = [[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]]
    move(sun, tilt)
    UsdLux.PortalLight.Define(stage, "/World/window")
    scene = read_back(stage)
    np.testing.assert_allclose(scene.lighting.sun_direction, [0, -0.6, 0.8], atol=1e-6)
    assert scene.lighting.sun[0] > scene.lighting.sun[1] == scene.lighting.sun[2]
    assert scene.lights is None and any("not read: 1 PortalLight" in note for note in scene.notes)


def test_a_dome_colors_the_sky_or_is_a_panorama(stage, tmp_path):
    import OpenEXR

    dome = UsdLux.DomeLight.Define(stage, "/World/sky")
    dome.CreateColorAttr(Gf.Vec3f(0.2, 0.4, 1.0))
    scene = read_back(stage)
    assert scene.lighting.sky[2] > scene.lighting.sky[1] > scene.lighting.sky[0] and scene.environment is None
    pixels = np.ones((8, 16, 3), np.float32)
    OpenEXR.File({}, {"RGB": pixels}).write(str(tmp_path / "sky.exr"))
    dome.CreateTextureFileAttr("./sky.exr")
    scene = read_back(stage)
    assert scene.environment is not None and scene.environment.panorama.shape == (8, 16, 3)
    dome.CreateTextureFileAttr("./sky.hdr")
    scene = read_back(stage)
    assert scene.environment is None and any("sky.hdr" in note for note in scene.notes)
