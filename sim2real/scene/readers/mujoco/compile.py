"""MuJoCo's compiler, and what it lets pass: numbers that are not finite, endless sizes, names in no known encoding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ....arrays import first_broken_row
from ....errors import UnreadableFileError
from ....optional import require
from .types import MjModel

_LARGEST = 1e9
"""Metres, or whatever else: a million kilometres."""
_SEEN = {
    "geom": ("size", "pos", "quat", "rgba"),
    "body": ("pos", "quat"),
    "mat": ("rgba", "emission", "specular", "shininess", "metallic", "roughness", "texrepeat"),
    "cam": ("pos", "quat", "fovy", "sensorsize", "intrinsic"),
    "light": ("pos", "dir", "diffuse", "ambient"),
    "mesh": ("vert", "normal", "texcoord"),
    "hfield": ("size", "data"),
    "key": ("qpos", "mpos", "mquat"),
    "jnt": ("pos", "axis"),
    "site": ("size", "pos", "quat", "rgba"),
    "tendon": ("width", "rgba"),
    "skin": ("vert", "texcoord", "rgba", "inflate", "bonebindpos", "bonebindquat", "bonevertweight"),
    "flex": ("vert", "texcoord", "rgba", "radius"),
}
"""Fields of a model on which pictures depend."""
_OF_SEVERAL = ("mesh", "hfield", "skin", "flex")
"""What has many rows of a field each."""
_FIX = "fix the XML or the files that it names"


def compiled(make: Callable[[Any], MjModel], source: object, *, fix: str = _FIX) -> MjModel:
    """A compiled model.

    Args:
        make: calls one of the compiler's functions, which are in the module that it is given.
        source: the model's file, for errors.
        fix: what to do about a model that MuJoCo refuses.

    Raises:
        UnreadableFileError: MuJoCo refuses the model, or it holds what cannot be shown.
        MissingPackageError: mujoco is not installed.
    """
    mujoco = require("mujoco", "mujoco")
    with _warnings(mujoco) as warnings:
        try:
            model = make(mujoco)
        except Exception as error:  # mostly ValueError; other kinds where memory runs out
            why = " ".join([*warnings, str(error)] if warnings else str(error).split()) or type(error).__name__
            raise _unreadable(source, why, fix) from error
    try:
        bytes(model.names).decode()
    except UnicodeDecodeError as error:
        raise _unreadable(source, f"a name is no UTF-8 ({error.reason})") from error
    for kind, fields in _SEEN.items():
        for field in fields:
            values = np.asarray(getattr(model, f"{kind}_{field}"), np.float64)
            if values.size and (row := first_broken_row(values.reshape(len(values), -1), _LARGEST)) is not None:
                which = f"number {row}" if kind in _OF_SEVERAL else f"{kind} {row}"
                raise _unreadable(source, f"{field} of {which} is not finite, or beyond {_LARGEST:g}: {values[row].tolist()}")
    numbers = np.array([model.stat.extent, *model.stat.center, model.vis.map.znear, model.vis.map.zfar], np.float64)
    if not (np.abs(numbers) <= _LARGEST).all() or min(model.stat.extent, model.vis.map.znear) <= 0:
        raise _unreadable(source, f"its extent, center, znear and zfar are {', '.join(f'{n:g}' for n in numbers)}")
    return model


def _unreadable(source: object, why: str, fix: str = _FIX) -> UnreadableFileError:
    return UnreadableFileError(source, what="MuJoCo model", why=why, fix=fix)


@contextmanager
def _warnings(mujoco: Any) -> Iterator[list[str]]:
    """MuJoCo's warnings, which it would write into a file in the current folder."""
    said: list[str] = []
    mujoco.set_mju_user_warning(lambda text: said.append(text.decode() if isinstance(text, bytes) else str(text)))
    try:
        yield said
    finally:
        mujoco.set_mju_user_warning(None)
