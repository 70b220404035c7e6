"""Renders a scene to a clip folder: frames in a thread pool, files as they come, the folder whole or absent."""

from __future__ import annotations

import importlib.metadata
import platform
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from .. import __version__
from ..clip import (
    CameraRecord,
    Clip,
    ClipRecord,
    InstanceRecord,
    NoiseRecord,
    RgbRecord,
    SceneRecord,
    check_output,
    new_folder,
    read_clip,
    write_pages,
    write_record,
)
from ..clip.within import FINE
from ..conditions import DepthRange, estimate_depth_range
from ..conditions.rgb.protocol import MadeBy
from ..devices import frame_pool
from ..scene import Camera, Scene
from .frame import FrameRenderer
from .options import RenderOptions
from .plan import Plan, planned
from .writer import CameraWriter, Shots

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


def render_clip(scene: Scene, output: Path, options: RenderOptions | None = None, *, progress: Progress | None = None) -> Clip:
    """Render a scene to a clip folder.

    Every frame is independent of the others: rendered alone it has the same bits. Memory does not grow with the clip.

    Args:
        scene: what to render.
        output: the clip folder to make; it appears whole at the end, or not at all.
        options: which cameras and pictures, how large, and how the noise is made.
        progress: called as the work goes on.

    Returns:
        The clip.

    Raises:
        OutputExistsError: the output exists and is not to be overwritten.
        UnknownNameError: a camera, or a name in ``beta`` does not exist.
        BadValueError: the size does not fit the layout, or another value is out of its range.
        EmptySceneError: the scene has no camera.
        UnwritableOutputError: the disk is full or the place cannot be written.
    """
    options = RenderOptions() if options is None else options
    check_output(Path(output), overwrite=options.overwrite)
    plan = planned(scene, options)
    progress = progress or _silent
    with new_folder(output, overwrite=options.overwrite) as work:
        _render_into(work, plan, options.scene_options, progress)
        if plan.fine > 1:
            (work / FINE).mkdir()
            size = (plan.size[0] * plan.fine, plan.size[1] * plan.fine)
            finer = planned(scene, replace(options, size=size, fine=1))
            _render_into(work / FINE, finer, options.scene_options, _named(progress, FINE), videos=False)
        if options.pages:
            progress("contact sheet and report", 0, 1)
            clip = read_clip(work)
            write_pages(clip)
            progress("contact sheet and report", 1, 1)
    return read_clip(output)


def _render_into(
    folder: Path, plan: Plan, scene_options: Mapping[str, Any], progress: Progress, *, videos: bool = True
) -> None:
    """Render all cameras of a plan, and write the record."""
    progress("preparing the scene", 0, 1)
    renderer = FrameRenderer(plan)
    depth_range = None
    if "depth" in plan.kinds:
        depth_range = estimate_depth_range(plan.scene, renderer.stage.rasterizer, plan.cameras)
    progress("preparing the scene", 1, 1)
    for camera in plan.cameras:
        with CameraWriter(folder / camera.name, plan, depth_range, videos=videos) as writer:
            _stream(renderer, writer, camera, progress)
    write_record(folder / "clip.json", clip_record(plan, depth_range, scene_options, renderer.rgb_made_by))


def _named(progress: Progress, name: str) -> Progress:
    """Progress whose stages have a name, as they would be those of the clip otherwise."""
    return lambda what, done, total: progress(f"{what}, {name}", done, total)


def _stream(renderer: FrameRenderer, writer: CameraWriter, camera: Camera, progress: Progress) -> None:
    """Render all frames of a camera, a few at a time; the calling thread encodes videos meanwhile."""
    plan = renderer.plan
    frames = plan.scene.frames

    def work(frame: int) -> Shots:
        return writer.save(frame, renderer.render(camera, frame))

    what = f"rendering {camera.name}"
    progress(what, 0, frames)
    with frame_pool(plan.threads) as pool:
        waiting: deque[Future[Shots]] = deque()
        submitted = 0
        for done in range(frames):
            while submitted < min(frames, done + 2 * plan.threads):
                waiting.append(pool.submit(work, submitted))
                submitted += 1
            writer.show(waiting.popleft().result())
            progress(what, done + 1, frames)


def clip_record(
    plan: Plan, depth_range: DepthRange | None, scene_options: Mapping[str, Any], rgb: MadeBy | None = None
) -> ClipRecord:
    """What ``clip.json`` says of a plan that is rendered.

    Args:
        plan: the job.
        depth_range: that of the videos of depth.
        scene_options: how the scene was read.
        rgb: who made these pictures, if not our renderer.
    """
    scene = plan.scene
    noise = None
    if "noise" in plan.kinds:
        noise = NoiseRecord(
            factor=plan.layout.factor,
            channels=plan.layout.channels,
            beta=dict(plan.beta) if isinstance(plan.beta, Mapping) else plan.beta,
            latent_frames=list(plan.latent_frames),
            method="surface",
            temporal_factor=plan.layout.temporal_factor,
            draws=plan.draws,
        )
    alphas = [(part.instance, scene.meshes[part.mesh].material.base_color[3]) for part in scene.parts]
    clear = {place for place, _ in alphas} - {place for place, alpha in alphas if alpha >= 1}
    instances = [
        InstanceRecord(
            id=place + 1,
            name=instance.name,
            class_name=instance.class_name,
            world_from_instance=scene.world_from_instance[:, place],
            clear=place in clear,
        )
        for place, instance in enumerate(scene.instances)
    ]
    return ClipRecord(
        scene=SceneRecord(path=str(scene.source), sha256=scene.sha256, options=dict(scene_options)),
        seed=plan.seed,
        fps=scene.fps,
        frames=scene.frames,
        size=plan.size,
        cameras={camera.name: _camera_record(camera) for camera in plan.cameras},
        instances=instances,
        noise=noise,
        depth_range_m=None if depth_range is None else (depth_range.near, depth_range.far),
        rgb=None if rgb is None else RgbRecord(**asdict(rgb)),
        as_live=plan.as_live,
        quick=plan.quick,
        fine=plan.fine,
        versions=_versions(),
    )


def _camera_record(camera: Camera) -> CameraRecord:
    return CameraRecord(
        intrinsics=camera.intrinsics,
        world_from_camera=camera.world_from_camera,
        projection=camera.projection,
        distortion=camera.lens.distortion,
        source_name=camera.source_name,
    )


def _versions() -> dict[str, str]:
    packages = {name: importlib.metadata.version(name) for name in ("torch", "warp-lang", "numpy")}
    return {"sim2real": __version__, "python": platform.python_version(), **packages}


def _silent(what: str, done: int, total: int) -> None:
    """Report nothing."""
