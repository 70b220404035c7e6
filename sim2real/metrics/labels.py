"""Does footage keep what the labels say: the color of every instance, and the borders between them?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer, UInt8
from scipy import ndimage

from ..scene.colors import lab_from_srgb
from .pictures import canny, luma

Picture = UInt8[np.ndarray, "height width 3"]
Ids = Integer[np.ndarray, "height width"]

REACH = 2
"""Pixels by which an edge may miss a border."""
_LEAST = 64
"""Pixels that an instance needs for its mean color to count."""
_SMOOTHING, _WEAK, _STRONG = 1.0, (12.0, 30.0), (30.0, 60.0)
"""Of the edges that borders are looked for with: grain is smoothed away (pixels), then Canny with two thresholds."""


def ciede2000(a: Float[np.ndarray, "*shape 3"], b: Float[np.ndarray, "*shape 3"]) -> Float[np.ndarray, "*shape"]:
    """Difference of two colors as people see it; about 1 can just be seen.

    Args:
        a: CIE L*a*b*.
        b: CIE L*a*b*.

    Reference:
        Sharma, Wu, Dalal 2005, The CIEDE2000 color-difference formula, equations 2 to 22.
    """
    l1, l2 = a[..., 0], b[..., 0]
    chroma = (np.hypot(a[..., 1], a[..., 2]) + np.hypot(b[..., 1], b[..., 2])) / 2
    stretch = 1 + 0.5 * (1 - np.sqrt(chroma**7 / (chroma**7 + 25.0**7)))
    c1, c2 = (np.hypot(stretch * lab[..., 1], lab[..., 2]) for lab in (a, b))
    h1, h2 = (np.degrees(np.arctan2(lab[..., 2], stretch * lab[..., 1])) % 360 for lab in (a, b))
    gray = c1 * c2 == 0
    turn = np.where(gray, 0.0, (h2 - h1 + 180) % 360 - 180)
    turn = np.where((turn == -180) & (h2 > h1), 180.0, turn)
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)

    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    total = h1 + h2
    wrapped = np.where(total < 360, total + 360, total - 360)
    hm = np.where(gray, total, np.where(np.abs(h1 - h2) <= 180, total, wrapped) / 2)
    t = sum(k * np.cos(np.radians(n * hm + s)) for k, n, s in ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.2, 4, -63))) + 1
    sl = 1 + 0.015 * (lm - 50) ** 2 / np.sqrt(20 + (lm - 50) ** 2)
    sc, sh = 1 + 0.045 * cm, 1 + 0.015 * cm * t
    rotation = -2 * np.sqrt(cm**7 / (cm**7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((hm - 275) / 25) ** 2))))
    dl, dc, dh = dl / sl, dc / sc, dh / sh
    return np.sqrt(np.maximum(dl**2 + dc**2 + dh**2 + rotation * dc * dh, 0.0))


def color_errors(picture: Picture, wanted: Picture, instances: Ids) -> dict[int, float]:
    """CIEDE2000 between the mean colors (of L*a*b*) of every instance that covers at least 64 pixels.

    Args:
        picture: footage.
        wanted: what its colors should be: the render, or a true picture.
        instances: ids; 0, where there is none, does not count.

    Returns:
        By id.
    """
    ids, group = np.unique(instances, return_inverse=True)
    counts = np.bincount(group.ravel())
    a, b = (_mean_colors(p, group.ravel(), counts) for p in (picture, wanted))
    errors = ciede2000(a, b)
    return {int(i): float(e) for i, e, n in zip(ids, errors, counts, strict=True) if i != 0 and n >= _LEAST}


def _mean_colors(picture: Picture, group: np.ndarray, counts: np.ndarray) -> Float[np.ndarray, "groups 3"]:
    lab = lab_from_srgb(picture / 255).reshape(-1, 3)
    return np.stack([np.bincount(group, lab[:, k], len(counts)) for k in range(3)], axis=-1) / counts[:, None]


@dataclass(frozen=True)
class BorderCounts:
    """Pixels, summed over frames.

    - ``borders``: of borders between instances that the condition shows; ``kept``: those with an edge of the footage nearby.
    - ``edges``: of strong edges of the footage; ``explained``: those with a border, or an edge of the condition, nearby.
    """

    borders: int = 0
    kept: int = 0
    edges: int = 0
    explained: int = 0

    def __add__(self, other: BorderCounts) -> BorderCounts:
        return BorderCounts(
            self.borders + other.borders,
            self.kept + other.kept,
            self.edges + other.edges,
            self.explained + other.explained,
        )

    @property
    def share_kept(self) -> float:
        """Share of the borders that the footage has."""
        return self.kept / self.borders if self.borders else 1.0

    @property
    def share_explained(self) -> float:
        """Share of the footage's strong edges that are a border's or the condition's; textures of its own lower it."""
        return self.explained / self.edges if self.edges else 1.0

    @property
    def agreement(self) -> float:
        """Harmonic mean of both: noise has edges everywhere, and so an edge at every border."""
        a, b = self.share_kept, self.share_explained
        return 2 * a * b / (a + b) if a + b else 0.0


def border_counts(
    picture: Picture, condition: Picture, instances: Ids, *, creases: Bool[np.ndarray, "height width"] | None = None
) -> BorderCounts:
    """Compare edges of footage with borders of instances, within 2 pixels.

    A border that the condition itself does not show, as of two white things, is not asked for.

    Args:
        picture: footage.
        condition: the render.
        instances: ids.
        creases: other geometric edges, which footage may show.
    """
    shown, strong = picture_edges(condition, *_WEAK), picture_edges(picture, *_STRONG)
    borders = instance_borders(instances)
    asked = borders & near(shown)
    kept = asked & near(picture_edges(picture, *_WEAK))
    allowed = borders | shown if creases is None else borders | shown | creases
    return BorderCounts(int(asked.sum()), int(kept.sum()), int(strong.sum()), int((strong & near(allowed)).sum()))


def instance_borders(instances: Ids) -> Bool[np.ndarray, "height width"]:
    """Pixels whose right or lower neighbor shows another instance."""
    found = np.zeros(instances.shape, np.bool_)
    found[:, :-1] = instances[:, :-1] != instances[:, 1:]
    found[:-1] |= instances[:-1] != instances[1:]
    return found


def picture_edges(picture: Picture, low: float, high: float) -> Bool[np.ndarray, "height width"]:
    """Canny's edges of the picture behind a slight blur, which takes away grain."""
    return canny(ndimage.gaussian_filter(luma(picture), _SMOOTHING), low, high)


def near(lines: Bool[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """Places at most 2 pixels from a line."""
    y, x = np.ogrid[-REACH : REACH + 1, -REACH : REACH + 1]
    return ndimage.binary_dilation(lines, structure=x * x + y * y <= REACH * REACH)
