"""Lamps in units of files: their falloff as formulas say, their proportions kept, their level the usual one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim2real.scene import Instance, Part, Scene
from sim2real.scene.light.environment import Environment
from sim2real.scene.light.lamps import Lamp
from sim2real.scene.light.metering import irradiance, lit_by, surface_points
from sim2real.scene.primitives import plane

UP = np.array([[0.0, 0.0, 1.0]])
SQUARE = (0.0, 0.0, 1.0)


def floor(half: float = 1.0) -> Scene:
    return Scene(
        source=Path("floor"),
        sha256="",
        meshes=(plane((half, half)),),
        parts=(Part(0, 0),),
        instances=(Instance("floor", "floor"),),
        world_from_instance=np.eye(4)[None, None],
        visible=np.ones((1, 1), bool),
        cameras=(),
    )


@given(x=st.floats(-2, 2), y=st.floats(-2, 2), height=st.floats(0.2, 3), candela=st.floats(0.1, 1e5))
def test_a_point_in_candela_lights_by_the_cosine_over_the_squared_distance(x, y, height, candela):
    lamp = Lamp("point", (candela,) * 3, (0.0, 0.0, height), attenuation=SQUARE)
    square = x * x + y * y + height * height
    expected = candela * height / square**1.5
    assert irradiance(lamp, np.array([[x, y, 0.0]]), UP)[0] == pytest.approx(expected, rel=1e-9)


@given(angle=st.floats(0, 1.2), inner=st.floats(0, 0.7), wider=st.floats(0.05, 0.7))
def test_a_spot_fades_with_the_square_between_its_cones(angle, inner, wider):
    cone = (float(np.cos(inner)), float(np.cos(inner + wider)))
    lamp = Lamp("spot", (1.0, 1.0, 1.0), (0.0, 0.0, 1.0), attenuation=SQUARE, cone=cone)
    fade = np.clip((np.cos(angle) - cone[1]) / max(cone[0] - cone[1], 1e-4), 0, 1) ** 2
    found = irradiance(lamp, np.array([[np.tan(angle), 0.0, 0.0]]), UP)[0]
    assert found == pytest.approx(fade * np.cos(angle) ** 3, abs=1e-9)


@given(level=st.floats(1e-3, 1e6))
def test_the_level_of_a_file_does_not_count_and_proportions_stay(level):
    lamps = [
        Lamp("directional", (level, level, level)),
        Lamp("point", (0.5 * level, 0.2 * level, 0.0), (0.0, 0.0, 1.0), attenuation=SQUARE),
    ]
    first, second = lit_by(floor(), lamps).lights.lamps
    usual, _ = lit_by(floor(), [replace(lamp, color=tuple(c / level for c in lamp.color)) for lamp in lamps]).lights.lamps
    assert first.color == pytest.approx(usual.color)
    assert second.color == pytest.approx((0.5 * first.color[0], 0.2 * first.color[0], 0.0))


def test_a_floor_under_a_lamp_alone_is_as_bright_as_under_sun_and_sky_and_rooms_fill_its_shadows():
    scene = lit_by(floor(), [Lamp("directional", (700.0, 700.0, 700.0))])
    (lamp,) = scene.lights.lamps
    assert 3.0 < lamp.color[0] < 4.5
    assert 0.05 < np.pi * scene.lights.ambient[0] / lamp.color[0] < 0.2
    assert scene.environment.panorama == pytest.approx(np.broadcast_to(scene.lights.ambient, (8, 16, 3)))


def test_a_dome_keeps_its_proportion_to_the_lamps():
    dome = Environment("dome", np.full((8, 16, 3), 2.0, np.float32))
    scene = lit_by(floor(), [Lamp("directional", (np.pi, np.pi, np.pi))], dome)
    (lamp,) = scene.lights.lamps
    assert np.pi * scene.lights.ambient[0] == pytest.approx(2 * lamp.color[0], rel=1e-6)
    assert lamp.color[0] + np.pi * scene.lights.ambient[0] == pytest.approx(3.9, rel=0.2)


def test_points_are_spread_evenly_over_what_exists():
    scene = floor(2.0)
    points, normals = surface_points(scene)
    assert np.abs(points[:, :2]).max() <= 2 and np.abs(points[:, 2]).max() == 0 and (np.abs(normals[:, 2]) == 1).all()
    counts, _, _ = np.histogram2d(points[:, 0], points[:, 1], bins=4, range=[[-2, 2], [-2, 2]])
    assert counts.min() > 0.8 * counts.mean()
    assert len(surface_points(replace(scene, visible=np.zeros((1, 1), bool)))[0]) == 0


def test_a_moving_lamp_stands_where_its_way_says_and_is_off_where_that_is_no_number():
    way = np.tile(np.eye(4), (3, 1, 1))
    way[1, :3, 3] = 0, 0, 2
    way[2] = np.nan
    lamp = Lamp("point", (1.0, 1.0, 1.0), (0.0, 0.0, 1.0), way=way)
    assert lamp.at(0).position == (0, 0, 1) and lamp.at(1).position == (0, 0, 3) and lamp.at(2) is None
    scene = replace(
        lit_by(floor(), [lamp]), world_from_instance=np.tile(np.eye(4), (3, 1, 1, 1)), visible=np.ones((3, 1), bool)
    )
    assert scene.sliced(slice(1, 2)).lights.lamps[0].at(0).position == (0, 0, 3)
