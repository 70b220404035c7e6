"""What a sensor is: records of its parameters, which are a YAML file's entries at the same time."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from ..camera_effects import CameraEffects
from ..scene.readers.scene_file.yaml import Entry, error
from .variation import Factor, Offset, varied

Seconds = Annotated[float, Field(ge=0, le=1)]
Pixels = Annotated[float, Field(ge=0, le=20)]
Metres = Annotated[float, Field(ge=0, le=1000)]
Share = Annotated[float, Field(ge=0, le=1)]
Gain = Annotated[float, Field(ge=0.25, le=4)]


class Shutter(Entry):
    """When light is gathered: row r of H for ``exposure_s`` about the frame's time plus ``readout_s ((r + 1/2) / H - 1/2)``.

    So labels, which are those of the frame's time, are true in the middle of every exposure, and at the middle row of a rolling
    shutter; elsewhere a picture is off by what moves in up to half of ``readout_s``.

    - ``exposure_s``: how long a row gathers light; no longer than a frame.
    - ``readout_s``: from the first row to the last; 0 is a global shutter.
    """

    exposure_s: Annotated[Seconds, Factor(1.6)] = 0.0
    readout_s: Annotated[Seconds, Factor(1.25)] = 0.0


class Metering(Entry):
    """Automatic exposure and white balance: how far they are off, and how they hunt.

    Once in every ``every_s``, at a time of its own, something puts the camera off; it swings back within ``settle_s``.

    - ``offset_stops``: constant error of exposure, in stops.
    - ``hunting_stops``: standard deviation of the disturbances of exposure.
    - ``step_stops``: exposure changes in steps of it; 0: without steps.
    - ``white_hunting``: standard deviation of the disturbances of the logarithm of red to blue.
    """

    offset_stops: Annotated[float, Field(ge=-4, le=4), Offset(0.25)] = 0.0
    hunting_stops: Annotated[float, Field(ge=0, le=3), Factor(1.6)] = 0.0
    step_stops: Annotated[float, Field(ge=0, le=1)] = 0.0
    white_hunting: Annotated[float, Field(ge=0, le=0.5), Factor(1.6)] = 0.0
    every_s: Annotated[float, Field(ge=0.05, le=600), Factor(1.5)] = 2.0
    settle_s: Annotated[float, Field(ge=0.01, le=20), Factor(1.5)] = 0.3


class Picture(Entry):
    """Lens, pixels and processor of the color camera: the parameters of ``camera_effects.CameraEffects``, by the same names.

    ``shot`` and ``read`` are those of linear light that is 1 at white: the variance is ``shot * light + read^2``.
    """

    aperture_mm: Annotated[float, Field(ge=0, le=100), Factor(1.25)] = 0.0
    focus: Annotated[float | None, Field(ge=0.02, le=1000), Factor(1.3)] = None
    blur_px: Annotated[Pixels, Factor(1.25)] = 0.0
    glare: Annotated[Share, Factor(1.5)] = 0.0
    fringe_px: Annotated[Pixels, Factor(1.5)] = 0.0
    vignetting: Annotated[float, Field(ge=0, le=0.9), Factor(1.3)] = 0.0
    gains: Annotated[tuple[Gain, Gain, Gain], Factor(1.06)] = (1.0, 1.0, 1.0)
    shot: Annotated[float, Field(ge=0, le=0.1), Factor(2.0)] = 0.0
    read: Annotated[float, Field(ge=0, le=0.3), Factor(1.5)] = 0.0
    grain_px: Annotated[Pixels, Factor(1.2)] = 0.0
    chroma: Annotated[float, Field(ge=0, le=4), Factor(1.3)] = 0.0
    chroma_px: Annotated[Pixels, Factor(1.2)] = 0.0
    contrast: Annotated[float, Field(ge=-1, le=1), Offset(0.08)] = 0.0
    saturation: Annotated[float, Field(ge=0, le=3), Factor(1.08)] = 1.0
    black: Annotated[float, Field(ge=0, le=0.4), Factor(1.3)] = 0.0
    white: Annotated[float, Field(ge=0.5, le=1)] = 1.0
    denoising: Annotated[Share, Factor(1.2)] = 0.0
    faint: Annotated[float, Field(ge=0.001, le=1)] = 0.02
    sharpening: Annotated[float, Field(ge=0, le=4), Factor(1.3)] = 0.0
    sharpening_px: Annotated[float, Field(ge=0.1, le=20)] = 1.0

    @property
    def effects(self) -> CameraEffects:
        """The same for ``camera_effects``."""
        return CameraEffects(**self.model_dump())


class Compression(Entry):
    """By which codec pictures leave the camera; at most one.

    - ``jpeg_quality``: 1 to 95, every frame on its own.
    - ``h264_crf``: x264's constant rate factor, 0 to 51, in closed groups of ``group`` frames that each begin with a whole one.
    """

    jpeg_quality: Annotated[int | None, Field(ge=1, le=95), Offset(6.0)] = None
    h264_crf: Annotated[int | None, Field(ge=0, le=51), Offset(3.0)] = None
    group: Annotated[int, Field(ge=1, le=600)] = 12

    @model_validator(mode="after")
    def _one_codec(self) -> Compression:
        if self.jpeg_quality is not None and self.h264_crf is not None:
            raise error("has jpeg_quality and h264_crf, must have one of them")
        return self


class RangeNoise(Entry):
    """The standard deviation of depth.

    ``(0.5 / reflectance)^dark (floor_m + per_m2 (z - from_m)^2 + grazing_m / sqrt(z) theta^2 / (pi/2 - theta)^2)`` at z metres,
    seen at theta from the surface's normal.

    Reference: Nguyen, Izadi and Lovell, Modeling Kinect sensor noise for improved 3D reconstruction and tracking, 3DIMPVT 2012.
    """

    floor_m: Annotated[float, Field(ge=0, le=1), Factor(1.5)] = 0.0
    per_m2: Annotated[float, Field(ge=0, le=1), Factor(1.5)] = 0.0
    from_m: Metres = 0.0
    grazing_m: Annotated[float, Field(ge=0, le=1), Factor(1.5)] = 0.0
    dark: Share = 0.0

    @property
    def nothing(self) -> bool:
        """Whether there is none."""
        return not (self.floor_m or self.per_m2 or self.grazing_m)


class Signal(Entry):
    """What has to come back for a pixel to be measured; without ``albedo`` and ``material`` pictures all is gray and matte.

    Of the light, a surface at z sends back ``reflectance cos(theta) / z^2``; metals lose what they mirror.

    - ``least``: below it a pixel is lost; 0: never.
    - ``spread``: how uneven that border is: standard deviation of the signal's logarithm.
    - ``dazzle_deg``: smooth surfaces seen this near to their normal throw the lamp back into the lens, and are lost.
    - ``steepest_deg``: what is seen at more than this from the normal is lost; None: nothing.
    """

    least: Annotated[float, Field(ge=0, le=1), Factor(1.6)] = 0.0
    spread: Annotated[float, Field(ge=0, le=3)] = 0.0
    dazzle_deg: Annotated[float, Field(ge=0, le=45), Factor(1.4)] = 0.0
    steepest_deg: Annotated[float | None, Field(ge=10, le=90), Offset(2.0)] = None


class Triangulation(Entry):
    """Structured light and stereo: depth is ``focal_px baseline_m / disparity``.

    - ``baseline_m``: from the camera to the projector or second camera, positive to the right. What that one does not see is
      lost: a shadow on the left of near things, ``f b (1 / near - 1 / far)`` pixels wide.
    - ``focal_px``: of the picture in which the sensor itself measures disparity.
    - ``step_px``: disparity is a whole multiple of it; 0: of any value.
    - ``band``: lost, too, is what falls beside the second camera's picture.

    Reference: Khoshelham and Oude Elberink, Accuracy and resolution of Kinect depth data, Sensors 2012 (steps grow with z^2);
    Grunnet-Jepsen, Sweetser and Woodfill, Tuning depth cameras for best performance, Intel 2018 (error by subpixel precision).
    """

    baseline_m: Annotated[float, Field(ge=-2, le=2), Factor(1.02)] = 0.0
    focal_px: Annotated[float, Field(ge=1, le=20000)] = 600.0
    step_px: Annotated[float, Field(ge=0, le=4)] = 0.0
    band: bool = False


class TimeOfFlight(Entry):
    """Time of flight: where a pixel sees an edge, light of both sides adds up to a depth in between, a flying pixel.

    - ``footprint_px``: standard deviation of what a pixel sees.
    - ``mixed_m``: standard deviation of depth within a pixel from which on it counts as mixed.
    - ``mixed_loss``: share of mixed pixels that the camera finds out and leaves empty.

    Reference: Foix, Alenya and Torras, Lock-in time-of-flight cameras: a survey, IEEE Sensors Journal 2011; Tolgyessy et al.,
    Evaluation of the Azure Kinect and its comparison to Kinect v1 and Kinect v2, Sensors 2021.
    """

    footprint_px: Annotated[Pixels, Factor(1.3)] = 0.0
    mixed_m: Metres = 0.03
    mixed_loss: Annotated[Share, Factor(1.3)] = 0.0


class DepthCamera(Entry):
    """A depth camera in the place of the color camera; what it cannot measure is 0. The defaults measure exactly.

    - ``min_m`` and ``max_m``: what is nearer or farther is lost; None: nothing is too far.
    - ``grain_px``: standard deviation of the blur of range noise and of lateral noise, whose strength stays.
    - ``lateral_px``: standard deviation of the place in the picture from which depth is taken.
    - ``unit_m``: depth is handed out in whole multiples of it; 0: as it is.

    Lengths in pixels, but for ``focal_px`` and ``step_px``, are those of a picture of 480 rows.

    Reference: Handa et al., A benchmark for RGB-D visual odometry, 3D reconstruction and SLAM, ICRA 2014; Barron and Malik,
    Intrinsic scene properties from a single RGB-D image, CVPR 2013 (lateral noise, then noise of disparity, then steps).
    """

    min_m: Metres = 0.0
    max_m: Annotated[float, Field(gt=0, le=1000)] | None = None
    noise: RangeNoise = RangeNoise()
    grain_px: Annotated[Pixels, Factor(1.3)] = 0.0
    lateral_px: Annotated[Pixels, Factor(1.4)] = 0.0
    signal: Signal = Signal()
    triangulation: Triangulation | None = None
    time_of_flight: TimeOfFlight | None = None
    unit_m: Annotated[float, Field(ge=0, le=0.1)] = 0.0

    @property
    def nothing(self) -> bool:
        """Whether it measures exactly."""
        return self == DepthCamera()

    @model_validator(mode="after")
    def _one_principle(self) -> DepthCamera:
        if self.triangulation is not None and self.time_of_flight is not None:
            raise error("has triangulation and time_of_flight, must have one of them")
        if self.max_m is not None and self.max_m <= self.min_m:
            raise error(f"has max_m {self.max_m:g}, must be above min_m {self.min_m:g}")
        return self


class Sensor(Entry):
    """A camera, with or without a depth camera; the defaults change nothing.

    ``depth`` is None for cameras that measure no depth.
    """

    name: str = "none"
    shutter: Shutter = Shutter()
    metering: Metering = Metering()
    picture: Picture = Picture()
    compression: Compression = Compression()
    depth: DepthCamera | None = DepthCamera()

    @property
    def plain(self) -> bool:
        """Whether pictures stay as they are, but for compression."""
        return self == Sensor(name=self.name, compression=self.compression, depth=self.depth)

    def varied(self, seed: int) -> Sensor:
        """Another specimen of this kind of sensor: every parameter within the range that its record states.

        Args:
            seed: the specimen; the same seed gives the same.
        """
        return varied(self, seed)
