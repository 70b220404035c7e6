"""``sim2real inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import debug_option, scene_options
from .scene_command import SceneCommand


@click.command("inspect", cls=SceneCommand)
@scene_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--mapping-skeleton",
    "skeleton",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the mapping file that a recording of Isaac Lab or ManiSkill needs, to be filled in.",
)
@debug_option
def command(scene: Path, as_json: bool, skeleton: Path | None, **options: Any) -> None:
    """Say what a scene or rollout contains: meshes, triangles, instances, cameras, frames, and what could not be read.

    Examples:
      sim2real inspect scenes/kitchen.yaml
      sim2real inspect model.xml --states states.npy
      sim2real inspect demo.hdf5 --mapping-skeleton mapping.yaml
      sim2real inspect mug.glb --json
    """
    from ..scene.describe import describe
    from .json_text import json_text
    from .outline import outlined, readable_outline, write_skeleton
    from .shared import load_scene

    outline = outlined(scene, options)
    if skeleton is not None:
        write_skeleton(outline, skeleton, scene)
    if outline is not None:
        click.echo(json_text(outline) if as_json else "\n".join(readable_outline(outline, written=skeleton)))
        return
    facts = describe(load_scene(scene, options, show_notes=False))
    click.echo(json_text(facts) if as_json else "\n".join(readable(facts)))


def readable(facts: dict[str, Any]) -> list[str]:
    """The facts of ``describe`` as a person reads them."""
    lines = [
        facts["source"],
        f"  frames     {facts['frames']} at {facts['fps']:g} fps, {facts['seconds']:.2f} s",
        f"  triangles  {facts['triangles']:,} in {facts['meshes']} meshes, {facts['triangles_with_uv']:,} with UVs",
        f"  textures   {facts['textures']}",
        f"  light      {_light(facts['light'])}",
    ]
    if facts["bounds_m"] is not None:
        low, high = (" ".join(f"{v:.2f}" for v in corner) for corner in facts["bounds_m"])
        lines.append(f"  bounds     ({low}) to ({high}) m")
    names = [thing["name"] for thing in (*facts["cameras"], *facts["instances"])]
    wide = max(map(len, [*names, "name"]))
    return [*lines, *_cameras(facts, wide), *_instances(facts, wide), *_notes(facts)]


def _light(light: dict[str, Any]) -> str:
    words = [f"{count} {kind} lamp{'' if count == 1 else 's'}" for kind, count in light["lamps"].items()]
    words += [word for word in ("headlight", "skybox", "haze") if light[word]]
    words += [f"panorama {light['panorama']}"] if light["panorama"] else []
    return ", ".join(words) or "sun and sky"


def _cameras(facts: dict[str, Any], wide: int) -> list[str]:
    lines = ["", f"cameras ({len(facts['cameras'])})"]
    for camera in facts["cameras"]:
        height, width = camera["size"]
        motion = "moves" if camera["moves"] else "fixed"
        high = f"{camera['fov_deg']:5.1f}° high" if "fov_deg" in camera else f"{camera['height_m']:4.3g} m high"
        lens = "" if camera["projection"] == "perspective" else f", {camera['projection']}"
        lens += ", distorted" if any(camera["distortion"] or ()) else ""
        lines.append(f"  {camera['name']:<{wide}}  {f'{height}x{width}':>9}  {high}  {motion}{lens}")
    return lines


def _instances(facts: dict[str, Any], wide: int) -> list[str]:
    lines = ["", f"instances ({len(facts['instances'])})"]
    motions = [_motion(instance, facts["frames"]) for instance in facts["instances"]]
    broad = max(map(len, [*motions, "deforms"]))
    if motions:
        lines.append(f"  {'name':<{wide}}     id  triangles  {'motion':<{broad}}  class")
    for instance, motion in zip(facts["instances"], motions, strict=True):
        row = f"{instance['id']:>5}  {instance['triangles']:>9,}  {motion:<{broad}}  {instance['class']}"
        lines.append(f"  {instance['name']:<{wide}}  {row}")
    return lines


def _motion(instance: dict[str, Any], frames: int) -> str:
    motion = "deforms" if instance["deforms"] else "moves" if instance["moves"] else "still"
    seen = instance["visible_frames"]
    return motion if seen == frames else f"{motion}, in {seen} of {frames} frames"


def _notes(facts: dict[str, Any]) -> list[str]:
    return ["", "notes", *(f"  - {note}" for note in facts["notes"])] if facts["notes"] else []
