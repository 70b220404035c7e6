"""Prompts from the scene say what is in it, in the colors that it has."""

from __future__ import annotations

import numpy as np
import pytest

from sim2real.clip import read_clip
from sim2real.diffusion import GenerateOptions
from sim2real.diffusion.prompts import color_word, prompt_of
from sim2real.errors import BadValueError, MissingFileError, UnknownNameError
from tests.diffusion.test_generate import write_clip


@pytest.fixture
def clip(tmp_path, rng):
    return read_clip(write_clip(tmp_path / "clip", rng))


@pytest.mark.parametrize(
    ("color", "word"),
    [((255, 0, 0), "red"), ((250, 250, 250), "white"), ((0, 0, 0), "black"), ((40, 80, 190), "blue"), ((120, 75, 45), "brown")],
)
def test_colors_have_the_names_that_people_give_them(color, word):
    assert color_word(np.array(color, np.uint8)) == word


def test_the_prompt_names_every_class_with_its_color_the_largest_first(clip):
    prompt = prompt_of(clip, "front", GenerateOptions(prompt="auto"))
    things = prompt.partition(": ")[2].partition(". ")[0].split(", ")
    assert things[0].endswith("floor") and "orange robot" in things and len(things) == 4
    assert {thing.split()[-1] for thing in things} == {"floor", "robot", "mug"}


def test_with_a_look_it_names_materials_but_for_what_is_kept(clip):
    options = GenerateOptions(prompt="auto", look="loft", keep=("robot",), seed=3)
    prompt = prompt_of(clip, "front", options)
    assert "orange robot" in prompt
    assert prompt != prompt_of(clip, "front", GenerateOptions(prompt="auto"))
    with pytest.raises(UnknownNameError, match="unknown look"):
        prompt_of(clip, "front", GenerateOptions(prompt="auto", look="loff"))


def test_words_of_the_user_are_left_as_they_are(clip):
    assert prompt_of(clip, "front", GenerateOptions(prompt="a kitchen")) == "a kitchen"
    assert prompt_of(clip, "front", GenerateOptions()) == ""


def test_what_it_is_written_from_must_be_there(clip, tmp_path):
    (clip.path / "front" / "instances").rename(tmp_path / "instances")
    with pytest.raises(
        MissingFileError, match=r"instances .which --prompt auto is written from. not found; render the clip with"
    ):
        prompt_of(clip, "front", GenerateOptions(prompt="auto"))
    told = clip.record.model_copy(update={"scene": clip.record.scene.model_copy(update={"options": {"reader": "video"}})})
    video = type(clip)(clip.path, told)
    with pytest.raises(BadValueError, match="--prompt is 'auto', must be words: real videos do not say what they show"):
        prompt_of(video, "front", GenerateOptions(prompt="auto"))
