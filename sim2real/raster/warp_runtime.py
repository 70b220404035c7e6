"""Start Warp quietly, once, and load kernels before threads use them."""

from __future__ import annotations

import threading
from types import ModuleType

import torch
import warp as wp

from ..errors import BadValueError

_lock = threading.Lock()


def checked_device(device: str) -> torch.device:
    """The torch device of that name.

    Raises:
        BadValueError: it is neither ``cpu`` nor a CUDA device of this machine.
    """
    try:
        found = torch.device(device)
    except RuntimeError:
        found = torch.device("meta")
    count = torch.cuda.device_count()
    if found.type == "cuda" and (found.index or 0) < count:
        return torch.device("cuda", torch.cuda.current_device() if found.index is None else found.index)
    if found.type != "cpu":
        valid = "cpu" + (f" or cuda:0 to cuda:{count - 1}" if count else " (no CUDA device is visible here)")
        raise BadValueError("the device", device, right=valid)
    return torch.device("cpu")


def load(module: ModuleType, device: torch.device) -> None:
    """Compile a module's kernels for a device, or take them from Warp's cache (2-3 s the first time, then milliseconds)."""
    with _lock:
        level = max(wp.config.log_level, wp.LOG_WARNING)
        wp.config.log_level = level if torch.cuda.is_available() else wp.LOG_ERROR  # or it warns that there is no driver
        wp.init()
        wp.config.log_level = level
        wp.load_module(module, device=str(device))


def stream_of(device: torch.device) -> wp.Stream | None:
    """Torch's current stream of this thread as Warp's; ``None`` on the CPU."""
    if device.type != "cuda":
        return None
    return wp.stream_from_torch(torch.cuda.current_stream(device))
