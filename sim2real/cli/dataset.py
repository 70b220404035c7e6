"""``sim2real dataset``: many clips, and what is done with a folder of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import progress
from .main import HELP_WORDS, Command, write_help
from .options import debug_option
from .types import Shard

if TYPE_CHECKING:
    from ..dataset.config import DatasetConfig
    from ..dataset.plan import Row
    from ..dataset.run import Progress


class DatasetGroup(click.Group):
    """A group whose first word may also be a CONFIG, which is then made."""

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """As every command."""
        return list(HELP_WORDS)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the command that makes datasets before everything but the names of others."""
        if args and args[0] not in self.commands and args[0] not in HELP_WORDS:
            args = ["make", *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Both ways to call it."""
        formatter.write_usage(ctx.command_path, "CONFIG -o DIR [OPTIONS]")
        formatter.write_usage(ctx.command_path, "status|retry|merge|check DIR [OPTIONS]")

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the docstring."""
        write_help(self, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options of making one, and the other commands."""
        make = self.commands["make"]
        click.Command.format_options(make, click.Context(make, info_name="make", parent=ctx), formatter)
        others = [(name, command.get_short_help_str(90)) for name, command in self.commands.items() if name != "make"]
        with formatter.section("Commands"):
            formatter.write_dl(others)


@click.group("dataset", cls=DatasetGroup)
def command() -> None:
    """Make a dataset: many labeled clips of scenes and rollouts, varied, checked, and written in the formats of training code.

    CONFIG is a YAML file: sources, cameras, what varies, footage, formats, a gate. Clips go to DIR/clips, each format to
    DIR/FORMAT, what became of every clip to DIR/ledger.parquet and DIR/report.html. A run that was killed goes on where it
    was when the command is given again; finished clips are never made twice.

    Examples:
      sim2real dataset config.yaml -o out/dataset --dry-run
      sim2real dataset config.yaml -o out/dataset --workers 4
      sim2real dataset config.yaml -o out/dataset --ray local
      sim2real dataset config.yaml -o out/dataset --shard $SLURM_ARRAY_TASK_ID/100
      sim2real dataset status out/dataset
    """


def _running(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options of everything that makes clips."""
    for decorate in reversed(
        (
            click.option("--workers", type=click.IntRange(1, 4096), metavar="N", help="Processes.  [default: one per core]"),
            click.option(
                "--ray", metavar="local|ADDRESS", help="Run on Ray: one that is started here, or a cluster (auto, HOST:PORT)."
            ),
            click.option(
                "--shard",
                type=Shard(),
                metavar="I/N",
                help="Make only every N-th clip, beginning with the I-th; formats are then written by: sim2real dataset merge.",
            ),
            click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", help="Where clips are made."),
            click.option(
                "--max-failed",
                type=click.IntRange(min=0),
                default=0,
                metavar="N",
                help="Exit with 1 if more clips than this failed.",
            ),
        )
    ):
        function = decorate(function)
    return function


@command.command("make", cls=Command, hidden=True)
@click.argument("config", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The dataset's folder.")
@click.option("--dry-run", is_flag=True, help="Say what would be made, how long it would take and how large it would be.")
@_running
@debug_option
def make(config: Path, output: Path, dry_run: bool, **options: Any) -> None:
    """Make the dataset that CONFIG describes."""
    from ..dataset.folder import plan_into

    if dry_run:
        _say_plan(config, output, options)
        return
    described, rows = plan_into(config, output)
    _run(described, rows, output, options)


@command.command("retry", cls=Command)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@_running
@debug_option
def retry(folder: Path, **options: Any) -> None:
    """Try clips again that failed or were put into quarantine."""
    from ..dataset.folder import forget_failures, open_dataset

    described, rows = open_dataset(folder)
    again = forget_failures(rows, folder)
    click.echo(f"{again} to be tried again", err=True)
    _run(described, rows, folder, options)


@command.command("status", cls=Command)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@debug_option
def status(folder: Path, as_json: bool) -> None:
    """Say what became of every clip."""
    from dataclasses import asdict

    from ..dataset.folder import counts, ledger_of, open_dataset
    from .json_text import json_text

    _, rows = open_dataset(folder)
    statuses = ledger_of(rows, folder)
    if as_json:
        click.echo(json_text([{k: v for k, v in asdict(s).items() if k != "made"} for s in statuses]))
        return
    for one in statuses:
        if one.reason:
            click.echo(f"{one.clip_id}  {one.status}  {one.reason}")
    click.echo(counts(statuses, len(rows)))


@command.command("merge", cls=Command)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@debug_option
def merge(folder: Path) -> None:
    """Write the formats from the clips that are done, as after --shard."""
    from ..dataset.folder import open_dataset

    described, rows = open_dataset(folder)
    _finish(described, rows, folder)


@command.command("check", cls=Command)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@debug_option
def check(folder: Path) -> None:
    """Compare the files of finished clips with their checksums."""
    from ..dataset.folder import check_dataset, open_dataset

    _, rows = open_dataset(folder)
    with progress.shown() as report:
        faults = check_dataset(rows, folder, lambda done, total: report("checking clips", done, total))
    for fault in faults:
        click.echo(fault)
    click.echo(f"{len(faults)} faults" if faults else "all files are as they were made")
    if faults:
        raise click.exceptions.Exit(1)


def _run(described: DatasetConfig, rows: tuple[Row, ...], root: Path, options: dict[str, Any]) -> None:
    """Make what is missing, write formats and ledger, and exit with 1 if too much failed."""
    import os

    from ..dataset.run import run_rows, shard_of

    mine = shard_of(rows, options["shard"])
    workers = options["workers"] or len(os.sched_getaffinity(0))
    with progress.shown() as report:
        tell = _teller(report)
        if options["ray"] is None:
            run_rows(mine, root, workers=workers, device=options["device"], tell=tell)
        else:
            from ..dataset.on_ray import run_rows_on_ray

            run_rows_on_ray(mine, root, options["ray"], workers=workers, device=options["device"], tell=tell)
    _finish(described if options["shard"] is None else None, rows, root)
    _exit_if_failed(mine, root, options["max_failed"])


def _teller(report: progress.Progress) -> Callable[[Progress], None]:
    """Show how far a run is, once a minute where there is no terminal; what fails is said at once."""
    said = time.monotonic()

    def tell(state: Progress) -> None:
        nonlocal said
        latest = state.latest
        if latest is not None and latest.status in ("failed", "quarantined"):
            click.echo(f"{latest.clip_id}: {latest.status}: {latest.reason}", err=True)
        report(f"clips ({state.failed} failed, {state.free_bytes / 1e9:.0f} GB free)", state.done, state.total)
        if not progress.on_terminal() and state.made and time.monotonic() - said >= 60:
            said = time.monotonic()
            left = f"{state.rate:.0f} an hour, {_duration(state.left_s)} left, {state.free_bytes / 1e9:.0f} GB free"
            click.echo(f"clips: {state.done} of {state.total}, {state.failed} failed, {left}", err=True)

    return tell


def _finish(described: DatasetConfig | None, rows: tuple[Row, ...], root: Path) -> None:
    from ..dataset.folder import counts, ledger_of
    from ..dataset.merge import merge as write_formats

    statuses = ledger_of(rows, root)
    if described is not None:
        write_formats(rows, described.formats, root, lambda name: click.echo(f"writing {name}", err=True))
    click.echo(counts(statuses, len(rows)))
    click.echo(f"ledger  {root / 'ledger.parquet'}")
    click.echo(f"report  {root / 'report.html'}")
    for name in described.formats if described is not None else ():
        click.echo(f"{name}  {root / name}")


def _exit_if_failed(rows: tuple[Row, ...], root: Path, most: int) -> None:
    from ..dataset.ledger import gather

    failed = [status for status in gather(rows, root) if status.status in ("failed", "quarantined")]
    if len(failed) > most:
        raise click.exceptions.Exit(1)


def _say_plan(config: Path, root: Path, options: dict[str, Any]) -> None:
    """The rows, and what they will take."""
    import os

    from ..dataset.config import read_config
    from ..dataset.estimate import estimate
    from ..dataset.first_look import look_at_scenes
    from ..dataset.plan import make_plan
    from ..dataset.run import shard_of

    described = read_config(config)
    rows = make_plan(described, config.absolute().parent)
    look_at_scenes(rows)
    for row in rows:
        varies = ", ".join(f"{name}={value}" for name, value in row.values.items())
        click.echo(f"{row.clip_id}  {varies}".rstrip())
    mine = shard_of(rows, options["shard"])
    workers = options["workers"] or len(os.sched_getaffinity(0))
    with progress.shown() as report:
        found = estimate(
            mine,
            root,
            workers=workers,
            device=options["device"],
            tell=lambda n, of: report("trying the first clips", n, of),
            elsewhere=options["ray"] not in (None, "local"),
        )
    made = f"{found.clips} clip{'s' * (found.clips != 1)} with {workers} worker{'s' * (workers != 1)}"
    click.echo(
        f"{made}: about {_duration(found.seconds)} and {found.bytes / 1e9:.2f} GB "
        f"({found.per_clip_s:.1f} s a clip, {found.start_s:.0f} s to start, {found.merge_s:.0f} s to write formats)"
    )


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 5400 else f"{seconds / 60:.1f} min" if seconds >= 90 else f"{seconds:.0f} s"
