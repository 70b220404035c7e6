"""One frame of one camera: a single rasterization that noise, conditions and labels share."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32

from .. import kinds
from ..conditions.rgb.protocol import MadeBy
from ..scene import Camera
from .plan import Plan
from .stage import FrameView, Stage
from .view_noise import ViewNoise


@dataclass(frozen=True, eq=False)
class Frame:
    """What was rendered of one view.

    - ``noise`` has unit variance; ``None`` where it was not asked for, or no latent stands for the frame.
    - ``draws``: further draws of it, as many as the plan asks for.
    - ``pictures``: by kind, as the kind's format stores them.
    """

    noise: Float32[np.ndarray, "channels latent_height latent_width"] | None = None
    pictures: Mapping[str, Any] = field(default_factory=dict)
    draws: Sequence[Float32[np.ndarray, "channels latent_height latent_width"]] = ()


class FrameRenderer:
    """Renders frames of a plan, in any order, from any thread; the same frame always has the same bits."""

    def __init__(self, plan: Plan) -> None:
        """Upload triangles, lay out charts and load what the plan's kinds of pictures need."""
        self.plan = plan
        self.stage = Stage(plan)
        self._noise = ViewNoise(plan, self.stage.triangles, self.stage.charts, plan.layout) if "noise" in plan.kinds else None
        self._noisy = frozenset(plan.latent_frames)
        chosen = [kind.name for kind in kinds.pictures() if kind.name in plan.kinds]
        self._pictures = {kind: _prepared(kind, self.stage) for kind in chosen}

    @property
    def rgb_made_by(self) -> MadeBy | None:
        """Who makes the pictures ``rgb``; ``None``: our own renderer, or nobody."""
        return getattr(self._pictures.get("rgb"), "made_by", None)

    def render(self, camera: Camera, frame: int, number: int | None = None, only: Collection[str] | None = None) -> Frame:
        """Render one view.

        Args:
            camera: one of the plan's cameras.
            frame: frame of the scene.
            number: the frame's, where the scene holds only some frames of a longer rollout.
            only: some of the plan's kinds; all by default.
        """
        view = FrameView(self.stage, camera, frame, number)
        chosen = self.plan.kinds if only is None else only
        pictures = {kind: picture(view) for kind, picture in self._pictures.items() if kind in chosen}
        draws = self._draws_of(view) if "noise" in chosen else []
        return Frame(draws[0] if draws else None, pictures, draws[1:])

    def ahead(self, frame: int) -> None:
        """Do what the views of a frame share, while another thread begins with one of them."""
        for picture in self._pictures.values():
            if (share := getattr(picture, "ahead", None)) is not None:
                share(frame)

    def _draws_of(self, view: FrameView) -> list[Float32[np.ndarray, "channels latent_height latent_width"]]:
        """The noise and its further draws; nothing where no latent stands for the frame."""
        if self._noise is None or view.frame not in self._noisy:
            return []
        return self._noise.draws(view.seen, view.asked, view.camera.name, view.number, self.plan.draws)


def _prepared(kind: str, stage: Stage) -> Callable[[FrameView], Any]:
    """What computes a kind of picture: its module's."""
    return importlib.import_module(f".kinds.{kind}", __package__).prepare(stage)
