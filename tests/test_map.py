"""docs/map.md shows the house as it is."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_map_is_what_the_code_draws():
    page = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
    draw = runpy.run_path(str(ROOT / "scripts" / "draw_map.py"))
    assert draw["redrawn"](page) == page, "run: python scripts/draw_map.py"


def test_every_file_on_the_map_exists():
    page = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
    named = [word.strip("`,.;:()") for word in page.split() if word.strip(",.;:()").startswith("`") and "/" in word]
    bases = (ROOT, ROOT / "sim2real", ROOT / "sim2real" / "diffusion")
    lost = [name for name in named if not any((base / name).exists() for base in bases)]
    assert len(named) > 15 and not lost
