"""The one place where Warp is initialised and devices are named."""

from __future__ import annotations

import functools

from .errors import BadValueError


@functools.cache
def warp_ready() -> None:
    """Initialise Warp without its banner; safe to call any number of times."""
    import warp as wp

    if hasattr(wp.config, "log_level"):
        wp.config.log_level = wp.LOG_ERROR  # a machine without a GPU is no reason for a warning
        wp.init()
        wp.config.log_level = wp.LOG_WARNING
    else:  # before Warp 1.18
        wp.config.quiet = True
        wp.init()


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
