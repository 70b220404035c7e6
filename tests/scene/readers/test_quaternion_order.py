"""The order of a recording's quaternions is found where physics tells it, and not guessed where it does not."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from sim2real.scene.readers.recordings.log import Track
from sim2real.scene.readers.recordings.quaternions import in_order, order_of

ANGLES = st.floats(-np.pi, np.pi)


def track(turns: Rotation, order: str, speed: np.ndarray | None = None) -> Track:
    wxyz = np.roll(turns.as_quat(), 1, axis=-1)
    held = wxyz if order == "wxyz" else np.roll(wxyz, -1, axis=-1)
    return Track("thing", np.concatenate([np.zeros((len(held), 3)), held], axis=1), turning=speed)


@given(seed=st.integers(0, 2**32), order=st.sampled_from(["wxyz", "xyzw"]), noise=st.floats(0, 0.1))
def test_anything_that_turns_tells_the_order_by_its_angular_velocity(seed, order, noise):
    rng = np.random.default_rng(seed)
    start, frames = Rotation.random(random_state=rng), 20
    speed = rng.normal(size=3)
    turns = Rotation.from_rotvec(np.arange(frames)[:, None] * 0.05 * speed) * start
    recorded = np.tile(speed, (frames, 1)) + noise * rng.normal(size=(frames, 3))
    found = order_of([track(turns, order, recorded)]).order
    assert found in (order, None)


def test_turns_about_most_axes_are_told_not_only_never_mistaken():
    rng = np.random.default_rng(0)
    told = 0
    for _ in range(100):
        speed = rng.normal(size=3)
        turns = Rotation.from_rotvec(np.arange(20)[:, None] * 0.05 * speed) * Rotation.random(random_state=rng)
        told += order_of([track(turns, "xyzw", np.tile(speed, (20, 1)))]).order == "xyzw"
    assert told >= 85


@given(yaw=ANGLES.filter(lambda a: 0.2 < abs(a) < np.pi - 0.2), order=st.sampled_from(["wxyz", "xyzw"]))
def test_a_thing_that_stands_upright_and_is_turned_tells_the_order(yaw, order):
    assert order_of([track(Rotation.from_euler("z", [[yaw], [yaw]]), order)]).order == order


def test_one_thing_that_is_not_turned_tells_of_w_first_alone_and_two_of_either():
    still = Rotation.identity(2)
    assert order_of([track(still, "wxyz")]).order == "wxyz"
    assert order_of([track(still, "xyzw")]).order is None  # (0, 0, 0, 1) may be half a turn about the vertical, w first
    assert order_of([track(still, "xyzw"), track(still, "xyzw")]).order == "xyzw"


def test_things_that_contradict_each_other_tell_nothing():
    upright = Rotation.from_euler("z", [[1.0], [1.0]])
    found = order_of([track(upright, "wxyz"), track(upright, "xyzw")])
    assert found.order is None and "1 of 2 as wxyz and 1 of 2 as xyzw stand upright" in found.why


@given(seed=st.integers(0, 2**32))
def test_what_is_put_in_order_is_what_was_written(seed):
    wxyz = np.random.default_rng(seed).normal(size=(3, 4))
    np.testing.assert_array_equal(in_order(wxyz, "wxyz"), wxyz)
    np.testing.assert_array_equal(in_order(wxyz[:, [1, 2, 3, 0]], "xyzw"), wxyz)
