"""Motion (x, y) in pixels to the next frame, and where its end is seen there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Bool, Float32

from ...flow import exact_flow
from ..stage import FrameView, Stage

Flow = tuple[Float32[np.ndarray, "height width 2"], Bool[np.ndarray, "height width"]]


def prepare(stage: Stage) -> Callable[[FrameView], Flow]:
    """Fragments of both frames; the last one has no motion, and nothing of it is visible in a next one."""

    def of(view: FrameView) -> Flow:
        if view.frame + 1 == stage.scene.frames:
            return np.zeros((*stage.plan.size, 2), np.float32), np.zeros(stage.plan.size, bool)
        here, after = view.fragments, FrameView(stage, view.camera, view.frame + 1).fragments
        faces, poses = torch.as_tensor(stage.triangles.faces, device=here.face.device), view.camera.world_from_camera
        flow = exact_flow(here, after, faces, poses[view.frame], poses[view.frame + 1], near=view.camera.near)
        return flow.forward.cpu().numpy(), flow.visible.cpu().numpy()

    return of
