"""Pictures that a stage's materials name, wherever USD's resolver finds them: beside the file, or in the package."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ....arrays import reason
from ....errors import UnreadableFileError
from ....optional import require
from ..mesh.materials import pixels

_NOT_READ = (".exr", ".hdr", ".tex", ".tx", ".ptx", ".ktx", ".dds", ".svg")


def picture_of(asset: Any, what: str, notes: list[str], files: list[Path]) -> UInt8[np.ndarray, "height width channels"] | None:
    """The picture of an asset path; ``None``, with a note, where it is missing or of a kind that is not read.

    Args:
        asset: what an attribute of asset type holds.
        what: whose it is, for notes and errors.
        notes: gets a sentence where it cannot be had.
        files: gets the file that it was read from.

    Raises:
        UnreadableFileError: it is damaged.
    """
    if asset is None or not asset.path:
        return None
    named = str(asset.path)
    if "<UDIM>" in named:
        notes.append(f"{what}: its texture is in tiles (UDIM), which are not read; its color is used instead: {named}")
        return None
    if Path(named).suffix.lower() in _NOT_READ:
        notes.append(f"{what}: textures of this kind are not read; its color is used instead: {named}")
        return None
    data = _bytes(str(asset.resolvedPath), files)
    if data is None:
        notes.append(f"{what}: its texture is missing; its color is used instead: {named}")
        return None
    try:
        image = Image.open(io.BytesIO(data))
    except Exception as error:  # headers of every format have errors of their own
        why, fix = reason(error).split(" <")[0], "use a PNG or JPEG picture"
        raise UnreadableFileError(named, what="texture", why=why, fix=fix) from error
    return pixels(image, what, notes, Path(named))


def _bytes(resolved: str, files: list[Path]) -> bytes | None:
    if not resolved:
        return None
    ar = require("pxr.Ar", "usd")
    asset = ar.GetResolver().OpenAsset(ar.ResolvedPath(resolved))
    if not asset:
        return None
    outer = Path(resolved.split("[")[0])
    if outer.is_file():
        files.append(outer)
    with asset as opened:
        return bytes(opened.GetBuffer())
