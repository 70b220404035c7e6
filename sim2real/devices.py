"""Devices, and what runs on them: Warp is started here, kernels are loaded and launched, arrays uploaded, frames get threads.

Torch and Warp are imported when they are first needed.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .errors import BadValueError

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

_TURN_S = 0.0005
_lock = threading.RLock()
"""Held while Warp is started or a module loaded: Warp does neither from two threads at once."""


def warp_ready() -> None:
    """Initialize Warp without its banner; safe to call any number of times, from any threads."""
    with _lock:  # two at once would mute standard error for good
        _initialize()


def load(module: ModuleType, device: str) -> None:
    """Compile a module's kernels for a device, or take them from Warp's cache (2-3 s the first time, then milliseconds).

    Before threads launch them: kernels that are not loaded are compiled by their first launch.
    """
    import warp as wp

    with _lock:
        warp_ready()
        wp.load_module(module, device=device)


def launch(kernel: Any, dim: int | tuple[int, ...], inputs: Sequence[Any], device: str) -> None:
    """Run a kernel on torch's current stream of a device; on the CPU in this thread, without the interpreter lock."""
    import warp as wp

    wp.launch(kernel, dim, inputs, device=device, stream=_stream_of(device), record_tape=False)


def _stream_of(device: str) -> Any:
    """Torch's current stream of this thread as Warp's; ``None`` on the CPU."""
    if not device.startswith("cuda"):
        return None
    import torch
    import warp as wp

    return wp.stream_from_torch(torch.cuda.current_stream(device))


def row_threads(size: tuple[int, int], device: str) -> tuple[tuple[int, int], int]:
    """How the pixels of a picture are shared out among kernel threads.

    Args:
        size: (height, width) of the picture.
        device: where the kernel runs.

    Returns:
        The launch's shape (rows, threads per row), and how many pixels of a row each thread takes: a whole row on the CPU,
        where starting a thread costs.
    """
    height, width = size
    run = 1 if device.startswith("cuda") else max(width, 1)
    return (height, -(-width // run)), run


def as_warp(array: Tensor | np.ndarray, dtype: Any = None) -> Any:
    """A Warp array over the memory of a torch tensor, or of a numpy array (on the CPU).

    Args:
        array: what is not contiguous is copied; an empty tensor becomes one zero, since Warp wraps no empty vectors.
        dtype: of the Warp array, a vector or matrix for the last dimensions; that of the array by default.
    """
    import numpy as np
    import warp as wp

    if isinstance(array, np.ndarray):
        return wp.array(np.ascontiguousarray(array), dtype=dtype or Any, device="cpu", copy=False)
    if not array.numel():
        array = array.new_zeros((1, *array.shape[1:]))
    array = array.detach().contiguous()
    if array.device.type != "cpu":
        return wp.from_torch(array, dtype=dtype)
    of_tensor = wp.dtype_from_torch(array.dtype)
    own = dtype or of_tensor
    inner = getattr(own, "_shape_", ())
    outer = len(array.shape) - len(inner)
    if getattr(own, "_wp_scalar_type_", own) is not of_tensor or tuple(array.shape[outer:]) != tuple(inner) or outer < 1:
        return wp.from_torch(array, dtype=own)  # which says what does not fit
    made: Any = wp.array(ptr=array.data_ptr(), dtype=own, shape=tuple(array.shape[:outer]), device=_cpu(), copy=False)
    made._tensor = array  # lives as long as its memory is used; ``wp.from_torch`` does the same, and takes twice as long
    return made


@functools.cache
def _cpu() -> Any:
    """Warp's CPU, which takes it longer to find by its name."""
    import warp as wp

    warp_ready()
    return wp.get_device("cpu")


def upload(array: np.ndarray, dtype: Any, device: str) -> Any:
    """A copy of a numpy array as a Warp array in torch's memory of a device."""
    import numpy as np
    import torch

    signed = array.view(f"i{array.dtype.itemsize}") if array.dtype.kind == "u" and array.dtype.itemsize > 1 else array
    return as_warp(torch.from_numpy(np.array(signed, order="C")).to(device), dtype)


def shared(array: np.ndarray, dtype: Any, device: str) -> Any:
    """A numpy array that does not change any more as a Warp array: its own memory on the CPU, a copy elsewhere."""
    if device == "cpu" and array.size and array.flags.writeable and array.flags.c_contiguous:
        return as_warp(array, dtype)
    return upload(array, dtype, device)


def blank(size: tuple[int, int], dtype: Any, device: str) -> Any:
    """An uninitialized picture of float32 or of short vectors of them, in torch's memory of a device."""
    import torch
    import warp as wp

    channels = () if dtype is wp.float32 else (dtype._length_,)
    return as_warp(torch.empty((*size, *channels), dtype=torch.float32, device=device), dtype)


def device_of(tensor: Tensor) -> str:
    """Warp's name of a tensor's device."""
    return "cpu" if tensor.device.type == "cpu" else f"cuda:{tensor.device.index or 0}"


@contextlib.contextmanager
def frame_pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that make frames, of one core each; on an error what has not begun is dropped.

    Args:
        threads: how many frames are made at once. Torch has its own threads back afterwards.
    """
    import torch

    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, "frame", initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(before)


@contextlib.contextmanager
def one_torch_thread() -> Iterator[None]:
    """Let torch compute in the calling thread alone: others are busy, or pictures so small that waking them costs more."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def taking_turns() -> Iterator[None]:
    """Let threads that work on one thing wait for each other half a millisecond at most.

    By default, a thread whose kernel is done waits for five until one that runs Python code makes room for it.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _TURN_S))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


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
    try:
        saved = os.dup(2)
    except OSError:  # a process without one
        yield
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
        finally:
            os.close(nowhere)
        yield
    finally:
        os.dup2(saved, 2)
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
