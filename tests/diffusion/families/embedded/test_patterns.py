"""Patterns: pieces in metres, joints whose area is right however coarse the pixels, rings that stay inside a pixel's reach."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim2real.diffusion.families.embedded.patterns import SurfacePoints, joined, pattern_of
from sim2real.diffusion.families.embedded.surfaces import Pattern, materials, pattern_named

TILES = Pattern(size=(0.3, 0.2), joint=0.01, vary=3.0)


def face(step=0.002, size=(1.2, 0.8), normal=(0.0, 0.0, 1.0), axes=(0, 1), up=(0.0, 0.0, 1.0)):
    """A grid of points on a plane through the origin, ``step`` apart."""
    u, v = np.meshgrid(np.arange(-size[0] / 2, size[0] / 2, step), np.arange(-size[1] / 2, size[1] / 2, step), indexing="ij")
    points = np.zeros((u.size, 3), np.float32)
    points[:, axes[0]], points[:, axes[1]] = u.ravel(), v.ravel()
    normals = np.tile(np.float32(normal), (u.size, 1))
    return SurfacePoints(points, normals, np.full(u.size, step, np.float32), np.array(up)), u.shape


def drawn(pattern, at, seed=0, bend=None):
    bend = np.zeros(len(at.step), np.float32) if bend is None else bend
    return pattern_of(pattern, at, 50.0, seed, bend)


@given(step=st.floats(0.001, 0.05), joint=st.floats(0.002, 0.02))
def test_joints_cover_their_share_of_the_surface_at_any_distance(step, joint):
    at, _ = face(step)
    line = drawn(Pattern(size=(0.3, 0.2), joint=joint), at).line
    assert 0 <= line.min() <= line.max() <= 1
    exact = 1 - (1 - joint / 0.3) * (1 - joint / 0.2)
    assert line.mean() == pytest.approx(exact, rel=0.35, abs=0.01)


def test_a_tile_is_even_and_as_large_as_it_says():
    at, shape = face()
    found = drawn(TILES, at)
    shade, line = found.shade.reshape(shape), found.line.reshape(shape)
    inner = (np.abs(at.points[:, 0]) < 0.14) & (np.abs(at.points[:, 1]) < 0.09)
    assert np.ptp(found.shade[inner]) == 0 and not found.line[inner].any(), "the origin is in the middle of a tile"
    assert line[np.abs(at.points[:, 0].reshape(shape) - 0.15) < 1e-3].min() > 0.9
    tiles = {round(float(value), 5) for value in shade[line == 0]}
    assert len(tiles) in (24, 25) or len(tiles) >= 20


def test_pieces_differ_as_much_as_they_should_and_otherwise_with_another_seed():
    at, _ = face(0.02, (30, 20))
    shade = drawn(TILES, at).shade
    assert shade.std() == pytest.approx(3 * 3 / 66, rel=0.1) and abs(shade.mean()) < 0.02
    assert np.array_equal(shade, drawn(TILES, at).shade)
    assert abs(np.corrcoef(shade, drawn(TILES, at, seed=1).shade)[0, 1]) < 0.2


def test_bricks_lie_level_whichever_way_their_wall_faces():
    brick = pattern_named("brick", "stone")
    assert brick is not None
    for normal, axes, up in (
        ((1.0, 0, 0), (1, 2), (0, 0, 1.0)),
        ((0, 1.0, 0), (0, 2), (0, 0, 1.0)),
        ((0, 0, 1.0), (1, 0), (1.0, 0, 0)),
    ):
        at, shape = face(0.002, (0.9, 0.6), normal, axes, up)
        line = drawn(brick, at).line.reshape(shape)
        level = (line > 0.5).mean(axis=0)  # along the wall, at every height
        assert (level > 0.99).sum() >= 30, "joints run level, all along"
        assert (line > 0.5).mean(axis=1).max() < 0.8, "upright ones are broken by the next row"


def test_rings_follow_the_tree_and_fade_where_they_are_finer_than_pixels():
    oak = pattern_named("oak", "wood")
    assert oak is not None and oak.rings
    at, shape = face(0.001, (0.5, 0.15))
    shade = drawn(Pattern(rings=oak.rings, contrast=1.0), at).shade.reshape(shape)
    along, across = (np.square(np.diff(shade, axis=axis)).mean() for axis in (0, 1))
    assert across > 5 * along > 0, "they run along x"
    spread = [drawn(Pattern(rings=oak.rings), face(step)[0]).shade.std() for step in (0.001, 0.005, 0.02, 0.1)]
    assert spread[0] > spread[1] > spread[2] > spread[3] < 0.4 * spread[0], "lines wider than a ring are seen a little farther"
    bent = drawn(Pattern(rings=oak.rings), at, bend=np.random.default_rng(0).standard_normal(len(at.step)).astype(np.float32))
    assert not np.array_equal(bent.shade, shade.ravel())


def test_rings_are_what_a_pixel_sees_of_them_in_the_mean():
    """A coarse pixel's shade is the mean of the fine ones within it, along the way that crosses the rings."""
    rings = Pattern(rings=0.01, contrast=1.0)
    fine, shape = face(0.0005, (0.02, 0.4))
    exact = drawn(rings, fine).shade.reshape(shape)
    for coarse in (0.004, 0.008, 0.03):
        count = round(coarse / 0.0005)
        of = exact[shape[0] // 2, : shape[1] // count * count].reshape(-1, count)
        middle = fine.points.reshape(*shape, 3)[shape[0] // 2, : of.size].reshape(-1, count, 3).mean(axis=1)
        at = SurfacePoints(
            middle, np.tile(np.float32((0, 0, 1)), (len(of), 1)), np.full(len(of), coarse, np.float32), np.eye(3)[2]
        )
        plain = drawn(rings, SurfacePoints(at.points, at.normals, np.zeros_like(at.step), at.up)).shade
        assert np.square(drawn(rings, at).shade - of.mean(axis=1)).mean() < 0.4 * np.square(plain - of.mean(axis=1)).mean()
        assert abs(drawn(rings, at).shade.mean()) < 0.1


def test_joints_take_their_color():
    base = np.full((3, 3), 200, np.uint8)
    mixed = joined(base, "#0a1e32", np.float32([0, 0.5, 1]))
    assert mixed.tolist() == [[200, 200, 200], [105, 115, 125], [10, 30, 50]]


def test_every_pattern_of_the_tables_can_be_drawn():
    at, _ = face(0.01)
    names = {material.name: pattern_named(material.name, material.kind) for material in materials().values()}
    assert names["brick"] and names["white tile"] and names["oak"] and not names["white plaster"]
    for pattern in filter(None, names.values()):
        found = drawn(pattern, at)
        assert np.isfinite(found.shade).all() and found.shade.std() + found.line.std() > 0


def test_no_two_rings_are_alike():
    at, shape = face(0.0005, (0.002, 1.0))
    shade = drawn(Pattern(rings=0.01), at).shade.reshape(shape)[0]
    dark = np.flatnonzero((shade[1:-1] < shade[:-2]) & (shade[1:-1] < shade[2:]) & (shade[1:-1] < -0.3))
    assert len(dark) > 20 and np.ptp(shade[1 + dark]) > 0.3, "some are darker"
    assert np.diff(dark).std() > 0.2 * np.diff(dark).mean(), "some are wider"


@pytest.mark.parametrize("step", [0.002, 0.02])
def test_wood_is_as_bright_as_it_would_be_without_rings(step):
    at, _ = face(step, (6.0, 6.0) if step > 0.01 else (1.0, 6.0))
    oak = pattern_named("oak", "wood")
    assert oak is not None
    assert np.exp(drawn(replace(oak, vary=0.0), at).shade).mean() == pytest.approx(1, abs=0.025)
