"""The scenes of the noise suite: each is hard in one way, and comes in many phases, so that no figure is luck of alignment.

A phase shifts, turns and times a scene at random; it is to its scene what a seed is to noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import trimesh

from sim2real.scene import Camera, Instance, LoadOptions, Mesh, Part, Scene, load
from sim2real.scene.primitives import box, plane, sphere, torus
from sim2real.transforms import look_at, rigid, rotation_about

SIZE, FRAMES = (480, 720), 49
UP = np.array([0.0, 0.0, 1.0])
KITCHEN = Path(__file__).parent.parent / "scenes" / "kitchen.yaml"
TIME = np.arange(FRAMES)


@dataclass(frozen=True, eq=False)
class Case:
    """One phase of one scene; its cameras are ``camera`` and ``second``, which sees the same at the same instants.

    - ``hidden``: a frame before, one during and one after an occluder has passed.
    - ``loop``: two frames between which the camera has been far away; it does not come back to the very same place.
    - ``wide``: frames overlap at the picture's rim only, so a window in its middle would see nothing twice.
    """

    scene: Scene
    hidden: tuple[int, int, int] | None = None
    loop: tuple[int, int] | None = None
    wide: bool = False

    def cameras(self, size: tuple[int, int], window: tuple[int, int] | None = None) -> dict[str, Camera]:
        """The cameras by name at a picture size, or what a window in the middle of that picture shows."""
        if window is None or self.wide:
            return {camera.name: camera.resized(window or size) for camera in self.scene.cameras}
        top, left = (size[0] - window[0]) // 2, (size[1] - window[1]) // 2
        return {camera.name: camera.resized(size).cropped(top, left, window) for camera in self.scene.cameras}


def two_cameras(eye: np.ndarray, target: np.ndarray, focal: np.ndarray | float = 620.0) -> tuple[Camera, Camera]:
    """A camera on a way, and one beside it (a seventh of the distance to the right, a little closer) that looks there too."""
    eye, target = np.broadcast_arrays(np.asarray(eye, float), np.asarray(target, float))
    eye, target = np.broadcast_to(eye, (FRAMES, 3)), np.broadcast_to(target, (FRAMES, 3))
    k = np.tile(np.eye(3), (FRAMES, 1, 1))
    k[:, 0, 0] = k[:, 1, 1] = focal
    k[:, 0, 2], k[:, 1, 2] = SIZE[1] / 2, SIZE[0] / 2
    world = look_at(eye, target, UP)
    away = np.linalg.norm(target - eye, axis=1, keepdims=True)
    beside = eye + away * (world[:, :3, 0] / 7 + world[:, :3, 2] / 12)
    return Camera("camera", SIZE, k, world), Camera("second", SIZE, k, look_at(beside, target, UP))


def scene_of(meshes: list[Mesh], cameras: tuple[Camera, ...], motion: dict[int, np.ndarray] | None = None) -> Scene:
    """One instance per mesh; ``motion`` gives ``world_from_instance`` of those that are not at the origin."""
    world = np.tile(np.eye(4), (FRAMES, len(meshes), 1, 1))
    for place, poses in (motion or {}).items():
        world[:, place] = poses
    return Scene(
        source=Path("suite"),
        sha256="",
        meshes=tuple(meshes),
        parts=tuple(Part(k, k) for k in range(len(meshes))),
        instances=tuple(Instance(f"{m.name}{k}", "thing") for k, m in enumerate(meshes)),
        world_from_instance=world,
        visible=np.ones((FRAMES, len(meshes)), bool),
        cameras=cameras,
    )


def bare(mesh: Mesh) -> Mesh:
    """The mesh without its UVs, as robot descriptions have them."""
    return replace(mesh, uv=None)


def bumpy_ball(subdivisions: int) -> Mesh:
    """A ball of radius 1 with waves, without UVs."""
    ball = trimesh.creation.icosphere(subdivisions)
    bumps = 1 + 0.04 * np.sin(20 * ball.vertices[:, :1]) * np.sin(17 * ball.vertices[:, 1:2])
    return Mesh("ball", (ball.vertices * bumps).astype(np.float32), ball.faces)


def shuffled(rng: np.random.Generator, meshes: list[Mesh]) -> list[Mesh]:
    """The same surfaces, moved a little within their own frames, so that other cells of their charts meet other pixels."""
    return [replace(m, vertices=(m.vertices + rng.uniform(-0.3, 0.3, 3) * [1, 1, 0]).astype(np.float32)) for m in meshes]


def room(rng: np.random.Generator) -> list[Mesh]:
    """Four walls and a floor around the origin, a ball and a ring."""
    return shuffled(rng, [bare(box((4.0, 4.0, 1.6))), bumpy_ball(4), bare(torus(1.8, 0.15))])


def grazing_plane(rng: np.random.Generator) -> Case:
    """A floor seen at 3 to 13 degrees while the camera drives over it."""
    turn = rng.uniform(0, 2 * np.pi)
    along = np.array([np.cos(turn), np.sin(turn), 0])
    eye = rng.uniform(-3, 3, 3) * [1, 1, 0] + UP + 0.04 * TIME[:, None] * along
    return Case(scene_of([bare(plane((60, 60), cells=(40, 40)))], two_cameras(eye, eye + 7.2 * along - UP, 2700.0)))


def zoom(rng: np.random.Generator) -> Case:
    """The focal length grows by a factor 16 and shrinks again."""
    there = 1 - np.abs(TIME / 24 - 1)
    eye = np.array([4.5, 0, 1.3]) + rng.uniform(-0.2, 0.2, 3)
    target = np.array([0.9, 0, 0.2]) + rng.uniform(-0.3, 0.3, 3) * [0, 1, 1] + [0, 1, 0] * (TIME[:, None] == 48) * 0.0013
    meshes = shuffled(rng, [bumpy_ball(5), bare(plane((8, 8), cells=(30, 30)))])
    return Case(scene_of(meshes, two_cameras(eye, target, 300 * 16**there), {1: lowered(1.0)}), loop=(0, 48))


def dolly(rng: np.random.Generator) -> Case:
    """The camera comes nearer by a factor 16 and goes back."""
    there = 1 - np.abs(TIME / 24 - 1)
    towards = np.array([1.0, rng.uniform(-0.2, 0.2), rng.uniform(0.1, 0.3)])
    target = np.array([1.0, 0.1, 0.15]) + rng.uniform(-0.2, 0.2, 3) * [0, 1, 1]
    eye = target + towards * (6.4 * 16.0**-there)[:, None] + [0, 0.01, 0] * (TIME[:, None] == 48)
    meshes = shuffled(rng, [bumpy_ball(5), bare(plane((14, 14), cells=(30, 30)))])
    return Case(scene_of(meshes, two_cameras(eye, target, 500.0), {1: lowered(1.0)}), loop=(0, 48))


def orbit(rng: np.random.Generator) -> Case:
    """Once around a ball on a floor, and almost to the same place."""
    angle = rng.uniform(0, 2 * np.pi) + 2 * np.pi * 1.0005 * TIME / 48
    eye = np.stack([3.4 * np.cos(angle), 3.4 * np.sin(angle), np.full(FRAMES, 1.5)], 1)
    meshes = shuffled(rng, [bumpy_ball(5), bare(plane((8, 8), cells=(20, 20)))])
    return Case(scene_of(meshes, two_cameras(eye, np.zeros(3)), {1: lowered(1.0)}), loop=(0, 48))


def fast_rotation(rng: np.random.Generator) -> Case:
    """A camera in a room turns by 30 degrees a frame; twelve frames are a turn, but for a tenth of a degree."""
    angle = rng.uniform(0, 2 * np.pi) + np.deg2rad(30 + 0.1 / 12) * TIME
    eye = np.array([2.6, -2.4, 0.2]) + rng.uniform(-0.2, 0.2, 3)
    ahead = np.stack([np.cos(angle), np.sin(angle), np.full(FRAMES, -0.1)], 1)
    return Case(scene_of(room(rng), two_cameras(eye, eye + 3 * ahead, 480.0)), loop=(0, 12), wide=True)


def occluder(rng: np.random.Generator) -> Case:
    """A slab passes before a ball on a floor; the camera drifts by some two pixels a frame."""
    eye = np.array([3.6, 0, 1.3]) + rng.uniform(-0.2, 0.2, 3) + 0.012 * TIME[:, None] * [0, 1, 0.3]
    slab = rigid(np.eye(3), np.stack([0 * TIME + 1.8, 0.25 * (TIME - 24.0), 0 * TIME + 0.5], 1))
    meshes = shuffled(rng, [bumpy_ball(5), bare(plane((8, 8), cells=(20, 20))), bare(box((0.05, 0.8, 0.8), name="slab"))])
    return Case(scene_of(meshes, two_cameras(eye, np.zeros(3)), {1: lowered(1.0), 2: slab}), hidden=(8, 24, 40))


def robot(rng: np.random.Generator) -> Case:
    """A Franka arm opens a microwave: the kitchen rollout, from its counter and its wrist camera in turn."""
    scene = load(KITCHEN, LoadOptions(frames=FRAMES))
    view = scene.cameras[int(rng.integers(len(scene.cameras)))]
    width = round(view.size[1] * SIZE[0] / view.size[0])
    first = view.resized((SIZE[0], width)).cropped(0, (width - SIZE[1]) // 2, SIZE)
    aside = np.eye(4)
    aside[:3, 3] = [0.04, 0.01, 0.0]
    second = replace(first, name="second", world_from_camera=first.world_from_camera @ aside)
    return Case(replace(scene, cameras=(replace(first, name="camera"), second)))


def deforming(rng: np.random.Generator) -> Case:
    """Waves run over a sheet; noise belongs to its material points."""
    sheet = bare(plane((2.5, 2.5), cells=(80, 80), name="sheet"))
    x, y, _ = (sheet.vertices + rng.uniform(0, 9, 3)).T
    z = [0.18 * np.sin(2.2 * x + 0.13 * t) + 0.12 * np.sin(3.1 * y - 0.09 * t) for t in TIME]
    deformed = np.stack([np.stack([sheet.vertices[:, 0], sheet.vertices[:, 1], h], 1) for h in z]).astype(np.float32)
    eye = np.array([3.0, 0.3, 2.2]) + rng.uniform(-0.2, 0.2, 3) + 0.01 * TIME[:, None] * [0, 1, 0]
    return Case(scene_of([replace(sheet, deformed=deformed)], two_cameras(eye, np.zeros(3), 760.0)))


def mirrored_uvs(rng: np.random.Generator) -> Case:
    """A turning ball whose two halves share one half of the UV square, mirrored."""
    ball = sphere(1.0, segments=64, rings=32)
    assert ball.uv is not None
    folded = np.stack([np.abs(2 * ball.uv[..., 0] - 1), ball.uv[..., 1]], -1)
    turn = rigid(rotation_about(UP, rng.uniform(0, 6) + 0.02 * TIME), np.zeros(3))
    eye = np.array([2.7, 0.4, 0.9]) + rng.uniform(-0.2, 0.2, 3)
    meshes = [replace(ball, uv=folded), *shuffled(rng, [bare(plane((8, 8), cells=(20, 20)))])]
    return Case(scene_of(meshes, two_cameras(eye, np.zeros(3)), {0: turn, 1: lowered(1.0)}))


def tiny_triangles(rng: np.random.Generator) -> Case:
    """A ball of 1.3 million triangles, most of them smaller than a pixel."""
    angle = rng.uniform(0, 2 * np.pi) + 0.01 * TIME
    eye = np.stack([3.4 * np.cos(angle), 3.4 * np.sin(angle), 1.5 + 0 * TIME], 1)
    meshes = shuffled(rng, [bumpy_ball(8), bare(plane((8, 8), cells=(20, 20)))])
    return Case(scene_of(meshes, two_cameras(eye, np.zeros(3)), {1: lowered(1.0)}))


def giant_triangles(rng: np.random.Generator) -> Case:
    """Two triangles of 400 m, seen from 2 m above."""
    turn = rng.uniform(0, 2 * np.pi)
    along = np.array([np.cos(turn), np.sin(turn), 0])
    eye = rng.uniform(-50, 50, 3) * [1, 1, 0] + 2 * UP + 0.03 * TIME[:, None] * along
    return Case(scene_of([bare(plane((200, 200)))], two_cameras(eye, eye + 4 * along - 2 * UP)))


def empty(rng: np.random.Generator) -> Case:
    """Nothing but the sphere of directions, seen by a camera that pans by 0.4 degrees a frame."""
    angle = rng.uniform(0, 2 * np.pi) + np.deg2rad(0.4) * TIME
    ahead = np.stack([np.cos(angle), np.sin(angle), np.full(FRAMES, rng.uniform(-0.5, 0.5))], 1)
    return Case(scene_of([], two_cameras(np.zeros(3), ahead)))


def slow(rng: np.random.Generator) -> Case:
    """A camera above a floor moves by a tenth of a pixel a frame."""
    turn = rng.uniform(0, 2 * np.pi)
    along = np.array([np.cos(turn), np.sin(turn), 0])
    eye = rng.uniform(-1, 1, 3) * [1, 1, 0] + 2 * UP + 0.1 * 2 / 620 * TIME[:, None] * along
    return Case(scene_of([bare(plane((8, 8), cells=(20, 20)))], two_cameras(eye, eye - 2 * UP + [0, 1e-3, 0])))


def lowered(depth: float) -> np.ndarray:
    """A pose so far below the origin."""
    return rigid(np.eye(3), np.array([0.0, 0.0, -depth]))


SCENES: dict[str, Callable[[np.random.Generator], Case]] = {
    "grazing plane, 3 to 13 degrees": grazing_plane,
    "zoom by 16 and back": zoom,
    "dolly by 16 and back": dolly,
    "full orbit and return": orbit,
    "rotation, 30 degrees a frame": fast_rotation,
    "occluder passing": occluder,
    "articulated robot (kitchen)": robot,
    "deforming sheet": deforming,
    "mirrored UVs": mirrored_uvs,
    "1.3M tiny triangles": tiny_triangles,
    "two giant triangles": giant_triangles,
    "empty": empty,
    "0.1 px a frame": slow,
}


def case(name: str, phase: int) -> Case:
    """One phase of a scene; the same number gives the same case always."""
    return SCENES[name](np.random.default_rng([phase, list(SCENES).index(name)]))
