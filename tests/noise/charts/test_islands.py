from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from sim2real.noise.charts.islands import coincident, first_equal, first_seen, islands, welded, welded_corners
from sim2real.noise.charts.packing import every_second_bit, interleaved


def plain_islands(corners: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """By dictionaries and scipy."""
    seen: dict[tuple, int] = {}
    joins = [(f, f) for f in range(len(corners))]
    for f, face in enumerate(corners.tolist()):
        for a, b in zip(face, face[1:] + face[:1], strict=True):
            joins.append((f, seen.setdefault((min(a, b), max(a, b), int(groups[f])), f)))
    rows, columns = np.array(joins).T
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(corners), len(corners)))
    return connected_components(graph, directed=False)[1]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 300), st.integers(1, 120), st.integers(1, 4))
def test_islands_are_what_shared_edges_connect(seed, faces, vertices, groups):
    rng = np.random.default_rng(seed)
    corners, group = rng.integers(0, vertices, (faces, 3)), rng.integers(0, groups, faces)
    found, expected = islands(corners, group), plain_islands(corners, group)
    pairs = set(zip(found.tolist(), expected.tolist(), strict=True))
    assert len(pairs) == len(set(found.tolist())) == len(set(expected.tolist()))
    assert np.array_equal(found, first_seen(found))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 2000), st.integers(1, 60), st.booleans())
def test_the_first_equal_entry_is_found(seed, count, values, ordered):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, values, count), rng.integers(-values, values, count) * 2**40
    seen: dict[tuple, int] = {}
    expected = [seen.setdefault(pair, k) for k, pair in enumerate(zip(a.tolist(), b.tolist(), strict=True))]
    assert first_equal(a, b, ordered=ordered).tolist() == expected


def fan(count: int) -> np.ndarray:
    k = np.arange(count)
    return np.stack([np.zeros(count, int), k + 1, k + 2], 1)


def shuffled(count: int) -> np.ndarray:
    """Faces whose corners come near each other nowhere, so that small vertex numbers are crowded."""
    return np.random.default_rng(0).integers(0, count // 2, (count, 3))


@pytest.mark.parametrize("faces", [fan, shuffled])
def test_fans_and_shuffled_faces_are_grouped_like_any_other(faces):
    made = faces(20_000)
    groups = np.zeros(len(made), int)
    assert np.array_equal(islands(made, groups), plain_islands(made, groups))


def test_points_are_welded_if_they_are_equal_in_float32_and_zeros_have_no_sign():
    points = np.array([[0.0, 1, 2], [-0.0, 1, 2], [1e-9, 1, 2], [0.0, 1, 2 + 1e-12], [0.0, 2, 1]])
    assert welded(points).tolist() == [0, 0, 2, 0, 4]
    corners = welded_corners(np.zeros((1, 3), int), np.array([[[0.5, 0.5], [0.5, 0.25], [0.5, 0.5]]]))
    assert corners.tolist() == [[0, 1, 0]]


def test_faces_with_the_same_corners_are_found_whichever_way_they_turn():
    faces = np.array([[0, 1, 2], [1, 2, 0], [2, 1, 0], [0, 1, 3], [0, 0, 1], [1, 0, 0], [1, 1, 0]])
    assert coincident(faces).tolist() == [0, 0, 0, 3, 4, 4, 6]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 1023)] * 3), min_size=1, max_size=20), st.integers(0, 2**62))
def test_morton_codes_interleave_bits_and_come_apart_again(columns, code):
    def slow(row: tuple[int, ...]) -> int:
        return sum((value >> bit & 1) << 3 * bit + axis for bit in range(10) for axis, value in enumerate(row))

    assert interleaved(np.array(columns)).tolist() == [slow(row) for row in columns]
    assert every_second_bit(np.array([code])).tolist() == [sum((code >> 2 * k & 1) << k for k in range(32))]
