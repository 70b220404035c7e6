"""On the CPU eight places are shaded, and eight taps taken, at once: as one by one."""

from dataclasses import replace

import numpy as np
import pytest
import warp as wp

from sim2real.conditions.rgb.deferred import occlusion_kernels, overlay_kernels, shading_kernels
from sim2real.devices import as_warp, blank, launch, row_threads
from sim2real.scene import Material, Mirror
from sim2real.scene.light.lamps import Lamp, Lights
from sim2real.scene.primitives import box, plane, sphere

from .stage import camera_at, checker, quad, scene_of, tabletop
from .test_rgb import shader_of

LAMPS = Lights(
    (
        Lamp("directional", (1.0, 0.9, 0.8), (0.5, -0.5, 2.0), (-0.3, 0.3, -1.0)),
        Lamp("spot", (2.0, 1.0, 1.0), (-0.4, -0.3, 0.8), (0.4, 0.3, -0.8), (1.0, 0.2, 0.1), cone=(0.9, 0.8), exponent=2.0),
        Lamp("point", (0.3, 0.3, 0.9), (0.2, 0.3, 0.6), attenuation=(0.0, 0.0, 2.0), reach=1.5),
    ),
    headlight=(0.2, 0.2, 0.2),
)


def one_by_one(shading) -> np.ndarray:
    """What the kernel for all devices makes of a shading."""
    seen = shading.samples
    shape, run = row_threads(seen.size, "cpu")
    color = blank(seen.size, wp.vec3, "cpu")
    inputs = [seen.face, seen.side, run, shading.occlusion, seen.materials, seen.view, shading.light, color]
    launch(shading_kernels.shade_kernel, shape, inputs, "cpu")
    return wp.to_torch(color).numpy()


@pytest.mark.parametrize("side", [1, 2, 3])
@pytest.mark.parametrize("exposure", [0.0, 0.65])
@pytest.mark.parametrize("lights", [None, LAMPS])
def test_rows_are_shaded_as_pixels_are(side, exposure, lights):
    scene = tabletop((41, 63), frames=2)
    wide = np.tile([[30.0, 1.0, 31.5], [0, 25.0, 20.5], [0, 0, 1]], (2, 1, 1))  # up to the sky
    scene = replace(scene, lights=lights, cameras=(replace(scene.cameras[0], intrinsics=wide),))
    shader = shader_of(scene, samples=side, shadow_texels=128)
    shading = shader.shading(scene.cameras[0], 1)
    shading.light.exposure = exposure
    found, expected = shader._shade(shading).numpy(), one_by_one(shading)  # noqa: SLF001
    assert expected.std() > 0.05 and (wp.to_torch(shading.samples.face) < 0).any()
    error = np.abs(found - expected).max(axis=-1)
    # a shadow test may fall to the other side at single pixels
    assert np.quantile(error, 0.998) < 2e-4 and error.max() < 0.2


@pytest.mark.parametrize("uv_scale", [0.2, 3.0, 40.0])  # texels larger than pixels, smaller, and far smaller
def test_textures_of_eight_pixels_are_those_of_one(uv_scale):
    board = quad(Material((0.9, 0.8, 1.0, 1.0), checker(), emission=(0.2, 0.2, 0.0)), uv_scale=uv_scale, half=3.0)
    scene = scene_of([(board, (0, 0, 0))], camera_at((0.4, -0.8, 2.2), (0.1, 0.0, 0.2), (40, 67)))
    shader = shader_of(scene, shadow_texels=64)
    shading = shader.shading(scene.cameras[0], 0)
    found, expected = shader._shade(shading).numpy(), one_by_one(shading)  # noqa: SLF001
    assert expected.std() > (0.02 if uv_scale > 10 else 0.05)
    assert np.quantile(np.abs(found - expected), 0.99) < 2e-4 and np.abs(found - expected).max() < 5e-3


@pytest.mark.parametrize("share", [0.05, 0.6])
def test_mirrors_are_laid_over_rows_as_over_pixels(share):
    floor = replace(plane((3.0, 3.0)), material=Material((0.1, 0.1, 0.1, 1.0), roughness=0.2), mirror=Mirror(share))
    cube = replace(box((0.1, 0.15, 0.2)), material=Material((0.8, 0.1, 0.1, 1.0)))
    scene = scene_of([(floor, (0, 0, 0)), (cube, (0.1, 0.0, 0.25))], camera_at((0.1, -1.2, 0.7), (0, 0, 0.1), (41, 61)))
    shader = shader_of(scene, shadow_texels=128)
    shading = shader.shading(scene.cameras[0], 0)
    overlays = shader._overlays  # noqa: SLF001
    over = overlays.of(shading.samples, shader._in_mirror)  # noqa: SLF001
    found, plain = shader._shade(shading, over).numpy(), one_by_one(shading)  # noqa: SLF001
    shaded = as_warp(plain.copy(), wp.vec3)
    expected = overlays.shade(shading.samples, shading.occlusion, shading.light, over, wp.to_torch(shaded)).numpy()
    assert np.abs(expected - plain).max() > 0.1 * share
    error = np.abs(found - expected).max(axis=-1)
    assert np.quantile(error, 0.998) < 2e-4 and error.max() < 0.2


def test_the_cells_of_a_mirror_are_those_of_the_kernel_for_all_devices():
    scene = scene_of(
        [(replace(plane((0.5, 0.5)), mirror=Mirror(1.0)), (0, 0, 0))], camera_at((0, -1, 0.6), (0, 0, 0), (39, 61))
    )
    shader = shader_of(scene)
    samples, overlays = shader.shading(scene.cameras[0], 0).samples, shader._overlays  # noqa: SLF001
    for step in (1, 2):
        found = overlays._cells(0, samples, step).numpy()  # noqa: SLF001
        expected = np.zeros_like(found)
        one = overlays._mirrors[0]  # noqa: SLF001
        which = [as_warp(overlays._mirror_of, wp.int32), 0, wp.vec2i(one.first, one.last), step]  # noqa: SLF001
        shape, run = row_threads(samples.size, "cpu")
        inputs = [samples.face, samples.side, run, *which, as_warp(expected, wp.uint8)]
        launch(overlay_kernels.mark_kernel, shape, inputs, "cpu")
        assert 0 < found.sum() < found.size and np.array_equal(found, expected)


def test_only_pixels_behind_clear_things_are_shaded_and_that_changes_nothing():
    pane = quad(Material((0.2, 0.5, 0.2, 0.4)), half=0.3)
    scene = scene_of([(plane((2.0, 2.0)), (0, 0, 0)), (pane, (0, -0.3, 0.2))], camera_at((0, -1.2, 0.7), (0, 0, 0.1), (40, 60)))
    shader = shader_of(scene, shadow_texels=128)
    camera = scene.cameras[0]
    layers = shader._sampler.layers(camera, 0)  # noqa: SLF001
    (behind,) = layers.behind.layers
    assert 0 < behind.wanted.sum() < behind.wanted.numel()
    everywhere = replace(layers, behind=replace(layers.behind, layers=(replace(behind, wanted=None),)))
    assert np.array_equal(shader.frame(camera, 0, layers), shader.frame(camera, 0, everywhere))


def test_faces_seen_edge_on_and_normals_without_length_are_shaded_as_pixels_are():
    ball = replace(sphere(0.5, segments=7, rings=5), material=Material((0.5, 0.2, 0.1, 1.0), emission=(0.1, 0.0, 0.0)))
    scene = scene_of([(ball, (0, 0, 0))], camera_at((0, -2, 0.0), (0, 0, 0), (40, 60)))
    shader = shader_of(scene, shadow_texels=64)
    shading = shader.shading(scene.cameras[0], 0)
    normals = wp.to_torch(shading.samples.view.corner_normals)
    normals[::2] = 0
    assert np.abs(shader._shade(shading).numpy() - one_by_one(shading)).max() < 1e-3  # noqa: SLF001


def test_rows_of_occlusion_are_those_of_pixels():
    scene = tabletop((40, 58))
    shader = shader_of(scene)
    samples = shader.shading(scene.cameras[0], 0).samples
    size = (20, 29)
    plane, raw, smooth = blank(size, wp.vec4, "cpu"), blank(size, wp.vec2, "cpu"), blank(size, wp.vec2, "cpu")
    faces = shader._sampler.tables.faces  # noqa: SLF001
    shape, run = row_threads(size, "cpu")
    view = samples.view
    launch(occlusion_kernels.planes_kernel, shape, [samples.face, 4, run, view.vertices, faces, view.camera, plane], "cpu")
    taps = as_warp(occlusion_kernels.spiral(), wp.vec2)
    radius = 0.25 * shader._lamps.radius  # noqa: SLF001
    launch(occlusion_kernels.occlusion_kernel, size, [plane, view.camera, taps, radius, 2.0, raw], "cpu")
    launch(occlusion_kernels.blur_kernel, shape, [raw, run, smooth], "cpu")
    expected, found = wp.to_torch(smooth).numpy(), wp.to_torch(shader._ambient(samples)).numpy()  # noqa: SLF001
    assert expected[..., 0].min() < 0.9
    # a tap on the border of two pixels may fall to the other one
    assert np.quantile(np.abs(found - expected), 0.99) < 1e-5 and np.abs(found - expected).max() < 0.1
