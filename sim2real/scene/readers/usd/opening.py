"""Opening a stage: what USD finds wrong comes as one line, and nothing of it is printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ....errors import MissingFileError, Sim2RealError, UnreadableFileError
from ....optional import require
from .types import Stage

_FIX = "open it in usdview, and save it again"
_COLLECT = "put the file there, or save the stage with what it refers to (flattened, or collected)"

_NAMED = re.compile(r"@([^@]*)@")
_SAID = re.compile(r" in file \S+ : '(.*?)'(?= Error in |$)")
_LONGEST = 300


@contextmanager
def quiet(path: Path) -> Iterator[None]:
    """Keep USD's own diagnostics from being printed, and turn its errors into one line.

    Raises:
        UnreadableFileError: USD refuses something of the file.
    """
    utils, tf = require("pxr.UsdUtils", "usd"), require("pxr.Tf", "usd")
    delegate = utils.CoalescingDiagnosticDelegate()
    try:
        yield
    except (tf.ErrorException, UnicodeDecodeError) as error:
        raise UnreadableFileError(path, what="the USD stage", why=_why(error, path), fix=_FIX) from error
    finally:
        delegate.TakeUncoalescedDiagnostics()
        del delegate


def opened(path: Path) -> Stage:
    """The stage of a file, with everything that it refers to; within ``quiet``, which says what of the file is damaged.

    Layers that a scene still holds open are read again if their files have changed.

    Raises:
        UnreadableFileError: it refers to itself, or to a prim that there is not.
        MissingFileError: a layer that it refers to is not there.
        MissingPackageError: usd-core is not installed.
    """
    stage = require("pxr.Usd", "usd").Stage.Open(str(path.absolute()))
    stage.Reload()
    for error in stage.GetCompositionErrors():
        raise _of_composition(error, path)
    return stage


def used_files(stage: Stage) -> list[Path]:
    """The files of all layers, the stage's own first."""
    root = Path(stage.GetRootLayer().realPath)
    layers = (str(layer.realPath).split("[")[0] for layer in stage.GetUsedLayers())
    files = sorted({Path(name) for name in layers if name} - {root})
    return [root, *(file for file in files if file.is_file())]


def _of_composition(error: Any, path: Path) -> Sim2RealError:
    """What composing a stage stumbled over."""
    kind, said = type(error).__name__, " ".join(str(error).split())
    named = _NAMED.search(said)
    if named and ("AssetPath" in kind or "SublayerPath" in kind):
        return MissingFileError(f"{named[1]} ({path})", what=f"a layer that {path.name} refers to", fix=_COLLECT)
    why = "its layers or references form a circle" if "Cycle" in kind else said.rstrip(".")
    return UnreadableFileError(path, what="the USD stage", why=why, fix=_FIX)


def _why(error: Exception, path: Path) -> str:
    """USD's first error without the places in its source code."""
    try:
        said = _SAID.search(" ".join(str(error).split()))
    except UnicodeDecodeError:  # it quotes the file
        return "it holds text that is not UTF-8"
    why = re.sub(r"pxrInternal\w*(::\w+)*", "", said[1] if said else "")
    why = " ".join(why.replace(str(path.absolute()), path.name).replace("'", "").split())[:_LONGEST].rstrip(" .:;")
    return why if why and not why.startswith("Failed to open layer") else "it is damaged, or no USD file"
