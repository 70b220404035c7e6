"""Borders between surfaces, which way they run, and pictures that are averaged along them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from sim2real.diffusion.families.embedded.lines import averaged, averaged_reference, lines, lines_reference

SIZE = (40, 56)


def encoded(normals):
    return np.round(127.5 * (normals / np.linalg.norm(normals, axis=-1, keepdims=True) + 1)).astype(np.uint8)


def wall(size=SIZE):
    """Ids, depth and normals of a plain wall."""
    return np.ones(size, np.uint16), np.full(size, 2, np.float32), encoded(np.broadcast_to([0.0, 0.0, -1.0], (*size, 3)))


def groove(angle, offset, width, size=(64, 64)):
    """A wall with a groove that centers meet by chance: ids, depth, normals; how far places are along it and from it."""
    ids, depth, normals = wall(size)
    y, x = np.indices(size) - np.array(size)[:, None, None] / 2 + 0.5
    along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x - offset
    normals = normals.copy()
    normals[np.abs(across) < width / 2] = encoded(np.array([0.0, -1.0, -0.3]))
    return (ids, depth, normals), along, across


def random_shapes(seed):
    """Blocky instances, bent surfaces and holes."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 4, (5, 7)).repeat(8, 0).repeat(8, 1)
    bends = rng.normal(size=(5, 7, 3)).repeat(8, 0).repeat(8, 1) + 0.3 * rng.normal(size=(*SIZE, 3))
    depth = (0.5 + 0.1 * coarse + 0.002 * rng.random(SIZE)).astype(np.float32)
    depth[coarse == 0] = 0
    return coarse.astype(np.uint16), depth, encoded(np.where((coarse == 2)[..., None], [0.0, 0.6, -0.8], bends))


@pytest.mark.parametrize("seed", range(3))
def test_kernels_find_what_scipy_finds(seed):
    shapes = random_shapes(seed)
    found, known = lines(*(a[None] for a in shapes))[0], lines_reference(*shapes)
    found = np.where((found * known).sum(axis=0) < 0, -found, found)  # a line runs both ways
    differs = np.abs(found - known).max(axis=0) > 1e-3  # where a direction rounds to one pixel or the next
    assert differs.mean() < 0.01 and (np.hypot(*known) > 0.5).mean() > 0.05 and (np.hypot(*known) == 0).mean() > 0.05


@pytest.mark.parametrize("seed", range(3))
def test_pictures_are_averaged_as_scipy_does(seed):
    rng = np.random.default_rng(seed)
    picture, along = rng.random((3, *SIZE), np.float32), lines_reference(*random_shapes(seed)).astype(np.float32)
    out = averaged(torch.from_numpy(picture)[None], torch.from_numpy(along)[None])[0].numpy()
    assert np.allclose(out, averaged_reference(picture, along), atol=1e-5)
    assert np.array_equal(out[:, np.hypot(*along) == 0], picture[:, np.hypot(*along) == 0])


def test_any_memory_layout_is_averaged():
    along = torch.from_numpy(lines(*(a[None] for a in random_shapes(1))))
    picture = torch.rand((1, *SIZE, 3), generator=torch.Generator().manual_seed(1)).permute(0, 3, 1, 2)
    assert torch.equal(averaged(picture, along), averaged(picture.contiguous(), along))


def test_nothing_runs_along_plain_and_slanting_surfaces():
    ids, depth, normals = wall()
    assert not lines(ids[None], depth[None], normals[None]).any()
    slanting = 1 / (0.3 + 0.004 * np.indices(SIZE).sum(0)).astype(np.float32)
    assert not lines(ids[None], slanting[None], normals[None]).any()


@given(octant=st.integers(0, 7), turned=st.floats(12, 33), offset=st.floats(-3, 3), width=st.floats(0.7, 2))
def test_a_groove_is_one_even_line_wherever_its_steps_are_short(octant, turned, offset, width):
    angle = np.deg2rad(45 * octant + turned)
    shapes, along, across = groove(angle, offset, width)
    met = (np.abs(across) < width / 2).astype(np.float32)
    ways = lines(*(a[None] for a in shapes))
    picture = 0.9 - 0.8 * np.broadcast_to(met, (1, 3, *met.shape))
    out = averaged(torch.from_numpy(picture), torch.from_numpy(ways)).numpy()
    t = np.arange(-20, 20.5, 0.5)
    middle = np.array([np.sin(angle) * t + np.cos(angle) * offset, np.cos(angle) * t - np.sin(angle) * offset]) + 31.5
    before, after = (ndimage.map_coordinates(a[0, 0].astype(np.float64) ** 2, middle, order=1) for a in (picture, out))
    assert after.std() < 0.65 * before.std() + 0.035
    dark = [(0.81 - a[0, 0].astype(np.float64) ** 2)[np.abs(along) < 20].sum() for a in (picture, out)]
    assert abs(dark[1] - dark[0]) < 0.1 * dark[0] + 1


def test_directions_are_those_of_the_lines():
    for angle in np.linspace(0, np.pi, 9):
        shapes, along, across = groove(angle, 0.2, 1.5)
        x, y = lines(*(a[None] for a in shapes))[0]
        on = (np.abs(across) < 0.7) & (np.abs(along) < 20)
        turned = np.abs(x * np.sin(angle) - y * np.cos(angle))[on]
        assert np.median(np.hypot(x, y)[on]) > 0.9 and np.quantile(turned, 0.9) < 0.12
