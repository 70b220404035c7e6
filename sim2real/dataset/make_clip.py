"""From a row of a plan to the files of a clip: read, vary, render, generate, judge, record."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from .. import kinds
from ..clip import Clip, write_pages
from ..clip.within import FINE
from ..scene import Scene
from .clips import DatasetClip
from .episodes import Episode, episode_of
from .finished import Done, write_done, write_episode
from .footage import footage_options, noise_asked
from .lerobot_source import read_lerobot
from .models import write_models
from .plan import Row
from .quality import clip_figures, label_agreement
from .randomize import randomized
from .scene_source import read_scene
from .silhouettes import write_silhouettes
from .video_clip import warped_episode
from .writers.registry import WRITERS


def make_clip(row: Row, folder: Path, device: str = "cpu", threads: int = 1) -> Done:
    """Make all files of a clip; the same bytes whoever makes it, whenever, and with however many threads.

    Args:
        row: what to make.
        folder: where; it is not there yet.
        device: ``cpu`` or ``cuda``.
        threads: cores to use.

    Raises:
        Sim2RealError: the source, the options or the disk do not allow it.
    """
    episode = episode_of_row(row)
    if row.of_video:
        scene, clip = None, warped_episode(row, folder, device, threads)
    else:
        scene = randomized(read_scene(row, folder), row.values, row.seed)
        clip = _rendered(row, scene, folder, device, threads)
    if row.generate is not None:
        _generated(row, clip, device)
        if clip.record.fine > 1:
            shutil.rmtree(folder / FINE)  # several times as large as all else, and done with
    if row.values.get("sensor"):
        _sensed(row, clip)
    if scene is not None:
        _write_shapes(row, scene, folder, device)
    facts: dict[str, Any] = {"task": row.task or episode.task}
    if row.lerobot is not None:
        source = read_lerobot(row.lerobot)
        facts |= {"names": source.names, "robot_type": source.robot_type}
    write_episode(folder, episode.arrays, facts)
    write_pages(clip)
    return write_done(folder, row, clip_figures(clip) if row.gate else {"labels": label_agreement(clip)})


def _write_shapes(row: Row, scene: Scene, folder: Path, device: str) -> None:
    """Whole silhouettes and meshes of things, where a format tells of them."""
    formats = [WRITERS[name] for name in row.formats]
    if any(one.silhouettes for one in formats):
        write_silhouettes(scene, folder, device=device)
    if any(one.models for one in formats):
        write_models(scene, folder)


def episode_of_row(row: Row) -> Episode:
    """What the row's recording carries beside pictures, for the frames of the clip."""
    options, path = dict(row.reading), row.scene
    if row.lerobot is not None:
        options, path = {**options, "episode": row.episode}, row.lerobot
    return episode_of(path, options, frames=options.get("frames"), stride=options.get("stride", 1))


def kinds_of(row: Row) -> frozenset[str]:
    """The kinds of pictures that the clip of a scene needs."""
    from ..diffusion.families import family_of

    names = frozenset(row.only) or kinds.usual_names()
    if row.generate is not None:
        names |= frozenset(family_of(row.generate.get("model")).rendered_for(footage_options(row.generate)))
    if row.values.get("sensor"):
        names |= {"rgb", "depth", "instances", "flow", "albedo", "material"}
    return names.union(*(WRITERS[name].needs for name in row.formats))


def _rendered(row: Row, scene: Scene, folder: Path, device: str, threads: int) -> Clip:
    from ..render import RenderOptions, render_clip

    said = {} if row.lerobot is None else {"lerobot": row.lerobot, "episode": row.episode}
    options = RenderOptions(
        cameras=row.cameras or None,
        seed=row.seed,
        beta=row.values.get("beta", 1.0),
        device=device,
        only=kinds_of(row),
        threads=threads,
        rgb=row.values.get("rgb", "ours"),
        rgb_samples=row.values.get("rgb_samples"),
        fine=int((row.generate or {}).get("fine", 1)),
        pages=False,
        scene_options={**row.reading, **said},
        **noise_asked(row.generate or {}),
    )
    return render_clip(scene, folder, options)


def _sensed(row: Row, clip: Clip) -> None:
    """What a sensor makes of the footage, or of the render; ideal pictures and depth stay beside it."""
    from ..sensors import sensor_of, write_sensed

    model = sensor_of(str(row.values["sensor"]))
    seen = DatasetClip(row.clip_id, clip)
    for camera in clip.cameras:
        write_sensed(clip, camera, model, row.seed, seen.ideal(camera), source=seen.ideal_source(camera))


def _generated(row: Row, clip: Clip, device: str) -> None:
    """Footage of all cameras; how long it took belongs to the ledger, not into files that must be equal."""
    from ..diffusion import generate

    generate(clip.path, footage_options(row.generate or {}, seed=row.seed, device=device))
    for camera in clip.cameras:
        for footage in clip.generated(camera):
            path = footage / "settings.json"
            settings = json.loads(path.read_text(encoding="utf-8"))
            kept = {name: value for name, value in settings.items() if not name.startswith("seconds")}
            path.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
