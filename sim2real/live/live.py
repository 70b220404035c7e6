"""A scene whose states come one after the other: pictures, labels, noise and footage of each, as soon as it is known."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from types import TracebackType
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from ..clip.images import as_stored
from ..devices import taking_turns
from ..diffusion import GenerateOptions
from ..errors import BadValueError
from ..noise.beta import Beta
from ..noise.layout import NoiseLayout
from ..render import RenderOptions
from ..render.frame import Frame, FrameRenderer
from ..render.plan import planned
from ..scene import Scene
from .footage import LiveFootage
from .jobs import Job
from .rows import State as State
from .rows import put, with_rows

_LIGHT = ("light", "reflection", "gloss")
_TOGETHER = (_LIGHT, ("rgb", "albedo", "material"), ("coverage",), ("noise",))
"""Kinds that share their work; all others share theirs, and are computed first. The noise is what footage begins with."""


@dataclass(frozen=True)
class LiveOptions:
    """What is wanted of every state.

    - ``cameras``: names of the scene's cameras; all by default.
    - ``size``: picture (height, width) in pixels; the cameras' own by default.
    - ``kinds``: kinds of pictures (``sim2real.kinds``), ``noise`` among them; ``flow`` looks ahead and cannot be had.
    - ``footage``: what the embedded model is asked for; ``None``: no footage. If it is ``quick``, so is light: the pictures are
      those of ``render --as-live --quick``.
    - ``seed``, ``beta``, ``layout``, ``device``: of the noise, as in ``RenderOptions``.
    - ``threads``: that work on one state, the one that asks among them; one per core by default.

    Raises:
        BadValueError: flow, or noise for another model than the one that makes the footage.
    """

    cameras: Sequence[str] | None = None
    size: tuple[int, int] | None = None
    kinds: Collection[str] = ("rgb", "depth", "instances")
    footage: GenerateOptions | None = None
    seed: int = 0
    beta: Beta = 1.0
    layout: NoiseLayout = field(default_factory=lambda: NoiseLayout(factor=1, channels=3))
    device: str = "cpu"
    threads: int | None = None

    def __post_init__(self) -> None:
        if "flow" in self.kinds:
            raise BadValueError("the kinds of pictures", "with flow", right="without it: it leads to a state that is not known")


@dataclass(frozen=True, eq=False)
class Seen:
    """One camera's view of one state.

    - ``pictures``: by kind, as ``Clip.picture`` reads them.
    - ``noise``: unit variance; ``None`` where it was not asked for.
    - ``footage``: ``None`` where it was not asked for.
    """

    pictures: Mapping[str, Any]
    noise: Float32[np.ndarray, "channels latent_height latent_width"] | None = None
    footage: UInt8[np.ndarray, "height width 3"] | None = None


class Live:
    """Sees the states of a scene, in order; close it, or use it in a ``with`` block.

    The pictures are those of a clip rendered ``as_live`` of the same states: bit for bit, whatever comes later. Memory does not
    grow. What all states share (exposure, where shadows fall sharply) is found in the scene's first frame.

    Args:
        scene: its first frame is the first state.
        options: what is wanted.

    Raises:
        UnknownNameError: a camera, kind, or name in ``beta`` or the look does not exist.
        BadValueError: values that do not fit each other, meshes that deform, or camera effects for footage.
        MissingFileError: the model of the footage is not there.
    """

    def __init__(self, scene: Scene, options: LiveOptions | None = None) -> None:
        self.options = options = LiveOptions() if options is None else options
        if any(mesh.deformed is not None for mesh in scene.meshes):
            names = ", ".join(mesh.name for mesh in scene.meshes if mesh.deformed is not None)
            raise BadValueError("the scene", f"with meshes that deform ({names})", right="of rigid things", where=scene.source)
        footage = None if options.footage is None else LiveFootage(options.footage)
        wanted = frozenset(options.kinds) | (footage.needs if footage else frozenset())
        asked = RenderOptions(
            cameras=options.cameras,
            size=options.size,
            layout=footage.layout if footage else options.layout,
            seed=options.seed,
            beta=options.beta,
            device=options.device,
            only=wanted,
            threads=options.threads or len(os.sched_getaffinity(0)),
            as_live=True,
            quick=options.footage is not None and options.footage.quick,
        )
        plan = planned(with_rows(scene), asked)
        cameras = tuple(replace(c, world_from_camera=c.world_from_camera.copy()) for c in plan.cameras)
        self.plan = replace(plan, cameras=cameras)
        self._renderer = FrameRenderer(self.plan)
        self._groups = _groups(wanted)
        self._number = 0
        self._pool = ThreadPoolExecutor(plan.threads - 1, "live") if plan.threads > 1 else None
        self._footage = footage
        if footage is not None:
            footage.begin(self.plan)

    def see(self, state: State) -> dict[str, Seen]:
        """The views of the next state, by camera.

        Raises:
            BadValueError: it does not fit the scene; the states before it are as they were.
            UnknownNameError: it moves a camera that is not looked through.
        """
        with taking_turns():
            return self._see(state)

    def _see(self, state: State) -> dict[str, Seen]:
        row, number = put(self.plan.scene, self.plan.cameras, self._number, state), self._number
        self._number += 1
        shared = Job(partial(self._renderer.ahead, row))
        views = {
            camera.name: {g: Job(partial(self._renderer.render, camera, row, number, g)) for g in self._groups}
            for camera in self.plan.cameras
        }
        jobs = [job for view in views.values() for job in view.values()]
        if self._pool is not None:
            for job in jobs if self._footage else reversed(jobs):
                self._pool.submit(job.run)
        if self._footage is None:  # which waits for what it needs next
            for job in (shared, *jobs):
                job.run()
        return {name: self._seen(name, number, view, shared) for name, view in views.items()}

    def _seen(self, camera: str, number: int, jobs: Mapping[frozenset[str], Job[Frame]], shared: Job[None]) -> Seen:
        pictures = _Awaited(jobs)
        noise = next((job.result().noise for kinds, job in jobs.items() if "noise" in kinds), None)
        shared.result()
        footage = None if self._footage is None else self._footage.frame(camera, number, pictures, noise)
        shown = {kind: pictures[kind] for kind in pictures if kind in self.options.kinds}
        return Seen(shown, noise if "noise" in self.options.kinds else None, footage)

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Live:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class _Awaited(Mapping[str, Any]):
    """The pictures of a view by kind, as they would be read from a clip's folder; each is waited for when it is looked at."""

    def __init__(self, jobs: Mapping[frozenset[str], Job[Frame]]) -> None:
        self._jobs = {kind: job for kinds, job in jobs.items() for kind in kinds if kind != "noise"}

    def __getitem__(self, kind: str) -> Any:
        return _as_read(kind, self._jobs[kind].result().pictures[kind])

    def __iter__(self) -> Iterator[str]:
        return iter(self._jobs)

    def __len__(self) -> int:
        return len(self._jobs)


def _groups(kinds: frozenset[str]) -> list[frozenset[str]]:
    """Kinds that are computed in one go; groups are computed beside each other."""
    groups = [kinds.intersection(together) for together in _TOGETHER]
    return [group for group in (kinds.difference(*_TOGETHER), *groups) if group]


def _as_read(kind: str, picture: Any) -> Any:
    """A picture as it would be read from a clip's folder."""
    return as_stored(picture).astype(np.float32) if kind in _LIGHT else picture
