"""What is to be rendered, checked before any work is done."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from ..clip.record import check_names
from ..clip.within import FINE
from ..errors import BadValueError, EmptySceneError
from ..memory import memory_bytes
from ..noise.beta import Beta, beta_of_ids, one_beta
from ..noise.layout import NoiseLayout
from ..scene import Camera, Scene, check_cameras
from .options import RenderOptions

PIXEL_BYTES = 200
"""Of memory that a frame of conditions, labels and noise needs at least, per pixel."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A rendering job whose arguments have been checked.

    - ``cameras`` are at the picture size of the clip.
    - ``latent_frames`` are the frames whose noise is wanted, in the order of the latents.
    - ``draws``: how many draws of the noise there are beside the first.
    - ``beta`` is one number, or numbers by name where things differ; ``id_beta`` has one per instance id.
    - ``rgb``: who makes the pictures ``rgb``; ``rgb_samples``: paths per pixel, where they are followed.
    - ``fine``: how many times as wide and high the finer pictures are that are rendered beside these; 1: there are none.
    - ``as_live``: what all frames share is found from the first; ``quick``: light is followed from a quarter of the places.
    """

    scene: Scene
    cameras: tuple[Camera, ...]
    size: tuple[int, int]
    layout: NoiseLayout
    latent_frames: tuple[int, ...]
    seed: int
    beta: Beta
    id_beta: Float32[np.ndarray, "ids"]
    kinds: frozenset[str]
    device: str
    threads: int
    rgb: str = "ours"
    rgb_samples: int | None = None
    as_live: bool = False
    quick: bool = False
    draws: int = 0
    fine: int = 1


def planned(scene: Scene, options: RenderOptions) -> Plan:
    """Check the options of a rendering job against its scene.

    Raises:
        EmptySceneError: the scene has no camera.
        UnknownNameError: a camera, or a name in beta does not exist.
        BadValueError: a value is out of its range, or cameras differ in size.
        CameraInsideError: a chosen camera is inside a solid thing.
    """
    kinds, layout, beta = options.kinds, options.layout, options.beta
    chosen = _cameras(scene, options.cameras)
    size = _size(chosen, options.size, scene)
    _check_memory(size, options.fine)
    check_names([c.name for c in chosen])
    if options.fine > 1 and FINE in [c.name for c in chosen]:
        raise BadValueError("--fine", options.fine, right=f"left out: a camera is called {FINE}, as the folder would be")
    check_cameras(scene, tuple(chosen))
    if "noise" in kinds:
        layout.latent_size(size)
    id_beta = beta_of_ids(beta, scene.instances)
    if len(scene.instances) > 65535:
        raise BadValueError("the number of instances", len(scene.instances), right="at most 65535", where=scene.source)
    return Plan(
        scene=scene,
        cameras=tuple(c if c.size == size else c.resized(size) for c in chosen),
        size=size,
        layout=layout,
        latent_frames=tuple(layout.latent_frames(scene.frames)),
        seed=options.seed,
        beta=one_beta(beta, scene.instances),
        id_beta=id_beta,
        kinds=kinds,
        device=options.device,
        threads=options.threads or len(os.sched_getaffinity(0)),
        rgb=options.rgb,
        rgb_samples=options.rgb_samples,
        as_live=options.as_live,
        quick=options.quick,
        draws=options.draws,
        fine=options.fine,
    )


def _check_memory(size: tuple[int, int], fine: int = 1) -> None:
    """Refuse pictures of which not even one frame can be held, ``fine`` times as wide and high."""
    needed, here = size[0] * size[1] * fine**2 * PIXEL_BYTES, memory_bytes()
    if needed > here:
        finely = f" with --fine {fine}" if fine > 1 else ""
        received = f"{size[0]}x{size[1]}{finely}, of which a frame needs about {needed / 1e9:.0f} GB of memory"
        right = f"at most {here // PIXEL_BYTES / fine**2 / 1e6:.0f} million pixels here, which has {here / 1e9:.0f} GB"
        raise BadValueError("the picture size", received, right=right, fix="pass a smaller --size HxW")


def _cameras(scene: Scene, names: Sequence[str] | None) -> list[Camera]:
    if not scene.cameras:
        raise EmptySceneError(scene.source, lacks="camera", fix="add one to the scene, or pass --orbit")
    return [scene.camera(name) for name in dict.fromkeys(names)] if names else list(scene.cameras)


def _size(cameras: list[Camera], size: tuple[int, int] | None, scene: Scene) -> tuple[int, int]:
    """One picture size for the clip; resizing must keep the aspect of every camera."""
    if size is None:
        sizes = {c.size: c.name for c in cameras}
        if len(sizes) > 1:
            received = ", ".join(f"{h}x{w} ({name})" for (h, w), name in sizes.items())
            raise BadValueError(
                "the cameras' picture size", received, right="one size", fix="pass --size HxW", where=scene.source
            )
        return cameras[0].size
    return (int(size[0]), int(size[1]))
