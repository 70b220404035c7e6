"""How long a large model will take, as far as it can be known before it is loaded: its operations at the device's rate."""

from __future__ import annotations

import functools
import inspect
import json
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .asked import guidance_of, steps_of, steps_run
from .denoiser_calls import CALLS, Grid
from .inversion import ROUNDS
from .memory import known_parts

if TYPE_CHECKING:
    from ..family import ClipFacts
    from ..options import GenerateOptions
    from .family import PipelineFamily

_PROBE_SIDE = {"cuda": 8192, "cpu": 1024}
_PROBE_ROUNDS = 3


@dataclass(frozen=True)
class Work:
    """What the denoiser does for footage of one camera, or of a canvas of all.

    - ``operations``: floating point operations of one pass (a multiplication and an addition are two).
    - ``passes``: how often it is called: once or twice a step.
    - ``of``: what they make, in words.
    """

    operations: int
    passes: int
    of: str = "each camera"

    def seconds(self, per_second: float) -> float:
        """At a rate of operations per second."""
        return self.operations * self.passes / per_second

    def sentence(self, per_second: float, device: str) -> str:
        """One line for people."""
        return (
            f"time, estimated: at least {_duration(self.seconds(per_second))} for {self.of} ({self.passes} passes of "
            f"{self.operations / 1e12:.3g} TFLOP, at the {per_second / 1e12:.2g} TFLOP/s of matrix products on this {device})"
        )


def _duration(seconds: float) -> str:
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def work_of(family: PipelineFamily, options: GenerateOptions, clip: ClipFacts) -> Work | None:
    """What the denoiser does for a clip that is made at once.

    Control nets, text encoders and the VAE come on top.

    Args:
        family: of the model.
        options: model, steps, guidance, strength, inversion, canvas.
        clip: frames and size; of the canvas, where there is one.

    Returns:
        None where the denoiser's configuration is not known, or where its class cannot be counted.
    """
    config = known_parts(family, options).get(family.denoisers[0])
    if config is None or str(config.get("_class_name")) not in CALLS:
        return None
    grid = (family.noise_latents(clip.frames), *family.layout.latent_size(clip.size))
    of = "each camera" if options.canvas is None else "the canvas of all cameras"
    operations = _counted(json.dumps(config, sort_keys=True), grid, family.layout.channels)
    return None if operations is None else Work(operations, passes_of(family, options), of)


def passes_of(family: PipelineFamily, options: GenerateOptions) -> int:
    """How often the denoiser is called; a video is turned into noise without guidance, in rounds."""
    back = 0 if options.large.invert is None else ROUNDS * steps_of(family, options)
    return back * family.passes(family.guidance_off) + steps_run(family, options) * family.passes(guidance_of(family, options))


@functools.cache
def _counted(config: str, grid: Grid, channels: int) -> int | None:
    try:
        return operations(json.loads(config), grid, channels)
    except (TypeError, ValueError, KeyError, AttributeError, NameError, RuntimeError):  # of another version of diffusers
        return None


def operations(config: Mapping[str, Any], grid: Grid, channels: int) -> int:
    """Floating point operations of one pass of a denoiser, counted while it runs on the meta device.

    Args:
        config: as diffusers has it, with ``_class_name``.
        grid: latents, height and width of the noise.
        channels: of the noise.
    """
    with warnings.catch_warnings():  # of third parties, at import
        warnings.simplefilter("ignore")
        import diffusers
        import torch
    from torch.utils.flop_counter import FlopCounterMode

    model = built(config)
    name = str(config["_class_name"])
    call = CALLS[name](model, grid, channels)
    known = inspect.signature(getattr(diffusers, name).forward).parameters
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model(**{key: value for key, value in call.items() if key in known}, return_dict=False)
    return counter.get_total_flops()


def built(config: Mapping[str, Any]) -> Any:
    """A model of diffusers on the meta device, without memory or values, from its configuration."""
    import diffusers
    import torch

    given = {key: value for key, value in config.items() if not key.startswith("_")}
    with torch.device("meta"):
        return getattr(diffusers, str(config["_class_name"])).from_config(given).to("meta")  # some make a number elsewhere


def rate_of(dtype: str | None) -> tuple[float, str]:
    """Operations per second that products of large matrices reach on the device that will be used, and its name.

    Measured once per process; models reach less, as they do more than multiply.

    Args:
        dtype: of the weights; the usual one of the device by default.
    """
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return _rate(device, dtype or ("bfloat16" if device == "cuda" else "float32")), "GPU" if device == "cuda" else "CPU"


@functools.cache
def _rate(device: str, dtype: str) -> float:
    import torch

    side = _PROBE_SIDE[device]
    one = torch.ones(side, side, dtype=getattr(torch, dtype), device=device)
    fastest = float("inf")
    for _ in range(_PROBE_ROUNDS):  # the first one also starts threads, or the GPU
        begun = time.perf_counter()
        (one @ one)[0, 0].item()
        fastest = min(fastest, time.perf_counter() - begun)
    return 2 * side**3 / fastest
