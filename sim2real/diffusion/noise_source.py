"""The noise that drives a model, a few latents at a time: the clip's own, or one of the baselines it is compared with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from ..clip import Clip
from ..noise.layout import NoiseLayout

NOISE_KINDS = ("clip", "iid", "flow")
NoiseOf = Callable[[slice], Float32[np.ndarray, "n channels h w"]]


def noise_source(clip: Clip, camera: str, layout: NoiseLayout, kind: str, seed: int) -> NoiseOf:
    """Noise by a slice of latents.

    Args:
        clip: the clip folder.
        camera: one of its cameras.
        layout: of the model.
        kind: ``clip`` is the clip's own; ``iid`` is independent in every frame; ``flow`` moves by the clip's flow from frame
            to frame, and has to be asked for in order.
        seed: of the baselines.
    """
    key = int.from_bytes(hashlib.blake2b(f"{kind}/{seed}/{camera}".encode(), digest_size=8).digest(), "little")
    if kind == "clip":
        return lambda latents: np.asarray(clip.noise(camera)[latents], np.float32)
    if kind == "iid":
        shape = (layout.channels, *layout.latent_size(clip.record.size))
        return lambda latents: _independent(latents, shape, key)
    return _Flowing(clip, camera, layout, key).latents


def _independent(latents: slice, shape: tuple[int, int, int], key: int) -> Float32[np.ndarray, "n channels h w"]:
    """Each latent from a generator of its own, so that a latent does not depend on how it is asked for."""
    generators = (np.random.Generator(np.random.Philox(key=key | k << 64)) for k in range(latents.start, latents.stop))
    return np.stack([generator.standard_normal(shape, np.float32) for generator in generators])


class _Flowing:
    """Noise on what the clip's ``flow`` says is the same place."""

    def __init__(self, clip: Clip, camera: str, layout: NoiseLayout, seed: int) -> None:
        from ..noise import ReferenceMap, VideoNoise

        self._clip, self._camera = clip, camera
        self._frames = layout.latent_frames(clip.frames)
        self._map = ReferenceMap(clip.record.size)
        self._noise = VideoNoise(layout, seed=seed)
        self._frame = 0

    def latents(self, latents: slice) -> Float32[np.ndarray, "n channels h w"]:
        """The next latents."""
        return np.stack([self._latent(frame) for frame in self._frames[latents]])

    def _latent(self, frame: int) -> Float32[np.ndarray, "channels h w"]:
        import torch

        from ..flow import Flow, inverted_flow, read_flow

        assert frame >= self._frame
        for before in range(self._frame, frame):
            forth, visible = read_flow(self._clip.frame_path(self._camera, "flow", before), self._clip.record.size)
            everywhere = torch.ones(forth.shape[:2], dtype=torch.bool)
            back = inverted_flow(Flow(forth, everywhere if visible is None else visible))
            self._map.advance(back.forward, back.visible)
        self._frame = frame
        return self._noise.frame(self._map.places).numpy()
