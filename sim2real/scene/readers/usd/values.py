"""Values of attributes as arrays, or one line about the attribute that holds something else."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ....errors import UnreadableFileError
from .types import Attribute


def rows_of(attribute: Attribute, time: Any, width: int = 3) -> Float[np.ndarray, "rows width"]:
    """The rows of an attribute; none where it has no value.

    Raises:
        UnreadableFileError: it holds something else.
    """
    found = _array(attribute, time, np.float64)
    if found.size % width:
        raise _broken(attribute)
    return found.reshape(-1, width)


def integers_of(attribute: Attribute, time: Any) -> Int[np.ndarray, "numbers"]:
    """The whole numbers of an attribute; none where it has no value.

    Raises:
        UnreadableFileError: it holds something else.
    """
    return _array(attribute, time, np.int64).ravel()


def number_of(attribute: Attribute, time: Any) -> float:
    """The number that an attribute holds.

    Raises:
        UnreadableFileError: it holds none, or something else.
    """
    found = _array(attribute, time, np.float64)
    if found.size != 1:
        raise _broken(attribute)
    return float(found.reshape(-1)[0])


def _array(attribute: Attribute, time: Any, dtype: type) -> np.ndarray:
    value = attribute.Get(time) if attribute else None
    if value is None:
        return np.zeros(0, dtype)
    try:
        return np.array(value, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise _broken(attribute) from error


def _broken(attribute: Attribute) -> UnreadableFileError:
    where = attribute.GetStage().GetRootLayer().realPath
    why = f"{attribute.GetPath()} holds something else than it should, of type {attribute.GetTypeName()}"
    return UnreadableFileError(where, what="the USD stage", why=why, fix="export it again")
