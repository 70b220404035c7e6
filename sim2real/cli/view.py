"""``sim2real view``."""

from __future__ import annotations

from pathlib import Path

import click

from .main import Command
from .options import debug_option


@click.command("view", cls=Command)
@click.argument("clip", type=click.Path(path_type=Path))
@click.option("--columns", type=click.IntRange(1, 64), default=6, metavar="N", help="Frames on the contact sheet.")
@click.option("--open", "show", is_flag=True, help="Open the report in a browser.")
@debug_option
def command(clip: Path, columns: int, show: bool) -> None:
    """Rebuild the contact sheet and the report of a clip folder, and say where they are.

    Examples:
      sim2real view out/kitchen
      sim2real view out/kitchen --columns 8 --open
    """
    from ..clip import read_clip, readable_write_errors, write_pages
    from .shared import say_where

    found = read_clip(clip)
    with readable_write_errors(found.path):
        page = write_pages(found, columns=columns)
    say_where(found)
    if show:
        click.launch(page.resolve().as_uri())
