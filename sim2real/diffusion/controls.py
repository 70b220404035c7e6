"""Control videos: what a clip's pictures look like to the models that were trained to follow such videos."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, UInt8

from ..clip import Clip
from ..clip.within import ClipPart
from ..errors import BadValueError

_SAMPLED_FRAMES = 49
"""Of a clip that is longer than what a model makes at once."""
_READERS = 4
_SAMPLED_PIXELS = 2_000_000
ControlVideo = Float32[np.ndarray, "frames 3 height width"]
"""In [0, 1], of the pictures' full size."""


@dataclass(frozen=True)
class Control:
    """One way to show a clip to a model.

    - ``kind``: of the clip's pictures that it is made from.
    - ``shows``: what is bright and what is dark.
    - ``made``: the video of a camera.
    """

    kind: str
    shows: str
    made: Callable[[Clip, str], ControlVideo]


def control_video(clip: Clip, camera: str, name: str) -> ControlVideo:
    """One control video of a camera, by its name in ``CONTROLS``."""
    return CONTROLS[name].made(clip, camera)


def blended(videos: Mapping[str, ControlVideo], weights: Mapping[str, float]) -> tuple[ControlVideo, float]:
    """One video of several by their weights, and the sum of the weights, which is how strongly it counts.

    With one video it is that video, to the bit.
    """
    total = sum(weights[name] for name in videos)
    if len(videos) == 1:
        return next(iter(videos.values())), total
    mixed = sum(np.float32(weights[name] / total) * video for name, video in videos.items())
    return np.clip(np.asarray(mixed, np.float32), 0, 1), total


def inverse_depth_control(
    depth: Float[np.ndarray, "frames height width"], ends: tuple[float, float] | None = None
) -> ControlVideo:
    """Gray inverse depth in [0, 1], near is bright, black where there is no surface: what control models were trained on.

    Args:
        depth: meters, 0 where there is no surface.
        ends: what becomes black and white (1/m), where the frames are a part of a clip; the frames' own by default.
    """
    far, near = inverse_depth_range(depth) if ends is None else ends
    gray = np.empty((len(depth), 1, *depth.shape[1:]), np.float32)
    for meters, shown in zip(depth, gray, strict=True):  # a frame at a time stays in the processor's cache
        inverse = np.divide(1.0, meters, out=np.full(meters.shape, far, np.float32), where=meters > 0)
        np.clip((inverse - np.float32(far)) / np.float32(near - far), 0, 1, out=shown[0])
    return np.broadcast_to(gray, (len(depth), 3, *depth.shape[1:]))


def edge_control(edges: UInt8[np.ndarray, "frames height width"]) -> ControlVideo:
    """Edges, white on black, in [0, 1]."""
    return np.repeat((edges / np.float32(255))[:, None], 3, axis=1)


def inverse_depth_range(depth: Float[np.ndarray, "frames height width"]) -> tuple[float, float]:
    """The far and near ends of a clip's inverse depth (1/m): 1st and 99th percentile of what has a surface.

    Fixed over the clip, so that brightness does not flicker; percentiles, so that one stray pixel does not flatten the rest.
    Of more pixels than are needed to know them, every n-th in reading order counts, n odd, so that it meets all columns.
    """
    pixels = depth.reshape(-1)[:: max(1, depth.size // _SAMPLED_PIXELS) | 1]
    surface = pixels > 0
    if not surface.any():
        return 0.0, 1.0
    far, near = np.percentile(1.0 / pixels[surface], [1, 99])
    return float(far), float(max(near, far * (1 + 1e-3)))


def stacked(clip: Clip, camera: str, kind: str) -> np.ndarray:
    """All frames of a kind of pictures, read a few at a time."""
    with ThreadPoolExecutor(_READERS, "pictures") as threads:
        return np.stack(list(threads.map(lambda frame: clip.picture(camera, kind, frame), range(clip.frames))))


def require_aligned(video: np.ndarray, frames: int, size: tuple[int, int], name: str) -> None:
    """Refuse a control video of another length or size than the footage: pipelines take it in silence, and misplace it.

    Raises:
        BadValueError: with both shapes.
    """
    if video.shape != (frames, 3, *size):
        right = f"{frames} frames of {size[0]}x{size[1]}, as the footage"
        received = f"{len(video)} frames of {'x'.join(map(str, video.shape[2:]))}"
        raise BadValueError(f"the control video ({name})", received, right=right)


def _depth(clip: Clip, camera: str) -> ControlVideo:
    ends = inverse_depth_range(_sampled_depth(clip.whole, camera)) if isinstance(clip, ClipPart) else None
    return inverse_depth_control(stacked(clip, camera, "depth"), ends)


def _sampled_depth(clip: Clip, camera: str) -> Float[np.ndarray, "frames height width"]:
    """Frames of a long clip, spread evenly over it: enough to know its range, and memory does not grow with the clip."""
    chosen = np.unique(np.linspace(0, clip.frames - 1, _SAMPLED_FRAMES).round().astype(int))
    return np.stack([clip.depth(camera, int(frame)) for frame in chosen])


def _edges(clip: Clip, camera: str) -> ControlVideo:
    return edge_control(stacked(clip, camera, "edges"))


def _soft_edges(clip: Clip, camera: str) -> ControlVideo:
    """Wide and soft, as edge networks draw them: a Gaussian of 1.5 pixels, as bright as before in the middle of a line."""
    from scipy.ndimage import gaussian_filter

    soft = gaussian_filter(stacked(clip, camera, "edges").astype(np.float32) / 255, (0, 1.5, 1.5))
    line = 1 / (1.5 * np.sqrt(2 * np.pi))
    return np.repeat(np.clip(soft / np.float32(line), 0, 1)[:, None], 3, axis=1)


def _scribble(clip: Clip, camera: str) -> ControlVideo:
    """Lines five pixels wide."""
    from scipy.ndimage import maximum_filter

    return edge_control(maximum_filter(stacked(clip, camera, "edges"), (1, 5, 5)))


def _instances(clip: Clip, camera: str) -> ControlVideo:
    """A color per instance, as the clip's label video has them."""
    from ..clip.report.colors import id_colors

    ids = stacked(clip, camera, "instances")
    colors = id_colors(int(ids.max()) + 1)
    return _from_pictures(colors[ids])


def _rgb(clip: Clip, camera: str) -> ControlVideo:
    return _from_pictures(stacked(clip, camera, "rgb"))


def _blur(clip: Clip, camera: str) -> ControlVideo:
    """The render without detail: a Gaussian of a fortieth of the shorter side."""
    from scipy.ndimage import gaussian_filter

    wide = min(clip.record.size) / 40
    return gaussian_filter(_from_pictures(stacked(clip, camera, "rgb")), (0, 0, wide, wide))


def _from_pictures(pictures: UInt8[np.ndarray, "frames height width 3"]) -> ControlVideo:
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)) / np.float32(255)


CONTROLS: dict[str, Control] = {
    "depth": Control("depth", "gray inverse depth, near is bright, black where there is no surface", _depth),
    "edges": Control("edges", "lines, white on black", _edges),
    "soft-edges": Control("edges", "wide soft lines, white on black", _soft_edges),
    "scribble": Control("edges", "lines five pixels wide, white on black", _scribble),
    "instances": Control("instances", "a color per instance, black where there is none", _instances),
    "rgb": Control("rgb", "the render", _rgb),
    "blur": Control("rgb", "the render, blurred", _blur),
}
"""By the names that ``--control`` takes."""
