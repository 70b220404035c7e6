"""What is in a recording before anybody has said what its things look like; and the mapping file that is to be filled in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from .episode_recorder import session_facts
from .log import Log, Track
from .mapping import TO_FILL_IN
from .quaternions import Found


def outline_of_log(path: Path, log: Log, episodes: list[str], order: Found, fps: float) -> dict[str, Any]:
    """A recording as plain data for people and scripts.

    Returns:
        ``source``, ``recording`` (the simulator), ``episodes``, ``episode``, ``frames``, ``fps`` (``None`` where it does not
        say), ``quaternions`` (``order``, ``why``), ``articulations`` and ``objects`` (name, ``joints``, ``first_position_m``,
        ``moves``), ``notes``, ``mapping_skeleton``: a mapping file to be filled in.
    """
    return {
        "source": str(path),
        "recording": log.simulator,
        "episodes": episodes,
        "episode": log.episode,
        "frames": log.frames,
        "fps": log.fps,
        "quaternions": {"order": order.order, "why": order.why},
        "articulations": [_facts(track) for track in log.articulations().values()],
        "objects": [_facts(track) for track in log.objects().values()],
        "notes": list(log.unread),
        "mapping_skeleton": skeleton(path, log, order, fps),
    }


def outline_of_session(path: Path, episode: str | None) -> dict[str, Any] | None:
    """A session of the episode recorder, whose stage is not there; ``None`` where it is, so that it is a scene."""
    facts, stage = session_facts(path, episode)
    return None if stage is not None else facts


def skeleton(path: Path, log: Log, order: Found, fps: float) -> str:
    """The text of a mapping file in which ``???`` stands for what only the user knows."""
    told = f"{order.order}: {order.why}" if order.order else f"wxyz or xyzw; it cannot be told here: {order.why}"
    name = "".join(c if c.isprintable() else "?" for c in path.name)
    lines = [
        f"# What {name} ({log.simulator}, {log.episode}: {log.frames} frames) looks like.",
        f"# Fill in every {TO_FILL_IN}, or write leave_out: true; then: sim2real render {name} --mapping THIS_FILE -o CLIP",
        "# Metres, z up, quaternions here (w, x, y, z); files start at this file's folder. docs/recordings.md says the rest.",
        f"simulator: {log.key}",
        f"quaternions: auto  # of the recording; {told}",
        f"fps: {fps:g}" + ("" if log.fps else "  # a guess: the recording does not say"),
        "size: [480, 640]",
    ]
    lines += _section("articulations", log.articulations(), "robot", ".urdf, .usd or .xml (MJCF)")
    lines += _section(
        "objects", log.objects(), "mesh", ".glb, .obj, .ply, .stl; or primitive: box and half_size: [0.02, 0.02, 0.02]"
    )
    eye, target = _view(log)
    lines += [
        "static:  # what does not move and was not recorded",
        "  - {name: ground, primitive: plane, half_size: [3, 3], material: {color: [0.5, 0.5, 0.5]}}",
        "cameras:  # on a link: {attached_to: robot/hand, position: [0, 0, 0.05], quaternion: [1, 0, 0, 0], convention: ros}",
        f"  - {{name: front, position: {eye}, look_at: {target}, fov_deg: 50}}",
    ]
    return "\n".join(lines) + "\n"


def _section(key: str, tracks: dict[str, Track], file: str, kinds: str) -> list[str]:
    if not tracks:
        return []
    lines = [f"{key}:"]
    for name, track in tracks.items():
        lines.append(f"  {_key(name)}:  # first at {_place(track.root[0, :3])}")
        lines.append(f"    {file}: {TO_FILL_IN}  # {kinds}")
        if track.joints is not None and track.joints.shape[1]:
            count = track.joints.shape[1]
            lines.append(f"    # joints: [...]  # names of its {count} joints in the recording's order, where its links branch")
    return lines


def _key(name: str) -> str:
    """A name as YAML reads it as that name."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", name) and yaml.safe_load(name) == name
    return name if plain else yaml.safe_dump(name, default_style='"', width=10**6).strip()


def _facts(track: Track) -> dict[str, Any]:
    return {
        "name": track.name,
        "joints": None if track.joints is None else int(track.joints.shape[1]),
        "first_position_m": np.round(track.root[0, :3], 6).tolist(),
        "moves": bool((np.abs(track.root - track.root[0]) > 1e-4).any()),
    }


def _place(position: np.ndarray) -> str:
    return "(" + ", ".join(f"{value:.3f}" for value in position) + ")"


def _view(log: Log) -> tuple[list[float], list[float]]:
    """A place from which all things are seen, and the middle of them."""
    places = np.concatenate([track.root[:, :3] for track in log.tracks])
    low, high = places.min(axis=0), places.max(axis=0)
    reach = max(float(np.linalg.norm(high - low)), 0.8)
    middle = (low + high) / 2
    eye = middle + reach * np.array([1.2, -0.9, 0.8])
    return np.round(eye, 2).tolist(), np.round(middle, 2).tolist()
