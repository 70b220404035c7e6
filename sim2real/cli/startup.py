"""Start-up of a command without the collector of cycles: what torch and Warp define stays, and walking it takes a while."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def starting() -> Iterator[None]:
    """Collect no cycles inside, until :func:`started` is called; afterwards all is as before."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.unfreeze()
            gc.enable()


def started() -> None:
    """Work begins: collect cycles from here on, but never look at what is there already."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
