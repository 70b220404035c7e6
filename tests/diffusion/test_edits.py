"""Some instances are made anew, all else stays to the bit; restyling goes part of the way."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from sim2real.clip import read_clip
from sim2real.diffusion import GenerateOptions, LargeModelOptions, generate
from sim2real.diffusion.edits.part import changed_ids, check_edit, others, untouched
from sim2real.errors import BadValueError, MissingFileError, UnknownNameError

from .test_generate import clip, footage, means, model

__all__ = ["clip", "model"]


@pytest.mark.parametrize("onto", ["rgb", "tiny-0"])
def test_an_edit_changes_what_it_names_and_no_other_pixel(clip, model, onto):
    generate(clip, GenerateOptions(model=model))
    opened = read_clip(clip)
    asked = {"use": "restyle", "look": "mug=oak", "seed": 2}
    generate(clip, GenerateOptions(model=model, onto=onto, change=("mug",), **asked))
    after, settings = footage(clip, f"tiny-restyle-2-onto-{onto}")
    assert settings["onto"] == onto and settings["change"] == ["mug"]
    assert {"mug", "lid"} == set(settings["materials"])
    before = np.stack([opened.rgb("front", k) for k in range(opened.frames)]) if onto == "rgb" else footage(clip, onto)[0]
    still = np.stack([untouched(opened, "front", k, {3, 4}) for k in range(opened.frames)])
    assert 0.3 < still.mean() < 0.9
    assert (after[still] == before[still]).all()
    assert (np.abs(means(after) - means(before)).max(axis=1) > 8).tolist() == [False, False, False, True, True]


def test_others_are_named_one_by_one_whatever_is_in_their_names(clip):
    opened = read_clip(clip)
    named = zip(opened.record.instances, ["a[1]*", "a1x", "mug?", "mug1"], strict=True)
    instances = [instance.model_copy(update={"name": name, "class_name": "thing"}) for instance, name in named]
    opened = replace(opened, record=opened.record.model_copy(update={"instances": instances}))
    assert changed_ids(opened, others(opened, ["mug1"])) == {1, 2, 3}


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"change": ("mug",)}, BadValueError, "--change is mug, must be together with --onto"),
        ({"onto": "rgb"}, BadValueError, "--onto is rgb, must be together with --change"),
        ({"onto": "rgb", "change": ("cup",)}, UnknownNameError, "cup"),
        ({"onto": "embedded-7", "change": ("mug",)}, UnknownNameError, "embedded-7"),
    ],
)
def test_edits_that_cannot_be_are_refused(clip, model, options, error, says):
    with pytest.raises(error, match=re.escape(says)):
        generate(clip, GenerateOptions(model=model, **options))


def test_a_render_that_is_edited_has_to_be_there_before_anything_is_made(clip):
    shutil.rmtree(clip / "front" / "rgb")
    with pytest.raises(MissingFileError, match="rgb not found; render the clip with it: --only ...,rgb"):
        check_edit(GenerateOptions(onto="rgb", change=("mug",)), read_clip(clip))


def test_the_stronger_the_farther_from_the_simulators_colors(clip, model):
    asked = {"model": model, "use": "restyle", "seed": 2, "camera_effects": "none"}
    generate(clip, GenerateOptions(model=model, camera_effects="none"))
    start = means(footage(clip, "tiny-0")[0])
    apart = []
    for strength in (0.05, 0.5, None):
        generate(clip, GenerateOptions(**asked, large=LargeModelOptions(strength=strength)))
        apart.append(np.abs(means(footage(clip, "tiny-restyle-2")[0]) - start)[1:])
    assert apart[0].max() < 12
    assert (apart[1] <= apart[2] + 3).all() and (apart[0] <= apart[1] + 3).all()
    assert apart[2].mean() > 1.3 * apart[1].mean() > 1.3 * apart[0].mean()
