"""What is asked of a rendering job."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import kinds
from ..errors import BadValueError, UnknownNameError
from ..noise.beta import Beta
from ..noise.layout import NoiseLayout

MOST_DRAWS = 1000
"""As many as a sampler can take steps."""


@dataclass(frozen=True)
class RenderOptions:
    """How a scene is rendered to a clip folder.

    - ``cameras``: names of the scene's cameras; all by default.
    - ``size``: picture (height, width) in pixels; the cameras' own by default.
    - ``layout``: how the noise is laid out; noise of the picture's size with 3 channels (the embedded model's) by default.
    - ``seed``: of the noise.
    - ``draws``: further draws of the noise, independent values on the same surfaces, for samplers that add noise at every step.
    - ``beta``: share of surface noise, 1 is all of it; or shares by name of a class or an instance, ``background``, and ``*``
      for all others.
    - ``device``: ``cpu`` or ``cuda``.
    - ``only``: some of the kinds of pictures (``sim2real.kinds``); the usual ones by default: all but ``albedo``,
      ``material``, ``light``, ``reflection``, ``gloss`` and ``flow``.
    - ``overwrite``: replace an existing clip folder.
    - ``threads``: frames rendered at once; one per core by default.
    - ``rgb``: who makes the pictures ``rgb``, one of ``kinds.RGB_RENDERERS``; ``rgb_samples``: paths per pixel of ``mitsuba``.
    - ``as_live``: find what all frames share (exposure, where shadows fall sharply) from the first frame alone, as a running
      simulation has to: the pictures are those of ``sim2real.live``, bit for bit. Otherwise the whole clip is looked at.
    - ``quick``: follow ``light``, ``reflection`` and ``gloss`` from a quarter of the places, in half of the time: softer.
    - ``fine``: also render pictures so many times as wide and high, into the folder ``fine``: the embedded model makes its
      footage from these, and reduces it to ``size``, so that thin lines and borders come out clean.
    - ``pages``: write the contact sheet and the report; a caller that adds more to the clip writes them afterwards.
    - ``scene_options``: how the scene was read, for ``clip.json``, so that it can be read again.

    Raises:
        UnknownNameError: a kind of picture, or a renderer of ``rgb``, that does not exist.
        BadValueError: no kind at all, a size without pixels, fewer than one thread, draws of no noise, ``fine`` beyond what
            clips hold, or a renderer of ``rgb`` that does not go with the other options.
    """

    cameras: Sequence[str] | None = None
    size: tuple[int, int] | None = None
    layout: NoiseLayout = NoiseLayout(factor=1, channels=3)
    seed: int = 0
    draws: int = 0
    beta: Beta = 1.0
    device: str = "cpu"
    only: Collection[str] | None = None
    overwrite: bool = False
    threads: int | None = None
    rgb: str = "ours"
    rgb_samples: int | None = None
    as_live: bool = False
    quick: bool = False
    fine: int = 1
    pages: bool = True
    scene_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind in self.only or ():
            if kind not in kinds.names():
                raise UnknownNameError(kind, kinds.names(), what="kind of picture")
        if self.only is not None and not self.only:
            raise BadValueError("the set of pictures", "empty", right=f"some of {', '.join(kinds.names())}")
        if self.size is not None and min(self.size) < 1:
            raise BadValueError("the picture size", f"{self.size[0]}x{self.size[1]}", right="at least 1x1")
        if self.threads is not None and self.threads < 1:
            raise BadValueError("the number of threads", self.threads, right="1 or more")
        if not 1 <= self.fine <= kinds.MOST_FINE:
            raise BadValueError("--fine", self.fine, right=f"from 1 to {kinds.MOST_FINE}")
        check_draws(self.draws, with_noise=self.only is None or "noise" in self.only)
        self._check_rgb()

    def _check_rgb(self) -> None:
        if self.rgb not in kinds.RGB_RENDERERS:
            raise UnknownNameError(self.rgb, kinds.RGB_RENDERERS, what="renderer of rgb")
        if self.rgb_samples is not None and self.rgb != "mitsuba":
            raise BadValueError("--rgb-samples", self.rgb_samples, right="left out but for --rgb mitsuba")
        if self.rgb_samples is not None and self.rgb_samples < 1:
            raise BadValueError("--rgb-samples", self.rgb_samples, right="1 or more")
        if self.rgb != "ours" and self.as_live:
            raise BadValueError("--rgb", self.rgb, right="ours with --as-live", fix="leave one of the two out")

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of pictures to write."""
        return kinds.usual_names() if self.only is None else frozenset(self.only)


def check_draws(draws: int, *, with_noise: bool) -> None:
    """Refuse a number of further draws that no clip holds.

    Raises:
        BadValueError: it is negative, or huge, or there is no noise to draw.
    """
    if not 0 <= draws <= MOST_DRAWS:
        raise BadValueError("--draws", draws, right=f"from 0 to {MOST_DRAWS}")
    if draws and not with_noise:
        raise BadValueError("--draws", draws, right="left out where no noise is written", fix="add noise to --only")
