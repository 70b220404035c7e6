"""Options that the help lists under a heading of their own."""

from __future__ import annotations

from typing import Any

import click


class SectionOption(click.Option):
    """An option with the name of its section."""

    def __init__(self, *args: Any, section: str, **about: Any) -> None:
        """Take what click's options take, and the section."""
        super().__init__(*args, **about)
        self.section = section


def write_options(command: click.Command, context: click.Context, formatter: click.HelpFormatter) -> None:
    """The options without a section, then those with one, under its name."""
    rows: dict[str, list[tuple[str, str]]] = {"Options": []}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option):
            rows.setdefault(getattr(parameter, "section", "Options"), []).append(record)
    for section, lines in rows.items():
        if lines:
            with formatter.section(section):
                formatter.write_dl(lines)
