"""Pipelines of the true structure that fit into a test: random weights, made from configurations, a module per kind of model.

Each module has ``TINY``: a ``Tiny`` by the name of the family in ``sim2real families``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

MODULES = ("wan", "stable_diffusion", "cogvideox", "stable_video", "cosmos", "hunyuan", "sana_video", "ltx")


@dataclass(frozen=True)
class Tiny:
    """How a family is tried.

    - ``save``: writes the pipeline to a folder, as the hub has it; anything else that it loads lies beside it.
    - ``frames``, ``size``: of the clip.
    - ``steps``: denoising steps.
    - ``prompt``: None where the model reads no text.
    - ``large``: fields of ``LargeModelOptions`` that it has to be given; called with the folder.
    - ``scale``: what our noise is multiplied by before the denoiser sees it, where it starts from noise alone.
    - ``tolerance``: how far it may be off; 0 is to the bit.
    - ``seen``: the tensor that the denoiser is given, of the module's arguments: ``hidden_states`` or ``sample``.
    - ``control``: where the control video arrives: ``vae`` (its encoder's input, -1 to 1), ``controlnet`` (0 to 1), or None.
    - ``pictured``: how many latents in front show a picture in the place of noise.
    - ``around``: what has to be in place while it runs.
    - ``draws``: whether the pipeline may draw numbers of its own (for what is no noise of the footage).
    """

    save: Callable[[Path], Any]
    frames: int = 5
    size: tuple[int, int] = (32, 48)
    steps: int = 2
    prompt: str | None = "kitchen"
    large: Callable[[Path], Mapping[str, Any]] = field(default=lambda folder: {})
    scale: float | None = 1.0
    tolerance: float = 0.0
    seen: Callable[[tuple[Any, ...], Mapping[str, Any]], Any] = field(
        default=lambda args, kwargs: kwargs["hidden_states"] if "hidden_states" in kwargs else args[0]
    )
    control: str | None = None
    draws: bool = False
    pictured: int = 0
    around: Callable[[], AbstractContextManager[Any]] = nullcontext
    unpack: Callable[[np.ndarray], np.ndarray] = field(default=lambda latents: latents)
    """From what the denoiser sees to the axes of the pipeline's ``latents=``; for packed tokens and the like."""


def tiny_families() -> dict[str, Tiny]:
    """All of them."""
    found: dict[str, Tiny] = {}
    for name in MODULES:
        found |= importlib.import_module(f"{__name__}.{name}").TINY
    return found
