"""What the README shows works."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from sim2real.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.S | re.M)
    return [text for kind, text in found if kind == language]


def commands(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("sim2real ")]


def shown() -> list[str]:
    """Command lines of the README and of every command's help."""
    found = [line for block in blocks("bash") for line in commands(block)]
    for name in main.list_commands(click.Context(main)):
        command = main.get_command(click.Context(main), name)
        found += commands((command.help or "").split("Examples:")[-1])
    return found


@pytest.mark.parametrize("line", dict.fromkeys(shown()))
def test_every_command_line_that_is_shown_parses(line):
    _, name, *arguments = shlex.split(line, comments=True)
    command = main.get_command(click.Context(main), name)
    assert command is not None
    command.make_context(name, arguments, parent=click.Context(main))


@pytest.mark.parametrize("source", blocks("python"))
def test_every_python_example_runs(source, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    exec(compile(source, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_every_file_that_is_linked_exists():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing


def test_the_file_tree_names_every_sub_package():
    tree = next(b for b in blocks("") if b.startswith("sim2real/"))
    listed = set(re.findall(r"^  (\w+)/ ", tree, flags=re.M))
    present = {p.parent.name for p in (ROOT / "sim2real").glob("*/__init__.py") if len(list(p.parent.glob("*.py"))) > 1}
    assert listed == present
    for folder in re.findall(r"^(\w+)/ ", tree, flags=re.M):
        assert (ROOT / folder).is_dir()


def test_every_extra_that_a_user_may_want_is_named_with_what_it_is_for():
    section = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[project.optional-dependencies]\n")[2]
    extras = set(re.findall(r"^([a-z]+) = \[", section.partition("\n[")[0], flags=re.M))
    named = set(re.findall(r"\[([a-z]+)\]['`]", README))
    assert "mujoco" in extras and extras - {"dev"} <= named
