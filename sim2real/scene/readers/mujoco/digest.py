"""What a model's pictures depend on, as one hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from .drawn.kinds import drawn
from .states import Recording
from .types import MjModel

_GEOMETRY = (
    *("mesh_vert", "mesh_face", "mesh_texcoord", "hfield_data", "tex_data", "mat_rgba"),
    *("geom_type", "geom_size", "geom_pos", "geom_quat", "geom_rgba", "geom_matid"),
    *("geom_group", "geom_bodyid", "body_parentid", "body_pos", "body_quat", "jnt_axis"),
    *("jnt_pos", "cam_pos", "cam_quat", "cam_fovy", "qpos0", "key_qpos"),
)
_COUNTED = {
    "nlight": ("light_pos", "light_dir", "light_diffuse", "light_ambient", "light_active", "light_type", "light_directional"),
    "ntex": ("mat_texid", "mat_texrepeat", "mat_texuniform", "tex_type", "tex_height", "tex_width"),
}
"""Fields that count where a model has any of what they are about."""
_SHOWN = {
    "skins": (
        *("skin_vert", "skin_face", "skin_texcoord", "skin_rgba", "skin_matid", "skin_inflate", "skin_group"),
        *("skin_bonebodyid", "skin_bonebindpos", "skin_bonebindquat", "skin_bonevertid", "skin_bonevertweight"),
    ),
    "flexes": (
        *("flex_vert", "flex_elem", "flex_shell", "flex_texcoord", "flex_rgba", "flex_matid", "flex_radius", "flex_group"),
        *("flex_vertbodyid", "flex_nodebodyid", "flex_node"),
    ),
    "tendons": (
        *("tendon_width", "tendon_rgba", "tendon_matid", "tendon_group", "tendon_range", "tendon_lengthspring"),
        *("wrap_type", "wrap_objid", "site_pos", "site_bodyid"),
    ),
    "sites": ("site_pos", "site_quat", "site_bodyid", "site_size", "site_type", "site_rgba", "site_matid", "site_group"),
}
"""Fields that count where such things are shown, so that models without any keep their hash."""


def digest_of(model: MjModel, recording: Recording | None, kinds: Iterable[str]) -> str:
    """A hash of compiled geometry, textures, colors, lights, what is shown besides geoms, and the states."""
    digest = hashlib.sha256()
    names = [*_GEOMETRY, *(name for count, fields in _COUNTED.items() if getattr(model, count) for name in fields)]
    names += [name for kind in kinds if len(drawn(model, kind)) for name in _SHOWN[kind]]
    names += ["mat_reflectance"] if np.any(model.mat_reflectance) else []
    arrays = [getattr(model, name) for name in names if hasattr(model, name)]
    if recording is not None:
        arrays += [recording.rows] + ([] if recording.mocap is None else [recording.mocap])
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
