"""Albedo and material: what surfaces are made of, whatever light falls on them; the kernel equals its torch twin."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from sim2real.conditions import Sampler, Shader, SurfaceShader
from sim2real.conditions.surface_reference import reference_surface
from sim2real.raster import rasterizer
from sim2real.scene import Lighting, Material, Scene, triangles_of
from sim2real.scene.colors import linear_from_srgb
from sim2real.scene.primitives import plane, sphere

from .stage import EVEN, camera_at, checker, quad, scene_of, tabletop

LIGHTS = (
    Lighting(sun=(0.0, 0.0, 0.0), sky=(0.0, 0.0, 0.0), ground=(0.0, 0.0, 0.0)),
    Lighting(sun=(9.0, 1.0, 0.1), sky=(0.1, 0.2, 3.0)),
)


def surface_of(scene: Scene, side: int = 2) -> SurfaceShader:
    triangles = triangles_of(scene)
    views = rasterizer(triangles)
    return SurfaceShader(scene, triangles, views, sampler=Sampler(scene, triangles, views, side=side))


@pytest.mark.parametrize("side", [1, 2])
@pytest.mark.parametrize("bent", [False, True])
def test_the_kernel_equals_its_torch_twin(side, bent):
    scene = tabletop((40, 60), frames=2)
    camera = scene.cameras[0]
    if bent:
        camera = replace(camera, distortion=np.array([-0.2, 0.05, 0.0, 0.0]))
    triangles = triangles_of(scene)
    sampler = Sampler(scene, triangles, rasterizer(triangles), side=side)
    found = SurfaceShader(scene, triangles, rasterizer(triangles), sampler=sampler).linear(camera, 1)
    expected = reference_surface(sampler.samples(camera, 1))
    assert expected[..., :3].std() > 0.05 and len(np.unique(expected[..., 3].round(3))) > 4
    # a mip level may fall to the other side at single pixels
    error = np.abs(found - expected).max(axis=-1)
    assert np.quantile(error, 0.995) < 4e-4 and error.max() < 0.1


@pytest.mark.parametrize("lighting", LIGHTS)
def test_a_textured_wall_gives_its_texture_back_whatever_the_light(lighting):
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    wall = quad(Material((1.0, 1.0, 1.0, 1.0), picture, metallic=0.5))
    k = np.diag([30.0, 20.0, 1.0])
    k[:2, 2] = 30, 20
    camera = replace(camera_at((0, -1, 0), (0, 0, 0), (40, 60)), intrinsics=k[None])
    scene = scene_of([(wall, (0, 0, 0))], camera, lighting=lighting)
    albedo = surface_of(scene).frame(camera, 0).albedo
    off = np.abs(albedo.astype(int) - picture).max(axis=-1)
    diagonal = np.abs(np.arange(40)[::-1, None] / 40 - np.arange(60) / 60) < 0.04  # of the two faces: looked up in halves
    assert off[~diagonal].max() <= 1


def test_albedo_is_what_rgb_shows_in_even_white_light_beside_what_is_mirrored():
    """Then radiance is albedo + mirrored (1 - albedo), with one small share of mirrored light for all three channels."""
    rough = Material((0.7, 0.5, 0.2, 1.0), checker(), roughness=1.0)
    camera = camera_at((0, -2.0, 0.7), (0, 0, 0.2), (60, 90))
    scene = scene_of([(replace(plane((1.0, 1.0)), material=rough), (0, 0, 0))], camera, lighting=EVEN)
    triangles = triangles_of(scene)
    views = rasterizer(triangles)
    light = Shader(scene, triangles, views, ambient_occlusion=0.0).radiance(camera, 0)
    surface = SurfaceShader(scene, triangles, views).linear(camera, 0)
    whole = surface[..., 3] > 0.999  # all samples see a surface
    albedo = surface[whole, :3]
    assert len(albedo) > 1000 and albedo.std() > 0.1
    mirrored = (light[whole] - albedo) / (1 - albedo)
    assert np.ptp(mirrored, axis=1).max() < 1e-4
    assert 0 < mirrored.min() and mirrored.max() < 0.13


def test_material_holds_roughness_metallic_and_emissive_strength():
    made = Material((0.5, 0.5, 0.5, 1.0), roughness=0.2, metallic=0.6, emission=(0.1, 0.4, 0.3))
    camera = camera_at((0, -2, 0), (0, 0, 0), (30, 40))
    scene = scene_of([(quad(made, half=0.5), (0, 0, 0))], camera)
    seen = surface_of(scene).frame(camera, 0)
    assert seen.material[15, 20].tolist() == [51, 153, 102]
    assert linear_from_srgb(seen.albedo[15, 20] / 255) == pytest.approx(0.5, abs=0.005)
    assert not seen.material[0, 0].any() and not seen.albedo[0, 0].any()


@pytest.mark.parametrize(("texture", "blue"), [(None, 255), (255, 255), (0, 0)])
def test_what_glows_glows_by_its_texture_and_counts_to_one(texture, blue):
    picture = None if texture is None else np.full((2, 2, 3), texture, np.uint8)
    lamp = Material((0.0, 0.0, 0.0, 1.0), picture, emission=(7.0, 0.0, 2.0))
    camera = camera_at((0, -2, 0), (0, 0, 0), (30, 40))
    scene = scene_of([(quad(lamp), (0, 0, 0))], camera, lighting=LIGHTS[0])
    triangles = triangles_of(scene)
    views = rasterizer(triangles)
    assert SurfaceShader(scene, triangles, views).frame(camera, 0).material[15, 20, 2] == blue
    radiance = Shader(scene, triangles, views).radiance(camera, 0)[15, 20]
    assert radiance == pytest.approx(np.array([7.0, 0.0, 2.0]) * (blue / 255), abs=1e-4)


def test_clear_parts_are_blended_by_their_alpha_as_in_rgb():
    wall, pane = Material((0.1, 0.8, 0.2, 1.0), roughness=1.0), Material((0.9, 0.0, 0.4, 0.3), roughness=0.0)
    camera = camera_at((0, -2, 0), (0, 0, 0), (40, 60))
    scene = scene_of([(quad(wall), (0, 0, 0)), (quad(pane, half=0.3), (0, -0.5, 0))], camera)
    surface = surface_of(scene).linear(camera, 0)
    assert surface[20, 30, :4] == pytest.approx([0.3 * 0.9 + 0.7 * 0.1, 0.7 * 0.8, 0.3 * 0.4 + 0.7 * 0.2, 0.7], abs=1e-5)
    assert surface[20, 12, :4] == pytest.approx([0.1, 0.8, 0.2, 1.0], abs=1e-5)


def test_silhouettes_are_smooth_and_keep_their_area():
    ball = replace(sphere(0.5, segments=96, rings=48), material=Material((1.0, 1.0, 1.0, 1.0), roughness=1.0))
    camera = camera_at((0, -3, 0), (0, 0, 0), (60, 80))
    scene = scene_of([(ball, (0, 0, 0))], camera)
    jagged, smooth = (surface_of(scene, side).linear(camera, 0) for side in (1, 4))
    assert set(np.unique(jagged[..., 3])) == {0, 1} and len(np.unique(smooth[..., 3])) > 8
    assert smooth[..., 0].sum() == pytest.approx(jagged[..., 0].sum(), rel=0.02)
    assert np.allclose(smooth[..., 0], smooth[..., 3], atol=1e-6)


def test_a_frame_is_the_same_alone_in_threads_and_with_a_shared_sampler():
    scene = tabletop((48, 64))
    triangles = triangles_of(scene)
    views = rasterizer(triangles)
    sampler = Sampler(scene, triangles, views)
    shared, alone = SurfaceShader(scene, triangles, views, sampler=sampler), SurfaceShader(scene, triangles, views)
    camera = scene.cameras[0]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda f: shared.frame(camera, f, sampler.layers(camera, f)), [*range(4), *range(4)]))
    for frame, pictures in zip([*range(4), *range(4)], together, strict=True):
        again = alone.frame(camera, frame)
        assert (pictures.albedo == again.albedo).all() and (pictures.material == again.material).all()
    assert (together[0].albedo != together[2].albedo).any()


def test_an_empty_scene_is_black():
    scene = scene_of([], camera_at((0, -1, 0), (0, 0, 0), (30, 40)))
    seen = surface_of(scene).frame(scene.cameras[0], 0)
    assert seen.albedo.shape == seen.material.shape == (30, 40, 3)
    assert not seen.albedo.any() and not seen.material.any()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_paints_what_the_cpu_paints():
    scene = tabletop((96, 128))
    triangles = triangles_of(scene)
    cpu, gpu = (
        SurfaceShader(scene, triangles, rasterizer(triangles, device=d), d).frame(scene.cameras[0], 0) for d in ("cpu", "cuda")
    )
    for a, b in ((cpu.albedo, gpu.albedo), (cpu.material, gpu.material)):
        assert (np.abs(a.astype(int) - b) > 2).mean() < 0.01
