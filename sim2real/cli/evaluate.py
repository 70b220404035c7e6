"""``sim2real evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from .main import Command
from .options import debug_option


@click.command("evaluate", cls=Command)
@click.argument("clips", metavar="CLIP...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--stride", metavar="S", type=click.IntRange(min=1), default=1, help="Measure every S-th frame.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@debug_option
def command(clips: tuple[Path, ...], stride: int, as_json: bool) -> None:
    """Measure clips: is the noise white, and does footage follow the geometry?

    PSNR d: frame a against frame a + d, fetched along the exact motion of cameras and instances, over pixels visible in both.
    Edges: agreement of strong gradients with the condition's edges, 0 to 1. Noise: the worst standard score of any frame.

    Examples:
      sim2real evaluate out/kitchen
      sim2real evaluate out/a out/b --stride 4 --json
    """
    from ..metrics.evaluate import evaluate
    from .progress import shown

    found = []
    for clip in clips:
        with shown() as progress:
            found.append(evaluate(clip, stride=stride, progress=progress))
    click.echo(json.dumps(found, indent=2) if as_json else "\n\n".join("\n".join(readable(figures)) for figures in found))


def readable(figures: dict[str, Any]) -> list[str]:
    """One clip's figures as a table."""
    rows: list[tuple[str, ...]] = [("footage", "PSNR 1", "PSNR 4", "PSNR 16", "edges")]
    lines = [figures["clip"]]
    for camera, found in figures["cameras"].items():
        if "noise" in found:
            n = found["noise"]
            white = f"worst score {n['worst_score']} in {n['frames']} frames (white: below {n['expected_below']})"
            lines.append(f"  {camera}/noise: {white}")
        footage = {"rgb": found["rgb"]} if "rgb" in found else {}
        footage |= found.get("generated", {})
        for name, made in footage.items():
            psnr = [f"{made['psnr_db'][d]:.2f}" if d in made["psnr_db"] else "-" for d in ("1", "4", "16")]
            rows.append((f"{camera}/{name}", *psnr, f"{made['edge_agreement']:.3f}"))
    if len(rows) > 1:
        wide = max(len(row[0]) for row in rows)
        lines += [f"  {row[0]:<{wide}}" + "".join(f"{cell:>9}" for cell in row[1:]) for row in rows]
    return lines
