from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim2real.conditions.rgb.mitsuba import PathTracer
from sim2real.conditions.rgb.mitsuba.sky import axes_about, panorama, panorama_directions
from sim2real.errors import BadValueError
from sim2real.prepare.random_scenes import random_scene
from sim2real.raster import rasterizer
from sim2real.scene import Camera, Instance, Lighting, Material, Mesh, Part, Scene, primitives, triangles_of
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


def camera_at(eye, target, size=(24, 32), focal=30.0, center=None):
    cx, cy = center or (size[1] / 2, size[0] / 2)
    k = np.array([[[focal, 0, cx], [0, focal, cy], [0, 0, 1.0]]])
    return Camera("camera", size, k, look_at(np.array([eye], float), np.array(target, float), UP))


def first_hits(tracer, camera, frame):
    """Part and distance that Mitsuba finds along the rays through pixel centres, and these rays' directions."""
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


@pytest.mark.parametrize(("seed", "frame"), [(1, 3), (2026000003, 0), (2026000042, 7)])
def test_mitsuba_sees_what_the_rasterizer_sees(seed, frame):
    scene = random_scene(seed, size=(48, 56), frames=8)
    camera, triangles = scene.cameras[0], triangles_of(scene)
    part, distance, rays = first_hits(PathTracer(scene, threads=1), camera, frame)
    seen = rasterizer(triangles).fragments(
        scene.camera_from_part(camera, frame), camera.intrinsics[frame], camera.size, near=camera.near
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
    quad = Mesh(
        "quad",
        np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]),
        np.array([[0, 1, 2], [0, 2, 3]]),
        uv=np.array([[[0.0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]]),
        material=Material(base_color=(1.0, 1.0, 1.0, 1.0), texture=texture),
    )
    camera = camera_at([0, -0.01, 3.0], [0, 0, 0], size=(16, 16), focal=24.0)  # up in the picture is +y
    picture = PathTracer(scene_of([quad], camera), spp=32, denoise=False).frame(camera, 0).astype(int)
    red = picture[..., 0] > 2 * picture[..., 1] + 20
    assert red[3, 3]
    assert not (red[3, 12] or red[12, 3] or red[12, 12])


def test_the_filter_brings_few_paths_close_to_many():
    scene = random_scene(2026000006, size=(48, 48), frames=1)
    camera = scene.cameras[0]
    many, few, clean = (
        PathTracer(scene, spp=spp, seed=seed, max_depth=3, denoise=denoise).frame(camera, 0).astype(float)
        for spp, seed, denoise in ((196, 1, False), (4, 2, False), (4, 2, True))
    )
    noisy, filtered = (10 * np.log10(255**2 / ((p - many) ** 2).mean()) for p in (few, clean))
    assert filtered > noisy + 6


def test_the_number_of_threads_does_not_change_a_bit():
    scene = random_scene(5, size=(40, 40), frames=1)
    camera = scene.cameras[0]
    one, two = (PathTracer(scene, spp=4, threads=n).radiance(camera, 0) for n in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_pixels_that_are_not_square_are_refused():
    camera = camera_at([0, -3, 1], [0, 0, 0])
    scene = scene_of([primitives.sphere(0.5)], camera)
    with pytest.raises(BadValueError, match="fx = fy"):
        PathTracer(scene, spp=1).radiance(camera.resized((24, 40)), 0)
