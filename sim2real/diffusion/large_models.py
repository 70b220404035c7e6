"""What is asked of large models alone: how they are steered, and how they are fitted into the machine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ..errors import BadValueError, UnknownNameError
from .controls import CONTROLS

DTYPES = ("float32", "bfloat16", "float16")
OFFLOADS = ("none", "model", "sequential")
SEAMS = ("matched", "blended", "continued")
Number = float | int
RENDERED = "rgb"
"""As a first frame: the clip's own render of it."""


@dataclass(frozen=True)
class Lora:
    """A LoRA file in the layout that diffusers loads, and how strongly it counts."""

    path: Path
    scale: Number = 1.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.scale):
            raise BadValueError("--lora", f"{self.path}:{self.scale}", right="FILE or FILE:SCALE, such as warp.safetensors:0.8")

    def __str__(self) -> str:
        return f"{self.path}:{self.scale:g}"


@dataclass(frozen=True)
class LargeModelOptions:
    """What ``generate`` is asked for beyond ``GenerateOptions``, of families that run through diffusers.

    None, empty and False leave it to the family.

    - ``negative_prompt``: what the footage should not show.
    - ``guidance``: weight of the prompt, in the pipeline's own convention (``sim2real families`` has it).
    - ``scheduler``: class of the sampler: one that draws nothing, or one that adds noise at every step, which then are
      further draws of the clip's.
    - ``timesteps``: what the denoiser is told, step by step, falling: what few-step students have learned.
    - ``eta``: of DDIM: the share of noise that is drawn again at every step.
    - ``controls``: names in ``CONTROLS`` and their weights. A family with one control video blends them, and takes the sum of
      the weights as its strength; one with several ControlNets gives each its weight.
    - ``strength``: of video to video: 1 keeps nothing of the video, near 0 all. The embedded model takes it with ``restyle``:
      how far surfaces go from the simulator's to those of the look.
    - ``invert``: share of surface noise in noise that the model makes of the footage ``onto``: 0 keeps what it shows, 1 begins
      from surface noise alone.
    - ``source_prompt``: what that footage shows; None: what it was made with, where that is known.
    - ``loras``: files that change the model, added up.
    - ``references``: pictures of how things should look.
    - ``first_frame``: a picture file, or ``rgb``: the clip's render of it.
    - ``dtype``: of the weights: bfloat16 on CUDA and float32 on CPUs by default.
    - ``offload``: ``model`` keeps on the GPU only the part that works, ``sequential`` only the layer.
    - ``device_map``: as accelerate has it, such as ``balanced``: parts are spread over several GPUs.
    - ``vae_tiling``, ``attention_slicing``: less memory, more time.
    - ``compile``: the denoiser by torch.compile.
    - ``window``: frames that are made at once; None: all, or as many as the model was made for where the clip is longer.
    - ``overlap``: frames, at least, that a window shares with the one before.
    - ``seams``: ``matched`` carries colors over from window to window, and blends; ``blended`` blends alone;
      ``continued`` gives a window what is made of its first frames to keep, in families that take masks.

    Raises:
        BadValueError: a number outside its range, or options that do not go together.
        UnknownNameError: no such control.
    """

    negative_prompt: str | None = None
    guidance: Number | None = None
    scheduler: str | None = None
    timesteps: Sequence[Number] = ()
    eta: Number | None = None
    controls: Mapping[str, Number] = field(default_factory=dict)
    strength: Number | None = None
    invert: Number | None = None
    source_prompt: str | None = None
    loras: Sequence[Lora] = ()
    references: Sequence[Path] = ()
    first_frame: Path | str | None = None
    dtype: str | None = None
    offload: str = "none"
    device_map: str | None = None
    vae_tiling: bool = False
    attention_slicing: bool = False
    compile: bool = False
    window: int | None = None
    overlap: int | None = None
    seams: str = "matched"

    def __post_init__(self) -> None:
        for name in self.controls:
            if name not in CONTROLS:
                raise UnknownNameError(name, CONTROLS, what="control")
        for name, weight in self.controls.items():
            if not 0 < weight <= 2:
                raise BadValueError(f"the weight of --control {name}", weight, right="greater than 0, at most 2")
        shares = (("--strength", self.strength, 0, 1), ("--eta", self.eta, 0, 1), ("--invert", self.invert, 0, 1))
        for option, value, low, high in (("--guidance", self.guidance, 0, 100), *shares):
            if value is not None and not low <= value <= high:
                raise BadValueError(option, value, right=f"from {low} to {high}")
        if self.strength == 0:
            raise BadValueError("--strength", 0, right="greater than 0", fix="at 0 the footage would be the video itself")
        for option, value, valid in (
            ("--dtype", self.dtype, DTYPES),
            ("--offload", self.offload, OFFLOADS),
            ("--seams", self.seams, SEAMS),
        ):
            if value is not None and value not in valid:
                raise BadValueError(option, repr(value), right=", ".join(valid))
        for option, value in (("--window", self.window), ("--overlap", self.overlap)):
            if value is not None and value < 1:
                raise BadValueError(option, value, right="at least 1")
        falling = all(a > b for a, b in zip(self.timesteps, self.timesteps[1:], strict=False))
        if self.timesteps and not (falling and min(self.timesteps) > 0):
            shown = ",".join(f"{one:g}" for one in self.timesteps)
            raise BadValueError("--timesteps", shown, right="falling and greater than 0, such as 999,750,500,250")
        if self.source_prompt is not None and self.invert is None:
            raise BadValueError("--source-prompt", repr(self.source_prompt), right="left out without --invert")
        if self.device_map is not None and self.offload != "none":
            raise BadValueError("--offload", self.offload, right="left out beside --device-map", fix="both place the weights")

    def given(self) -> dict[str, Any]:
        """What was asked for, by the names of the command line's options; JSON types."""
        said = {}
        for one in fields(self):
            value, usual = getattr(self, one.name), LargeModelOptions.__dataclass_fields__[one.name]
            default = {} if one.name == "controls" else usual.default
            if value != default and value not in ({}, ()):
                said[_OPTIONS.get(one.name, "--" + one.name.replace("_", "-"))] = _plain(value)
        return said


_OPTIONS = {"controls": "--control", "loras": "--lora", "references": "--reference"}
"""Options that may be repeated are named in the singular."""


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (list, tuple)):
        return [one if isinstance(one, (int, float)) else str(one) for one in value]
    return str(value) if isinstance(value, Path) else value
