"""Normal, occlusion, roughness, metallic and emissive textures: closed forms, signs, and the kernel equals its twin."""

from dataclasses import replace

import numpy as np
import pytest

from sim2real.conditions.rgb.deferred.shading_reference import reference_color
from sim2real.scene import Lighting, Maps, Material
from sim2real.scene.light.lamps import Lamp, Lights
from sim2real.scene.primitives import sphere

from .stage import EVEN, camera_at, checker, quad, scene_of
from .test_rgb import NIGHT, shader_of

WHITE = (1.0, 1.0, 1.0, 1.0)
CAMERA = camera_at((0, -2.5, 0), (0, 0, 0), (40, 60))


def flat(*value: int) -> np.ndarray:
    return np.full((4, 4, 3), value, np.uint8)


def wall(maps: Maps, lighting: Lighting = EVEN, lights: Lights | None = None, **material) -> np.ndarray:
    scene = scene_of([(quad(Material(**{"base_color": WHITE, "roughness": 1.0} | material, maps=maps)), (0, 0, 0))], CAMERA)
    return shader_of(replace(scene, lighting=lighting, lights=lights), ambient_occlusion=0.0).radiance(CAMERA, 0)


def from_the(x: float, z: float) -> Lights:
    return Lights((Lamp("directional", (3.0, 3.0, 3.0), direction=(-x, 1.0, -z), shadows=False),))


@pytest.mark.parametrize(("texel", "sides"), [((217, 128, 217), (1, 0)), ((128, 217, 217), (0, 1))])
def test_a_normal_map_leans_to_the_right_by_red_and_up_by_green(texel, sides):
    leaning = Maps(normal=flat(*texel))
    toward, away = (wall(leaning, lights=from_the(*(float(k * side) for side in sides)))[20, 30, 0] for k in (1, -1))
    plain = wall(Maps(normal=flat(128, 128, 255)), lights=from_the(*map(float, sides)))[20, 30, 0]
    assert toward > 1.2 * plain > 2 * away


def test_an_even_normal_map_changes_next_to_nothing():
    lights = from_the(0.5, 0.3)
    bent, plain = (wall(maps, lights=lights) for maps in (Maps(normal=flat(128, 128, 255)), Maps()))
    assert np.abs(bent - plain).max() < 0.01


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_occlusion_takes_its_strength_of_the_ambient_light_alone(strength):
    maps = Maps(surface=flat(51, 255, 0), occlusion=strength, roughness=1.0, metallic=0.0)
    assert wall(maps)[20, 30] == pytest.approx(np.full(3, 1 - 0.8 * strength), abs=2e-3)
    lit = from_the(0.0, 0.0)
    assert wall(maps, lights=lit)[20, 30] == pytest.approx(wall(Maps(), lights=lit)[20, 30], rel=1e-3)


def test_roughness_and_metallic_are_their_texels_times_their_factors():
    maps = Maps(surface=flat(255, 102, 204), roughness=0.5, metallic=0.5)
    lights = Lights(from_the(0.3, 0.2).lamps, ambient=(0.2, 0.2, 0.2), mirrored=((0.5, 0.4, 0.3), (0.1, 0.2, 0.3)))
    color = {"base_color": (0.9, 0.5, 0.2, 1.0)}
    same = wall(Maps(), lights=lights, **color | {"roughness": 0.5 * 102 / 255, "metallic": 0.5 * 204 / 255})
    # on the CPU one is shaded alone, the other beside its neighbors: a highlight is as exact as the cosine that it hangs on
    assert np.allclose(wall(maps, lights=lights, **color), same, rtol=1e-3, atol=1e-4)


def test_an_emissive_texture_glows_in_srgb_whatever_the_base_color():
    maps = Maps(emission_texture=flat(255, 188, 0), emission=(2.0, 1.0, 1.0))
    assert wall(maps, NIGHT, base_color=(0.0, 0.3, 0.1, 1.0))[20, 30] == pytest.approx([2.0, 0.5029, 0.0], abs=1e-3)


def test_the_kernel_equals_its_torch_twin_with_all_maps():
    rng = np.random.default_rng(3)
    rough = np.kron(rng.integers(0, 255, (8, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    bumps = np.concatenate([rng.integers(60, 200, (16, 16, 2)), np.full((16, 16, 1), 230)], -1).astype(np.uint8)
    maps = Maps(rough, 0.7, 0.9, 0.8, np.kron(bumps, np.ones((4, 4, 1), np.uint8)), 0.8, checker(4, 32), (0.3, 0.2, 0.1))
    ball = replace(sphere(0.5), material=Material(WHITE, checker(), maps=maps))
    scene = replace(scene_of([(ball, (0, 0, 0))], camera_at((0, -1.6, 0.4), (0, 0, 0), (40, 60))), lights=from_the(0.5, 1.0))
    shader = shader_of(scene)
    shading = shader.shading(scene.cameras[0], 0)
    shading.light.exposure = 0.0
    found, expected = shader.radiance(scene.cameras[0], 0), reference_color(shading)
    assert expected.std() > 0.05
    error = np.abs(found - expected).max(axis=-1)
    assert np.quantile(error, 0.99) < 2e-3 and error.max() < 0.3
