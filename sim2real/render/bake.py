"""The noise of a scene as plain textures: for renderers that know nothing of surface noise."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..clip import check_output, new_folder
from ..clip.video import noise_picture
from ..errors import BadValueError, EmptySceneError
from ..noise.bake import baked_texture, level_for, texture_bands
from ..noise.beta import BACKGROUND
from ..noise.charts.build import SKY_CHARTS, Charts, charts_of
from ..scene import Scene, Triangles, triangles_of
from .bake_record import GLB, RECORD, Baked, BakedTexture, write_bake_record
from .clip import Progress
from .glb import Piece, write_glb

DEFAULT_LEVEL = 9
FINEST_BAKED = 14
"""Textures of at most 2^14 texels per side."""
PREVIEW_LEVEL = 10
"""The pictures inside the GLB have at most 2^10 texels per side: coarser cells of the same noise."""


@dataclass(frozen=True)
class _Job:
    """A texture to be made, of a part of the scene or (None) of the background."""

    texture: BakedTexture
    part: int | None


@dataclass(frozen=True)
class BakeOptions:
    """How a scene's noise becomes textures.

    - ``level``: every texture has 2^level texels per side; 9 if neither this nor the density is given.
    - ``texels_per_metre``: instead, the least density, which gives every part a level of its own.
    - ``channels`` and ``seed``: of the noise.
    - ``background``: also bake the sphere of directions, as the six faces of a cube.
    - ``overwrite``: replace a folder that was baked before.

    Raises:
        BadValueError: a value is out of its range, or both level and density are given.
    """

    level: int | None = None
    texels_per_metre: float | None = None
    channels: int = 3
    seed: int = 0
    background: bool = False
    overwrite: bool = False

    def __post_init__(self) -> None:
        if self.channels < 1:
            raise BadValueError("the number of noise channels", self.channels, right="1 or more")
        if self.level is not None and self.texels_per_metre is not None:
            raise BadValueError("the level", self.level, right="left out where the texels per metre are given")
        if self.level is not None and not 1 <= self.level <= FINEST_BAKED:
            raise BadValueError("the level", self.level, right=f"1 to {FINEST_BAKED}")
        if self.texels_per_metre is not None and not self.texels_per_metre > 0:
            raise BadValueError("the texels per metre", self.texels_per_metre, right="greater than 0")


def bake_scene(scene: Scene, output: Path, options: BakeOptions | None = None, *, progress: Progress | None = None) -> Baked:
    """Write the noise of every part of a scene as a texture, and the parts as a GLB whose UVs index it.

    The textures hold the very cells that ``SurfaceNoise`` makes frames of with the same seed. An instance stands where it is
    in the first frame that shows it.

    Args:
        scene: whose surfaces.
        output: the folder to make: ``scene.glb``, ``bake.json`` and one ``.npy`` per texture; whole at the end, or absent.
        options: how fine the textures are, and what noise they hold.
        progress: called as the work goes on.

    Returns:
        What was written.

    Raises:
        BadValueError: a texture would be too large.
        EmptySceneError: there is no surface.
        OutputExistsError: the output exists and is not to be overwritten.
        UnwritableOutputError: the disk is full or the place cannot be written.
    """
    options = BakeOptions() if options is None else options
    check_output(Path(output), overwrite=options.overwrite)
    triangles = triangles_of(scene)
    if not len(triangles.faces):
        raise EmptySceneError(scene.source, lacks="surface that could carry noise", fix="give it a mesh")
    charts = charts_of(scene, triangles)
    jobs = _jobs(scene, triangles, charts, options)
    channels, seed = options.channels, options.seed
    record = Baked(str(scene.source), scene.sha256, seed, channels, tuple(job.texture for job in jobs))
    pieces = []
    with new_folder(output, overwrite=options.overwrite) as work:
        for done, job in enumerate(jobs):
            if progress is not None:
                progress("baking", done, len(jobs))
            _write_texture(work / job.texture.file, job.texture, channels, seed)
            if job.part is not None:
                pieces.append(_piece(scene, triangles, charts, job.part, job.texture, channels, seed))
        write_glb(work / GLB, pieces)
        write_bake_record(work / RECORD, record)
        if progress is not None:
            progress("baking", len(jobs), len(jobs))
    return record


def _jobs(scene: Scene, triangles: Triangles, charts: Charts, options: BakeOptions) -> list[_Job]:
    """What to bake: every part that has faces, then the background."""
    parts = np.unique(triangles.face_part).tolist()
    owners = [scene.parts[part].instance for part in parts]
    taken: set[str] = set()
    jobs = []

    def add(part: int | None, name: str, instance: str, class_name: str, used: slice) -> None:
        side = float(charts.side_m[used.start])
        texture = BakedTexture(
            file=f"{name}.npy",
            node=None if part is None else name,
            instance=instance,
            class_name=class_name,
            level=_level(instance, side, options),
            side_m=side,
            keys=tuple(f"{int(key):#018x}" for key in charts.key[used]),
        )
        jobs.append(_Job(texture, part))

    for place, (part, owner) in enumerate(zip(parts, owners, strict=True)):
        instance = scene.instances[owner]
        one_of_many = f".{owners[:place].count(owner)}" if owners.count(owner) > 1 else ""
        chart = SKY_CHARTS + part
        name = _unique(_plain(instance.name) + one_of_many, taken)
        add(part, name, instance.name, instance.class_name, slice(chart, chart + 1))
    if options.background:
        add(None, _unique(BACKGROUND, taken), BACKGROUND, BACKGROUND, slice(0, SKY_CHARTS))
    return jobs


def _level(what: str, side_m: float, options: BakeOptions) -> int:
    """The level of one texture, refused where it would be finer than can be baked."""
    if options.texels_per_metre is None:
        return DEFAULT_LEVEL if options.level is None else options.level
    chosen = level_for(side_m, options.texels_per_metre)
    if chosen > FINEST_BAKED:
        most = 2**FINEST_BAKED / side_m
        raise BadValueError(
            "the texels per metre",
            f"{options.texels_per_metre:g}",
            right=f"at most {most:g} for {what}, whose chart is {side_m:g} m wide",
        )
    return chosen


def _plain(name: str) -> str:
    """A name that any file system takes."""
    return re.sub(r"[^\w+-]+", "_", name).strip("_") or "instance"


def _unique(name: str, taken: set[str]) -> str:
    """The name, or the name with a number where it is taken; upper and lower case are one name to some file systems."""
    count, found = 1, name
    while found.lower() in taken:
        count += 1
        found = f"{name}-{count}"
    taken.add(found.lower())
    return found


def _write_texture(path: Path, texture: BakedTexture, channels: int, seed: int) -> None:
    """Stream a texture to a ``.npy`` file, band by band."""
    side = 2**texture.level
    shape = (side, side, channels) if texture.node is not None else (len(texture.keys), side, side, channels)
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        for key in texture.keys:
            for band in texture_bands(int(key, 16), level=texture.level, channels=channels, seed=seed):
                file.write(np.ascontiguousarray(band, "<f4").data)


def _piece(
    scene: Scene, triangles: Triangles, charts: Charts, part: int, texture: BakedTexture, channels: int, seed: int
) -> Piece:
    """A part of the scene, where it first stands, with its chart coordinates as UVs and a picture of its noise."""
    carried = scene.parts[part]
    mesh = scene.meshes[carried.mesh]
    frame = int(np.argmax(scene.visible[:, carried.instance]))
    faces = triangles.face_part == part
    level = min(texture.level, PREVIEW_LEVEL)
    preview = baked_texture(int(texture.keys[0], 16), level=level, channels=min(channels, 3), seed=seed)
    return Piece(
        name=texture.file.removesuffix(".npy"),
        vertices=mesh.vertices if mesh.deformed is None else mesh.deformed[frame],
        faces=mesh.faces,
        uv=charts.coordinates[faces],
        normals=triangles.normals[faces],
        texture=noise_picture(preview.transpose(2, 0, 1)),
        world_from_mesh=scene.world_from_instance[frame, carried.instance] @ carried.instance_from_mesh,
        extras={"noise": texture.file, "instance": texture.instance, "class": texture.class_name},
    )
