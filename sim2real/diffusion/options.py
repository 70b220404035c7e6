"""What is asked of a video model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..camera_effects import effects
from ..errors import BadValueError
from .large_models import LargeModelOptions

NOISE_KINDS = ("clip", "iid", "flow")
MOST_TILES = 8
"""Along each side of a canvas."""

MOST_WORN = 3.0


@dataclass(frozen=True)
class GenerateOptions:
    """What ``generate`` is asked for.

    - ``model``: None is the embedded model; a folder of ``sim2real train``; or a family's name, a folder or a hub id
      of a large model (``sim2real families``).
    - ``use``: of the embedded model: ``keep`` keeps the simulator's colors and textures, ``restyle`` gives everything a new
      surface (the folder of the footage is then called ``<model>-restyle-<seed>``).
    - ``look``: for ``restyle``: a look, ``class=material,...``, or both; what it leaves open follows ``seed``.
    - ``keep``: for ``restyle``: classes or instances that keep their colors; ``*`` is anything.
    - ``wear``: of the embedded model: how much use has left on surfaces that keep their colors, drawn by the noise: 0 nothing,
      1 a household's, at most 3.
    - ``quick``: of the embedded model: its network sees pictures of half the size, in half of the time.
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
    - ``canvas``: (rows, columns): all cameras are made as one picture of so many tiles, so that they share a look.
    - ``device``: ``cpu`` or ``cuda``, for the embedded model. Large models run on CUDA where there is one.
    - ``large``: what else is asked of large models.

    Raises:
        BadValueError: no such noise, fewer than one step, wear that there is not, or a canvas of no or very many tiles.
        UnknownNameError: no such camera effects.
    """

    model: str | Path | None = None
    use: str = "keep"
    look: str | None = None
    keep: Sequence[str] = ()
    wear: float = 1.0
    quick: bool = False
    onto: str | None = None
    change: Sequence[str] = ()
    camera_effects: str | None = None
    prompt: str | None = None
    steps: int | None = None
    seed: int = 0
    noise: str = "clip"
    camera: str | None = None
    canvas: tuple[int, int] | None = None
    device: str = "cpu"
    large: LargeModelOptions = field(default_factory=LargeModelOptions)

    def __post_init__(self) -> None:
        if self.noise not in NOISE_KINDS:
            raise BadValueError("noise", repr(self.noise), right=", ".join(NOISE_KINDS))
        if self.camera_effects is not None:
            effects(self.camera_effects)
        if not 0 <= self.wear <= MOST_WORN:
            raise BadValueError("wear", self.wear, right=f"0 to {MOST_WORN:g}")
        if self.canvas is not None and not all(1 <= side <= MOST_TILES for side in self.canvas):
            right = f"ROWSxCOLUMNS, each from 1 to {MOST_TILES}"
            raise BadValueError("--canvas", "x".join(map(str, self.canvas)), right=right)
        if self.steps is not None and self.steps < 1:
            raise BadValueError("the number of steps", self.steps, right="at least 1")
