"""The one place where Warp is initialised and devices are named."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator

from .errors import BadValueError


@functools.cache
def warp_ready() -> None:
    """Initialise Warp without its banner; safe to call any number of times."""
    import warp as wp

    if hasattr(wp.config, "log_level"):
        wp.config.log_level = wp.LOG_WARNING
    else:  # before Warp 1.18
        wp.config.quiet = True  # pyright: ignore[reportAttributeAccessIssue]
    with _native_stderr_muted():  # a machine without a GPU is no reason for a warning
        wp.init()


@contextlib.contextmanager
def _native_stderr_muted() -> Iterator[None]:
    """Send what native code writes to standard error to nowhere."""
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(nowhere)
        os.close(saved)


def checked_device(device: str) -> str:
    """A device name that exists here.

    Raises:
        BadValueError: not ``cpu`` or ``cuda``, or no CUDA device is at hand.
    """
    import torch

    kind = device.split(":")[0]
    if kind not in ("cpu", "cuda"):
        raise BadValueError("the device", device, right="cpu or cuda")
    if kind == "cuda" and not torch.cuda.is_available():
        raise BadValueError("the device", device, right="cpu", mend="no CUDA device is available here")
    return device
