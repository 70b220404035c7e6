"""A video's one reference domain: where every pixel of every frame lies in it."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import warp as wp
from jaxtyping import Bool, Float32, Float64, Int32

from ..devices import as_warp, launch, warp_ready
from ..errors import BadValueError
from .passes.cells import CHART_LIMIT
from .video_map_kernels import Map, advance, link_pixels

PICTURES_WIDE = 8
"""A chart is at least this many pictures wide, so that a camera may turn far away and come back."""
REACH = 0.25
"""A map is continued beyond the picture's border by at most this share of its longer side, in one frame."""
CUT = 0.3
"""Where less of a frame than this has a counterpart in the one before, nothing has: the film is cut there."""

DRIFT_PX, PULL = 2.0, 0.2
"""Places that are off by at most so many pixels of the chart's frame are pulled to the right ones by this share a frame."""


@dataclass(frozen=True, eq=False)
class Places:
    """Where every pixel center of one frame lies in the reference domain.

    - ``chart``: 0 is the first frame's own pixel grid, chart k that of the k-th frame that showed something new.
    - ``position``: (x, y) in pixels of the chart's own frame, centers at 0.5; a chart goes on beyond its frame.
    - ``link``: 1 where the right neighbor lies on the same surface, plus 2 where the one below does.
    - ``scale``: of every chart, what a pixel of its frame measures in pixels of the first frame.
    - ``domain_px``: side of the square around the frame's center that a chart covers.
    """

    chart: Int32[torch.Tensor, "height width"]
    position: Float64[torch.Tensor, "height width 2"]
    link: Int32[torch.Tensor, "height width"]
    scale: Float32[torch.Tensor, "charts"]
    domain_px: float


class ReferenceMap:
    """Carries the map from frame to frame: what is seen again keeps its place, what is revealed gets one of its own.

    Nothing is resampled but smooth coordinates, in float64: a frame's noise comes from the map alone, whatever came before.
    """

    def __init__(self, size: tuple[int, int], *, device: str = "cpu") -> None:
        """Begin with the first frame.

        Args:
            size: (height, width) of the frames in pixels.
            device: ``cpu`` or ``cuda``.
        """
        warp_ready()
        height, width = size
        self.domain_px = float(2 ** math.ceil(math.log2(PICTURES_WIDE * max(size))))
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        self._centers = torch.stack([x, y], dim=-1).to(device=device, dtype=torch.float64) + 0.5
        chart = torch.zeros((height, width), dtype=torch.int32, device=device)
        self._reach_px = REACH * max(size)
        self._scale = torch.ones(1, dtype=torch.float32, device=device)
        self.places = self._linked(chart, self._centers)

    def advance(
        self, motion: Float32[torch.Tensor, "height width 2"], visible: Bool[torch.Tensor, "mask_height mask_width"]
    ) -> Places:
        """Go on to the next frame.

        Args:
            motion: from every pixel of the next frame to where its point lay in the present one, (x, y) in pixels. It should be
                a good guess outside the picture, too: what enters there continues the surface that moves alike.
            visible: the point is seen in the present frame; pixels whose motion leads outside may be either.

        Returns:
            The next frame's places; ``places`` from now on.

        Raises:
            BadValueError: the motion has another size than the frames, or is not finite somewhere.
        """
        self._check(motion, visible)
        visible = visible & (visible.float().mean() >= CUT)
        new = len(self._scale)
        chart, position = self._moved(motion, visible, new)
        self._scale = torch.cat([self._scale, self._median_scale(self.places)[None]])
        self.places = self._linked(chart, position)
        return self.places

    def recall(
        self, motion: Float32[torch.Tensor, "height width 2"], trusted: Bool[torch.Tensor, "mask_height mask_width"], chart: int
    ) -> Places:
        """Use motion that leads directly to the frame that began a chart.

        What was revealed later, and that frame had seen, gets its old place back; what never left is moved a little towards the
        place that the direct motion says, so that errors of single steps do not add up.

        Args:
            motion: from every pixel to where its point lay in that frame, (x, y) in pixels.
            trusted: the motion is right there.
            chart: the chart that the frame began; 0 for the first one.

        Returns:
            The corrected places; ``places`` from now on.
        """
        self._check(motion, trusted)
        places = self.places
        direct = self._centers + motion.double()
        off = direct - places.position
        near = off.square().sum(-1) <= DRIFT_PX**2
        back = trusted & (places.chart > chart)
        drifted = trusted & (places.chart == chart) & near
        position = torch.where(drifted[..., None], places.position + PULL * off, places.position)
        position = torch.where(back[..., None], direct, position)
        self.places = self._linked(torch.where(back, chart, places.chart).to(torch.int32), position)
        return self.places

    def _check(self, motion: torch.Tensor, mask: torch.Tensor) -> None:
        shape = tuple(self.places.chart.shape)
        for what, received in (("the motion", motion.shape[:2]), ("the visibility", mask.shape)):
            if tuple(received) != shape:
                raise BadValueError(f"the size of {what}", f"{received[0]}x{received[1]}", right=f"{shape[0]}x{shape[1]}")
        if len(self._scale) >= CHART_LIMIT:
            raise BadValueError("the number of frames", len(self._scale) + 1, right=f"at most {CHART_LIMIT}")

    def _moved(self, motion: torch.Tensor, visible: torch.Tensor, new: int) -> tuple[torch.Tensor, torch.Tensor]:
        chart, position = torch.empty_like(self.places.chart), torch.empty_like(self.places.position)
        inputs = [
            kernel_map(self.places),
            as_warp(motion, wp.vec2),
            as_warp(visible),
            new,
            wp.float64(self._reach_px),
            wp.float64(self.domain_px),
            as_warp(chart),
            as_warp(position, wp.vec2d),
        ]
        launch(advance, tuple(chart.shape), inputs, str(chart.device))
        return chart, position

    def _linked(self, chart: torch.Tensor, position: torch.Tensor) -> Places:
        link = torch.empty_like(chart)
        inputs = [as_warp(chart), as_warp(position, wp.vec2d), as_warp(link)]
        launch(link_pixels, tuple(chart.shape), inputs, str(chart.device))
        return Places(chart, position, link, self._scale, self.domain_px)

    def _median_scale(self, places: Places, stride: int = 4) -> torch.Tensor:
        """What a pixel of the present frame measures in pixels of the first one, in the median."""
        position = places.position
        here, right, below = position[:-1:stride, :-1:stride], position[:-1:stride, 1::stride], position[1::stride, :-1:stride]
        u, v = right - here, below - here
        area = (u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]).abs().sqrt().float()
        if not area.numel():
            return torch.ones((), device=position.device)
        scale = (area * places.scale[places.chart[:-1:stride, :-1:stride].long()]).median()
        return scale.clamp(1 / 64, 64)


def kernel_map(places: Places) -> Any:
    """The map as kernels take it."""
    record = Map()
    record.chart = as_warp(places.chart)
    record.position = as_warp(places.position, wp.vec2d)
    record.link = as_warp(places.link)
    return record


def chart_keys(count: int) -> np.ndarray:
    """What distinguishes the noise of one chart from that of all others, uint64."""
    digests = (hashlib.blake2b(f"video/{k}".encode(), digest_size=8).digest() for k in range(count))
    return np.array([int.from_bytes(d, "little") for d in digests], np.uint64)
