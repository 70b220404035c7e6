from pathlib import Path

import numpy as np
import pytest

from sim2real.cli.training import RecipeEntry, train_recipe
from sim2real.diffusion import generate  # noqa: F401  # what trained models are for
from sim2real.errors import BadKeyError, MissingFileError
from sim2real.scene.yaml_file import read_yaml

SHIPPED = Path(__file__).parents[2] / "assets" / "models" / "embedded" / "recipe.yaml"
TINY = """
clips: {seed: 3, clips: 3, frames: 2, size: [16, 24], spp: 1, max_depth: 2}
held_out: 1
noise: {channels: 4}
training:
  model: {width: 24, layers: 1, vace_layers: [0], heads: 2, hidden: 24}
  stages: [{steps: 2, batch: 2, frames: 2, size: 8}, {steps: 1, batch: 1, frames: 2, size: 16}]
"""


def test_the_shipped_recipe_is_valid_and_describes_the_shipped_model():
    entry = read_yaml(SHIPPED, RecipeEntry)
    assert entry.held_out > 0 and entry.training.stages[-1].size == 64


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("held_out: 1", "heldout: 1", "line 3.*unknown key.*did you mean 'held_out'"),
        ("size: 8}", "size: 12}", r"training\.stages\[0\]\.size.*multiple of 8"),
        ("clips: 3,", "clips: 0,", r"clips\.clips.*greater than 0"),
        ("held_out: 1", "held_out: 3", "held_out"),
    ],
)
def test_a_wrong_recipe_is_refused_by_line_and_key(tmp_path, old, new, message):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(TINY.replace(old, new, 1))
    with pytest.raises(BadKeyError, match=message):
        train_recipe(recipe, tmp_path / "out", clips=None, threads=1, stop_after=None, progress=lambda *_: None)
    assert not (tmp_path / "out").exists()


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(MissingFileError, match="none.yaml"):
        train_recipe(tmp_path / "none.yaml", tmp_path, clips=None, threads=1, stop_after=None, progress=lambda *_: None)


@pytest.mark.slow
def test_a_recipe_goes_from_nothing_to_a_model_and_on_after_a_stop(tmp_path):
    pytest.importorskip("mitsuba")
    from sim2real.diffusion.embedded import load_model

    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(TINY)
    told = []
    options = {"clips": None, "threads": 1, "progress": lambda *row: told.append(row)}
    assert train_recipe(recipe, tmp_path / "out", stop_after=1, **options) is None
    folder = train_recipe(recipe, tmp_path / "out", stop_after=None, **options)
    assert folder == tmp_path / "out" / "model"
    _, palettes, info = load_model(folder)
    assert len(palettes) == 2 and info.window == (2, 16, 16) and np.isfinite(palettes).all()
    assert {what for what, _, _ in told} == {"training clips", "training noise", "training"}
