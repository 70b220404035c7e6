"""What ``bake`` does: read the scene, bake its noise, say where things are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .rendering import load_scene

if TYPE_CHECKING:
    from ..render import Baked
    from .progress import Progress


def bake(source: Path, output: Path, reading: dict[str, Any], settings: dict[str, Any], progress: Progress) -> Baked:
    """Bake a scene file's noise with the options of ``scene_options`` and those of ``bake_scene``."""
    from ..clip import check_output

    check_output(output, overwrite=settings["overwrite"])
    scene = load_scene(source, reading)
    from ..render import bake_scene

    return bake_scene(scene, output, progress=progress, **settings)


def say_what(baked: Baked, output: Path) -> None:
    """Print what was written, the scene first."""
    sides = sorted({2**texture.level for texture in baked.textures})
    span = f"{sides[0]}x{sides[0]}" + (f" to {sides[-1]}x{sides[-1]}" if len(sides) > 1 else "")
    megabytes = sum((output / texture.file).stat().st_size for texture in baked.textures) / 1e6
    rows = [
        ("scene", str(output / "scene.glb")),
        ("textures", f"{len(baked.textures)} of {span}, {baked.channels} channels, {megabytes:.1f} MB"),
        ("record", str(output / "bake.json")),
    ]
    for name, value in rows:
        click.echo(f"{name:<8}  {value}")
