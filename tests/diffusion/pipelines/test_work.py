"""How long a large model takes, before it is loaded."""

from __future__ import annotations

from dataclasses import replace

import click
import pytest
import torch
from diffusers import WanTransformer3DModel
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from sim2real.cli import main
from sim2real.diffusion import ClipFacts, GenerateOptions, LargeModelOptions, families, family_of
from sim2real.diffusion.pipelines.work import Work, operations, passes_of, rate_of, work_of
from tests.diffusion.families.kit import options_for
from tests.diffusion.families.tiny import tiny_families
from tests.diffusion.families.tiny.wan import save_wan

VACE = tiny_families()["wan-vace"]


def test_operations_on_the_meta_device_are_those_of_a_real_run():
    small = {"num_attention_heads": 2, "attention_head_dim": 12, "text_dim": 16, "freq_dim": 16, "ffn_dim": 24, "num_layers": 2}
    model, counter = WanTransformer3DModel(**small), FlopCounterMode(display=False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:  # the quick attention of CPUs is not counted
        model(torch.zeros(1, 16, 2, 4, 6), torch.zeros(1), torch.zeros(1, 512, 16), return_dict=False)
    config = {"_class_name": "WanTransformer3DModel", **small}
    assert operations(config, (2, 4, 6), 16) == counter.get_total_flops() > 0


@pytest.mark.slow
def test_published_wan_vace_is_counted_as_its_matrices_say():
    """Per layer and token: self-attention with all tokens, cross-attention with 512 words, and the feed-forward layer."""
    tokens, width, feed, words, layers = 3 * 8 * 12, 1536, 8960, 512, 30 + 15
    products = 2 * tokens * (6 * width**2 + 2 * width * feed) + 2 * words * 2 * width**2
    attention = 4 * width * tokens * (tokens + words)
    family, options = families()["wan-vace"], GenerateOptions(model="wan-vace")
    found = work_of(family, options, ClipFacts(9, (128, 192)))
    assert found is not None and found.operations == pytest.approx(layers * (products + attention), rel=0.05)
    canvas = work_of(family, replace(options, canvas=(1, 2)), ClipFacts(9, (128, 192)))
    assert "for each camera (" in found.sentence(1e12, "CPU") and "for the canvas of all cameras (" in canvas.sentence(
        1e12, "CPU"
    )


@pytest.mark.parametrize(
    ("name", "asked", "steps", "passes"),
    [
        ("wan-vace", {}, None, 60),
        ("wan-vace", {"guidance": 1.0}, 4, 4),
        ("wan-v2v", {"strength": 0.5}, 10, 10),
        ("hunyuan-video", {}, None, 50),
        ("wan-vace", {"timesteps": (1000, 757, 522)}, None, 6),
        ("wan", {"invert": 0.3}, 10, 40),
        ("wan", {"invert": 0.3, "guidance": 5.0}, 10, 50),
    ],
)
def test_passes_follow_steps_timesteps_guidance_strength_and_inversion(name, asked, steps, passes):
    options = GenerateOptions(model=name, steps=steps, large=LargeModelOptions(**asked))
    assert passes_of(families()[name], options) == passes


def test_a_denoiser_that_cannot_be_counted_has_no_time():
    assert work_of(families()["cosmos3"], GenerateOptions(model="cosmos3"), ClipFacts(5, (64, 96))) is None


def test_the_rate_is_measured_once_and_the_sentence_has_it():
    (rate, device), again = rate_of("float32"), rate_of("float32")
    assert rate == again[0] > 1e8 and device in ("CPU", "GPU")
    said = Work(10**12, 60).sentence(5e11, "CPU")
    assert said.startswith("time, estimated: at least 2.0 minutes for each camera (60 passes of 1 TFLOP, at the 0.5 TFLOP/s")


@pytest.mark.slow
def test_a_dry_run_says_memory_and_time_and_writes_and_loads_nothing(tmp_path, make_clip, monkeypatch, capsys):
    folder = save_wan(tmp_path / "tiny", "WanVACEPipeline")
    clip = make_clip(factor=8, channels=16, latents=[0, 4], size=(32, 48), frames=5)
    monkeypatch.setattr(type(family_of(folder)), "load", lambda *_: pytest.fail("loaded"))
    command = main.get_command(click.Context(main), "generate")
    command.main([str(clip), "--model", str(folder), "--prompt", "kitchen", "--dry-run"], standalone_mode=False)
    shown = capsys.readouterr()
    assert shown.out == "nothing is missing; no footage was made (--dry-run)\n"
    memory, time = shown.err.splitlines()[-2:]
    assert memory.startswith("memory, estimated: ") and time.startswith("time, estimated: at least ")
    assert not (clip / "front" / "generated").exists()
    assert options_for(folder, VACE).model == folder
