"""Flexes: cables, cloth and soft solids whose vertices move each on its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
from jaxtyping import Float, Int

from ....records import Instance, Mesh
from ....triangles import face_normals
from ..labels import class_of_several
from ..materials import is_cube, made_of, repeated, rgba_of, texture_images, texture_of, texture_repeat
from ..types import MjData, MjModel
from .deforming import Deforming, vertex_normals
from .kinds import material_number, name_of
from .tubes import Tubes

_Vertices = Callable[[MjData], Float[np.ndarray, "vertices 3"]]


def deforming_flex(model: MjModel, number: int, at_rest: MjData) -> Deforming | None:
    """A flex as MuJoCo's viewer draws it, ``None`` where it has nothing to be drawn.

    Cloth has two sides, each its radius away from the vertices along their normals, and a rim between them; a soft solid is
    its surface, pushed out by its radius; a cable is tubes of its radius.

    Args:
        model: a compiled model.
        number: of the flex.
        at_rest: the model's reference pose with its kinematics.
    """
    name = name_of(model, "flex", number)
    dim, radius = int(model.flex_dim[number]), float(model.flex_radius[number])
    instance = Instance(name, class_of_several(model, _bodies(model, number), name))
    if dim == 1:
        return _cable(model, number, at_rest, instance)
    element, shell = _elements(model, number), _shell(model, number)
    inner = element if dim == 2 else shell
    if not len(inner):
        return None
    place = _places(model, number)
    if dim == 2 and radius > 0:
        vertices, faces, corners = _sheet(place, element, shell, radius, int(model.flex_vertnum[number]))
    else:
        faces = corners = inner
        vertices = _pushed_out(place, inner, radius) if dim == 3 and radius > 0 else place
    rest = vertices(at_rest)
    normals = None if model.flex_flatskin[number] else _normals(place(at_rest), inner, rest, faces)
    uv = _texture_places(model, number, corners)
    mesh = Mesh(name, rest, faces, uv=uv, normals=normals, outside_only=dim == 3 or radius > 0)
    return _dressed(model, number, Deforming(instance, mesh, vertices), corners)


def _bodies(model: MjModel, number: int) -> set[int]:
    """The bodies that carry a flex: those of its vertices, or of the nodes between which these are interpolated."""
    kind = "node" if model.flex_interp[number] else "vert"
    first, count = int(getattr(model, f"flex_{kind}adr")[number]), int(getattr(model, f"flex_{kind}num")[number])
    return {int(body) for body in getattr(model, f"flex_{kind}bodyid")[first : first + count] if body >= 0}


def _places(model: MjModel, number: int) -> _Vertices:
    first, count = int(model.flex_vertadr[number]), int(model.flex_vertnum[number])
    return lambda data: np.array(data.flexvert_xpos[first : first + count])


def _elements(model: MjModel, number: int) -> Int[np.ndarray, "elements corners"]:
    corners = int(model.flex_dim[number]) + 1
    first, count = int(model.flex_elemdataadr[number]), int(model.flex_elemnum[number])
    return np.array(model.flex_elem[first : first + corners * count]).reshape(-1, corners)


def _shell(model: MjModel, number: int) -> Int[np.ndarray, "fragments corners"]:
    """The rim's edges of cloth, the faces of a solid."""
    dim = int(model.flex_dim[number])
    first, count = int(model.flex_shelldataadr[number]), int(model.flex_shellnum[number])
    return np.array(model.flex_shell[first : first + dim * count]).reshape(-1, dim)


def _sheet(place: _Vertices, element: np.ndarray, rim: np.ndarray, radius: float, count: int) -> tuple:
    """Vertices of both sides (below after above), faces, and the same faces in the flex's own vertices."""
    a, b = rim[:, 0], rim[:, 1]
    own = [element, element[:, ::-1], np.stack([a, b, b, b, a, a], axis=1).reshape(-1, 3)]
    sides = np.stack([a, b + count, b, b + count, a, a + count], axis=1).reshape(-1, 3)
    faces = np.concatenate([element, element[:, ::-1] + count, sides])

    def vertices(data: MjData) -> np.ndarray:
        middle = place(data)
        away = radius * vertex_normals(middle, element, by_area=False)
        return np.concatenate([middle + away, middle - away])

    return vertices, faces, np.concatenate(own)


def _normals(middle: np.ndarray, inner: np.ndarray, rest: np.ndarray, faces: np.ndarray) -> Float[np.ndarray, "faces 3 3"]:
    """Corner normals: smooth on the surface and on its other side, which is next in ``faces``, flat on the rim."""
    normals = np.repeat(face_normals(rest, faces)[:, None], 3, axis=1)
    smooth, count = vertex_normals(middle, inner, by_area=False), len(inner)
    normals[:count] = smooth[inner]
    if len(faces) > count:
        normals[count : 2 * count] = -smooth[inner[:, ::-1]]
    return normals


def _pushed_out(place: _Vertices, faces: np.ndarray, radius: float) -> _Vertices:
    def vertices(data: MjData) -> np.ndarray:
        middle = place(data)
        return middle + radius * vertex_normals(middle, faces, by_area=False)

    return vertices


def _texture_places(model: MjModel, number: int, corners: Int[np.ndarray, "faces 3"]) -> np.ndarray | None:
    """Texture coordinates of face corners (v up), ``None`` where the flex has none; elements of cloth have their own index."""
    first = int(model.flex_texcoordadr[number])
    if first < 0:
        return None
    points = np.asarray(model.flex_texcoord[first:], np.float64) * [1, -1] + [0, 1]
    index = np.array(corners)
    if int(model.flex_dim[number]) == 2:
        start = int(model.flex_elemdataadr[number])
        count = int(model.flex_elemnum[number])
        own = np.array(model.flex_elemtexcoord[start : start + 3 * count]).reshape(-1, 3)
        index[:count] = own
        if len(index) > count:
            index[count : 2 * count] = own[:, ::-1]
    return points[np.minimum(index, len(points) - 1)]


def _dressed(model: MjModel, number: int, flex: Deforming, corners: Int[np.ndarray, "faces 3"]) -> Deforming:
    """The flex in its material, or its pieces in those of their elements (since MuJoCo 4)."""
    materials = np.asarray(model.flex_matid)
    first, count = int(model.flex_elemadr[number]), int(model.flex_elemnum[number])
    own = materials[first : first + count] if len(materials) == model.nflexelem else materials[[number]]
    different = np.unique(own)
    if len(different) == 1:
        return replace(flex, rest=_in_material(model, number, int(different[0]), flex.rest))
    of_face = own[_element_of(_elements(model, number), corners)]
    looks = {int(material): _in_material(model, number, int(material), flex.rest) for material in np.unique(of_face)}
    return replace(flex, looks=tuple((of_face == material, look) for material, look in looks.items()))


def _in_material(model: MjModel, number: int, material: int, mesh: Mesh) -> Mesh:
    texture, uv, image = texture_of(model, material), mesh.uv, None
    if uv is not None and texture >= 0 and not is_cube(model, texture):
        uv, image = repeated(uv, texture_repeat(model, material)), texture_images(model, texture)[0]
    rgba = rgba_of(model, material, model.flex_rgba[number])
    return replace(mesh, uv=uv, material=made_of(model, material, rgba, image))


def _element_of(element: Int[np.ndarray, "elements corners"], faces: Int[np.ndarray, "faces 3"]) -> Int[np.ndarray, "faces"]:
    """For every face, whose corners may be two vertices, an element that has all of them."""
    known = {
        side: number
        for number, corners in enumerate(element.tolist())
        for count in (2, 3)
        for side in combinations(sorted(corners), count)
    }
    return np.array([known[tuple(sorted(set(face)))] for face in faces.tolist()], np.int64)


def _cable(model: MjModel, number: int, at_rest: MjData, instance: Instance) -> Deforming | None:
    """Tubes along the edges."""
    first, count = int(model.flex_edgeadr[number]), int(model.flex_edgenum[number])
    edges, radius = np.array(model.flex_edge[first : first + count]), float(model.flex_radius[number])
    if not count or radius <= 0:
        return None
    place = _places(model, number)
    start, end = (place(at_rest)[edges[:, k]] for k in range(2))
    tubes = Tubes(start, end, np.full(count, radius))

    def vertices(data: MjData) -> np.ndarray:
        now = place(data)
        return tubes.vertices(now[edges[:, 0]], now[edges[:, 1]], np.full(count, radius))

    material = material_number(model, "flex", number)
    look = made_of(model, material, rgba_of(model, material, model.flex_rgba[number]))
    return Deforming(instance, tubes.mesh(instance.name, look), vertices)
