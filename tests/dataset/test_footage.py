"""What a config asks of large models: checked before anything runs, and handed to the model as the command would."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import click
import pytest
from click.testing import CliRunner
from PIL import Image

from sim2real.cli import main
from sim2real.cli.shared import options_of_footage
from sim2real.clip import read_clip
from sim2real.clip.footage import footage_settings
from sim2real.clip.within import FINE, finer
from sim2real.dataset.config import read_config
from sim2real.dataset.estimate import kind_of
from sim2real.dataset.footage import Generate, footage_options
from sim2real.dataset.make_clip import make_clip
from sim2real.dataset.plan import make_plan
from sim2real.diffusion import GenerateOptions, LargeModelOptions
from sim2real.errors import BadKeyError, Sim2RealError
from tests.diffusion.families.tiny.wan import save_wan

SCENE = """
frames: 5
objects:
  - {name: floor, primitive: plane, half_size: [1, 1]}
  - {name: cup, primitive: box, half_size: [0.15, 0.1, 0.2], position: [0, 0, 0.2], material: {color: [0.8, 0.1, 0.1]}}
cameras:
  - {name: front, position: [1.2, 0.4, 0.7], look_at: [0, 0, 0.1]}
"""


def planned(folder, more=None, **generate):
    (folder / "scene.yaml").write_text(SCENE)
    config = {"sources": [{"scene": "scene.yaml"}], "frames": 5, "size": [32, 48], "generate": generate, **(more or {})}
    (folder / "config.yaml").write_text(json.dumps(config))
    return make_plan(read_config(folder / "config.yaml"), folder)


def test_a_trial_is_made_for_every_model_and_renderer(tmp_path):
    rows = planned(tmp_path, {"variations": {"grid": {"rgb": ["ours", "mitsuba"], "seed": [1, 2], "use": ["keep", "restyle"]}}})
    assert len(rows) == 8 and len({kind_of(row) for row in rows}) == 4
    other = replace(rows[0], generate={**rows[0].generate, "model": "wan"})
    assert kind_of(other) not in {kind_of(row) for row in rows}


def test_every_option_of_large_models_can_be_asked_for(tmp_path):
    taken = (
        set(LargeModelOptions.__dataclass_fields__) - {"invert", "source_prompt"}  # these need footage that is there
        | {"model", "use", "look", "keep", "wear", "camera_effects", "prompt", "steps"}
        | {"canvas", "fine"}
    )
    names = {"controls": "control", "loras": "lora", "references": "reference"}
    assert {names.get(name, name) for name in taken} == set(Generate.model_fields)


def test_options_are_those_that_the_command_makes_of_the_same_words(tmp_path):
    said = {
        "model": "wan-vace",
        "prompt": "auto",
        "negative_prompt": "blur",
        "control": {"depth": 0.6, "edges": 0.4},
        "guidance": 3.5,
        "scheduler": "UniPC",
        "lora": ["a.safetensors:0.5", "b.safetensors"],
        "reference": "mug.png",
        "first_frame": "rgb",
        "window": 49,
        "overlap": 9,
        "seams": "continued",
        "dtype": "bfloat16",
        "offload": "model",
        "vae_tiling": True,
        "steps": 7,
        "canvas": [1, 2],
        "wear": 0.5,
    }
    words = ["generate", "clip", "--model", "wan-vace", "--prompt", "auto", "--negative-prompt", "blur", "--guidance", "3.5"]
    words += ["--control", "depth=0.6,edges=0.4", "--scheduler", "UniPC", "--first-frame", "rgb", "--window", "49"]
    words += ["--lora", f"{tmp_path}/a.safetensors:0.5", "--lora", f"{tmp_path}/b.safetensors", "--steps", "7"]
    words += ["--reference", f"{tmp_path}/mug.png", "--overlap", "9", "--seams", "continued", "--dtype", "bfloat16"]
    words += ["--offload", "model", "--vae-tiling", "--canvas", "1x2", "--wear", "0.5"]
    command = main.get_command(click.Context(main), "generate")
    context = command.make_context("generate", words[1:])
    asked = Generate.model_validate(said).asked(tmp_path)
    assert footage_options(json.loads(json.dumps(asked))) == options_of_footage(context.params)
    assert footage_options(Generate().asked(tmp_path)) == GenerateOptions()


@pytest.mark.parametrize(
    ("generate", "says"),
    [
        ("guidance: 101", "generate: --guidance is 101.0, must be from 0 to 100"),
        ("control: {dept: 1}", "unknown control 'dept'; did you mean 'depth'"),
        ("control: {depth: 3}", "the weight of --control depth is 3.0, must be greater than 0, at most 2"),
        ("seams: sewn", "must be one of: matched, blended, continued"),
        ("window: 0", "--window is 0, must be at least 1"),
        ("negative_promt: x", "unknown key; did you mean 'negative_prompt'"),
        ("camera_effects: drone", "drone"),
        ("fine: 5", "less than or equal to 4"),
        ("{device_map: balanced, offload: model}", "--offload is model, must be left out beside --device-map"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(generate, says, tmp_path):
    asked = generate if generate.startswith("{") else f"{{{generate}}}"
    (tmp_path / "config.yaml").write_text(f"sources: [{{scene: a}}]\ngenerate: {asked}\n")
    with pytest.raises(BadKeyError) as caught:
        read_config(tmp_path / "config.yaml")
    assert says in str(caught.value) and "line 2" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.slow
def test_what_the_model_does_not_take_is_said_while_planning(tmp_path):
    model = save_wan(tmp_path / "tiny", "WanVACEPipeline")
    for generate, says in (
        ({"guidance": 3}, r"--guidance is 3.0, must be left out: it belongs to large models"),
        ({"model": "tiny", "first_frame": "rgb"}, "--first-frame is rgb, must be left out for wan-vace"),
        ({"model": "tiny", "window": 4}, "--window is 4, must be 4 n . 1"),
        ({"model": "tiny", "fine": 2}, "--fine is 2, must be left out: it serves embedded"),
        ({"model": "wan-vice"}, "did you mean 'wan-vace'"),
        ({"model": "tiny", "scheduler": "SDE-DPMSolver", "timesteps": [1000, 500]}, "must be left out for SDE-DPMSolver"),
        ({"model": "tiny", "canvas": [1, 1], "more": {"cameras": ["front", "side"]}}, "as the clip has cameras .2."),
    ):
        with pytest.raises(Sim2RealError, match=says):
            planned(tmp_path, **generate)
    (row,) = planned(tmp_path, model="tiny", control=["depth", "edges"])
    assert row.generate == {"model": str(model), "use": "keep", "control": {"depth": 1.0, "edges": 1.0}}
    (knob,) = planned(tmp_path, {"variations": {"grid": {"model": ["tiny"]}}})
    assert knob.generate["model"] == str(model)
    moved = tmp_path / "elsewhere"
    shutil.copytree(model, moved / "tiny")
    assert planned(moved, model="tiny", control=["depth", "edges"])[0].clip_id == row.clip_id
    assert planned(moved, model="tiny", control=["depth"])[0].clip_id != row.clip_id


@pytest.mark.slow
def test_footage_is_made_from_finer_pictures_which_are_not_kept(tmp_path):
    config = {"use": "restyle", "camera_effects": "none", "fine": 2}
    planned(tmp_path, **config, more={"frames": 2, "size": [48, 64], "gate": {"driven": 0.1}})
    result = CliRunner().invoke(main, ["dataset", str(tmp_path / "config.yaml"), "-o", str(tmp_path / "out"), "--workers", "1"])
    assert result.exit_code == 0 and "1 ok" in result.output, result.output
    (folder,) = (tmp_path / "out" / "clips").iterdir()
    clip = read_clip(folder)
    footage = clip.generated("front")[0]
    assert footage_settings(footage)["fine"] == 2
    with Image.open(footage / "frames" / "000000.png") as picture:
        assert picture.size == (64, 48)
    assert finer(clip) == (clip, 1) and not (folder / FINE).exists()
    assert CliRunner().invoke(main, ["dataset", "check", str(tmp_path / "out")]).exit_code == 0


@pytest.mark.slow
def test_a_camera_that_is_called_as_the_folder_of_finer_pictures_is_kept(tmp_path):
    planned(tmp_path, {"frames": 1, "size": [24, 32]}, camera_effects="none")
    (tmp_path / "scene.yaml").write_text(SCENE.replace("name: front", f"name: {FINE}"))
    (row,) = make_plan(read_config(tmp_path / "config.yaml"), tmp_path)
    make_clip(row, tmp_path / "clip")
    assert read_clip(tmp_path / "clip").generated(FINE)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_dataset_is_made_with_options_of_a_large_model(tmp_path):
    save_wan(tmp_path / "tiny", "WanVACEPipeline")
    large = {"control": {"edges": 0.5, "depth": 0.25}, "keep": "cup", "guidance": 2.0, "negative_prompt": "blur", "steps": 2}
    planned(tmp_path, model="tiny", prompt="auto", scheduler="FlowMatchLCM", **large)
    result = CliRunner().invoke(main, ["dataset", str(tmp_path / "config.yaml"), "-o", str(tmp_path / "out"), "--workers", "1"])
    assert result.exit_code == 0, result.output
    (folder,) = (tmp_path / "out" / "clips").iterdir()
    clip = read_clip(folder)
    settings = footage_settings(clip.generated("front")[0])
    assert settings["controls"] == {"edges": 0.5, "depth": 0.25} and settings["guidance"] == 2.0 and settings["steps"] == 2
    assert settings["negative_prompt"] == "blur" and settings["keep"] == ["cup"] and "cup" in settings["prompt"]
    assert settings["scheduler"] == "FlowMatchLCMScheduler"
    assert clip.record.noise is not None and clip.record.noise.draws == 1, "the sampler adds noise once"
