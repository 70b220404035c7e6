import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from sim2real.diffusion.families.embedded.folder import load_model
from sim2real.errors import BadValueError, UnreadableFileError
from sim2real.training import checkpoint
from sim2real.training.loop import Limits, TrainOptions, train
from sim2real.training.recipe import Stage

PARTS = ("model", "averaged", "optimizer")
WEIGHTS = "denoiser/diffusion_pytorch_model.safetensors"


def weights(run, step):
    return {name: load_file(run / f"checkpoint-{step:07d}" / f"{name}.safetensors") for name in PARTS}


def same(one, other):
    return all(one[n].keys() == other[n].keys() and all(torch.equal(one[n][k], other[n][k]) for k in one[n]) for n in PARTS)


@pytest.mark.slow
def test_training_lowers_the_loss_and_writes_a_model(clips, provider, recipe, tmp_path):
    longer = recipe.model_copy(update={"stages": (Stage(steps=40, batch=4, frames=1, size=(32, 48)),)})
    told = []
    folder = train(longer, clips, provider, tmp_path / "run", TrainOptions(report_every=10), report=told.append)
    assert told[-1].step == 40 and told[-1].loss < 0.7 * told[0].loss
    _, info = load_model(folder)
    assert info.steps == 1 and info.training["clips"] == 3 and info.training["recipe"]["learning_rate"] == 3e-3


@pytest.mark.slow
def test_a_stopped_run_goes_on_bit_for_bit(clips, provider, recipe, tmp_path):
    train(recipe, clips, provider, tmp_path / "whole")
    assert train(recipe, clips, provider, tmp_path / "parts", TrainOptions(limits=Limits(steps=4))) is None
    train(recipe, clips, provider, tmp_path / "parts", TrainOptions(limits=Limits(steps=7), workers=3))
    assert train(recipe, clips, provider, tmp_path / "parts") is not None
    assert same(weights(tmp_path / "whole", 10), weights(tmp_path / "parts", 10))
    assert not same(weights(tmp_path / "whole", 10), weights(tmp_path / "parts", 7))


def test_a_run_that_is_out_of_time_stops_with_a_checkpoint_and_a_model(clips, provider, recipe, tmp_path):
    assert train(recipe, clips, provider, tmp_path, TrainOptions(limits=Limits(minutes=0.0))) is None
    assert weights(tmp_path, 1) and load_model(tmp_path / "model")[1].training["steps"] == 1


@pytest.mark.slow
def test_another_recipe_does_not_go_on_from_a_checkpoint_but_a_longer_one_does(clips, provider, recipe, tmp_path):
    train(recipe, clips, provider, tmp_path / "run", TrainOptions(limits=Limits(steps=7)))
    with pytest.raises(BadValueError, match="differs in: learning_rate"):
        train(recipe.model_copy(update={"learning_rate": 1e-3}), clips, provider, tmp_path / "run")
    first, second = recipe.stages
    with pytest.raises(BadValueError, match="stages that are done"):
        train(recipe.model_copy(update={"stages": (second, first)}), clips, provider, tmp_path / "run")
    longer = recipe.model_copy(update={"stages": (first, second.model_copy(update={"steps": 3})), "cooldown": 1})
    assert train(longer, clips, provider, tmp_path / "run")


@pytest.mark.slow
def test_a_save_that_is_interrupted_leaves_the_checkpoint_before_it(clips, provider, recipe, tmp_path, monkeypatch):
    train(recipe, clips, provider, tmp_path, TrainOptions(limits=Limits(steps=1)))
    before, written = weights(tmp_path, 1), []

    def interrupted(tensors, path):
        written.append(path)
        if len(written) == 2:
            raise KeyboardInterrupt
        return save_file(tensors, path)

    monkeypatch.setattr(checkpoint, "save_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, clips, provider, tmp_path, TrainOptions(limits=Limits(steps=2)))
    monkeypatch.undo()
    assert [path.name for path in tmp_path.glob("checkpoint-*")] == ["checkpoint-0000001"]
    assert same(weights(tmp_path, 1), before)
    assert train(recipe, clips, provider, tmp_path) is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["state.json", "model.safetensors", "averaged.safetensors", "optimizer.safetensors"])
def test_a_damaged_checkpoint_is_named_and_without_it_the_run_goes_on(clips, provider, recipe, tmp_path, name):
    train(recipe, clips, provider, tmp_path, TrainOptions(limits=Limits(steps=1)))
    train(recipe, clips, provider, tmp_path, TrainOptions(limits=Limits(steps=2)))
    newest = tmp_path / "checkpoint-0000002"
    content = (newest / name).read_bytes()
    for broken in (content[: len(content) // 2], b"", b"\x00" * len(content)):
        (newest / name).write_bytes(broken)
        with pytest.raises(UnreadableFileError, match="delete this folder.*checkpoint-0000002"):
            train(recipe, clips, provider, tmp_path, TrainOptions(limits=Limits(steps=3)))
    shutil.rmtree(newest)
    train(recipe, clips, provider, tmp_path, TrainOptions(limits=Limits(steps=3)))
    assert weights(tmp_path, 3)


def test_clips_that_came_later_are_taken_up_and_the_log_says_so(clips, provider, recipe, tmp_path):
    train(recipe, clips[:2], provider, tmp_path, TrainOptions(limits=Limits(steps=2)))
    train(recipe, clips, provider, tmp_path, TrainOptions(limits=Limits(steps=4)))
    notes = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(n["resumed_at"], n["clips"]) for n in notes if "resumed_at" in n] == [(0, 2), (2, 3)]


def test_the_learning_rate_rises_stays_and_falls_whatever_the_length_before_the_end(recipe):
    changes = {"stages": (Stage(steps=1000, batch=1, frames=1, size=(16, 16)),), "warmup": 10, "cooldown": 100}
    short = recipe.model_copy(update={**changes, "learning_rate": 1.0})
    rates = [short.learning_rate_at(step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.1) and set(rates[9:901]) == {1.0} and rates[-1] == pytest.approx(0.02)
    longer = short.model_copy(update={"stages": (Stage(steps=5000, batch=1, frames=1, size=(16, 16)),)})
    assert rates[:900] == [longer.learning_rate_at(step) for step in range(900)]


def test_clips_that_are_too_small_or_absent_are_named(clips, provider, recipe, tmp_path):
    with pytest.raises(BadValueError, match=r"crop .* at most \(4, 32, 48\)"):
        train(
            recipe.model_copy(update={"stages": (Stage(steps=1, batch=1, frames=1, size=(64, 64)),)}), clips, provider, tmp_path
        )
    with pytest.raises(BadValueError, match="the number of training clips is 0"):
        train(recipe, [], provider, tmp_path)


def test_training_starts_from_the_weights_of_a_model_of_the_same_sizes(clips, provider, recipe, tmp_path):
    one = TrainOptions(limits=Limits(steps=1))
    train(recipe.model_copy(update={"seed": 5}), clips, provider, tmp_path / "first", one)
    begun = recipe.model_copy(update={"start_from": "first", "learning_rate": 1e-12, "weight_decay": 0.0})
    train(begun, clips, provider, tmp_path / "second", one, start=tmp_path / "first" / "model")
    first, second = (load_file(tmp_path / name / "model" / WEIGHTS) for name in ("first", "second"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    (tmp_path / "first" / "model").rename(tmp_path / "elsewhere")
    resumed = train(begun, clips, provider, tmp_path / "second", start=tmp_path / "first" / "model")
    assert resumed == tmp_path / "second" / "model"
    (tmp_path / "elsewhere").rename(tmp_path / "first" / "model")
    train(begun, clips, provider, tmp_path / "third", one)
    assert not torch.equal(load_file(tmp_path / "third" / "model" / WEIGHTS)["enter.weight"], first["enter.weight"])
    other = begun.model_copy(update={"model": begun.model.model_copy(update={"widths": (8, 8, 16, 24)})})
    with pytest.raises(BadValueError, match=r"sizes of the model to start from.*16, 16.*recipe's.*16, 24"):
        train(other, clips, provider, tmp_path / "fourth", one, start=tmp_path / "first" / "model")
