"""What clear things add to what is behind them: with that, a pixel is what the renderer blends there."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.conditions import ClearLooker, Sampler, SurfaceShader
from sim2real.raster import rasterizer, view_of
from sim2real.scene import Material, triangles_of
from sim2real.scene.primitives import sphere

from .stage import camera_at, quad, scene_of

EYE = camera_at((0, -3, 0), (0, 0, 0), size=(24, 36))


def tools_of(scene):
    triangles = triangles_of(scene)
    draw = rasterizer(triangles)
    sampler = Sampler(scene, triangles, draw)
    surface = SurfaceShader(scene, triangles, draw, sampler=sampler)
    return draw, sampler, surface


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_what_is_behind_and_what_is_added_are_what_is_blended(seed):
    rng = np.random.default_rng(seed)

    def material(alpha):
        color, roughness = tuple(rng.uniform(0, 1, 3)), rng.uniform()
        return Material((*color, alpha), metallic=rng.uniform(), roughness=roughness, emission=(rng.uniform(0, 0.3),) * 3)

    clear = [
        (quad(material(rng.uniform(0, 0.95)), half=rng.uniform(0.2, 0.9), name=f"pane {k}"), tuple(rng.uniform(-0.6, 0.6, 3)))
        for k in range(rng.integers(1, 4))
    ]
    ball = (replace(sphere(0.4), material=material(1.0)), tuple(rng.uniform(-0.6, 0.6, 3)))
    wall = [(quad(material(1.0), half=rng.uniform(0.5, 2)), (0, 0.9, 0))]
    scene = scene_of([*clear, ball, *wall], EYE)
    draw, sampler, surface = tools_of(scene)
    found = ClearLooker(sampler, surface).frame(EYE, 0)
    front = draw.visibility(view_of(scene, EYE, 0)).face.numpy()
    triangles = triangles_of(scene)
    looked_through = np.append(~sampler.solid[triangles.face_part], False)[front]
    if found is None:
        assert not looked_through.any()
        return
    assert np.array_equal(found.at, np.flatnonzero(looked_through))
    solid = replace(scene, visible=scene.visible & (np.arange(len(scene.instances)) >= len(clear)))
    behind, blended = (
        SurfaceShader(one, triangles, draw, sampler=Sampler(one, triangles, draw, side=1))
        .linear(EYE, 0)
        .reshape(-1, 6)[found.at]
        for one in (solid, scene)
    )
    np.testing.assert_allclose(found.added + found.share[:, None] * behind, blended, atol=2e-6)
    assert ((found.share >= 0) & (found.share < 1)).all()


def test_two_panes_let_through_the_product_of_what_each_lets_through():
    red, green = (quad(Material(color), half=0.5) for color in ((1.0, 0.0, 0.0, 0.25), (0.0, 1.0, 0.0, 0.5)))
    panes = [(red, (0, -1, 0)), (green, (0, 0, 0))]
    scene = scene_of([*panes, (quad(half=3.0), (0, 1, 0))], EYE)
    _, sampler, surface = tools_of(scene)
    found = ClearLooker(sampler, surface).frame(EYE, 0)
    middle = np.searchsorted(found.at, 12 * 36 + 18)
    np.testing.assert_allclose(found.share[middle], 0.75 * 0.5)
    np.testing.assert_allclose(found.added[middle, :3], [0.25, 0.75 * 0.5, 0], atol=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 1e-9])
def test_what_is_so_clear_that_all_comes_through_is_looked_through_all_the_same(alpha):
    scene = scene_of([(quad(Material((1.0, 0.0, 0.0, alpha)), half=0.5), (0, 0, 0)), (quad(half=3.0), (0, 1, 0))], EYE)
    draw, sampler, surface = tools_of(scene)
    found = ClearLooker(sampler, surface).frame(EYE, 0)
    pane = triangles_of(scene).face_part[draw.visibility(view_of(scene, EYE, 0)).face.numpy()] == 0
    assert pane.any() and np.array_equal(found.at, np.flatnonzero(pane))
    assert (found.share == 1).all() and found.added == pytest.approx(0, abs=1e-8)


def test_where_nothing_is_clear_nothing_is_found_and_sampling_is_as_it_was():
    scene = scene_of([(quad(), (0, 0, 0))], EYE)
    _, sampler, surface = tools_of(scene)
    before = surface.linear(EYE, 0)
    assert ClearLooker(sampler, surface).frame(EYE, 0) is None
    assert np.array_equal(surface.linear(EYE, 0), before) and sampler.layers(EYE, 0).front.side == 2
