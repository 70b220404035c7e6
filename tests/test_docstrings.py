"""What docstrings name exists."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "sim2real"


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda f: str(f.relative_to(PACKAGE)))
def test_arguments_in_docstrings_are_arguments(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef):
            continue
        listed = re.search(r"^Args:\n((?:[ ]{4}.*\n?|\n(?=[ ]{4}))*)", ast.get_docstring(node) or "", flags=re.MULTILINE)
        given = node.args
        names = {a.arg for a in [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg] if a}
        named = set(re.findall(r"^    (\w+):", listed.group(1), flags=re.MULTILINE)) if listed else set()
        assert named <= names, f"{file}:{node.lineno}: {node.name} has no {', '.join(sorted(named - names))}"
