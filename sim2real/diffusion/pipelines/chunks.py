# pyright: reportPrivateImportUsage=false
"""Long clips in chunks that go on from each other: Cosmos-Transfer 2.5, with the noise of each chunk's own frames."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from jaxtyping import Float


@functools.cache
def transfer_pipeline() -> Any:
    """The class of diffusers, but ``latents=`` is an iterator, a tensor per chunk: it would begin all from the same noise."""
    import diffusers

    class ChunkedTransfer(diffusers.Cosmos2_5_TransferPipeline):
        """A chunk after the first begins with the last frame of the one before."""

        def prepare_latents(self, *args: Any, latents: Any = None, **others: Any) -> Any:
            """What a chunk begins from."""
            return super().prepare_latents(*args, latents=next(latents), **others)

    ChunkedTransfer.__name__ = diffusers.Cosmos2_5_TransferPipeline.__name__
    return ChunkedTransfer


def chunks_of(
    noise: Float[np.ndarray, "latents channels h w"], length: int, seed: int
) -> list[Float[np.ndarray, "length channels h w"]]:
    """Noise of chunks of ``length`` latents, each of which begins at the last latent of the one before.

    Latents past the end of the clip are independent noise: they are made, and thrown away.
    """
    stride = length - 1
    count = max(1, -(-(len(noise) - 1) // stride))
    lacking = count * stride + 1 - len(noise)
    draw = np.random.Generator(np.random.Philox(key=seed << 32 | 0xC0507))
    padding = draw.standard_normal((lacking, *noise.shape[1:]), np.float32)
    whole = np.concatenate([noise, padding])
    return [whole[start : start + length] for start in range(0, count * stride, stride)]
