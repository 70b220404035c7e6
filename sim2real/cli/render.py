"""``sim2real render``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from . import progress
from .options import debug_option, quick_option, render_options, scene_options
from .scene_command import SceneCommand


@click.command("render", cls=SceneCommand)
@scene_options
@render_options
@quick_option
@debug_option
def command(scene: Path, output: Path, **options: Any) -> None:
    """Render a scene or rollout to a clip folder: noise, conditions, labels, videos, a contact sheet and a report.

    SCENE is a scene file (.yaml), a MuJoCo model (.xml, .mjb, .mjz) with --states, a recording of robomimic, Isaac Lab,
    ManiSkill (.hdf5) or Habitat (.json), of ROS or Foxglove (.mcap, .db3, .bag, a folder of rosbag2), a robot (.urdf) with
    --joints, a USD stage (.usd, .usda, .usdc, .usdz), or a mesh or animation (.glb, .gltf, .obj, .ply, .stl). Where it has no
    camera, one circles it.

    Examples:
      sim2real render scenes/kitchen.yaml -o out/kitchen
      sim2real render model.xml --states states.npy --camera front -o out/clip
      sim2real render demo.hdf5 --demo demo_0 --camera agentview --frames 49 -o out/lift
      sim2real render mug.glb --orbit --size 480x720 -o out/mug
      sim2real render scan.ply --camera-track colmap/sparse/0 -o out/room
      sim2real render scenes/kitchen.yaml --for wan-vace --only noise,depth -o out/vace
    """
    from .shared import render, say_where

    with progress.shown() as report:
        clip = render(scene, output, options, report)
    say_where(clip)
