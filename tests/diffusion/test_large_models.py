"""What large models are asked for: numbers in their ranges, names that exist, options that the family takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim2real.diffusion import GenerateOptions, LargeModelOptions, Lora, family_of
from sim2real.diffusion.generate import check_options
from sim2real.diffusion.pipelines.asked import check_asked
from sim2real.diffusion.schedulers import short_name
from sim2real.errors import BadValueError, Sim2RealError


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"controls": {"dept": 1}}, "unknown control 'dept'; did you mean 'depth'"),
        ({"controls": {"depth": 0}}, "the weight of --control depth is 0, must be greater than 0"),
        ({"guidance": -1}, "--guidance is -1, must be from 0 to 100"),
        ({"guidance": float("nan")}, "--guidance is nan"),
        ({"strength": 1.5}, "--strength is 1.5, must be from 0 to 1"),
        ({"strength": 0}, "--strength is 0, must be greater than 0"),
        ({"dtype": "int8"}, "--dtype is 'int8', must be float32, bfloat16, float16"),
        ({"offload": "disk"}, "--offload is 'disk', must be none, model, sequential"),
        ({"offload": "model", "device_map": "balanced"}, "--offload is model, must be left out beside --device-map"),
    ],
)
def test_what_no_model_takes_is_refused(asked, message):
    with pytest.raises(Sim2RealError, match=message):
        LargeModelOptions(**asked)


@pytest.mark.parametrize(
    ("family", "asked", "message"),
    [
        ("wan", {"controls": {"depth": 1}}, "--control is depth, must be left out: wan takes no control video"),
        ("wan-vace", {"controls": {"instances": 1}}, "unknown control of wan-vace 'instances'"),
        ("wan", {"references": [Path("a.png")]}, "--reference is 1 pictures, must be left out: wan takes none"),
        ("wan-vace", {"references": [Path("a.png")] * 5}, "--reference is 5 pictures, must be at most 4"),
        ("wan-vace", {"first_frame": "rgb"}, "--first-frame is rgb, must be left out for wan-vace: it takes none"),
        ("wan-i2v", {}, "--first-frame is left out, must be given"),
        ("wan", {"strength": 0.5}, "--strength is 0.5, must be left out for wan: it does not start from a video"),
        ("wan", {"scheduler": "EulerAncestral"}, "unknown sampler of wan 'EulerAncestral'; .*UniPC, .*FlowMatchLCM"),
        ("wan", {"negative_prompt": "fog", "guidance": 1.0}, "without guidance .--guidance 1. nothing is done with it"),
    ],
)
def test_what_a_family_does_not_take_is_refused(family, asked, message):
    with pytest.raises(Sim2RealError, match=message):
        check_asked(family_of(family), GenerateOptions(model=family, large=LargeModelOptions(**asked)))


@pytest.mark.parametrize(("field", "value"), [("use", "restyle"), ("look", "loft"), ("keep", ("robot",)), ("quick", True)])
def test_options_of_the_embedded_model_are_refused_where_they_mean_nothing(field, value):
    with pytest.raises(BadValueError, match=f"--{field} is .* must be left out for wan"):
        check_asked(family_of("wan"), GenerateOptions(model="wan", **{field: value}))


def test_a_look_goes_with_a_prompt_that_is_written_from_the_scene():
    check_asked(family_of("wan"), GenerateOptions(model="wan", prompt="auto", look="loft"))


@pytest.mark.parametrize("asked", [{"guidance": 4.0}, {"offload": "model"}, {"controls": {"depth": 1.0}}, {"vae_tiling": True}])
def test_the_embedded_model_refuses_what_is_meant_for_large_ones(asked):
    with pytest.raises(BadValueError, match=r"must be left out: it belongs to large models .--model; sim2real families"):
        check_options(GenerateOptions(large=LargeModelOptions(**asked)))


@given(
    guidance=st.none() | st.floats(0, 100),
    controls=st.dictionaries(st.sampled_from(["depth", "edges", "rgb"]), st.floats(0.01, 2)),
    tiling=st.booleans(),
    loras=st.lists(st.floats(-2, 2).map(lambda scale: Lora(Path("a.safetensors"), scale)), max_size=2),
)
def test_what_was_asked_for_and_nothing_else_is_said(guidance, controls, tiling, loras):
    large = LargeModelOptions(guidance=guidance, controls=controls, vae_tiling=tiling, loras=tuple(loras))
    wanted = {"--guidance": guidance, "--control": controls or None, "--vae-tiling": tiling or None}
    wanted["--lora"] = [str(lora) for lora in loras] or None
    assert large.given() == {name: value for name, value in wanted.items() if value is not None}


def test_samplers_have_short_names():
    assert short_name("UniPCMultistepScheduler") == "UniPC"
    assert short_name("FlowMatchEulerDiscreteScheduler") == "FlowMatchEuler"
    assert short_name("CogVideoXDDIMScheduler") == "CogVideoXDDIM"
