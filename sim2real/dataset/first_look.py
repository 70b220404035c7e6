"""Scenes, looked at before anything runs: what would fail all clips of a source, or a format when all clips are made."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ..clip.report.sheet import spread
from ..errors import BadValueError, MissingPackageError, Sim2RealError
from ..scene import Scene
from .plan import Row
from .scene_source import read_scene

MOST_SCENES = 8
"""Scenes that are looked at, spread over the plan; what is wrong with others is found out when their clips are made."""


def look_at_scenes(rows: Sequence[Row]) -> None:
    """Read some scenes of a plan, and refuse what none of their clips could be.

    A scene that cannot be read is left to its clips: they fail alone, with the reason, and others are made.

    Args:
        rows: the plan.

    Raises:
        UnknownNameError: a scene has no such camera.
        BadValueError: sources differ in what clips of a LeRobot dataset have in common.
        MissingPackageError: a scene's reader is not installed.
    """
    seen: list[tuple[Row, Scene]] = []
    scenes = list({_scene(row): row for row in reversed(rows) if not row.of_video}.values())[::-1]
    for row in (scenes[k] for k in spread(len(scenes), MOST_SCENES)):
        try:
            with tempfile.TemporaryDirectory() as folder:
                scene = read_scene(row, Path(folder) / "scene")
        except MissingPackageError:
            raise
        except Sim2RealError:
            continue
        for name in row.cameras:
            scene.camera(name)
        seen.append((row, scene))
    if rows and "lerobot" in rows[0].formats:
        _check_alike(seen)


def _scene(row: Row) -> str:
    """The same for rows whose scenes have the same cameras."""
    reading = {name: value for name, value in row.reading.items() if name not in ("demo", "light")}
    return json.dumps([row.scene, row.lerobot, row.cameras, reading], sort_keys=True)


def _check_alike(seen: Sequence[tuple[Row, Scene]]) -> None:
    """Whether one LeRobot dataset can hold clips of all these scenes."""
    facts: dict[str, Callable[[Row, Scene], Any]] = {
        "the frame rate": lambda _, scene: f"{scene.fps:g}",
        "the cameras": lambda row, scene: _listed(camera.name for camera in _cameras(row, scene)),
        "the pictures' size": lambda row, scene: _listed(f"{c.size[0]}x{c.size[1]}" for c in _cameras(row, scene)),
    }
    for row, scene in seen[1:]:
        first = seen[0]
        for what, fact in facts.items():
            here, there = fact(row, scene), fact(*first)
            if here != there:
                pair = f"{Path(first[0].scene).name} and {Path(row.scene).name}"
                fix = "say it for all sources alike (fps, cameras, size), or write lerobot in several datasets"
                right = "the same in all clips of a LeRobot dataset"
                raise BadValueError(f"{what} of {pair}", f"{there} and {here}", right=right, fix=fix)


def _cameras(row: Row, scene: Scene) -> list[Any]:
    return [scene.camera(name) for name in row.cameras] or list(scene.cameras)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))
