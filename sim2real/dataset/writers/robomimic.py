"""robomimic's HDF5: the demonstrations that the clips were made from, with new pictures.

``data/demo_N`` has ``actions``, ``states`` and what else the recording carries, to the bit; ``obs/CAMERA_image`` uint8
(frames, height, width, 3) and, where the clip has depth, ``obs/CAMERA_depth`` float32 (frames, height, width, 1) in metres.
Attributes (``env_args``, ``model_file``, ``ep_meta`` ...) and masks (``mask/train`` ...) are those of the recording.

A demonstration keeps its name. Where several clips were made of one, the first keeps it, and the others have the next free
numbers, as those have whose source has no demonstrations; the attribute ``source_demo`` has the name in the recording.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import BadValueError, MissingFileError, UnknownNameError
from ...file_order import natural_key
from ...optional import require
from ..clips import DatasetClip
from ..kinds import check_kinds
from ..videos import check_footage

FILE = "dataset.hdf5"
_NAMES = {"action": "actions", "state": "states", "observation.state": "states"}
_GYM = 2  # robomimic's number for environments that are made by name


def write(clips: Sequence[DatasetClip], folder: Path) -> None:
    """Write ``dataset.hdf5``.

    Args:
        clips: at least one, each with actions.
        folder: an empty folder.

    Raises:
        BadValueError: a clip has no actions, clips come from different environments, or two arrays have one name.
        MissingFileError: a clip has no pictures, or the recording that it was made from is not there.
    """
    if not clips:
        raise BadValueError("the number of clips", 0, right="at least 1", where=folder)
    check_kinds(clips, ("rgb",))
    h5py = require("h5py", "dataset")
    demos = [_demo_of(item, h5py) for item in clips]
    names = demo_names(demos)
    with h5py.File(folder / FILE, "w") as file:
        data = file.create_group("data")
        environment: tuple[str, dict[str, Any]] | None = None
        for item, demo, name in zip(clips, demos, names, strict=True):
            check_footage(item)
            own, masks, shared = _source(item, demo, h5py)
            environment = environment or (item.clip_id, shared)
            if shared != environment[1]:
                received = f"different for {environment[0]} and {item.clip_id}"
                fix = "write a dataset for each"
                raise BadValueError("env_args of the recordings", received, right="the same for all clips", fix=fix)
            _write_demo(item, data.create_group(name), own)
            for mask in masks:
                _append_mask(file, mask, name)
        for attribute, value in sorted((environment[1] if environment else {}).items()):
            data.attrs[attribute] = value
        data.attrs["total"] = sum(item.clip.frames for item in clips)


def demo_names(demos: Sequence[str | None]) -> list[str]:
    """What the clips' demonstrations are called; robomimic sorts them by the number after ``demo_``.

    Args:
        demos: the demonstration that each clip was made of; ``None`` where its source has none.
    """
    kept: list[str | None] = []
    for demo in demos:
        fits = demo is not None and re.fullmatch(r"demo_(0|[1-9][0-9]*)", demo) and demo not in kept
        kept.append(demo if fits else None)
    free = count(1 + max((int(name.removeprefix("demo_")) for name in kept if name is not None), default=-1))
    return [f"demo_{next(free)}" if name is None else name for name in kept]


def _demo_of(item: DatasetClip, h5py: Any) -> str | None:
    """The demonstration that a clip was made of: as the row says, as it was read, or else the recording's first.

    Raises:
        MissingFileError: the recording is not there.
        UnknownNameError: it has no such demonstration.
    """
    path, named = Path(item.clip.record.scene.path), item.row.get("demo") or item.clip.record.scene.options.get("demo")
    if path.suffix.lower() not in (".hdf5", ".h5"):
        return None
    if not path.is_file():
        raise MissingFileError(path, what=f"recording of clip {item.clip_id}", fix="put it back, or choose other formats")
    with h5py.File(path, "r") as file:
        demos = sorted((demo for demo, group in file.get("data", {}).items() if "states" in group), key=natural_key)
    if named is not None and named not in demos:
        raise UnknownNameError(named, demos, what="demonstration", where=path)
    return named or next(iter(demos), None)


def _source(item: DatasetClip, demo: str | None, h5py: Any) -> tuple[dict[str, Any], list[str], dict[str, Any]]:
    """Attributes of the demonstration, the masks that name it, and attributes of the whole recording."""
    path = Path(item.clip.record.scene.path)
    if demo is None:
        return {}, [], {"env_args": json.dumps({"env_name": path.stem, "type": _GYM, "env_kwargs": {}})}
    with h5py.File(path, "r") as file:
        data = file["data"]
        masks = [mask for mask, listed in file.get("mask", {}).items() if demo.encode() in listed[()]]
        shared = {name: value for name, value in data.attrs.items() if name != "total"}
        return dict(data[demo].attrs) | {"source_demo": demo}, masks, shared


def _write_demo(item: DatasetClip, group: Any, attributes: Mapping[str, Any]) -> None:
    own: dict[str, np.ndarray] = {}
    for name, array in item.episode.items():
        place = _NAMES.get(name, name)
        if place in own:
            right = f"one array, its clip has several that robomimic calls so, of which one is {name}"
            raise BadValueError(f"the array {place}", "there twice", right=right, where=item.clip_id)
        own[place] = array
    if "actions" not in own:
        fix = "make the clip from a recording with actions, or choose other formats"
        raise BadValueError("the table of actions", "missing", right="one row per frame", fix=fix, where=item.clip_id)
    for name in sorted(own):
        values = np.char.encode(own[name], "utf-8") if own[name].dtype.kind == "U" else own[name]
        group.create_dataset(name, data=values, track_times=False)
    for camera in item.clip.cameras:
        _write_pictures(item, camera, group)
    for name, value in sorted({**attributes, "clip_id": item.clip_id, "num_samples": item.clip.frames}.items()):
        group.attrs[name] = value
    if item.task:
        group.attrs["task"] = item.task


def _write_pictures(item: DatasetClip, camera: str, group: Any) -> None:
    """Pictures and depth of a camera, frame by frame."""
    shown: Any = None
    for frame, picture in enumerate(item.pictures(camera)):
        if shown is None:
            shown = _frames(group, f"obs/{camera}_image", (item.clip.frames, *picture.shape), np.uint8)
        shown[frame] = picture
    if item.clip.has(camera, "depth"):
        depth = _frames(group, f"obs/{camera}_depth", (item.clip.frames, *item.clip.record.size, 1), np.float32)
        for frame in range(item.clip.frames):
            depth[frame] = item.clip.depth(camera, frame)[..., None]


def _frames(group: Any, name: str, shape: tuple[int, ...], dtype: type) -> Any:
    """A compressed dataset of which every frame is a chunk: one is read without its neighbors."""
    if name in group:
        right = "the name of no array that the recording carries"
        raise BadValueError("the name of the new pictures", name, right=right, fix="leave old pictures out", where=group.name)
    options: dict[str, Any] = {"compression": "gzip", "compression_opts": 1, "shuffle": dtype is np.float32}
    return group.create_dataset(name, shape, dtype, chunks=(1, *shape[1:]), track_times=False, **options)


def _append_mask(file: Any, mask: str, name: str) -> None:
    """Add a demonstration to a mask."""
    path = f"mask/{mask}"
    listed = [*file[path][()], name.encode()] if path in file else [name.encode()]
    if path in file:
        del file[path]
    file.create_dataset(path, data=np.array(listed, dtype="S"), track_times=False)
