"""On the CPU eight places are shaded, and eight taps taken, at once: as one by one."""

from dataclasses import replace

import numpy as np
import pytest
import warp as wp

from sim2real.conditions.rgb.deferred import occlusion_kernels, shading_kernels
from sim2real.devices import as_warp, blank, launch, row_threads
from sim2real.scene import Material
from sim2real.scene.light.lamps import Lamp, Lights
from sim2real.scene.primitives import sphere

from .stage import camera_at, scene_of, tabletop
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
