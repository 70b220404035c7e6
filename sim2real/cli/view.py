"""``sim2real view``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import progress
from .main import Command
from .options import debug_option

if TYPE_CHECKING:
    from ..clip import Clip

_BESIDE = Path("")
"""Stands for the usual file in the clip folder."""


@click.command("view", cls=Command)
@click.argument("clip", type=click.Path(path_type=Path))
@click.option("--columns", type=click.IntRange(1, 64), default=6, metavar="N", help="Frames on the contact sheet.")
@click.option(
    "--rrd",
    type=click.Path(path_type=Path, dir_okay=False),
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    help="Instead, write a recording for Rerun's viewer.  [default: CLIP/clip.rrd]",
)
@click.option(
    "--viser",
    type=click.Path(path_type=Path, dir_okay=False),
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    help="Instead, write the noise of the scene's surfaces as a page, by viser.  [default: CLIP/noise.html]",
)
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
@debug_option
def command(clip: Path, columns: int, rrd: Path | None, viser: Path | None, show: bool) -> None:
    """Rebuild the contact sheet and the report of a clip folder, or write it for 3D viewers, and say where they are.

    --rrd writes everything that is in the clip on two timelines, frame and time: pictures, depth, labels, cameras and, where
    the scene is still there, its meshes. --viser writes a page that opens from the disk: the scene's meshes carry the noise
    that the clip is made of, and move as in the clip. Both need: pip install 'sim2real[view]'

    Examples:
      sim2real view out/kitchen
      sim2real view out/kitchen --columns 8 --open
      sim2real view out/kitchen --rrd
      sim2real view out/kitchen --viser noise.html --open
    """
    from ..clip import read_clip
    from .shared import say_where

    found = read_clip(clip)
    if rrd is None and viser is None:
        page = _report(found, columns)
        say_where(found)
    else:
        page = _for_viewers(found, rrd, viser)
    if show and page is not None:
        click.launch(page.resolve().as_uri())


def _report(clip: Clip, columns: int) -> Path:
    """Contact sheet and report."""
    from ..clip import readable_write_errors, write_pages

    with readable_write_errors(clip.path):
        return write_pages(clip, columns=columns)


def _for_viewers(clip: Clip, rrd: Path | None, viser: Path | None) -> Path | None:
    """A recording, a page, or both; the page, if there is one."""
    os.environ.setdefault("RUST_LOG", "off")  # what goes wrong is said in one line, not by Rerun's own log
    page, said = None, []
    with progress.shown() as report:
        if rrd is not None:
            from ..clip.report.rerun import write_recording

            recorded = write_recording(clip, None if rrd == _BESIDE else rrd, progress=report)
            said.append((f"recording   {recorded.path}  (open it with: rerun {recorded.path})", recorded.notes))
        if viser is not None:
            from ..render.noise_page import write_noise_page

            shown = write_noise_page(clip, None if viser == _BESIDE else viser, progress=report)
            said.append((f"noise page  {shown.path}", shown.notes))
            page = shown.path
    for line, notes in said:
        for note in notes:
            click.echo(click.style("note: ", fg="yellow") + note, err=True)
        click.echo(line)
    return page
