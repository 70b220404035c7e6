"""A gymnasium environment of MuJoCo whose observations are realistic pictures, so that a policy can be judged in them.

Needs the extra ``gym``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from ..diffusion import GenerateOptions
from ..errors import BadValueError, UnknownNameError
from .live import LiveOptions, Seen
from .mujoco import LiveMujoco

_KINDS = {"rgb": "rgb", "depth": "depth", "segmentation": "instances"}
OBSERVATIONS = (*_KINDS, "footage")
"""What may be observed."""


class LiveObservations(gymnasium.Wrapper):
    """Adds pictures of the state to what an environment observes.

    Observations become a dictionary: ``state`` is the environment's own; ``rgb`` and ``footage`` are uint8 (height, width, 3),
    ``depth`` metres as float32 (height, width), ``segmentation`` the instance of every pixel as uint16 (height, width), whose
    names ``instances`` has. With several cameras they are called ``CAMERA/rgb`` and so on.

    Every episode begins anew with the state after ``reset``: its pictures are those of a clip rendered ``as_live`` of the
    recorded states, bit for bit.

    Args:
        env: its unwrapped environment has ``model`` and ``data`` (gymnasium, gymnasium-robotics), or ``mujoco`` finds them.
        cameras: of the model; all by default.
        size: (height, width) of the pictures.
        observe: some of ``OBSERVATIONS``.
        footage: what the embedded model is asked for; ``None``: to keep the simulator's colors.
        seed: of the noise.
        mujoco: the compiled model and its data.
        live: further options of ``LiveMujoco``, such as ``groups`` and ``light``.

    Raises:
        UnknownNameError: something else is to be observed, or a camera does not exist.
        BadValueError: the environment is not one of MuJoCo.
    """

    def __init__(
        self,
        env: gymnasium.Env,
        *,
        cameras: Sequence[str] | None = None,
        size: tuple[int, int] = (240, 320),
        observe: Sequence[str] = ("rgb", "depth", "segmentation"),
        footage: GenerateOptions | None = None,
        seed: int = 0,
        mujoco: Callable[[gymnasium.Env], tuple[Any, Any]] | None = None,
        live: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(env)
        for name in observe:
            if name not in OBSERVATIONS:
                raise UnknownNameError(name, OBSERVATIONS, what="observation")
        self._mujoco, self._more, self._observe = mujoco or model_and_data, dict(live or {}), tuple(observe)
        kinds = [_KINDS[name] for name in self._observe if name in _KINDS]
        filmed = (footage or GenerateOptions()) if "footage" in self._observe else None
        self._options = LiveOptions(cameras=cameras, size=size, kinds=kinds, footage=filmed, seed=seed)
        model, _ = self._mujoco(env)
        names = list(cameras or [model.camera(k).name or f"camera_{k}" for k in range(model.ncam)] or ["orbit"])
        self._keys = {
            (camera, name): name if len(names) == 1 else f"{camera}/{name}" for camera in names for name in self._observe
        }
        shown = {key: _space(name, size) for (_, name), key in self._keys.items()}
        self.observation_space = spaces.Dict({"state": env.observation_space, **shown})
        self._live: LiveMujoco | None = None

    @property
    def instances(self) -> dict[int, str]:
        """Names by the values of ``segmentation``; 0 is the background. Known after ``reset``."""
        found = [] if self._live is None else self._live.live.plan.scene.instances
        return {number: instance.name for number, instance in enumerate(found, 1)}

    def reset(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin an episode, and pictures with it."""
        state, info = self.env.reset(**options)
        self._end()
        model, _ = self._mujoco(self.env)
        self._live = LiveMujoco(model, self._options, **self._more)
        return self._observed(state), info

    def step(self, action: Any) -> tuple[dict[str, Any], Any, bool, bool, dict[str, Any]]:
        """Step the environment, and look at it."""
        state, reward, terminated, truncated, info = self.env.step(action)
        return self._observed(state), reward, terminated, truncated, info

    def close(self) -> None:
        """End the pictures and the environment."""
        self._end()
        super().close()

    def _end(self) -> None:
        if self._live is not None:
            self._live.close()
        self._live = None

    def _observed(self, state: Any) -> dict[str, Any]:
        assert self._live is not None, "reset comes before step"
        _, data = self._mujoco(self.env)
        seen = self._live.see(data)
        if sorted(seen) != sorted({camera for camera, _ in self._keys}):
            names = {c.source_name or c.name: c.name for c in self._live.live.plan.cameras}
            seen = {source: seen[name] for source, name in names.items()}
        shown = {key: _picture(seen[camera], name) for (camera, name), key in self._keys.items()}
        return {"state": state, **shown}


def model_and_data(env: gymnasium.Env) -> tuple[Any, Any]:
    """MuJoCo's model and data of an environment of gymnasium, gymnasium-robotics or robosuite.

    Raises:
        BadValueError: it has none where these have theirs.
    """
    inner: Any = env.unwrapped
    for holder in (inner, getattr(inner, "robot_env", None), getattr(inner, "sim", None)):
        model, data = getattr(holder, "model", None), getattr(holder, "data", None)
        model, data = getattr(model, "_model", model), getattr(data, "_data", data)  # robosuite wraps them
        if hasattr(model, "nq") and hasattr(data, "qpos"):
            return model, data
    fix = "pass mujoco=lambda env: (model, data)"
    raise BadValueError("the environment", type(inner).__name__, right="one with MuJoCo's model and data", fix=fix)


def _space(name: str, size: tuple[int, int]) -> spaces.Box:
    if name == "depth":
        return spaces.Box(0, np.inf, size, np.float32)
    if name == "segmentation":
        return spaces.Box(0, 65535, size, np.uint16)
    return spaces.Box(0, 255, (*size, 3), np.uint8)


def _picture(seen: Seen, name: str) -> np.ndarray:
    picture = seen.footage if name == "footage" else seen.pictures[_KINDS[name]]
    assert picture is not None
    return picture
