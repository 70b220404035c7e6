"""Path-traced pictures of a clip: any camera, one exposure, the scene's own backdrop."""

from __future__ import annotations

import threading

import numpy as np
from jaxtyping import Float, Float32, UInt8

from ....camera.view import Camera
from ....camera_effects.develop import exposure_gains
from ....raster import Rasterizer
from ....scene import Scene, Triangles
from ....scene.light.sky import panorama
from ...light.tracer import backdrop_of, sky_of
from ...light.world import looked_up
from ...samples import Layers, Sampler
from ..deferred.lamp_cameras import spread_frames
from ..developed import developed
from ..directions import pixel_directions
from ..pinholes import gathered
from ..protocol import MadeBy
from .convert import is_square_pinhole
from .features import FeatureMaker
from .lamps import ambient_of, seen_where_nothing_is
from .oidn import library_at_hand
from .trace import PathTracer, mitsuba

SAMPLES = 64
"""Paths per pixel, unless told otherwise."""
_EXPOSURE = 0.8
"""What exposed light is multiplied with before the curve of our own renderer."""
_FINER = 3
"""Pixels drawn across the smallest one of a lens' picture; paths fall all over them."""
_METERED_ROWS, _METERED_SAMPLES = 48, 16
_DARKEST = 1 / 64
"""Least light, in that of an open sky, that exposure makes up for: a room without any stays dark."""
_DARKEST_OF_LAMPS = 1e-3
"""The same where a scene has lamps of its own."""


class PathTracedPictures:
    """Traces a scene with Mitsuba; ``frame`` may be called from several threads at once, which wait for each other.

    - Each picture takes all threads. Paths are drawn from (seed, frame) alone.
    - Every camera has one exposure and white balance, metered in a few frames of the clip.
    - Lenses, and pixels that are not square, which Mitsuba does not have, are put together (``pinholes``).

    Args:
        scene: the rollout, with all cameras of the clip; lit by its own lamps, its environment or, where
            it has neither, its plain light.
        triangles: of the scene.
        rasterizer: of these triangles, on the CPU.
        samples: paths per pixel.
        seed: of the paths.
        threads: number of threads; ``None`` is all cores.

    Raises:
        MissingPackageError: Mitsuba is not installed.
    """

    def __init__(
        self,
        scene: Scene,
        triangles: Triangles,
        rasterizer: Rasterizer,
        *,
        samples: int | None = None,
        seed: int = 0,
        threads: int | None = None,
    ) -> None:
        self._scene, self._samples = scene, SAMPLES if samples is None else samples
        around = ambient_of(scene.lights) if scene.lights is not None and not scene.lights.followed else scene.environment
        self._tracer = PathTracer(scene, environment=around, seed=seed, threads=threads)
        self._features = FeatureMaker(scene, triangles, rasterizer, Sampler(scene, triangles, rasterizer))
        denoiser = "own filter" if library_at_hand() is None else "Open Image Denoise"
        self.made_by: MadeBy | None = MadeBy("mitsuba", mitsuba().__version__, self._samples, denoiser)
        self._backdrop, self._darkest = None, _DARKEST * float(np.mean(scene.lighting.sky))
        if scene.environment is None and scene.lighting.backdrop is not None:
            self._backdrop = backdrop_of(scene, sky_of(scene.lighting))
            self._sky = panorama(scene.lighting, sun_radius_deg=3.0).astype(np.float32)
        if scene.lights is not None:
            around = around or ambient_of(scene.lights)
            self._backdrop = seen_where_nothing_is(scene, scene.lights)
            self._sky, self._darkest = np.asarray(around.panorama), _DARKEST_OF_LAMPS
        self._gains: dict[str, Float32[np.ndarray, "3"]] = {}
        self._lock = threading.Lock()

    def frame(self, camera: Camera, frame: int, layers: Layers | None = None) -> UInt8[np.ndarray, "height width 3"]:
        """The picture of a camera at a frame, sRGB; ``layers`` are not needed."""
        with self._lock:
            gains = self._gains_of(camera)
            light = self._light(camera, frame, self._samples)
            clean = self._tracer.cleaned(light, camera, frame, self._features)
        return developed(clean * gains, _EXPOSURE)

    def ahead(self, frame: int) -> None:
        """Cameras share nothing that could be traced ahead."""

    def _light(self, camera: Camera, frame: int, samples: int) -> Float32[np.ndarray, "height width 3"]:
        """What the paths bring, with the backdrop in place of the sky; not filtered."""
        if is_square_pinhole(camera, frame):
            light = self._traced(camera, frame, samples)
        else:
            each = -(-samples // _FINER**2)
            light = gathered(camera, frame, lambda pinhole: self._traced(pinhole, frame, each), finer=_FINER)
        if self._backdrop is not None:
            toward = pixel_directions(camera, frame)
            sky = looked_up(self._sky, self._scene.lighting.up, toward)
            light = np.maximum(light[..., :3] + light[..., 3:] * (self._backdrop(toward) - sky), 0)
        return light.astype(np.float32)

    def _traced(self, camera: Camera, frame: int, samples: int) -> Float[np.ndarray, "height width channels"]:
        """Radiance and, where there is a backdrop, the share of each pixel that no surface covers."""
        light = self._tracer.radiance(camera, frame, spp=samples)
        if self._backdrop is None:
            return light
        return np.concatenate([light, self._tracer.empty(camera, frame, spp=samples)[..., None]], axis=-1)

    def _gains_of(self, camera: Camera) -> Float32[np.ndarray, "3"]:
        """Exposure and white balance of a camera."""
        if camera.name not in self._gains:
            rows = min(_METERED_ROWS, camera.size[0])
            small = camera.resized((rows, max(1, round(rows * camera.size[1] / camera.size[0]))))
            frames = spread_frames(self._scene)
            light = np.stack([self._light(small, frame, _METERED_SAMPLES) for frame in frames])
            base = np.stack([self._features.of(small, frame).albedo for frame in frames])
            gains = exposure_gains(np.maximum(light, self._darkest), base)
            self._gains[camera.name] = gains
        return self._gains[camera.name]
