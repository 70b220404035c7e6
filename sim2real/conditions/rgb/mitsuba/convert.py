"""Parts of a scene as Mitsuba's objects: meshes, materials, the camera."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Float

from ....camera.view import Camera
from ....errors import BadValueError
from ....scene.records import Maps, Material, Mesh
from ....scene.triangles import face_normals

_OPENCV_FROM_MITSUBA = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Mitsuba's cameras look along +z with x to the left and y up."""
_OPENED = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
_LEAST_SHAPE, _LEAST_UV, _FARTHEST_UV, _OPENING = 1e-3, 1e-5, 1e4, 0.02


def linear_from_srgb(values: np.ndarray) -> Float[np.ndarray, "..."]:
    """Linear light of 8-bit sRGB values."""
    c = values.astype(np.float32) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4).astype(np.float32)


def bitmap(mi: ModuleType, pixels: np.ndarray) -> dict[str, Any]:
    """A texture of linear values that repeats."""
    data = np.ascontiguousarray(pixels, np.float32)
    return {"type": "bitmap", "bitmap": mi.Bitmap(data), "raw": True, "wrap_mode": "repeat"}


def with_maps(mi: ModuleType, surface: dict[str, Any], maps: Maps) -> dict[str, Any]:
    """A ``principled`` BSDF with gloss, metal and relief that vary; occlusion is found by the paths themselves."""
    if maps.surface is not None:
        numbers = maps.surface.astype(np.float32) / 255
        gloss, metal = (
            np.clip(f * numbers[..., k : k + 1], low, 1) for f, k, low in ((maps.roughness, 1, 0.05), (maps.metallic, 2, 0))
        )
        surface = {**surface, "roughness": bitmap(mi, gloss), "metallic": bitmap(mi, metal)}
    if maps.normal is None:
        return surface
    bent = maps.normal.astype(np.float32) / 127.5 - 1
    bent[..., :2] *= maps.normal_scale
    bent /= np.maximum(np.linalg.norm(bent, axis=-1, keepdims=True), 1e-6)
    return {"type": "normalmap", "normalmap": bitmap(mi, (bent + 1) / 2), "bsdf": surface}


def bsdf(mi: ModuleType, material: Material, *, maps: Maps | None = None) -> Any:
    """A two-sided ``principled`` BSDF, masked where the material or its texture is transparent.

    Args:
        mi: Mitsuba.
        material: of our scene.
        maps: the material's, where its mesh has texture coordinates.
    """
    color: dict[str, Any] = {"type": "rgb", "value": [float(np.clip(c, 0, 1)) for c in material.base_color[:3]]}
    opacity: Any = material.base_color[3]
    if material.texture is not None:
        texture = material.texture
        tint = np.asarray(material.base_color, np.float32)
        color = bitmap(mi, np.clip(linear_from_srgb(texture[..., :3]) * tint[:3], 0, 1))
        if texture.shape[-1] == 4 and (texture[..., 3] < 255).any():
            opacity = bitmap(mi, texture[..., 3:].astype(np.float32) / 255 * tint[3])
    inner: dict[str, Any] = {
        "type": "principled",
        "base_color": color,
        "metallic": float(np.clip(material.metallic, 0, 1)),
        "roughness": float(np.clip(material.roughness, 0.05, 1)),
    }
    surface: dict[str, Any] = {"type": "twosided", "surface": inner if maps is None else with_maps(mi, inner, maps)}
    if isinstance(opacity, dict) or opacity < 1:
        surface = {"type": "mask", "opacity": opacity, "inside": surface}
    return mi.load_dict(surface)


def shape(
    mi: ModuleType,
    mesh: Mesh,
    world_from_mesh: np.ndarray,
    surface: Any,
    frame: int,
    name: str,
    *,
    deformed_normals: Float[np.ndarray, "faces 3 3"] | None = None,
) -> Any | None:
    """A mesh in world coordinates with unshared corners; ``None`` where it has no faces.

    Args:
        mi: Mitsuba.
        mesh: of the scene.
        world_from_mesh: 4x4, affine.
        surface: its BSDF.
        frame: of the scene.
        name: in Mitsuba's scene.
        deformed_normals: of a mesh that deforms, mesh frame; ``None``: it has flat faces.
    """
    vertices = mesh.vertices if mesh.deformed is None else mesh.deformed[frame]
    count = len(mesh.faces)
    if count == 0:
        return None
    linear = world_from_mesh[:3, :3]
    positions = vertices @ linear.T + world_from_mesh[:3, 3]
    own = mesh.normals if mesh.deformed is None else deformed_normals
    if own is None:
        normals = np.repeat(face_normals(positions, mesh.faces)[:, None], 3, axis=1)
    else:
        normals = own @ np.linalg.inv(linear)
        length = np.sqrt((normals * normals).sum(axis=-1, keepdims=True))
        if length.min() < 1e-9:
            normals = np.where(length < 1e-9, face_normals(positions, mesh.faces)[:, None], normals)
            length = np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
        normals = normals / length
    properties = mi.Properties()
    properties["surface"] = surface
    if any(mesh.material.emission):
        properties["light"] = mi.load_dict({"type": "area", "radiance": _radiance(mi, mesh)})
    out = mi.Mesh(name, 3 * count, count, has_vertex_normals=True, has_vertex_texcoords=mesh.uv is not None, props=properties)
    fields = mi.traverse(out)
    fields["faces"] = np.arange(3 * count, dtype=np.uint32)
    fields["vertex_positions"] = positions[mesh.faces].astype(np.float32).ravel()
    if mesh.uv is not None:
        uv = with_area(mesh.uv) * [1, -1] + [0, 1]  # Mitsuba's v runs down
        fields["vertex_texcoords"] = uv.astype(np.float32).ravel()
    fields.update()
    fields["vertex_normals"] = normals.astype(np.float32).ravel()  # last: an update of positions recomputes them
    fields.update()
    return out


def turned_here(mesh: Mesh, camera: Camera, world_from_mesh: np.ndarray, frame: int) -> Mesh:
    """A mesh without the faces that a camera sees from behind, for those that are seen from outside only."""
    vertices = mesh.vertices if mesh.deformed is None else mesh.deformed[frame]
    a, b, c = (vertices @ world_from_mesh[:3, :3].T + world_from_mesh[:3, 3])[mesh.faces].swapaxes(0, 1)
    outward = np.cross(b - a, c - a) * np.sign(np.linalg.det(world_from_mesh[:3, :3]))
    pose = camera.world_from_camera[frame]
    toward = -pose[:3, 2] if camera.lens.parallel else pose[:3, 3] - a
    kept = (outward * toward).sum(axis=-1) >= 0
    uv, normals = (None if array is None else array[kept] for array in (mesh.uv, mesh.normals))
    return replace(mesh, faces=mesh.faces[kept], uv=uv, normals=normals)


def with_area(uv: Float[np.ndarray, "faces 3 2"]) -> Float[np.ndarray, "faces 3 2"]:
    """Texture coordinates with the faces opened a little that have hardly any area in the texture, and none out of all bounds.

    Mitsuba takes tangents from them; where these are undefined a surface sends out light without limit.
    """
    uv = np.where((np.abs(uv) < _FARTHEST_UV).all(axis=(1, 2), keepdims=True), uv, 0)
    for opened in (_OPENED, _OPENED[::-1]):
        one, two = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
        side = np.maximum(np.abs(one).max(axis=1), np.abs(two).max(axis=1))
        flat = np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) < np.maximum(_LEAST_SHAPE * side**2, _LEAST_UV**2)
        uv = uv + np.where(flat, np.maximum(_OPENING * side, 4 * _LEAST_UV), 0)[:, None, None] * opened
    return uv


def _radiance(mi: ModuleType, mesh: Mesh) -> dict[str, Any]:
    """What a mesh sends out: its emission, times its texture where it has one."""
    emission, maps = np.asarray(mesh.material.emission, np.float32), mesh.material.maps
    if maps is not None and maps.emission_texture is not None and mesh.uv is not None:
        return bitmap(mi, linear_from_srgb(maps.emission_texture) * np.asarray(maps.emission, np.float32))
    if mesh.material.texture is None or mesh.uv is None:
        return {"type": "rgb", "value": emission.tolist()}
    return bitmap(mi, linear_from_srgb(mesh.material.texture[..., :3]) * emission)


def is_square_pinhole(camera: Camera, frame: int) -> bool:
    """Whether Mitsuba has such a camera: a pinhole, or an orthographic one, with square pixels and no skew."""
    k = np.asarray(camera.intrinsics[frame], np.float64)
    return bool(not camera.lens.bent and abs(k[1, 1] / k[0, 0] - 1) <= 1e-4 and abs(k[0, 1]) <= 1e-4 * k[0, 0])


def sensor(mi: ModuleType, camera: Camera, frame: int) -> Any:
    """A pinhole, or an orthographic camera, with the camera's intrinsics.

    Raises:
        BadValueError: rays are bent, the pixels are not square, or the axes are skewed: Mitsuba's cameras cannot be so.
    """
    height, width = camera.size
    if camera.lens.bent:
        right = "a pinhole for path tracing"
        raise BadValueError("the camera", f"{camera.projection}, {camera.lens.distortion}", right=right, where=camera.name)
    k = np.asarray(camera.intrinsics[frame], np.float64)
    if not is_square_pinhole(camera, frame):
        raise BadValueError(
            "the camera's pixel shape (fx, fy, skew)",
            f"{k[0, 0]:.4g}, {k[1, 1]:.4g}, {k[0, 1]:.4g}",
            right="fx = fy and no skew for path tracing",
            fix="resize both axes by the same factor",
            where=camera.name,
        )
    world_from_sensor = camera.world_from_camera[frame] @ _OPENCV_FROM_MITSUBA
    film = {
        "type": "hdrfilm",
        "width": width,
        "height": height,
        "rfilter": {"type": "box"},
        "component_format": "float32",
    }
    clips = {"near_clip": float(camera.near), "far_clip": 1e4}
    if camera.lens.parallel:
        half = width / (2 * k[0, 0])
        middle = [(width / 2 - k[0, 2]) / k[0, 0], (height / 2 - k[1, 2]) / k[1, 1], 0]  # metres, camera axes
        shifted = camera.world_from_camera[frame].copy()
        shifted[:3, 3] += shifted[:3, :3] @ middle
        to_world = mi.ScalarTransform4f(shifted @ _OPENCV_FROM_MITSUBA @ np.diag([half, half, 1, 1]))
        return {"type": "orthographic", "to_world": to_world, **clips, "film": film, "sampler": {"type": "multijitter"}}
    return {
        "type": "perspective",
        "fov_axis": "x",
        "fov": float(2 * np.rad2deg(np.arctan(width / (2 * k[0, 0])))),
        "principal_point_offset_x": float(0.5 - k[0, 2] / width),
        "principal_point_offset_y": float(0.5 - k[1, 2] / height),
        **clips,
        "to_world": mi.ScalarTransform4f(world_from_sensor),
        "film": film,
        "sampler": {"type": "multijitter"},
    }
