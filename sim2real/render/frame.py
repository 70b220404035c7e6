"""One frame of one camera: a single rasterization that noise, conditions and labels share."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from .. import kinds
from ..conditions.rgb.protocol import MadeBy
from ..noise import SurfaceNoise, charts_of, mix, seed_of_draw, seen_beta
from ..scene import Camera
from .plan import Plan
from .stage import FrameView, Stage


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
        self._noise = self._surface_noise() if "noise" in plan.kinds else None
        self._noisy = frozenset(plan.latent_frames)
        self._beta = self._beta_or_one_per_face()
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
        seen, told, plan = view.seen, self._beta, self.plan
        beta = seen_beta(seen.face, told, plan.layout.factor) if isinstance(told, torch.Tensor) else told
        where = {"camera": view.camera.name, "frame": view.number}
        drawn = self._noise.draws(seen, view.asked, plan.draws)
        return [mix(one, beta, seed=seed_of_draw(plan.seed, k), **where).cpu().numpy() for k, one in enumerate(drawn)]

    def _beta_or_one_per_face(self) -> float | Float32[torch.Tensor, "faces_and_background"]:
        """The one beta of everything, or one per face and that of the background at the end."""
        plan, triangles = self.plan, self.stage.triangles
        if not isinstance(plan.beta, Mapping):
            return float(plan.beta)
        ids = np.append(triangles.part_instance[triangles.face_part], 0)
        return torch.as_tensor(plan.id_beta[ids], device=plan.device)

    def _surface_noise(self) -> SurfaceNoise:
        plan, triangles = self.plan, self.stage.triangles
        charts = charts_of(plan.scene, triangles)
        return SurfaceNoise(charts, triangles, plan.layout, seed=plan.seed, device=plan.device)


def _prepared(kind: str, stage: Stage) -> Callable[[FrameView], Any]:
    """What computes a kind of picture: its module's."""
    return importlib.import_module(f".kinds.{kind}", __package__).prepare(stage)
