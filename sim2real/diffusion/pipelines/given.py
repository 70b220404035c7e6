"""What a pipeline is given of one camera, before it takes the form that the pipeline wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8

from ...arrays import reason
from ...clip import Clip
from ...errors import BadValueError, MissingFileError, UnreadableFileError
from ..controls import ControlVideo, control_video, require_aligned, stacked
from ..family import Inputs, NoiseOf
from ..large_models import RENDERED
from ..options import GenerateOptions

Picture = UInt8[np.ndarray, "height width 3"]
Film = UInt8[np.ndarray, "frames height width 3"]
_LARGEST = 8192
"""Pixels of the longer side of a picture that a user may hand in."""
_SAME_ASPECT = 0.02


@dataclass(frozen=True, eq=False)
class PipelineInputs(Inputs):
    """All that any pipeline is given; families take what is theirs.

    - ``draw``: the noise by the number of a draw: 0 is ``noise``, others are for samplers that add noise at every step.
    - ``frames``, ``size``, ``fps``: of the footage.
    - ``controls``, ``weights``: control videos by name, and how much each counts.
    - ``rgb``: the render or the video, where the family starts from it or keeps parts of it.
    - ``kept``: pixels that stay as they are in ``rgb``.
    - ``first_frame``, ``references``: pictures that were handed in; the first frame in the footage's size.
    - ``source``: footage that is turned into noise; None where footage begins from the clip's noise alone.
    - ``asked``: prompt, negative_prompt, steps, guidance, strength, timesteps, eta and seed, with the family's usual values
      filled in; source_prompt, where there is a ``source``.
    """

    draw: Callable[[int], NoiseOf]
    frames: int
    size: tuple[int, int]
    fps: float
    controls: Mapping[str, ControlVideo]
    weights: Mapping[str, float]
    rgb: UInt8[np.ndarray, "frames height width 3"] | None
    kept: Bool[np.ndarray, "frames height width"] | None
    first_frame: Picture | None
    references: tuple[UInt8[np.ndarray, "_ _ 3"], ...]
    asked: Mapping[str, Any]
    source: Film | None = None


def controls_of(clip: Clip, camera: str, weights: Mapping[str, float]) -> dict[str, ControlVideo]:
    """The control videos, each of the footage's size and length."""
    videos = {name: control_video(clip, camera, name) for name in weights}
    for name, video in videos.items():
        require_aligned(video, clip.frames, clip.record.size, name)
    return videos


def kept_pixels(clip: Clip, camera: str, options: GenerateOptions) -> Bool[np.ndarray, "frames height width"] | None:
    """Where the classes or instances of ``--keep`` are; None where nothing is kept."""
    if not options.keep:
        return None
    from ..families.embedded.surfaces import is_called

    ids = [one.id for one in clip.record.instances if any(is_called(pattern, one) for pattern in options.keep)]
    return np.isin(stacked(clip, camera, "instances"), ids)


def continued(given: PipelineInputs, before: Film) -> PipelineInputs:
    """The same, but its first frames are those that are made already, kept as they are: for models that fill in masks.

    Args:
        given: of a window.
        before: its first frames, as the window before has them.
    """
    kept = np.zeros((given.frames, *given.size), bool) if given.kept is None else given.kept.copy()
    rgb = np.zeros((*kept.shape, 3), np.uint8) if given.rgb is None else given.rgb.copy()
    kept[: len(before)], rgb[: len(before)] = True, before
    return replace(given, kept=kept, rgb=rgb)


def first_frame_of(clip: Clip, camera: str, options: GenerateOptions) -> Picture | None:
    """The first frame that was asked for, in the footage's size."""
    asked = options.large.first_frame
    if asked is None:
        return None
    return clip.rgb(camera, 0) if str(asked) == RENDERED else fitted(read_picture(Path(asked)), clip.record.size, Path(asked))


def read_picture(path: Path) -> Picture:
    """A picture file that a user hands in, as sRGB.

    Raises:
        MissingFileError: it does not exist.
        UnreadableFileError: it is no picture, or a huge one.
    """
    from PIL import Image

    if not path.is_file():
        raise MissingFileError(path, what="the picture")
    try:
        with Image.open(path) as opened:
            if max(opened.size) > _LARGEST:
                raise ValueError(f"it is {opened.width}x{opened.height} pixels, more than {_LARGEST} to a side")
            return np.array(opened.convert("RGB"))
    except Exception as error:  # each format has errors of its own
        raise UnreadableFileError(path, what="the picture", why=reason(error), fix="pass a PNG or JPEG") from error


def fitted(picture: Picture, size: tuple[int, int], path: Path) -> Picture:
    """A picture in the footage's size; one of another shape is refused, as it would be distorted.

    Raises:
        BadValueError: its sides have another ratio.
    """
    height, width = picture.shape[:2]
    if (height, width) == size:
        return picture
    if abs(width / height / (size[1] / size[0]) - 1) > _SAME_ASPECT:
        right = f"in the ratio of the clip's {size[0]}x{size[1]}"
        raise BadValueError("the picture's size", f"{height}x{width}", right=right, fix="crop it", where=path)
    from PIL import Image

    return np.array(Image.fromarray(picture).resize((size[1], size[0]), Image.Resampling.LANCZOS))
