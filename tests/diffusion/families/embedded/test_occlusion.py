"""Ambient occlusion from depth and normals."""

import numpy as np
import pytest

from sim2real.diffusion.families.embedded import scale
from sim2real.diffusion.families.embedded.occlusion import REACHES, occlusion

SIZE = (48, 64)


def lens(size=SIZE, focal=60.0):
    return np.array([[focal, 0, size[1] / 2], [0, focal, size[0] / 2], [0, 0, 1]])


def encoded(normals):
    return np.round(127.5 * (normals + 1)).astype(np.uint8)


def planes(*surfaces, size=SIZE, focal=60.0):
    """Depth and normals of planes (normal, distance along it from the eye), nearest first."""
    k = lens(size, focal)
    y, x = np.indices(size) + 0.5
    rays = np.stack([(x - k[0, 2]) / focal, (y - k[1, 2]) / focal, np.ones(size)], -1)
    depth, normals = np.full(size, np.inf), np.zeros((*size, 3))
    for normal, distance in surfaces:
        normal = np.array(normal, float) / np.linalg.norm(normal)
        along = rays @ normal
        z = np.where(along < 0, distance / np.where(along < 0, along, 1), np.inf)
        nearer = z < depth
        depth, normals = np.where(nearer, z, depth), np.where(nearer[..., None], normal, normals)
    return np.where(np.isfinite(depth), depth, 0).astype(np.float32), encoded(normals)


FLOOR, WALL = ((0.0, -1.0, 0.0), -0.3), ((0.0, 0.0, -1.0), -1.0)


def of(depth, normals, size=SIZE, focal=60.0):
    return occlusion(depth[None], normals[None], lens(size, focal))[0] / 255


@pytest.mark.parametrize("normal", [(0, 0, -1), (0.5, 0.2, -1), (0, -1, -0.3)])
def test_planes_hide_nothing_from_themselves(normal):
    assert of(*planes((normal, -1.0))).max() <= 0.01


def test_corners_are_dark_and_get_lighter_away_from_the_wall():
    hidden = of(*planes(FLOOR, WALL))
    column = hidden[:, SIZE[1] // 2]
    corner = int(60 * 0.3 + SIZE[0] / 2)  # first row of the floor, a metre away, where the wall stands
    assert 0.15 < column[corner + 1, 1] < 0.6
    floor = column[corner + 1 :, 1]
    assert (np.diff(floor) < 0.02).all() and floor[-1] < floor[0] - 0.04
    assert column[corner, 0] > 0.1 and column[-1, 0] < 0.02  # 15 cm reach
    assert REACHES[0] < REACHES[1]


def test_what_has_no_surface_neither_hides_nor_is_hidden():
    depth, normals = planes(FLOOR, WALL)
    depth[: SIZE[0] // 2] = 0
    hidden = of(depth, normals)
    assert (hidden[: SIZE[0] // 2] == 0).all()
    alone = of(*planes(FLOOR))
    wall_only_below = hidden[-6:].max()
    assert wall_only_below < of(*planes(FLOOR, WALL))[-6:].max() + 1e-6 and alone.max() < 0.01


def test_a_mirrored_picture_is_hidden_alike():
    rng = np.random.default_rng(5)
    depth, normals = planes(FLOOR, WALL)
    depth = depth - (0.2 * (rng.random(SIZE) > 0.9)).astype(np.float32)
    normals = normals.copy()
    mirrored = normals[:, ::-1].copy()
    mirrored[..., 0] = 255 - mirrored[..., 0]
    there, here = of(depth[:, ::-1].copy(), mirrored), of(depth, normals)
    assert np.abs(there[:, ::-1] - here).max() < 0.03


def test_where_pixels_are_seen_as_one_all_have_the_value_of_one_of_them(monkeypatch):
    size = (151, 200)
    scene = planes(FLOOR, WALL, ((1.0, 0, -0.2), -0.4), size=size, focal=180.0)
    every = of(*scene, size=size, focal=180.0)
    monkeypatch.setattr(scale, "LONGEST_PX", 70)
    fewer = of(*scene, size=size, focal=180.0)
    assert np.array_equal(fewer[:150].reshape(50, 3, 200, 2)[:, 0], fewer[1:151:3][:50])
    assert np.array_equal(fewer[:, 0:198:3], fewer[:, 2:200:3])
    assert np.abs(fewer - every).mean() < 0.03 and np.abs(fewer - every)[1::3, 1::3].max() < 0.3


def test_frames_do_not_depend_on_each_other():
    one, other = planes(FLOOR, WALL), planes(WALL)
    both = occlusion(np.stack([one[0], other[0]]), np.stack([one[1], other[1]]), np.stack([lens()] * 2))
    assert np.array_equal(both[1], occlusion(other[0][None], other[1][None], lens())[0])
