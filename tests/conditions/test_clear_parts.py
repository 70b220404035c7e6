"""What is seen through several clear things: blended the farthest first, in whatever order they come."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from sim2real.conditions import Sampler, SurfaceShader
from sim2real.conditions.clear_parts import DEEPEST
from sim2real.raster import rasterizer
from sim2real.scene import Material, triangles_of
from sim2real.scene.primitives import box

from .stage import camera_at, quad, scene_of
from .test_rgb import NIGHT, shader_of

COLORS = {"r": (1.0, 0.0, 0.0), "g": (0.0, 1.0, 0.0), "b": (0.0, 0.0, 1.0)}
ALPHA = {"r": 0.3, "g": 0.5, "b": 0.8}


def pane(name: str, half: float = 0.5):
    return quad(Material((0.0, 0.0, 0.0, ALPHA[name]), emission=COLORS[name], metallic=1.0), half=half, name=name)


def over(names: str, behind: np.ndarray) -> np.ndarray:
    """Panes from near to far over what is behind, by the book."""
    for name in reversed(names):
        behind = ALPHA[name] * np.array(COLORS[name]) + (1 - ALPHA[name]) * behind
    return behind


@pytest.mark.parametrize("order", ["".join(p) for p in permutations("rgb")])
def test_panes_are_blended_the_farthest_first_whatever_their_order_in_the_scene(order):
    camera = camera_at((0, -3, 0), (0, 0, 0), (40, 60))
    wall = quad(Material((0.0, 0.0, 0.0, 1.0), emission=(0.2, 0.4, 0.6), metallic=1.0), half=3.0)
    far = {"r": -1.0, "g": -0.6, "b": -0.2}
    objects = [(pane(name), (0, far[name], 0)) for name in order] + [(wall, (0, 0.5, 0))]
    seen = shader_of(scene_of(objects, camera, lighting=NIGHT)).radiance(camera, 0)
    assert seen[20, 30] == pytest.approx(over("rgb", np.array([0.2, 0.4, 0.6])), abs=1e-5)
    assert seen[0, 0] == pytest.approx([0.2, 0.4, 0.6], abs=1e-5)


def test_two_panes_that_cross_change_places_where_they_do():
    camera = camera_at((0, -3, 0), (0, 0, 0), (40, 60))
    turned = pane("g", half=0.6)
    turned = replace(turned, vertices=turned.vertices + np.outer(turned.vertices[:, 0], [0, 1, 0]))
    scene = scene_of([(pane("r"), (0, 0, 0)), (turned, (0, 0, 0))], camera, lighting=NIGHT)
    seen = shader_of(scene).radiance(camera, 0)
    assert seen[20, 26] == pytest.approx(over("gr", np.zeros(3)), abs=1e-5)  # on the left the turned one is nearer
    assert seen[20, 34] == pytest.approx(over("rg", np.zeros(3)), abs=1e-5)


def test_a_clear_box_counts_once_and_what_is_in_it_is_seen():
    camera = camera_at((0, -3, 0), (0, 0, 0), (40, 60))
    glass = replace(box((0.5, 0.5, 0.5)), material=pane("r").material)
    lamp = quad(Material((0.0, 0.0, 0.0, 1.0), emission=(0.0, 0.0, 1.0), metallic=1.0), half=0.4)
    objects = [(glass, (0, 0, 0)), (lamp, (0, 0, 0)), (pane("g", half=0.1), (0, -1.2, 0))]
    seen = shader_of(scene_of(objects, camera, lighting=NIGHT)).radiance(camera, 0)
    assert seen[20, 30] == pytest.approx(over("gr", np.array([0.0, 0.0, 1.0])), abs=1e-5)
    beside = seen[20, 22:25]
    assert beside == pytest.approx(np.broadcast_to(over("r", np.array([0.0, 0.0, 1.0])), beside.shape), abs=1e-5)


def test_many_panes_leave_off_after_the_deepest():
    camera = camera_at((0, -3, 0), (0, 0, 0), (24, 36))
    objects = [(pane("r"), (0, -1 + 0.1 * k, 0)) for k in range(DEEPEST + 2)]
    seen = shader_of(scene_of(objects, camera, lighting=NIGHT)).radiance(camera, 0)
    assert seen[12, 18] == pytest.approx(over("r" * DEEPEST, np.zeros(3)), abs=1e-5)


def test_base_colors_are_blended_alike():
    camera = camera_at((0, -3, 0), (0, 0, 0), (24, 36))
    panes = [quad(Material((*COLORS[name], ALPHA[name])), half=0.5, name=name) for name in "gr"]
    wall = quad(Material((0.2, 0.4, 0.6, 1.0)), half=3.0)
    scene = scene_of([(panes[0], (0, -0.5, 0)), (panes[1], (0, -1, 0)), (wall, (0, 0, 0))], camera)
    triangles = triangles_of(scene)
    draw = rasterizer(triangles)
    painted = SurfaceShader(scene, triangles, draw, sampler=Sampler(scene, triangles, draw)).linear(camera, 0)
    assert painted[12, 18, :3] == pytest.approx(over("rg", np.array([0.2, 0.4, 0.6])), abs=1e-5)
