"""All cameras of a rig in one picture: what is refused, and how the footage of the picture becomes each camera's own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..clip import Clip
from ..clip.canvas import ClipCanvas, canvas_of, canvas_size
from ..clip.images import read_png, write_png
from ..errors import BadValueError
from .family import ClipFacts, Frames, ModelFamily
from .options import GenerateOptions


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
    if clip is not None and not len(clip.cameras) <= options.canvas[0] * options.canvas[1]:
        right = f"at least as many tiles as the clip has cameras ({len(clip.cameras)})"
        raise BadValueError("--canvas", asked, right=right, where=clip.path)


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
