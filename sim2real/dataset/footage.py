"""What footage a dataset asks for: ``generate`` of a CONFIG, and the options of a model that it becomes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ..errors import Sim2RealError
from ..kinds import MOST_FINE
from ..scene.readers.scene_file.yaml import Entry, error

_RENDERED = "rgb"
_FILES = ("first_frame", "reference", "lora")
"""Options that name files."""
NAMING = ("model", *_FILES)
"""Options that name files or folders."""
_OF_LARGE = {
    **{name: name for name in ("negative_prompt", "guidance", "scheduler", "timesteps", "eta")},
    **{name: name for name in ("strength", "first_frame", "dtype", "offload")},
    **{name: name for name in ("device_map", "vae_tiling", "attention_slicing", "compile", "window", "overlap", "seams")},
    **{"control": "controls", "reference": "references", "lora": "loras"},
}
"""Options of large models, by the names of their fields in ``LargeModelOptions``."""

Use = Literal["keep", "restyle"]


def _strings(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _weights(value: Any) -> Any:
    """``depth`` and ``[depth, edges]`` mean weight 1 each."""
    names = _strings(value)
    return dict.fromkeys(names, 1.0) if isinstance(names, list) else value


Strings = Annotated[tuple[str, ...], BeforeValidator(_strings)]


class Generate(Entry):
    """What ``sim2real generate`` is asked for; options as there, with the same checks, but for those that need older footage.

    - ``fine``: how many times as wide and high the pictures are that the embedded model makes footage from (``--fine`` of
      ``sim2real render``); they are deleted when it is made.
    - ``control``: a kind, a list of kinds, or weights by kind: ``{depth: 0.6, edges: 0.4}``.
    - ``lora``: ``FILE`` or ``FILE:SCALE``, or a list; ``reference``: a picture, or a list; ``first_frame``: a picture, or
      ``rgb``. Paths start at the config file's folder.
    """

    model: str | None = None
    use: Use = "keep"
    look: str | None = None
    keep: Strings = ()
    fine: Annotated[int, Field(ge=1, le=MOST_FINE)] = 1
    wear: Annotated[float, Field(ge=0, le=3)] = 1.0
    camera_effects: str | None = None
    prompt: str | None = None
    steps: Annotated[int, Field(ge=1, le=1000)] | None = None
    negative_prompt: str | None = None
    control: Annotated[dict[str, float], BeforeValidator(_weights)] = Field(default_factory=dict)
    guidance: float | None = None
    scheduler: str | None = None
    timesteps: tuple[float, ...] = ()
    eta: float | None = None
    first_frame: str | None = None
    reference: Strings = ()
    strength: float | None = None
    lora: Strings = ()
    window: int | None = None
    overlap: int | None = None
    seams: Literal["matched", "blended", "continued"] = "matched"
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    offload: Literal["none", "model", "sequential"] = "none"
    device_map: str | None = None
    vae_tiling: bool = False
    attention_slicing: bool = False
    compile: bool = False
    canvas: tuple[int, int] | None = None

    @model_validator(mode="after")
    def _as_the_command_checks(self) -> Generate:
        try:
            footage_options(self.asked(Path()))
        except Sim2RealError as wrong:
            raise error(str(wrong)) from None
        return self

    def asked(self, folder: Path) -> dict[str, Any]:
        """What differs from the usual, JSON types, as a row of a plan has it; paths start at ``folder``."""
        usual = {name: field.get_default(call_default_factory=True) for name, field in type(self).model_fields.items()}
        said = {name: value for name, value in self if name == "use" or value != usual[name]}
        for name in _FILES:
            if name in said and said[name] != _RENDERED:
                named = said[name]
                paths = [os.path.abspath(folder / path) for path in _strings(named)]
                said[name] = paths[0] if isinstance(named, str) else paths
        if self.model is not None:
            said["model"] = model_from(self.model, folder)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}


def model_from(model: str, folder: Path) -> str:
    """A model's name; its path, if it is a folder, which starts at ``folder``."""
    return os.path.abspath(folder / model) if (folder / model).is_dir() else model


def footage_options(asked: Mapping[str, Any], *, seed: int = 0, device: str = "cpu") -> Any:
    """The ``GenerateOptions`` of what a row asks for.

    Raises:
        BadValueError, UnknownNameError: as ``GenerateOptions`` and ``LargeModelOptions``.
    """
    from ..diffusion import GenerateOptions, LargeModelOptions

    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in asked.items()}
    given.pop("fine", None)
    large: dict[str, Any] = {field: given.pop(name) for name, field in _OF_LARGE.items() if name in given}
    if "loras" in large:
        large["loras"] = tuple(_lora(text) for text in large["loras"])
    if "references" in large:
        large["references"] = tuple(Path(path) for path in large["references"])
    if large.get("first_frame", _RENDERED) != _RENDERED:
        large["first_frame"] = Path(large["first_frame"])
    return GenerateOptions(seed=seed, device=device, large=LargeModelOptions(**large), **given)


def noise_asked(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a row's footage wants of the clip's noise: ``layout``, and how many further ``draws`` its sampler takes."""
    from ..diffusion.families import family_of

    family = family_of(asked.get("model"))
    return {"layout": family.layout, "draws": family.draws_needed(footage_options(asked)) if asked else 0}


def _lora(text: str) -> Any:
    """``FILE`` or ``FILE:SCALE``."""
    from ..diffusion import Lora

    path, colon, scale = text.rpartition(":")
    try:
        return Lora(Path(path), float(scale)) if colon else Lora(Path(text))
    except ValueError:
        return Lora(Path(text))


def check_footage(
    asked: Mapping[str, Any], frames: int | None, size: tuple[int, int] | None, cameras: int | None = None
) -> None:
    """Refuse what a model does not do, before anything is rendered, as far as it can be known without the scene.

    Args:
        asked: by a row.
        frames: of its clip; None where only the scene says it.
        size: (height, width), likewise.
        cameras: how many there are, likewise.

    Raises:
        Sim2RealError: whatever the model's family finds wrong, its sampler included; a canvas with fewer tiles than cameras.
    """
    from ..diffusion import ClipFacts, check_finer, check_options
    from ..diffusion.pipelines.canvas import canvas_size, require_tiles

    options = footage_options(asked)
    check_finer(options.model, asked.get("fine", 1))
    family = check_options(options)
    family.draws_needed(options)
    if options.canvas is not None and cameras is not None:
        require_tiles(options.canvas, cameras)
    if frames is not None and size is not None and not options.keep and options.use == "keep":  # names need the scene
        whole = size if options.canvas is None else canvas_size(size, *options.canvas)
        family.check_footage(options, ClipFacts(frames, whole))
