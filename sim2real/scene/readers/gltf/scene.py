"""glTF files as rollouts: nodes are instances that move, skins and morph targets deform, cameras and lamps are its own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ....arrays import reason
from ....errors import BadValueError, EmptySceneError, UnknownNameError
from ...cameras.orbit import ORBIT_FRAMES
from ...light.metering import lit_by
from ...records import Instance, Part, Scene
from ..frame_count import check_frames
from ..mesh.files import Y_UP, load_mesh, sha256_of
from ..mesh.gltf import extension_notes, gltf_of, numbered_material, with_materials_alone
from ..mesh.loading import check_requirements, loaded
from ..reading import Reading, option
from .build import Builder, Looks
from .cameras import cameras_of
from .document import Document, broken, open_document
from .instances import instances_in, is_many, with_instances_as_nodes
from .lights import LIGHTS, light_of, lights_in
from .nodes import Hierarchy, distinct, hierarchy_of, poses_of
from .tracks import Animation, animation_names, animation_of

DEFAULT_FPS = 24.0
_LATE = 1e-3
"""Frames by which the last one may be late: seconds are stored with seven digits."""


@dataclass(frozen=True)
class Options:
    """What glTF files alone take."""

    animation: str | None = option("Which animation of a glTF file.  [default: its first]", metavar="NAME")


def read(path: Path, reading: Reading, options: Options) -> Scene:
    """The reader of glTF files: ``load_gltf`` for those that move or are looked at, ``load_mesh`` for meshes at rest."""
    with _values_of_their_kind(path):
        more_than_a_mesh = moves_or_looks(path)
    if more_than_a_mesh:
        return load_gltf(path, animation=options.animation, reading=reading)
    if options.animation is not None:
        raise UnknownNameError(options.animation, [], what="animation", where=path)
    return load_mesh(path, frames=reading.frames, fps=reading.fps or DEFAULT_FPS)


def moves_or_looks(path: Path) -> bool:
    """Whether a glTF file has animations, or nodes with skins, morph targets, instances, cameras or lights."""
    tree = gltf_of(path)
    if tree.get("animations") or instances_in(tree):
        return True
    nodes = _entries(tree, "nodes")
    primitives = [primitive for mesh in _entries(tree, "meshes") for primitive in _entries(mesh, "primitives")]
    looks = any("camera" in node or "skin" in node for node in nodes) or any(p.get("targets") for p in primitives)
    return looks or lights_in(Document(path, tree, (), ()))


def _entries(tree: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """A list of objects in a file that may be anything."""
    held = tree.get(kind)
    return [entry for entry in held if isinstance(entry, dict)] if isinstance(held, list) else []


def load_gltf(path: Path, *, animation: str | None = None, reading: Reading | None = None) -> Scene:
    """Read a glTF file with all that moves in it.

    Every node with a mesh is an instance, and so is every one of many that ``EXT_mesh_gpu_instancing`` places. Where it is
    scaled, the scale is in its mesh; where that changes, where it has a skin or morph targets, its mesh deforms. What has a
    skin is placed by its joints alone.

    Args:
        path: the file.
        animation: which of its animations; ``None``: the first.
        reading: which frames of the animation, sampled ``fps`` times a second (24), from 0 to its end; the rate follows the
            slice's step. (height, width) of the cameras. A file without animations has one frame if it has cameras, and
            otherwise as many as an orbit.

    Raises:
        MissingFileError: a buffer's file does not exist.
        UnreadableFileError: it is broken, or compressed.
        UnknownNameError: it has no animation of that name; lists those that it has.
        EmptySceneError: it has no face that can be drawn.
        BadValueError: none of the frames is there, or they do not fit into memory.
    """
    reading = Reading() if reading is None else reading
    with _values_of_their_kind(path):
        check_requirements(path)
        document = with_instances_as_nodes(open_document(path))
        hierarchy, chosen = hierarchy_of(document), animation_of(document, animation)
        times, fps = _times(hierarchy, chosen, reading)
        poses = poses_of(hierarchy, chosen, times)
        made, files, notes, textures = loaded(path, with_materials_alone(path))
        looks = Looks(textures, [made.geometry[numbered_material(k)].visual.material for k in range(len(made.geometry))])
        builder = Builder(hierarchy, poses, chosen, times, looks, notes)
        placed = [found for node in hierarchy.having("mesh") if (found := builder.placed(node)) is not None]
        if not placed:
            why = f" ({'; '.join(notes)})" if notes else ""
            raise EmptySceneError(path, lacks="faces that can be drawn", fix=f"export it with triangles{why}")
        names = distinct(thing.name for thing in placed)
        light = light_of(hierarchy, poses, notes)
        scene = Scene(
            source=path,
            sha256=sha256_of((*files, *document.files)),
            meshes=tuple(builder.meshes),
            parts=tuple(Part(mesh, k) for k, thing in enumerate(placed) for mesh in thing.meshes),
            instances=tuple(Instance(name, thing.class_name) for name, thing in zip(names, placed, strict=True)),
            world_from_instance=Y_UP @ np.stack([thing.world_from_instance for thing in placed], axis=1),
            visible=np.stack([thing.visible for thing in placed], axis=1),
            cameras=cameras_of(hierarchy, poses, reading.size),
            fps=fps,
            lighting=light.lighting,
            notes=(*_notes(hierarchy, chosen, builder), *notes, *extension_notes(path, (LIGHTS,))),
        )
        return lit_by(scene, light.lamps) if light.lamps else scene


def _times(hierarchy: Hierarchy, animation: Animation | None, reading: Reading) -> tuple[Float[np.ndarray, "frames"], float]:
    """The seconds at which the frames are, and how many of them go by in one."""
    path, rate, wanted = hierarchy.document.path, reading.fps or DEFAULT_FPS, reading.frames or slice(None)
    if not (math.isfinite(rate) and rate > 0):
        raise BadValueError("the frame rate", rate, right="a positive number of frames per second", where=path)
    if animation is not None:
        total = math.floor(animation.seconds * rate + _LATE) + 1
    else:
        total = (1 if hierarchy.having("camera") else ORBIT_FRAMES) if wanted.stop is None else wanted.stop
    numbers = range(total)[wanted]
    if not numbers:
        raise BadValueError("the range of frames", f"{wanted.start}:{wanted.stop}", right=f"within 0:{total}", where=path)
    check_frames(len(numbers), len(hierarchy.order), path)
    return np.array(numbers) / rate, rate / (wanted.step or 1)


def _notes(hierarchy: Hierarchy, animation: Animation | None, builder: Builder) -> list[str]:
    """What was read of what moves and is seen through, and what was left out."""
    document, name, notes = hierarchy.document, hierarchy.document.path.name, []
    if animation is not None:
        names = animation_names(document)
        others = f"; --animation chooses one of {', '.join(names[:16])}{', …' if len(names) > 16 else ''}"
        notes.append(f"animation {animation.name} lasts {animation.seconds:.2f} s{others if len(names) > 1 else ''}")
        if animation.unread:
            notes.append(f"{name}: {animation.unread} channel(s) of its animation move what is not read")
    if builder.deforming:
        skins = {hierarchy.node(node).get("skin") for node in hierarchy.having("skin")}
        joints = sum(len(document.entry("skins", skin)["joints"]) for skin in skins)
        what = [f"{len(skins)} skin(s) with {joints} joints"] if skins else []
        what += [f"{builder.targets} morph target(s)"] if builder.targets else []
        by = f" by {' and '.join(what)}" if what else " by scales that change"
        notes.append(f"{builder.deforming} mesh(es) deform{by}")
    if document.instance_of:
        owners = len(set(document.instance_of.values()))
        notes.append(f"{len(document.instance_of)} instances of {owners} node(s) are things of their own")
    skinned = sum(is_many(hierarchy.node(node)) for node in hierarchy.having("skin"))
    if skinned:
        notes.append(f"{name}: {skinned} node(s) with skins are drawn once, their instances are not read")
    notes.append(f"{name}: its y axis is up and was turned to z, the up axis here")
    return notes


@contextmanager
def _values_of_their_kind(path: Path) -> Iterator[None]:
    """Say in one line that a value of a file is of another kind than the specification has it."""
    try:
        yield
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        raise broken(path, f"it has values of another kind ({reason(error)})") from error
    except MemoryError as error:
        raise broken(path, "what it describes is more than memory holds") from error
