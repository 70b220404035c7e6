"""Footage from the embedded model: frames in order, a few at a time, in one step or in several by diffusers' pipeline."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from ....devices import frame_pool
from ....errors import BadValueError
from ...folding import FOLD
from .conditions import ALONG
from .denoiser import SCALE, PictureDenoiser, State, reflected
from .lines import averaged
from .precision import autocast_for

Frame = UInt8[np.ndarray, "height width 3"]
Stretch = Float32[np.ndarray, "n channels height width"]
"""Something of some frames: noise, or conditions."""
Paint = Callable[[Float[Tensor, "n 3 height width"], Float[Tensor, "n c height width"]], Float[Tensor, "n 3 height width"]]
"""Noise and conditions of some frames, which follow those of the last call, to their pictures in [0, 1]."""
Given = tuple[Float[Tensor, "n 3 height width"], Float[Tensor, "n channels height width"]]
"""Noise and conditions of some frames."""
_START = 0.999
"""Share of noise at which the sampler of diffusers' pipeline begins."""


def sample(
    model: PictureDenoiser,
    noise_of: Callable[[slice], Stretch],
    conditions_of: Callable[[slice, Stretch], Stretch],
    frames: int,
    *,
    steps: int = 1,
    progress: Callable[[int, int], None] | None = None,
    chunk: int = 2,
    quick: bool = False,
) -> Iterator[Frame]:
    """Denoise a clip of any length and size, frame by frame: memory does not grow, and no frame waits for a later one.

    Args:
        model: from ``load_model``.
        noise_of: unit variance at pixel resolution (n, 3, height, width), for a slice of frames: all the randomness there is.
        conditions_of: from ``picture_conditions``, for a slice of frames and their noise.
        frames: of the clip.
        steps: denoising steps.
        progress: called with (frames done, frames).
        chunk: frames that are asked for at once; the pictures do not depend on it. From 2 on, the next ones are asked for in a
            thread while the network is busy.
        quick: let the network see pictures of half the size.

    Yields:
        The frames, in order.

    Raises:
        BadValueError: there are no steps to do, or noise and conditions differ in size.
    """
    if steps < 1:
        raise BadValueError("the number of steps", steps, right="at least 1")
    paint = _in_one_step(model, quick=quick) if steps == 1 else _in_steps(model, steps, quick=quick)

    def given(first: int) -> Given:
        stretch = slice(first, min(first + chunk, frames))
        drawn = np.array(noise_of(stretch), np.float32)
        conditions = np.array(conditions_of(stretch, drawn), np.float32)
        if (len(drawn), *drawn.shape[2:]) != (len(conditions), *conditions.shape[2:]):
            raise BadValueError("the shape of the noise", drawn.shape, right=f"that of conditions, {conditions.shape}")
        return torch.from_numpy(drawn), torch.from_numpy(conditions)

    done = 0
    for noise, conditions in (_one_ahead if chunk > 1 else map)(given, range(0, frames, chunk)):  # a stream never ends
        yield from _stretch(paint, model.device, noise, conditions)
        done += len(noise)
        if progress is not None:
            progress(done, frames)


def _one_ahead(make: Callable[[int], Given], firsts: Iterable[int]) -> Iterator[Given]:
    """What is made of each stretch, the next one meanwhile in a thread."""
    with frame_pool(1) as pool:
        waiting: deque[Future[Given]] = deque()
        for first in firsts:
            waiting.append(pool.submit(make, first))
            if len(waiting) > 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _stretch(paint: Paint, device: torch.device, noise: Tensor, conditions: Tensor) -> list[Frame]:
    """Pictures of some frames."""
    height, width = noise.shape[2:]
    seen, along = conditions[:, : ALONG.start], conditions[:, ALONG]
    with torch.inference_mode(), autocast_for(device):
        video = paint(*(reflected(tensor, FOLD).to(device) for tensor in (noise, seen)))[:, :, :height, :width]
    if along.shape[1]:
        video = averaged(video.float(), along.to(device))
    pixels = (video.permute(0, 2, 3, 1) * 255).round().clamp(0, 255).to(torch.uint8).cpu()
    return list(pixels.numpy())


def _in_one_step(model: PictureDenoiser, *, quick: bool) -> Paint:
    """What the model says of noise alone is what a sampler of a single step arrives at."""
    state: State | None = None

    def paint(noise: Tensor, conditions: Tensor) -> Tensor:
        nonlocal state
        clean, state = model.predict(noise[None], noise.new_tensor([_START]), conditions[None], state, quick=quick)
        return (clean[0] / SCALE * 0.5 + 0.5).clamp(0, 1)

    return paint


def _in_steps(model: PictureDenoiser, steps: int, *, quick: bool) -> Paint:
    """Several, by the sampler of diffusers' pipeline."""
    from .pipeline import painted, pipeline_of  # brings transformers along

    pipeline, states = pipeline_of(model), {}
    return lambda noise, conditions: painted(pipeline, noise, conditions, states, steps, quick=quick)
