"""The objects of a scene file: their meshes, materials and motion."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8

from ....arrays import reason
from ....eight_bits import pixels_of
from ....errors import BadValueError, MissingFileError, Sim2RealError, UnreadableFileError
from ....transforms import quaternion_from_rotation, rigid, rotation_about, rotation_from_quaternion
from ... import primitives
from ...camera_track.cameras import PlacedTrack
from ...colors import linear_from_srgb
from ...mesh_ops import inside_out, mapped, with_material
from ...records import Mesh
from ..keys import interpolated, interpolated_rotations
from ..mesh.files import MeshFile, left_out, read_mesh_file
from ..package_files import package_file
from . import trajectories as motion
from .schema import CheckerEntry, MaterialEntry, MotionEntry, ObjectEntry, PlacedEntry
from .tables import Table, read_table

CHECKER_CELL_PX = 16


@dataclass(frozen=True, eq=False)
class Placed:
    """An object of a scene file.

    - ``meshes`` with their ``instance_from_mesh``.
    - ``world_from_object`` has z up; ``object_from_instance`` turns the axes of its mesh file to that.
    """

    meshes: tuple[tuple[Mesh, Float[np.ndarray, "4 4"]], ...]
    world_from_object: Float[np.ndarray, "frames 4 4"]
    object_from_instance: Float[np.ndarray, "4 4"]
    visible: Bool[np.ndarray, "frames"]


@dataclass
class Files:
    """What has been read for one scene file (``source``): every mesh file and shape once, all paths for the hash, all notes."""

    source: Path
    meshes: dict[tuple[Path, str | None], MeshFile] = field(default_factory=dict)
    primitives: dict[tuple, Mesh] = field(default_factory=dict)
    pictures: dict[Path, UInt8[np.ndarray, "height width channels"]] = field(default_factory=dict)
    tracks: dict[str, PlacedTrack] = field(default_factory=dict)
    read: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def path(self, name: str) -> Path:
        """A path that the scene file gives."""
        return self.source.parent / name

    def table(self, name: str, frames: int) -> tuple[Table, Path]:
        """A table of at least as many rows as the scene has frames, and where it was read."""
        path = self.path(name)
        table = read_table(path)
        self.read.append(path)
        rows = len(table.position)
        if rows < frames:
            right = f"at least the {frames} frames of the scene"
            raise BadValueError("the number of rows of the table", rows, right=right, where=path)
        return table, path

    def mesh(self, path: Path, up_axis: str | None) -> MeshFile:
        """The content of a mesh file."""
        key = (path, up_axis)
        if key not in self.meshes:
            file = read_mesh_file(path, up_axis="y" if up_axis == "y" else "z" if up_axis == "z" else None)
            self.meshes[key] = file
            self.read += file.files
            self.notes += [*file.notes, *left_out(path)]
        return self.meshes[key]

    def primitive(self, entry: ObjectEntry) -> Mesh:
        """The shape of an entry; equal ones share their arrays."""
        sizes = (entry.primitive, entry.half_size, entry.radius, entry.half_height, entry.tube_radius, entry.cells)
        if sizes not in self.primitives:
            self.primitives[sizes] = _primitive(entry)
        return replace(self.primitives[sizes], name=entry.name)

    def picture(self, path: Path) -> UInt8[np.ndarray, "height width channels"]:
        """An image file as uint8 RGB or RGBA."""
        if path not in self.pictures:
            if not path.is_file():
                raise MissingFileError(path, what="texture")
            from PIL import Image

            try:
                with Image.open(path) as opened:
                    self.pictures[path] = pixels_of(opened, path)
            except Sim2RealError:
                raise
            except Exception as error:  # headers of every format have errors of their own
                fix = "use a PNG or JPEG picture"
                raise UnreadableFileError(path, what="texture", why=reason(error).split(" '")[0], fix=fix) from error
            self.read.append(path)
        return self.pictures[path]


def placed(entry: ObjectEntry, frames: int, fps: float, files: Files) -> Placed:
    """Build one object over all frames."""
    if entry.primitive:
        turn, shapes = np.eye(4), ((files.primitive(entry), np.eye(4)),)
    else:
        path = package_file(entry.package) if entry.package else files.path(str(entry.mesh))
        file = files.mesh(path, entry.up_axis)
        turn = file.world_from_file
        shapes = tuple((file.meshes[k], move) for k, move in file.placed)
    shapes = tuple(_adjusted(mesh, move, entry, turn, files) for mesh, move in shapes)
    return Placed(shapes, moved(entry, frames, fps, files), turn, _visible(entry, frames))


def rotation_of(entry: PlacedEntry) -> Float[np.ndarray, "3 3"] | None:
    """The rotation that an entry gives, if it gives one."""
    if entry.quaternion is not None:
        return rotation_from_quaternion(np.array(entry.quaternion))
    if entry.euler_deg is not None:
        x, y, z = (rotation_about(np.eye(3)[k], np.array(np.deg2rad(entry.euler_deg[k]))) for k in range(3))
        return z @ y @ x
    return None


def _primitive(entry: ObjectEntry) -> Mesh:
    name, half, radius, height = entry.name, np.array(entry.half_size or ()), entry.radius or 0.0, entry.half_height or 0.0
    make = {
        "box": lambda: primitives.box(half, name=name),
        "sphere": lambda: primitives.sphere(radius, name=name),
        "ellipsoid": lambda: primitives.ellipsoid(half, name=name),
        "cylinder": lambda: primitives.cylinder(radius, height, name=name),
        "capsule": lambda: primitives.capsule(radius, height, name=name),
        "cone": lambda: primitives.cone(radius, height, name=name),
        "torus": lambda: primitives.torus(radius, entry.tube_radius or 0.0, name=name),
        "plane": lambda: primitives.plane(half, cells=entry.cells or (1, 1), name=name),
    }
    return make[entry.primitive or ""]()


def _adjusted(mesh: Mesh, move: np.ndarray, entry: ObjectEntry, turn: np.ndarray, files: Files) -> tuple[Mesh, np.ndarray]:
    """Scale (along the object's axes, baked into the vertices), room, material."""
    if entry.scale != (1.0, 1.0, 1.0):
        scale = turn[:3, :3].T @ np.diag(entry.scale) @ turn[:3, :3]
        mesh = mapped(mesh, scale @ move[:3, :3], scale @ move[:3, 3])
        move = np.eye(4)
    if entry.room:
        mesh = inside_out(mesh)
    if entry.material:
        mesh = _dressed(mesh, entry.material, f"the material of object {entry.name}", files)
    return mesh, move


def _dressed(mesh: Mesh, entry: MaterialEntry, what: str, files: Files) -> Mesh:
    material = mesh.material
    texture = material.texture
    if entry.texture is not None or entry.checker is not None:
        if mesh.uv is None:
            right = "a plain color, because the mesh has no UVs"
            raise BadValueError(what, "a texture" if entry.texture else "a checker", right=right, where=mesh.name)
        texture = files.picture(files.path(entry.texture)) if entry.texture else checker(entry.checker or CheckerEntry())
        material = replace(material, texture=texture, base_color=(1.0, 1.0, 1.0, 1.0))
    if entry.color is not None:
        r, g, b = linear_from_srgb(np.array(entry.color[:3])).tolist()
        keep = entry.texture is not None or entry.checker is not None
        alpha = entry.color[3] if len(entry.color) == 4 else 1.0
        material = replace(material, base_color=(r, g, b, alpha), texture=texture if keep else None)
    given = {"metallic": entry.metallic, "roughness": entry.roughness, "emission": entry.emission}
    material = replace(material, **{key: value for key, value in given.items() if value is not None})
    return with_material(mesh, material, entry.texture_repeat or (1.0, 1.0))


def checker(entry: CheckerEntry) -> UInt8[np.ndarray, "height width 3"]:
    """A checkerboard as a picture."""
    columns, rows = entry.cells
    odd = np.add.outer(np.arange(rows), np.arange(columns)) % 2
    colors = np.rint(np.array([color[:3] for color in entry.colors]) * 255).astype(np.uint8)
    return colors[np.kron(odd, np.ones((CHECKER_CELL_PX, CHECKER_CELL_PX), np.int64))]


def moved(entry: ObjectEntry, frames: int, fps: float, files: Files) -> Float[np.ndarray, "frames 4 4"]:
    """``world_from_object`` in every frame."""
    position = np.array(entry.position or (0.0, 0.0, 0.0))
    rotation = rotation_of(entry)
    rotation = np.eye(3) if rotation is None else rotation
    way = np.repeat(rigid(rotation, position)[None], frames, axis=0)
    plan = entry.motion
    if plan is None:
        return way
    if plan.keyframes:
        way = _keyed(plan, position, rotation, frames, fps)
    elif plan.path:
        p = plan.path
        place, direction = motion.along(np.array(p.waypoints), frames, fps, speed=p.speed, smooth=p.smooth, loop=p.loop)
        way = rigid(motion.headings(direction) @ rotation if p.align else rotation, place)
    elif plan.table:
        table, _ = files.table(plan.table, frames)
        way = table.matrices(rotation)[:frames]
    if plan.spin:
        way = way @ motion.spun(plan.spin.axis, plan.spin.deg_per_s, frames, fps)
    return way


def _keyed(plan: MotionEntry, position: np.ndarray, rotation: np.ndarray, frames: int, fps: float) -> np.ndarray:
    keys = list(plan.keyframes or ())
    unit = 1.0 if keys[0].frame is not None else fps
    times = np.array([key.time * unit for key in keys])
    places = np.array([position if key.position is None else key.position for key in keys], np.float64)
    turns = [rotation_of(key) for key in keys]
    quaternions = np.stack([quaternion_from_rotation(rotation if turn is None else turn) for turn in turns])
    at = np.arange(frames, dtype=np.float64)
    where = interpolated(times, places, at, plan.interpolation)
    return rigid(interpolated_rotations(times, quaternions, at, plan.interpolation), where)


def _visible(entry: ObjectEntry, frames: int) -> Bool[np.ndarray, "frames"]:
    if entry.visible is None:
        return np.ones(frames, bool)
    exists = np.zeros(frames, bool)
    for first, last in entry.visible:
        exists[first : frames if last is None else last + 1] = True
    return exists
