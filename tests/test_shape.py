"""Functions that can be called without counting, modules read in one sitting, folders that can be looked through."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "sim2real"
MOST_PARAMETERS, MOST_LINES, MOST_FILES = 8, 400, 14
PACKAGES = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def files_of(package: str) -> list[Path]:
    """The modules of a sub-package, or those beside the packages."""
    return sorted(PACKAGE.glob("*.py") if package == "." else (PACKAGE / package).rglob("*.py"))


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Names of what a caller may pass; of Warp's kernels, which are launched with one list, none."""
    if any(ast.unparse(decorator).startswith("wp.") for decorator in function.decorator_list):
        return []
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [one.arg for one in every if one is not None and one.arg not in ("self", "cls")]


@pytest.mark.parametrize("package", [".", *PACKAGES])
def test_no_function_has_more_than_eight_parameters(package):
    for file in files_of(package):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                names = parameters(node)
                assert len(names) <= MOST_PARAMETERS, f"{file}:{node.lineno} {node.name}: group {', '.join(names)} in a record"


@pytest.mark.parametrize("package", [".", *PACKAGES])
def test_no_module_is_longer_than_four_hundred_lines(package):
    for file in files_of(package):
        lines = len(file.read_text(encoding="utf-8").splitlines())
        assert lines <= MOST_LINES, f"{file} has {lines} lines: one concept per file"


@pytest.mark.parametrize("folder", ["scene", "noise", "diffusion", "raster", "flow", "clip", "render", "video", "training"])
def test_a_package_is_not_a_heap(folder):
    assert len(list((PACKAGE / folder).glob("*.py"))) <= MOST_FILES, f"group the files of sim2real/{folder}"


def test_parameters_are_counted_without_self_and_without_kernels():
    source = """
class Thing:
    def of(self, a, *, b, **rest): ...
@wp.kernel
def kernel(a: int, b: int): ...
"""
    found = {n.name: parameters(n) for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)}
    assert found == {"of": ["a", "b", "rest"], "kernel": []}
