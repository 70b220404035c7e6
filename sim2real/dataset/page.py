"""The page of a dataset: one self-contained file; what was made, how good it is, what failed and why."""

from __future__ import annotations

import base64
import io
import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..clip import read_clip
from ..clip.footage import footage_frame
from ..clip.report import page as clip_page
from ..errors import Sim2RealError
from .gate import AT_LEAST, AT_MOST
from .plan import Row
from .run_clip import Places, StatusRow

THUMBNAIL_PX = 72
"""Height of a picture in the table."""
_BINS = 24
_HERE = Path(__file__).parent
_STATUSES = ("ok", "set aside", "failed", "quarantined", "busy")


def write_page(rows: Sequence[Row], statuses: Sequence[StatusRow], root: Path) -> Path:
    """Write ``report.html``; it needs no network and no other file.

    Args:
        rows: the plan.
        statuses: of the clips that were tried.
        root: the dataset's folder.

    Returns:
        The file written.
    """
    path = root / "report.html"
    work = root / f".report.{os.getpid()}.tmp"
    try:
        with open(work, "w", encoding="utf-8") as file:
            file.writelines(_page(rows, statuses, root))
        work.replace(path)
    finally:
        work.unlink(missing_ok=True)
    return path


def _page(rows: Sequence[Row], statuses: Sequence[StatusRow], root: Path) -> Iterator[str]:
    """The page in pieces, a row of its table at a time."""
    name = root.absolute().name
    style = (Path(clip_page.__file__).parent / "page.css").read_text(encoding="utf-8")
    style += (_HERE / "page.css").read_text(encoding="utf-8")
    by_id = {status.clip_id: status for status in statuses}
    figures = [name for name in (*AT_LEAST, *AT_MOST) if any(name in status.figures for status in statuses)]
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{escape(name)} · sim2real</title><style>{style}</style></head>\n<body><main>'
    )
    yield f'<h1>{escape(name)}</h1><p class="lead">{escape(_sources(rows))}</p>'
    yield _cards(rows, statuses)
    yield _failures(statuses)
    yield from _plots(rows, statuses, figures)
    yield _table_head(rows, figures)
    knobs = _knobs(rows)
    for number, row in enumerate(rows):
        status = by_id.get(row.clip_id, StatusRow(row.clip_id, "failed", 0, 0.0, "not tried yet"))
        yield _table_row(number, row, status, knobs, figures, root)
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    yield f"</tbody></table></div></main><script>{script}</script></body></html>\n"


def _sources(rows: Sequence[Row]) -> str:
    names = list(dict.fromkeys(Path(row.scene).name for row in rows))
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _cards(rows: Sequence[Row], statuses: Sequence[StatusRow]) -> str:
    number = Counter(status.status for status in statuses)
    facts = [("clips planned", str(len(rows)))]
    facts += [(name, str(number[name])) for name in _STATUSES if number[name]]
    if len(rows) > len(statuses):
        facts.append(("not tried yet", str(len(rows) - len(statuses))))
    facts.append(("on disk", _size(sum(status.bytes for status in statuses))))
    made = [status.seconds for status in statuses if status.status in ("ok", "set aside") and status.seconds]
    if made:
        facts.append(("a clip takes", f"{float(np.median(made)):.1f} s"))
    cards = "".join(f'<div class="card"><dt>{k}</dt><dd>{escape(v)}</dd></div>' for k, v in facts)
    return f'<dl class="cards">{cards}</dl>'


def _size(number: int) -> str:
    return f"{number / 1e9:.2f} GB" if number >= 1e8 else f"{number / 1e6:.1f} MB"


def _failures(statuses: Sequence[StatusRow]) -> str:
    """Reasons, most frequent first."""
    found = Counter((status.status, _kind_of(status.reason)) for status in statuses if status.reason)
    if not found:
        return ""
    lines = "".join(
        f'<tr><td class="key">{escape(status)}</td><td class="number">{count}</td><td>{escape(reason)}</td></tr>'
        for (status, reason), count in found.most_common(40)
    )
    return f'<h2>What failed, and what was set aside</h2><div class="scroll"><table>{lines}</table></div>'


def _kind_of(reason: str) -> str:
    """A reason without the value in which clips differ."""
    return "; ".join(re.sub(r" is [-+.\w]+, must be", " must be", part) for part in reason.split("; "))


def _plots(rows: Sequence[Row], statuses: Sequence[StatusRow], figures: Sequence[str]) -> Iterator[str]:
    gate = rows[0].gate if rows else {}
    charts = []
    for name in figures:
        values = [s.figures[name] for s in statuses if math.isfinite(s.figures.get(name, math.nan))]
        if values:
            charts.append(_histogram(name, values, gate.get(name)))
    seconds = [s.seconds for s in statuses if s.status in ("ok", "set aside") and s.seconds]
    if seconds:
        charts.append(_histogram("seconds", seconds, None))
    if charts:
        yield f'<h2>Figures</h2><div class="charts">{"".join(charts)}</div>'


def _histogram(name: str, values: Sequence[float], bound: float | None) -> str:
    """Bars of how many clips have which value; the part that a gate refuses is in another color."""
    reach = np.array([*values, *([] if bound is None else [bound])], np.float64)
    low, high = float(reach.min()), float(reach.max())
    if high <= low:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(values, bins=_BINS, range=(low, high))
    width, height = 288, 92
    bars = []
    for count, left, right in zip(counts, edges[:-1], edges[1:], strict=True):
        x = (left - low) / (high - low) * width
        tall = 0.0 if count == 0 else max(2.0, count / counts.max() * height)
        middle = (left + right) / 2
        refused = bound is not None and (middle < bound if name in AT_LEAST else middle > bound)
        tone = ' class="refused"' if refused else ""
        bars.append(f'<rect x="{x:.1f}" y="{height - tall:.1f}" width="{width / _BINS - 1:.1f}" height="{tall:.1f}"{tone}/>')
    line = ""
    if bound is not None:
        x = (bound - low) / (high - low) * width
        line = f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height}"/>'
    meaning = AT_LEAST.get(name) or AT_MOST.get(name) or "that clips took"
    median = float(np.median(values))
    return (
        f'<figure class="chart"><svg viewBox="0 -2 {width} {height + 3}" role="img" aria-label="{escape(name)}">'
        f'{"".join(bars)}{line}</svg><div class="axis"><span>{low:.3g}</span><span>{high:.3g}</span></div>'
        f"<figcaption>{escape(name)} <span>median {median:.3g} · {escape(meaning)}</span></figcaption></figure>"
    )


def _knobs(rows: Sequence[Row]) -> list[str]:
    """What differs from clip to clip."""
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    return [name for name in names if len({json.dumps(row.values.get(name), sort_keys=True) for row in rows}) > 1]


def _table_head(rows: Sequence[Row], figures: Sequence[str]) -> str:
    titles = ["", "clip", "status", *_knobs(rows), *figures, "seconds", "tries"]
    cells = "".join(f"<th{'' if k == 0 else ' tabindex=0'}>{escape(title)}</th>" for k, title in enumerate(titles))
    return (
        '<h2>Clips</h2><p class="find"><input type="search" placeholder="find, such as failed or restyle" aria-label="find">'
        f'<output></output></p><div class="scroll"><table class="clips"><thead><tr>{cells}</tr></thead><tbody>'
    )


def _table_row(number: int, row: Row, status: StatusRow, knobs: Sequence[str], figures: Sequence[str], root: Path) -> str:
    folder = Places(root).clips / row.clip_id
    finished = status.status in ("ok", "set aside")
    picture = _thumbnail(folder) if finished else ""
    name = escape(row.clip_id)
    link = f'<a href="clips/{name}/report.html">{name}</a>' if finished else name
    state = status.status if status.attempts or finished else "not tried yet"
    why = f'<div class="why">{escape(status.reason)}</div>' if status.reason and status.attempts else ""
    cells = [f"<td>{picture}</td><td>{link}</td>", f'<td><b class="{state.replace(" ", "-")}">{state}</b>{why}</td>']
    cells += [f"<td>{escape(_shown(row.values.get(knob)))}</td>" for knob in knobs]
    cells += [_number(status.figures.get(figure)) for figure in figures]
    cells += [_number(status.seconds or None), f'<td class="number">{status.attempts}</td>']
    return f'<tr data-n="{number}">{"".join(cells)}</tr>\n'


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in value.items())
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: float | None) -> str:
    return '<td class="number"></td>' if value is None else f'<td class="number" data-v="{value}">{value:.4g}</td>'


def _thumbnail(folder: Path) -> str:
    """The middle frame of the first camera: footage, or the render where there is none."""
    try:
        clip = read_clip(folder)
        camera = clip.cameras[0]
        middle = clip.frames // 2
        made = clip.generated(camera)
        if not made and not clip.has(camera, "rgb"):
            return ""
        picture = Image.fromarray(footage_frame(made[-1], middle) if made else clip.rgb(camera, middle))
    except (Sim2RealError, OSError):  # the clip is there, its picture is not: check says which file is at fault
        return "no picture"
    picture.thumbnail((4 * THUMBNAIL_PX, THUMBNAIL_PX))
    data = io.BytesIO()
    picture.convert("RGB").save(data, "JPEG", quality=72, optimize=True)
    code = base64.b64encode(data.getvalue()).decode()
    return f'<img alt="" loading="lazy" width="{picture.width}" height="{picture.height}" src="data:image/jpeg;base64,{code}">'
