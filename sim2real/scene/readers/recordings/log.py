"""What a recording says: where things are in every frame, as its simulator wrote it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from ....arrays import lengths_of
from ....errors import BadValueError, UnknownNameError

QuaternionOrder = Literal["wxyz", "xyzw"]


@dataclass(frozen=True, eq=False)
class Track:
    """The way of one thing.

    - ``root``: x, y, z in metres and a quaternion in the recording's order, of the thing or of the root of its links.
    - ``joints``: positions of the joints of an articulation, in the simulator's order; ``None`` for a rigid thing.
    - ``turning``: angular velocity of the root about the world's axes; ``None`` where it was not recorded.
    """

    name: str
    root: Float[np.ndarray, "frames 7"]
    joints: Float[np.ndarray, "frames joints"] | None = None
    turning: Float[np.ndarray, "frames 3"] | None = None

    @property
    def frames(self) -> int:
        """How many."""
        return len(self.root)


@dataclass(frozen=True, eq=False)
class Log:
    """One episode.

    - ``simulator``: its name for people; ``key``: in mapping files.
    - ``order`` of its quaternions, ``None`` where the simulator's versions differ.
    - ``fps``: frames per second, ``None`` where it does not say.
    - ``unread``: sentences on what was recorded and is not read.
    """

    simulator: str
    key: str
    episode: str
    tracks: tuple[Track, ...]
    order: QuaternionOrder | None
    fps: float | None
    unread: tuple[str, ...] = ()

    @property
    def frames(self) -> int:
        """How many."""
        return max((track.frames for track in self.tracks), default=0)

    def articulations(self) -> dict[str, Track]:
        """Things with joints, by name."""
        return {track.name: track for track in self.tracks if track.joints is not None}

    def objects(self) -> dict[str, Track]:
        """Rigid things, by name."""
        return {track.name: track for track in self.tracks if track.joints is None}


def checked(log: Log, where: object) -> Log:
    """The same log, whose tracks are of one length and whose quaternions are rotations.

    Raises:
        BadValueError: they are not; or nothing was recorded.
    """
    if not log.tracks:
        right = "some, recorded with the simulator's states"
        raise BadValueError(f"the number of articulations and objects of {log.episode}", 0, right=right, where=where)
    first = log.tracks[0]
    for track in log.tracks:
        if track.frames != first.frames or track.frames == 0:
            right = "at least 1" if track.frames == 0 else f"{first.frames}, as {first.name} has"
            raise BadValueError(f"the number of frames of {track.name}", track.frames, right=right, where=where)
        norms = lengths_of(track.root[:, 3:])
        if (np.abs(norms - 1) > 0.05).any():
            frame = int(np.argmax(np.abs(norms - 1) > 0.05))
            received = np.round(track.root[frame, 3:], 6).tolist()
            raise BadValueError(f"the quaternion of {track.name} in frame {frame}", received, right="of length 1", where=where)
    return log


def sliced(log: Log, frames: slice | None, where: object) -> Log:
    """Some frames of a log.

    Raises:
        BadValueError: none of them is there.
    """
    if frames is None:
        return log
    if len(range(log.frames)[frames]) == 0:
        raise BadValueError("the range of frames", f"{frames.start}:{frames.stop}", right=f"within 0:{log.frames}", where=where)

    def of(track: Track) -> Track:
        joints, turning = track.joints, track.turning
        return replace(
            track,
            root=track.root[frames],
            joints=None if joints is None else joints[frames],
            turning=None if turning is None else turning[frames],
        )

    return replace(log, tracks=tuple(map(of, log.tracks)))


def chosen(names: list[str], episode: str | None, path: object) -> str:
    """An episode's name; the first where none is asked for.

    Raises:
        UnknownNameError: there is no such episode.
    """
    if episode is not None and episode not in names:
        raise UnknownNameError(episode, names, what="demonstration", where=path)
    return names[0] if episode is None else episode
