"""Commands without the collector of cycles at both ends: what torch and Warp define stays, and walking it takes two seconds."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def starting(*, ending: bool) -> Iterator[None]:
    """Collect no cycles inside, until :func:`started` is called.

    Args:
        ending: the process ends with the command, so that nothing is collected on its way out; otherwise all is as before.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if ending:
            gc.disable()
            gc.freeze()
        elif before:
            gc.unfreeze()
            gc.enable()


def started() -> None:
    """Work begins: collect cycles from here on, but never look at what is there already."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
