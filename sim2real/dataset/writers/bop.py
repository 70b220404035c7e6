"""BOP, in the layout of its rendered training sets: poses of objects, masks with and without what hides them.

    camera.json  test_targets_bop19.json  dataset_info.md
    models/obj_000001.ply, models_info.json     millimetres
    train_pbr/000000/                           one scene per clip and camera, numbered in the order of clips
        rgb/ depth/                             000000.png; depth in millimetres, 0 beyond 65.535 m
        mask/ mask_visib/                       000000_000000.png: picture and place in scene_gt
        scene_camera.json  scene_gt.json  scene_gt_info.json

- K counts from the middle of the first pixel, as BOP's own tools do: half a pixel less than in a clip.
- An object is a shape with its colors and its class, whatever clips and instances it is in; it is named by both, so its id
  does not depend on the order of clips. Instances that deform have no pose, and are left out.
- A picture lists the instances whose silhouette lies in it at least in part, also where all of it is hidden.
- Silhouettes and ``px_count_all`` end at the picture's edge: an instance that is cut off by it, and by nothing else, is
  visible in full. Boxes are BOP's: their width is the last column less the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt16

from ...arrays import first_not_rigid
from ...clip.images import write_png
from ...errors import BadValueError
from ...transforms import inverse_rigid, rigid
from ..categories import category_of
from ..clips import DatasetClip
from ..json_files import JsonList, write_json
from ..kinds import check_kinds
from ..masks import Mask, bounding_box, mask_png
from ..models import model_info, read_models
from ..pictures import frame_name, millimetres, write_pictures
from ..ply import ply_vertices
from ..silhouettes import Silhouettes, check_visible, read_silhouettes

LEAST_VISIBLE = 0.1
"""The share of an instance that must be visible for BOP to ask for its pose."""
_NOTHING = [-1, -1, -1, -1]

Key = tuple[str, str]
"""An object: its class, and the hash of its model."""


@dataclass(frozen=True, eq=False)
class _Posed:
    """An instance whose pose is told."""

    obj_id: int
    center_m: tuple[float, float, float]
    world_from_instance: Float[np.ndarray, "frames 4 4"]

    def world_from_model(self, frame: int) -> Float[np.ndarray, "4 4"]:
        """Where its model is."""
        return self.world_from_instance[frame] @ rigid(np.eye(3), np.array(self.center_m))


@dataclass(frozen=True, eq=False)
class _View:
    """What becomes a BOP scene; ``posed`` are the clip's objects by instance id."""

    clip: DatasetClip
    camera: str
    scene: int
    posed: Mapping[int, _Posed]


def write(clips: Sequence[DatasetClip], folder: Path) -> None:
    """Write the dataset; see ``Writer``."""
    check_kinds(clips, ("rgb", "depth", "instances"))
    for clip in clips:
        _check(clip)
    objects = _write_models(clips, folder / "models")
    notes = ["# Scenes", ""]
    with JsonList(folder / "test_targets_bop19.json") as targets:
        views = ((clip, camera) for clip in clips for camera in clip.clip.cameras)
        for scene, (clip, camera) in enumerate(views):
            if scene == 0:
                write_json(folder / "camera.json", _sensor(clip, camera))
            place = folder / "train_pbr" / f"{scene:06d}"
            _write_scene(_View(clip, camera, scene, _posed(clip, objects)), place, targets)
            notes.append(f"- {scene:06d}: clip {clip.clip_id}, camera {camera}")
    notes += ["", "# Objects", ""]
    notes += [f"- {number}: class {name}, model {Path(shape).stem}" for (name, shape), number in objects.items()]
    (folder / "dataset_info.md").write_text("\n".join(notes) + "\n", encoding="utf-8")


def _check(clip: DatasetClip) -> None:
    """Refuse cameras that a matrix alone does not describe, and poses that are not rigid."""
    for name, camera in clip.clip.record.cameras.items():
        if not camera.lens.plain:
            received = f"{camera.projection} with distortion {list(camera.distortion)}"
            fix = "leave the camera out, or leave out the format"
            where = f"clip {clip.clip_id}, camera {name}"
            raise BadValueError("the camera", received, right="a pinhole for BOP", fix=fix, where=where)
    for instance in clip.clip.record.instances:
        frame = first_not_rigid(instance.world_from_instance)
        if frame is not None:
            received, where = f"not rigid in frame {frame}", f"clip {clip.clip_id}"
            raise BadValueError(f"the pose of {instance.name}", received, right="a rotation and a translation", where=where)


def _write_models(clips: Sequence[DatasetClip], folder: Path) -> dict[Key, int]:
    """Write every model once.

    Returns:
        Ids of objects.
    """
    files: dict[Key, Path] = {}
    for clip in clips:
        models = read_models(clip)
        for instance in clip.clip.record.instances:
            if instance.id in models:
                file = models[instance.id].file
                files.setdefault((category_of(instance), file.name), file)
    folder.mkdir()
    ids, infos = {key: place + 1 for place, key in enumerate(sorted(files))}, {}
    for key, number in ids.items():
        target = folder / f"obj_{number:06d}.ply"
        target.write_bytes(files[key].read_bytes())
        infos[str(number)] = model_info(ply_vertices(target.read_bytes()))
    write_json(folder / "models_info.json", infos)
    return ids


def _posed(clip: DatasetClip, objects: Mapping[Key, int]) -> dict[int, _Posed]:
    """The instances of a clip that have models, by their ids."""
    models = read_models(clip)
    return {
        i.id: _Posed(objects[category_of(i), models[i.id].file.name], models[i.id].center_m, i.world_from_instance)
        for i in clip.clip.record.instances
        if i.id in models
    }


def _write_scene(view: _View, folder: Path, targets: JsonList) -> None:
    """Write what one camera saw of a clip."""
    write_pictures(view.clip, view.camera, folder / "rgb")
    for kind in ("depth", "mask", "mask_visib"):
        (folder / kind).mkdir()
    record, silhouettes = view.clip.clip.record.cameras[view.camera], read_silhouettes(view.clip, view.camera)
    cameras, truths, infos = {}, {}, {}
    for frame in range(view.clip.clip.frames):
        depth = millimetres(view.clip.clip.depth(view.camera, frame))
        write_png(folder / "depth" / frame_name(frame), depth)
        camera_from_world = inverse_rigid(record.world_from_camera[frame])
        k = _bop_intrinsics(record.intrinsics[frame]).ravel().tolist()
        cameras[frame] = {"cam_K": k, "depth_scale": 1.0, **_pose(camera_from_world, "w2c")}
        truths[frame], infos[frame] = [], []
        for thing, whole, visible in _things(view, silhouettes, frame):
            name = f"{frame:06d}_{len(truths[frame]):06d}.png"
            (folder / "mask" / name).write_bytes(mask_png(whole))
            (folder / "mask_visib" / name).write_bytes(mask_png(visible))
            pose = _pose(camera_from_world @ thing.world_from_model(frame), "m2c")
            truths[frame].append({**pose, "obj_id": thing.obj_id})
            infos[frame].append(_info(whole, visible, depth))
        for target in _targets(truths[frame], infos[frame]):
            targets.add({"im_id": frame, **target, "scene_id": view.scene})
    for name, data in (("scene_camera", cameras), ("scene_gt", truths), ("scene_gt_info", infos)):
        write_json(folder / f"{name}.json", data)


def _things(view: _View, silhouettes: Silhouettes, frame: int) -> Iterator[tuple[_Posed, Mask, Mask]]:
    """What the camera's picture lists: objects with their whole and visible masks."""
    seen = view.clip.clip.instances(view.camera, frame)
    check_visible(view.clip, view.camera, silhouettes, frame, seen)
    for row in silhouettes.rows(frame):
        instance = int(silhouettes.instance[row])
        if instance in view.posed:
            yield view.posed[instance], silhouettes.mask(row), seen == instance


def _targets(truths: list[dict[str, Any]], infos: list[dict[str, Any]]) -> list[dict[str, int]]:
    """Which objects BOP asks for in a picture, and how many of each."""
    asked = [truth["obj_id"] for truth, info in zip(truths, infos, strict=True) if info["visib_fract"] >= LEAST_VISIBLE]
    return [{"inst_count": number, "obj_id": obj_id} for obj_id, number in sorted(Counter(asked).items())]


def _info(whole: Mask, visible: Mask, depth: UInt16[np.ndarray, "height width"]) -> dict[str, Any]:
    """BOP's figures of one instance in one picture."""
    left, top, width, height = bounding_box(whole)
    around = slice(top, top + height), slice(left, left + width)
    inside, seen = whole[around], visible[around]
    pixels, shown = int(np.count_nonzero(inside)), int(np.count_nonzero(seen))
    return {
        "bbox_obj": _box(inside, left, top) if shown else _NOTHING,
        "bbox_visib": _box(seen, left, top) if shown else _NOTHING,
        "px_count_all": pixels,
        "px_count_valid": int(np.count_nonzero(inside & (depth[around] > 0))),
        "px_count_visib": shown,
        "visib_fract": shown / pixels,
    }


def _box(mask: Mask, left: int, top: int) -> list[int]:
    """BOP's box of a mask that begins somewhere in the picture."""
    column, row, width, height = bounding_box(mask)
    return [left + column, top + row, width - 1, height - 1]


def _pose(camera_from: Float[np.ndarray, "4 4"], name: str) -> dict[str, list[float]]:
    """Rotation, row by row, and translation in millimetres."""
    return {f"cam_R_{name}": camera_from[:3, :3].ravel().tolist(), f"cam_t_{name}": (1000 * camera_from[:3, 3]).tolist()}


def _bop_intrinsics(k: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3 3"]:
    """Intrinsics that count from the middle of the first pixel."""
    return k - np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])


def _sensor(clip: DatasetClip, camera: str) -> dict[str, float | int]:
    """``camera.json``: of the first picture of all; pictures have their own in ``scene_camera.json``."""
    k = _bop_intrinsics(clip.clip.record.cameras[camera].intrinsics[0])
    height, width = clip.clip.record.size
    focal = {"fx": float(k[0, 0]), "fy": float(k[1, 1]), "cx": float(k[0, 2]), "cy": float(k[1, 2])}
    return {**focal, "width": width, "height": height, "depth_scale": 1.0}
