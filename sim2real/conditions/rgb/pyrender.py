"""Pictures by pyrender (OpenGL), the renderer of many robotics projects: a second look at a scene (optional extra ``gl``)."""

from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from ...camera.view import Camera
from ...raster import Rasterizer
from ...scene import Scene, Triangles
from ...scene.records import Material
from ..light.tracer import backdrop_of, sky_of
from ..samples import Layers
from .corners import PartCorners
from .deferred.lamp_cameras import seen_points, spread_frames
from .developed import developed
from .directions import pixel_directions
from .gl import canvas
from .pinholes import gathered
from .protocol import MadeBy
from .pyrender_lamps import LampNodes, shining
from .pyrender_maps import maps_of

_OPENGL_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])
_GAMMA = 2.2
"""Of pyrender's pictures."""
_WHITE = 0.9
"""How bright a white surface in the sun is drawn, 1 being the most that 8 bits hold."""
_GLARING = 4.0
"""Radiance that is white on the screen, however bright it is."""
_EXPOSURE = 0.65
"""Our own renderer's: the curve to the screen is the same."""
_FINER = 3
"""Pixels drawn across one of the picture, where OpenGL does not smooth edges, and of lenses."""
_MARGIN = 0.15
"""How far from what is seen, in its own size, things cast shadows."""
_FAR_M = 2e3
"""Depth of orthographic views."""


class PyrenderPictures:
    """Draws a scene with pyrender; ``frame`` may be called from several threads at once, which wait for each other.

    - A sun with a shadow map, constant light from the sky; or the scene's lamps, four of each kind, points without shadows.
    - Metallic-roughness materials with their textures (``pyrender_maps``); what glows.
    - Exposure and tone curve are our own renderer's, so that both look alike.
    - The alpha of textures is not looked at; parts with base alpha below 1 are blended, the farthest first.

    Args:
        scene: the rollout, with all cameras of the clip.
        triangles: of the scene.
        rasterizer: of these triangles; says where shadows have to be sharp.

    Raises:
        MissingPackageError: pyrender2 is not installed.
        BadValueError: there is no OpenGL that draws without a screen.
    """

    def __init__(self, scene: Scene, triangles: Triangles, rasterizer: Rasterizer) -> None:
        self._canvas = canvas()
        self.made_by: MadeBy | None = MadeBy("pyrender", importlib.metadata.version("pyrender2"))
        self._scene, self._corners = scene, PartCorners(scene, triangles)
        self._backdrop = backdrop_of(scene, sky_of(scene.lighting))
        lighting = scene.lighting
        ambient = (np.asarray(lighting.sky) + np.asarray(lighting.ground)) / 2
        above, below = lighting.backdrop or (lighting.sky, lighting.ground)
        self._behind = (np.asarray(above) + np.asarray(below)) / 2
        lights = scene.lights
        if lights is not None:
            ambient, (above, below) = np.asarray(lights.ambient), lights.backdrop
            if lights.skybox is not None and lighting.backdrop is not None:
                above, below = lighting.backdrop
            shown = replace(lighting, sun=(0.0, 0.0, 0.0), sky=above, ground=below)
            self._backdrop = backdrop_of(replace(scene, environment=None), sky_of(shown))
            self._behind = (np.asarray(above) + np.asarray(below)) / 2
        glow = max((max(scene.meshes[part.mesh].material.emission) for part in scene.parts), default=0.0)
        points = seen_points(scene, rasterizer, spread_frames(scene))
        self._lamps = LampNodes(scene, self._canvas.pyrender, points, self._sun_lamp) if lights is not None else None
        strongest = lighting.sun if self._lamps is None else self._lamps.brightest()
        brightest = max(float((np.asarray(strongest) / np.pi + ambient).max()), *above, *below, min(glow, _GLARING))
        self._scale = _WHITE / max(brightest, 1e-6)
        self._materials: dict[int, Any] = {}
        self._meshes: dict[tuple[int, bool], Any] = {}
        self._nodes: dict[int, Any] = {}
        self._drawn = self._stage(ambient, points)

    def frame(self, camera: Camera, frame: int, layers: Layers | None = None) -> UInt8[np.ndarray, "height width 3"]:
        """The picture of a camera at a frame, sRGB; ``layers`` are not needed."""
        return self._canvas.do(lambda: self._frame(camera, frame))

    def ahead(self, frame: int) -> None:
        """Cameras share nothing that could be drawn ahead."""

    def _frame(self, camera: Camera, frame: int) -> UInt8[np.ndarray, "height width 3"]:
        self._set(frame)
        if self._lamps is not None:
            self._lamps.set(self._drawn, camera, frame, self._scale)
        if camera.lens.bent:
            drawn = gathered(camera, frame, lambda pinhole: self._picture(pinhole, frame, 1), finer=_FINER)
        else:
            drawn = self._picture(camera, frame, 1 if self._canvas.smooth else _FINER)
        light = drawn[..., :3] ** _GAMMA / self._scale
        behind = self._backdrop(pixel_directions(camera, frame))
        behind = developed(behind, _EXPOSURE).astype(np.float64) - developed(self._behind, _EXPOSURE)
        picture = developed(light, _EXPOSURE) + (1 - drawn[..., 3:]) * behind
        return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)

    def _picture(self, camera: Camera, frame: int, finer: int) -> Float[np.ndarray, "height width 4"]:
        """What OpenGL draws, 0 to 1, as its screen values are; alpha is what is covered."""
        height, width = camera.size
        fine = camera.resized((height * finer, width * finer))
        self._drawn.main_camera_node.camera = self._lens(fine, frame)
        self._drawn.set_pose(self._drawn.main_camera_node, camera.world_from_camera[frame] @ _OPENGL_FROM_OPENCV)
        spots = self._lamps is not None and self._lamps.spots
        picture = self._canvas.draw(self._drawn, fine.size, spots=spots).astype(np.float64) / 255
        return picture.reshape(height, finer, width, finer, 4).mean(axis=(1, 3))

    def _stage(self, ambient: np.ndarray, points: Float[np.ndarray, "points 3"]) -> Any:
        """The scene that pyrender draws, without parts: light and a camera."""
        pyrender, lighting = self._canvas.pyrender, self._scene.lighting
        low, high = np.quantile(points, [0.01, 0.99], axis=0) if len(points) else (-np.ones(3), np.ones(3))
        margin = _MARGIN * float((high - low).max()) + 1e-3

        class Framed(pyrender.Scene):
            """Its bounds, to which pyrender fits the shadow map, are those of what is seen."""

            bounds = np.stack([low - margin, high + margin])

        screen = np.clip(self._behind * self._scale, 0, 1) ** (1 / _GAMMA)
        stage = Framed(bg_color=[*screen, 0.0], ambient_light=ambient * self._scale)
        sun = np.asarray(lighting.sun, np.float64) * self._scale
        if self._lamps is None and sun.max() > 0 and np.linalg.norm(lighting.sun_direction) > 0:
            stage.add(self._sun_lamp(sun), pose=shining(np.asarray(lighting.sun_direction, np.float64)))
        stage.main_camera_node = stage.add(pyrender.PerspectiveCamera(1.0))
        return stage

    def _sun_lamp(self, irradiance: Float[np.ndarray, "3"]) -> Any:
        """A lamp whose shadow map holds the sphere about what is seen: pyrender's own has a fourth of the detail."""
        pyrender = self._canvas.pyrender

        class Sun(pyrender.DirectionalLight):
            """As far away as what is seen is wide."""

            def _get_shadow_camera(self, scene_scale: float) -> Any:
                half = 0.5 * scene_scale
                return pyrender.OrthographicCamera(half, half, znear=0.02 * half, zfar=11 * half)

        strongest = float(irradiance.max())
        return Sun(color=irradiance / strongest, intensity=strongest)

    def _set(self, frame: int) -> None:
        """Put every part where it is at a frame, and take away those that do not exist."""
        scene, stage, pyrender = self._scene, self._drawn, self._canvas.pyrender
        shown = scene.part_visible(frame)
        for index, part in enumerate(scene.parts):
            node = self._nodes.get(index)
            if node is not None and (self._corners.deforms(index) or not shown[index]):
                stage.remove_node(self._nodes.pop(index))
                node = None
            if not shown[index] or not len(scene.meshes[part.mesh].faces):
                continue
            if node is None:
                node = self._nodes[index] = pyrender.Node(name=f"part{index}", mesh=self._mesh(index, frame))
                stage.add_node(node)
            stage.set_pose(node, scene.world_from_instance[frame, part.instance] @ part.instance_from_mesh)

    def _mesh(self, part: int, frame: int) -> Any:
        """A part's mesh; one for all parts that have the same, where it does not deform."""
        pyrender, mesh = self._canvas.pyrender, self._scene.parts[part].mesh
        key = mesh, self._corners.mirrored(part)
        if key in self._meshes and not self._corners.deforms(part):
            return self._meshes[key]
        corners = self._corners.turned(part, frame)
        made_of = self._scene.meshes[mesh]
        primitive = pyrender.Primitive(
            positions=corners.positions.reshape(-1, 3),
            normals=corners.normals.reshape(-1, 3),
            texcoord_0=None if corners.uv is None else corners.uv.reshape(-1, 2),
            material=self._material(made_of.material, textured=corners.uv is not None, both_sides=not made_of.outside_only),
            mode=4,
        )
        self._meshes[key] = pyrender.Mesh([primitive])
        return self._meshes[key]

    def _material(self, material: Material, *, textured: bool, both_sides: bool) -> Any:
        pyrender, texture = self._canvas.pyrender, None
        if textured and material.texture is not None:
            if id(material.texture) not in self._materials:
                pixels = material.texture
                opaque = np.concatenate([pixels[..., :3], np.full_like(pixels[..., :1], 255)], axis=-1)
                self._materials[id(material.texture)] = pyrender.Texture(source=opaque, source_channels="RGBA")
            texture = self._materials[id(material.texture)]
        glow = np.asarray(material.emission, np.float64) * self._scale
        maps = maps_of(pyrender, material, self._scale) if textured and material.maps is not None else {}
        plain: dict[str, Any] = {
            "metallicFactor": float(material.metallic),
            "roughnessFactor": float(material.roughness),
            "emissiveFactor": np.sqrt(np.maximum(glow, 0)),  # pyrender multiplies with it twice
            "emissiveTexture": texture if glow.any() else None,
        }
        return pyrender.MetallicRoughnessMaterial(
            baseColorFactor=np.asarray(material.base_color, np.float64),
            baseColorTexture=texture,
            alphaMode="BLEND" if material.base_color[3] < 1 else "OPAQUE",
            doubleSided=both_sides,
            **(plain | maps),
        )

    def _lens(self, camera: Camera, frame: int) -> Any:
        """A camera of pyrender with our intrinsics: any principal point, pixels of any shape."""
        projection = _projection(camera, frame)

        class Exact(self._canvas.pyrender.Camera):
            """Known by its matrix alone."""

            def get_projection_matrix(self, width: int | None = None, height: int | None = None) -> np.ndarray:
                """The matrix."""
                return projection

        return Exact(znear=float(camera.near))


def _projection(camera: Camera, frame: int) -> Float[np.ndarray, "4 4"]:
    """OpenGL's clip space from OpenGL's camera axes (y up, looking along -z): the far plane is infinitely far."""
    (height, width), k, near = camera.size, camera.intrinsics[frame], float(camera.near)
    column = np.array([k[0, 0], k[0, 1], k[0, 2]]) * 2 / width  # of x, y, and z or 1
    row = np.array([0, k[1, 1], k[1, 2]]) * 2 / height
    out = np.zeros((4, 4))
    if camera.lens.parallel:
        out[0] = column[0], -column[1], 0, column[2] - 1
        out[1] = 0, row[1], 0, 1 - row[2]
        out[2] = 0, 0, -2 / (_FAR_M - near), -(_FAR_M + near) / (_FAR_M - near)
        out[3, 3] = 1
        return out
    out[0] = column[0], -column[1], 1 - column[2], 0
    out[1] = 0, row[1], row[2] - 1, 0
    out[2] = 0, 0, -1, -2 * near
    out[3, 2] = -1
    return out
