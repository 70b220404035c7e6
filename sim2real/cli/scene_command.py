"""Commands that read a scene: with the options that the reader of this very scene has."""

from __future__ import annotations

from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

import click

from .main import Command
from .types import Names, Numbers

if TYPE_CHECKING:
    from ..scene.readers.registry import OwnOption

_OWN = "sim2real.reader"
"""Where a context keeps the parameters that the scene's reader adds."""


class SceneCommand(Command):
    """A command whose SCENE brings the options of its reader, in the help too: ``sim2real render SCENE --help``."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Those of the command, and those of the scene's reader once the scene is known."""
        return [*super().get_params(ctx), *ctx.meta.get(_OWN, ())]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the scene, then parse with its reader's options."""
        found = self._scene(ctx, list(args))
        if found is not None:
            ctx.meta[_OWN] = _parameters(found)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if found is not None:
                _refuse_foreign(found, error.option_name)
            raise

    def _scene(self, ctx: click.Context, args: list[str]) -> Path | None:
        """The first argument that a reader takes by its suffix, whatever unknown options there are around it."""
        with click.Context(self, ignore_unknown_options=True) as loose:
            try:
                given, others, _ = self.make_parser(loose).parse_args(args)
            except click.UsageError:
                given, others = {}, []
        words = [given.get("scene"), *others]
        if not any(isinstance(word, str) for word in words):
            return None
        from ..scene.readers.registry import takes

        return next((path for path in (Path(word) for word in words if isinstance(word, str)) if takes(path)), None)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, and where to find those that are not shown."""
        super().format_options(ctx, formatter)
        if _OWN not in ctx.meta:
            with formatter.section("Options of the scene's reader"):
                formatter.write_text(f"{ctx.command_path} SCENE --help shows them, such as --states, --demo, --asset-root.")


def own_names(scene: Path) -> tuple[str, ...]:
    """The options that the reader of a scene adds."""
    from ..scene.readers.registry import own_options_of

    return tuple(own_options_of(scene))


def _parameters(scene: Path) -> list[click.Parameter]:
    from ..scene.readers.registry import own_options_of

    return [_parameter(option) for option in own_options_of(scene).values()]


def _parameter(option: OwnOption) -> click.Option:
    """An option of a reader as click has it."""
    kinds = get_args(option.type) if get_origin(option.type) in (Union, UnionType) else (option.type,)
    about: dict[str, Any] = {"metavar": option.metavar, "help": option.help}
    if bool in kinds:
        return click.Option([option.said_as], is_flag=True, default=None, help=option.help)
    if Path in kinds:
        return click.Option([option.said_as], type=click.Path(path_type=Path), **about)
    if several := next((get_args(kind)[0] for kind in kinds if get_origin(kind) is tuple), None):
        if several is str:
            return click.Option([option.said_as], type=Names(), multiple=True, callback=_joined, **about)
        return click.Option([option.said_as], type=Numbers(), **about)
    (plain,) = (kind for kind in kinds if kind is not type(None))
    return click.Option([option.said_as], type=plain, **about)


def _joined(ctx: click.Context, param: click.Parameter, value: tuple[tuple[str, ...], ...]) -> tuple[str, ...] | None:
    """The names of an option that was given several times."""
    return tuple(name for names in value for name in names) or None


def _refuse_foreign(scene: Path, option: str) -> None:
    """Refuse an option of another reader with its name; leave others to click."""
    from ..scene.readers.registry import READERS, check_own, own_options, takers_of

    name = option.lstrip("-").replace("-", "_")
    if any(name in own_options(other) for other in READERS):
        check_own(takers_of(scene)[0], {name: "given"}, scene)
