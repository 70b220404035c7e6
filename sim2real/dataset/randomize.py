"""Scenes varied: other materials, cameras a little elsewhere, things that lie about; decided by a seed alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from ..camera import Camera, camera_from_px
from ..clip import InstanceRecord
from ..conditions import camera_normals
from ..diffusion.families.embedded.looks import look_of
from ..prepare.random_scenes.builder import Stage
from ..prepare.random_scenes.materials import Looks
from ..prepare.random_scenes.objects import Thing, thing
from ..raster import rasterizer, view_of
from ..scene import Scene, triangles_of
from ..scene.colors import linear_from_srgb
from ..scene.inside import cameras_inside
from ..scene.triangles import Triangles
from ..transforms import rigid, rotation_about

_TRIES = 100
"""Places that are looked at for one thing."""
_FULL = 3
"""Things in a row without a place after which there is no room."""
_LARGEST_M = 0.16
"""Radius of the largest thing that is put somewhere."""
_LEVEL = 0.985
"""Cosine between a surface's normal and the vertical from which on things stay where they are put."""
_GAP_M = 0.003
"""Height above its support from which on a thing's place must be free."""
_SECTORS = 8


def randomized(scene: Scene, values: Mapping[str, Any], seed: int) -> Scene:
    """A scene with the knobs of a plan's row applied.

    - ``materials``: the share of things that get another material of their class.
    - ``camera_jitter``: ``position_m`` and ``rotation_deg`` by which every camera may be elsewhere, in all frames alike.
    - ``clutter``: how many things are put onto level surfaces that rest and that the first camera sees. Where there is no room,
      fewer are, and a note says so.

    Args:
        scene: as it was read.
        values: by knob; others are left alone.
        seed: of all that is drawn.
    """
    if share := float(values.get("materials") or 0):
        scene = with_materials(scene, share, seed)
    if jitter := values.get("camera_jitter"):
        scene = with_jitter(scene, float(jitter["position_m"]), float(jitter["rotation_deg"]), seed)
    if count := int(values.get("clutter") or 0):
        scene = with_clutter(scene, count, seed)
    return scene


def _rng(seed: int, *what: object) -> np.random.Generator:
    digest = hashlib.blake2b("/".join(map(str, (seed, *what))).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


def with_materials(scene: Scene, share: float, seed: int) -> Scene:
    """Give a share of the things a plain material that their class may have; what one can see through stays as it is."""
    still = np.broadcast_to(np.eye(4), (1, 4, 4))
    records = [
        InstanceRecord(id=k + 1, name=one.name, class_name=one.class_name, world_from_instance=still)
        for k, one in enumerate(scene.instances)
    ]
    looks = look_of(records, None, seed)
    chosen = [_rng(seed, "material", one.name).random() < share for one in scene.instances]
    meshes, parts = list(scene.meshes), []
    for part in scene.parts:
        mesh = scene.meshes[part.mesh]
        if chosen[part.instance] and mesh.material.base_color[3] >= 1:
            look = looks[part.instance + 1]
            red, green, blue = (float(v) for v in linear_from_srgb(np.array(look.color) / 255.0))
            material = replace(
                mesh.material,
                base_color=(red, green, blue, 1.0),
                texture=None,
                metallic=float(look.metallic),
                roughness=float(look.roughness),
                kind=look.kind,
            )
            part = replace(part, mesh=len(meshes))
            meshes.append(replace(mesh, material=material, colors=None))
        parts.append(part)
    return replace(scene, meshes=tuple(meshes), parts=tuple(parts))


def with_jitter(scene: Scene, position_m: float, rotation_deg: float, seed: int) -> Scene:
    """Move and turn every camera, in its own axes and the same in all frames; never into a solid thing."""
    cameras = []
    for camera in scene.cameras:
        rng = _rng(seed, "camera", camera.name)
        moved = camera
        for _ in range(8):
            axis = rng.standard_normal(3)
            turn = rotation_about(axis / np.linalg.norm(axis), np.array(np.deg2rad(rng.uniform(0, rotation_deg))))
            step = rng.standard_normal(3)
            step *= position_m * rng.random() ** (1 / 3) / np.linalg.norm(step)
            found = replace(camera, world_from_camera=camera.world_from_camera @ rigid(turn, step))
            if next(cameras_inside(scene, (found,)), None) is None:
                moved = found
                break
        cameras.append(moved)
    return replace(scene, cameras=tuple(cameras))


def with_clutter(scene: Scene, count: int, seed: int) -> Scene:
    """Put things onto level surfaces that rest, in the view of the first camera, where nothing else is at any time."""
    rng = _rng(seed, "clutter")
    places = _places(scene, scene.cameras[0]) if scene.cameras and scene.parts else None
    stage, looks, taken = Stage(rng, scene.frames), Looks(None), []
    refused = 0 if places is not None else _FULL
    while len(taken) < count and refused < _FULL:
        assert places is not None
        found = _put(places, thing(rng, looks, largest_m=_LARGEST_M), taken, rng)
        refused = refused + 1 if found is None else 0
        if found is not None:
            what, pose, box = found
            taken.append(box)
            stage.add(f"clutter {what.class_name}", what.class_name, what.pieces, pose)
    note = f"{len(taken)} things are put into the scene; there was room for no more" if len(taken) < count else None
    notes = scene.notes if note is None else (*scene.notes, note)
    if not taken:
        return replace(scene, notes=notes)
    meshes, instances = len(scene.meshes), len(scene.instances)
    parts = [replace(part, mesh=part.mesh + meshes, instance=part.instance + instances) for part in stage.parts]
    return replace(
        scene,
        meshes=(*scene.meshes, *stage.meshes),
        parts=(*scene.parts, *parts),
        instances=(*scene.instances, *stage.instances),
        world_from_instance=np.concatenate([scene.world_from_instance, stage.world_from_instance()], axis=1),
        visible=np.concatenate([scene.visible, np.ones((scene.frames, len(stage.instances)), bool)], axis=1),
        notes=notes,
    )


Box = tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]
"""Lowest and highest coordinates; the third axis is the vertical."""


@dataclass(frozen=True, eq=False)
class _Places:
    """Where things could be put, in axes whose third is the vertical.

    - ``points``: on level surfaces that rest, as the camera sees them.
    - ``low``, ``high``: of every box that something occupies: triangles that rest, and all that a moving thing passes.
    - ``eyes``: where cameras are.
    """

    points: Float[np.ndarray, "points 3"]
    low: Float[np.ndarray, "boxes 3"]
    high: Float[np.ndarray, "boxes 3"]
    eyes: Float[np.ndarray, "eyes 3"]
    world_from_upright: Float[np.ndarray, "3 3"]


def _places(scene: Scene, camera: Camera) -> _Places | None:
    """``None`` where the camera sees nothing level."""
    frame = scene.frames // 2
    triangles = triangles_of(scene)
    small = camera.resized(tuple(max(24, int(side * 160 / max(camera.size))) for side in camera.size))  # type: ignore[arg-type]
    view = view_of(scene, small, frame)
    seen = rasterizer(triangles).fragments(view)
    face = seen.face.numpy()
    upright = _upright(np.asarray(scene.lighting.up, np.float64))
    pose = camera.world_from_camera[frame]
    normals = camera_normals(seen, triangles, view.camera_from_part, vertices=view.vertices).numpy().astype(np.float64)
    level = (normals @ pose[:3, :3].T @ upright)[..., 2] > _LEVEL
    rests = (scene.world_from_instance == scene.world_from_instance[:1]).all(axis=(0, 2, 3))
    owner = triangles.part_instance[triangles.face_part] - 1
    good = (face >= 0) & level & rests[owner[np.maximum(face, 0)]]
    if not good.any():
        return None
    rows, columns = np.nonzero(good)
    at = np.stack([columns + 0.5, rows + 0.5], axis=-1)
    points = camera_from_px(at, seen.depth.numpy()[rows, columns].astype(np.float64), small.intrinsics[frame], small.lens)
    points = (points @ pose[:3, :3].T + pose[:3, 3]) @ upright
    low, high = _occupied(scene, triangles, owner, rests, upright)
    eyes = np.concatenate([one.world_from_camera[:, :3, 3] for one in scene.cameras]) @ upright
    return _Places(points, low, high, eyes, upright)


def _upright(up: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3 3"]:
    """Columns: two level axes and the vertical."""
    z = up / np.linalg.norm(up)
    x = np.cross(np.eye(3)[int(np.abs(z).argmin())], z)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z], axis=1)


def _occupied(
    scene: Scene, triangles: Triangles, owner: np.ndarray, rests: Bool[np.ndarray, "instances"], upright: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of single triangles of what rests, and of all that each part of a moving thing passes."""
    low, high = [], []
    local = np.stack([part.instance_from_mesh for part in scene.parts])
    instance = np.array([part.instance for part in scene.parts])
    ours = triangles.vertices.astype(np.float64)
    for k, part in enumerate(scene.parts):
        mine = triangles.face_part == k
        corners = ours[triangles.faces[mine]]
        frames = [0] if rests[part.instance] else range(scene.frames)
        boxes = []
        for frame in frames:
            world = scene.world_from_instance[frame, instance[k]] @ local[k]
            placed = (corners @ world[:3, :3].T + world[:3, 3]) @ upright
            boxes.append((placed.min(axis=1), placed.max(axis=1)))
        if rests[part.instance]:
            low.append(boxes[0][0])
            high.append(boxes[0][1])
        elif len(corners):
            low.append(np.min([box[0].min(axis=0) for box in boxes], axis=0)[None])
            high.append(np.max([box[1].max(axis=0) for box in boxes], axis=0)[None])
    return np.concatenate(low), np.concatenate(high)


def _put(
    places: _Places, what: Thing, taken: list[Box], rng: np.random.Generator
) -> tuple[Thing, Float[np.ndarray, "4 4"], Box] | None:
    """A place for a thing: where its support is, as far as it reaches, and its room is free at all times."""
    radius, height = float(what.radius_m), float(what.height_m)
    for _ in range(_TRIES):
        at, angle = places.points[rng.integers(len(places.points))], rng.uniform(0, 2 * np.pi)
        if not _carried(places.points, at, radius):
            continue
        box = (at + [-radius, -radius, _GAP_M], at + [radius, radius, height])
        clear = box[0] - 0.05, box[1] + 0.05
        free = not ((places.low < box[1]) & (places.high > box[0])).all(axis=1).any()
        free = free and not any(bool(((low < box[1]) & (high > box[0])).all()) for low, high in taken)
        if free and not ((places.eyes > clear[0]) & (places.eyes < clear[1])).all(axis=1).any():
            turn = rotation_about(np.array([0.0, 0.0, 1.0]), np.asarray(angle))
            return what, rigid(places.world_from_upright @ turn, places.world_from_upright @ at), box
    return None


def _carried(points: Float[np.ndarray, "points 3"], at: Float[np.ndarray, "3"], radius: float) -> bool:
    """Whether the support is level with a place all around it."""
    off = points - at
    reach = np.hypot(off[:, 0], off[:, 1])
    ring = (reach > 0.4 * radius) & (reach < radius) & (np.abs(off[:, 2]) < 0.004)
    sector = ((np.arctan2(off[ring, 1], off[ring, 0]) / (2 * np.pi) % 1) * _SECTORS).astype(int)
    return len(np.unique(sector)) == _SECTORS
