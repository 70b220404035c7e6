"""Footage of a simulation while it runs: the embedded model, a frame at a time, each made of what came before it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from ..clip import Clip
from ..devices import one_torch_thread
from ..diffusion import GenerateOptions, check_options
from ..diffusion.family import ClipFacts
from ..errors import BadValueError
from ..render.clip import clip_record
from ..render.plan import Plan
from .rows import ROWS

Frame = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class _Held(Clip):
    """A clip whose pictures are in memory: those of the latest state (``latest["pictures"]``)."""

    latest: dict[str, Any] = field(default_factory=dict)

    def has(self, camera: str, kind: str) -> bool:
        """Whether the latest state has it."""
        return kind in self.latest.get("pictures", {})

    def picture(self, camera: str, kind: str, frame: int) -> Any:
        """The latest, whatever the frame."""
        return self.latest["pictures"][kind]


class LiveFootage:
    """Makes footage of states in order.

    Args:
        options: what the model is asked for. Footage is not filmed: a camera's shutter needs the state that comes next.

    Raises:
        BadValueError: a model that does not work frame by frame, camera effects, or baselines of noise.
        UnknownNameError: a model, look or material that does not exist.
        MissingFileError: the model is not there.
    """

    def __init__(self, options: GenerateOptions) -> None:
        self._family = check_options(options)
        if not self._family.streams:
            fix = "leave the model out, or make a clip of the recorded states and use sim2real generate"
            raise BadValueError("the model", self._family.name, right="one that works frame by frame: embedded", fix=fix)
        if options.camera_effects not in (None, "none"):
            fix = "leave them out: the shutter needs the state that comes next"
            raise BadValueError("the camera effects", options.camera_effects, right="none in the loop", fix=fix)
        if options.noise != "clip":
            raise BadValueError("the noise", options.noise, right="clip in the loop")
        self._options = options
        self.layout = self._family.layout
        unused = {"gloss"} if options.use == "keep" else set[str]()  # of what keeps its surfaces, and so its roughness
        self.needs = frozenset((*self._family.needs, *self._family.better_with)) - unused
        self._cameras: dict[str, tuple[dict[str, Any], Iterator[Frame]]] = {}

    def begin(self, plan: Plan) -> None:
        """Load the model, and begin a film per camera.

        Raises:
            UnknownNameError: the look or an exception names what the scene does not have.
        """
        self._family.check(self._options, ClipFacts(plan.scene.frames, plan.size, plan.scene.instances))
        record = clip_record(plan, None, {})
        model: Any = self._family.load(self._options)
        for camera in plan.cameras:
            latest = dict[str, Any]()
            clip = _Held(Path(), record, latest)
            inputs = model.inputs(clip, camera.name, _latest_noise(latest))
            conditions = _in_rows(inputs.conditions)
            film = model.stream(replace(inputs, conditions=conditions, frames=sys.maxsize))
            self._cameras[camera.name] = latest, film

    def frame(
        self,
        camera: str,
        number: int,
        pictures: Mapping[str, Any],
        noise: Float32[np.ndarray, "channels height width"] | None,
    ) -> Frame:
        """The footage of a camera's next state.

        Args:
            camera: its name.
            number: of the state.
            pictures: all that the model needs; what is looked at last may still be made.
            noise: of the state.
        """
        latest, film = self._cameras[camera]
        latest.update(pictures=pictures, noise=noise, number=number)
        return next(film)


def _latest_noise(latest: Mapping[str, Any]) -> Callable[[slice], np.ndarray]:
    def noise_of(frames: slice) -> np.ndarray:
        assert (frames.start, frames.stop) == (latest["number"], latest["number"] + 1), "one frame after the other"
        return latest["noise"][None]

    return noise_of


def _in_rows(conditions: Callable[[slice, np.ndarray], np.ndarray]) -> Callable[[slice, np.ndarray], np.ndarray]:
    """Conditions by the number of a state; poses are found in its row."""

    def of(frames: slice, noise: np.ndarray) -> np.ndarray:
        row = frames.start % ROWS
        with one_torch_thread():
            return conditions(slice(row, row + 1), noise)

    return of
