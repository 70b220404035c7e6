"""Figures and facts as JSON that every reader takes."""

from __future__ import annotations

import json
import math
from typing import Any


def json_text(data: Any) -> str:
    """JSON text; numbers that it has no word for, NaN and infinity, are null."""
    return json.dumps(_plain(data), indent=2, ensure_ascii=False, allow_nan=False)


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
