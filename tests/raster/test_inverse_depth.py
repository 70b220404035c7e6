"""Maps of inverse depth: those of the fragments, whatever is drawn together, and in which order."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sim2real.raster import view_of
from sim2real.raster.backends.warp import WarpRasterizer
from sim2real.scene import triangles_of
from sim2real.scene.primitives import box, plane, sphere

from ..conditions.stage import camera_at, scene_of

THINGS = [(plane((3.0, 3.0)), (0, 0, 0)), (sphere(0.2), (0.1, 0.0, 0.2)), (box((0.3, 0.1, 0.2)), (-0.2, 0.1, 0.1))]
LENSES = {"pinhole": {}, "barrel": {"distortion": np.array([-0.1, 0.02, 0.0, 0.0])}, "parallel": {"projection": "orthographic"}}


def asked(lens: dict, size=(57, 83)):
    scene = scene_of(THINGS, replace(camera_at((0.3, -1.1, 0.8), (0.0, 0.0, 0.1), size), **lens))
    return triangles_of(scene), view_of(scene, scene.cameras[0], 0)


@pytest.mark.parametrize("lens", LENSES)
def test_a_map_holds_the_inverse_of_the_depth_of_fragments_and_zero_elsewhere(lens):
    triangles, view = asked(LENSES[lens])
    drawn, found = WarpRasterizer(triangles), torch.zeros(view.size)
    drawn.add_inverse_depth(view, found)
    depth = drawn.fragments(view).depth
    assert torch.equal(found > 0, depth > 0) and (depth > 0).float().mean() > 0.2
    torch.testing.assert_close(found[depth > 0], 1 / depth[depth > 0], rtol=3e-7, atol=0)


def test_parts_drawn_one_by_one_in_any_order_make_the_map_of_all():
    triangles, view = asked({})
    drawn, whole = WarpRasterizer(triangles), torch.zeros(view.size)
    drawn.add_inverse_depth(view, whole)
    for order in ((0, 1, 2), (2, 0, 1)):
        found = torch.zeros(view.size)
        for part in order:
            drawn.add_inverse_depth(view.only(np.arange(3) == part), found)
        assert torch.equal(found, whole)
    assert whole.unique().numel() > 100


def test_a_map_of_another_size_or_with_gaps_is_refused():
    triangles, view = asked({})
    for map_ in (torch.zeros(57, 84), torch.zeros(57, 166)[:, ::2]):
        with pytest.raises(ValueError, match=r"contiguous and \(57, 83\)"):
            WarpRasterizer(triangles).add_inverse_depth(view, map_)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (3, 2), (5, 33)])
def test_pictures_narrower_than_what_is_drawn_at_once_hold_the_same(size):
    triangles, view = asked({}, size)
    drawn, found = WarpRasterizer(triangles), torch.zeros(size)
    drawn.add_inverse_depth(view, found)
    assert torch.equal(found > 0, drawn.fragments(view).depth > 0) and (found > 0).any()
