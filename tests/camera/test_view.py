"""A view is checked once, and is what it is from then on."""

import dataclasses

import numpy as np
import pytest

from sim2real.camera import Lens, View
from sim2real.errors import BadValueError

from .test_lens import SIZE, K

TWO = np.stack([np.eye(4)] * 2)


def test_without_being_asked_a_view_shows_all_parts_at_rest_through_a_pinhole() -> None:
    view = View(TWO, K, SIZE)
    assert view.shown.tolist() == [True, True] and view.vertices is None and view.lens == Lens()
    assert np.array_equal(view.world_from_camera, np.eye(4)) and view.near == 0.01


def test_a_view_of_some_parts_shows_no_part_that_did_not_exist_before() -> None:
    view = View(TWO, K, SIZE, part_visible=np.array([False, True]))
    assert view.only(np.array([True, False])).shown.tolist() == [False, False]
    assert view.only(np.array([True, True])).shown.tolist() == view.shown.tolist() == [False, True]


def test_whatever_numbers_it_is_given_a_view_holds_the_types_of_its_fields() -> None:
    view = View(TWO.astype(np.float32), K.astype(np.float32), SIZE, vertices=np.zeros((3, 3)))
    assert view.camera_from_part.dtype == view.intrinsics.dtype == np.float64
    assert view.vertices is not None and view.vertices.dtype == np.float32


def test_intrinsics_are_kept_to_the_bit_for_noise_is_drawn_from_them() -> None:
    k = K / 3 * [[3], [3], [3]]
    assert np.array_equal(View(TWO, k, SIZE, lens=Lens("fisheye", (0, 0, 0, 0))).intrinsics, k)


def test_a_view_does_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        View(TWO, K, SIZE).near = 1.0  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"camera_from_part": np.eye(4)}, "camera_from_part"),
        ({"camera_from_part": np.full((1, 4, 4), np.nan)}, "finite"),
        ({"world_from_camera": np.eye(3)}, "world_from_camera"),
        ({"world_from_camera": np.full((4, 4), np.inf)}, "world_from_camera"),
        ({"intrinsics": np.zeros((3, 3))}, "focal"),
        ({"intrinsics": K.T}, "skew"),
        ({"size": (0, 5)}, "0x5"),
        ({"near": 0.0}, "near"),
        ({"part_visible": np.ones(4, bool)}, "part_visible"),
        ({"vertices": np.zeros((2, 4), np.float32)}, "vertices"),
    ],
)
def test_a_wrong_field_is_named(change: dict, words: str) -> None:
    with pytest.raises(BadValueError, match=words):
        View(**{"camera_from_part": TWO, "intrinsics": K, "size": SIZE, **change})
