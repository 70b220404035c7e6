"""The exact overlap of two views' pixel footprints, by dense rays through Embree: no code shared with the rasterizer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import coo_matrix, csr_matrix, diags

from ..camera.lens import Lens, lens_map
from ..camera.rays import px_from_camera, ray_from_px
from ..camera.view import Camera
from ..optional import require
from ..scene.records import Scene
from ..scene.triangles import Triangles, deformed_vertices, triangles_of

SKY_DISTANCE_M = 1e5


@dataclass(frozen=True, eq=False)
class Hits:
    """What a bundle of rays meets: face (-1: sky), world position, and the area that each ray stands for (square metres)."""

    face: Int[np.ndarray, "rays"]
    position: Float[np.ndarray, "rays 3"]
    pixel: Int[np.ndarray, "rays"]
    area: Float[np.ndarray, "rays"]


class RayScene:
    """One frame of a scene behind Embree."""

    def __init__(self, scene: Scene, frame: int, triangles: Triangles | None = None) -> None:
        require("embreex", "verify")
        self.scene, self.frame = scene, frame
        self.triangles = triangles or triangles_of(scene)
        deformed = deformed_vertices(scene, frame)
        rest = self._in_world(self.triangles.vertices)
        self.vertices = rest if deformed is None else self._in_world(deformed)
        self.rest_share = None if deformed is None else self._area(rest) / np.maximum(self._area(self.vertices), 1e-30)
        shown = scene.part_visible(frame)[self.triangles.face_part]
        self.shown = np.flatnonzero(shown)

    def _in_world(self, mesh_vertices: np.ndarray) -> Float[np.ndarray, "vertices 3"]:
        if not self.scene.parts:
            return np.zeros((0, 3))
        instance = [p.instance for p in self.scene.parts]
        local = np.stack([p.instance_from_mesh for p in self.scene.parts])
        m = (self.scene.world_from_instance[self.frame, instance] @ local)[self.triangles.vertex_part]
        return np.einsum("vij,vj->vi", m[:, :3, :3], mesh_vertices.astype(np.float64)) + m[:, :3, 3]

    def _area(self, vertices: np.ndarray) -> Float[np.ndarray, "faces"]:
        a, b, c = (vertices[self.triangles.faces[:, k]] for k in range(3))
        return np.linalg.norm(np.cross(b - a, c - a), axis=1)

    def corners(self, face: Int[np.ndarray, "rays"]) -> Float[np.ndarray, "rays 3 3"]:
        """Corners of faces in the world; zeros if the scene has no face, anything for the sky."""
        if not len(self.triangles.faces):
            return np.zeros((len(face), 3, 3))
        return self.vertices[self.triangles.faces[np.maximum(face, 0)]]

    @cached_property
    def _embree(self) -> object:
        rtcore = require("embreex.rtcore_scene", "verify")
        construction = require("embreex.mesh_construction", "verify")
        core = rtcore.EmbreeScene()
        corners = self.vertices[self.triangles.faces[self.shown]].astype(np.float32)
        construction.TriangleMesh(core, corners)
        return core

    def first_hit(self, origin: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Face that each ray meets first, -1 for none."""
        if not len(self.shown):
            return np.full(len(origin), -1)
        hit = self._embree.run(origin.astype(np.float32), direction.astype(np.float32))  # pyright: ignore[reportAttributeAccessIssue]
        return np.where(hit >= 0, self.shown[np.maximum(hit, 0)], -1)

    def dense(self, camera: Camera, per_pixel: int, factor: int, seed: int) -> Hits:
        """Cast ``per_pixel`` x ``per_pixel`` stratified rays through every latent of ``factor`` x ``factor`` picture pixels."""
        height, width = camera.size[0] // factor, camera.size[1] // factor
        step = factor / per_pixel
        jitter = np.random.default_rng([seed, 0x0E]).random((2, height * per_pixel, width * per_pixel))
        y, x = (np.indices(jitter.shape[1:]) + jitter) * step
        k, lens = camera.intrinsics[self.frame], camera.lens
        xy = ray_from_px(np.stack([x, y], axis=-1).reshape(-1, 2), k, lens)
        cell = step * step / (k[0, 0] * k[1, 1]) / np.linalg.det(lens_map(xy, lens)[1] if lens.bent else np.eye(2))
        world_from_camera = camera.world_from_camera[self.frame]
        origin, direction = _world_rays(xy, lens, world_from_camera)
        face = self.first_hit(origin, direction)
        corner = self.corners(face)
        normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        along = np.einsum("ri,ri->r", direction, normal)
        distance = np.einsum("ri,ri->r", corner[:, 0] - origin, normal) / np.where(along == 0, 1, along)
        length = np.linalg.norm(direction, axis=1)
        unit_normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-30)
        cosine = np.abs(np.einsum("ri,ri->r", direction / length[:, None], unit_normal))
        solid = cell / length**3
        surface = (cell if lens.parallel else solid * (distance * length) ** 2) / np.maximum(cosine, 1e-9)
        if self.rest_share is not None:  # noise is measured on the surface at rest: all frames of a sheet weigh alike
            surface *= self.rest_share[np.maximum(face, 0)]
        hit = face >= 0
        position = origin + direction * np.where(hit, distance, SKY_DISTANCE_M)[:, None]
        row, column = (y / factor).astype(int).ravel(), (x / factor).astype(int).ravel()
        return Hits(face, position, row * width + column, np.where(hit, surface, solid * 64.0))


def footprint_overlap(
    a: RayScene, camera_a: Camera, b: RayScene, camera_b: Camera, *, factor: int, per_pixel: int = 8, seed: int = 0
) -> csr_matrix:
    """Normalized overlap ``|F_a(p) n F_b(q)| / sqrt(|F_a(p)| |F_b(q)|)`` of all latent pixels of two views.

    Every ray of view a meets a surface point, which is carried with its triangle to view b's frame and asked there: which
    pixel sees it, and is anything in front?

    Args:
        a: scene of the first view.
        camera_a: its camera.
        b: scene of the second view, another frame or the same.
        camera_b: its camera.
        factor: picture pixels per latent and axis.
        per_pixel: rays per latent and axis, one at random in each cell of a grid.
        seed: of the rays; two seeds give two independent estimates, which ``transport_efficiency`` wants.

    Returns:
        Sparse (pixels of b, pixels of a).
    """
    seen_a, seen_b = (s.dense(c, per_pixel, factor, seed) for s, c in ((a, camera_a), (b, camera_b)))
    position = _carried(a, b, seen_a)
    world_from_camera = camera_b.world_from_camera[b.frame]
    local = (position - world_from_camera[:3, 3]) @ world_from_camera[:3, :3]
    x, y = np.moveaxis(px_from_camera(local, camera_b.intrinsics[b.frame], camera_b.lens), -1, 0)
    height, width = camera_b.size[0] // factor, camera_b.size[1] // factor
    with np.errstate(invalid="ignore"):
        inside = (local[:, 2] > camera_b.near) & (x >= 0) & (y >= 0) & (x < width * factor) & (y < height * factor)
    if camera_a.lens.parallel or camera_b.lens.parallel:
        inside &= seen_a.face >= 0  # the sky of parallel rays is one point

    sight = local[inside] if not camera_b.lens.parallel else local[inside] * [0, 0, 1]
    direction = sight @ world_from_camera[:3, :3].T
    eye = position[inside] - direction
    met = b.first_hit(eye, direction)
    same = met == seen_a.face[inside]
    same |= _near_enough(b, met, position[inside], eye)
    kept = np.flatnonzero(inside)[same]
    pixel_b = (y[kept] / factor).astype(int) * width + (x[kept] / factor).astype(int)
    count_a, count_b = int(seen_a.pixel.max()) + 1, height * width
    shared = coo_matrix((seen_a.area[kept], (pixel_b, seen_a.pixel[kept])), shape=(count_b, count_a)).tocsr()
    total_a = np.bincount(seen_a.pixel, seen_a.area, count_a)
    total_b = np.bincount(seen_b.pixel, seen_b.area, count_b)
    return (diags(1 / np.sqrt(total_b)) @ shared @ diags(1 / np.sqrt(total_a))).tocsr()


def _world_rays(
    xy: Float[np.ndarray, "rays 2"], lens: Lens, world_from_camera: Float[np.ndarray, "4 4"]
) -> tuple[Float[np.ndarray, "rays 3"], Float[np.ndarray, "rays 3"]]:
    """Where lines of sight begin, and their directions, one unit long along the camera's axis."""
    last = np.full((len(xy), 1), 0.0 if lens.parallel else 1.0)
    sight = np.concatenate([xy, last], axis=1) @ world_from_camera[:3, :3].T
    if lens.parallel:
        return world_from_camera[:3, 3] + sight, np.broadcast_to(world_from_camera[:3, 2], sight.shape)
    return np.broadcast_to(world_from_camera[:3, 3], sight.shape), sight


def _carried(a: RayScene, b: RayScene, hits: Hits) -> np.ndarray:
    """Where the surface points of a's frame are in b's frame; the sky stays where it is, seen from b's own place."""
    corner, there = a.corners(hits.face), b.corners(hits.face)
    e1, e2, p = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0], hits.position - corner[:, 0]
    d11, d12, d22 = (np.einsum("ri,ri->r", s, t) for s, t in ((e1, e1), (e1, e2), (e2, e2)))
    p1, p2 = np.einsum("ri,ri->r", p, e1), np.einsum("ri,ri->r", p, e2)
    det = np.maximum(d11 * d22 - d12 * d12, 1e-300)
    w1, w2 = (d22 * p1 - d12 * p2) / det, (d11 * p2 - d12 * p1) / det
    moved = there[:, 0] + w1[:, None] * (there[:, 1] - there[:, 0]) + w2[:, None] * (there[:, 2] - there[:, 0])
    return np.where((hits.face >= 0)[:, None], moved, hits.position)


def _near_enough(scene: RayScene, face: np.ndarray, position: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """A neighboring face met within a thousandth of the distance counts as the same surface."""
    corner = scene.corners(face)
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    direction = position - eye
    along = np.einsum("ri,ri->r", direction, normal)
    reach = np.einsum("ri,ri->r", corner[:, 0] - eye, normal) / np.where(along == 0, 1, along)
    return (face >= 0) & (np.abs(reach - 1) < 1e-3)
