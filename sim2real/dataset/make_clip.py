"""From a row of a plan to the files of a clip: read, vary, render, generate, judge, record."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..clip import Clip, write_report, write_sheet
from ..errors import BadValueError
from ..scene import Scene
from .finished import Done, write_done
from .models import write_models
from .plan import Row
from .quality import clip_figures, label_agreement
from .silhouettes import write_silhouettes
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
    scene = _scene(row)
    clip = _rendered(row, scene, folder, device, threads)
    if row.generate is not None:
        _generated(row, clip, device)
    formats = [WRITERS[name] for name in row.formats]
    if any(one.silhouettes for one in formats):
        write_silhouettes(scene, folder, device=device)
    if any(one.models for one in formats):
        write_models(scene, folder)
    write_sheet(clip)
    write_report(clip)
    return write_done(folder, row, clip_figures(clip) if row.gate else {"labels": label_agreement(clip)})


def _scene(row: Row) -> Scene:
    """The row's scene; the last ones are kept, because rows of one source follow each other."""
    if hashlib.sha256(Path(row.scene).read_bytes()).hexdigest() != row.sha256:
        fix = "plan anew with: sim2real dataset CONFIG -o DIR"
        raise BadValueError("the scene", "another one than was planned", right="unchanged", fix=fix, where=row.scene)
    return _read(row.scene, json.dumps(dict(row.reading), sort_keys=True))


@functools.lru_cache(maxsize=2)
def _read(path: str, reading: str) -> Scene:
    from ..scene import load

    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(reading).items()
    }
    return load(path, **given)


def kinds_of(row: Row) -> frozenset[str]:
    """The kinds of pictures that a clip needs."""
    from ..diffusion.families import family_of
    from ..render import DEFAULT_KINDS

    kinds = frozenset(row.only) or DEFAULT_KINDS
    if row.generate is not None:
        kinds |= frozenset(family_of(row.generate.get("model")).needs)
    return kinds.union(*(WRITERS[name].needs for name in row.formats))


def _rendered(row: Row, scene: Scene, folder: Path, device: str, threads: int) -> Clip:
    from ..diffusion.families import layout_for
    from ..render import render_clip

    model = (row.generate or {}).get("model") or "embedded"
    return render_clip(
        scene,
        folder,
        cameras=row.cameras or None,
        layout=layout_for(model),
        seed=row.seed,
        beta=row.values.get("beta", 1.0),
        device=device,
        only=kinds_of(row),
        threads=threads,
        scene_options=row.reading,
    )


def _generated(row: Row, clip: Clip, device: str) -> None:
    """Footage of all cameras; how long it took belongs to the ledger, not into files that must be equal."""
    from ..diffusion import generate

    options: Mapping[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in (row.generate or {}).items()}
    generate(clip.path, seed=row.seed, device=device, **options)
    for camera in clip.cameras:
        for footage in clip.generated(camera):
            path = footage / "settings.json"
            settings = json.loads(path.read_text(encoding="utf-8"))
            kept = {name: value for name, value in settings.items() if not name.startswith("seconds")}
            path.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
