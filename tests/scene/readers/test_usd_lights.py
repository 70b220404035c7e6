"""USD's lamps: ``UsdLux``'s formulas, units of the stage, shaping, and lamps that move or are switched off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim2real.scene.readers.reading import Reading
from sim2real.scene.readers.registry import read

pytest.importorskip("pxr")
from pxr import Gf, UsdLux  # noqa: E402

from .usd_stages import add_mesh, move, new_stage  # noqa: E402


def lamps_of(tmp_path, *build, unit: float = 1.0, frames=(0, 2)):
    stage = new_stage(tmp_path / "a.usda", unit=unit, frames=frames)
    move(add_mesh(stage, "/World/a"), np.eye(4))
    for one in build:
        one(stage)
    stage.Save()
    return read(Path(stage.GetRootLayer().realPath), Reading(), {})


def sun(stage):
    """Irradiance 1, what others are compared with."""
    light = UsdLux.DistantLight.Define(stage, "/World/sun")
    light.CreateNormalizeAttr(True)
    light.CreateIntensityAttr(1.0)


def strengths(scene) -> np.ndarray:
    """Of all lamps, over that of the first."""
    colors = np.array([lamp.color for lamp in scene.lights.lamps])
    return colors[:, 0] / colors[0, 0]


@pytest.mark.parametrize("unit", [1.0, 0.01])
def test_radiance_times_the_area_that_is_seen_is_intensity(tmp_path, unit):
    def others(stage):
        for name, kind in (
            ("b", UsdLux.SphereLight),
            ("c", UsdLux.RectLight),
            ("d", UsdLux.DiskLight),
            ("e", UsdLux.CylinderLight),
        ):
            light = kind.Define(stage, f"/World/{name}")
            light.CreateIntensityAttr(10.0)
            light.CreateExposureAttr(1.0)
            for key, value in (("Radius", 0.2), ("Width", 0.5), ("Height", 0.4), ("Length", 3.0)):
                if hasattr(light, f"Create{key}Attr"):
                    getattr(light, f"Create{key}Attr")(value)

    scene = lamps_of(tmp_path, sun, others, unit=unit)
    square = np.pi * 0.2**2
    facing = np.array([square, 0.5 * 0.4, square, 2 * np.pi * 0.2 * 3 / 4]) * unit**2
    assert strengths(scene)[1:] == pytest.approx(20 * facing, rel=1e-5)
    kinds = [(lamp.kind, lamp.exponent) for lamp in scene.lights.lamps]
    assert kinds == [("directional", 0), ("point", 0), ("spot", 1), ("spot", 1), ("point", 0)]
    assert any("shine from their centers" in note for note in scene.notes)


def test_normalized_lights_do_not_depend_on_their_size(tmp_path):
    def pair(stage):
        for name, radius in (("b", 0.1), ("c", 0.7)):
            light = UsdLux.SphereLight.Define(stage, f"/World/{name}")
            light.CreateRadiusAttr(radius)
            light.CreateNormalizeAttr(True)
            light.CreateIntensityAttr(8.0)

    assert strengths(lamps_of(tmp_path, sun, pair))[1:] == pytest.approx([2, 2])  # an area of 4 pi r^2 shows pi r^2


def test_a_distant_light_has_the_irradiance_of_its_disc(tmp_path):
    def wide(stage):
        light = UsdLux.DistantLight.Define(stage, "/World/wide")
        light.CreateAngleAttr(10.0)
        light.CreateIntensityAttr(50.0)

    assert strengths(lamps_of(tmp_path, sun, wide))[1] == pytest.approx(50 * np.pi * np.sin(np.radians(5)) ** 2, rel=1e-5)


def test_shaping_makes_a_spot_and_colors_and_temperatures_multiply(tmp_path):
    def spot(stage):
        light = UsdLux.SphereLight.Define(stage, "/World/b")
        light.CreateTreatAsPointAttr(True)
        light.CreateColorAttr(Gf.Vec3f(1, 0.5, 0.5))
        light.CreateEnableColorTemperatureAttr(True)
        light.CreateColorTemperatureAttr(3000.0)
        given = UsdLux.ShapingAPI.Apply(light.GetPrim())
        given.CreateShapingConeAngleAttr(30.0)
        given.CreateShapingConeSoftnessAttr(0.5)
        UsdLux.ShadowAPI.Apply(light.GetPrim()).CreateShadowEnableAttr(False)

    (_, lamp) = lamps_of(tmp_path, sun, spot).lights.lamps
    assert lamp.kind == "spot" and not lamp.shadows
    assert lamp.cone == pytest.approx((np.cos(np.radians(15)), np.cos(np.radians(30))))
    warm = np.array(UsdLux.BlackbodyTemperatureAsRgb(3000.0)) * [1, 0.5, 0.5]
    assert np.array(lamp.color) / lamp.color[0] == pytest.approx(warm / warm[0], rel=1e-5)


def test_lamps_move_with_their_prims_and_are_off_while_they_are_invisible(tmp_path):
    def lamp(stage):
        light = UsdLux.SphereLight.Define(stage, "/World/b")
        there = np.eye(4)
        there[:3, 3] = [4, 0, 1]
        move(light, {0.0: np.eye(4), 2.0: there})
        light.GetVisibilityAttr().Set("inherited", 0.0)
        light.GetVisibilityAttr().Set("invisible", 1.0)
        light.GetVisibilityAttr().Set("inherited", 2.0)

    (found,) = lamps_of(tmp_path, lamp).lights.lamps
    first, off, last = (found.at(frame) for frame in range(3))
    assert off is None and last.position == pytest.approx((4, 0, 1)) and first.position == pytest.approx((0, 0, 0))


def test_a_dome_beside_lamps_keeps_its_strength(tmp_path):
    def dome(stage):
        light = UsdLux.DomeLight.Define(stage, "/World/sky")
        light.CreateIntensityAttr(3.0)

    scene = lamps_of(tmp_path, sun, lambda stage: UsdLux.SphereLight.Define(stage, "/World/b").CreateIntensityAttr(1e-3), dome)
    assert scene.lights.ambient[0] == pytest.approx(3 * scene.lights.lamps[0].color[0], rel=1e-5)
    assert scene.lights.followed and scene.environment.panorama.max() == pytest.approx(scene.lights.ambient[0], rel=1e-5)
