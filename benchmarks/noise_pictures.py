"""The pictures of docs/noise.md: ``python -m benchmarks.noise_pictures [DIR]``.

- ``kitchen.png``: a rollout, and its noise.
- ``side-by-side.png``: four kinds of noise before, while and after a slab passes, and what has become of what was there before.
- ``spectra.png``: power over spatial frequency, sixteen frames on.
- ``efficiency.png``: motion carried, over the distance in frames.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.sparse import csr_matrix

from benchmarks.baselines import LAYOUT
from benchmarks.noise_suite import Phase
from benchmarks.other_noise import (
    Bilinear,
    ConditionalUpsampling,
    Independent,
    Method,
    OnSurfaces,
    ScreenFixed,
    Stage,
    UvTexture,
)
from benchmarks.suite_scenes import SIZE, case
from sim2real.conditions import Shader
from sim2real.metrics.footprints import labeled_overlap
from sim2real.metrics.noise_video import FAILS_AT
from sim2real.metrics.transport import Slope
from sim2real.metrics.whiteness import radial_spectrum, whiteness

IMAGES = Path(__file__).parent.parent / "docs" / "images"
LIMIT_BYTES = 300_000
DISTANCES = (1, 2, 4, 8, 16, 32, 48)
COLORS = {
    "surface noise": "#c0392b",
    "i.i.d.": "#7f8c8d",
    "fixed to the screen": "#b08d57",
    "bilinear warp, chained": "#2e86c1",
    "UV texture, nearest texel, 1 a latent": "#8e44ad",
    "UV texture, nearest texel, 4 a latent": "#c39bd3",
    "UV texture, area mean, 1 a latent": "#27ae60",
    "UV texture, area mean, 4 a latent": "#82c99d",
    "conditional upsampling, N = 8": "#e67e22",
}


def main(folder: Path) -> None:
    """Draw all."""
    folder.mkdir(parents=True, exist_ok=True)
    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "savefig.dpi": 100})
    kitchen(folder / "kitchen.png")
    shown: tuple[Method, ...] = (OnSurfaces(), Bilinear(), UvTexture(1, mean=False), Independent())
    side_by_side(Stage(Phase(case("occluder passing", 0), SIZE, LAYOUT), seed=3), shown, folder / "side-by-side.png")
    stage = Stage(Phase(case("full orbit and return", 0), SIZE, LAYOUT), seed=3)
    every = (*shown, ScreenFixed(), UvTexture(4, False), UvTexture(1, True), UvTexture(4, True), ConditionalUpsampling())
    videos = {method.name: list(method.video(stage, "camera", max(DISTANCES) + 1)) for method in every}
    spectra(videos, folder / "spectra.png")
    efficiency(stage, videos, folder / "efficiency.png")
    for path in (folder / f"{name}.png" for name in ("kitchen", "side-by-side", "spectra", "efficiency")):
        size = path.stat().st_size
        print(f"{path}: {size / 1000:.0f} kB")
        if size > LIMIT_BYTES:
            raise SystemExit(f"{path} has {size} bytes, must have at most {LIMIT_BYTES}")


def colored(noise: np.ndarray) -> np.ndarray:
    """Three channels as a picture: gray is 0, two standard deviations span the range."""
    return np.clip(0.5 + noise[:3].transpose(1, 2, 0) / 4, 0, 1)


def kitchen(path: Path) -> None:
    """The rollout above, its noise below."""
    phase = Phase(case("articulated robot (kitchen)", 0), SIZE, LAYOUT)
    shader = Shader(phase.scene, phase.triangles, phase.raster)
    video = list(OnSurfaces().video(Stage(phase, seed=0), "camera", 49))
    figure, axes = plt.subplots(2, 3, figsize=(8, 3.9), layout="constrained")
    for column, frame in enumerate((0, 24, 48)):
        axes[0, column].imshow(shader.frame(phase.cameras["camera"], frame)[::2, ::2])
        axes[0, column].set_title(f"frame {frame}")
        axes[1, column].imshow(colored(video[frame]), interpolation="nearest")
    bare(axes)
    figure.savefig(path)
    plt.close(figure)


def side_by_side(stage: Stage, methods: tuple[Method, ...], path: Path) -> None:
    """Rows: methods; columns: before, while and after the slab passes; the last fetched back to where the first saw it."""
    assert stage.phase.case.hidden is not None
    before, during, after = stage.phase.case.hidden
    overlap = labeled_overlap(*(stage.labels("camera", frame) for frame in (before, after)), factor=stage.factor)
    best = np.asarray(overlap.argmax(axis=0)).ravel()
    seen = np.asarray(overlap.max(axis=0).todense()).ravel() > 0.2
    figure, axes = plt.subplots(len(methods), 4, figsize=(9, 1.65 * len(methods)), layout="constrained")
    for row, method in zip(axes, methods, strict=True):
        video = list(method.video(stage, "camera", after + 1))
        back = video[after].reshape(stage.channels, -1)[:, best]
        same = np.corrcoef(video[before].reshape(stage.channels, -1)[:, seen].ravel(), back[:, seen].ravel())[0, 1]
        row[3].set_xlabel(f"correlation with frame {before}: {same:.2f}")
        back = np.where(seen, back, np.nan).reshape(video[after].shape)
        for axis, picture in zip(row, (video[before], video[during], video[after], back), strict=True):
            axis.imshow(np.nan_to_num(colored(picture), nan=1.0)[12:48, 18:72], interpolation="nearest")
        row[0].set_ylabel(method.name.replace(", ", ",\n"))
    titles = (f"frame {before}", f"frame {during}: a slab", f"frame {after}", f"{after}, moved back to {before}")
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title)
    bare(axes)
    figure.savefig(path)
    plt.close(figure)


def spectra(videos: dict[str, list[np.ndarray]], path: Path) -> None:
    """Power in rings of spatial frequency, frame 16; white is 1 everywhere."""
    figure, axis = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
    for name, frames in videos.items():
        frequency, power, _ = radial_spectrum(frames[16][None], rings=20)
        axis.plot(frequency, power, label=name, color=COLORS[name], linewidth=2.5 if name == "surface noise" else 1.3)
    axis.set(xlabel="cycles per latent", ylabel="power, frame 16", yscale="log", ylim=(0.1, 3))
    axis.set_yticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "1", "3"])
    axis.minorticks_off()
    axis.legend(fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.set_size_inches(8.5, 3.6)
    figure.savefig(path)
    plt.close(figure)


def efficiency(stage: Stage, videos: dict[str, list[np.ndarray]], path: Path) -> None:
    """Slope of the covariance with frame 0 against the overlap; dashed where frames are not white."""
    overlaps = {d: _overlaps(stage, d) for d in DISTANCES}
    figure, axis = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
    for name, frames in videos.items():
        points = []
        for distance in DISTANCES:
            slope = Slope()
            slope.add(frames[distance].astype(np.float64), frames[0].astype(np.float64), overlaps[distance])
            result = slope.result(distance)
            points.append((np.nan, np.nan) if result is None else (result.efficiency, result.error))
        value, error = np.array(points).T
        wide = 2.5 if name == "surface noise" else 1.3
        worst = whiteness(frames[16][None]).worst()
        line, label = ("-", name) if worst < FAILS_AT else ("--", f"{name} (not white)")
        axis.errorbar(DISTANCES, value, error, label=label, color=COLORS[name], linewidth=wide, linestyle=line, capsize=2)
    axis.set(xlabel="frames apart (48: one turn of the orbit)", ylabel="transport efficiency", xscale="log", ylim=(-0.1, 1.65))
    axis.set_xticks(DISTANCES, [str(d) for d in DISTANCES])
    axis.minorticks_off()
    axis.legend(fontsize=7, frameon=False, ncols=1, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.set_size_inches(8.5, 3.6)
    figure.savefig(path)
    plt.close(figure)


def _overlaps(stage: Stage, distance: int) -> tuple[csr_matrix, csr_matrix]:
    views = [stage.labels("camera", frame) for frame in (0, distance)]
    first, second = (labeled_overlap(*views, factor=stage.factor, seed=seed) for seed in (0, 1))
    return first, second


def bare(axes: np.ndarray) -> None:
    """Pictures have no ticks."""
    for axis in axes.ravel():
        axis.set(xticks=[], yticks=[])
        for spine in axis.spines.values():
            spine.set_visible(False)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
