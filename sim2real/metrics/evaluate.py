"""All figures of a clip folder: is the noise white, does footage follow geometry and labels, does it look like photographs?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..clip import Clip, read_clip
from ..clip.footage import FrameOf, generated_frames
from ..errors import MissingFileError
from .footage import FootageFigures, all_footage_figures
from .labels import BorderCounts, border_counts, color_errors
from .pictures import EdgeCounts, blur_ssim, edge_counts

if TYPE_CHECKING:
    from .perceptual import FeatureNetwork
    from .photographs import Appearance

Progress = Callable[[str, int, int], None]

MOST = 12
"""Frames per footage for figures of single pictures: neighbors look alike."""


def evaluate(
    clip: Path,
    *,
    stride: int = 1,
    photographs: Path | None = None,
    diversity: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure what a clip folder holds.

    Args:
        clip: the folder.
        stride: measure every so many frames.
        photographs: a folder of photographs to compare all footage with.
        diversity: compare the footage of several seeds.
        progress: called with (what, done, total).

    Returns:
        Per camera: ``noise`` (whiteness of single frames), ``rgb`` and ``generated`` (name -> figures), as plain numbers, and
        ``diversity_score_lpips`` by model, if asked for. Figures that PAI-Bench-C has bear its names.

    Raises:
        MissingFileError: the folder has neither noise nor depth, instances and edges to measure against.
        UnfetchedPackageError: photographs or diversity are asked for, and the network's weights cannot be had.
    """
    opened = read_clip(clip)
    watched = _Watched(photographs, diversity)
    found: dict[str, Any] = {}
    for index, camera in enumerate(opened.cameras):
        if progress:
            progress("evaluate cameras", index, len(opened.cameras))
        figures: dict[str, Any] = {}
        if opened.has(camera, "noise"):
            figures["noise"] = noise_figures(opened, camera, stride=stride)
        if all(opened.has(camera, kind) for kind in ("depth", "instances", "edges")):
            figures |= _camera_figures(opened, camera, stride, watched)
        if not figures:
            needed = "noise, or depth, instances and edges,"
            raise MissingFileError(opened.folder(camera), what=f"{needed} of a camera", fix="render it again without --only")
        found[camera] = figures
    if progress:
        progress("evaluate cameras", len(opened.cameras), len(opened.cameras))
    return {"clip": str(clip), "stride": stride, "cameras": found}


class _Watched:
    """What only a network sees: how near to photographs footage is, and how unlike each other several seeds are."""

    def __init__(self, folder: Path | None, diversity: bool) -> None:
        self.diversity = diversity
        self._network: FeatureNetwork | None = None
        self._files: list[Path] = []
        self._photographs: dict[tuple[int, int], list[Appearance]] = {}
        if folder is not None:
            from .photographs import photograph_files

            self._files = photograph_files(folder)
        if folder is not None or diversity:
            from .perceptual import Vgg16

            self._network = Vgg16()

    def nearness(self, frames: FrameOf, numbers: range) -> dict[str, float]:
        """Distances of footage to the photographs at its size."""
        if not self._files or self._network is None:
            return {}
        from .photographs import appearance, distances, photograph

        pictures = [frames(k) for k in numbers]
        height, width = pictures[0].shape[:2]
        if (height, width) not in self._photographs:
            shown = (photograph(file, (height, width)) for file in self._files)
            self._photographs[height, width] = [appearance(picture, self._network) for picture in shown]
        found = distances((appearance(picture, self._network) for picture in pictures), self._photographs[height, width])
        return {"scene_statistics": round(found.statistics, 2), "vgg_frechet": round(found.vgg, 1)}

    def unlikeness(self, footage: dict[str, FrameOf], numbers: range) -> dict[str, dict[str, float]]:
        """Mean LPIPS between seeds, by model, where there are several."""
        if not self.diversity or self._network is None:
            return {}
        from .frechet import tensor_of

        lpips, found = self._network.lpips, {}
        for model, names in _by_model(footage):
            chosen = numbers[:: max(1, len(numbers) // 3)]
            pairs = [(footage[a](k), footage[b](k)) for k in chosen for a, b in combinations(names, 2)]
            scores = [float(lpips(tensor_of(a), tensor_of(b))) for a, b in pairs]
            found[model] = round(float(np.mean(scores)), 3)
        return {"diversity_score_lpips": found} if found else {}


def _by_model(names: dict[str, FrameOf]) -> Iterator[tuple[str, list[str]]]:
    """Models with footage of several seeds (``<model>-<seed>``), and the names of that footage."""
    models: dict[str, list[str]] = {}
    for name in names:
        if match := re.fullmatch(r"(.+)-\d+", name):
            models.setdefault(match[1], []).append(name)
    yield from ((model, many) for model, many in models.items() if len(many) > 1)


def _camera_figures(clip: Clip, camera: str, stride: int, watched: _Watched) -> dict[str, Any]:
    """Figures of the render and of all footage of one camera."""
    generated = {folder.name: generated_frames(folder) for folder in clip.generated(camera)}
    rgb = (lambda k: clip.rgb(camera, k)) if clip.has(camera, "rgb") else None
    every = generated if rgb is None else {"": rgb, **generated}  # no folder has an empty name
    numbers = range(0, clip.frames, max(stride, -(-clip.frames // MOST)))
    figures = {name: _plain(made) for name, made in all_footage_figures(clip, camera, every, stride=stride).items()}
    for name, frames in every.items():
        if rgb is not None and name:
            figures[name] |= _condition_figures(clip, camera, frames, rgb, numbers)
        figures[name] |= watched.nearness(frames, numbers)
    found: dict[str, Any] = {"rgb": figures.pop("")} if rgb is not None else {}
    return found | ({"generated": figures} if figures else {}) | watched.unlikeness(generated, numbers)


def _condition_figures(clip: Clip, camera: str, frames: FrameOf, rgb: FrameOf, numbers: range) -> dict[str, float]:
    """What footage keeps of the render that it was made from."""
    edges, borders, colors, blurred = EdgeCounts(), BorderCounts(), [], []
    for k in numbers:
        picture, condition, ids = frames(k), rgb(k), clip.instances(camera, k).astype(np.int64)
        edges += edge_counts(picture, condition)
        borders += border_counts(picture, condition, ids, creases=clip.edges(camera, k) > 127)
        colors += color_errors(picture, condition, ids).values()
        blurred.append(blur_ssim(picture, condition))
    return {
        "blur_ssim": round(float(np.mean(blurred)), 3),
        "canny_f1_score": round(edges.f1, 3),
        "canny_precision": round(edges.precision, 3),
        "canny_recall": round(edges.recall, 3),
        "color_error": round(float(np.mean(colors)) if colors else 0.0, 2),
        "borders_kept": round(borders.share_kept, 3),
        "edges_explained": round(borders.share_explained, 3),
        "boundary_agreement": round(borders.agreement, 3),
    }


def noise_figures(clip: Clip, camera: str, *, stride: int = 1) -> dict[str, Any]:
    """Whiteness of every frame by itself; frames of one clip share their noise, so they are not pooled.

    Raises:
        BadValueError: a frame has values that are not finite.

    Returns:
        ``worst_score``: largest absolute standard score of any figure in any frame, and ``expected_below``: what as many
        scores of independent normals would stay below 99 times in 100.
    """
    from scipy.stats import norm

    from .noise_video import check_finite
    from .whiteness import whiteness

    noise, record = clip.noise(camera), clip.record.noise
    known = record is not None and len(record.latent_frames) == len(noise)
    numbers = record.latent_frames if record is not None and known else range(len(noise))
    check_finite(noise, numbers, clip.folder(camera) / "noise.npy")
    scores = [whiteness(np.asarray(noise[k])[None]).worst() for k in range(0, len(noise), stride)]
    figures_per_frame = 13
    limit = float(norm.isf((1 - 0.99 ** (1 / (len(scores) * figures_per_frame))) / 2))
    return {"frames": len(scores), "worst_score": round(max(scores), 2), "expected_below": round(limit, 2)}


def _plain(figures: FootageFigures) -> dict[str, Any]:
    returned = figures.psnr_returned_db
    return {
        "psnr_db": {str(k): round(v, 2) for k, v in figures.psnr_db.items()},
        "warp_error": {str(k): round(v, 4) for k, v in figures.warp_error.items()},
        "edge_agreement": round(figures.edge_agreement, 3),
        **({} if returned is None else {"psnr_returned_db": round(returned, 2)}),
    }
