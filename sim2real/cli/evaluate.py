"""``sim2real evaluate``."""

from __future__ import annotations

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
@click.option(
    "--photographs",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Compare footage with the photographs in this folder. Fetches the weights of VGG16 once (64 MB).",
)
@click.option("--diversity", is_flag=True, help="Compare the footage of several seeds by LPIPS. Fetches the same weights.")
@click.option("--stride", metavar="S", type=click.IntRange(min=1), default=1, help="Measure every S-th frame.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@debug_option
def command(clips: tuple[Path, ...], noise_only: bool, noise_file: Path | None, as_json: bool, **options: Any) -> None:
    """Measure clips: is the noise white, does footage follow geometry and labels, does it look like photographs?

    PSNR d: frame a against frame a + d, fetched along the exact motion of cameras and instances, over pixels visible in both;
    back: over what was hidden in between. Edges: agreement of strong gradients with the condition's edges, 0 to 1. Noise: the
    worst standard score of any frame.

    Against the render: canny (F1) and blur (SSIM behind the same blur), as in PAI-Bench-C; color, how far the mean colors of
    instances are off (CIEDE2000); borders, the share of visible borders between instances that are kept; explained, the share
    of strong edges that render or geometry have, too.

    Against photographs: statistics of natural scenes, which blur and missing texture raise, and the Frechet distance of VGG
    features, which graying lowers; neither judges alone.

    With --noise, any noise video is judged, anybody's: moments, Kolmogorov-Smirnov, neighbors, channels and spectrum of every
    frame, and transport efficiency: the covariance of frames 1, 4, 16 and 48 apart over the overlap of what their pixels see.

    Examples:
      sim2real evaluate out/kitchen
      sim2real evaluate out/a out/b --stride 4 --json
      sim2real evaluate out/kitchen --photographs ~/rooms
      sim2real evaluate --noise out/kitchen
      sim2real evaluate --noise-file theirs.npy --camera wrist out/kitchen
    """
    _refuse_idle_options(noise_only or noise_file is not None)
    from .json_text import json_text
    from .progress import shown

    if noise_only or noise_file is not None:
        with shown() as progress:
            found = _judged(clips, noise_file, options, progress)
        from .noise_figures import readable_noise as table
    else:
        from ..metrics.evaluate import evaluate

        found, table = [], readable
        for clip in clips:
            with shown() as progress:
                asked = {name: options[name] for name in ("stride", *_OF_FOOTAGE)}
                found.append(evaluate(clip, progress=progress, **asked))
            if options["diversity"] and not any("diversity_score_lpips" in of for of in found[-1]["cameras"].values()):
                one = f"no model has made footage of several seeds: sim2real generate {clip} --seed 1 makes more"
                click.echo(click.style("note: ", fg="yellow") + one, err=True)
    click.echo(json_text(found) if as_json else "\n\n".join("\n".join(table(figures)) for figures in found))


_OF_NOISE, _OF_FOOTAGE = ("camera", "geometry", "pairs"), ("photographs", "diversity")
"""Options that only judge the noise, and those that only measure footage."""


def _refuse_idle_options(judging_noise: bool) -> None:
    """Refuse options that would change nothing."""
    from ..errors import BadValueError

    context = click.get_current_context()
    right = "left out beside --noise and --noise-file" if judging_noise else "left out, or used with --noise"
    for name in _OF_FOOTAGE if judging_noise else _OF_NOISE:
        if context.get_parameter_source(name) != click.core.ParameterSource.DEFAULT:
            raise BadValueError(f"--{name}", "given" if context.params[name] is True else context.params[name], right=right)


def _judged(clips: tuple[Path, ...], file: Path | None, options: dict[str, Any], progress: Any) -> list[dict[str, Any]]:
    """Judge the noise of every clip and camera that is asked for."""
    from ..clip import read_clip
    from ..errors import BadValueError
    from ..metrics.noise_video import judge

    if file is not None and len(clips) > 1:
        raise BadValueError("the number of clips with --noise-file", len(clips), right="1")
    found = []
    for path in clips:
        clip = read_clip(path)
        cameras = [clip.camera_name(options["camera"])] if options["camera"] is not None else clip.cameras
        if file is not None and len(cameras) > 1:
            listed = ", ".join(cameras)
            raise BadValueError(
                "the number of cameras with --noise-file", len(cameras), right="1", fix=f"pass --camera: {listed}"
            )
        asked: dict[str, Any] = {name: options[name] for name in ("geometry", "pairs", "stride")}
        judged = {name: judge(clip, name, file=file, progress=progress, **asked) for name in cameras}
        found.append({"clip": str(path), "cameras": judged})
    return found


_COLUMNS = (
    ("canny_f1_score", "canny", 3),
    ("blur_ssim", "blur", 3),
    ("color_error", "color", 1),
    ("borders_kept", "borders", 3),
    ("edges_explained", "explained", 3),
    ("scene_statistics", "statistics", 2),
    ("vgg_frechet", "VGG", 0),
)
"""Figures that some footage has: key, title, digits."""


def readable(figures: dict[str, Any]) -> list[str]:
    """One clip's figures as a table."""
    lines, footage = [figures["clip"]], {}
    for camera, found in figures["cameras"].items():
        if "noise" in found:
            n = found["noise"]
            frames = f"{n['frames']} frame{'s' * (n['frames'] != 1)}"
            white = f"worst score {n['worst_score']} in {frames} (white: below {n['expected_below']})"
            lines.append(f"  {camera}/noise: {white}")
        made = {"rgb": found["rgb"]} if "rgb" in found else {}
        footage |= {f"{camera}/{name}": of for name, of in (made | found.get("generated", {})).items()}
    if footage:
        rows = _table(footage)
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        lines += ["  " + "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
    for camera, found in figures["cameras"].items():
        lines += [f"  {camera}/{m}: LPIPS between seeds {v:.3f}" for m, v in found.get("diversity_score_lpips", {}).items()]
    return lines


def _table(footage: dict[str, dict[str, Any]]) -> list[tuple[str, ...]]:
    """Titles, then a row per footage; columns that nothing fills are left out."""
    columns = [column for column in _COLUMNS if any(column[0] in made for made in footage.values())]
    rows: list[tuple[str, ...]] = [
        ("footage", "PSNR 1", "PSNR 4", "PSNR 16", "back", "edges", *(title for _, title, _ in columns))
    ]
    for name, made in footage.items():
        cells = [(made["psnr_db"].get(d), 2) for d in ("1", "4", "16")]
        cells += [(made.get("psnr_returned_db"), 2), (made["edge_agreement"], 3)]
        cells += [(made.get(key), digits) for key, _, digits in columns]
        rows.append((name, *("-" if value is None else f"{value:.{digits}f}" for value, digits in cells)))
    return rows
