"""Weights that others publish: their names, licenses, and configurations, which say how much memory they take."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UnreadableFileError
from ..text_files import read_json

CONFIGURATIONS = Path(__file__).parent / "configurations"
"""Published configurations: ``NAME.json`` with ``source``, ``parts`` (configurations as diffusers and transformers have them)
and ``parameters`` (a count per part)."""
_LONGEST_HEADER = 100_000_000
"""Bytes: the limit that the safetensors format sets."""


@dataclass(frozen=True)
class Checkpoint:
    """Weights on a model hub.

    - ``hub_id``: their name there.
    - ``license``: its name, with what it forbids where it forbids much.
    - ``gated``: the hub hands them out to those who have accepted the license on the model's page.
    - ``revision``: of the repository, where it is not the main one.
    - ``configuration``: name of a file in ``CONFIGURATIONS``; None where none is kept.
    """

    hub_id: str
    license: str
    gated: bool = False
    revision: str | None = None
    configuration: str | None = None


def published(name: str) -> dict[str, Any]:
    """A published configuration: ``source``, ``parts`` by name, and ``parameters``, how many each part has."""
    return read_json(CONFIGURATIONS / f"{name}.json", what="the published configuration", fix="install sim2real again")


def parameters_in(folder: Path) -> dict[str, int]:
    """How many parameters the parts of a pipeline in a folder have, from the headers of their safetensors files.

    Parts whose weights are stored otherwise are left out.

    Raises:
        UnreadableFileError: a file is damaged.
    """
    found: dict[str, int] = {}
    for file in sorted(folder.glob("*/*.safetensors")):
        if (
            not any(mark in file.name for mark in (".fp16.", ".bf16.", ".non_ema."))
            or len(list(file.parent.glob("*.safetensors"))) == 1
        ):
            found[file.parent.name] = found.get(file.parent.name, 0) + _parameters(file)
    return found


def _parameters(file: Path) -> int:
    """The sum of the sizes that a safetensors header lists (8 bytes of length, then JSON)."""
    try:
        with file.open("rb") as opened:
            (length,) = struct.unpack("<Q", opened.read(8))
            if length > min(_LONGEST_HEADER, file.stat().st_size):
                raise ValueError(f"its header says that it is {length} bytes long")
            header: Mapping[str, Any] = json.loads(opened.read(length))
        return sum(_product(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise UnreadableFileError(file, what="the weights", why=why, fix="copy or download them again") from error


def _product(shape: list[int]) -> int:
    product = 1
    for side in shape:
        product *= int(side)
    return product
