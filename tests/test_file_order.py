from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim2real.file_order import gap_note, in_order, natural_key


def paths(*names: str) -> list[Path]:
    return [Path("frames") / name for name in names]


@given(
    st.lists(st.integers(0, 10**25), unique=True, max_size=12), st.integers(0, 6), st.sampled_from(["", "frame_", "a 1-", "é"])
)
def test_numbered_files_are_in_the_order_of_their_numbers_however_they_are_padded(numbers, padding, stem):
    files = {number: Path(f"{stem}{number:0{padding}}.png") for number in numbers}
    mixed = list(files.values())
    random.Random(0).shuffle(mixed)
    assert in_order(mixed) == [files[number] for number in sorted(numbers)]


@given(
    st.lists(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1), unique=True, max_size=8)
)
def test_the_order_of_any_names_is_total_and_does_not_depend_on_their_first_order(names):
    assert sorted(names, key=natural_key) == sorted(reversed(names), key=natural_key)


def test_a_name_comes_before_what_continues_it_and_folders_are_numbered_too():
    right = [Path(name) for name in ("a2/frame.png", "a2/frame1.png", "a2/frame2.jpg", "a2/frame10.png", "a10/frame.png")]
    assert in_order(reversed(right)) == right


@given(st.integers(0, 50), st.integers(1, 9), st.integers(3, 12), st.data())
def test_a_file_that_is_missing_is_noted_and_none_is_where_none_is_missing(first, step, count, data):
    names = [f"frame_{first + k * step}.png" for k in range(count)]
    assert gap_note(paths(*names)) is None
    missing = data.draw(st.integers(1, count - 2)) if count > 3 else 1
    left = paths(*names[:missing], *names[missing + 1 :])
    note = gap_note(left)
    if count > 3:
        assert note is not None
        assert f"{names[missing - 1]} is followed by {names[missing + 1]}" in note


@pytest.mark.parametrize(
    "names",
    [
        (),
        ("a.png",),
        ("7.png",),
        ("a.png", "b.png"),
        ("left_1.png", "right_5.png"),
        ("1403636579.png", "1403636612.png", "1403636701.png", "1403636722.png"),
        ("take1_1.png", "take2_7.png"),
    ],
)
def test_names_without_a_usual_step_are_not_said_to_have_gaps(names):
    assert gap_note(paths(*names)) is None


def test_two_files_of_one_number_are_noted():
    assert "two files have the number 1, and count as two frames: 1.jpg, 1.png" in str(
        gap_note(paths("0.png", "1.jpg", "1.png"))
    )
