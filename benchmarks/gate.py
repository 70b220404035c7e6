"""Whether the gate of datasets can fail: ``python -m benchmarks.gate [--clips N] [--use keep|restyle]``.

Clips of the kitchen and the tabletop with footage of the embedded model, half of it with the simulator's colors, half with new
surfaces. Against them stand the same clips driven by noise that is drawn anew in every frame; footage of other geometry (the
camera 5 cm and 3 degrees away); and masks that are shifted by 5 pixels. ROC AUC of every figure: 0.5 tells nothing apart, 1
everything. Footage that keeps its colors is worn by the noise, but hardly flickers: ``--use restyle`` is where the other
figures than ``driven`` can judge noise.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track
from scipy.stats import rankdata

from benchmarks.datasets import config
from benchmarks.machine import machine
from sim2real.clip import Clip, read_clip
from sim2real.clip.footage import generated_frames
from sim2real.dataset.config import read_config
from sim2real.dataset.gate import AT_LEAST
from sim2real.dataset.make_clip import make_clip
from sim2real.dataset.plan import Row, make_plan
from sim2real.dataset.quality import footage_figures
from sim2real.diffusion import GenerateOptions, generate

SHIFT, STRIDE = 5, 3
FIGURES = ("detail", "flicker", "driven", "borders", "shift_px", "color")


class Shifted:
    """A clip whose masks are shifted.

    Args:
        clip: the clip.
        shift: rows and columns.
    """

    def __init__(self, clip: Clip, shift: tuple[int, int]) -> None:
        """Nothing is read yet."""
        self._clip, self._shift = clip, shift

    def __getattr__(self, name: str) -> Any:
        """Everything else is the clip's."""
        return getattr(self._clip, name)

    def instances(self, camera: str, frame: int) -> np.ndarray:
        """Shifted; what comes in at the rim is what was there."""
        ids, (dy, dx) = self._clip.instances(camera, frame), self._shift
        rows, columns = (np.arange(size) for size in ids.shape)
        return ids[np.clip(rows - dy, 0, len(rows) - 1)][:, np.clip(columns - dx, 0, len(columns) - 1)]


def auc(good: list[float], bad: list[float], *, higher_is_better: bool) -> float:
    """Probability that a good clip has the better figure than a bad one."""
    ranks = rankdata([*good, *bad])
    better = (ranks[: len(good)].sum() - len(good) * (len(good) + 1) / 2) / (len(good) * len(bad))
    return float(better if higher_is_better else 1 - better)


def figures(clip: Any, footage: Path, row: Row) -> dict[str, float]:
    """Of the one camera of a clip."""
    restyled = (row.generate or {}).get("use") == "restyle"
    return footage_figures(clip, clip.cameras[0], generated_frames(footage), restyled=restyled)


def footage_of(clip: Clip) -> Path:
    """The folder that was written last."""
    return max(clip.generated(clip.cameras[0]), key=lambda path: path.stat().st_mtime_ns)


def measured(row: Row, folder: Path, rng: np.random.Generator) -> dict[str, dict[str, float]]:
    """Figures of one clip as it is and of its three bad versions."""
    make_clip(row, folder / row.clip_id, threads=2)
    clip = read_clip(folder / row.clip_id)
    found = {"good": figures(clip, footage_of(clip), row)}
    found["masks shifted by 5 px"] = figures(Shifted(clip, shift_of(rng)), footage_of(clip), row)
    away = Row.of_json(json.dumps({**json.loads(row.to_json()), "clip_id": f"{row.clip_id}-away", **moved(row)}))
    make_clip(away, folder / away.clip_id, threads=2)
    found["other geometry"] = figures(clip, footage_of(read_clip(folder / away.clip_id)), row)
    asked = {name: tuple(value) if isinstance(value, list) else value for name, value in (row.generate or {}).items()}
    generate(clip.path, GenerateOptions(seed=row.seed, noise="iid", **asked))
    found["noise drawn anew"] = figures(clip, footage_of(clip), row)
    return found


def shift_of(rng: np.random.Generator) -> tuple[int, int]:
    """Five pixels in any direction."""
    angle = rng.uniform(0, 2 * np.pi)
    return int(round(SHIFT * np.sin(angle))), int(round(SHIFT * np.cos(angle)))


def moved(row: Row) -> dict[str, Any]:
    """The row's values with the camera elsewhere."""
    return {"values": {**row.values, "camera_jitter": {"position_m": 0.05, "rotation_deg": 3.0}}}


def main() -> None:
    """Print a table of AUC by figure, and the figures' ranges."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--size", type=int, nargs=2, default=(192, 256), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--use", choices=["keep", "restyle"], help="of all clips; by default half of them are restyled")
    chosen = parser.parse_args()
    print(f"{machine()}\n")
    said = {**config(chosen.clips, ()), "frames": chosen.frames, "size": list(chosen.size)}
    said["sources"] = [{**source, "stride": STRIDE} for source in said["sources"]]
    said["variations"] = {name: value for name, value in said["variations"].items() if name != "camera_jitter"}
    if chosen.use:
        said["variations"]["use"] = [chosen.use]
    collected: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "config.yaml"
        written.write_text(json.dumps(said))
        for row in track(make_plan(read_config(written), Path(folder)), "clips"):
            for version, found in measured(row, Path(folder), rng).items():
                for name, value in found.items():
                    collected[version][name].append(value)
                collected[version]["restyled"].append(float((row.generate or {}).get("use") == "restyle"))
    print(f"| figure | {' | '.join(collected)} |\n|---|{'---|' * len(collected)}")
    for name in FIGURES:
        cells = []
        for version, found in collected.items():
            values = found[name] or [float("nan")]
            cells.append(f"{min(values):.3g}..{max(values):.3g}")
            if version != "good":
                score = auc(collected["good"][name] or values, values, higher_is_better=name in AT_LEAST)
                cells[-1] = f"**{score:.2f}** ({cells[-1]})"
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
