from pathlib import Path

import numpy as np
import pytest

from sim2real.cli.train import RecipeEntry, train_recipe
from sim2real.errors import BadKeyError, MissingFileError
from sim2real.scene.readers.scene_file.yaml import read_yaml
from sim2real.training.loop import UNLIMITED, Limits

TINY = """
clips: {seed: 3, clips: 5, frames: 2, size: [48, 64], spp: 4, max_depth: 3, assets: false}
hold_out: 5
training:
  model: {widths: [16, 24, 32, 32], down: [1, 1, 1, 1], up: [1, 1, 1, 1], embedding: 32}
  stages: [{steps: 100, batch: 2, frames: 1, size: [48, 64]}, {steps: 20, batch: 1, frames: 2, size: [48, 64]}]
  learning_rate: 3.0e-3
  warmup: 5
  cooldown: 40
  averaging: 0.9
  losses: {perceptual: 0}
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("hold_out: 5", "holdout: 5", "line 3.*unknown key.*did you mean 'hold_out'"),
        ("hold_out: 5", "hold_out: 1", "line 3.*hold_out.*at least 2"),
        ("size: [48, 64]}]", "size: [40, 64]}]", r"training\.stages\[1\]\.size.*multiple of 16"),
        ("clips: 5,", "clips: 0,", r"clips\.clips.*greater than 0"),
        ("perceptual: 0", "percepual: 0", r"training\.losses.*did you mean 'perceptual'"),
    ],
)
def test_a_wrong_recipe_is_refused_by_line_and_key(tmp_path, old, new, message):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(TINY.replace(old, new, 1))
    with pytest.raises(BadKeyError, match=message):
        train_recipe(recipe, tmp_path / "out", clips=None, threads=1, limits=UNLIMITED, progress=lambda *_: None)
    assert not (tmp_path / "out").exists()


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(MissingFileError, match="none.yaml"):
        train_recipe(tmp_path / "none.yaml", tmp_path, clips=None, threads=1, limits=UNLIMITED, progress=lambda *_: None)


def mean_square(one, other):
    return np.mean((one.astype(np.float64) - other) ** 2)


@pytest.mark.slow
def test_a_recipe_goes_from_nothing_to_a_model_that_beats_the_zero_line(tmp_path):
    pytest.importorskip("mitsuba")
    from sim2real.diffusion.families.embedded.folder import load_model
    from sim2real.diffusion.families.embedded.sample import sample
    from sim2real.prepare.noise_fields import NoiseDraws, noise_path
    from sim2real.training.data import conditions_of
    from sim2real.training.packed import packed_clip

    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(TINY)
    told = []
    options = {"clips": None, "threads": 1, "progress": lambda *row: told.append(row)}
    assert train_recipe(recipe, tmp_path / "out", limits=Limits(steps=3), **options) is None
    folder = train_recipe(recipe, tmp_path / "out", limits=UNLIMITED, **options)
    assert folder == tmp_path / "out" / "model"
    assert {what for what, _, _ in told} == {"training clips", "packing", "training"}

    model, info = load_model(folder)
    assert info.training["clips"] == 4 and info.training["steps"] == 120
    clips = tmp_path / "out" / "clips"
    noise = NoiseDraws([noise_path(clips, number) for number in range(4)])
    everything = (slice(None),) * 3
    before, after = [], []
    for number in range(4):
        clip = packed_clip(clips / f"{number:06d}.npz")
        pixels = clip.pixels(everything)
        conditions = conditions_of(pixels, clip.intrinsics)
        drawn = noise.noise(number, 10**6, *everything)
        frames = np.stack(
            list(sample(model, lambda s, d=drawn: d[s], lambda s, _, c=conditions: c[s], len(pixels), steps=info.steps))
        )
        before.append(mean_square(pixels["rgb"], pixels["target"]))
        after.append(mean_square(frames, pixels["target"]))
    gain_db = 10 * np.log10(np.mean(before) / np.mean(after))
    assert gain_db > 1, f"{gain_db:.1f} dB above the zero line"


def test_held_out_clips_are_spread_evenly_and_never_all():
    entry = RecipeEntry.model_validate({**read_tiny(), "hold_out": 4})
    assert [number for number in range(12) if entry.held_out(number)] == [3, 7, 11]
    assert not any(RecipeEntry.model_validate({**read_tiny(), "hold_out": 0}).held_out(number) for number in range(12))


def read_tiny():
    import yaml

    return yaml.safe_load(TINY)


def test_the_shipped_recipe_is_read():
    path = Path(__file__).parents[2] / "assets" / "models" / "embedded" / "recipe.yaml"
    assert read_yaml(path, RecipeEntry).clips.assets
