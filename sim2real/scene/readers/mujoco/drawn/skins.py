"""Skins: meshes whose vertices follow several bodies at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from .....transforms import rotation_from_quaternion
from ....records import Instance, Mesh
from ..labels import class_of_several
from ..materials import is_cube, made_of, repeated, rgba_of, texture_images, texture_of, texture_repeat
from ..types import MjData, MjModel
from .deforming import Deforming, vertex_normals
from .kinds import material_number, name_of


class Skin:
    """One skin's bones and vertices."""

    def __init__(self, model: MjModel, number: int) -> None:
        """Take what a model says of its skin of a number."""
        first, count = int(model.skin_vertadr[number]), int(model.skin_vertnum[number])
        self.bind: Float[np.ndarray, "vertices 3"] = np.asarray(model.skin_vert[first : first + count], np.float64)
        first, count = int(model.skin_faceadr[number]), int(model.skin_facenum[number])
        self.faces: Int[np.ndarray, "faces 3"] = np.array(model.skin_face[first : first + count])
        self.inflate = float(model.skin_inflate[number])
        bones = slice(int(model.skin_boneadr[number]), int(model.skin_boneadr[number]) + int(model.skin_bonenum[number]))
        self.bodies = np.array(model.skin_bonebodyid[bones])
        self._bind_position = np.asarray(model.skin_bonebindpos[bones], np.float64)
        self._bind_rotation = rotation_from_quaternion(np.asarray(model.skin_bonebindquat[bones], np.float64))
        counts = np.asarray(model.skin_bonevertnum[bones])
        held = slice(int(model.skin_bonevertadr[bones.start]), int(model.skin_bonevertadr[bones.start] + counts.sum()))
        self._vertex = np.array(model.skin_bonevertid[held])
        self._weight = np.asarray(model.skin_bonevertweight[held], np.float64)[:, None]
        self._bone = np.repeat(np.arange(len(counts)), counts)

    def at_rest(self) -> Float[np.ndarray, "vertices 3"]:
        """The vertices while all bones are where the skin was bound to them."""
        return self._inflated(self._summed(self.bind[self._vertex]))

    def vertices(self, data: MjData) -> Float[np.ndarray, "vertices 3"]:
        """The vertices in a state: sums over the bones, then shifted along their normals."""
        world_from_bind = data.xmat[self.bodies].reshape(-1, 3, 3) @ np.swapaxes(self._bind_rotation, 1, 2)
        shift = data.xpos[self.bodies] - np.einsum("bij,bj->bi", world_from_bind, self._bind_position)
        moved = np.einsum("eij,ej->ei", world_from_bind[self._bone], self.bind[self._vertex]) + shift[self._bone]
        return self._inflated(self._summed(moved))

    def _summed(self, places: Float[np.ndarray, "entries 3"]) -> Float[np.ndarray, "vertices 3"]:
        weighted = self._weight * places
        count = len(self.bind)
        return np.stack([np.bincount(self._vertex, weighted[:, k], minlength=count) for k in range(3)], axis=1)

    def _inflated(self, vertices: Float[np.ndarray, "vertices 3"]) -> Float[np.ndarray, "vertices 3"]:
        if self.inflate == 0:
            return vertices
        return vertices + self.inflate * vertex_normals(vertices, self.faces, by_area=True)


def deforming_skin(model: MjModel, number: int) -> Deforming | None:
    """A skin; ``None`` where it has no faces."""
    skin = Skin(model, number)
    if not len(skin.faces):
        return None
    name = name_of(model, "skin", number)
    material = material_number(model, "skin", number)
    texture, points = texture_of(model, material), int(model.skin_texcoordadr[number])
    uv, image = None, None
    if points >= 0:
        corners = np.asarray(model.skin_texcoord[points : points + len(skin.bind)], np.float64)[skin.faces]
        uv = corners * [1, -1] + [0, 1]
        if texture >= 0 and not is_cube(model, texture):
            uv, image = repeated(uv, texture_repeat(model, material)), texture_images(model, texture)[0]
    rest = skin.at_rest()
    look = made_of(model, material, rgba_of(model, material, model.skin_rgba[number]), image)
    normals = vertex_normals(rest, skin.faces, by_area=True)[skin.faces]
    mesh = Mesh(name, rest, skin.faces, uv=uv, normals=normals, material=look, outside_only=True)
    bodies = (int(body) for body in skin.bodies)
    return Deforming(Instance(name, class_of_several(model, bodies, name)), mesh, skin.vertices)
