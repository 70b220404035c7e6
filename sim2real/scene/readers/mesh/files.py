"""Mesh files (obj, ply, stl, off, dae, glb, gltf) through trimesh."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from ....arrays import reason
from ....errors import BadValueError, EmptySceneError, MissingFileError
from ....transforms import rigid
from ...cameras.orbit import ORBIT_FRAMES
from ...mesh_ops import cleaned, mapped, shaded
from ...moving_vertices import Deformed
from ...records import Instance, Mesh, Part, Scene
from ..frame_count import check_frames
from ..reading import Reading, option
from .collada import collada_notes, is_collada, unit_m, up_axis_of, with_linear_colors
from .gltf import gltf_notes
from .loading import Textures, broken, loaded
from .materials import dressed
from .mtl import obj_notes

_OF_ANY_AXIS = (".obj", ".ply", ".stl", ".off")
"""Kinds of files that do not say which axis is up."""
_FARTHEST_M, _FLATTEST = 1e9, 1e-24
LARGE_FACES = 1_000_000
"""Of a mesh whose arrays have single precision from the start, as those that are rendered have."""
Y_UP = np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
"""World (z up) from a frame with y up."""


@dataclass(frozen=True, eq=False)
class MeshFile:
    """The content of a mesh file.

    - ``placed``: pairs of a mesh (index into ``meshes``) and the rigid transform ``file_from_mesh``.
    - ``world_from_file`` turns the file's up axis to z.
    - ``files``: all files that were read.
    """

    meshes: tuple[Mesh, ...]
    placed: tuple[tuple[int, Float[np.ndarray, "4 4"]], ...]
    world_from_file: Float[np.ndarray, "4 4"]
    notes: tuple[str, ...]
    files: tuple[Path, ...]


def read_mesh_file(path: Path, *, up_axis: Literal["y", "z"] | None = None) -> MeshFile:
    """Read a mesh file: one mesh per geometry and material, with textures, UVs and smooth normals.

    Faces with vertices that are not finite and faces without area are dropped, and noted with their number. Normals come
    from the file; where it has none, edges sharper than 40 degrees stay sharp and all others are smoothed.

    Args:
        path: the file.
        up_axis: which of its axes is up; ``None``: y for glTF (its standard), for COLLADA as the file says, z otherwise.

    Raises:
        MissingFileError: the file, or a file without which it cannot be read, does not exist.
        UnreadableFileError: it is broken, or of a kind that trimesh does not read.
        EmptySceneError: it has no face that can be drawn.
        MissingPackageError: it is COLLADA, and pycollada is not installed.
    """
    if not path.is_file():
        raise MissingFileError(path, what="mesh file")
    of_screen = is_collada(path)
    scene, files, notes, textures = loaded(path)
    notes += [*gltf_notes(path), *obj_notes(path)]
    meshes: list[Mesh] = []
    index: dict[tuple[str, bytes], int | None] = {}
    placed: list[tuple[int, np.ndarray]] = []
    for matrix, name in _placed(scene, path):
        geometry = scene.geometry[name]
        faces = getattr(geometry, "faces", None)
        if faces is None or len(faces) == 0:
            if path.suffix.lower() not in (".obj", ".glb", ".gltf"):  # theirs are counted in their notes
                notes.append(f"{path.name}: the points or lines of {name} are left out")
            continue
        with np.errstate(all="ignore"):  # numbers of damaged files
            matrix = np.diag([*[unit_m(geometry, path)] * 3, 1.0]) @ matrix
            flat = abs(np.linalg.det(matrix[:3, :3])) < _FLATTEST
        if flat or not (np.abs(matrix) <= _FARTHEST_M).all():
            notes.append(f"{path.name}: {name} is left out, because its node makes it flat, endless or infinitely far")
            continue
        stretch, move = _split_rigid(matrix)
        key = (name, stretch.tobytes())
        if key not in index:
            mesh = mesh_of(name, geometry, stretch, path, textures, notes)
            mesh = with_linear_colors(mesh) if of_screen and mesh is not None else mesh
            index[key] = None if mesh is None else len(meshes)
            meshes += [] if mesh is None else [mesh]
        at = index[key]
        if at is not None:
            placed.append((at, move))
    if not meshes:
        notes += left_out(path)
        why = f" ({'; '.join(notes)})" if notes else ""
        raise EmptySceneError(path, lacks="faces that can be drawn", fix=f"export it with triangles{why}")
    usual = up_axis_of(path) if of_screen else "y" if path.suffix.lower() in (".glb", ".gltf") else "z"
    y_up = (up_axis or usual) == "y"
    if y_up:
        notes.append(f"{path.name}: its y axis is up and was turned to z, the up axis here")
    return MeshFile(tuple(meshes), tuple(placed), Y_UP if y_up else np.eye(4), tuple(notes), tuple(files))


def left_out(path: Path) -> list[str]:
    """A sentence on what a file holds beside meshes; of robots' links, which exporters give lamps and cameras, none is made."""
    return collada_notes(path) if is_collada(path) else []


@dataclass(frozen=True)
class Options:
    """What mesh files alone take."""

    up_axis: str | None = option(
        "Which axis of a mesh file is up: y or z.  [default: z; of COLLADA as the file says]", metavar="y|z"
    )


def read(path: Path, reading: Reading, options: Options) -> Scene:
    """The reader of mesh files; see ``load_mesh``."""
    return load_mesh(path, frames=reading.frames, fps=reading.fps or 24.0, up_axis=options.up_axis)


def load_mesh(path: Path, *, frames: slice | None = None, fps: float = 24.0, up_axis: str | None = None) -> Scene:
    """A mesh file as a scene of one resting instance, without cameras; errors as ``read_mesh_file``.

    Args:
        path: the file.
        frames: which frames of a clip that lasts until the slice's end, ``ORBIT_FRAMES`` frames if it has none.
        fps: frames per second.
        up_axis: as for ``read_mesh_file``.

    Raises:
        BadValueError: ``up_axis`` is neither y nor z.
    """
    if up_axis not in (None, "y", "z"):
        raise BadValueError("--up-axis", up_axis, right="y or z", where=path)
    file = read_mesh_file(path, up_axis="y" if up_axis == "y" else "z" if up_axis == "z" else None)
    said = left_out(path)
    if up_axis is None and path.suffix.lower() in _OF_ANY_AXIS:
        said.append(f"{path.name}: its z axis is taken to be up, --up-axis y turns it")
    wanted = frames or slice(None)
    count = len(range(ORBIT_FRAMES if wanted.stop is None else wanted.stop)[wanted])
    check_frames(count, 2, path)
    return Scene(
        source=path,
        sha256=sha256_of(file.files),
        meshes=file.meshes,
        parts=tuple(Part(mesh, 0, move) for mesh, move in file.placed),
        instances=(Instance(path.stem, path.stem),),
        world_from_instance=np.repeat(file.world_from_file[None, None], count, axis=0),
        visible=np.ones((count, 1), bool),
        cameras=(),
        fps=fps,
        notes=(*file.notes, *said),
    )


def sha256_of(files: Iterable[Path]) -> str:
    """The hash of one file; of several files, the hash of their hashes in the order given."""
    digests = [_digest(path) for path in dict.fromkeys(files)]
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _digest(path: Path) -> str:
    state = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            state.update(piece)
    return state.hexdigest()


def _placed(scene: Any, path: Path) -> Iterator[tuple[np.ndarray, str]]:
    """Every use of a geometry: ``file_from_geometry`` and the geometry's name."""
    try:
        for node in sorted(scene.graph.nodes_geometry):
            with np.errstate(all="ignore"):  # numbers of damaged files
                matrix, name = scene.graph[node]
            yield np.asarray(matrix, np.float64).reshape(4, 4), str(name)
    except (TypeError, ValueError, AttributeError, LookupError) as error:  # nodes that are their own parents, or absent
        raise broken(path, f"its nodes hang on each other in no order ({reason(error)})") from error


def mesh_of(
    name: str,
    geometry: Any,
    stretch: Float[np.ndarray, "3 3"],
    path: Path,
    textures: Textures,
    notes: list[str],
    deformed: Deformed | None = None,
) -> Mesh | None:
    """One geometry of trimesh as a mesh in metres; ``None`` if none of its faces can be drawn.

    Args:
        name: what it is called.
        geometry: a ``trimesh.Trimesh``.
        stretch: what is applied to its vertices.
        path: the file that it is from.
        textures: how its texture lies.
        notes: gets a sentence for everything that could not be kept.
        deformed: the vertices of every frame, before ``stretch``.

    Raises:
        UnreadableFileError: its arrays or its material have other shapes or values than they must have.
    """
    lean = len(geometry.faces) >= LARGE_FACES
    vertices = np.array(geometry.vertices, np.float32 if lean else np.float64)
    faces = np.array(geometry.faces, np.int32 if lean else np.int64)
    if vertices.ndim != 2 or vertices.shape[1] != 3 or faces.ndim != 2 or faces.shape[1] != 3:
        raise broken(path, f"its vertices have the shape {vertices.shape} and its faces {faces.shape}")
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise broken(path, f"a face names vertex {faces.max()} of {len(vertices)}")
    normals = None
    if "vertex_normals" in geometry._cache.cache:  # set by the reader, and only if the file holds them
        held = np.array(geometry.vertex_normals, vertices.dtype)[faces]
        normals = held if (np.abs(held) <= _FARTHEST_M).all() else None
    mesh = Mesh(name, vertices, faces, normals=normals, deformed=deformed)
    try:
        material = getattr(getattr(geometry.visual, "material", None), "name", None)
        mesh = dressed(mesh, geometry, notes, source=path, uv_map=textures.uv_map(material, name, notes))
        mesh = _glowing(mesh, textures.glow(material))
        beyond = mesh.uv is not None and mesh.material.texture is not None and np.ptp(np.clip(mesh.uv, -0.01, 1.01)) > 1.005
        if beyond and not textures.repeat(material):
            notes.append(f"{name}: its texture is clamped or mirrored beyond its border; here it repeats")
    except (TypeError, ValueError, AttributeError, LookupError) as error:  # trimesh passes on whatever stands in the file
        raise broken(path, f"the material of {name} has values of another kind ({reason(error)})") from error
    mesh, dropped = cleaned(mesh)
    for why, count in dropped.items():
        notes.append(f"{path.name}: {count} of {len(faces)} faces of {name} are {why} and were dropped")
    if len(mesh.faces) == 0:
        return None
    mesh = shaded(mesh)
    return mesh if (stretch == np.eye(3)).all() else mapped(mesh, stretch)


def _glowing(mesh: Mesh, factor: float) -> Mesh:
    r, g, b = mesh.material.emission
    maps = mesh.material.maps
    if maps is not None:
        red, green, blue = (factor * strength for strength in maps.emission)
        maps = replace(maps, emission=(red, green, blue))
    made = replace(mesh.material, emission=(r * factor, g * factor, b * factor), maps=maps)
    return mesh if factor == 1 else replace(mesh, material=made)


def _split_rigid(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A transform as a 3x3 to apply to vertices (identity if nothing scales), followed by a rigid 4x4."""
    linear = matrix[:3, :3]
    if np.allclose(linear.T @ linear, np.eye(3), atol=1e-6) and np.linalg.det(linear) > 0:
        return np.eye(3), matrix
    return linear, rigid(np.eye(3), matrix[:3, 3])
