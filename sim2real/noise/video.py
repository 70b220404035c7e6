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

from ..devices import as_warp, load, upload
from .draws import seed_of_draw
from .layout import NoiseLayout
from .passes import video_sample
from .passes.pipeline import Domain, Workspace, Workspaces, leaf_limits
from .passes.video_sample import split_mapped
from .video_map import Places, chart_keys, kernel_map


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
        load(video_sample, device)
        self.layout, self.device = layout, device
        self.seed = seed
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
        return self.draws(places, 0)[0]

    def draws(self, places: Places, count: int) -> list[Float32[torch.Tensor, "channels latent_height latent_width"]]:
        """The noise of one frame, and ``count`` more draws of it on the same places.

        Draw 0 is what ``frame`` returns, draw k that of a ``VideoNoise`` with ``seed_of_draw(seed, k)``, bit for bit.

        Raises:
            BadValueError: as ``frame``.
        """
        with self._lock:
            if len(self._keys) < len(places.scale):
                self._keys = chart_keys(2 * len(places.scale))
            keys = self._keys[: len(places.scale)]
        with self._workspaces.of((int(places.chart.shape[0]), int(places.chart.shape[1]))) as work:
            side, chart_key = as_warp(places.scale * places.domain_px), upload(keys, wp.uint64, self.device)
            domains = [Domain(side, chart_key, np.uint64(seed_of_draw(self.seed, draw) % 2**64)) for draw in range(count + 1)]
            self._run(work, places, domains[0])
            found = [work.noise()]
            for domain in domains[1:]:
                work.again(domain)
                found.append(work.noise())
            return found

    def _run(self, work: Workspace, places: Places, domain: Domain) -> None:
        """Find a frame's leaves and their values."""
        limits = [wp.float64(limit) for limit in leaf_limits(self.layout)]

        def split() -> None:
            where = [kernel_map(places), wp.float64(places.domain_px), work.run_length]
            work.launch(split_mapped, work.runs, [*where, *limits, work.cells, work.samples])

        work.run(split, domain)
