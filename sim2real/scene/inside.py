"""What would make pictures of a scene worthless: cameras inside solid things."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from ..camera.view import Camera
from ..errors import CameraInsideError
from ..transforms import inverse_rigid
from .normals import welded
from .records import Mesh, Part, Scene

_FACES_AT_ONCE = 500_000
_TOGETHER = 1e-4
"""Metres and sines that recorded poses of things that move as one may differ by."""
_ENCLOSED = 0.9
"""Of all directions, how many a housing must cover: those of files are seldom quite closed."""


@dataclass(frozen=True)
class Inside:
    """A camera inside an instance, in the first frame in which it is; whether it sees out, since faces have no back."""

    camera: str
    frame: int
    instance: str
    sees_out: bool


def check_cameras(scene: Scene, cameras: tuple[Camera, ...] | None = None) -> None:
    """Refuse cameras inside solid things.

    A thing is solid if its mesh is closed (every edge joins two faces, back to back) and faces outward around the camera.
    Rooms are not: their walls face inward (``room: true`` in scene files), or are single sheets. Nor are things of which only
    the outside is seen, as simulators have them, and housings (``seeing_out``). Cameras along recorded paths are not looked
    at: scans face either way.

    Args:
        scene: the scene.
        cameras: those that matter; ``None``: all.

    Raises:
        CameraInsideError: names camera, frame and thing.
    """
    for found in cameras_inside(scene, cameras):
        if found.sees_out:
            continue
        raise CameraInsideError(found.camera, found.frame, found.instance, scene.source)


def cameras_inside(scene: Scene, cameras: tuple[Camera, ...] | None = None) -> Iterator[Inside]:
    """Every camera inside a solid thing, once per thing."""
    closed: dict[int, bool] = {}
    for camera in scene.cameras if cameras is None else cameras:
        if camera.recorded:
            continue
        for part in scene.parts:
            frame = _first_frame_inside(scene, camera, part, closed)
            if frame is not None:
                name = scene.instances[part.instance].name
                yield Inside(camera.name, frame, name, scene.meshes[part.mesh].outside_only)


def seeing_out(scene: Scene, *, at_rest: bool) -> Scene:
    """The scene whose cameras see out of what carries them, as real cameras see out of their housings.

    The inner side of what encloses a camera and moves as it does is not drawn; from outside a closed thing looks the same.

    Args:
        scene: as it was recorded.
        at_rest: whether this goes for what never moves, too: not where that may be a room.
    """
    housings = {
        part.mesh
        for camera in scene.cameras
        if not camera.recorded
        for part in scene.parts
        if (at_rest or _moves(scene, part.instance)) and _houses(scene, camera, part)
    }
    if not housings:
        return scene
    meshes = tuple(replace(mesh, outside_only=True) if k in housings else mesh for k, mesh in enumerate(scene.meshes))
    return replace(scene, meshes=meshes)


def _houses(scene: Scene, camera: Camera, part: Part) -> bool:
    """Whether a part encloses a camera and goes with it."""
    mesh = scene.meshes[part.mesh]
    if mesh.outside_only or mesh.deformed is not None or not len(mesh.vertices):
        return False
    (eye,) = _eyes_in_mesh(scene, camera, part, slice(1))
    if not _within(eye, mesh.vertices):
        return False
    turns = inverse_rigid(camera.world_from_camera) @ scene.world_from_instance[:, part.instance]
    carried = np.abs(turns - turns[0]).max() < _TOGETHER
    return bool(carried) and winding_number(mesh.vertices, mesh.faces, eye) > _ENCLOSED


def _moves(scene: Scene, instance: int) -> bool:
    poses = scene.world_from_instance[:, instance]
    return bool(np.abs(poses - poses[0]).max() > _TOGETHER)


def _first_frame_inside(scene: Scene, camera: Camera, part: Part, closed: dict[int, bool]) -> int | None:
    mesh = scene.meshes[part.mesh]
    eyes = _eyes_in_mesh(scene, camera, part)
    resting = np.asarray(_within(eyes, mesh.vertices)) if mesh.deformed is None else None
    for frame in np.flatnonzero(scene.visible[:, part.instance]):
        vertices = mesh.vertices if mesh.deformed is None else mesh.deformed[frame]
        if not (_within(eyes[frame], vertices) if resting is None else resting[frame]):
            continue
        if part.mesh not in closed:
            closed[part.mesh] = is_closed(mesh)
        if not closed[part.mesh]:
            return None
        if winding_number(vertices, mesh.faces, eyes[frame]) > 0.5:
            return int(frame)
    return None


def _within(points: Float[np.ndarray, "*batch 3"], vertices: np.ndarray) -> np.ndarray | np.bool_:
    """Which points lie in the box around vertices."""
    return ((points > vertices.min(axis=0)) & (points < vertices.max(axis=0))).all(axis=-1)


def _eyes_in_mesh(scene: Scene, camera: Camera, part: Part, frames: slice = slice(None)) -> Float[np.ndarray, "n 3"]:
    instance_from_world = inverse_rigid(scene.world_from_instance[frames, part.instance])
    mesh_from_instance = np.linalg.inv(part.instance_from_mesh)
    places = camera.world_from_camera[frames, :3, 3]
    eye = np.concatenate([places, np.ones((len(places), 1))], axis=1)
    return np.einsum("ij,fjk,fk->fi", mesh_from_instance, instance_from_world, eye)[:, :3]


def is_closed(mesh: Mesh) -> bool:
    """Whether every edge joins faces that run along it in opposite directions, equally many each way."""
    faces = welded(mesh.vertices)[mesh.faces]
    forth = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    forth = forth[forth[:, 0] != forth[:, 1]]
    count = int(faces.max(initial=0)) + 1
    there, back = forth[:, 0] * count + forth[:, 1], forth[:, 1] * count + forth[:, 0]
    there.sort()
    back.sort()
    return bool(len(faces) and (there == back).all())


def winding_number(vertices: Float[np.ndarray, "vertices 3"], faces: np.ndarray, point: Float[np.ndarray, "3"]) -> float:
    """How often a surface winds around a point: 1 inside a closed outward surface, 0 outside, -1 inside an inward one.

    Reference: van Oosterom and Strackee, The solid angle of a plane triangle, 1983.
    """
    starts = range(0, len(faces), _FACES_AT_ONCE)
    return sum(_solid_angle(vertices, faces[k : k + _FACES_AT_ONCE], point) for k in starts) / (4 * np.pi)


def _solid_angle(vertices: np.ndarray, faces: np.ndarray, point: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, k]].astype(np.float64) - point for k in range(3))
    la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
    volume = np.einsum("fi,fi->f", a, np.cross(b, c))
    dots = [np.einsum("fi,fi->f", p, q) * r for p, q, r in ((a, b, lc), (b, c, la), (c, a, lb))]
    return float(2 * np.arctan2(volume, la * lb * lc + dots[0] + dots[1] + dots[2]).sum())
