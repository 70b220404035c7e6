"""What skins and morph targets make of vertices (glTF 2.0 specification, 3.7.2.2 and 3.7.3.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .accessors import array_of
from .document import MOST
from .nodes import Hierarchy, Poses
from .primitives import Influence, Primitive
from .tracks import Animation


@dataclass(frozen=True, eq=False)
class Skin:
    """Joints of a skin: ``joint_from_mesh`` is where the mesh was when it was bound to them."""

    joints: tuple[int, ...]
    joint_from_mesh: Float[np.ndarray, "joints 4 4"]


def skin_of(hierarchy: Hierarchy, index: object) -> Skin:
    """A skin by its number.

    Raises:
        UnreadableFileError: a joint is no node of the scene, or joints and matrices differ in number.
    """
    document = hierarchy.document
    entry = document.entry("skins", index)
    joints = tuple(entry["joints"])
    if not joints or any(joint not in hierarchy.parents for joint in joints):
        raise document.broken(f"skin {index} has no joints, or some that are no nodes of the scene")
    if "inverseBindMatrices" not in entry:
        return Skin(joints, np.tile(np.eye(4), (len(joints), 1, 1)))
    values = array_of(document, entry["inverseBindMatrices"], ("MAT4",), f"matrices of skin {index}").astype(np.float64)
    if len(values) < len(joints) or not (np.abs(values) <= MOST).all():
        raise document.broken(f"skin {index} has {len(joints)} joints, but {len(values)} matrices, or endless ones")
    return Skin(joints, np.swapaxes(values[: len(joints)].reshape(-1, 4, 4), 1, 2))


@dataclass(frozen=True, eq=False)
class Shape:
    """A primitive of a node, whose vertices may change.

    - ``weights``: of its morph targets, one row per frame, or a single one; ``rest_weights``: without an animation.
    - ``world_from_mesh``: of the joints of its skin, one matrix per frame and joint; ``rest_world``: in the pose at rest.
    """

    primitive: Primitive
    rest_weights: Float[np.ndarray, "targets"]
    weights: Float[np.ndarray, "frames_or_1 targets"]
    rest_world: Float[np.ndarray, "joints 4 4"] | None = None
    world_from_mesh: Float[np.ndarray, "frames joints 4 4"] | None = None

    @property
    def changes(self) -> bool:
        """Whether any frame differs from the rest."""
        morphs = bool((self.weights != self.rest_weights).any())
        return morphs or (self.world_from_mesh is not None and bool((self.world_from_mesh != self.rest_world).any()))

    def at_rest(self) -> tuple[Float[np.ndarray, "vertices 3"], Float[np.ndarray, "vertices 3"] | None]:
        """Vertices and normals (of any length) at rest."""
        p = self.primitive
        vertices = p.vertices if p.targets is None else p.targets.added(p.vertices, self.rest_weights)
        normals = p.normals
        if normals is not None and p.target_normals is not None:
            normals = p.target_normals.added(normals, self.rest_weights)
        if self.rest_world is None or p.influence is None:
            return vertices, normals
        if normals is not None:
            normals = _turned(p.influence, self.rest_world, normals)
        return skinned(p.influence, self.rest_world, vertices), normals

    def at(self, frame: int) -> Float[np.ndarray, "vertices 3"]:
        """Vertices in a frame."""
        p = self.primitive
        weights = self.weights[frame % len(self.weights)]
        vertices = p.vertices if p.targets is None else p.targets.added(p.vertices, weights)
        if self.world_from_mesh is None or p.influence is None:
            return vertices
        return skinned(p.influence, self.world_from_mesh[frame], vertices)


def skinned(
    influence: Influence, world_from_mesh: Float[np.ndarray, "joints 4 4"], vertices: Float[np.ndarray, "vertices 3"]
) -> Float[np.ndarray, "vertices 3"]:
    """Where the joints take vertices: the mean of where each takes them, by their shares (linear blend skinning)."""
    found = np.zeros_like(vertices)
    for joint, share in zip(influence.joints.T, influence.shares.T, strict=True):
        matrix = world_from_mesh[joint]
        found += share[:, None] * (np.einsum("vij,vj->vi", matrix[:, :3, :3], vertices) + matrix[:, :3, 3])
    return found


def _turned(influence: Influence, world_from_mesh: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Where the joints take normals: by the cofactors of the mean of their matrices."""
    linear = np.einsum("vs,vsij->vij", influence.shares, world_from_mesh[:, :3, :3][influence.joints])
    a, b, c = linear[:, 0], linear[:, 1], linear[:, 2]
    cofactors = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1)
    sign = np.where(np.einsum("vi,vi->v", a, cofactors[:, 0]) < 0, -1.0, 1.0)
    return sign[:, None] * np.einsum("vij,vj->vi", cofactors, normals)


def shape_of(
    hierarchy: Hierarchy,
    poses: Poses,
    node: int,
    primitive: Primitive,
    animation: Animation | None,
    times: Float[np.ndarray, "frames"],
) -> Shape:
    """A primitive with what changes it.

    Args:
        hierarchy: the nodes.
        poses: where they are.
        node: which of them carries the primitive.
        primitive: the triangles.
        animation: what moves the weights of morph targets.
        times: seconds.

    Raises:
        UnreadableFileError: weights are not as many as targets, or a vertex follows a joint that its skin lacks.
    """
    document, entry = hierarchy.document, hierarchy.node(node)
    count = 0 if primitive.targets is None else len(primitive.targets)
    held = entry.get("weights", document.entry("meshes", entry["mesh"]).get("weights", [0.0] * count))
    rest = np.array(document.numbers(held, count, f"the weights of {primitive.name}")) if count else np.zeros(0)
    owner = document.instance_of.get(node, node)
    weights, track = rest[None], animation.tracks.get((owner, "weights")) if animation and count else None
    if track is not None:
        if track.values.shape[1] != count:
            raise document.broken(f"{primitive.name} has {count} morph targets, but {track.values.shape[1]} animated weights")
        weights = track.at(times)
        rest = weights[0] if track.rests else rest
    influence = primitive.influence
    if "skin" not in entry or influence is None:
        return Shape(primitive, rest, weights)
    skin = skin_of(hierarchy, entry["skin"])
    if influence.joints.max(initial=0) >= len(skin.joints):
        raise document.broken(f"a vertex of {primitive.name} follows joint {influence.joints.max()} of {len(skin.joints)}")
    world = np.stack([poses.of(joint) for joint in skin.joints], axis=1) @ skin.joint_from_mesh
    return Shape(primitive, rest, weights, np.stack([poses.rest[j] for j in skin.joints]) @ skin.joint_from_mesh, world)
