"""One benchmark in two versions, side by side: ``python -m benchmarks.compare_checkouts A B benchmarks.noise_speed [ARGS...]``.

A and B are git revisions. Each gets a working tree of its own, in which its own version of the benchmark runs with its own
package; they take turns (A B, B A, A B ...), so that a busy machine is busy for both. What the benchmark's tables hold as
measurements (numbers with a decimal point or a unit) is put side by side: medians of the rounds, and their ratio.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import geometric_mean, median

from benchmarks.machine import machine

ROOT = Path(__file__).parent.parent
MEASURED = re.compile(r"(\d+\.\d+|\d+(?= [a-zA-Z]))( [a-zA-Z]+)?")
Place = tuple[str, str, int, str]
"""Where a measurement stands: the table's header, the row's other cells, which row of those that have the same, the column."""


@contextmanager
def checkout(revision: str, folder: Path) -> Iterator[Path]:
    """A working tree of a revision in a folder that does not exist yet."""
    git = ["git", "-C", str(ROOT), "worktree"]
    done = subprocess.run([*git, "add", "--quiet", "--detach", str(folder), revision], stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"error: no working tree of {revision}: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True)


def output_of(tree: Path, module: str, arguments: list[str]) -> str:
    """What a benchmark prints in a working tree."""
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=tree, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\nerror: {module} failed in the working tree of {tree.name}")
    return done.stdout


def measurements(printed: str) -> dict[Place, tuple[float, str]]:
    """Values and units in the Markdown tables of a benchmark."""
    found: dict[Place, tuple[float, str]] = {}
    rows: Counter[tuple[str, str]] = Counter()
    head: list[str] = []
    for line in map(str.strip, printed.splitlines()):
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells or not head:
            head = cells
        elif len(cells) == len(head):
            values = [MEASURED.fullmatch(cell) for cell in cells]
            row = " | ".join(head), ", ".join(cell for cell, value in zip(cells, values, strict=True) if not value)
            rows[row] += 1
            for column, value in zip(head, values, strict=True):
                if value:
                    found[(*row, rows[row], column)] = (float(value[1]), value[2] or "")
    return found


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("revisions", nargs=2, metavar="REVISION")
    parser.add_argument("module", help="a benchmark that prints Markdown tables, such as benchmarks.noise_speed")
    parser.add_argument("--rounds", type=int, default=3, help="of both")
    chosen, arguments = parser.parse_known_args()
    rounds: tuple[list, list] = [], []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        trees = [
            stack.enter_context(checkout(rev, Path(folder, name))) for rev, name in zip(chosen.revisions, "AB", strict=True)
        ]
        for number in range(chosen.rounds):
            for which in (0, 1) if number % 2 == 0 else (1, 0):
                rounds[which].append(measurements(output_of(trees[which], chosen.module, arguments)))
    common = [place for place in rounds[0][0] if all(place in found for found in (*rounds[0], *rounds[1]))]
    if not common:
        sys.exit(f"error: {chosen.module} printed no measurement that both have")
    a, b = chosen.revisions
    print(f"{machine()}; {chosen.module}, medians of {chosen.rounds} rounds\n")
    print(f"| row | column | {a} | {b} | ratio |\n|---|---|---|---|---|")
    ratios = []
    for place in common:
        before, after = (median(found[place][0] for found in one) for one in rounds)
        unit, (_, row, _, column) = rounds[0][0][place][1], place
        ratios += [after / before] if before > 0 < after else []
        ratio = f"{ratios[-1]:.2f}" if before > 0 < after else "-"
        print(f"| {row} | {column} | {before:g}{unit} | {after:g}{unit} | {ratio} |")
    if ratios:
        print(f"\ngeometric mean of {len(ratios)} ratios: {geometric_mean(ratios):.3f}")


if __name__ == "__main__":
    main()
