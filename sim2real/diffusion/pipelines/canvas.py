"""All cameras of a rig as one picture, tile beside tile, so that a model gives them one look; its footage cut apart again."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ...clip import Clip
from ...clip.footage import FrameOf
from ...clip.images import read_png, write_png
from ...errors import BadValueError
from ..edits.part import old_frames
from ..family import ClipFacts, Frames, ModelFamily
from ..options import GenerateOptions

CANVAS = "canvas"
"""The name of its only camera."""


@dataclass(frozen=True)
class ClipCanvas(Clip):
    """A clip with one camera, whose pictures and noise are those of all cameras; row after row, in the order of the cameras.

    Tiles without a camera are black, and have independent noise.

    - ``whole``: the clip.
    - ``rows``, ``columns``: of tiles.
    """

    whole: Clip = field(kw_only=True)
    rows: int = field(kw_only=True)
    columns: int = field(kw_only=True)

    def has(self, camera: str, kind: str) -> bool:
        """Whether all cameras have it."""
        return all(self.whole.has(name, kind) for name in self.whole.cameras)

    def picture(self, camera: str, kind: str, frame: int) -> Any:
        """One frame of all cameras."""
        return self._tiled([self.whole.picture(name, kind, frame) for name in self.whole.cameras], axis=0)

    def latents(
        self, camera: str, which: slice | Sequence[int], draw: int = 0
    ) -> Float[np.ndarray, "latents channels height width"]:
        """Some latents of the noise of all cameras, as float32, by the number of a draw."""
        tiles = [self.whole.latents(name, which, draw) for name in self.whole.cameras]
        numbers = range(len(self.whole.noise(self.whole.cameras[0])))[which] if isinstance(which, slice) else which
        for place in range(len(tiles), self.rows * self.columns):
            tiles.append(np.stack([self._fresh(place, latent, draw, tiles[0].shape[1:]) for latent in numbers]))
        return self._tiled(tiles, axis=2)

    def footage(self, name: str) -> FrameOf:
        """Footage of all cameras that has this name; ``rgb`` is the render."""
        films = [old_frames(self.whole, camera, name) for camera in self.whole.cameras]
        return lambda frame: self._tiled([film(frame) for film in films], axis=0)

    def _fresh(self, place: int, latent: int, draw: int, shape: tuple[int, ...]) -> np.ndarray:
        """The noise of a tile that shows nothing; the same however it is asked for."""
        key = f"canvas/{self.record.seed}/{place}/{latent}/{draw}".encode()
        bits = np.random.Philox(key=int.from_bytes(hashlib.blake2b(key, digest_size=16).digest(), "little"))
        return np.random.Generator(bits).standard_normal(shape, np.float32)

    def _tiled(self, tiles: list[np.ndarray], axis: int) -> np.ndarray:
        """Tiles put together; ``axis`` is that of their height."""
        blank = np.zeros_like(tiles[0])
        tiles = [*tiles, *[blank] * (self.rows * self.columns - len(tiles))]
        rows = [np.concatenate(tiles[k * self.columns : (k + 1) * self.columns], axis + 1) for k in range(self.rows)]
        return np.ascontiguousarray(np.concatenate(rows, axis))

    def tile(self, camera: str) -> tuple[slice, slice]:
        """Where a camera is in the canvas: rows and columns of pixels."""
        height, width = self.whole.record.size
        row, column = divmod(self.whole.cameras.index(camera), self.columns)
        return slice(row * height, (row + 1) * height), slice(column * width, (column + 1) * width)


def canvas_of(clip: Clip, rows: int, columns: int) -> ClipCanvas:
    """All cameras of a clip as one; there have to be enough tiles. What the record says of its camera is the first one's."""
    assert rows * columns >= len(clip.cameras)
    record, (height, width) = clip.record, canvas_size(clip.record.size, rows, columns)
    changed = {"size": (height, width), "cameras": {CANVAS: record.cameras[clip.cameras[0]]}}
    return ClipCanvas(clip.path, record.model_copy(update=changed), whole=clip, rows=rows, columns=columns)


def canvas_size(size: tuple[int, int], rows: int, columns: int) -> tuple[int, int]:
    """(height, width) of a canvas of tiles of a size."""
    return rows * size[0], columns * size[1]


def check_canvas(family: ModelFamily, options: GenerateOptions, clip: Clip | None = None) -> None:
    """Refuse a canvas for models that have no use for one, and one that the cameras do not fit on.

    Raises:
        BadValueError: what is wrong with it.
    """
    if options.canvas is None:
        return
    asked = "x".join(map(str, options.canvas))
    if family.streams:
        right = f"left out for {family.name}: --seed gives all cameras one look"
        raise BadValueError("--canvas", asked, right=right)
    if options.noise == "flow":
        raise BadValueError("--canvas", asked, right="left out with the noise flow")
    if options.camera is not None:
        raise BadValueError("--canvas", asked, right="left out for one camera", fix="or leave out the camera")
    if clip is not None:
        require_tiles(options.canvas, len(clip.cameras), where=clip.path)


def require_tiles(canvas: tuple[int, int], cameras: int, *, where: object = "") -> None:
    """Refuse a canvas with fewer tiles than there are cameras.

    Args:
        canvas: rows and columns.
        cameras: how many.
        where: the clip, if there is one.

    Raises:
        BadValueError: with the number of cameras.
    """
    if cameras > canvas[0] * canvas[1]:
        right = f"at least as many tiles as the clip has cameras ({cameras})"
        raise BadValueError("--canvas", "x".join(map(str, canvas)), right=right, where=where)


def facts_of(clip: Clip, options: GenerateOptions) -> ClipFacts:
    """What a model is asked to make at once: a camera, or the canvas of all."""
    size = clip.record.size if options.canvas is None else canvas_size(clip.record.size, *options.canvas)
    return ClipFacts(clip.frames, size, clip.record.instances)


def canvas_for(clip: Clip, options: GenerateOptions) -> ClipCanvas:
    """The canvas that is asked for."""
    assert options.canvas is not None
    return canvas_of(clip, *options.canvas)


@contextmanager
def cut_apart(canvas: ClipCanvas, frames: Frames) -> Iterator[Callable[[str], Frames]]:
    """The footage of a canvas, camera by camera: of a name, its frames. They are kept on disk, so that memory does not grow."""
    with tempfile.TemporaryDirectory(prefix="sim2real-canvas-") as place:
        files = [Path(place) / f"{frame:06d}.png" for frame in range(canvas.frames)]
        for file, picture in zip(files, frames, strict=True):
            write_png(file, picture)

        def of(camera: str) -> Frames:
            rows, columns = canvas.tile(camera)
            return (read_png(file)[rows, columns] for file in files)

        yield of
