"""LeRobot datasets without a scene: what may be asked of episodes that are videos alone, checked before anything runs.

Their clips have the videos' pictures, edges, and noise that is warped along estimated motion; instances, where there are masks.
There is no geometry: nothing in the picture can be varied, and formats that tell of depth or poses cannot be written.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

from ..arrays import reason
from ..errors import BadValueError, MissingFileError, Sim2RealError, UnknownNameError
from ..kinds import names_of_videos
from ..scene.readers.scene_file.yaml import error
from .footage import check_footage, footage_options
from .lerobot_layout import CAMERA
from .lerobot_source import LeRobotSource
from .writers.registry import WRITERS

if TYPE_CHECKING:
    from .config import DatasetConfig, Source
    from .plan import Row

ALONE = ("masks", "names", "estimator", "weights")
"""Keys of sources that only videos have."""
_TAKEN = ("scene", "lerobot", "episodes", "cameras", "frames", "size", "stride", "intrinsics", "task", *ALONE)
_SCENE_KNOBS = ("light", "materials", "clutter", "camera_jitter", "sensor", "rgb")
"""What varies in scenes only; sensors need depth, materials and labels, renderers need surfaces."""
_FIELDS = {"episode": 0, "camera": "front", "frame": 0}


def check_source(source: Source) -> None:
    """Refuse keys of a source that do not go together; raises what pydantic's validators raise."""
    given = [name for name in (*source.model_fields_set, *(source.model_extra or {})) if getattr(source, name) is not None]
    if source.scene is not None:
        for name in (one for one in ALONE if one in given):
            raise error("is of videos, must be left out beside scene", key=name)
        return
    if source.lerobot is None:
        raise error("is missing, must be a scene; or give lerobot: FOLDER, for the videos of its episodes", key="scene")
    for name in sorted(set(given) - set(_TAKEN)):
        raise error("is of scenes, must be left out where lerobot is given without scene", key=name)
    if source.weights is not None and source.estimator != "raft":
        raise error("is given, must be left out, or estimator: raft be given", key="weights")
    if source.names is not None and source.masks is None:
        raise error("is given, must be left out, or masks be given", key="names")
    if source.masks is not None:
        _check_pattern(source.masks)


def _check_pattern(masks: str) -> None:
    valid = ", ".join(f"{{{name}}}" for name in _FIELDS)
    try:
        unknown = [name for _, name, _, _ in Formatter().parse(masks) if name is not None and name not in _FIELDS]
        if not unknown:
            masks.format(**_FIELDS)
            return
    except (ValueError, LookupError) as wrong:
        raise error(f"is {masks!r}, must be a pattern with {valid}: {reason(wrong)}", key="masks") from None
    raise error(f"has {{{unknown[0]}}}, must have no fields but {valid}, such as {{frame:06d}}", key="masks")


def check_asked(config: DatasetConfig, source: Source) -> None:
    """Refuse what a config asks for and videos cannot give; raises what pydantic's validators raise."""
    whose = f"the videos of {source.lerobot}"
    for knob in _SCENE_KNOBS:
        if getattr(config, knob, None) or knob in config.variations.knobs:
            key = "variations" if knob in config.variations.knobs else knob
            raise error(f"asks for {knob}, which needs a scene; {whose} have none", key=key)
    held = {"rgb", "edges", "noise", "flow", *(["instances"] if source.masks else [])}
    for name in config.formats:
        wanted = WRITERS[name]
        if lacking := [kind for kind in wanted.needs if kind not in held] + (["meshes"] if wanted.models else []):
            way = "give the source masks: PATTERN" if lacking == ["instances"] else "give the source a scene"
            raise error(
                f"has {name}, which needs {', '.join(lacking)}; {whose} have none: leave it out, or {way}", key="formats"
            )
    if lacking := [kind for kind in config.only or () if kind not in held]:
        raise error(f"has {', '.join(lacking)}, must be among: {', '.join(sorted(held))} for {whose}", key="only")


def video_reading(source: Source, config: DatasetConfig, folder: Path) -> dict[str, Any]:
    """How the episodes of a source are read, as a row of a plan has it; paths start at ``folder``, the config file's."""
    given: dict[str, Any] = {"intrinsics": source.intrinsics, "estimator": "raft" if source.estimator == "raft" else None}
    given |= {"frames": source.frames or config.frames, "size": source.size or config.size}
    given |= {name: os.path.abspath(folder / path) for name in ("masks", "weights") if (path := getattr(source, name))}
    if source.stride != 1:
        given["stride"] = source.stride
    if source.names:
        given["names"] = {str(i): name for i, name in source.names.items()}
    return {"reader": "video", **{name: value for name, value in given.items() if value is not None}}


def chosen_cameras(recording: LeRobotSource, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The cameras whose videos are used: those asked for, with or without ``observation.images.``, or all.

    Raises:
        UnknownNameError: there is no such video.
        BadValueError: the dataset has no videos.
    """
    known = recording.cameras
    if not known:
        fix = "pictures within parquet files are not read; convert the dataset to videos"
        raise BadValueError("the number of videos", 0, right="at least 1", fix=fix, where=recording.folder)
    found = tuple(dict.fromkeys(name if name in known else name.removeprefix(CAMERA) for name in wanted or known))
    for name in found:
        if name not in known:
            raise UnknownNameError(name, known, what="camera", where=recording.folder)
    return found


def frames_of(row: Row, recording: LeRobotSource) -> int:
    """How many frames a row's clip has."""
    return row.reading.get("frames") or -(-recording.episode(row.episode).frames // row.reading.get("stride", 1))


def mask_files(row: Row, camera: str, frames: int) -> list[Path]:
    """The files of a camera's masks, one per frame of the clip; ``{frame}`` is the number that a frame has in its episode."""
    stride, pattern = row.reading.get("stride", 1), row.reading["masks"]
    return [Path(pattern.format(episode=row.episode, camera=camera, frame=k * stride)) for k in range(frames)]


class VideoChecks:
    """Checks the rows of a plan whose clips are videos; what many rows have in common is looked at once."""

    def __init__(self) -> None:
        self._passed: set[tuple[Any, ...]] = set()

    def check(self, row: Row, recording: LeRobotSource) -> None:
        """Refuse a row that could never become a clip.

        Raises:
            BadValueError: its cameras differ in size; a model that needs geometry, or does not take the size or frames.
            MissingFileError: the mask of its first frame is not there.
            Sim2RealError: whatever the model's family finds wrong.
        """
        frames, size = frames_of(row, recording), _size(row, recording)
        for camera in row.cameras if "masks" in row.reading else ():
            if not (first := mask_files(row, camera, 1)[0]).is_file():
                raise MissingFileError(first, what=f"mask of episode {row.episode}", fix="check masks: of the source")
        if row.generate is None:
            return
        key = (repr(sorted(row.generate.items())), frames, size, len(row.cameras))
        if key not in self._passed:
            _check_footage(row.generate, frames, size, len(row.cameras), f"episode {row.episode} of {recording.folder}")
        self._passed.add(key)


def _size(row: Row, recording: LeRobotSource) -> tuple[int, int] | None:
    """(height, width) of a row's clip; ``None`` where only its videos say it."""
    if "size" in row.reading:
        height, width = row.reading["size"]
        return height, width
    sizes = {camera: recording.cameras[camera] for camera in row.cameras}
    if len(known := {size for size in sizes.values() if size is not None}) > 1:
        received = ", ".join(f"{size[0]}x{size[1]} ({camera})" for camera, size in sizes.items() if size is not None)
        fix = "give the source size: [HEIGHT, WIDTH], or choose cameras:"
        raise BadValueError("the videos' size", received, right="one size", fix=fix, where=recording.folder)
    return None if None in sizes.values() else next(iter(known))


def _check_footage(asked: Mapping[str, Any], frames: int, size: tuple[int, int] | None, cameras: int, where: str) -> None:
    from ..diffusion import family_of
    from ..diffusion.inputs import video_families

    family, options = family_of(asked.get("model")), footage_options(asked)
    lacking = set(family.needs_of(options, of_video=True)) - (set(names_of_videos()) - {"depth"})
    if lacking or not family.runs:
        why = f"needs {', '.join(sorted(lacking))}" if lacking else "does not run here"
        right = f"of a family that makes footage of videos alone: {', '.join(video_families())}"
        received = f"{asked.get('model') or family.name}, which {why}"
        raise BadValueError("the model", received, right=right, where=where)
    if options.prompt == "auto":
        raise BadValueError("the prompt", "'auto'", right="words: real videos do not say what they show", where=where)
    try:
        check_footage(asked, frames, size, cameras)
    except Sim2RealError as wrong:
        raise Sim2RealError(f"{where}: {wrong}") from wrong
