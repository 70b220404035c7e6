"""What pipelines would take in silence, or fail of later, is refused before; and so are weights that are not whole."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import click
import huggingface_hub
import numpy as np
import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    FlowMatchLCMScheduler,
    LCMScheduler,
    UniPCMultistepScheduler,
    WanVACEPipeline,
)

from sim2real.cli import main
from sim2real.diffusion import ClipFacts, GenerateOptions, Lora, family_of, generate
from sim2real.diffusion.checkpoints import Checkpoint
from sim2real.diffusion.controls import require_aligned
from sim2real.diffusion.pipelines import files, memory
from sim2real.diffusion.pipelines.guards import require_grid, require_lengths, require_spread, require_unit_variance
from sim2real.diffusion.pipelines.loading import forget_pipeline, loaded_pipeline
from sim2real.diffusion.schedulers import require_known, scheduler_like
from sim2real.errors import BadValueError, MissingFileError, Sim2RealError, UnreadableFileError
from tests.diffusion.families.kit import options_for
from tests.diffusion.families.tiny import tiny_families
from tests.diffusion.families.tiny.wan import save_wan, save_wide_wan

VACE = tiny_families()["wan-vace"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    yield save_wan(tmp_path_factory.mktemp("wan") / "tiny", "WanVACEPipeline")
    forget_pipeline()


@pytest.fixture
def copied(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "model")


# What a pipeline changes in silence


@pytest.mark.parametrize("shape", [(5, 3, 16, 24), (5, 3, 48, 80), (4, 3, 32, 48), (9, 3, 32, 48), (5, 1, 32, 48)])
def test_control_videos_of_another_size_or_length_are_refused(shape):
    require_aligned(np.zeros((5, 3, 32, 48)), 5, (32, 48), "depth")
    with pytest.raises(BadValueError, match=r"the control video \(depth\) is . frames .* must be 5 frames of 32x48"):
        require_aligned(np.zeros(shape), 5, (32, 48), "depth")


@pytest.mark.parametrize(
    ("frames", "size", "message"),
    [(6, (32, 48), r"number of frames is 6, must be 4 n \+ 1"), (5, (32, 40), "size is 32x40, must be multiples of 16")],
)
def test_lengths_and_sizes_that_are_rounded_are_refused(folder, frames, size, message):
    with pytest.raises(BadValueError, match=message):
        family_of(folder).check(options_for(folder, VACE), ClipFacts(frames, size))


@pytest.mark.parametrize("shape", [(5, 16, 4, 6), (2, 48, 4, 6), (2, 16, 4, 5)])
def test_noise_of_another_grid_is_refused(shape):
    with pytest.raises(BadValueError, match=r"must be \(2, 16, 4, 6\) .latents, channels, height, width."):
        require_grid(shape, (2, 16, 4, 6), "wan-vace")


@pytest.mark.parametrize("scale", [0.0, 0.5, 80.0, float("nan")])
def test_noise_that_somebody_has_scaled_is_refused(rng, scale):
    noise = rng.standard_normal((3, 16, 8, 8)).astype(np.float32)
    require_unit_variance(noise)
    noise[1] *= scale
    with pytest.raises(BadValueError, match="variance of the noise of latent 1 is .* must be 1: pipelines scale"):
        require_unit_variance(noise)


def test_footage_of_another_length_or_size_is_refused():
    with pytest.raises(BadValueError, match="4 frames of 32x48, must be 5 frames of 32x48, as the clip"):
        require_lengths(np.zeros((4, 32, 48, 3)), 5, (32, 48), "wan")


def test_a_vae_of_another_model_is_refused_before_it_is_loaded(copied, tmp_path):
    wide = save_wide_wan(tmp_path / "wide")
    shutil.rmtree(copied / "vae")
    shutil.copytree(wide / "vae", copied / "vae")
    with pytest.raises(BadValueError, match="the VAE's number of channels is 48, must be 16 for wan-vace"):
        family_of(copied).check(options_for(copied, VACE))


# Samplers


@pytest.mark.parametrize("steps", [2, 4, 8])
def test_euler_with_few_steps_is_refused_and_unipc_is_not(steps):
    with pytest.raises(BadValueError, match=f"with {steps} steps, whose sigmas are 1, .* pass --scheduler UniPC"):
        require_spread(FlowMatchEulerDiscreteScheduler(shift=3.0), steps)
    require_spread(FlowMatchEulerDiscreteScheduler(shift=3.0), 30)
    require_spread(UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0), steps)


@pytest.mark.parametrize(
    ("name", "scheduler", "reason"),
    [
        ("wan", LCMScheduler(), "not known to keep the warp"),
        ("wan", FlowMatchEulerDiscreteScheduler(stochastic_sampling=True), "stochastic_sampling adds fresh noise"),
        ("cosmos-transfer", FlowMatchLCMScheduler(), "not known to keep the warp"),
        ("cosmos-transfer", DPMSolverMultistepScheduler(algorithm_type="sde-dpmsolver++"), "not known to keep the warp"),
    ],
)
def test_samplers_of_which_it_is_not_known_what_they_draw_are_refused(name, scheduler, reason):
    with pytest.raises(BadValueError, match=f"{reason}.*pass --scheduler UniPC"):
        require_known(scheduler, family_of(name))


def test_another_sampler_keeps_the_shift_and_the_prediction():
    euler = FlowMatchEulerDiscreteScheduler(shift=5.0)
    unipc = scheduler_like(euler, "UniPCMultistepScheduler")
    assert (unipc.config.flow_shift, unipc.config.prediction_type, unipc.config.use_flow_sigmas) == (
        5.0,
        "flow_prediction",
        True,
    )
    assert scheduler_like(unipc, "FlowMatchEulerDiscreteScheduler").config.shift == 5.0
    ddim = DDIMScheduler(beta_schedule="linear", prediction_type="v_prediction")
    solver = scheduler_like(ddim, "DPMSolverMultistepScheduler")
    assert (solver.config.prediction_type, solver.config.beta_schedule) == ("v_prediction", "linear")


# Files


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("model_index.json", "the model's index not found"),
        ("text_encoder", "it lacks text_encoder, which its model_index.json names"),
        ("transformer/diffusion_pytorch_model.safetensors", "it has no weights"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused_before_it_is_loaded(copied, lost, message):
    target = copied / lost
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    with pytest.raises(Sim2RealError, match=message):
        family_of("wan-vace").check(options_for(copied, VACE))


def test_missing_shards_are_named(copied):
    listed = {"weight_map": {"a": "x-00001-of-00002.safetensors", "b": "x-00002-of-00002.safetensors"}}
    (copied / "transformer" / "x.safetensors.index.json").write_text(json.dumps(listed))
    (copied / "transformer" / "x-00001-of-00002.safetensors").write_bytes(b"")
    with pytest.raises(UnreadableFileError, match="it lacks 1 of 2 files of weights: x-00002-of-00002.safetensors"):
        family_of(copied).check(options_for(copied, VACE))


@pytest.mark.parametrize("content", [b"", b"\xff" * 40, (9).to_bytes(8, "little") + b"[1, 2, 3]"])
def test_damaged_weights_give_one_line(copied, content):
    (copied / "transformer" / "diffusion_pytorch_model.safetensors").write_bytes(content)
    with pytest.raises(UnreadableFileError, match="the weights cannot be read"):
        memory.estimate(family_of(copied), options_for(copied, VACE))


def test_weights_that_are_not_here_say_how_to_get_them(monkeypatch):
    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    family = family_of("wan-vace")
    with pytest.raises(UnreadableFileError, match="no network; offline, copy .*hf download Wan-AI/.* pass --model FOLDER"):
        family.check(GenerateOptions(model="wan-vace"))
    gated = replace(family, checkpoints=(Checkpoint("lab/secret", "Lab License", gated=True),))
    with pytest.raises(
        UnreadableFileError, match=r"accept its license .Lab License. on the model's page, then `hf auth login`"
    ):
        gated.check(GenerateOptions(model="lab/secret"))


def test_a_disk_that_is_too_small_is_refused_before_anything_is_fetched(monkeypatch):
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *_, **__: "")
    monkeypatch.setattr(files, "_in_cache", lambda checkpoint: False)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10**9, 0, 10**9))
    with pytest.raises(BadValueError, match="free disk is 1 GB, must be at least 16 GB for Wan-AI/Wan2.1-VACE-1.3B-diffusers"):
        family_of("wan-vace").check(GenerateOptions(model="wan-vace"))


# Memory, devices, dtypes


def test_the_estimate_counts_the_folders_weights(folder):
    options = options_for(folder, VACE)
    known = memory.estimate(family_of(folder), options, ClipFacts(5, (32, 48)))
    pipeline = loaded_pipeline(family_of(folder), options)
    for part in ("transformer", "vae", "text_encoder"):
        counted = sum(p.numel() for p in getattr(pipeline, part).parameters())
        assert known.weights[part] == pytest.approx(4 * counted, rel=0.05), "tied weights are stored once"
    assert known.sentence().startswith("memory, estimated: ") and known.working > 0
    half = memory.estimate(family_of(folder), options_for(folder, VACE, large={"dtype": "bfloat16"}), ClipFacts(5, (32, 48)))
    assert 2 * half.weights["transformer"] == known.weights["transformer"] and half.weights["vae"] == known.weights["vae"]


def test_weights_that_do_not_fit_are_refused_before_they_are_loaded(folder, monkeypatch):
    monkeypatch.setattr("sim2real.memory.memory_bytes", lambda: 1000)
    forget_pipeline()
    with pytest.raises(BadValueError, match="what is free of memory is 0 GB.*pass --dtype bfloat16"):
        loaded_pipeline(family_of(folder), options_for(folder, VACE))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("asked", [{"offload": "model"}, {"device_map": "balanced"}, {"dtype": "float16"}])
def test_what_needs_a_gpu_is_refused_without_one(folder, asked):
    with pytest.raises(BadValueError, match="CUDA device"):
        loaded_pipeline(family_of(folder), options_for(folder, VACE, large=asked))


def test_the_vae_stays_in_float32_and_the_noise_arrives_rounded_once(folder, make_clip):
    clip = make_clip(factor=8, channels=16, latents=[0, 4], size=(32, 48), frames=5)
    options = options_for(folder, VACE, large={"dtype": "bfloat16", "vae_tiling": True})
    pipeline = loaded_pipeline(family_of(folder), options)
    seen = []
    pipeline.transformer.register_forward_pre_hook(lambda _, a, k: seen.append(k["hidden_states"]), with_kwargs=True)
    generate(clip, options)
    noise = torch.from_numpy(np.load(clip / "front" / "noise.npy")).swapaxes(0, 1)
    assert pipeline.vae.dtype == torch.float32 and pipeline.transformer.dtype == torch.bfloat16
    assert torch.equal(seen[0][0], noise.bfloat16()), "kept in float32 by the pipeline, rounded for the transformer alone"


# LoRA files


def test_lora_files_change_the_footage_by_their_scale_and_others_are_refused(folder, make_clip, tmp_path):
    pytest.importorskip("peft")
    from safetensors.torch import save_file

    clip = make_clip(factor=8, channels=16, latents=[0, 4], size=(32, 48), frames=5)
    query = loaded_pipeline(family_of(folder), options_for(folder, VACE)).transformer.blocks[0].attn1.to_q
    rows, columns = query.weight.shape
    with torch.random.fork_rng():
        torch.manual_seed(0)
        low = {"lora_A": torch.randn(4, columns), "lora_B": 4 * torch.randn(rows, 4)}
    save_file({f"transformer.blocks.0.attn1.to_q.{k}.weight": v for k, v in low.items()}, tmp_path / "warp.safetensors")
    save_file({f"transformer.nowhere.to_q.{k}.weight": v for k, v in low.items()}, tmp_path / "other.safetensors")
    made = {}
    for scale in (None, 0.0, 1.0):
        loras = () if scale is None else (Lora(tmp_path / "warp.safetensors", scale),)
        generate(clip, options_for(folder, VACE, large={"loras": loras}))
        made[scale] = (clip / "front" / "generated" / "tiny-0" / "video.mp4").read_bytes()
    assert made[None] == made[0.0] != made[1.0]
    with pytest.raises(MissingFileError, match="the LoRA file not found"):
        loaded_pipeline(family_of(folder), options_for(folder, VACE, large={"loras": (Lora(tmp_path / "no.safetensors"),)}))
    with pytest.raises(UnreadableFileError, match="the LoRA file cannot be read"):
        loaded_pipeline(family_of(folder), options_for(folder, VACE, large={"loras": (Lora(tmp_path / "other.safetensors"),)}))


# The command


def test_several_clips_load_the_model_once_and_say_what_it_takes(folder, make_clip, tmp_path, monkeypatch, capsys):
    made = make_clip(factor=8, channels=16, latents=[0, 4], size=(32, 48), frames=5)
    clips = [shutil.copytree(made, tmp_path / name) for name in ("a", "b")]
    loads = []
    load = WanVACEPipeline.from_pretrained
    monkeypatch.setattr(WanVACEPipeline, "from_pretrained", lambda *a, **k: loads.append(a) or load(*a, **k))
    forget_pipeline()
    command = main.get_command(click.Context(main), "generate")
    asked = ["--model", str(folder), "--steps", "1", "--prompt", "kitchen", "--control", "depth=0.5,edges=0.25"]
    command.main([*map(str, clips), *asked], standalone_mode=False)
    assert len(loads) == 1 and "memory, estimated: " in capsys.readouterr().err
    for clip in clips:
        settings = json.loads((clip / "front" / "generated" / "tiny-0" / "settings.json").read_text())
        assert settings["controls"] == {"depth": 0.5, "edges": 0.25} and settings["prompt"] == "kitchen"
    shutil.rmtree(clips[1] / "front" / "edges")
    with pytest.raises(MissingFileError, match="edges .which wan-vace needs. not found"):
        command.main([*map(str, clips), *asked], standalone_mode=False)
