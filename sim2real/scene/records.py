"""The records that readers make and everything else consumes: materials, meshes, scenes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Int64, UInt8

from ..camera.view import Camera
from ..errors import BadValueError, UnknownNameError
from ..transforms import inverse_rigid
from .light.environment import Environment
from .light.lamps import NO_LAMPS, Lights
from .moving_vertices import Deformed


@dataclass(frozen=True, eq=False)
class Maps:
    """Textures of a material besides its base color, by which shaded renders know it better; each of its own size.

    - ``surface``: red occlusion, green roughness, blue metallic, linear; multiplied with ``roughness`` and ``metallic`` here,
      and ambient light with 1 + ``occlusion`` (red - 1).
    - ``normal``: tangent space, x to the right of the picture and y to its top, ``(n + 1) / 2``; x and y are multiplied with
      ``normal_scale``.
    - ``emission_texture``: sRGB, multiplied with ``emission`` here, linear.
    """

    surface: UInt8[np.ndarray, "surface_height surface_width 3"] | None = None
    occlusion: float = 1.0
    roughness: float = 1.0
    metallic: float = 1.0
    normal: UInt8[np.ndarray, "normal_height normal_width 3"] | None = None
    normal_scale: float = 1.0
    emission_texture: UInt8[np.ndarray, "emission_height emission_width 3"] | None = None
    emission: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Material:
    """A metallic-roughness (GGX) material.

    - ``base_color`` is linear RGB and alpha; it multiplies the texture.
    - ``texture`` is uint8 sRGB (height, width, 3 or 4), row 0 at the top, v = 1; uv repeat.
    - ``maps``: what varies over the surface besides base color; ``metallic``, ``roughness`` and ``emission`` are then means.
    - ``kind`` is one of ``MATERIAL_KINDS``; readers that cannot tell leave it ``unknown``.
    """

    base_color: tuple[float, float, float, float] = (0.8, 0.8, 0.8, 1.0)
    texture: UInt8[np.ndarray, "height width channels"] | None = None
    metallic: float = 0.0
    roughness: float = 0.6
    emission: tuple[float, float, float] = (0.0, 0.0, 0.0)
    kind: str = "unknown"
    maps: Maps | None = None

    @property
    def is_thin_glass(self) -> bool:
        """Whether a surface is a pane that bends no light: hardly any alpha, and no texture."""
        return self.texture is None and self.base_color[3] < 0.5


@dataclass(frozen=True)
class Mirror:
    """A plane of a mesh that mirrors: shaded renders add what is seen in it to the faces that lie in it.

    - ``share``: of the mirrored light that is added, whatever the angle.
    - ``point`` and ``normal``: of the plane, in the mesh's frame; it mirrors on the side to which the normal points.
    """

    share: float
    point: tuple[float, float, float] = (0.0, 0.0, 0.0)
    normal: tuple[float, float, float] = (0.0, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class CornerColors:
    """Colors of face corners, sRGB; over a face they run evenly in linear light. They multiply base color and texture.

    ``in_texture``: the mesh's texture holds the mean of each face already, for those who know no corner colors; beside these it
    does not count.
    """

    srgb: UInt8[np.ndarray, "faces 3 3"]
    in_texture: bool = False


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles with one material, in metres, in a frame of their own.

    - ``uv`` and ``normals`` belong to face corners (no shared indices): seams and creases need no duplicated vertices.
    - ``uv`` has v up; ``None`` where the asset has none.
    - ``normals`` are unit shading normals; ``None`` means: flat.
    - ``deformed`` has the vertices of every frame where the mesh deforms, as a table or made when asked for; faces and uv stay.
    - ``outside_only``: faces are seen from where they wind counter-clockwise, and from behind one sees through them.
    - ``colors``: of its corners; ``None``: it has the material's color everywhere.
    - ``mirror``: the plane in which faces mirror the scene, if they do.
    """

    name: str
    vertices: Float[np.ndarray, "vertices 3"]
    faces: Int[np.ndarray, "faces 3"]
    uv: Float[np.ndarray, "faces 3 2"] | None = None
    normals: Float[np.ndarray, "faces 3 3"] | None = None
    material: Material = field(default_factory=Material)
    deformed: Deformed | None = None
    outside_only: bool = False
    colors: CornerColors | None = None
    mirror: Mirror | None = None


@dataclass(frozen=True)
class Instance:
    """One labeled rigid thing; its id is its place in ``Scene.instances`` plus one (0 is the background).

    - ``fixed``: it cannot move, whatever the states; readers that cannot tell leave it out.
    """

    name: str
    class_name: str
    fixed: bool = False


@dataclass(frozen=True, eq=False)
class Part:
    """A mesh (index into ``Scene.meshes``) carried by an instance (index into ``Scene.instances``)."""

    mesh: int
    instance: int
    instance_from_mesh: Float[np.ndarray, "4 4"] = field(default_factory=lambda: np.eye(4))


@dataclass(frozen=True)
class Lighting:
    """A sun and a two-color sky.

    - ``sun_direction`` points from the scene to the sun, world axes.
    - ``sun`` is irradiance on a surface that faces it, ``sky`` and ``ground`` radiance from above and below, linear RGB.
    - ``up`` is the direction of the sky's zenith.
    - ``backdrop`` is what is seen above and below where nothing is, radiance that lights nothing; ``None``: sky and ground.
    """

    sun_direction: tuple[float, float, float] = (0.35, -0.45, 0.82)
    sun: tuple[float, float, float] = (2.6, 2.45, 2.25)
    sky: tuple[float, float, float] = (0.52, 0.6, 0.72)
    ground: tuple[float, float, float] = (0.28, 0.25, 0.22)
    up: tuple[float, float, float] = (0.0, 0.0, 1.0)
    backdrop: tuple[tuple[float, float, float], tuple[float, float, float]] | None = None


@dataclass(frozen=True, eq=False)
class ModelLight:
    """What a model is lit by; the fields are those of ``Scene``."""

    lighting: Lighting = Lighting()
    lights: Lights | None = None
    environment: Environment | None = None


@dataclass(frozen=True, eq=False)
class Scene:
    """A rollout in the one form that everything downstream understands.

    - ``world_from_instance[frame, i]`` places ``instances[i]``; ``visible[frame, i]`` says whether it exists then.
    - ``lighting`` is the plain light of shaded renders, or ``lights`` where the source has lamps of its own; ``environment``
      what light that is followed comes from, where it is not that sun and sky.
    - ``model_light``: what ``--light model`` takes where that is not the light that the scene has: the model's own is too poor
      to be the default, or a scene file has chosen another one.
    - ``notes`` are sentences for the user: what was chosen, what could not be read and why.
    """

    source: Path
    sha256: str
    meshes: tuple[Mesh, ...]
    parts: tuple[Part, ...]
    instances: tuple[Instance, ...]
    world_from_instance: Float[np.ndarray, "frames instances 4 4"]
    visible: Bool[np.ndarray, "frames instances"]
    cameras: tuple[Camera, ...]
    fps: float = 24.0
    lighting: Lighting = Lighting()
    lights: Lights | None = None
    environment: Environment | None = None
    model_light: ModelLight | None = None
    notes: tuple[str, ...] = ()

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.world_from_instance.shape[0]

    def camera(self, name: str) -> Camera:
        """The camera of that name, or which the source calls so; unknown names list the valid ones."""
        for camera in (*(c for c in self.cameras if c.name == name), *(c for c in self.cameras if c.source_name == name)):
            return camera
        raise UnknownNameError(name, [c.name for c in self.cameras], what="camera", where=self.source)

    def sliced(self, frames: slice) -> Scene:
        """The scene at some of its frames."""
        if len(range(self.frames)[frames]) == 0:
            raise BadValueError("the number of frames", 0, right=f"1 to {self.frames}", where=self.source)
        meshes = tuple(m if m.deformed is None else replace(m, deformed=m.deformed[frames]) for m in self.meshes)
        cameras = tuple(
            replace(c, intrinsics=c.intrinsics[frames], world_from_camera=c.world_from_camera[frames]) for c in self.cameras
        )
        return replace(
            self,
            meshes=meshes,
            cameras=cameras,
            **self.lights_changed(lambda lights: lights.sliced(frames)),
            world_from_instance=self.world_from_instance[frames],
            visible=self.visible[frames],
        )

    def lights_changed(self, change: Callable[[Lights], Lights]) -> dict[str, Any]:
        """The fields that hold lamps, after a change of each."""
        model = self.model_light
        if model is not None and model.lights is not None:
            model = replace(model, lights=change(model.lights))
        return {"lights": None if self.lights is None else change(self.lights), "model_light": model}

    def in_model_light(self) -> Scene:
        """The scene as its model is lit."""
        light = self.model_light
        if light is None:
            return self
        lit = replace(self, lighting=light.lighting, lights=light.lights, environment=light.environment, model_light=None)
        return lit.without_note_of_light()

    def without_note_of_light(self) -> Scene:
        """The scene where a light is chosen: it does not say which it would have without."""
        return replace(self, notes=tuple(note for note in self.notes if note != NO_LAMPS))

    def camera_from_part(self, camera: Camera, frame: int) -> Float[np.ndarray, "parts 4 4"]:
        """Where every part's mesh lies in a camera's frame."""
        camera_from_world = inverse_rigid(camera.world_from_camera[frame])
        return camera_from_world @ self.world_from_instance[frame, self._part_instance] @ self._instance_from_mesh

    def part_visible(self, frame: int) -> Bool[np.ndarray, "parts"]:
        """Which parts exist in a frame."""
        return self.visible[frame, self._part_instance]

    @functools.cached_property
    def _part_instance(self) -> Int64[np.ndarray, "parts"]:
        return np.array([part.instance for part in self.parts], np.int64)

    @functools.cached_property
    def _instance_from_mesh(self) -> Float[np.ndarray, "parts 4 4"]:
        return np.array([part.instance_from_mesh for part in self.parts]).reshape(-1, 4, 4)
