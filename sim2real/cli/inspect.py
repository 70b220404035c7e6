"""``sim2real inspect``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .main import Command
from .options import debug_option, scene_options

if TYPE_CHECKING:
    from ..scene import Scene


@click.command("inspect", cls=Command)
@scene_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@debug_option
def command(scene: Path, as_json: bool, **options: Any) -> None:
    """Say what a scene or rollout contains: meshes, triangles, instances, cameras, frames, and what could not be read.

    Examples:
      sim2real inspect scenes/kitchen.yaml
      sim2real inspect model.xml --states states.npy
      sim2real inspect mug.glb --json
    """
    from .rendering import load_scene

    read = load_scene(scene, options, show_notes=False)
    facts = facts_of(read)
    click.echo(json.dumps(facts, indent=2, ensure_ascii=False) if as_json else "\n".join(_lines(facts)))


def facts_of(scene: Scene) -> dict[str, Any]:
    """What there is to say about a scene, as JSON can hold it."""
    import numpy as np

    moving = np.ptp(scene.world_from_instance, axis=0).max(axis=(1, 2)) > 1e-6 if scene.instances else np.zeros(0, bool)
    instances = []
    for place, instance in enumerate(scene.instances):
        meshes = [scene.meshes[p.mesh] for p in scene.parts if p.instance == place]
        instances.append(
            {
                "id": place + 1,
                "name": instance.name,
                "class": instance.class_name,
                "parts": len(meshes),
                "triangles": sum(len(m.faces) for m in meshes),
                "moves": bool(moving[place]),
            }
        )
    cameras = [
        {
            "name": c.name,
            "size": list(c.size),
            "K": c.intrinsics[0].round(4).tolist(),
            "moves": bool(np.ptp(c.world_from_camera, axis=0).max() > 1e-6),
            "near_m": c.near,
        }
        for c in scene.cameras
    ]
    return {
        "scene": str(scene.source),
        "sha256": scene.sha256,
        "frames": scene.frames,
        "fps": scene.fps,
        "meshes": len(scene.meshes),
        "meshes_with_uv": sum(m.uv is not None for m in scene.meshes),
        "meshes_with_texture": sum(m.material.texture is not None for m in scene.meshes),
        "deforming_meshes": sum(m.deformed is not None for m in scene.meshes),
        "parts": len(scene.parts),
        "triangles": sum(len(scene.meshes[p.mesh].faces) for p in scene.parts),
        "cameras": cameras,
        "instances": instances,
        "notes": list(scene.notes),
    }


def _lines(facts: dict[str, Any]) -> list[str]:
    """The facts as a person reads them."""
    lines = [
        f"{facts['scene']}",
        f"  frames     {facts['frames']} at {facts['fps']:g} fps",
        f"  triangles  {facts['triangles']:,} in {facts['parts']} parts",
        f"  meshes     {facts['meshes']}: {facts['meshes_with_uv']} with UVs, {facts['meshes_with_texture']} with a texture, "
        f"{facts['deforming_meshes']} deforming",
        "",
        f"cameras ({len(facts['cameras'])})",
    ]
    wide = max([len(c["name"]) for c in facts["cameras"]] + [len(i["name"]) for i in facts["instances"]] + [4])
    for c in facts["cameras"]:
        k = c["K"]
        size = f"{c['size'][0]}x{c['size'][1]}"
        motion = "moves" if c["moves"] else "fixed"
        lines.append(
            f"  {c['name']:<{wide}}  {size:>9}  {motion}  f {k[0][0]:.1f} {k[1][1]:.1f}  c {k[0][2]:.1f} {k[1][2]:.1f} px"
        )
    lines += ["", f"instances ({len(facts['instances'])})", f"  {'':<{wide}}     id  {'triangles':>9}  parts         class"]
    for i in facts["instances"]:
        motion = "moves" if i["moves"] else "still"
        lines.append(f"  {i['name']:<{wide}}  {i['id']:>5}  {i['triangles']:>9,}  {i['parts']:>5}  {motion}  {i['class']}")
    if facts["notes"]:
        lines += ["", "notes", *(f"  - {note}" for note in facts["notes"])]
    return lines
