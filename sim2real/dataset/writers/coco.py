"""COCO: instances of single pictures, their visible masks as compressed run lengths.

    annotations.json
    images/<clip>/<camera>/000000.png

Beside COCO's own keys, pictures tell their ``video_id`` (one per clip and camera) and ``frame_index``; annotations tell their
``track_id`` (one per clip and instance, the same in all cameras) and ``visib_fract``: visible pixels over those of the whole
silhouette inside the picture; left out in clips of real videos, whose masks say nothing of what is hidden. All ids count from 1
in the order of clips.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from ..categories import category_ids, category_of, coco_categories
from ..clips import DatasetClip
from ..json_files import JsonLists
from ..kinds import check_kinds
from ..masks import Mask, bounding_box, coco_rle
from ..pictures import frame_name, write_pictures
from ..silhouettes import known_silhouettes, visible_shares

NEEDS = ("rgb", "instances")


def write(clips: Sequence[DatasetClip], folder: Path) -> None:
    """Write the dataset; see ``Writer``."""
    check_kinds(clips, NEEDS)
    categories = category_ids(clips)
    head = {
        "info": {"description": "rendered by sim2real", "version": "1"},
        "licenses": [],
        "categories": coco_categories(categories),
    }
    ids = {name: count(1) for name in ("video", "image", "annotation", "track")}
    with JsonLists(folder / "annotations.json", ("videos", "images", "annotations"), head) as file:
        for clip in clips:
            tracks = {instance.id: next(ids["track"]) for instance in clip.clip.record.instances}
            for camera in clip.clip.cameras:
                _write_video(clip, camera, folder, file, ids, {"categories": categories, "tracks": tracks})


def _write_video(
    clip: DatasetClip,
    camera: str,
    folder: Path,
    file: JsonLists,
    ids: Mapping[str, count],
    numbers: Mapping[str, dict[Any, int]],
) -> None:
    """What one camera saw of a clip."""
    (height, width), place = clip.clip.record.size, f"images/{clip.clip_id}/{camera}"
    write_pictures(clip, camera, folder / place)
    silhouettes, video = known_silhouettes(clip, camera), next(ids["video"])
    category = {i.id: numbers["categories"][category_of(i)] for i in clip.clip.record.instances}
    file.add("videos", {"id": video, "name": f"{clip.clip_id}/{camera}", "width": width, "height": height})
    for frame in range(clip.clip.frames):
        image, seen = next(ids["image"]), clip.clip.instances(camera, frame)
        about = {"id": image, "file_name": f"{place}/{frame_name(frame)}", "width": width, "height": height}
        file.add("images", {**about, "video_id": video, "frame_index": frame})
        for instance, share in visible_shares(clip, camera, silhouettes, frame, seen).items():
            entry = {
                "id": next(ids["annotation"]),
                "image_id": image,
                "category_id": category[instance],
                **visible_part(seen == instance),
                "iscrowd": 0,
                "track_id": numbers["tracks"][instance],
                **({} if share is None else {"visib_fract": share}),
            }
            file.add("annotations", entry)


def visible_part(mask: Mask) -> dict[str, Any]:
    """``segmentation``, ``area`` and ``bbox`` of a mask that holds something."""
    box = [float(n) for n in bounding_box(mask)]
    return {"segmentation": coco_rle(mask), "area": int(mask.sum()), "bbox": box}
