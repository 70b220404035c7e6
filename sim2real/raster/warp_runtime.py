"""Load kernels before threads use them, and launch on torch's stream."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import torch
import warp as wp

from ..devices import warp_ready

_lock = threading.Lock()


def load(module: ModuleType, device: str) -> None:
    """Compile a module's kernels for a device, or take them from Warp's cache (2-3 s the first time, then milliseconds)."""
    with _lock:
        warp_ready()
        wp.load_module(module, device=device)


def stream_of(device: str) -> wp.Stream | None:
    """Torch's current stream of this thread as Warp's; ``None`` on the CPU."""
    if not device.startswith("cuda"):
        return None
    return wp.stream_from_torch(torch.cuda.current_stream(device))


def launch(kernel: Any, dim: int | tuple[int, ...], inputs: Sequence[Any], device: str) -> None:
    """Run a kernel on torch's current stream of a device; on the CPU in this thread, without the interpreter lock."""
    wp.launch(kernel, dim, inputs, device=device, stream=stream_of(device), record_tape=False)
