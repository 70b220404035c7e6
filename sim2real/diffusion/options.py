"""What is asked of a video model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..camera_effects import effects
from ..errors import BadValueError
from .large_models import LargeModelOptions

NOISE_KINDS = ("clip", "iid", "flow")


@dataclass(frozen=True)
class GenerateOptions:
    """What ``generate`` is asked for.

    - ``model``: None is the embedded model; a folder of ``sim2real train``; or a family's name, a folder or a hub id
      of a large model (``sim2real families``).
    - ``use``: of the embedded model: ``keep`` keeps the simulator's colors and textures, ``restyle`` gives everything a new
      surface (the folder of the footage is then called ``<model>-restyle-<seed>``).
    - ``look``: for ``restyle``: a look, ``class=material,...``, or both; what it leaves open follows ``seed``.
    - ``keep``: for ``restyle``: classes or instances that keep their colors; ``*`` is anything.
    - ``onto`` and ``change``: an edit of footage that is there: of ``onto`` (``rgb``, or a name such as ``embedded-0``) the
      classes or instances of ``change`` alone are made anew; all other pixels stay, to the bit. With ``large.invert`` footage
      begins from what ``onto`` shows.
    - ``camera_effects``: ``none``, ``phone``, ``webcam`` or ``realsense``; None is the family's usual one: ``phone`` for the
      embedded model, ``none`` for others.
    - ``prompt``: for models that read text; the embedded model does not. ``auto`` is written from the scene.
    - ``steps``: denoising steps; None is the model's own number.
    - ``seed``: chooses the look, and the grain of the camera. The noise is the clip's and does not depend on it.
    - ``noise``: ``clip`` drives the model with the clip's noise. Baselines: ``iid``, independent noise in every frame;
      ``flow``, noise that the clip's flow carries from frame to frame.
    - ``camera``: one camera; None is all.
    - ``device``: ``cpu`` or ``cuda``, for the embedded model. Large models run on CUDA where there is one.
    - ``large``: what else is asked of large models.

    Raises:
        BadValueError: no such noise, or fewer than one step.
        UnknownNameError: no such camera effects.
    """

    model: str | Path | None = None
    use: str = "keep"
    look: str | None = None
    keep: Sequence[str] = ()
    onto: str | None = None
    change: Sequence[str] = ()
    camera_effects: str | None = None
    prompt: str | None = None
    steps: int | None = None
    seed: int = 0
    noise: str = "clip"
    camera: str | None = None
    device: str = "cpu"
    large: LargeModelOptions = field(default_factory=LargeModelOptions)

    def __post_init__(self) -> None:
        if self.noise not in NOISE_KINDS:
            raise BadValueError("noise", repr(self.noise), right=", ".join(NOISE_KINDS))
        if self.camera_effects is not None:
            effects(self.camera_effects)
        if self.steps is not None and self.steps < 1:
            raise BadValueError("the number of steps", self.steps, right="at least 1")
