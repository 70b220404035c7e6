from pathlib import Path

import pytest
from pydantic import ValidationError

from sim2real.cli.train import RecipeEntry
from sim2real.diffusion.families.embedded.denoiser import build_denoiser
from sim2real.scene.readers.scene_file.yaml import read_yaml
from sim2real.training.recipe import Losses, Stage

SHIPPED = Path(__file__).parents[2] / "assets" / "models" / "embedded" / "recipe.yaml"


def test_the_shipped_recipe_is_valid_holds_clips_out_and_builds_a_network():
    entry = read_yaml(SHIPPED, RecipeEntry)
    held = [number for number in range(entry.clips.clips) if entry.held_out(number)]
    assert len(held) >= 100 and not entry.held_out(0)
    assert build_denoiser(0, **entry.training.model.model_dump())


def test_a_stage_may_have_losses_and_a_learning_rate_of_its_own(recipe):
    first, second = recipe.stages
    other = second.model_copy(update={"losses": Losses(perceptual=0.3), "learning_rate": 2e-3})
    mixed = recipe.model_copy(update={"stages": (first, other), "warmup": 0, "cooldown": 0})
    assert [mixed.losses_at(step).perceptual for step in (0, 5, 6, 9)] == [0.1, 0.1, 0.3, 0.3]
    assert [mixed.learning_rate_at(step) for step in (5, 6)] == [3e-3, 2e-3]


@pytest.mark.parametrize(
    ("model", "values", "message"),
    [
        (Stage, {"steps": 1, "batch": 1, "frames": 1, "size": (24, 32)}, "multiple of 16"),
        (Losses, {"percepual": 1}, "did you mean 'perceptual'"),
    ],
)
def test_values_that_make_no_sense_are_refused(model, values, message):
    with pytest.raises(ValidationError, match=message):
        model(**values)
