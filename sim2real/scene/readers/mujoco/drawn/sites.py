"""Sites: marks on bodies, shown on request."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .....transforms import rigid, rotation_from_quaternion
from ....records import Instance, Mesh
from ..geoms import solid_shape
from ..labels import class_of, is_fixed
from ..materials import made_of, rgba_of
from ..types import MjModel
from .kinds import material_number, name_of


@dataclass(frozen=True, eq=False)
class Mark:
    """A site: a mesh that a body carries."""

    instance: Instance
    body: int
    mesh: Mesh
    body_from_mesh: Float[np.ndarray, "4 4"]


def mark(model: MjModel, number: int) -> Mark | None:
    """A site in its color (textures are left out); ``None`` where it has no surface."""
    mesh = int(model.site_dataid[number]) if hasattr(model, "site_dataid") else -1
    shape = solid_shape(model, int(model.site_type[number]), model.site_size[number], mesh)
    if shape is None:
        return None
    name, body = name_of(model, "site", number), int(model.site_bodyid[number])
    material = material_number(model, "site", number)
    look = made_of(model, material, rgba_of(model, material, model.site_rgba[number]))
    solid = Mesh(name, shape.vertices, shape.faces, normals=shape.normals, material=look, outside_only=True)
    place = rigid(rotation_from_quaternion(np.asarray(model.site_quat[number], np.float64)), model.site_pos[number])
    return Mark(Instance(name, class_of(model, body) if body else name, fixed=is_fixed(model, body)), body, solid, place)
