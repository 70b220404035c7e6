"""All figures of a clip folder: is the noise white, does the footage follow the geometry?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..clip import Clip, read_clip
from ..errors import MissingFileError
from .footage import FootageFigures, footage_figures, generated_frames

Progress = Callable[[str, int, int], None]


def evaluate(clip: Path, *, stride: int = 1, progress: Progress | None = None) -> dict[str, Any]:
    """Measure what a clip folder holds.

    Args:
        clip: the folder.
        stride: measure every so many frames.
        progress: called with (what, done, total).

    Returns:
        Per camera: ``noise`` (whiteness of single frames), ``rgb`` and ``generated`` (name -> figures), as plain numbers.

    Raises:
        MissingFileError: the folder has neither noise nor depth, instances and edges to measure against.
    """
    opened = read_clip(clip)
    found: dict[str, Any] = {}
    for index, camera in enumerate(opened.cameras):
        if progress:
            progress("evaluate cameras", index, len(opened.cameras))
        figures: dict[str, Any] = {}
        if opened.has(camera, "noise"):
            figures["noise"] = noise_figures(opened, camera, stride=stride)
        if all(opened.has(camera, kind) for kind in ("depth", "instances", "edges")):
            if opened.has(camera, "rgb"):
                figures["rgb"] = _plain(footage_figures(opened, camera, lambda k, c=camera: opened.rgb(c, k), stride=stride))
            for folder in opened.generated(camera):
                made = footage_figures(opened, camera, generated_frames(folder), stride=stride)
                figures.setdefault("generated", {})[folder.name] = _plain(made)
        if not figures:
            needed = "noise, or depth, instances and edges,"
            raise MissingFileError(opened.folder(camera), what=f"{needed} of a camera", mend="render it again without --only")
        found[camera] = figures
    if progress:
        progress("evaluate cameras", len(opened.cameras), len(opened.cameras))
    return {"clip": str(clip), "stride": stride, "cameras": found}


def noise_figures(clip: Clip, camera: str, *, stride: int = 1) -> dict[str, Any]:
    """Whiteness of every frame by itself; frames of one clip share their noise, so they are not pooled.

    Returns:
        ``worst_score``: largest absolute standard score of any figure in any frame, and ``expected_below``: what as many
        scores of independent normals would stay below 99 times in 100.
    """
    from scipy.stats import norm

    from ..noise.statistics import whiteness

    noise = clip.noise(camera)
    scores = [whiteness(np.asarray(noise[k])[None]).worst() for k in range(0, len(noise), stride)]
    figures_per_frame = 13
    limit = float(norm.isf((1 - 0.99 ** (1 / (len(scores) * figures_per_frame))) / 2))
    return {"frames": len(scores), "worst_score": round(max(scores), 2), "expected_below": round(limit, 2)}


def _plain(figures: FootageFigures) -> dict[str, Any]:
    values = asdict(figures)
    return {
        "psnr_db": {str(k): round(v, 2) for k, v in values["psnr_db"].items()},
        "warp_error": {str(k): round(v, 4) for k, v in values["warp_error"].items()},
        "edge_agreement": round(values["edge_agreement"], 3),
    }
