"""What a recording has of a camera's pictures, frame after frame: compressed pictures, metric depth, labels."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Integer, UInt8
from PIL import Image

from ....kinds import pictures
from ...folder import Clip
from ...footage import footage_pictures
from ...formats import format_of
from ...images import read_png
from ...sensed import sensed_of
from ...video import coarsened, noise_picture, read_video
from ..colors import id_colors
from ..sheet import seen_depths

_QUALITY = 88
"""Of JPEG."""
_FINEST = 1000.0
"""Steps of depth per metre, fewer where it reaches beyond what 16 bits hold."""
_NOISE_WIDTH = 256
"""Wider noise is coarsened: it cannot be compressed, and nobody sees its grains."""
_LOSSLESS = ("edges",)
"""Kinds that JPEG would smear."""


@dataclass(frozen=True)
class Track:
    """Pictures of one kind of one camera.

    - ``name``: of the entity below the camera's; slashes divide it.
    - ``pictures``: one archetype of Rerun's per frame; ``None`` where the last one goes on. They may end before the clip does.
    - ``usual``: shown when the recording is opened; others are a tab away.
    """

    name: str
    pictures: Iterator[Any]
    usual: bool = True


def tracks_of(rr: Any, clip: Clip, camera: str) -> list[Track]:
    """All pictures that a camera's folder holds, what is looked at most first; files are read as the tracks are followed.

    Args:
        rr: the package ``rerun``.
        clip: the clip folder.
        camera: one of its cameras.
    """
    depths = seen_depths(clip, camera)
    shown = [kind for kind in pictures() if format_of(kind.name).is_picture and clip.has(camera, kind.name)]
    tracks = [Track(kind.name, _of_kind(rr, clip, camera, kind.name, depths), usual=kind.usual) for kind in shown]
    if clip.has(camera, "noise"):
        tracks.insert(1, Track("noise", _noise(rr, clip, camera)))
    tracks += [Track(f"generated/{folder.name}", _footage(rr, folder)) for folder in clip.generated(camera)]
    return tracks + _sensed(rr, clip, camera)


def _of_kind(rr: Any, clip: Clip, camera: str, kind: str, depths: tuple[float, float]) -> Iterator[Any]:
    """The pictures of one kind."""
    archetype = _shower(rr, clip, kind, depths)
    for frame in range(clip.frames):
        yield archetype(clip.picture(camera, kind, frame))


def _shower(rr: Any, clip: Clip, kind: str, depths: tuple[float, float]) -> Callable[[Any], Any]:
    """How a picture of a kind is logged."""
    form = format_of(kind)
    if kind == "depth":
        return lambda picture: depth_image(rr, picture)
    if kind == "instances":
        few = all(instance.id < 256 for instance in clip.record.instances)
        return lambda picture: rr.SegmentationImage(_narrow(picture) if few else picture)
    return lambda picture: _encoded(rr, form.look(picture, depths), lossless=kind in _LOSSLESS)


def _narrow(ids: Integer[np.ndarray, "height width"]) -> Integer[np.ndarray, "height width"]:
    """Ids in 8 bits where these hold them."""
    return ids.astype(np.uint8) if ids.max(initial=0) < 256 else ids


def _noise(rr: Any, clip: Clip, camera: str) -> Iterator[Any]:
    """The latent that each frame belongs to, three channels as a picture of about the clip's size."""
    record, shown = clip.noise_record(), None
    for frame in range(clip.frames):
        latent = record.latent_of(frame)
        if latent == shown:
            yield None
            continue
        shown = latent
        noise = clip.latents(camera, [latent])[0, :3]
        k = max(1, min(-(-noise.shape[2] // _NOISE_WIDTH), noise.shape[1]))
        picture = noise_picture(coarsened(noise, k))
        yield _encoded(rr, picture.repeat(k * record.factor, axis=0).repeat(k * record.factor, axis=1), lossless=True)


def _footage(rr: Any, folder: Path) -> Iterator[Any]:
    """Frames of generated footage, from the lossless pictures where they exist, else from the video."""
    found = footage_pictures(folder)
    frames = (read_png(path) for path in found) if found else read_video(folder / "video.mp4")
    return (_encoded(rr, frame) for frame in frames)


def _sensed(rr: Any, clip: Clip, camera: str) -> list[Track]:
    """What a sensor has made of the clip; what is JPEG already stays as it is."""
    sensed = sensed_of(clip, camera)
    if sensed is None:
        return []

    def picture(frame: int) -> Any:
        jpeg = sensed.folder / "rgb" / f"{frame:06d}.jpg"
        if jpeg.is_file():
            return rr.EncodedImage(contents=jpeg.read_bytes(), media_type="image/jpeg")
        return _encoded(rr, sensed.rgb(frame))

    tracks = [Track("sensed/rgb", (picture(frame) for frame in range(clip.frames)))]
    if sensed.has_depth:
        tracks.append(Track("sensed/depth", (depth_image(rr, sensed.depth(frame)) for frame in range(clip.frames))))
    return tracks


def _encoded(rr: Any, picture: UInt8[np.ndarray, "height width ..."], *, lossless: bool = False) -> Any:
    """A picture as PNG or JPEG."""
    buffer = io.BytesIO()
    if lossless:
        Image.fromarray(picture).save(buffer, format="PNG", compress_level=6)
    else:
        Image.fromarray(picture).save(buffer, format="JPEG", quality=_QUALITY)
    return rr.EncodedImage(contents=buffer.getvalue(), media_type="image/png" if lossless else "image/jpeg")


def depth_image(rr: Any, depth_m: Float[np.ndarray, "height width"]) -> Any:
    """Metric depth in 16 bits: millimetres, or coarser steps where something is farther than 65 m; 0 stays 0.

    Args:
        rr: the package ``rerun``.
        depth_m: metres along the camera's z.
    """
    farthest = float(depth_m.max(initial=0))
    steps = _FINEST if farthest * _FINEST <= 65535 else 10.0 ** math.floor(math.log10(65535 / farthest))
    return rr.DepthImage(np.rint(depth_m * steps).astype(np.uint16), meter=steps)


def annotation(rr: Any, clip: Clip) -> Any:
    """Names and colors of instance ids, as everywhere in the project."""
    instances = clip.record.instances
    colors = id_colors(1 + max((instance.id for instance in instances), default=0)).tolist()
    named: Sequence[tuple[int, str]] = [(0, "background"), *((instance.id, instance.name) for instance in instances)]
    return rr.AnnotationContext([rr.AnnotationInfo(id=number, label=name, color=colors[number]) for number, name in named])
