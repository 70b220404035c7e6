"""YouTube-VIS: instances followed through videos, one mask per frame.

    annotations.json
    images/<clip>/<camera>/000000.png

A video is what one camera sees of a clip, a track an instance that this camera sees at least once; ``None`` stands where it
does not see it. Beside the format's own keys, a track tells ``visib_fracts`` (as ``visib_fract`` of COCO, 0 where nothing is
visible; left out where that is) and ``track_id`` (one per clip and instance, the same in all cameras). All ids count from 1 in
the order of clips.
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
from ..pictures import frame_name, write_pictures
from ..silhouettes import known_silhouettes, visible_shares
from .coco import NEEDS, visible_part

_PER_FRAME = {"segmentation": "segmentations", "area": "areas", "bbox": "bboxes"}


def write(clips: Sequence[DatasetClip], folder: Path) -> None:
    """Write the dataset; see ``Writer``."""
    check_kinds(clips, NEEDS)
    categories = category_ids(clips)
    head = {
        "info": {"description": "rendered by sim2real", "version": "1"},
        "licenses": [],
        "categories": coco_categories(categories),
    }
    ids = {name: count(1) for name in ("video", "annotation", "track")}
    with JsonLists(folder / "annotations.json", ("videos", "annotations"), head) as file:
        for clip in clips:
            numbers = {instance.id: next(ids["track"]) for instance in clip.clip.record.instances}
            for camera in clip.clip.cameras:
                video, place = next(ids["video"]), f"{clip.clip_id}/{camera}"
                write_pictures(clip, camera, folder / "images" / place)
                (height, width), frames = clip.clip.record.size, clip.clip.frames
                size = {"width": width, "height": height, "length": frames}
                names = [f"images/{place}/{frame_name(frame)}" for frame in range(frames)]
                file.add("videos", {"id": video, **size, "file_names": names})
                tracks = _tracks(clip, camera)
                for instance in (i for i in clip.clip.record.instances if i.id in tracks):
                    whose = {"video_id": video, "category_id": categories[category_of(instance)]}
                    about = {"id": next(ids["annotation"]), **whose, "iscrowd": 0, **size}
                    file.add("annotations", {**about, **tracks[instance.id], "track_id": numbers[instance.id]})


def _tracks(clip: DatasetClip, camera: str) -> Mapping[int, dict[str, list[Any]]]:
    """What the camera sees of every instance that it sees at all, frame by frame."""
    silhouettes, frames = known_silhouettes(clip, camera), clip.clip.frames
    tracks: dict[int, dict[str, list[Any]]] = {}
    for frame in range(frames):
        seen = clip.clip.instances(camera, frame)
        for instance, share in visible_shares(clip, camera, silhouettes, frame, seen).items():
            if instance not in tracks:
                tracks[instance] = {name: [None] * frames for name in _PER_FRAME.values()}
                tracks[instance] |= {} if share is None else {"visib_fracts": [0.0] * frames}
            for name, value in visible_part(seen == instance).items():
                tracks[instance][_PER_FRAME[name]][frame] = value
            if share is not None:
                tracks[instance]["visib_fracts"][frame] = share
    return tracks
