"""MuJoCo's own pictures of a model: what every pixel shows, how far it is, and its colors.

``MUJOCO_GL`` counts when mujoco is first imported, so pictures are drawn in a process that ``drawing_environment`` started.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int32, UInt8

from sim2real.errors import Sim2RealError
from sim2real.transforms import rigid

PACKAGES = "libegl1 libegl-mesa0 libgl1-mesa-dri libopengl0"
_TRIAL = "import mujoco; mujoco.Renderer(mujoco.MjModel.from_xml_string('<mujoco/>'), 8, 8).render()"


class NoOpenGLError(Sim2RealError):
    """MuJoCo can draw nothing on this machine."""

    def __init__(self, why: str) -> None:
        super().__init__(f"MuJoCo cannot draw here, install {PACKAGES} ({why})")


def drawing_environment() -> dict[str, str]:
    """The environment of a process in which MuJoCo draws: ``MUJOCO_GL`` as it is set, else EGL or OSMesa, which works first.

    Raises:
        NoOpenGLError: neither works.
    """
    errors = []
    for backend in [os.environ["MUJOCO_GL"]] if "MUJOCO_GL" in os.environ else ["egl", "osmesa"]:
        environment = {**os.environ, "MUJOCO_GL": backend, "PYOPENGL_PLATFORM": backend}
        done = subprocess.run([sys.executable, "-c", _TRIAL], env=environment, capture_output=True, text=True, timeout=240)
        if done.returncode == 0:
            return environment
        errors.append(f"{backend}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    raise NoOpenGLError("; ".join(errors))


@dataclass(frozen=True, eq=False)
class Aim:
    """A camera that the model does not have; OpenCV axes, pixels (of a parallel one, pixels per metre)."""

    world_from_camera: Float[np.ndarray, "4 4"]
    intrinsics: Float[np.ndarray, "3 3"]
    parallel: bool = False


class Painter:
    """MuJoCo's renderer of one model, without shadows and smoothed edges, everything opaque.

    What the model says of transparency is lost: MuJoCo's depth looks through what is transparent.
    """

    def __init__(self, model: Any, size: tuple[int, int], *, as_is: bool = False) -> None:
        """Open a renderer for pictures of (height, width); ``as_is``: with all that it draws by default."""
        import mujoco

        self._mujoco, self._model, self._size = mujoco, model, size
        if not as_is:
            model.vis.quality.offsamples = 0
            model.vis.quality.shadowsize = 0
            for colors in (model.mat_rgba, model.geom_rgba):
                colors[:, 3] = np.where(colors[:, 3] > 0, 1, 0)
        model.vis.global_.offwidth = max(model.vis.global_.offwidth, size[1])
        model.vis.global_.offheight = max(model.vis.global_.offheight, size[0])
        self._renderer = mujoco.Renderer(model, *size)

    def __enter__(self) -> Painter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._renderer.close()

    def look(self, data: Any, camera: int | str | Aim, near: float, options: Any) -> None:
        """Choose what is drawn.

        Args:
            data: the model's state.
            camera: number or name of the model's own, -1 for the view with which MuJoCo's viewer opens, or another.
            near: metres to the near plane.
            options: an ``MjvOption``.
        """
        self._model.vis.map.znear = near / self._model.stat.extent
        self._renderer.update_scene(data, -1 if isinstance(camera, Aim) else camera, options)
        if isinstance(camera, Aim):
            self._point(camera, near)

    def aim(self) -> Aim:
        """The camera of the last ``look``, as MuJoCo uses it."""
        height, width = self._size
        camera = self._renderer.scene.camera[0]
        eye = np.mean([one.pos for one in self._renderer.scene.camera], axis=0)  # a viewer's two are half a pupil apart
        forward, down = np.array(camera.forward, np.float64), -np.array(camera.up, np.float64)
        turn = np.stack([np.cross(down, forward), down, forward], axis=1)
        top, bottom = float(camera.frustum_top), float(camera.frustum_bottom)
        at = 1.0 if camera.orthographic else float(camera.frustum_near)
        focal = at * height / (top - bottom)
        k = np.array([[focal, 0, width / 2], [0, focal, height * top / (top - bottom)], [0, 0, 1]])
        return Aim(rigid(turn, eye), k, bool(camera.orthographic))

    def _point(self, aim: Aim, near: float) -> None:
        height, width = self._size
        k = aim.intrinsics
        for camera in self._renderer.scene.camera:
            camera.pos = aim.world_from_camera[:3, 3]
            camera.forward = aim.world_from_camera[:3, 2]
            camera.up = -aim.world_from_camera[:3, 1]
            camera.frustum_top = near * k[1, 2] / k[1, 1]
            camera.frustum_bottom = -near * (height - k[1, 2]) / k[1, 1]
            camera.frustum_width = near * width / k[0, 0] / 2
            camera.frustum_center = near * (width / 2 - k[0, 2]) / k[0, 0]

    def kinds(self) -> Int32[np.ndarray, "height width 2"]:
        """Per pixel the number and the ``mjtObj`` of what is seen, (-1, -1) where nothing is."""
        self._renderer.enable_segmentation_rendering()
        picture = self._renderer.render()
        self._renderer.disable_segmentation_rendering()
        return picture

    def geoms(self) -> Int32[np.ndarray, "height width"]:
        """Per pixel the number of the geom that is seen, -1 where none is."""
        picture = self.kinds()
        return np.where(picture[..., 1] == int(self._mujoco.mjtObj.mjOBJ_GEOM), picture[..., 0], -1)

    def depth(self) -> Float32[np.ndarray, "height width"]:
        """Metres along the camera's axis."""
        self._renderer.enable_depth_rendering()
        picture = self._renderer.render().copy()
        self._renderer.disable_depth_rendering()
        return picture

    def rgb(self) -> UInt8[np.ndarray, "height width 3"]:
        """Colors."""
        return self._renderer.render().copy()
