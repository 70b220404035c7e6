"""``sim2real run``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from . import progress
from .options import debug_option, generate_options, quick_option, render_options, scene_options
from .scene_command import SceneCommand


@click.command("run", cls=SceneCommand)
@scene_options
@render_options
@generate_options
@quick_option
@debug_option
def command(scene: Path, output: Path, dry_run: bool, **options: Any) -> None:
    """Render a scene or rollout, then generate footage from it: the whole path in one line.

    SCENE is what `sim2real render` takes. The footage comes from the model of --for; by default that is the embedded one,
    which ships with the project and needs no GPU.

    Examples:
      sim2real run scenes/kitchen.yaml -o out/kitchen
      sim2real run scenes/kitchen.yaml --use restyle --look farmhouse --keep robot -o out/farmhouse
      sim2real run demo.hdf5 --demo demo_0 --camera agentview -o out/lift
      sim2real run rig.yaml --for wan-vace --prompt auto --canvas 1x2 --dry-run -o out/rig
    """
    from . import shared

    options["draws"] = max(options["draws"], shared.check_inputs_of_footage(options))
    read, wanted = shared.asked_of_render(scene, output, options)
    facts = shared.check_scene_of_footage(read, wanted, options)
    shared.say_estimate([facts], options)
    if dry_run:
        click.echo("nothing is missing; nothing was rendered, and no footage was made (--dry-run)")
        return
    with progress.shown() as report:
        clip = shared.rendered(read, wanted, output, report)
        clip = shared.generate_footage(clip, options, report)
    shared.say_where(clip)
