import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from sim2real.diffusion.families.embedded.folder import Info, embedded_folder, load_model, model_folder, save_model
from sim2real.errors import MissingFileError, UnreadableFileError

from ....mutations import bounded


def test_a_model_comes_back_in_half_precision(denoiser, tmp_path):
    save_model(tmp_path, denoiser, Info(steps=1, training={"clips": 3}))
    read, info = load_model(tmp_path)
    assert info == Info(steps=1, training={"clips": 3})
    assert not read.training and not any(value.requires_grad for value in read.parameters())
    for name, value in denoiser.state_dict().items():
        assert torch.equal(read.state_dict()[name], value.half().float()), name


def test_a_model_of_the_old_kind_says_what_to_do(tmp_path):
    (tmp_path / "sim2real.json").write_text(json.dumps({"spec": {"width": 256}, "window": [8, 64, 64], "steps": 4}))
    with pytest.raises(UnreadableFileError, match=r"older version.*sim2real train RECIPE"):
        load_model(tmp_path)


def test_folders_that_are_empty_damaged_or_of_other_conditions_are_named(denoiser, tmp_path):
    with pytest.raises(MissingFileError, match="model not found"):
        load_model(tmp_path)
    save_model(tmp_path / "other", denoiser, Info(channels=("red",)))
    with pytest.raises(UnreadableFileError, match="trained on the conditions red, must be red, green"):
        load_model(tmp_path / "other")
    save_model(tmp_path / "cut", denoiser, Info())
    weights = tmp_path / "cut" / "denoiser" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])
    with pytest.raises(UnreadableFileError, match="the model cannot be read"):
        load_model(tmp_path / "cut")


@pytest.mark.parametrize("change", ["absent", "other", "more"])
def test_weights_that_do_not_fit_are_named(denoiser, tmp_path, change):
    save_model(tmp_path, denoiser, Info())
    file = tmp_path / "denoiser" / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    name = {"absent": "enter.bias", "other": "finish.weight", "more": "zeroth"}[change]
    kept = {key: value for key, value in weights.items() if key != name}
    save_file(kept if change == "absent" else kept | {name: torch.zeros(3)}, file)
    with pytest.raises(UnreadableFileError, match=f"weights do not fit its sizes: {name}"):
        load_model(tmp_path)


def test_reading_a_model_draws_nothing_at_random(denoiser, tmp_path):
    save_model(tmp_path, denoiser, Info())
    before = torch.get_rng_state()
    load_model(tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("sizes", [{"widths": [2**20, 8, 16, 16]}, {"embedding": 2**40}, {"widths": "8"}, {"embedding": -1}])
def test_sizes_that_no_memory_holds_are_refused_before_anything_is_made(denoiser, tmp_path, sizes):
    save_model(tmp_path, denoiser, Info())
    path = tmp_path / "denoiser" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **sizes}))
    with bounded(), pytest.raises(UnreadableFileError, match="the model cannot be read"):
        load_model(tmp_path)


def test_a_models_path_starts_from_where_it_is_written_and_embedded_is_the_one_that_ships(tmp_path):
    assert model_folder("runs/first", beside=tmp_path) == tmp_path / "runs" / "first"
    assert model_folder(tmp_path / "first", beside=tmp_path / "elsewhere") == tmp_path / "first"
    assert model_folder("first") == Path("first")
    assert model_folder("embedded", beside=tmp_path) == model_folder(None) == embedded_folder()
