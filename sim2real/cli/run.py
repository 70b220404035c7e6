"""``sim2real run``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from . import progress
from .options import debug_option, generate_options, render_options, scene_options
from .scene_command import SceneCommand


@click.command("run", cls=SceneCommand)
@scene_options
@render_options
@generate_options
@debug_option
def command(scene: Path, output: Path, **options: Any) -> None:
    """Render a scene or rollout, then generate footage from it: the whole path in one line.

    SCENE is what `sim2real render` takes. The footage comes from the model of --for; by default that is the embedded one,
    which ships with the project and needs no GPU.

    Examples:
      sim2real run scenes/kitchen.yaml -o out/kitchen
      sim2real run scenes/kitchen.yaml --use restyle --look farmhouse --keep robot -o out/farmhouse
      sim2real run demo.hdf5 --demo demo_0 --camera agentview -o out/lift
    """
    from .shared import check_inputs_of_footage, check_scene_of_footage, generate_footage, render, say_where

    options["draws"] = max(options["draws"], check_inputs_of_footage(options))
    with progress.shown() as report:
        clip = render(scene, output, options, report, check=lambda found: check_scene_of_footage(found, options))
        clip = generate_footage(clip, options, report)
    say_where(clip)
