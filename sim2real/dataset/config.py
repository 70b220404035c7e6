"""What a dataset's CONFIG may say: YAML, checked whole before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from ..scene.readers.registry import own_options_of
from ..scene.readers.scene_file.yaml import Entry, error, read_yaml
from .footage import Generate as Generate
from .footage import Strings, Use
from .gate import AT_LEAST, AT_MOST
from .video_source import check_asked, check_source
from .writers.registry import WRITERS

FOOTAGE_KNOBS = ("model", "use", "look", "camera_effects", "prompt")
"""What varies in footage only."""


def _listed(value: Any) -> Any:
    return value if isinstance(value, (list, tuple, dict)) or value is None else [value]


Pixels = tuple[Annotated[int, Field(ge=1, le=16384)], Annotated[int, Field(ge=1, le=16384)]]
Frames = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Share = Annotated[float, Field(ge=0, le=1)]
Clutter = Annotated[int, Field(ge=0, le=100)]
Rgb = Literal["ours", "pyrender", "mitsuba"]
"""``kinds.RGB_RENDERERS``, as pydantic takes them."""

_MAY_HAVE_ACTIONS = (".hdf5", ".h5", ".xml", ".mjcf", ".mjb", ".mjz", ".zip")
"""What recordings and models that are read with theirs end with."""


class Source(Entry):
    """Where clips come from.

    - ``scene``: a scene file, rollout or mesh, or a pattern of several (``demos/*.hdf5``), as seen from the config file.
    - ``demo``: demonstrations of a recording: a name, several, or ``*`` for all.
    - ``lerobot``: the folder of a LeRobot dataset whose episodes move the MuJoCo model ``scene``; ``episodes``: which, all by
      default; ``states_column``: the column that has the model's states, rows as in ``states``.
    - ``lerobot`` without ``scene``: the videos of its episodes are the clips, with noise that is warped as ``sim2real warp``
      does; see :mod:`.video_source`. ``masks``: files of instance masks, a pattern with ``{episode}``, ``{camera}`` and
      ``{frame}``; ``names``: of ids; ``estimator``, ``weights``, ``intrinsics``: as there.
    - ``task``: what the robot is told to do, where the recording does not say.
    - the rest: what ``sim2real render`` takes under the same name, with the options of the reader of ``scene``.
    """

    model_config = ConfigDict(extra="allow")

    scene: str | None = None
    demo: Strings | None = None
    task: str = ""
    cameras: Strings | None = None
    frames: Frames | None = None
    size: Pixels | None = None
    states: str | None = None
    orbit: bool = False
    stride: Annotated[int, Field(ge=1)] = 1
    fps: Annotated[float, Field(gt=0, le=1000)] | None = None
    intrinsics: tuple[float, float, float, float] | None = None
    asset_root: str | None = None
    groups: tuple[int, ...] | None = None
    light: str | None = None
    camera_file: str | None = None
    camera_track: str | None = None
    track_format: str | None = None
    track_scale: Annotated[float, Field(gt=0)] | None = None
    world_from_track: str | None = None
    track_fov: Annotated[float, Field(gt=0, lt=180)] | None = None
    lerobot: str | None = None
    episodes: tuple[Annotated[int, Field(ge=0)], ...] | None = None
    states_column: str = "observation.state"
    masks: str | None = None
    names: dict[Annotated[int, Field(ge=1, le=65535)], str] | None = None
    estimator: Literal["dis", "raft"] | None = None
    weights: str | None = None

    @classmethod
    def _more_keys(cls, data: Mapping[object, object]) -> Collection[str]:
        return own_options_of(Path(str(data.get("scene"))))

    @model_validator(mode="after")
    def _scene_or_videos(self) -> Source:
        check_source(self)
        return self

    @property
    def of_video(self) -> bool:
        """Whether there are videos alone, without any geometry."""
        return self.scene is None


class Span(Entry):
    """Numbers from ``min`` to ``max``, all equally likely."""

    min: float
    max: float

    @model_validator(mode="after")
    def _ordered(self) -> Span:
        if self.min > self.max:
            raise error(f"min is {self.min:g}, must be at most max, which is {self.max:g}")
        return self


class Jitter(Entry):
    """How far a camera may be from where the scene has it; drawn once per clip."""

    position_m: Annotated[float, Field(ge=0)] = 0.0
    rotation_deg: Annotated[float, Field(ge=0, le=90)] = 0.0


_LIST_OR_SPAN = Discriminator(lambda value: "span" if isinstance(value, (dict, Span)) else "list")
_Span = Annotated[Span, Tag("span")]
Seeds: TypeAlias = Annotated[Annotated[tuple[Seed, ...], BeforeValidator(_listed), Tag("list")] | _Span, _LIST_OR_SPAN]
Shares: TypeAlias = Annotated[Annotated[tuple[Share, ...], BeforeValidator(_listed), Tag("list")] | _Span, _LIST_OR_SPAN]
Clutters: TypeAlias = Annotated[Annotated[tuple[Clutter, ...], BeforeValidator(_listed), Tag("list")] | _Span, _LIST_OR_SPAN]
Words: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]


class Knobs(Entry):
    """Values that clips take turns at; with ``sample``, numbers may come from a span."""

    seed: Seeds | None = None
    use: Annotated[tuple[Use, ...], BeforeValidator(_listed)] | None = None
    look: Words | None = None
    camera_effects: Words | None = None
    model: Words | None = None
    prompt: Words | None = None
    light: Words | None = None
    sensor: Words | None = None
    rgb: Annotated[tuple[Rgb, ...], BeforeValidator(_listed)] | None = None
    beta: Shares | None = None
    materials: Shares | None = None
    clutter: Clutters | None = None
    camera_jitter: Annotated[tuple[Jitter, ...], BeforeValidator(_listed)] | None = None

    @property
    def given(self) -> Mapping[str, tuple[Any, ...] | Span]:
        """The knobs that are turned, in the order of this class."""
        values = {name: getattr(self, name) for name in Knobs.model_fields}
        return {name: value for name, value in values.items() if value is not None}


class Variations(Knobs):
    """What varies: every combination of a ``grid``, or ``sample`` clips of every rollout with values drawn from the knobs."""

    grid: Knobs | None = None
    sample: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Variations:
        if self.grid is not None and (self.sample is not None or self.given):
            raise error("is a grid and more, must be either {grid: {KNOB: [...]}} or {sample: N, KNOB: [...]}")
        if self.sample is None and self.given:
            raise error(f"has {', '.join(self.given)} alone, must be {{grid: {{KNOB: [...]}}}} or {{sample: N, KNOB: [...]}}")
        spans = [name for name, value in (self.grid.given if self.grid else {}).items() if isinstance(value, Span)]
        if spans:
            raise error(f"is a span, must be a list of values in a grid; spans go with sample: N ({', '.join(spans)})")
        return self

    @property
    def knobs(self) -> Mapping[str, tuple[Any, ...] | Span]:
        """The knobs that are turned."""
        return self.given if self.grid is None else self.grid.given


class DatasetConfig(Entry):
    """The whole of CONFIG; what it does not vary is the same for all clips.

    - ``only``: kinds of pictures to write, beside those that formats, footage and sensors need.
    - ``materials``, ``clutter``, ``camera_jitter``: see :mod:`.randomize`.
    - ``rgb``: who makes the pictures ``rgb``, as ``--rgb``; ``rgb_samples``: paths per pixel of ``mitsuba``.
    - ``gate``: least or greatest values by the name of a figure; see :mod:`.gate`.
    - ``limit_s``: seconds after which a clip is given up.
    """

    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    cameras: Strings | None = None
    frames: Frames | None = None
    size: Pixels | None = None
    seed: Seed = 0
    variations: Variations = Variations()
    generate: Generate | None = None
    only: Strings | None = None
    materials: Share = 0.0
    clutter: Clutter = 0
    camera_jitter: Jitter | None = None
    sensor: str | None = None
    rgb: Rgb | None = None
    rgb_samples: Annotated[int, Field(ge=1, le=1 << 20)] | None = None
    formats: Strings = ()
    gate: dict[str, float] = Field(default_factory=dict)
    limit_s: Annotated[float, Field(gt=0)] = 3600.0

    @field_validator("formats")
    @classmethod
    def _known_formats(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for name in formats:
            if name not in WRITERS:
                raise error(f"is {name!r}, must be among: {', '.join(WRITERS)}")
        return tuple(dict.fromkeys(formats))

    @field_validator("gate")
    @classmethod
    def _known_figures(cls, gate: dict[str, float]) -> dict[str, float]:
        valid = [*AT_LEAST, *AT_MOST]
        for name in gate:
            if name not in valid:
                raise error(f"has {name!r}, must be among: {', '.join(valid)}")
            if name in AT_LEAST and not -1 <= gate[name] <= 1:
                raise error(f"has {name}: {gate[name]:g}, must be at most 1: it is a share, or a correlation")
            if name in AT_MOST and not gate[name] >= 0:
                raise error(f"has {name}: {gate[name]:g}, must be at least 0")
        return gate

    @model_validator(mode="after")
    def _videos_have_no_geometry(self) -> DatasetConfig:
        for source in self.sources:
            if source.of_video:
                check_asked(self, source)
        return self

    @model_validator(mode="after")
    def _samples_are_of_paths(self) -> DatasetConfig:
        if self.rgb_samples is not None and "mitsuba" not in (self.rgb, *(self.variations.knobs.get("rgb") or ())):
            raise error("is given, must be left out, or rgb: mitsuba be given", key="rgb_samples")
        return self

    @model_validator(mode="after")
    def _recordings_have_actions(self) -> DatasetConfig:
        for source in self.sources if "robomimic" in self.formats else ():
            if source.lerobot is None and Path(str(source.scene)).suffix.lower() not in _MAY_HAVE_ACTIONS:
                raise error(f"has robomimic, which needs actions: {source.scene} has none, recordings do", key="formats")
        return self

    @model_validator(mode="after")
    def _looks_are_of_what_is_restyled(self) -> DatasetConfig:
        knobs = self.variations.knobs
        if self.generate is None or (self.generate.look is None and "look" not in knobs):
            return self
        uses, prompts = (self.generate.use, *knobs.get("use", ())), (self.generate.prompt, *knobs.get("prompt", ()))
        if "restyle" not in uses and "auto" not in prompts:
            right = "use: restyle, or prompt: auto of a model that reads text"
            raise error(f"has a look, which says what things become; it goes with {right}", key="generate")
        return self

    @model_validator(mode="after")
    def _footage_knobs_need_footage(self) -> DatasetConfig:
        loose = [knob for knob in FOOTAGE_KNOBS if knob in self.variations.knobs] if self.generate is None else []
        if loose:
            raise error(f"variations turn {', '.join(loose)}, which only footage has; add generate: {{}}")
        return self


def read_config(path: Path) -> DatasetConfig:
    """Read and check a dataset's configuration.

    Raises:
        MissingFileError: there is no such file.
        BadKeyError: it is no YAML, or an entry is unknown, missing or wrong; the line and what would be right are named.
    """
    return read_yaml(path, DatasetConfig, "configuration of a dataset")
