"""The shapes of MuJoCo's geoms as meshes, tessellated as its own renderer does, in the geoms' frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from ... import primitives
from ...records import Mesh, Mirror
from ...triangles import face_normals
from .materials import geom_rgba, geom_texture, is_cube, material_of, on_cube, repeated, seen_from_above, texture_scale
from .types import MjModel

PLANE, HFIELD, SPHERE, CAPSULE, ELLIPSOID, CYLINDER, BOX, MESH, SDF = range(9)
"""``mjtGeom`` as plain integers: comparing its enum with numpy integers is always false since MuJoCo 3.12."""
_CLEAR = 0.995
"""Alpha below which MuJoCo blends a geom, and lets it mirror nothing."""
MOST_SLICES = 512
"""Of a round shape, whatever the model asks for."""


def is_infinite(model: MjModel, geom: int) -> bool:
    """Whether a geom is a plane without bounds."""
    return int(model.geom_type[geom]) == PLANE and bool((model.geom_size[geom, :2] <= 0).any())


def visual_geoms(model: MjModel) -> Bool[np.ndarray, "geoms"]:
    """The geoms that are meant to be seen; there is no standard, so this is a rule.

    MuJoCo's viewer shows groups 0, 1 and 2; a model with nothing in these shows everything. Many robots keep what collides in
    group 0 and its pictures in another shown group (robosuite), while the scenes around them keep floor, table and objects in
    group 0, too. So, where at least nine in ten geoms of group 0 collide and most geoms of another shown group do not, a
    colliding geom of group 0 is left out if its own body has geoms of another shown group that do not collide. What belongs to
    the world, planes and height fields always stay.
    """
    groups, body = np.asarray(model.geom_group), np.asarray(model.geom_bodyid)
    collides = (np.asarray(model.geom_contype) != 0) | (np.asarray(model.geom_conaffinity) != 0)
    shown = groups <= 2
    if not shown.any():
        return np.ones(len(groups), np.bool_)
    first, others = groups == 0, [groups == g for g in (1, 2) if (groups == g).any()]
    told_apart = any((~collides[other]).mean() > 0.5 for other in others)
    if not first.any() or collides[first].mean() < 0.9 or not told_apart:
        return shown
    pictured = np.unique(body[shown & ~first & ~collides])
    spread_out = np.isin(np.asarray(model.geom_type), (PLANE, HFIELD))
    return shown & ~(first & collides & (body != 0) & ~spread_out & np.isin(body, pictured))


def shape_key(model: MjModel, geom: int) -> tuple:
    """Geoms with equal keys have the same shape."""
    kind, data = int(model.geom_type[geom]), int(model.geom_dataid[geom])
    if kind in (MESH, SDF, HFIELD):
        return kind, data
    if is_infinite(model, geom):
        return kind, geom
    return kind, *(float(s) for s in model.geom_size[geom])


def look_key(model: MjModel, geom: int) -> tuple:
    """Geoms with equal shape and look keys can share a mesh record."""
    sizes = tuple(float(s) for s in model.geom_size[geom])
    return shape_key(model, geom), int(model.geom_matid[geom]), geom_rgba(model, geom), sizes


def mirror_of(model: MjModel, geoms: Iterable[int]) -> tuple[int, Mirror | None]:
    """The geom that mirrors, and its mirror; -1 where none does.

    MuJoCo draws one mirror: the first plane or box, if it is not clear, whose material has a ``reflectance``. A box mirrors on
    its upper side.

    Args:
        model: a compiled model.
        geoms: that are shown.
    """
    for geom in sorted(geoms):
        kind, material = int(model.geom_type[geom]), int(model.geom_matid[geom])
        share = float(model.mat_reflectance[material]) if material >= 0 else 0.0
        if kind in (PLANE, BOX) and share > 0 and geom_rgba(model, geom)[3] >= _CLEAR:
            return geom, Mirror(share, (0.0, 0.0, float(model.geom_size[geom, 2]) if kind == BOX else 0.0))
    return -1, None


def horizon_m(model: MjModel, eyes: Float[np.ndarray, "*shape 3"]) -> float:
    """How far from the model's middle infinite planes are drawn: past what MuJoCo's far plane leaves of them to any eye.

    Eyes count in steps of a factor of two: planes, and so their noise, are the same in recordings whose cameras stay in about
    the same places, and in a simulation that has only begun.
    """
    away = np.linalg.norm(np.asarray(eyes, np.float64).reshape(-1, 3) - np.asarray(model.stat.center), axis=1)
    extents = float(away.max(initial=0)) / float(model.stat.extent)
    return float(model.stat.extent * (model.vis.map.zfar + 2.0 ** np.ceil(np.log2(max(2 * extents, 1)))))


def geom_shape(model: MjModel, geom: int, horizon: float) -> Mesh | None:
    """Vertices, faces, normals and texture coordinates of a geom; ``None`` where it has no surface (an SDF without mesh).

    Round shapes get the slices and stacks of the model's ``visual/quality``, so that silhouettes agree with MuJoCo's
    pictures; like its spheres, ours are two halves, and an odd number of stacks loses one. Meshes are the compiled ones, which
    belong to ``geom_xpos`` and ``geom_xmat``. Solid shapes and meshes are seen from outside only, as MuJoCo draws them: a
    camera inside a head sees out.

    Args:
        model: a compiled model.
        geom: its number.
        horizon: metres from the model's middle to where an infinite plane ends, from ``horizon_m``.
    """
    kind, data = int(model.geom_type[geom]), int(model.geom_dataid[geom])
    if kind == PLANE:
        return _plane(model, geom, horizon)
    return _hfield(model, data) if kind == HFIELD else solid_shape(model, kind, model.geom_size[geom], data)


def solid_shape(model: MjModel, kind: int, size: np.ndarray, mesh: int) -> Mesh | None:
    """A solid shape or a mesh of a model, seen from outside only; ``None`` where it has no surface.

    Args:
        model: a compiled model.
        kind: of ``mjtGeom``.
        size: the three numbers that MuJoCo keeps of it.
        mesh: the number of its mesh, -1 where it has none.
    """
    shape = _solid(model, kind, size, mesh)
    return shape if shape is None else replace(shape, outside_only=True)


def _solid(model: MjModel, kind: int, size: np.ndarray, mesh: int) -> Mesh | None:
    x, y, z = (float(s) for s in size)
    quality = model.vis.quality
    around, stacks = (min(max(int(number), 3), MOST_SLICES) for number in (quality.numslices, quality.numstacks))
    half = max(stacks // 2, 1)
    if kind == BOX:
        return primitives.box([x, y, z])
    if kind == SPHERE:
        return primitives.sphere(x, segments=around, rings=2 * half)
    if kind == ELLIPSOID:
        return primitives.ellipsoid([x, y, z], segments=around, rings=2 * half)
    if kind == CYLINDER:
        return primitives.cylinder(x, y, segments=around)
    if kind == CAPSULE:
        return primitives.capsule(x, y, segments=around, rings=half)
    return _mesh(model, mesh) if mesh >= 0 else None


def _plane(model: MjModel, geom: int, horizon: float) -> Mesh:
    size = np.asarray(model.geom_size[geom, :2], np.float64)
    if not is_infinite(model, geom):
        return primitives.plane(size)
    half = np.where(size > 0, size, horizon)
    flat = primitives.plane(half)
    # the rectangle is laid around the model's middle where the plane belongs to the world
    center = np.zeros(3)
    if int(model.geom_bodyid[geom]) == 0:
        turn = np.asarray(_matrix(model.geom_quat[geom]))
        center[:2] = (turn.T @ (np.asarray(model.stat.center) - model.geom_pos[geom]))[:2]
        center[:2][size > 0] = 0
    return replace(flat, vertices=flat.vertices + center)


def _matrix(wxyz: np.ndarray) -> np.ndarray:
    from ....transforms import rotation_from_quaternion

    return rotation_from_quaternion(np.asarray(wxyz, np.float64))


def _hfield(model: MjModel, k: int) -> Mesh:
    rows, columns, start = int(model.hfield_nrow[k]), int(model.hfield_ncol[k]), int(model.hfield_adr[k])
    half_x, half_y, top, base = (float(s) for s in model.hfield_size[k])
    heights = np.asarray(model.hfield_data[start : start + rows * columns], np.float64).reshape(rows, columns)
    return primitives.heightfield(heights * top, [half_x, half_y], base=-base)


def _mesh(model: MjModel, k: int) -> Mesh:
    def block(values: np.ndarray, first: np.ndarray, count: np.ndarray) -> np.ndarray:
        return np.array(values[int(first[k]) : int(first[k]) + int(count[k])])

    vertices = block(model.mesh_vert, model.mesh_vertadr, model.mesh_vertnum)
    faces = block(model.mesh_face, model.mesh_faceadr, model.mesh_facenum)
    normals = block(model.mesh_normal, model.mesh_normaladr, model.mesh_normalnum)
    normals = normals[block(model.mesh_facenormal, model.mesh_faceadr, model.mesh_facenum)].astype(np.float64)
    length = np.linalg.norm(normals, axis=2, keepdims=True)
    flat = face_normals(vertices, faces)[:, None]
    normals = np.where(length > 0, normals / np.where(length > 0, length, 1), flat)
    uv = None
    if int(model.mesh_texcoordadr[k]) >= 0:
        points = block(model.mesh_texcoord, model.mesh_texcoordadr, model.mesh_texcoordnum).astype(np.float64)
        uv = points[block(model.mesh_facetexcoord, model.mesh_faceadr, model.mesh_facenum)] * [1, -1] + [0, 1]
    else:
        # the compiler averages normals over creases; MuJoCo's renderer undoes that where they leave the face too far
        normals = np.where((normals * flat).sum(axis=2, keepdims=True) < 0.8, flat, normals)
    return Mesh(model.mesh(k).name or f"mesh_{k}", vertices, faces, uv=uv, normals=normals)


def dressed(model: MjModel, geom: int, shape: Mesh, pictures: dict[int, list[np.ndarray]]) -> list[Mesh]:
    """A shape with the material and texture of a geom: one mesh, or one per side where a cube map has different sides.

    Args:
        model: a compiled model.
        geom: its number.
        shape: as ``geom_shape`` makes it.
        pictures: the images of textures by number, ``textures_of`` the model.
    """
    kind, texture = int(model.geom_type[geom]), geom_texture(model, geom)
    if texture < 0:
        own = shape.uv if kind in (MESH, SDF) else None
        return [replace(shape, uv=own, material=material_of(model, geom, None))]
    images = pictures[texture]
    corners = np.asarray(shape.vertices, np.float64)[shape.faces]
    if not is_cube(model, texture):
        if shape.uv is None or kind == HFIELD or is_infinite(model, geom):
            uv = seen_from_above(model, geom, corners)
        else:
            size = np.asarray(model.geom_size[geom], np.float64)
            uv = repeated(_laid_out(kind, shape, corners, size), texture_scale(model, geom))
        return [replace(shape, uv=uv, material=material_of(model, geom, images[0]))]
    side, uv = on_cube(corners / _cube_size(model, geom, shape))
    whole = replace(shape, uv=uv)
    if len(images) == 1:
        return [replace(whole, material=material_of(model, geom, images[0]))]
    return [_subset(whole, side == k, material_of(model, geom, images[k])) for k in range(6) if (side == k).any()]


def _laid_out(kind: int, shape: Mesh, corners: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Texture coordinates (v up) as MuJoCo lays pictures on its shapes, where that differs from ``primitives``."""
    uv = np.array(shape.uv)
    normals = np.asarray(shape.normals)
    if kind == BOX:  # the same way on opposite sides, so mirrored on one of them
        axis = np.abs(normals[:, 0]).argmax(axis=1)[:, None]
        unit = 0.5 + 0.5 * corners / size
        across = np.where(axis == 0, unit[..., 1], unit[..., 0])
        return np.stack([across, np.where(axis == 2, unit[..., 1], unit[..., 2])], axis=-1)
    if kind == CYLINDER:  # the upper cap is mirrored
        top = normals[:, 0, 2] > 0.5
        uv[top, :, 1] = 1 - uv[top, :, 1]
    if kind == CAPSULE:  # the whole picture on the tube and on either end
        radius, half = size[0], size[1]
        middle = corners[..., 2].mean(axis=1)[:, None]
        latitude = np.arcsin(np.clip((np.abs(corners[..., 2]) - half) / radius, 0, 1)) / (np.pi / 2)
        tube = 0.5 + 0.5 * corners[..., 2] / half
        uv[..., 1] = np.where(middle > half, latitude, np.where(middle < -half, 1 - latitude, tube))
    return uv


def _cube_size(model: MjModel, geom: int, shape: Mesh) -> np.ndarray:
    """Half the size of the box that a cube map is laid on: the shape's own for primitives, a cube for all else."""
    half = np.abs(np.asarray(shape.vertices, np.float64)).max(axis=0)
    material = int(model.geom_matid[geom])
    shaped = int(model.geom_type[geom]) in (PLANE, SPHERE, CAPSULE, ELLIPSOID, CYLINDER, BOX)
    if shaped and not model.mat_texuniform[material]:
        return np.where(half > 0, half, 1)
    return np.full(3, half.max())


def _subset(mesh: Mesh, chosen: np.ndarray, material) -> Mesh:
    used, index = np.unique(mesh.faces[chosen], return_inverse=True)
    return replace(
        mesh,
        vertices=mesh.vertices[used],
        faces=index.reshape(-1, 3),
        uv=None if mesh.uv is None else mesh.uv[chosen],
        normals=None if mesh.normals is None else mesh.normals[chosen],
        material=material,
    )
