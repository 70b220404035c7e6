"""Lamps: closed forms of matte floors, cones and distances; shadows of every kind; what is around; kernel and twin agree."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from sim2real.conditions.rgb.deferred.shading_reference import reference_color
from sim2real.scene import Material
from sim2real.scene.light.lamps import Lamp, Lights, Skybox
from sim2real.scene.primitives import box, plane

from .stage import camera_at, quad, scene_of, tabletop
from .test_rgb import shader_of

MATTE = Material((0.5, 0.25, 0.1, 1.0), roughness=1.0)
DOWN = (0.0, 0.0, -1.0)


def floor_under(*lamps: Lamp, size=(60, 80), things=(), **lights):
    floor = replace(plane((2.0, 2.0)), material=MATTE)
    scene = scene_of([(floor, (0, 0, 0)), *things], camera_at((0, -0.01, 3), (0, 0, 0), size))
    return replace(scene, lights=Lights(lamps, **lights))


def matte_part(scene) -> np.ndarray:
    """Radiance over that of the same floor under one unit of even irradiance, which leaves out what GGX adds."""
    even = replace(scene, lights=Lights((Lamp("directional", (1.0, 1.0, 1.0), direction=DOWN, shadows=False),)))
    one = shader_of(even, ambient_occlusion=0.0).radiance(scene.cameras[0], 0)
    return shader_of(scene, ambient_occlusion=0.0).radiance(scene.cameras[0], 0) / one


def floor_points(scene) -> np.ndarray:
    """Where the lines of sight of pixels meet the floor, world metres."""
    camera = scene.cameras[0]
    y, x = np.mgrid[: camera.size[0], : camera.size[1]] + 0.5
    rays = np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(camera.intrinsics[0]).T @ camera.world_from_camera[0][:3, :3].T
    eye = camera.world_from_camera[0][:3, 3]
    return eye + rays * (-eye[2] / rays[..., 2:])


def test_shadows_of_several_lamps_that_several_threads_draw_are_those_of_one():
    scene = tabletop((36, 48), frames=2)
    places = ((0.5, 0.3, 0.8), (-0.5, 0.3, 0.8), (0.0, -0.6, 0.7))
    lamps = tuple(Lamp("point", (0.4, 0.4, 0.4), place, attenuation=(0.0, 0.0, 1.0)) for place in places)
    scene = replace(scene, lights=Lights(lamps))
    shader, alone = (shader_of(scene, shadow_texels=128) for _ in range(2))
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda frame: shader.frame(scene.cameras[0], frame), [0, 0, 0, 0, 1, 1, 1, 1]))
    for frame in (0, 1):
        expected = alone.frame(scene.cameras[0], frame)
        assert all(np.array_equal(picture, expected) for picture in together[4 * frame : 4 * frame + 4])
    assert not np.array_equal(together[0], together[4])


@pytest.mark.parametrize("color", [(1.0, 2.0, 3.0), (0.3, 0.0, 0.1)])
def test_a_matte_floor_under_one_directional_lamp_shines_as_lambert_says(color):
    scene = floor_under(Lamp("directional", color, direction=DOWN))
    middle = shader_of(scene, ambient_occlusion=0.0).radiance(scene.cameras[0], 0)[30, 40]
    expected = np.array(MATTE.base_color[:3]) / np.pi * color
    gloss = 0.04 / (4 * np.pi) * np.array(color)  # GGX of roughness 1 seen and lit straight on
    assert middle == pytest.approx(0.96 * expected + gloss, rel=0.02)


def test_light_of_a_point_falls_as_its_attenuation_says():
    scene = floor_under(Lamp("point", (1.0, 1.0, 1.0), (0.3, 0.2, 1.0), attenuation=(0.5, 0.1, 2.0), shadows=False))
    away = np.array([0.3, 0.2, 1.0]) - floor_points(scene)
    distance = np.linalg.norm(away, axis=-1)
    expected = away[..., 2] / distance / (0.5 + 0.1 * distance + 2.0 * distance**2)
    found = matte_part(scene)[..., 0]
    assert np.abs(found / expected - 1).max() < 0.05


def test_beyond_its_reach_a_point_lights_nothing():
    scene = floor_under(Lamp("point", (1.0, 1.0, 1.0), (0.0, 0.0, 0.5), reach=0.8, shadows=False))
    found = matte_part(scene)[..., 0]
    radius = np.linalg.norm(floor_points(scene)[..., :2], axis=-1)
    edge = np.sqrt(0.8**2 - 0.5**2)
    assert (found[radius > edge + 0.06] == 0).all() and (found[radius < edge - 0.06] > 0).all()


@pytest.mark.parametrize("exponent", [0.0, 3.0])
def test_a_spot_ends_where_its_cone_does(exponent):
    inner, outer = np.cos(np.radians([20, 30]))
    lamp = Lamp("spot", (1.0, 1.0, 1.0), (0.0, 0.0, 1.5), DOWN, cone=(inner, outer), exponent=exponent, shadows=False)
    scene = floor_under(lamp)
    away = np.array([0, 0, 1.5]) - floor_points(scene)
    cosine = away[..., 2] / np.linalg.norm(away, axis=-1)
    fade = np.clip((cosine - outer) / (inner - outer), 0, 1) ** 2
    expected = cosine * fade * cosine**exponent
    assert np.abs(matte_part(scene)[..., 0] - expected).max() < 0.04
    assert (expected == 0).mean() > 0.1 and (expected > 0.6).any()


@pytest.mark.parametrize(
    "lamp",
    [
        Lamp("directional", (3.0, 3.0, 3.0), (1.0, 0.0, 1.5), (-1.0, 0.0, -1.0)),
        Lamp("point", (3.0, 3.0, 3.0), (1.0, 0.0, 1.5)),
        Lamp("spot", (3.0, 3.0, 3.0), (1.0, 0.0, 1.5), (-0.6, 0.0, -0.9), cone=(0.6, 0.5)),
    ],
    ids=lambda lamp: lamp.kind,
)
def test_every_kind_of_lamp_casts_shadows_where_a_ray_to_it_is_blocked(lamp):
    half = 0.15
    scene = floor_under(lamp, size=(120, 160), things=[(box((half, half, half)), (0.0, 0.0, half))])
    dark, bright = (
        shader_of(one, ambient_occlusion=0.0).radiance(scene.cameras[0], 0)[..., 0]
        for one in (scene, replace(scene, lights=Lights((replace(lamp, shadows=False),))))
    )
    points = floor_points(scene)
    towards = -np.array(lamp.direction) * np.ones_like(points) if lamp.kind == "directional" else lamp.position - points
    low, high = (
        (np.array(edge) - points) / np.where(towards == 0, 1e-12, towards)
        for edge in ((-half, -half, 0), (half, half, 2 * half))
    )
    enter, leave = np.minimum(low, high).max(axis=-1), np.maximum(low, high).min(axis=-1)
    blocked = (enter < leave) & (leave > 0)
    box_seen = np.abs(points[..., :2]).max(axis=-1) < 2.2 * half
    border = np.zeros_like(blocked)
    for axis in (0, 1):
        for step in (-2, -1, 1, 2):
            border |= np.roll(blocked, step, axis) != blocked
    told = ~box_seen & ~border & (bright > 1e-4)
    assert (blocked & told).sum() > 50
    assert (dark[blocked & told] < 0.02 * bright[blocked & told]).all()
    assert dark[~blocked & told] == pytest.approx(bright[~blocked & told], rel=0.02)


def test_light_of_several_lamps_adds_up():
    lamps = (
        Lamp("directional", (1.0, 0.5, 0.2), (0.0, 0.0, 3.0), (0.3, 0.2, -1.0)),
        Lamp("point", (0.4, 0.4, 0.9), (0.5, 0.5, 1.0)),
    )
    things = [(box((0.1, 0.1, 0.1)), (0.2, 0.0, 0.1))]
    both, first, second = (
        shader_of(scene, ambient_occlusion=0.0).radiance(scene.cameras[0], 0)
        for scene in (floor_under(*chosen, things=things) for chosen in (lamps, lamps[:1], lamps[1:]))
    )
    assert np.abs(both - first - second).max() < 1e-5


def test_the_headlight_goes_with_the_camera_and_casts_no_shadow():
    scene = floor_under(headlight=(np.pi, np.pi, np.pi), things=[(box((0.1, 0.1, 0.1)), (0.0, 0.0, 0.1))])
    shown = shader_of(scene, ambient_occlusion=0.0).radiance(scene.cameras[0], 0)[..., 0]
    away = scene.cameras[0].world_from_camera[0][:3, 3] - floor_points(scene)
    facing = away[..., 2] / np.linalg.norm(away, axis=-1)
    edge = np.abs(floor_points(scene)[..., :2]).max(axis=-1) > 0.3
    assert shown[edge] == pytest.approx(0.5 * facing[edge], rel=0.06)


def test_a_lamp_on_an_instance_goes_with_it():
    lamp = Lamp("point", (1.0, 1.0, 1.0), (0.0, 0.0, 0.5), shadows=False, instance=1)
    there = floor_under(lamp, things=[(quad(half=0.01), (0.8, 0.0, 0.2))])
    found = matte_part(there)[..., 0]
    y, x = np.unravel_index(found.argmax(), found.shape)
    assert floor_points(there)[y, x, :2] == pytest.approx([0.8, 0.0], abs=0.1)


@pytest.mark.parametrize("kind", ["directional", "point", "spot"])
def test_the_shadows_of_a_lamp_that_moves_by_itself_are_those_of_a_lamp_that_stands_there(kind):
    things = [(box((0.15, 0.15, 0.15)), (0.0, 0.0, 0.15))]
    way = np.tile(np.eye(4), (2, 1, 1))
    way[0, :3, 3], way[1, :3, 3] = (1.0, 0.0, 1.5), (-0.5, 0.9, 1.2)
    way[1, :3, :3] = np.diag([-1.0, -1.0, 1.0])
    lamp = Lamp(kind, (3.0, 3.0, 3.0), direction=(-0.6, 0.2, -1.0), cone=(0.5, 0.4), way=way)
    still = floor_under(things=things)
    twice = replace(
        still,
        world_from_instance=np.tile(still.world_from_instance, (2, 1, 1, 1)),
        visible=np.tile(still.visible, (2, 1)),
        cameras=tuple(
            replace(c, intrinsics=np.tile(c.intrinsics, (2, 1, 1)), world_from_camera=np.tile(c.world_from_camera, (2, 1, 1)))
            for c in still.cameras
        ),
    )
    shader = shader_of(replace(twice, lights=Lights((lamp,))), ambient_occlusion=0.0)
    for frame in (0, 1):
        stands = shader_of(replace(twice, lights=Lights((lamp.at(frame),))), ambient_occlusion=0.0)
        found, expected = shader.radiance(twice.cameras[0], frame), stands.radiance(twice.cameras[0], frame)
        assert np.abs(found - expected).mean() < 0.01 * expected.mean()
        assert (expected < 0.02 * expected.max()).sum() > 50
    gone = replace(lamp, way=np.stack([way[0], np.full((4, 4), np.nan)]))
    assert shader_of(replace(twice, lights=Lights((gone,)))).radiance(twice.cameras[0], 1).max() == 0


SIDES = np.zeros((6, 4, 4, 3), np.uint8)
SIDES[:] = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255)])[:, None, None]


@pytest.mark.parametrize("side", range(6))
def test_a_skybox_shows_its_sides_where_nothing_is(side):
    axis = np.zeros(3)
    axis[side // 2] = 1 - 2 * (side % 2)
    camera = camera_at((0.0, 0.0, 0.0), tuple(axis + [0, 0.001, 0] if axis[2] else axis), (40, 60), fov_deg=40)
    scene = replace(scene_of([], camera), lights=Lights(skybox=Skybox(SIDES, np.eye(3))))
    shown = shader_of(scene).frame(camera, 0)
    assert np.abs(shown.astype(int) - SIDES[side, 0, 0]).max() <= 4


def test_stars_of_a_skybox_are_no_finer_than_pixels_so_that_they_stay_when_the_camera_turns():
    sides = np.zeros((6, 256, 256, 3), np.uint8)
    sides[np.random.default_rng(1).random((6, 256, 256)) < 0.1] = 255
    camera = camera_at((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (40, 60), fov_deg=60)
    shown = []
    for shift in (0.0, 0.5):
        turned = replace(camera, intrinsics=camera.intrinsics + [[0, 0, shift], [0, 0, 0], [0, 0, 0]])
        scene = replace(scene_of([], turned), lights=Lights(skybox=Skybox(sides, np.eye(3))))
        shown.append(shader_of(scene).frame(turned, 0).astype(float))
    assert shown[0].mean() == pytest.approx(0.1 * 255, rel=0.15)
    assert np.abs(shown[1] - shown[0]).mean() < 0.6 * shown[0].std()


def test_the_kernel_equals_its_torch_twin_under_lamps_of_all_kinds():
    rng = np.random.default_rng(1)
    around = Skybox(rng.integers(0, 255, (6, 8, 8, 3), dtype=np.uint8), np.linalg.qr(rng.normal(size=(3, 3)))[0])
    lamps = (
        Lamp("directional", (1.0, 0.9, 0.8), (0.5, -0.5, 2.0), (-0.3, 0.3, -1.0)),
        Lamp("spot", (2.0, 1.0, 1.0), (-0.4, -0.3, 0.8), (0.4, 0.3, -0.8), (1.0, 0.2, 0.1), cone=(0.9, 0.8), exponent=2.0),
        Lamp("point", (0.3, 0.3, 0.9), (0.2, 0.3, 0.6), attenuation=(0.0, 0.0, 2.0), reach=1.5),
        Lamp("point", (0.1, 0.0, 0.0), (0.0, 0.0, 0.2), instance=2),
    )
    scene = tabletop((40, 60), frames=2)
    mirrored = ((0.4, 0.5, 0.6), (0.2, 0.1, 0.1))
    scene = replace(scene, lights=Lights(lamps, (0.1, 0.1, 0.2), mirrored, (0.3, 0.3, 0.3), around))
    shader = shader_of(scene, shadow_texels=256)
    shading = shader.shading(scene.cameras[0], 1)
    shading.light.exposure = 0.0
    found, expected = shader.radiance(scene.cameras[0], 1), reference_color(shading)
    assert expected.std() > 0.05
    error = np.abs(found - expected).max(axis=-1)
    assert np.quantile(error, 0.99) < 1e-4 and error.max() < 0.5
