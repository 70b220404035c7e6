"""What ``sim2real inspect`` says of recordings that are no scene yet: those that need a mapping file, or their stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import BadValueError, UnwritableOutputError
from .scene_command import own_names


def outlined(scene: Path, options: dict[str, Any]) -> dict[str, Any] | None:
    """What a file holds that is no scene yet; ``None`` where it is one."""
    from ..scene.readers.registry import outline

    own = {name: options[name] for name in own_names(scene) if options.get(name) is not None}
    return outline(scene, own)


def write_skeleton(outline: dict[str, Any] | None, target: Path, scene: Path) -> None:
    """Write a mapping file that is to be filled in.

    Raises:
        BadValueError: the scene needs none.
        UnwritableOutputError: there is such a file, or it cannot be written.
    """
    from ..clip import readable_write_errors

    text = None if outline is None else outline.get("mapping_skeleton")
    if text is None:
        right = "left out: only recordings of Isaac Lab and ManiSkill without --mapping need a mapping file"
        raise BadValueError("--mapping-skeleton", target, right=right, where=scene)
    if target.exists():
        raise UnwritableOutputError(target, why="the file exists", fix="choose another name for --mapping-skeleton")
    with readable_write_errors(target):
        target.write_text(text, encoding="utf-8")


def readable_outline(facts: dict[str, Any], *, written: Path | None = None) -> list[str]:
    """The facts of an outline as a person reads them, and what to do next."""
    fps = "rate not recorded" if facts.get("fps") is None else f"{facts['fps']:g} fps"
    more = ", …" if len(facts["episodes"]) > 8 else ""
    lines = [
        facts["source"],
        f"  recording  {facts['recording']}",
        f"  episodes   {len(facts['episodes'])}: {', '.join(facts['episodes'][:8])}{more}",
        f"  {facts['episode']}: {facts['frames']} frames, {fps}",
    ]
    if "quaternions" in facts:
        order = facts["quaternions"]["order"] or "unknown order"
        lines.append(f"  quaternions {order}: {facts['quaternions']['why']}")
    for kind in ("articulations", "objects"):
        lines += _things(kind, facts.get(kind, []))
    for kind in ("prims", "cameras"):
        lines += ["", f"{kind} ({len(facts[kind])})", *(f"  {name}" for name in facts[kind][:40])] if facts.get(kind) else []
    lines += ["", "notes", *(f"  - {note}" for note in facts["notes"])] if facts["notes"] else []
    if written is not None:
        lines += ["", f"mapping file to be filled in: {written}"]
    elif "mapping_skeleton" in facts:
        lines += ["", "mapping file to be filled in (--mapping-skeleton FILE writes it):", ""]
        lines += [f"  {line}" for line in facts["mapping_skeleton"].splitlines()]
    return lines


def _things(kind: str, things: list[dict[str, Any]]) -> list[str]:
    if not things:
        return []
    wide = max(len(thing["name"]) for thing in things)
    lines = ["", f"{kind} ({len(things)})"]
    for thing in things:
        joints = "" if thing["joints"] is None else f"  {thing['joints']} joints"
        place = " ".join(f"{value:.3f}" for value in thing["first_position_m"])
        lines.append(f"  {thing['name']:<{wide}}{joints}  {'moves' if thing['moves'] else 'still'}  first at ({place})")
    return lines
