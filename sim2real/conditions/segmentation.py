"""Instance ids per pixel."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int, UInt16
from torch import Tensor

from ..scene import Triangles


def instance_ids(face: Int[Tensor, "height width"], triangles: Triangles) -> UInt16[np.ndarray, "height width"]:
    """Instance ids (place in ``Scene.instances`` plus one), 0 where there is no surface.

    They depend on the scene alone, so they are the same in every frame, camera and run.
    """
    ids = np.zeros(len(triangles.face_part) + 1, np.uint16)
    if len(triangles.face_part):
        ids[:-1] = triangles.part_instance[triangles.face_part]
    return ids[face.detach().to(torch.int32).cpu().numpy()]  # -1 is the last entry: background
