"""The pictures and arrays of a clip folder, one file format each, read and written."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import numpy as np
import OpenEXR
from jaxtyping import Bool, Float, Float16, Float32, Shaped
from PIL import Image

from ..arrays import reason
from ..errors import BadValueError, MissingFileError, UnreadableFileError
from ..exr import read_exr

_WRITERS = 4
_MEND = "render the clip again"


def write_png(path: Path, picture: Shaped[np.ndarray, "height width ..."]) -> None:
    """Write uint8 gray, uint8 RGB or uint16 gray; quick compression, since clips hold thousands."""
    if picture.dtype not in (np.uint8, np.uint16):
        raise BadValueError("the picture's type", picture.dtype, right="uint8 or uint16")
    Image.fromarray(np.ascontiguousarray(picture)).save(path, format="PNG", compress_level=1)


class PictureWriter:
    """Writes PNGs in threads beside whoever makes the pictures; few wait at a time, so that memory does not grow."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_WRITERS, "pictures")
        self._waiting: deque[Future[None]] = deque()

    def write(self, path: Path, picture: Shaped[np.ndarray, "height width ..."]) -> None:
        """Write a picture, as ``write_png``; raises what went wrong with an earlier one."""
        while len(self._waiting) >= 2 * _WRITERS:
            self._waiting.popleft().result()
        self._waiting.append(self._threads.submit(write_png, path, np.array(picture)))

    def __enter__(self) -> PictureWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._threads.shutdown(cancel_futures=error is not None)
        if error is None:
            for one in self._waiting:
                one.result()


def read_png(path: Path) -> Shaped[np.ndarray, "height width ..."]:
    """Read what ``write_png`` wrote, with the same type and shape."""
    try:
        with Image.open(path) as picture:
            return np.array(picture)
    except FileNotFoundError as error:
        raise MissingFileError(path, what="picture", fix=_MEND) from error
    except Exception as error:  # headers, chunks and compression each have errors of their own
        raise UnreadableFileError(path, what="the picture", why=reason(error).split(" '")[0], fix=_MEND) from error


def write_depth(path: Path, depth_m: Float32[np.ndarray, "height width"]) -> None:
    """Write metric depth as an EXR with one float32 channel Z, lossless."""
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {"Z": np.ascontiguousarray(depth_m, np.float32)}) as file:
        file.write(str(path))


def read_depth(path: Path) -> Float32[np.ndarray, "height width"]:
    """Read metric depth from channel Z."""
    if not Path(path).is_file():
        raise MissingFileError(path, what="depth", fix=_MEND)
    channels = read_exr(path, what="the depth", fix=_MEND)
    if "Z" not in channels:
        raise UnreadableFileError(path, what="the depth", why="it has no channel Z", fix=_MEND)
    return channels["Z"]


def write_light(path: Path, light: Float[np.ndarray, "height width 3"]) -> None:
    """Write linear light as an EXR of half floats; what is brighter than they can be is as bright as they can."""
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    half = as_stored(light)
    with OpenEXR.File(header, {"RGB": np.ascontiguousarray(half)}) as file:
        file.write(str(path))


def as_stored(light: Float[np.ndarray, "height width 3"]) -> Float16[np.ndarray, "height width 3"]:
    """Light as files hold it."""
    return np.clip(light, 0, np.finfo(np.float16).max).astype(np.float16)


def read_light(path: Path) -> Float32[np.ndarray, "height width 3"]:
    """Read linear light."""
    if not Path(path).is_file():
        raise MissingFileError(path, what="light", fix=_MEND)
    channels = read_exr(path, what="the light", fix=_MEND, separate=False)
    if "RGB" not in channels:
        raise UnreadableFileError(path, what="the light", why="it has no channels R, G and B", fix=_MEND)
    return channels["RGB"].astype(np.float32)


def write_flow(path: Path, forward_px: Float[np.ndarray, "height width 2"], visible: Bool[np.ndarray, "height width"]) -> None:
    """Write the motion (x, y) in pixels to the next frame, and where its end is visible."""
    np.savez_compressed(path, forward=np.asarray(forward_px, np.float32), visible=visible)


def read_flow(path: Path) -> tuple[Float32[np.ndarray, "height width 2"], Bool[np.ndarray, "height width"]]:
    """Read what ``write_flow`` wrote."""
    if not Path(path).is_file():
        raise MissingFileError(path, what="flow", fix=_MEND)
    try:
        with np.load(path) as arrays:
            return arrays["forward"], arrays["visible"]
    except Exception as error:  # archives, headers and names each have errors of their own
        raise UnreadableFileError(path, what="the flow", why=reason(error), fix=_MEND) from error


def read_noise(path: Path) -> Float32[np.ndarray, "latents channels height width"]:
    """Open ``noise.npy`` as a read-only memory map."""
    if not Path(path).is_file():
        raise MissingFileError(path, what="noise", fix=_MEND)
    values = open_noise(path, fix=_MEND)
    if values.ndim != 4 or not values.size:
        raise UnreadableFileError(path, what="the noise", why=f"it is an array of shape {values.shape}", fix=_MEND)
    return values


def open_noise(path: Path, *, fix: str) -> Float[np.ndarray, "..."]:
    """Open anybody's array of noise, of any float type, as a read-only memory map.

    Raises:
        UnreadableFileError: it is damaged, or no array of floats.
    """
    try:
        values: object = np.load(path, mmap_mode="r")
    except Exception as error:  # headers and archives each have errors of their own
        raise UnreadableFileError(path, what="the noise", why=reason(error), fix=fix) from error
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f":
        kind = f"an array of {values.dtype}" if isinstance(values, np.ndarray) else "several arrays"
        raise UnreadableFileError(path, what="the noise", why=f"it is {kind}", fix=fix)
    return values


class NoiseWriter:
    """Writes a ``noise.npy`` latent by latent, in any order, from any thread.

    The room is reserved first, so that a full disk is reported at the start (a memory map would kill the process later).
    """

    def __init__(self, path: Path, shape: tuple[int, int, int, int]) -> None:
        self._shape = shape
        self._latent_bytes = int(np.prod(shape[1:])) * 4
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            with os.fdopen(os.dup(self._fd), "wb") as file:
                header = {"descr": "<f4", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
                self._offset = file.tell()
            if size := self._latent_bytes * shape[0]:
                os.posix_fallocate(self._fd, self._offset, size)
        except BaseException:
            os.close(self._fd)
            raise

    def write(self, latent: int, noise: Float32[np.ndarray, "channels height width"]) -> None:
        """Write one latent frame."""
        if noise.shape != self._shape[1:] or not 0 <= latent < self._shape[0]:
            raise BadValueError(
                "the noise", f"{noise.shape} at {latent}", right=f"{self._shape[1:]} at 0 to {self._shape[0] - 1}"
            )
        data = memoryview(np.ascontiguousarray(noise, "<f4").tobytes())
        at = self._offset + latent * self._latent_bytes
        while data:
            written = os.pwrite(self._fd, data, at)
            data, at = data[written:], at + written

    def __enter__(self) -> NoiseWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._fd)
