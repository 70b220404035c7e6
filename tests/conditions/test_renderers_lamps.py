"""Lamps and texture maps of scenes in pyrender's and Mitsuba's pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim2real.scene import Maps, Material, primitives
from sim2real.scene.light.lamps import Lamp, Lights
from sim2real.scene.light.metering import lit_by

from .test_rgb_renderers import brightness, camera, pictures, scene_of  # noqa: F401 (a fixture)

FLOOR = replace(primitives.plane((2.0, 2.0)), material=Material((0.6, 0.6, 0.6, 1.0), roughness=1.0))
ABOVE = np.diag([1.0, -1.0, -1.0, 1.0]) + 3 * np.outer([0, 0, 1, 0], [0, 0, 0, 1])
TOP = camera("top", world_from_camera=np.tile(ABOVE, (3, 1, 1)))
SQUARE = (0.0, 0.0, 1.0)


def lit(*lamps: Lamp, things=(), **lights):
    scene = replace(scene_of([FLOOR, *things]), cameras=(TOP,))
    return replace(scene, lights=Lights(tuple(lamps), **lights))


@pytest.mark.slow
@pytest.mark.parametrize(
    "lamp",
    [
        Lamp("point", (2.0, 2.0, 2.0), (0.6, 0.0, 0.6), attenuation=SQUARE),
        Lamp("spot", (4.0, 4.0, 4.0), (0.6, 0.0, 1.2), attenuation=SQUARE, cone=(0.95, 0.8)),
        Lamp("spot", (2.0, 2.0, 2.0), (0.6, 0.0, 0.6), attenuation=SQUARE, cone=(1e-3, 0.0), exponent=1.0),
        Lamp("point", (0.6, 0.6, 0.6), (0.6, 0.0, 0.6)),
    ],
    ids=["point", "spot", "flat", "even point"],
)
def test_a_lamp_lights_the_floor_below_it_most(lamp, pictures):  # noqa: F811
    shown = brightness(pictures(lit(lamp)), TOP, 0)
    bright = np.argwhere(shown >= shown.max() - 3).mean(axis=0)
    where = np.array([(bright[1] + 0.5 - 27.4) / 52 * 3, -(bright[0] + 0.5 - 21.7) / 52 * 3])
    assert where == pytest.approx([0.6, 0.0], abs=0.2)
    assert shown.max() > 60 and np.median(shown) < 0.8 * shown.max()


@pytest.mark.slow
def test_a_directional_lamp_casts_the_shadow_of_a_thing(pictures):  # noqa: F811
    box = primitives.box((0.2, 0.2, 0.05))
    box = replace(box, vertices=box.vertices + [0.0, 0.0, 0.8], material=FLOOR.material)
    lamp = Lamp("directional", (3.0, 3.0, 3.0), (0.0, 0.0, 5.0), (1.0, 0.0, -1.0))
    shown = brightness(pictures(lit(lamp, things=[box])), TOP, 0)
    shadow, beside = shown[21, int(27.4 + 52 * 0.8 / 3)], shown[21, int(27.4 - 52 * 0.8 / 3)]
    assert shadow < 0.4 * beside


@pytest.mark.slow
def test_lamps_of_files_and_headlights_are_well_exposed_and_move(pictures):  # noqa: F811
    way = np.tile(np.eye(4), (3, 1, 1))
    way[0, :3, 3], way[2, :3, 3] = (-0.7, 0, 0.7), (0.7, 0, 0.7)
    moving = Lamp("point", (900.0, 900.0, 900.0), attenuation=SQUARE, way=way)
    draw = pictures(lit_by(replace(scene_of([FLOOR]), cameras=(TOP,)), [moving]))
    first, last = (brightness(draw, TOP, frame) for frame in (0, 2))
    assert first[:, :27].mean() > 1.2 * first[:, 27:].mean() and last[:, 27:].mean() > 1.2 * last[:, :27].mean()
    assert 60 < first.max() and 20 < first.mean() < 220
    head = brightness(pictures(lit(headlight=(2.0, 2.0, 2.0))), TOP, 0)
    assert 40 < head.mean() < 250


def halves(left: float, right: float) -> np.ndarray:
    pixels = np.full((8, 8, 3), left, np.uint8)
    pixels[:, 4:] = right
    return pixels


@pytest.mark.slow
def test_maps_of_gloss_emission_and_relief_show_on_their_sides(pictures):  # noqa: F811
    lamp = Lamp("directional", (2.5, 2.5, 2.5), (0.0, 0.0, 5.0), (0.0, 0.5, -1.0), shadows=False)

    def sides(maps: Maps | None, **more) -> tuple[float, float]:
        floor = replace(FLOOR, material=replace(FLOOR.material, maps=maps, **more))
        scene = replace(scene_of([floor]), cameras=(TOP,), lights=Lights((lamp,), (0.1, 0.1, 0.1)))
        shown = brightness(pictures(scene), TOP, 0)
        return float(shown[10:30, 8:20].mean()), float(shown[10:30, 34:46].mean())

    plain = sides(None)
    assert plain[0] == pytest.approx(plain[1], rel=0.1)
    metal = np.full((8, 8, 3), 255, np.uint8)
    metal[:, :4, 2] = 0
    left, right = sides(Maps(surface=metal))
    assert right < 0.8 * left  # metal that mirrors the dark
    glow = sides(Maps(emission_texture=halves(0, 255), emission=(1.0, 1.0, 1.0)), emission=(0.5, 0.5, 0.5))
    assert glow[1] > 1.2 * glow[0]
    bent = np.full((8, 8, 3), (127, 127, 255), np.uint8)
    bent[:, 4:] = (127, 217, 217)  # towards the top of the picture, away from the lamp
    left, right = sides(Maps(normal=bent))
    bent[:, 4:] = (127, 37, 217)
    toward_left, toward_right = sides(Maps(normal=bent))
    assert right < 0.9 * left and toward_right > right + 5
