"""Vertices made frame by frame are those of a table, whatever part of it is asked for."""

import numpy as np
import pytest

from sim2real.scene.mesh_ops import mapped, subset
from sim2real.scene.moving_vertices import MovingVertices, extent_of
from sim2real.scene.records import Mesh

TABLE = np.random.default_rng(0).normal(size=(9, 5, 3)).astype(np.float32)
FACES = np.array([[0, 1, 2], [2, 3, 4]])


def moving(calls: list[int] | None = None) -> MovingVertices:
    def at(frame: int) -> np.ndarray:
        if calls is not None:
            calls.append(frame)
        return TABLE[frame].astype(np.float64)

    return MovingVertices(9, 5, at)


@pytest.mark.parametrize(
    "key", [3, -1, slice(2, 8, 3), slice(None, None, -1), (slice(None), [4, 0]), (slice(None), slice(1, 3)), (2, 1), [0, 5]]
)
def test_any_part_of_them_is_that_of_the_table(key):
    found = moving()[key]
    assert np.array_equal(np.asarray(found), TABLE[key]) and np.asarray(found).dtype == np.float32


def test_frames_beyond_the_end_are_none():
    with pytest.raises(IndexError):
        moving()[9]


def test_only_what_is_asked_for_is_made_and_kept_for_a_while():
    calls: list[int] = []
    half = moving(calls)[::2][:, [0, 1]]
    assert calls == [] and half.shape == (5, 2, 3)
    for frame in (3, 3, 0, 3):
        assert np.array_equal(half[frame], TABLE[2 * frame, :2])
    assert calls == [6, 0]


def test_meshes_that_are_mapped_and_cut_deform_as_tables_do():
    lazy, table = (Mesh("m", TABLE[0], FACES, deformed=d) for d in (moving(), TABLE))
    linear = np.array([[1.0, 2, 0], [0, 1, 3], [-1, 0, 1]])
    for change in (lambda m: mapped(m, linear, np.ones(3)), lambda m: subset(m, np.array([False, True]))):
        assert np.array_equal(np.asarray(change(lazy).deformed), change(table).deformed)


def test_how_far_they_reach_is_found_frame_by_frame():
    low, high = extent_of(moving())
    assert np.array_equal(low, TABLE.min(axis=(0, 1))) and np.array_equal(high, TABLE.max(axis=(0, 1)))
