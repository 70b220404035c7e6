"""Open Image Denoise by its C interface: pictures of few paths become clean."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from ....errors import UnreadableFileError
from ....fetch import at_hand

_CPU, _FLOAT3 = 1, 3
_POINTER, _SIZE, _NAME = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
_ARGUMENTS: dict[str, list[Any]] = {
    "oidnNewDevice": [ctypes.c_int],
    "oidnSetDeviceInt": [_POINTER, _NAME, ctypes.c_int],
    "oidnCommitDevice": [_POINTER],
    "oidnReleaseDevice": [_POINTER],
    "oidnGetDeviceError": [_POINTER, ctypes.POINTER(_NAME)],
    "oidnNewFilter": [_POINTER, _NAME],
    "oidnSetSharedFilterImage": [_POINTER, _NAME, _POINTER, ctypes.c_int, *[_SIZE] * 5],
    "oidnSetFilterBool": [_POINTER, _NAME, ctypes.c_bool],
    "oidnCommitFilter": [_POINTER],
    "oidnExecuteFilter": [_POINTER],
    "oidnReleaseFilter": [_POINTER],
}


def library_at_hand() -> Path | None:
    """The shared library, if the package ``oidn`` has been fetched (``sim2real.fetch``)."""
    folder = at_hand("oidn")
    found = sorted(folder.rglob("libOpenImageDenoise.so.2")) if folder is not None else []
    return found[0] if found else None


class Oidn:
    """Removes the noise of path-traced radiance.

    Args:
        library: ``libOpenImageDenoise.so.2`` with its neighbors.
        threads: number of threads.
    """

    def __init__(self, library: Path, *, threads: int = 1) -> None:
        try:
            self._calls = _loaded(library)
        except OSError as error:
            fix = "remove the folder, and fetch oidn again on a 64-bit Linux machine"
            raise UnreadableFileError(library, what="Open Image Denoise", why=str(error), fix=fix) from error
        self._device = self._calls.oidnNewDevice(_CPU)
        self._calls.oidnSetDeviceInt(self._device, b"numThreads", threads)
        self._calls.oidnSetDeviceInt(self._device, b"setAffinity", 0)
        self._calls.oidnCommitDevice(self._device)
        self._raise_fault()

    def __call__(
        self,
        light: Float32[np.ndarray, "height width 3"],
        albedo: Float32[np.ndarray, "height width 3"],
        normal: Float32[np.ndarray, "height width 3"],
    ) -> Float32[np.ndarray, "height width 3"]:
        """Clean radiance.

        Args:
            light: noisy radiance.
            albedo: base color, without noise.
            normal: unit vectors in any fixed axes, without noise.
        """
        height, width = light.shape[:2]
        out = np.zeros(light.shape, np.float32)
        images = {"color": light, "albedo": np.clip(albedo, 0, 1), "normal": normal, "output": out}
        held = {name: np.ascontiguousarray(pixels, np.float32) for name, pixels in images.items()}
        calls, filter_ = self._calls, self._calls.oidnNewFilter(self._device, b"RT")
        for name, pixels in held.items():
            calls.oidnSetSharedFilterImage(filter_, name.encode(), pixels.ctypes.data, _FLOAT3, width, height, 0, 0, 0)
        for flag in (b"hdr", b"cleanAux"):
            calls.oidnSetFilterBool(filter_, flag, True)
        calls.oidnCommitFilter(filter_)
        calls.oidnExecuteFilter(filter_)
        calls.oidnReleaseFilter(filter_)
        self._raise_fault()
        return out

    def _raise_fault(self) -> None:
        message = _NAME()
        if self._calls.oidnGetDeviceError(self._device, ctypes.byref(message)):
            raise RuntimeError(f"Open Image Denoise: {(message.value or b'').decode()}")


@functools.cache
def _loaded(library: Path) -> ctypes.CDLL:
    calls = ctypes.CDLL(str(library))
    for name, arguments in _ARGUMENTS.items():
        call = getattr(calls, name)
        call.argtypes = arguments
        call.restype = _POINTER if "New" in name else ctypes.c_int if name.endswith("Error") else None
    return calls
