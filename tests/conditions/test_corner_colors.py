"""Colors of corners run evenly over faces, times base color and texture; meshes keep them through whatever is done to them."""

from dataclasses import replace

import numpy as np
import pytest

from sim2real.conditions import Sampler, SurfaceShader
from sim2real.conditions.rgb.deferred.shading_reference import reference_color
from sim2real.conditions.surface_reference import reference_surface
from sim2real.raster import rasterizer
from sim2real.scene import CornerColors, Lighting, Material, triangles_of
from sim2real.scene.colors import linear_from_srgb
from sim2real.scene.mesh_ops import inside_out, mapped, subset, with_material

from .stage import EVEN, camera_at, checker, quad, scene_of
from .test_rgb import shader_of

SRGB = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[255, 0, 0], [0, 0, 255], [40, 120, 200]]], np.uint8)
FRONT = camera_at((0.0, -3.0, 0.0), (0.0, 0.0, 0.0), (48, 48), fov_deg=36.0)


def tinted(in_texture=False, **material):
    base = replace(Material((1.0, 1.0, 1.0, 1.0), roughness=1.0), **material)
    return replace(quad(base), colors=CornerColors(SRGB, in_texture=in_texture))


def linear_at(x: float, z: float) -> np.ndarray:
    """Of the quad with corners (-1, -1), (1, -1), (1, 1), (-1, 1)."""
    u, v = (x + 1) / 2, (z + 1) / 2
    a, b, c, d = linear_from_srgb(np.array([*SRGB[0], SRGB[1, 2]]) / 255)
    return a + (u - v) * (b - a) + v * (c - a) if u >= v else a + u * (c - a) + (v - u) * (d - a)


def base_colors(mesh) -> np.ndarray:
    scene = scene_of([(mesh, (0.0, 0.0, 0.0))], FRONT)
    triangles = triangles_of(scene)
    sampler = Sampler(scene, triangles, rasterizer(triangles), side=1)
    found = reference_surface(sampler.samples(FRONT, 0))[..., :3]
    albedo = linear_from_srgb(
        SurfaceShader(scene, triangles, rasterizer(triangles), sampler=sampler).frame(FRONT, 0).albedo / 255
    )
    assert albedo == pytest.approx(found, abs=0.01)
    return found


def places() -> tuple[np.ndarray, np.ndarray]:
    rows = (np.arange(48) + 0.5 - 24) / FRONT.intrinsics[0, 0, 0] * 3
    return rows, -rows


@pytest.mark.parametrize("factor", [(1.0, 1.0, 1.0), (0.5, 1.0, 0.25)])
def test_colors_run_evenly_in_linear_light_and_multiply_base_color(factor):
    found = base_colors(tinted(base_color=(*factor, 1.0)))
    x, z = places()
    for row, column in ((10, 12), (20, 30), (30, 16), (24, 40), (38, 38)):
        assert found[row, column] == pytest.approx(linear_at(x[column], z[row]) * factor, abs=0.02)


def test_the_kernels_agree_with_their_torch_twins_and_white_light_shows_the_colors():
    mesh = tinted()
    scene = scene_of([(mesh, (0.0, 0.0, 0.0))], FRONT, lighting=EVEN)
    shader = shader_of(scene, ambient_occlusion=0.0)
    shading = shader.shading(FRONT, 0)
    shading.light.exposure = 0.0
    found = shader.radiance(FRONT, 0)
    assert np.abs(found - reference_color(shading)).max() < 1e-3
    x, z = places()
    assert found[20, 30] == pytest.approx(0.96 * linear_at(x[30], z[20]) + 0.04, abs=0.05)


def test_they_multiply_a_texture_and_take_the_place_of_one_that_only_repeats_them():
    both, alone = base_colors(tinted(texture=checker())), base_colors(tinted())
    board = base_colors(quad(Material((1.0, 1.0, 1.0, 1.0), checker())))
    assert both == pytest.approx(alone * board, abs=1e-6)
    assert np.array_equal(base_colors(tinted(in_texture=True, texture=checker())), alone)


def test_operations_on_meshes_keep_corners_with_their_colors_and_another_material_drops_them():
    mesh = tinted()
    for made in (inside_out(mesh), mapped(mesh, np.diag([-1.0, 1.0, 1.0]))):
        assert np.array_equal(made.colors.srgb, SRGB[:, ::-1])
    assert np.array_equal(subset(mesh, np.array([False, True])).colors.srgb, SRGB[1:])
    assert with_material(mesh, Material()).colors is None


def test_scenes_without_them_hold_none():
    scene = scene_of([(quad(), (0.0, 0.0, 0.0))], FRONT, lighting=Lighting())
    triangles = triangles_of(scene)
    view = Sampler(scene, triangles, rasterizer(triangles)).samples(FRONT, 0).view
    assert view.corner_color.shape == (1, 3) and not view.tinted.numpy().any()
