"""The noise of views: that of the surfaces, mixed with the independent part that the plan asks for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float32

from ..camera import View
from ..noise import Charts, NoiseLayout, SurfaceNoise, mix, seed_of_draw, seen_beta
from ..raster import Fragments, Visibility
from ..scene import Triangles
from .plan import Plan


class ViewNoise:
    """Draws the noise of any view; may be asked from several threads at once.

    Args:
        plan: whose seed, and whose shares of independent noise.
        triangles: of the plan's scene.
        charts: of the same.
        layout: pixels per latent, and channels; the plan's may be others.
    """

    def __init__(self, plan: Plan, triangles: Triangles, charts: Charts, layout: NoiseLayout) -> None:
        self._plan, self._triangles, self._layout = plan, triangles, layout
        self._noise = SurfaceNoise(charts, triangles, layout, seed=plan.seed, device=plan.device)
        self._beta = self._beta_or_one_per_face()

    def draws(
        self, seen: Visibility | Fragments, asked: View, camera: str, number: int, more: int = 0
    ) -> list[Float32[np.ndarray, "channels latent_height latent_width"]]:
        """The noise of a view, and further draws of it.

        Args:
            seen: what the view's pixels see.
            asked: the view.
            camera: its name.
            number: the frame's, for independent noise.
            more: how many further draws.
        """
        told = self._beta
        beta = seen_beta(seen.face, told, self._layout.factor) if isinstance(told, torch.Tensor) else told
        drawn = self._noise.draws(seen, asked, more)
        where = {"camera": camera, "frame": number}
        return [mix(one, beta, seed=seed_of_draw(self._plan.seed, k), **where).cpu().numpy() for k, one in enumerate(drawn)]

    def _beta_or_one_per_face(self) -> float | Float32[torch.Tensor, "faces_and_background"]:
        """The one beta of everything, or one per face and that of the background at the end."""
        plan, triangles = self._plan, self._triangles
        if not isinstance(plan.beta, Mapping):
            return float(plan.beta)
        ids = np.append(triangles.part_instance[triangles.face_part], 0)
        return torch.as_tensor(plan.id_beta[ids], device=plan.device)
