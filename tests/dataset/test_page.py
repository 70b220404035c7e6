"""The page of a dataset in a browser: it sorts, finds, shows what failed, and takes a thousand clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim2real.dataset.page import write_page
from sim2real.dataset.plan import Row
from sim2real.dataset.run_clip import StatusRow
from tests.browser import asked, needs_chromium, screenshot

REASON = "<b>borders</b> is 0.41, must be at least 0.9"
NAMES = "[...document.querySelectorAll('.clips tbody tr')].filter((r) => !r.hidden).map((r) => r.cells[1].textContent)"


def written(folder: Path, clips: int) -> tuple[Path, list[float]]:
    """A page of clips that are not there any more; every tenth failed, and the last was never tried."""
    rng = np.random.default_rng(3)
    rows, statuses, figures = [], [], []
    for number in range(clips):
        row = Row(f"clip-{number:04d}", "/a/kitchen.yaml", "", {}, (), number, {"seed": number, "use": "keep"}, None)
        rows.append(row)
        failed, figure = number % 10 == 9, float(rng.uniform(0.3, 1))
        figures.append(figure)
        if number < clips - 1:
            how = ("failed", REASON) if failed else ("ok", "")
            said = StatusRow(row.clip_id, how[0], 1, 1.5, how[1], figures={} if failed else {"borders": figure})
            statuses.append(said)
    return write_page(rows, statuses, folder), figures


@needs_chromium
@pytest.mark.slow
def test_the_table_sorts_by_any_column_both_ways_and_what_lacks_a_value_comes_last(tmp_path):
    page, figures = written(tmp_path, 25)
    heads = asked(page, "return [...document.querySelectorAll('.clips th')].map((h) => h.textContent)", tmp_path)
    assert heads[:3] == ["", "clip", "status"] and "borders" in heads
    have = [k for k in range(24) if k % 10 != 9]
    rest = [f"clip-{k:04d}" for k in range(25) if k not in have]
    for clicks, sign in ((1, 1), (2, -1)):
        click = f"document.querySelectorAll('.clips th')[{heads.index('borders')}].click();"
        shown = asked(page, click * clicks + f"return {NAMES}", tmp_path)
        assert shown == [f"clip-{k:04d}" for k in sorted(have, key=lambda k: sign * round(figures[k], 9))] + rest


@needs_chromium
@pytest.mark.slow
def test_clips_are_found_by_words_and_reasons_are_shown_as_they_are(tmp_path):
    page, _ = written(tmp_path, 25)
    script = (
        "const find = document.querySelector('.find input'); find.value = 'FAILED 001'; find.oninput();"
        f"return [{NAMES}, document.querySelector('.find output').value, document.querySelector('.why').textContent]"
    )
    assert asked(page, script, tmp_path) == [["clip-0019"], "1 of 25", REASON]


@needs_chromium
@pytest.mark.slow
def test_a_thousand_clips_are_sorted_and_found(tmp_path):
    page, _ = written(tmp_path, 1000)
    script = (
        "document.querySelectorAll('.clips th')[1].click();"
        "const find = document.querySelector('.find input'); find.value = 'failed'; find.oninput();"
        f"return [{NAMES}.length, document.querySelectorAll('.clips tbody tr').length]"
    )
    assert asked(page, script, tmp_path) == [99, 1000]
    assert page.stat().st_size < 1_000_000


@needs_chromium
@pytest.mark.slow
def test_the_page_is_light_or_dark_as_the_reader_has_it(tmp_path):
    page, _ = written(tmp_path, 25)
    light, dark = (np.asarray(screenshot(page, tmp_path, dark=dark), float).mean(axis=(0, 1)) for dark in (False, True))
    assert light.min() > 200 and dark.max() < 90
    assert "://" not in page.read_text().replace("http://www.w3.org", ""), "nothing is fetched"
