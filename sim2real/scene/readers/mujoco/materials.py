"""MuJoCo's materials, textures and lights in our records, and how its textures lie on its shapes.

MuJoCo's classic renderer lights and blends in display space. Colors are therefore taken as sRGB and made linear, light
directions and hues are kept, and brightness is left to our defaults, so that pictures are well exposed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, Int, UInt8

from ....optional import require
from ...colors import linear_from_srgb
from ...records import Lighting, Material
from .types import MjModel

UNSET_RGBA = (0.5, 0.5, 0.5, 1.0)
"""What a color is where the model leaves it to the material."""
_SPOT, _DIRECTIONAL = 0, 1
_SKYBOX = 2

# sides of a cube map in MuJoCo's order +x -x +y -y +z -z: (axis, sign) of u and of v (up), as OpenGL defines them
_CUBE_U = ((2, -1), (2, 1), (0, 1), (0, 1), (0, 1), (0, -1))
_CUBE_V = ((1, 1), (1, 1), (2, -1), (2, 1), (1, 1), (1, 1))


def geom_rgba(model: MjModel, geom: int) -> tuple[float, float, float, float]:
    """The color that MuJoCo gives a geom: its own where it differs from the default, else its material's."""
    return rgba_of(model, int(model.geom_matid[geom]), model.geom_rgba[geom])


def rgba_of(model: MjModel, material: int, own: np.ndarray) -> tuple[float, float, float, float]:
    """The color of anything with a color of its own and a material (-1: none)."""
    unset = material >= 0 and np.array_equal(own, np.array(UNSET_RGBA, np.float32))
    red, green, blue, alpha = (float(c) for c in np.clip(model.mat_rgba[material] if unset else own, 0, 1))
    return red, green, blue, alpha


def geom_texture(model: MjModel, geom: int) -> int:
    """The color texture of a geom, -1 if there is none that this reader understands."""
    return texture_of(model, int(model.geom_matid[geom]))


def texture_of(model: MjModel, material: int) -> int:
    """The color texture of a material (-1: none), -1 if there is none that this reader understands."""
    mujoco = require("mujoco", "mujoco")
    if material < 0:
        return -1
    ids = np.atleast_1d(model.mat_texid[material])
    roles = [int(getattr(mujoco.mjtTextureRole, f"mjTEXROLE_{name}")) for name in ("RGB", "RGBA")]
    texture = next((int(ids[role]) for role in roles if ids[role] >= 0), -1)
    return texture if texture >= 0 and int(model.tex_nchannel[texture]) in (3, 4) else -1


def texture_images(model: MjModel, texture: int) -> list[UInt8[np.ndarray, "height width channels"]]:
    """The picture of a 2D texture, or the pictures of a cube's sides (one if all are the same)."""
    width, height, channels = (int(k[texture]) for k in (model.tex_width, model.tex_height, model.tex_nchannel))
    start = int(model.tex_adr[texture])
    image = np.array(model.tex_data[start : start + width * height * channels]).reshape(height, width, channels)
    if int(model.tex_type[texture]) == 0 or height == width:
        return [image]
    sides = list(image.reshape(6, width, width, channels))
    return sides[:1] if all(np.array_equal(sides[0], side) for side in sides[1:]) else sides


def textures_of(model: MjModel, geoms: Iterable[int]) -> dict[int, list[UInt8[np.ndarray, "height width channels"]]]:
    """The images of all textures that some geoms show; equal ones are the same array, though models often hold them twice."""
    known: dict[bytes, np.ndarray] = {}
    images = {}
    for texture in sorted({geom_texture(model, geom) for geom in geoms} - {-1}):
        sides = texture_images(model, texture)
        keys = [hashlib.sha256(np.array(side.shape).tobytes() + side.tobytes()).digest() for side in sides]
        images[texture] = [known.setdefault(key, side) for key, side in zip(keys, sides, strict=True)]
    return images


def is_cube(model: MjModel, texture: int) -> bool:
    """Whether a texture is a cube map (projected, without texture coordinates of its own)."""
    return texture >= 0 and int(model.tex_type[texture]) != 0


def material_of(model: MjModel, geom: int, image: UInt8[np.ndarray, "height width channels"] | None) -> Material:
    """The material of a geom; see ``made_of``."""
    return made_of(model, int(model.geom_matid[geom]), geom_rgba(model, geom), image)


def made_of(
    model: MjModel,
    material: int,
    rgba: tuple[float, float, float, float],
    image: UInt8[np.ndarray, "height width channels"] | None = None,
) -> Material:
    """A material (-1: none) in a color.

    ``roughness`` is MuJoCo's own where it is set; otherwise it is that of the Blinn-Phong lobe that ``shininess`` describes
    (exponent 128 times shininess), wider where ``specular`` is low.
    """
    base = _triple(linear_from_srgb(np.clip(rgba[:3], 0, 1)))
    if material < 0:
        return Material((*base, rgba[3]), image, roughness=0.6)
    shininess, specular = float(model.mat_shininess[material]), float(model.mat_specular[material])
    lobe = (2 / (128 * shininess + 2)) ** 0.25
    roughness = float(np.clip(1 - min(2 * specular, 1) * (1 - lobe), 0.25, 1))
    own_roughness, own_metallic = float(model.mat_roughness[material]), float(model.mat_metallic[material])
    emission = float(model.mat_emission[material])
    return Material(
        base_color=(*base, rgba[3]),
        texture=image,
        metallic=own_metallic if own_metallic >= 0 else 0.0,
        roughness=own_roughness if own_roughness >= 0 else roughness,
        emission=(emission * base[0], emission * base[1], emission * base[2]),
    )


def texture_scale(model: MjModel, geom: int) -> Float[np.ndarray, "2"]:
    """How often a 2D texture repeats: over the shape, or per metre of half size where the material says ``texuniform``."""
    material = int(model.geom_matid[geom])
    repeat = texture_repeat(model, material)
    size = np.asarray(model.geom_size[geom, :2], np.float64)
    return repeat * np.where(size > 0, size, 1) if model.mat_texuniform[material] else repeat


def texture_repeat(model: MjModel, material: int) -> Float[np.ndarray, "2"]:
    """How often a material's 2D texture repeats over texture coordinates of 0 to 1."""
    repeat = np.asarray(model.mat_texrepeat[material], np.float64)
    return np.where(repeat > 0, repeat, 1)


def repeated(uv: Float[np.ndarray, "faces 3 2"], scale: Float[np.ndarray, "2"]) -> Float[np.ndarray, "faces 3 2"]:
    """Texture coordinates (v up) of a texture that repeats from its upper left corner, as MuJoCo's do."""
    return np.stack([uv[..., 0] * scale[0], 1 - (1 - uv[..., 1]) * scale[1]], axis=-1)


def seen_from_above(model: MjModel, geom: int, corners: Float[np.ndarray, "faces 3 3"]) -> Float[np.ndarray, "faces 3 2"]:
    """MuJoCo's coordinates for a 2D texture on a shape that brings none: projected along the shape's own z axis."""
    size = np.asarray(model.geom_size[geom, :2], np.float64)
    scale = texture_scale(model, geom) / np.where(size > 0, size, 1)
    s = 0.5 * scale[0] * corners[..., 0] - 0.5
    t = -0.5 * scale[1] * corners[..., 1] - 0.5
    return np.stack([s, 1 - t], axis=-1)


def on_cube(
    unit: Float[np.ndarray, "faces 3 3"],
) -> tuple[Int[np.ndarray, "faces"], Float[np.ndarray, "faces 3 2"]]:
    """Where a cube map lies on a shape: the side of the cube that each face looks to, and parallel projection onto it.

    MuJoCo projects from the shape's center instead. On boxes both are the same; elsewhere this one is free of the streaks
    that its projection makes on faces seen from the center at a grazing angle.

    Args:
        unit: corner positions, scaled so that the shape fills the cube [-1, 1].
    """
    normal = np.cross(unit[:, 1] - unit[:, 0], unit[:, 2] - unit[:, 0])
    axis = np.abs(normal).argmax(axis=1)
    side = 2 * axis + (np.take_along_axis(normal, axis[:, None], axis=1)[:, 0] < 0)
    uv = np.empty((*unit.shape[:2], 2))
    for k in range(6):
        rows = side == k
        for column, (source, sign) in enumerate((_CUBE_U[k], _CUBE_V[k])):
            uv[rows, :, column] = 0.5 + 0.5 * sign * unit[rows][..., source]
    return side, uv


def lighting_of(
    model: MjModel, light_position: Float[np.ndarray, "lights 3"], light_direction: Float[np.ndarray, "lights 3"]
) -> Lighting:
    """Sun and sky of a model.

    The sun has the direction and hue of the first directional light, else of the brightest light; sky and ground have the hue
    of what lights everything (the headlight, and the ambient part of lights). A skybox is seen and lights nothing, as in
    MuJoCo. What a model does not say is as in ``Lighting``.
    """
    usual = Lighting()
    active = [k for k in range(model.nlight) if model.light_active[k]]
    suns = [k for k in active if _kind(model, k) == _DIRECTIONAL]
    others = sorted(active, key=lambda k: -float(model.light_diffuse[k].sum()))
    direction, sun = usual.sun_direction, usual.sun
    if suns or others:
        light = (suns or others)[0]
        towards = -light_direction[light]
        if _kind(model, light) not in (_DIRECTIONAL, _SPOT):
            towards = light_position[light] - np.asarray(model.stat.center)
        length = float(np.linalg.norm(towards))
        if length > 0:
            direction = _triple(towards / length)
        sun = _hue(model.light_diffuse[light], usual.sun)
    head = model.vis.headlight
    ambient = sum((np.asarray(model.light_ambient[k], np.float64) for k in active), np.zeros(3))
    if head.active:
        ambient = ambient + head.ambient + 0.5 * np.asarray(head.diffuse, np.float64)
    sky, ground = (_hue(ambient, _triple(np.full(3, np.mean(color)))) for color in (usual.sky, usual.ground))
    box, backdrop = skybox_of(model), None
    if box >= 0:
        sides = texture_images(model, box)
        # a skybox is stored with y up: its side +y is the zenith
        above, below = (linear_from_srgb(sides[k % len(sides)][..., :3] / 255).mean(axis=(0, 1)) for k in (2, 3))
        backdrop = _triple(above), _triple(below)
    return Lighting(direction, sun, sky, ground, backdrop=backdrop)


def skybox_of(model: MjModel) -> int:
    """The number of the texture that is seen where nothing is; -1 if there is none."""
    boxes = np.flatnonzero(np.asarray(model.tex_type) == _SKYBOX)
    return int(boxes[0]) if len(boxes) and int(model.tex_nchannel[boxes[0]]) in (3, 4) else -1


def _kind(model: MjModel, light: int) -> int:
    if hasattr(model, "light_type"):
        return int(model.light_type[light])
    return _DIRECTIONAL if model.light_directional[light] else _SPOT  # MuJoCo before 3.3


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in values)
    return x, y, z


def _hue(srgb: np.ndarray, usual: tuple[float, float, float]) -> tuple[float, float, float]:
    """A color at the usual brightness; black says nothing about hue."""
    linear = linear_from_srgb(np.clip(np.asarray(srgb, np.float64), 0, 1))
    if linear.mean() < 0.01:
        return usual
    return _triple(linear / linear.mean() * np.mean(usual))
