"""Gaussian noise that a video carries without any mesh: integrals over what each pixel sees of one reference domain.

Every frame is mapped to that domain (``ReferenceMap``) and drawn from the same keyed hierarchy as surface noise. Nothing is
warped from frame to frame, so that every frame is exactly white and nothing wears off, however long the video.
"""

from __future__ import annotations

import threading

import numpy as np
import torch
import warp as wp
from jaxtyping import Float32

from ..devices import warp_ready
from ..errors import BadValueError
from .layout import NoiseLayout
from .map_footprint_kernels import split_mapped, walk_mapped
from .reference_map import Places, chart_keys, kernel_map
from .workspace import CELL_CAP, CELL_TAU, FOOTPRINT_CAP, Domain, Workspace, Workspaces, walks


class VideoNoise:
    """The noise of one video; every frame is a pure function of (seed, places).

    Two calls with the same places give the same bits, from whichever thread; several threads may call at once.

    Reference:
        Definition: eps(p) = W(F(p)) / sqrt(|F(p)|), white noise W integrated over the footprint F(p) of latent pixel p in the
        reference domain.
    """

    def __init__(self, layout: NoiseLayout, *, seed: int = 0, device: str = "cpu") -> None:
        """Fix what all frames share.

        Args:
            layout: pixels per latent and number of channels.
            seed: another seed, an independent field of noise.
            device: ``cpu`` or ``cuda``.
        """
        if layout.channels < 1:
            raise BadValueError("the number of noise channels", layout.channels, right="1 or more")
        warp_ready()
        self.layout, self.device = layout, device
        self.seed = np.uint64(seed % 2**64)
        self._keys = np.zeros(0, np.uint64)
        self._workspaces = Workspaces(layout, device)
        self._lock = threading.Lock()

    def frame(self, places: Places) -> Float32[torch.Tensor, "channels latent_height latent_width"]:
        """The noise of one frame.

        Args:
            places: of the frame's pixels, as ``ReferenceMap`` has them.

        Returns:
            i.i.d. standard normal values, a new tensor.

        Raises:
            BadValueError: the picture is not a multiple of the layout's factor.
        """
        with self._lock:
            if len(self._keys) < len(places.scale):
                self._keys = chart_keys(2 * len(places.scale))
            keys = self._keys[: len(places.scale)]
        with self._workspaces.of((int(places.chart.shape[0]), int(places.chart.shape[1]))) as work:
            self._run(work, places, keys)
            return work.noise()

    def _run(self, work: Workspace, places: Places, keys: np.ndarray) -> None:
        """Find a frame's leaves and their values."""
        factor = self.layout.factor
        where = [kernel_map(places), wp.float64(places.domain_px), work.run_length]
        itself = wp.array(np.arange(len(places.scale), dtype=np.int32), dtype=int, device=self.device)
        side = wp.from_torch((places.scale * places.domain_px).contiguous())
        chart_key = wp.array(keys, dtype=wp.uint64, device=self.device)
        domain = Domain(wp.from_torch(places.chart), itself, side, chart_key, self.seed)

        def split() -> None:
            limits = [wp.float64(CELL_TAU**2), wp.float64((CELL_CAP * factor) ** 2)]
            work.launch(split_mapped, work.runs, [*where, *limits, work.cells, work.samples])

        def walk(claims: int) -> None:
            limit = wp.float64((FOOTPRINT_CAP * factor) ** 2)
            work.launch(walk_mapped, work.runs, [claims, *where, limit, work.cells, work.lists])

        if walks(self.layout):
            work.run(lambda: walk(0), lambda: walk(1), domain)
        else:
            work.run(split, None, domain)
