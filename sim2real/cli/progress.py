"""Progress of long work on standard error: a bar with an estimate on a terminal, one line per stage elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from . import startup

if TYPE_CHECKING:
    from collections.abc import Callable

    Progress = Callable[[str, int, int], None]


def on_terminal() -> bool:
    """Whether progress is shown as bars."""
    return sys.stderr.isatty()


@contextmanager
def shown() -> Iterator[Progress]:
    """Yield a callback ``progress(what, done, total)``; each new ``what`` begins a stage, a note in parentheses does not."""
    if on_terminal():
        yield from _bars()
    else:
        yield from _lines()


def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, int] = {}

        def progress(what: str, done: int, total: int) -> None:
            startup.started()
            stage = what.partition(" (")[0]
            if stage not in tasks:
                tasks[stage] = bars.add_task(what, total=total)
            bars.update(tasks[stage], description=what, completed=done, total=total)  # type: ignore[arg-type]

        yield progress


def _lines() -> Iterator[Progress]:
    began: dict[str, float] = {}

    def progress(what: str, done: int, total: int) -> None:
        startup.started()
        what = what.partition(" (")[0]
        if what not in began:
            began[what] = time.monotonic()
        if done >= total and began[what] >= 0:
            click.echo(f"{what}: {total} in {time.monotonic() - began[what]:.1f} s", err=True)
            began[what] = -1.0

    yield progress
