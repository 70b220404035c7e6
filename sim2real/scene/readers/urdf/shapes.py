"""What is seen of a robot's links, as meshes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from ....arrays import reason
from ....eight_bits import pixels_of
from ....errors import EmptySceneError, Sim2RealError, UnreadableFileError
from ... import primitives
from ...colors import linear_from_srgb
from ...mesh_ops import mapped, with_material
from ...records import Material, Mesh, Part
from ..mesh.files import read_mesh_file
from .assets import Assets
from .robot import Look, Robot, Shape, Visual

_Placed = tuple[Mesh, Float[np.ndarray, "4 4"]]


@dataclass
class Shapes:
    """Shapes that were built for one robot: equal ones once. ``files`` were read, ``notes`` are for the user."""

    assets: Assets
    meshes: list[Mesh] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _built: dict[Shape, list[_Placed]] = field(default_factory=dict)
    _dressed: dict[tuple[Shape, Look | None], list[tuple[int, np.ndarray]]] = field(default_factory=dict)
    _pictures: dict[str, UInt8[np.ndarray, "height width channels"]] = field(default_factory=dict)
    _found: dict[str, Path | None] = field(default_factory=dict)

    def check_files(self, visuals: Iterable[Visual]) -> None:
        """Find all meshes and pictures, before the first is read.

        Raises:
            MissingFileError: some are nowhere; lists them, and where was looked.
        """
        names: dict[str, None] = {}
        for visual in visuals:
            picture = None if visual.look is None else visual.look.texture
            names.update(dict.fromkeys(name for name in (visual.shape.file, picture) if name))
        self._found |= {name: self.assets.find(name) for name in names if name not in self._found}
        missing = [name for name in names if self._found[name] is None]
        if missing:
            raise self.assets.missing(missing)

    def of(self, visual: Visual) -> list[tuple[int, Float[np.ndarray, "4 4"]]]:
        """The meshes of a visual: numbers of ``meshes``, and their ``link_from_mesh``; none where it is clear.

        Raises:
            UnreadableFileError: a mesh or a picture is damaged.
        """
        key = visual.shape, visual.look
        if key not in self._dressed:
            built = self._shape(visual.shape)
            self._dressed[key] = [(self._add(mesh), move) for mesh, move in (self._looking(one, visual.look) for one in built)]
        return [(number, visual.link_from_shape @ move) for number, move in self._dressed[key]]

    def _add(self, mesh: Mesh) -> int:
        self.meshes.append(mesh)
        return len(self.meshes) - 1

    def _shape(self, shape: Shape) -> list[_Placed]:
        if shape not in self._built:
            self._built[shape] = self._mesh(shape) if shape.kind == "mesh" else [(_solid(shape), np.eye(4))]
        return self._built[shape]

    def _mesh(self, shape: Shape) -> list[_Placed]:
        """A mesh file in the axes in which it was written, whatever it says is up, as ROS takes it."""
        path = self._path(shape.file)
        try:
            file = read_mesh_file(path, up_axis="z")
        except EmptySceneError:
            self.notes.append(f"{path.name} has no faces that can be drawn and is left out")
            self.files.append(path)
            return []
        self.files += file.files
        self.notes += file.notes
        if shape.size == (1.0, 1.0, 1.0):
            return [(file.meshes[k], move) for k, move in file.placed]
        scale = np.diag(shape.size)
        return [(mapped(file.meshes[k], scale @ move[:3, :3], scale @ move[:3, 3]), np.eye(4)) for k, move in file.placed]

    def _looking(self, placed: _Placed, look: Look | None) -> _Placed:
        """A mesh in a robot's material, which counts where its own file gives it none."""
        mesh, move = placed
        if look is None or vars(mesh.material) != vars(Material()):
            return placed
        rgba = look.rgba or (1.0, 1.0, 1.0, 1.0)
        r, g, b = linear_from_srgb(np.array(rgba[:3])).tolist()
        texture = None if look.texture is None else self._picture(look.texture)
        if texture is not None and mesh.uv is None:
            self.notes.append(f"{mesh.name}: its texture is not used, because the mesh has no UVs")
            texture = None
        return with_material(mesh, Material(base_color=(r, g, b, rgba[3]), texture=texture)), move

    def _picture(self, name: str) -> UInt8[np.ndarray, "height width channels"]:
        if name not in self._pictures:
            from PIL import Image

            path = self._path(name)
            try:
                with Image.open(path) as opened:
                    self._pictures[name] = np.ascontiguousarray(pixels_of(opened, path)[..., :3])
            except Sim2RealError:
                raise
            except Exception as error:  # headers of every format have errors of their own
                why, fix = reason(error).split(" '")[0], "use a PNG or JPEG picture"
                raise UnreadableFileError(path, what="texture", why=why, fix=fix) from error
            self.files.append(path)
        return self._pictures[name]

    def _path(self, name: str) -> Path:
        path = self._found[name]
        assert path is not None, "check_files has refused it"
        return path


def parts_of(robot: Robot, shapes: Shapes, source: Path, first: int = 0) -> tuple[list[str], tuple[Part, ...], list[str]]:
    """The links of a robot that are seen, their parts, and notes.

    Args:
        robot: whose.
        shapes: what the meshes are added to.
        source: for errors.
        first: the number of the instance that the first of these links is.

    Raises:
        MissingFileError: meshes or pictures do not exist; all of them are listed.
        EmptySceneError: nothing of the robot is seen.
    """
    shown = {link: [v for v in visuals if not _is_clear(v)] for link, visuals in robot.visuals.items()}
    shapes.check_files(visual for visuals in shown.values() for visual in visuals)
    clear = sum(map(len, robot.visuals.values())) - sum(map(len, shown.values()))
    notes = [f"{clear} shapes whose color is clear (alpha 0) were left out"] if clear else []
    placed = {link: [part for visual in shown[link] for part in shapes.of(visual)] for link in robot.links}
    seen = [link for link in robot.links if placed[link]]
    if not seen:
        raise EmptySceneError(source, lacks="visuals", fix="give its links a <visual> with a <geometry>")
    parts = [Part(mesh, first + number, move) for number, link in enumerate(seen) for mesh, move in placed[link]]
    return seen, tuple(parts), notes


def _is_clear(visual: Visual) -> bool:
    """Whether a robot's file hides a shape by its color."""
    return visual.look is not None and visual.look.rgba is not None and visual.look.rgba[3] == 0


def _solid(shape: Shape) -> Mesh:
    size = shape.size
    if shape.kind == "box":
        return primitives.box(np.array(size) / 2)
    if shape.kind == "sphere":
        return primitives.sphere(size[0])
    if shape.kind == "ellipsoid":
        return primitives.ellipsoid(np.array(size))
    make = primitives.cylinder if shape.kind == "cylinder" else primitives.capsule
    return make(size[0], size[1] / 2)
