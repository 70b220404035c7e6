from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim2real.camera import View
from sim2real.conditions.rgb.mitsuba import Environment, PathTracer, lighting_of
from sim2real.conditions.rgb.mitsuba.convert import with_area
from sim2real.conditions.rgb.mitsuba.features import FeatureMaker
from sim2real.conditions.rgb.mitsuba.oidn import Oidn, library_at_hand
from sim2real.conditions.rgb.mitsuba.surfaces import clouds
from sim2real.conditions.rgb.mitsuba.trace import without_fireflies
from sim2real.errors import BadValueError
from sim2real.prepare.random_scenes import random_scene
from sim2real.raster import rasterizer
from sim2real.scene import Camera, Instance, Lighting, Material, Mesh, Part, Scene, primitives, triangles_of
from sim2real.scene.light.sky import axes_about, panorama, panorama_directions
from sim2real.transforms import look_at

pytest.importorskip("mitsuba", reason="mitsuba is not installed (pip install 'sim2real[pathtrace]')")

UP = np.array([0.0, 0.0, 1.0])


def scene_of(meshes, camera, lighting=None):
    return Scene(
        source=Path("test"),
        sha256="",
        meshes=tuple(meshes),
        parts=tuple(Part(k, k) for k in range(len(meshes))),
        instances=tuple(Instance(m.name, m.name) for m in meshes),
        world_from_instance=np.tile(np.eye(4), (1, len(meshes), 1, 1)),
        visible=np.ones((1, len(meshes)), bool),
        cameras=(camera,),
        lighting=lighting or Lighting(),
    )


def square(half=1.0, **material):
    """A square in the plane z = 0, seen from above with u to the right and v up."""
    corners = np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    uv = np.array([[[0.0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]])
    return Mesh("square", half * corners, np.array([[0, 1, 2], [0, 2, 3]]), uv=uv, material=Material(**material))


def camera_at(eye, target, size=(24, 32), focal=30.0, center=None):
    cx, cy = center or (size[1] / 2, size[0] / 2)
    k = np.array([[[focal, 0, cx], [0, focal, cy], [0, 0, 1.0]]])
    return Camera("camera", size, k, look_at(np.array([eye], float), np.array(target, float), UP))


def first_hits(tracer, camera, frame):
    """Part and distance that Mitsuba finds along the rays through pixel centers, and these rays' directions."""
    world = tracer.world(camera, frame)
    sensor = world.sensors()[0]
    height, width = camera.size
    part, distance, ray_of = np.full((height, width), -1), np.zeros((height, width)), np.zeros((height, width, 3))
    for y in range(height):
        for x in range(width):
            ray, _ = sensor.sample_ray(0.0, 0.5, [(x + 0.5) / width, (y + 0.5) / height], [0.5, 0.5])
            hit = world.ray_intersect(ray)
            ray_of[y, x] = np.array(ray.d)
            if hit.is_valid():
                part[y, x] = int(hit.shape.id().removeprefix("part"))
                distance[y, x] = np.linalg.norm(np.array(hit.p) - camera.world_from_camera[frame, :3, 3])
    return part, distance, ray_of


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "frame"), [(1, 3), (2026000042, 0)])
def test_mitsuba_sees_what_the_rasterizer_sees(seed, frame):
    scene = random_scene(seed, size=(48, 56), frames=4).scene
    camera, triangles = scene.cameras[0], triangles_of(scene)
    part, distance, rays = first_hits(PathTracer(scene, threads=1), camera, frame)
    seen = rasterizer(triangles).fragments(
        View(scene.camera_from_part(camera, frame), camera.intrinsics[frame], camera.size, near=camera.near)
    )
    ours = np.where(seen.face.numpy() >= 0, triangles.face_part[seen.face.numpy()], -1)
    assert (part == ours).mean() >= 0.995
    y, x = np.mgrid[: camera.size[0], : camera.size[1]] + 0.5
    exact = np.stack([x, y, np.ones_like(x)], axis=-1) @ np.linalg.inv(camera.intrinsics[frame]).T
    toward = exact @ camera.world_from_camera[frame, :3, :3].T
    length = np.linalg.norm(toward, axis=-1)
    assert np.abs(rays - toward / length[..., None]).max() * camera.intrinsics[frame, 0, 0] < 0.01  # pixels
    both = (part == ours) & (part >= 0)
    error = np.abs(seen.depth.numpy() * length - distance)[both] / distance[both]
    assert np.percentile(error, 99.5) < 1e-3
    assert np.median(error) < 1e-6


def test_the_background_is_the_sky_of_the_lighting():
    lighting = Lighting(sun=(0.0, 0.0, 0.0), up=(0.0, 0.6, 0.8))
    camera = camera_at([0, 0, 0], [0.4, 1, 0.3], focal=15.0, center=(12.5, 15.0))
    nothing = replace(primitives.sphere(0.01), vertices=primitives.sphere(0.01).vertices - [0, 50.0, 0])
    tracer = PathTracer(scene_of([nothing], camera, lighting), spp=64)
    y, x = np.mgrid[:24, :32] + 0.5
    toward = np.stack([x, y, np.ones_like(x)], axis=-1) @ np.linalg.inv(camera.intrinsics[0]).T
    toward = toward @ camera.world_from_camera[0, :3, :3].T
    t = 0.5 + 0.5 * toward @ np.array(lighting.up) / np.linalg.norm(toward, axis=-1)
    t = (t * t * (3 - 2 * t))[..., None]
    expected = np.array(lighting.ground) * (1 - t) + np.array(lighting.sky) * t
    np.testing.assert_allclose(tracer.radiance(camera, 0), expected, atol=0.005)


@pytest.mark.parametrize("radius_deg", [0.27, 3.0, 12.0])
def test_the_disc_of_the_sun_carries_its_irradiance(radius_deg):
    lighting = Lighting(sky=(0.0, 0.0, 0.0), ground=(0.0, 0.0, 0.0), sun_direction=(0.2, 0.7, 0.4), up=(0.0, 1.0, 0.2))
    radiance, directions = panorama(lighting, sun_radius_deg=radius_deg), panorama_directions(128)
    to_sun = axes_about(lighting.up).T @ np.array(lighting.sun_direction) / np.linalg.norm(lighting.sun_direction)
    solid_angle = np.sqrt(1 - directions[..., 1] ** 2) * (np.pi / 128) ** 2
    falling = (radiance * (np.maximum(directions @ to_sun, 0) * solid_angle)[..., None]).sum((0, 1))
    np.testing.assert_allclose(falling, lighting.sun, rtol=1e-6)


def test_a_matt_floor_reflects_what_the_sun_gives():
    lighting = Lighting(sky=(0.0, 0.0, 0.0), ground=(0.0, 0.0, 0.0), sun=(2.0, 2.0, 2.0), sun_direction=(0.5, 0.0, 1.0))
    floor = replace(primitives.plane([5.0, 5.0]), material=Material(base_color=(0.5, 0.5, 0.5, 1.0), roughness=1.0))
    camera = camera_at([0, -0.5, 3], [0, 0, 0])
    light = PathTracer(scene_of([floor], camera, lighting), spp=64).radiance(camera, 0)
    expected = 0.5 / np.pi * 2.0 * 1 / np.hypot(0.5, 1.0)
    assert light.mean() == pytest.approx(expected, rel=0.15)  # the principled model is not quite Lambert's


def test_textures_lie_with_row_0_at_v_1():
    texture = np.full((64, 64, 3), 20, np.uint8)
    texture[:32, :32, 0] = 255  # top left: u < 0.5, v > 0.5
    quad = square(base_color=(1.0, 1.0, 1.0, 1.0), texture=texture)
    camera = camera_at([0, -0.01, 3.0], [0, 0, 0], size=(16, 16), focal=24.0)  # up in the picture is +y
    picture = PathTracer(scene_of([quad], camera), spp=32, denoise=False).frame(camera, 0).astype(int)
    red = picture[..., 0] > 2 * picture[..., 1] + 20
    assert red[3, 3]
    assert not (red[3, 12] or red[12, 3] or red[12, 12])


def still_life(size):
    """A ball on checkered ground."""
    squares = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((8, 8)))[..., None] * [90, 60, 20] + [90, 100, 120]
    ground = square(2.0, texture=squares.astype(np.uint8), base_color=(1.0, 1.0, 1.0, 1.0))
    ball = primitives.sphere(0.4)
    ball = replace(ball, vertices=ball.vertices + [0, 0, 0.4], material=Material(base_color=(0.7, 0.2, 0.1, 1.0)))
    return scene_of([ground, ball], camera_at([0.5, -2.5, 1.5], [0, 0, 0.3], size=size, focal=1.1 * size[0]))


@pytest.mark.slow
def test_the_filter_brings_few_paths_close_to_many():
    scene = still_life((48, 48))
    many, few, clean = (
        PathTracer(scene, spp=spp, seed=seed, max_depth=3, denoise=denoise).frame(scene.cameras[0], 0).astype(float)
        for spp, seed, denoise in ((196, 1, False), (4, 2, False), (4, 2, True))
    )
    noisy, filtered = (10 * np.log10(255**2 / ((p - many) ** 2).mean()) for p in (few, clean))
    assert filtered > noisy + 5


def test_the_number_of_threads_does_not_change_a_bit():
    scene = still_life((40, 40))
    one, two = (PathTracer(scene, spp=4, threads=n).radiance(scene.cameras[0], 0) for n in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_pixels_that_are_not_square_are_refused():
    camera = camera_at([0, -3, 1], [0, 0, 0])
    scene = scene_of([primitives.sphere(0.5)], camera)
    with pytest.raises(BadValueError, match="fx = fy"):
        PathTracer(scene, spp=1).radiance(camera.resized((24, 40)), 0)


DARK = Environment("dark", None)


def test_an_environment_without_panorama_is_dark_but_for_its_sun():
    sun = Environment("sun", None, sun_direction=(0.5, 0.0, 1.0), sun=(2.0, 1.0, 0.5))
    floor = square(5.0, base_color=(0.5, 0.5, 0.5, 1.0), roughness=1.0)
    camera = camera_at([0, -0.5, 3], [0, 0, 0])
    scene = scene_of([floor], camera)
    assert PathTracer(scene, environment=DARK, spp=1).radiance(camera, 0).max() == 0
    light = PathTracer(scene, environment=sun, spp=16).radiance(camera, 0).mean((0, 1))
    np.testing.assert_allclose(light, 0.5 / np.pi * np.array([2.0, 1.0, 0.5]) / np.hypot(0.5, 1.0), rtol=0.15)


def test_a_panorama_is_seen_where_its_directions_say():
    up, rng = (0.0, 0.6, 0.8), np.random.default_rng(0)
    blurred = np.kron(rng.random((4, 8, 3)), np.ones((16, 16, 1))).astype(np.float32)
    camera = camera_at([0, 0, 0], [0.4, 1, 0.3], focal=15.0)
    nothing = replace(primitives.sphere(0.01), vertices=primitives.sphere(0.01).vertices - [0, 50.0, 0])
    seen = PathTracer(scene_of([nothing], camera), environment=Environment("map", blurred, up=up), spp=16).radiance(camera, 0)
    y, x = np.mgrid[:24, :32] + 0.5
    toward = np.stack([x, y, np.ones_like(x)], axis=-1) @ np.linalg.inv(camera.intrinsics[0]).T
    toward = toward @ camera.world_from_camera[0, :3, :3].T @ axes_about(up)
    cosine = panorama_directions(64).reshape(-1, 3) @ (toward / np.linalg.norm(toward, axis=-1, keepdims=True)).reshape(-1, 3).T
    expected = blurred.reshape(-1, 3)[cosine.argmax(axis=0)].reshape(24, 32, 3)
    assert (np.abs(seen - expected).max(-1) < 0.02).mean() > 0.7  # all but the borders of the patches


def test_windows_show_their_texture_times_their_emission():
    texture = np.full((8, 8, 3), 255, np.uint8)
    texture[:, :4] = [188, 0, 0]  # 0.5 in linear light
    pane = square(emission=(4.0, 6.0, 8.0), texture=texture, base_color=(0.0, 0.0, 0.0, 1.0))
    camera = camera_at([0, -0.01, 3.0], [0, 0, 0], size=(16, 16), focal=24.0)
    seen = PathTracer(scene_of([pane], camera), environment=DARK, spp=8).radiance(camera, 0)
    np.testing.assert_allclose(seen[8, 3], [2.0, 0.0, 0.0], rtol=0.02, atol=0.01)
    np.testing.assert_allclose(seen[8, 12], [4.0, 6.0, 8.0], rtol=0.02)


def test_bright_texels_stand_out_as_relief():
    texture = np.tile(np.linspace(60, 240, 64).astype(np.uint8)[None, :, None], (64, 1, 3))  # rises to the right
    ground = square(0.01, texture=texture, base_color=(1.0, 1.0, 1.0, 1.0), roughness=1.0)
    camera = camera_at([0, -0.0001, 0.03], [0, 0, 0], size=(16, 16), focal=24.0)

    def lit_from(x, detailed):
        lighting = Lighting(sun_direction=(x, 0.0, 0.45), sky=(0.0, 0.0, 0.0), ground=(0.0, 0.0, 0.0))
        tracer = PathTracer(scene_of([ground], camera, lighting), spp=16, detailed=detailed)
        return tracer.radiance(camera, 0)[4:12, 4:12].mean()

    assert lit_from(-0.9, False) / lit_from(0.9, False) == pytest.approx(1, abs=0.04)
    assert lit_from(-0.9, True) / lit_from(0.9, True) > 1.12  # slopes that face the sun


def test_uv_without_area_or_out_of_bounds_makes_no_light():
    uv = np.array([[[0.3, 0.3]] * 3, [[0, 0], [5e8, 1], [1, 7e8]], [[0.0, 0], [1, 0], [1, 1]]])
    opened = with_area(uv)
    np.testing.assert_array_equal(opened[2], uv[2])
    one, two = opened[:, 1] - opened[:, 0], opened[:, 2] - opened[:, 0]
    assert (np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) > 1e-10).all() and np.abs(opened).max() < 2
    squashed = replace(square(), uv=np.full((2, 3, 2), 3e8) * [[[1, 1], [1, 1], [1, 1.0000001]]])
    camera = camera_at([0, -0.01, 3.0], [0, 0, 0], size=(16, 16), focal=24.0)
    assert PathTracer(scene_of([squashed], camera), spp=8, detailed=True).radiance(camera, 0).max() < 5


def test_thin_glass_lets_light_through():
    ground, pane = square(0.1), square(0.1, base_color=(0.8, 0.9, 0.8, 0.2))
    pane = replace(pane, vertices=pane.vertices + [0, 0, 0.05])
    camera = camera_at([0, -0.01, 0.3], [0, 0, 0], size=(16, 16), focal=30.0)
    bare, glazed = (
        PathTracer(scene_of(meshes, camera), spp=32, detailed=True).radiance(camera, 0)[4:12, 4:12].mean()
        for meshes in ([ground], [ground, pane])
    )
    assert 0.8 < glazed / bare < 1.05


def test_clouds_are_periodic_and_of_unit_variance():
    values = clouds(np.random.default_rng(2), 64)
    assert values.std() == pytest.approx(1)
    steps = np.abs(np.diff(values, axis=1, append=values[:, :1])).mean(axis=0)
    assert steps[-1] < 1.5 * steps.mean()


def test_lone_paths_are_dimmed_and_what_all_renders_agree_on_stays():
    rng = np.random.default_rng(0)
    passes = rng.gamma(8, 1 / 8, (4, 12, 16, 1)).astype(np.float32) * np.ones(3, np.float32)
    passes[:, 3, 4] = 500  # a lamp of one pixel
    clean = without_fireflies(passes)
    passes[2, 9, 9] = 4000  # one path
    dimmed = without_fireflies(passes)
    assert dimmed[3, 4, 0] == pytest.approx(500) and dimmed[9, 9, 0] < 2.5
    np.testing.assert_allclose(clean.mean(), passes[[0, 1, 3]].mean(), rtol=0.05)


def test_features_are_base_colors_and_normals_of_what_is_there():
    ball = replace(primitives.sphere(0.5), material=Material(base_color=(0.2, 0.4, 0.6, 1.0)))
    camera = camera_at([0, -3, 0], [0, 0, 0])
    seen = FeatureMaker(scene_of([ball], camera)).of(camera, 0)
    np.testing.assert_allclose(seen.albedo[12, 16], [0.2, 0.4, 0.6], atol=1e-4)
    assert seen.normal[12, 16] @ [0, 0, -1] > 0.95 and seen.empty[12, 16] == 0
    assert seen.empty[0, 0] == 1 and not seen.albedo[0, 0].any()
    edge = (seen.empty > 0) & (seen.empty < 1)
    assert 4 < edge.sum() < 60


@pytest.fixture
def library(monkeypatch):
    monkeypatch.delenv("SIM2REAL_CACHE")  # the user's own
    return library_at_hand() or pytest.skip("oidn has not been fetched (sim2real.fetch)")


def test_open_image_denoise_keeps_edges_that_its_features_show(library):
    rng = np.random.default_rng(0)
    truth = np.full((64, 80, 3), 0.2, np.float32)
    truth[:, 40:] = 3.0
    noisy = truth * rng.gamma(2, 1 / 2, truth.shape).astype(np.float32)
    normal = np.tile(np.array([0, 0, -1], np.float32), (64, 80, 1))
    clean = Oidn(library)(noisy, truth / 4, normal)
    error = np.abs(clean - truth) / truth
    assert error.mean() < 0.08 and error[:, 39:41].mean() < 0.25
    np.testing.assert_array_equal(clean, Oidn(library)(noisy, truth / 4, normal))


def test_lighting_of_a_map_has_its_sun_and_its_tints():
    lighting = Lighting(sky=(0.2, 0.4, 0.8), ground=(0.3, 0.2, 0.1), sun=(8.0, 8.0, 6.0), sun_direction=(0.6, -0.2, 0.7))
    fitted = lighting_of(Environment("day", 37 * panorama(lighting).astype(np.float32)))
    toward = np.array(fitted.sun_direction) @ np.array(lighting.sun_direction) / np.linalg.norm(lighting.sun_direction)
    assert toward / np.linalg.norm(fitted.sun_direction) > 0.99
    # the hemispheres blend at the horizon; what is above has most of the sky's tint
    assert fitted.sky[2] > 2 * fitted.sky[0] and fitted.ground[0] > fitted.ground[2]
    np.testing.assert_allclose(np.array(fitted.sun) / fitted.sun[0], [1, 1, 0.75], atol=0.08)
    default = Lighting()
    up = [np.array(each.sun) * max(each.sun_direction[2], 0) + np.pi * np.array(each.sky) for each in (fitted, default)]
    assert 0.7 < up[0].mean() / up[1].mean() < 1.4


def test_lighting_of_a_room_has_the_sun_that_falls_in():
    fitted = lighting_of(Environment("room", None, sun_direction=(0.0, 0.6, 0.8), sun=(1.0, 0.9, 0.7)), brightness=0.5)
    assert fitted.sun_direction == (0.0, 0.6, 0.8)
    assert fitted.sun[0] > fitted.sun[2] > 0
