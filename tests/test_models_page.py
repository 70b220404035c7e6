"""docs/models.md says what the code knows of every family."""

import runpy
from pathlib import Path

from sim2real.diffusion.families import families

ROOT = Path(__file__).parents[1]


def test_the_page_is_what_the_facts_write():
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    write = runpy.run_path(str(ROOT / "scripts" / "write_models_page.py"))
    assert write["rewritten"](page) == page, "run: python scripts/write_models_page.py"
    assert all(f"### {name}\n" in page for name in families())


def test_text_of_people_between_the_blocks_is_left_alone():
    write = runpy.run_path(str(ROOT / "scripts" / "write_models_page.py"))
    begin, end = write["BEGIN"], write["END"]
    page = f"# Models\n\n{begin}\nstale facts\n{end}\n\n### wan\n\nBy hand.\n\n{begin}\nstale facts\n{end}\n\nAlso by hand.\n"
    new = write["rewritten"](page)
    assert "By hand." in new and "Also by hand." in new and "stale" not in new and "### wan-vace\n" in new
