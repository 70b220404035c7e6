"""The one place where Warp is initialized and devices are named."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import BadValueError

_lock = threading.Lock()


def warp_ready() -> None:
    """Initialize Warp without its banner; safe to call any number of times, from any threads."""
    with _lock:  # two at once would mute standard error for good
        _initialize()


@functools.cache
def _initialize() -> None:
    import warp as wp

    if hasattr(wp.config, "log_level"):
        wp.config.log_level = wp.LOG_WARNING
    else:  # before Warp 1.18
        wp.config.quiet = True  # pyright: ignore[reportAttributeAccessIssue]
    _place_kernels(wp.config)
    with _native_stderr_muted():  # a machine without a GPU is no reason for a warning
        wp.init()


def _place_kernels(config: Any) -> None:
    """Let compiled kernels be kept in a temporary folder where the user's cache folder cannot be written."""
    if config.kernel_cache_dir is not None or os.environ.get("WARP_CACHE_PATH"):
        return
    if _writable(Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "warp")):
        return
    config.kernel_cache_dir = tempfile.mkdtemp(prefix="sim2real-kernels-")
    atexit.register(shutil.rmtree, config.kernel_cache_dir, ignore_errors=True)
    sys.stderr.write("note: the cache folder cannot be written; kernels are compiled again in every run\n")


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except (OSError, RuntimeError):
        return False


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
        raise BadValueError("the device", device, right="cpu", fix="no CUDA device is available here")
    return device
