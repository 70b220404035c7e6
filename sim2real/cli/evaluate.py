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
@click.option("--noise", "noise_only", is_flag=True, help="Judge the noise in full: statistics, and the motion carried.")
@click.option(
    "--noise-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Judge this noise video instead of the clip's own (implies --noise).",
)
@click.option("--camera", metavar="NAME", help="With --noise: this camera only.  [default: all]")
@click.option(
    "--geometry",
    type=click.Choice(["auto", "labels", "rays"]),
    default="auto",
    help="With --noise: judge by the clip's depth and instances, or by rays through the scene; auto takes rays if it can. "
    "Clips of real videos are judged by the motion in their pictures.",
)
@click.option("--pairs", metavar="N", type=click.IntRange(min=1), default=4, help="With --noise: pairs of frames per distance.")
@click.option("--stride", metavar="S", type=click.IntRange(min=1), default=1, help="Measure every S-th frame.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@debug_option
def command(
    clips: tuple[Path, ...],
    noise_only: bool,
    noise_file: Path | None,
    camera: str | None,
    geometry: str,
    pairs: int,
    stride: int,
    as_json: bool,
) -> None:
    """Measure clips: is the noise white, and does footage follow the geometry?

    PSNR d: frame a against frame a + d, fetched along the exact motion of cameras and instances, over pixels visible in both.
    Edges: agreement of strong gradients with the condition's edges, 0 to 1. Noise: the worst standard score of any frame.

    With --noise, any noise video is judged, anybody's: moments, Kolmogorov-Smirnov, neighbours, channels and spectrum of every
    frame, and transport efficiency: the covariance of frames 1, 4, 16 and 48 apart over the overlap of what their pixels see.

    Examples:
      sim2real evaluate out/kitchen
      sim2real evaluate out/a out/b --stride 4 --json
      sim2real evaluate --noise out/kitchen
      sim2real evaluate --noise-file theirs.npy --camera wrist out/kitchen
    """
    from .progress import shown

    if noise_only or noise_file is not None:
        with shown() as progress:
            found = _judged(clips, noise_file, camera, geometry, pairs, stride, progress)
        from .noise_figures import readable_noise as table
    else:
        from ..metrics.evaluate import evaluate

        found, table = [], readable
        for clip in clips:
            with shown() as progress:
                found.append(evaluate(clip, stride=stride, progress=progress))
    click.echo(json.dumps(found, indent=2) if as_json else "\n\n".join("\n".join(table(figures)) for figures in found))


def _judged(
    clips: tuple[Path, ...], file: Path | None, camera: str | None, geometry: str, pairs: int, stride: int, progress: Any
) -> list[dict[str, Any]]:
    """Judge the noise of every clip and camera that is asked for."""
    from ..clip import read_clip
    from ..errors import BadValueError
    from ..metrics.noise_video import judge

    if file is not None and len(clips) > 1:
        raise BadValueError("the number of clips with --noise-file", len(clips), right="1")
    found = []
    for path in clips:
        clip = read_clip(path)
        cameras = [camera] if camera is not None else clip.cameras
        if file is not None and len(cameras) > 1:
            listed = ", ".join(cameras)
            raise BadValueError(
                "the number of cameras with --noise-file", len(cameras), right="1", mend=f"pass --camera: {listed}"
            )
        options: dict[str, Any] = {"file": file, "geometry": geometry, "pairs": pairs, "stride": stride, "progress": progress}
        found.append({"clip": str(path), "cameras": {name: judge(clip, name, **options) for name in cameras}})
    return found


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
