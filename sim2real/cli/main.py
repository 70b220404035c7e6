"""The group of commands: each is imported when it is asked for, and errors become one line."""

from __future__ import annotations

import difflib
import importlib
import inspect
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Any, NoReturn

import click

from .. import __version__
from ..errors import Sim2RealError
from .sections import write_options
from .startup import starting

COMMANDS = {
    "run": "Render a scene or rollout and generate footage from it.",
    "render": "Render a scene or rollout to a clip folder: noise, conditions, labels.",
    "calibrate": "Find where a real camera is, from masks of a robot in known joint states.",
    "warp": "Make a clip folder from a real video, without any mesh.",
    "inspect": "Say what a scene or rollout contains.",
    "generate": "Generate footage from a clip folder.",
    "families": "List the families of video models: what runs, what it takes, what was verified.",
    "upsample": "Bring the footage of a small clip to the size of a large one.",
    "sense": "Film a clip with a sensor: noise, blur and compression; depth with noise and holes.",
    "view": "Rebuild a clip's contact sheet and report, or write it for 3D viewers.",
    "evaluate": "Measure a clip: is the noise white, does footage follow the geometry?",
    "bake": "Write a scene's noise as Gaussian textures on a GLB.",
    "export": "Export a clip's noise for other people's models.",
    "dataset": "Make many labeled clips, resumable, in the formats of training code.",
    "train": "Train an embedded-type model on warped noise.",
}
"""Commands in the order of ``--help``; module and command have the same name."""

HELP_WORDS = ["-h", "--help"]
"""Of every command."""


class Terminated(BaseException):
    """The process was asked to end (SIGTERM); unwinds like an interrupt, so that nothing half written stays."""


def write_help(command: click.Command, formatter: click.HelpFormatter) -> None:
    """The docstring; what follows ``Examples:`` keeps its lines."""
    text, found, examples = inspect.cleandoc(command.help or "").partition("Examples:\n")
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(text.strip())
    if found:
        with formatter.section("Examples"):
            for line in examples.strip().splitlines():
                formatter.write(f"{'':{formatter.current_indent}}{line.strip()}\n")


class Command(click.Command):
    """A command whose examples are shown line by line."""

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """``HELP_WORDS``, whatever context asks first: click keeps the option that it makes then."""
        return list(HELP_WORDS)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the docstring."""
        write_help(self, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, by section."""
        write_options(self, ctx, formatter)


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, most used first."""
        return list(COMMANDS)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is asked for; of one that is not there, what may be meant."""
        near = difflib.get_close_matches(args[0], COMMANDS, n=1) if args and args[0] not in COMMANDS else []
        if near:
            ctx.fail(f"No such command '{args[0]}'; did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        return importlib.import_module(f".{cmd_name}", __package__).command

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the docstring."""
        write_help(self, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command line and exit: 0 done, 1 an error of the input, 2 wrong usage, 130 interrupted, 143 terminated."""
        of_the_process = args is None
        args = list(sys.argv[1:] if args is None else args)
        if "_SIM2REAL_COMPLETE" in os.environ or not standalone_mode:
            return super().main(args, prog_name or "sim2real", complete_var, standalone_mode, **extra)
        debug = "--debug" in args or bool(os.environ.get("SIM2REAL_DEBUG"))
        before = signal.signal(signal.SIGTERM, _terminate)
        try:
            with starting(ending=of_the_process):
                code = super().main(args, prog_name or "sim2real", complete_var, standalone_mode=False, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.ctx.get_help() if error.ctx else "", err=True)
            _exit(2)
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else "sim2real"
            message = error.format_message().replace("\n", " ").rstrip(".")
            _fail(f"{message} (see: {path} --help)", 2, debug)
        except (Sim2RealError, click.ClickException) as error:
            _fail(error.format_message() if isinstance(error, click.ClickException) else str(error), 1, debug)
        except (KeyboardInterrupt, click.Abort):
            _fail("interrupted; nothing half written is left", 130, debug)
        except Terminated:
            _fail("terminated; nothing half written is left", 143, debug)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            _exit(141)
        except Exception as error:  # what nobody foresaw: still one line, with the way to the rest
            if isinstance(error, OSError) and error.filename is not None:  # no permission, a name too long, a disk that fails
                _fail(f"{error.strerror}; check the path and its permissions: {error.filename}", 1, debug)
            kind = type(error).__name__
            detail = " ".join(str(error).split())
            _fail(f"{kind}: {detail} (this is a bug in sim2real; please report it with the output of --debug)", 70, debug)
        finally:
            signal.signal(signal.SIGTERM, before)
        _exit(code if isinstance(code, int) else 0)  # what click's Exit says is returned


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


def _fail(message: str, code: int, debug: bool) -> NoReturn:
    if debug:
        traceback.print_exc()
    click.echo(click.style("error: ", fg="red", bold=True) + " ".join(message.split()), err=True)
    _exit(code)


def _exit(code: int) -> NoReturn:
    sys.exit(code)


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": HELP_WORDS, "max_content_width": 110, "show_default": True},
)
@click.version_option(__version__, prog_name="sim2real")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the whole traceback of an error.")
def main() -> None:
    """Turn simulator rollouts into realistic, 3D-consistent, labeled video.

    Examples:
      sim2real run scenes/kitchen.yaml -o out/kitchen
      sim2real render model.xml --states states.npy --camera front -o out/clip
      sim2real render mug.glb --orbit -o out/mug
      sim2real inspect demo.hdf5 --demo demo_0
    """
