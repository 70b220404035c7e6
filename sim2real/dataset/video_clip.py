"""The clip of an episode whose videos are all there is: its pictures, and noise that goes with what is seen in them."""

from __future__ import annotations

from pathlib import Path

from ..clip import Clip, SceneRecord
from ..kinds import names_of_videos, usual_names
from .footage import footage_options, noise_asked
from .lerobot_source import read_lerobot
from .plan import Row, check_unchanged
from .video_source import frames_of, mask_files
from .writers.registry import WRITERS


def video_kinds(row: Row) -> frozenset[str]:
    """The kinds of pictures that a clip needs, but for ``instances``, which it has where there are masks."""
    from ..diffusion.families import family_of

    names = frozenset(row.only) or usual_names().intersection(names_of_videos()) - {"depth"}
    if row.generate is not None:
        names |= frozenset(family_of(row.generate.get("model")).needs_of(footage_options(row.generate), of_video=True))
    return names.union(*(WRITERS[name].needs for name in row.formats)) - {"instances"}


def warped_episode(row: Row, folder: Path, device: str, threads: int) -> Clip:
    """The clip folder of a row whose episode is of videos alone; arguments as of ``make_clip``.

    Raises:
        BadValueError: the dataset has changed since it was planned; videos or masks are of another size.
        MissingFileError: a video or a mask is not there.
        UnreadableFileError: a video or a mask is damaged, or a video ends before its episode does.
        MissingPackageError: OpenCV is not installed.
    """
    from ..flow import DisFlow, RaftFlow
    from ..video import EstimatedMotion, Known, MaskFiles, WarpOptions, open_part, warp_videos

    reading, recording = row.reading, read_lerobot(str(row.lerobot))
    check_unchanged(row, "the dataset", recording.sha256)
    raft = reading.get("estimator") == "raft"
    motion = EstimatedMotion(RaftFlow(reading.get("weights"), device=device) if raft else DisFlow())
    episode, frames = recording.episode(row.episode), frames_of(row, recording)
    size, intrinsics = (None if reading.get(name) is None else tuple(reading[name]) for name in ("size", "intrinsics"))
    videos = {}
    for camera in row.cameras:
        place, stride = episode.videos[camera], reading.get("stride", 1)
        pictures = open_part(place.path, place.from_s, frames, fps=recording.fps, size=size, stride=stride)
        labels = MaskFiles(mask_files(row, camera, frames), pictures) if "masks" in reading else None
        videos[camera] = pictures, Known(motion, intrinsics=intrinsics, labels=labels)
    options = WarpOptions(
        seed=row.seed,
        beta=float(row.values.get("beta", 1.0)),
        device=device,
        only=video_kinds(row),
        threads=threads,
        pages=False,
        video_options={**reading, "lerobot": row.lerobot, "episode": row.episode},
        names={int(i): name for i, name in reading.get("names", {}).items()},
        **noise_asked(row.generate or {}),
    )
    return warp_videos(videos, folder, SceneRecord(path=row.scene, sha256=row.sha256), options)
