"""Options of large models: how they are written, and where the help shows them."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sim2real.cli import main
from sim2real.cli.shared import options_of_footage
from sim2real.cli.types import LoraFile, Weights
from sim2real.diffusion import Lora, families
from sim2real.errors import BadValueError


def parsed(*arguments: str) -> dict:
    command = main.get_command(click.Context(main), "generate")
    return command.make_context("generate", ["clip", *arguments], parent=click.Context(main)).params


def test_weights_are_names_with_numbers():
    assert Weights().convert("depth=0.6, edges=0.4", None, None) == {"depth": 0.6, "edges": 0.4}
    assert Weights().convert("depth", None, None) == {"depth": 1.0}
    for wrong in ("", "=1", "depth=x", "depth=nan", "depth=1,depth=2", "depth,,edges"):
        with pytest.raises(click.BadParameter, match="for example depth=0.6,edges=0.4"):
            Weights().convert(wrong, None, None)


@pytest.mark.parametrize(
    ("text", "path", "scale"),
    [("a.safetensors", "a.safetensors", 1), ("a.safetensors:0.5", "a.safetensors", 0.5), ("c:/x/a.bin", "c:/x/a.bin", 1)],
)
def test_lora_files_may_have_a_scale(text, path, scale):
    assert LoraFile().convert(text, None, None) == (Path(path), scale)


def test_options_become_what_the_model_is_asked_for():
    asked = options_of_footage(
        parsed(
            "--control", "depth=0.6,edges=0.4", "--lora", "a.pt:0.5", "--lora", "b.pt", "--first-frame", "rgb", "--vae-tiling"
        )
    )
    assert asked.large.controls == {"depth": 0.6, "edges": 0.4}
    assert asked.large.loras == (Lora(Path("a.pt"), 0.5), Lora(Path("b.pt"), 1.0))
    assert asked.large.first_frame == "rgb" and asked.large.vae_tiling and not asked.large.compile
    assert options_of_footage(parsed()).large.given() == {}


@pytest.mark.parametrize("command", ["generate", "run"])
def test_the_help_shows_them_in_a_section_of_their_own(command):
    shown = CliRunner().invoke(main, [command, "--help"]).output
    before, found, section = shown.partition("\nLarge models:\n")
    assert found and "--control" in section and "--control" not in before.partition("\nOptions:\n")[2]
    assert "--use" in before and "--use" not in section


def test_families_are_listed_and_shown_one_by_one():
    listed = CliRunner().invoke(main, ["families"]).output
    assert all(any(line.split()[:1] == [name] for line in listed.splitlines()) for name in families())
    rows = json.loads(CliRunner().invoke(main, ["families", "--json"]).output)
    assert [row["name"] for row in rows] == list(families())
    one = CliRunner().invoke(main, ["families", "Wan-AI/Wan2.1-VACE-14B-diffusers"]).output
    assert one.startswith("name ") and "wan-vace" in one and "Apache-2.0, 46.5 GB of weights" in one


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--onto", "embedded-0", "--change", "mug"], "--onto is embedded-0, must be rgb: a new clip has no footage"),
        (
            ["--onto", "rgb", "--change", "mug", "--for", "wan", "--only", "noise"],
            "with rgb, instances, which footage is made from",
        ),
        (["--prompt", "auto", "--for", "wan", "--only", "noise"], "with rgb, instances, which footage is made from"),
    ],
)
def test_run_refuses_what_a_new_clip_would_not_have(words, says, tmp_path, monkeypatch):
    monkeypatch.setattr("sim2real.diffusion.pipelines.family.require_weights", lambda *_: None)
    command = main.get_command(click.Context(main), "run")
    with pytest.raises(BadValueError, match=says):
        command.main(["scenes/tabletop.yaml", *words, "-o", str(tmp_path / "clip")], standalone_mode=False)
