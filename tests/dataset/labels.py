"""Clips with everything that writers of labels need, and odd ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from sim2real.clip import ClipRecord, VideoWriter, read_clip, write_record
from sim2real.clip.images import write_png
from sim2real.dataset.clips import DatasetClip
from sim2real.dataset.models import write_models
from sim2real.dataset.silhouettes import write_silhouettes
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import Instance, Part, Scene
from sim2real.scene.primitives import box
from tests.dataset.conftest import SEEDS, scene_of
from tests.render.conftest import moving_scene

ODD_CAMERA = 'left "eye" \u00e4'


def labeled(clips: Sequence[DatasetClip], folder: Path) -> list[DatasetClip]:
    """Copies of the tiny clips with silhouettes and models."""
    found = [copied(clip, folder) for clip in clips]
    for clip, seed in zip(found, SEEDS, strict=True):
        write_silhouettes(scene_of(seed), clip.clip.path)
        write_models(scene_of(seed), clip.clip.path)
    return found


def copied(clip: DatasetClip, folder: Path, change: Callable[[ClipRecord], ClipRecord] | None = None) -> DatasetClip:
    """A copy of a clip in another folder, with another record if asked for."""
    target = folder / clip.clip_id
    shutil.copytree(clip.clip.path, target)
    if change is not None:
        write_record(target / "clip.json", change(clip.clip.record))
    return DatasetClip(clip.clip_id, read_clip(target), clip.row, clip.episode, clip.task)


def odd_scene() -> Scene:
    """Other size, frames and names than the tiny clips: a box without a class, and one that no camera ever sees."""
    scene = moving_scene(frames=3, size=(24, 40))
    far = np.tile(np.eye(4), (3, 1, 1, 1))
    far[:, 0, 2, 3] = -50
    still, lost = scene.camera("still"), len(scene.meshes)
    return replace(
        scene,
        meshes=(*scene.meshes, box((0.1, 0.2, 0.3))),
        parts=(*scene.parts, Part(lost, lost)),
        instances=(scene.instances[0], Instance("the <box>", ""), scene.instances[2], Instance("lost", "toy")),
        world_from_instance=np.concatenate([scene.world_from_instance, far], axis=1),
        visible=np.ones((3, 4), bool),
        cameras=(replace(still, name=ODD_CAMERA),),
    )


def empty_scene() -> Scene:
    """One camera that looks at nothing."""
    scene = odd_scene()
    return replace(
        scene, meshes=(), parts=(), instances=(), world_from_instance=np.zeros((3, 0, 4, 4)), visible=np.ones((3, 0), bool)
    )


def rendered(scene: Scene, clip_id: str, folder: Path) -> DatasetClip:
    """A clip of a scene, labels included."""
    clip = render_clip(scene, folder / clip_id, RenderOptions(only={"rgb", "depth", "instances"}, threads=2))
    write_silhouettes(scene, clip.path)
    write_models(scene, clip.path)
    return DatasetClip(clip_id, clip)


def with_footage(clip: DatasetClip, camera: str, *, video: bool = False, shift: int = 7) -> list[np.ndarray]:
    """Give a camera footage, lossless or as a video only; returns its pictures."""
    folder = clip.clip.folder(camera) / "generated" / "model-0"
    (folder / "frames").mkdir(parents=True)
    pictures = [np.roll(clip.clip.rgb(camera, frame), shift, axis=1) for frame in range(clip.clip.frames)]
    if video:
        with VideoWriter(folder / "video.mp4", 12.0) as file:
            for picture in pictures:
                file.write(picture)
    else:
        for frame, picture in enumerate(pictures):
            write_png(folder / "frames" / f"{frame:06d}.png", picture)
    (folder / "settings.json").write_text("{}")
    return pictures


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by their paths."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def written(write: Callable[[Sequence[DatasetClip], Path], None], clips: Sequence[DatasetClip], folder: Path) -> Path:
    """A new folder with a dataset in it."""
    folder.mkdir(parents=True)
    write(clips, folder)
    return folder
