"""``sim2real families``."""

from __future__ import annotations

from typing import Any

import click

from .main import Command
from .options import debug_option


@click.command("families", cls=Command)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="All facts as JSON.")
@debug_option
def command(name: str | None, as_json: bool) -> None:
    """List the families of video models: what runs here, what each takes, and what was verified how.

    NAME, a family, a hub id or a model's folder, shows all that is known of one family.

    Examples:
      sim2real families
      sim2real families wan-vace
      sim2real families --json
    """
    from ..diffusion.families import families, family_of
    from ..diffusion.families.table import facts_of
    from .json_text import json_text

    rows = [facts_of(family) for family in ([family_of(name)] if name else families().values())]
    if as_json:
        click.echo(json_text(rows[0] if name else rows))
    elif name:
        _show_one(rows[0])
    else:
        _show_all(rows)


def _show_all(rows: list[dict[str, Any]]) -> None:
    """A line per family."""
    table = [("family", "runs", "follows", "frames", "size", "verified")]
    for row in rows:
        size = f"multiples of {row['size_multiple']}" if row["size_multiple"] > 1 else "any"
        table.append(
            (row["name"], "yes" if row["runs"] else "export", row["follows"], row["frames"], size, "; ".join(row["verified"]))
        )
    widths = [max(len(line[column]) for line in table) for column in range(5)]
    for line in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, [*widths, 0], strict=True)).rstrip())
    click.echo("\nsim2real families NAME shows one; none of the large models was tried with its real weights here.")


def _show_one(row: dict[str, Any]) -> None:
    """A line per fact."""
    width = max(map(len, row)) + 2
    for key, value in row.items():
        if key == "checkpoints":
            continue
        said = "; ".join(f"{name}: {shows}" for name, shows in value.items()) if isinstance(value, dict) else _plain(value)
        click.echo(f"{key.replace('_', ' '):<{width}}{said}")
    for one in row["checkpoints"]:
        memory = f", {one['weights_bytes'] / 1e9:.1f} GB of weights" if "weights_bytes" in one else ""
        gated = ", gated" if one["gated"] else ""
        click.echo(f"{'weights':<{width}}{one['hub_id']}: {one['license']}{gated}{memory}")


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return (
        {True: "yes", False: "no", None: "none"}.get(value, str(value)) if isinstance(value, (bool, type(None))) else str(value)
    )
