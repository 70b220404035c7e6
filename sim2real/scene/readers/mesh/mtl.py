"""What OBJ files and their material files say that trimesh does not pass on, or takes for a part of a picture's name."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ....text_files import text_of

_MAP = re.compile(r"^(\s*)(map_\w+|bump|disp|decal|refl)\s+(-.*)$", re.IGNORECASE)
_UNREAD = re.compile(r"^[ \t]*(p|l|curv|surf)[ \t]", re.MULTILINE)
_NUMBERS = {"-o": 3, "-s": 3, "-t": 3, "-mm": 2}
"""Options with up to so many numbers; all others have one word."""


@dataclass(frozen=True)
class MapOptions:
    """What an MTL file says of how a material's color picture lies: texture coordinates times ``scale`` plus ``offset``."""

    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)
    clamped: bool = False

    @property
    def uv_map(self) -> Float[np.ndarray, "2 3"] | None:
        """An affine map of (u, v, 1); None where they stay."""
        if (self.scale, self.offset) == ((1.0, 1.0), (0.0, 0.0)):
            return None
        return np.array([[self.scale[0], 0, self.offset[0]], [0, self.scale[1], self.offset[1]]])


def obj_notes(path: Path) -> list[str]:
    """A sentence on the points, lines and curved surfaces of an OBJ file; nothing for other files."""
    if path.suffix.lower() != ".obj":
        return []
    found = Counter(word[1] for word in _UNREAD.finditer(text_of(path.read_bytes())))
    kinds = {"p": "point", "l": "line", "curv": "curve", "surf": "curved surface"}
    counts = [f"{found[word]} {what}{'' if found[word] == 1 else 's'}" for word, what in kinds.items() if found[word]]
    return [f"{path.name}: left out, because only faces are read: {', '.join(counts)}"] if counts else []


def without_options(text: str) -> tuple[str, dict[str, MapOptions]]:
    """The text of a material file with nothing but names behind its maps, and the options of ``map_Kd`` by material."""
    lines, options, material = [], {}, ""
    for line in text.split("\n"):
        words = line.split(maxsplit=1)
        if len(words) == 2 and words[0].lower() == "newmtl":
            material = words[1].strip()
        found = _MAP.match(line)
        if found:
            name, said = _split(found[3])
            if found[2].lower() == "map_kd":
                options[material] = said
            line = f"{found[1]}{found[2]} {name}"
        lines.append(line)
    return "\n".join(lines), options


def _split(words: str) -> tuple[str, MapOptions]:
    """The picture's name, which may have spaces, and the options before it."""
    scale, offset, clamped = (1.0, 1.0), (0.0, 0.0), False
    while (found := re.match(r"(-\w+)\s+(.*)$", words)) is not None:
        option, words = found[1].lower(), found[2].strip()
        values, most = [], _NUMBERS.get(option, 0)
        while len(values) < most and (number := re.match(r"([-+.\deE]+)\s+(.*)$", words)) and _number(number[1]) is not None:
            values.append(float(number[1]))
            words = number[2]
        if option == "-s" and values:
            scale = (values[0], values[1] if len(values) > 1 else 1.0)
        elif option == "-o" and values:
            offset = (values[0], values[1] if len(values) > 1 else 0.0)
        elif most == 0:
            word, _, words = words.partition(" ")
            clamped = clamped or (option == "-clamp" and word.lower() == "on")
            words = words.strip()
    return words, MapOptions(scale, offset, clamped)


def _number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= 1e6 else None
