"""Draw the packages of sim2real and what imports what into docs/map.md, from the code: ``python scripts/draw_map.py``.

A line leads from a package to those that it imports, but for those that it reaches through another one anyway.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE, PAGE = ROOT / "sim2real", ROOT / "docs" / "map.md"
BEGIN, END = "<!-- drawn by scripts/draw_map.py -->\n", "<!-- end -->\n"


def imports_of(file: Path) -> set[str]:
    """The packages and modules below sim2real that a file imports, lazily or not."""
    package = ["sim2real", *file.relative_to(PACKAGE).parts[:-1]]
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = [*base, *(node.module or "").split(".")] if node.module else base
            names = [[*stem, alias.name] for alias in node.names] if stem == ["sim2real"] else [stem]
            found |= {parts[1] for parts in names if parts[0] == "sim2real" and len(parts) > 1}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("sim2real.")}
    return found


def packages() -> dict[str, tuple[str, set[str]]]:
    """Every package: the first sentence of its docstring, and the packages that it imports."""
    found = {}
    for folder in sorted(path.parent for path in PACKAGE.glob("*/__init__.py")):
        about = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
        imported = set().union(*(imports_of(file) for file in folder.rglob("*.py"))) - {folder.name}
        found[folder.name] = (about.split("\n")[0].rstrip("."), imported)
    return {name: (about, imported & set(found)) for name, (about, imported) in found.items()}


def drawing() -> str:
    """The house as a Mermaid graph, highest first."""
    house = packages()
    lines = ["```mermaid", "graph TD"]
    lines += [f'  {name}["<b>{name}</b><br/>{about.replace(chr(34), "")}"]' for name, (about, _) in house.items()]
    reached = {name: _below(name, house) for name in house}
    for name, (_, imported) in house.items():
        direct = [other for other in imported if not any(other in reached[between] for between in imported - {other})]
        lines += [f"  {name} --> {other}" for other in sorted(direct)]
    return "\n".join([*lines, "```", ""])


def _below(name: str, house: dict[str, tuple[str, set[str]]]) -> set[str]:
    """All packages that one reaches."""
    below = set(house[name][1])
    for other in house[name][1]:
        below |= _below(other, house)
    return below


def redrawn(page: str) -> str:
    """The page with today's drawing."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + drawing() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(redrawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
