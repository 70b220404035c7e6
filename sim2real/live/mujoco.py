"""A MuJoCo simulation while it runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np

from ..errors import BadValueError
from ..optional import require
from ..scene import LoadOptions, Scene
from ..scene.load import completed
from ..scene.readers.mujoco.labels import labeling_of
from ..scene.readers.mujoco.model import Choices, scene_of_model
from ..scene.readers.mujoco.replay import pose_of
from ..scene.readers.mujoco.states import Recording
from ..scene.readers.mujoco.types import MjData, MjModel
from .live import Live, LiveOptions, Seen, State


class LiveMujoco:
    """Sees the states of a MuJoCo simulation, in order; close it, or use it in a ``with`` block.

    The pictures are those of ``sim2real render MODEL --states STATES --show none --as-live`` of the recorded states: skins,
    flexes and tendons, which deform, are not seen. The model is read at
    the first state, as ``scene.load`` reads it. Only joints and mocap bodies move what is seen; the data handed in is not
    changed.

    Args:
        model: a compiled model.
        options: what is wanted of every state.
        groups: geom groups to show; ``None``: those that look like pictures.
        light: a panorama's name or file; ``None``: the model's own light.
        source: what the model is called in errors.
    """

    def __init__(
        self,
        model: MjModel,
        options: LiveOptions | None = None,
        *,
        groups: tuple[int, ...] | None = None,
        light: str | None = None,
        source: Path | str = "model",
    ) -> None:
        self._model, self._options = model, LiveOptions() if options is None else options
        self._groups, self._light, self._source = groups, light, Path(source)
        self._own = require("mujoco", "mujoco").MjData(model)
        self._live: Live | None = None
        self._bodies: list[int] = []
        self._cameras: list[int] = []

    @property
    def live(self) -> Live:
        """What sees the states.

        Raises:
            BadValueError: there was none yet.
        """
        if self._live is None:
            raise BadValueError("the simulation", "not seen yet", right="seen once: call see(data) first")
        return self._live

    def see(self, data: MjData) -> dict[str, Seen]:
        """The views of the simulation's state, by camera.

        Args:
            data: its data; joint positions and mocap poses are read.

        Raises:
            BadValueError: the data is of another model, or not finite.
            Sim2RealError: at the first state, whatever ``scene.load`` finds wrong.
        """
        if data.qpos.shape != self._own.qpos.shape or data.mocap_pos.shape != self._own.mocap_pos.shape:
            raise BadValueError("the data's qpos", data.qpos.shape, right=f"{self._own.qpos.shape}, as the model has")
        if not (np.isfinite(data.qpos).all() and np.isfinite(data.mocap_pos).all()):
            raise BadValueError("the data's qpos", "not finite", right="finite", fix="the simulation has diverged: reset it")
        self._own.qpos[:], self._own.mocap_pos[:], self._own.mocap_quat[:] = data.qpos, data.mocap_pos, data.mocap_quat
        if self._live is None:
            self._begin()
        bodies, cameras, *_ = pose_of(self._model, self._own)
        names = {camera.name for camera in self.live.plan.cameras}
        moved = {camera.name: cameras[k] for k, camera in zip(self._cameras, self._scene.cameras, strict=False)}
        poses = {name: pose for name, pose in moved.items() if name in names}
        return self.live.see(State(bodies[self._bodies], poses))

    def _begin(self) -> None:
        size = self._options.size
        mocap = np.concatenate([self._own.mocap_pos, self._own.mocap_quat], axis=1)[None]
        first = Recording(self._own.qpos[None].copy(), mocap if self._model.nmocap else None)
        options = LoadOptions(size=size, light=self._light)
        read = scene_of_model(self._model, self._source, first, options.reading, Choices(self._groups, ("none",)))
        self._bodies = list(labeling_of(self._model, self._groups, self._source).bodies)
        self._cameras = list(range(self._model.ncam))
        self._scene: Scene = completed(read, options)
        self._live = Live(self._scene, replace(self._options, size=size))

    def close(self) -> None:
        """End the threads."""
        if self._live is not None:
            self._live.close()

    def __enter__(self) -> LiveMujoco:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
