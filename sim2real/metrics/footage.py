"""Does footage follow its geometry? Consistency along exact motion, and edges where the condition has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage

from ..clip import Clip
from ..clip.footage import FrameOf
from .motion import hidden, labeled_motion, sampled

DISTANCES = (1, 4, 16)
"""FrameOf apart."""
BETWEEN = (4, 16)
"""FrameOf apart of those that are compared after something was hidden in between."""
EDGE_TOLERANCE = 1 / 120
"""How far an edge may lie from the condition's, as a share of the picture's height."""
_LEAST = 200
"""Values that came back from behind something: fewer give no figure."""


@dataclass(frozen=True)
class FootageFigures:
    """Figures of one camera's footage.

    - ``psnr_db[d]``: cross-frame PSNR at distance d: frame a against frame a + d fetched along the exact motion, over pixels
      visible in both (dB, from the mean squared error over all pairs).
    - ``warp_error[d]``: the same as a mean absolute difference, 0 to 1.
    - ``edge_agreement``: of the strongest gradients of the footage, as many as the condition has edge pixels, the share that
      lies on a condition edge, averaged with the share of condition edges that have one; 0 to 1.
    - ``psnr_returned_db``: like ``psnr_db``, 4 and 16 frames apart, over what was hidden or outside of the picture in between;
      None where next to nothing was.
    """

    psnr_db: dict[int, float]
    warp_error: dict[int, float]
    edge_agreement: float
    psnr_returned_db: float | None = None


@dataclass
class _Errors:
    """Sums over values, 0 to 1, of squared and absolute differences."""

    squared: float = 0.0
    absolute: float = 0.0
    count: int = 0

    def add(self, difference: Float[np.ndarray, "*n"]) -> None:
        self.squared += float((difference * difference).sum())
        self.absolute += float(np.abs(difference).sum())
        self.count += difference.size

    @property
    def psnr_db(self) -> float:
        return float(-10 * np.log10(max(self.squared / self.count, 1e-12)))


@dataclass
class _Sums:
    """What is summed over the pairs of one footage."""

    apart: dict[int, _Errors] = field(default_factory=lambda: {distance: _Errors() for distance in DISTANCES})
    returned: _Errors = field(default_factory=_Errors)


def footage_figures(clip: Clip, camera: str, frames: FrameOf, *, stride: int = 1) -> FootageFigures:
    """Measure footage against the clip's geometry.

    Args:
        clip: with depth, instances and edges.
        camera: its name.
        frames: gives the footage's frame of an index; ``generated_frames`` or ``clip.rgb``.
        stride: take every so many frames as sources.

    Returns:
        Figures; distances longer than the clip are left out.
    """
    return all_footage_figures(clip, camera, {"": frames}, stride=stride)[""]


def all_footage_figures(
    clip: Clip, camera: str, footage: Mapping[str, FrameOf], *, stride: int = 1
) -> dict[str, FootageFigures]:
    """Like :func:`footage_figures`, for all footage of a camera at once: its motion is found only once."""
    sums = {name: _Sums() for name in footage}
    for distance in (d for d in DISTANCES if d < clip.frames):
        for source in range(0, clip.frames - distance, stride):
            there, visible = labeled_motion(clip, camera, source, source + distance)
            back = _returned(clip, camera, source, distance) if distance in BETWEEN else np.zeros_like(visible)
            for name, frames in footage.items():
                a = frames(source)[visible].astype(np.float64) / 255
                b = sampled(frames(source + distance).astype(np.float64) / 255, there[visible])
                sums[name].apart[distance].add(a - b)
                sums[name].returned.add((a - b)[back[visible]])
    return {name: _figures(clip, camera, frames, sums[name], stride) for name, frames in footage.items()}


def _figures(clip: Clip, camera: str, frames: FrameOf, sums: _Sums, stride: int) -> FootageFigures:
    found = {distance: errors for distance, errors in sums.apart.items() if errors.count}
    agreement = [edge_agreement(frames(k), clip.edges(camera, k) > 127) for k in range(0, clip.frames, stride)]
    return FootageFigures(
        {distance: errors.psnr_db for distance, errors in found.items()},
        {distance: errors.absolute / errors.count for distance, errors in found.items()},
        float(np.mean(agreement)),
        sums.returned.psnr_db if sums.returned.count >= _LEAST else None,
    )


def _returned(clip: Clip, camera: str, source: int, distance: int) -> Bool[np.ndarray, "height width"]:
    """Pixels that are hidden a quarter, half or three quarters of the way."""
    between = [hidden(clip, camera, source, source + distance * quarter // 4) for quarter in (1, 2, 3)]
    return between[0] | between[1] | between[2]


def edge_agreement(picture: UInt8[np.ndarray, "height width 3"], edges: Bool[np.ndarray, "height width"]) -> float:
    """Share of strong gradients on condition edges, averaged with the share of condition edges that have a strong gradient."""
    if not edges.any():
        return 1.0
    strength = gradient_ridges(picture)
    least = np.partition(strength.ravel(), -int(edges.sum()))[-int(edges.sum())]
    strong = (strength >= least) & (strength > 0)
    if not strong.any():
        return 0.0
    reach = max(1.0, EDGE_TOLERANCE * picture.shape[0])
    to_edge, to_strong = (np.asarray(ndimage.distance_transform_edt(~lines)) for lines in (edges, strong))
    return float((np.mean(to_edge[strong] <= reach) + np.mean(to_strong[edges] <= reach)) / 2)


def gradient_ridges(picture: UInt8[np.ndarray, "height width 3"]) -> Float[np.ndarray, "height width"]:
    """Gradient magnitude of the smoothed luminance."""
    luminance = picture.astype(np.float64) @ [0.299, 0.587, 0.114]
    return ndimage.gaussian_gradient_magnitude(luminance, sigma=max(0.7, picture.shape[0] / 400))
