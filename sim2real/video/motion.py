"""Where the motion of a video comes from: estimated, read from files, or computed from depth and cameras."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from ..errors import BadValueError
from ..file_order import gap_note
from ..flow import Flow, FlowEstimator, believed_flow, flow_files, inverted_flow, motion_of_depth, read_flow
from ..flow.estimated import looks_alike, returns, sampled_at_end
from .depth import DepthFiles
from .pictures import Picture

Direction = Literal["backward", "forward"]


@dataclass(frozen=True, eq=False)
class Step:
    """Motion between a frame and another one that is earlier.

    - ``back``: from the frame's pixels to the earlier frame.
    - ``forth``: from the earlier frame's pixels to the frame.
    """

    back: Flow
    forth: Flow


@runtime_checkable
class MotionSource(Protocol):
    """What knows the motion between two frames of a video."""

    direct: bool
    """It also knows the motion between frames that are far apart."""

    def step(self, earlier: int, frame: int, pictures: tuple[Picture, Picture]) -> Step:
        """Motion between two frames; ``pictures`` show the earlier one and the frame. May be called from any thread."""
        ...


class EstimatedMotion:
    """Motion that an estimator finds in the pictures."""

    direct = True

    def __init__(self, estimator: FlowEstimator) -> None:
        """Use an estimator, ``DisFlow()`` for one."""
        self._estimator = estimator

    def step(self, earlier: int, frame: int, pictures: tuple[Picture, Picture]) -> Step:
        """Motion both ways, believed where it leads back to its start and to the same color."""
        before, now = pictures
        return Step(*believed_flow(now, before, self._estimator))


class FileMotion:
    """Motion vectors that a renderer wrote, a file per frame.

    - ``backward``: file k leads from frame k to frame k - 1; the first frame's file may be left out.
    - ``forward``: file k leads from frame k to frame k + 1, as in ``flow/`` of clip folders; the last one's may be left out.
    """

    direct = False

    def __init__(self, folder: Path, frames: int, size: tuple[int, int], direction: Direction = "backward") -> None:
        """Look for the files.

        Args:
            folder: of the files, in natural order of their names.
            frames: of the video.
            size: (height, width) of its frames.
            direction: which way the vectors lead.

        Raises:
            MissingFileError: there is no such folder, or it has no files.
            BadValueError: their number does not fit, or the first one has another shape.
        """
        files = flow_files(folder)
        if len(files) not in (frames, frames - 1):
            right = f"{frames}, one per frame, or {frames - 1}, one per step"
            raise BadValueError("the number of motion files", len(files), right=right, where=folder)
        self.gap = gap_note(files)
        if direction == "backward":
            files = files[len(files) - (frames - 1) :]
        self._files, self._size, self._direction = files[: frames - 1], size, direction
        if self._files:
            read_flow(self._files[0], size)

    def step(self, earlier: int, frame: int, pictures: tuple[Picture, Picture]) -> Step:
        """Motion between neighboring frames; the way that no file knows is the other one's inverse."""
        motion, visible = read_flow(self._files[earlier], self._size)
        inside, _ = sampled_at_end(motion, motion)
        known = Flow(motion, inside if visible is None else visible)
        if visible is None:  # of two points that lead to one place, the one that looks like it is seen there
            source, target = pictures[::-1] if self._direction == "backward" else pictures
            known = Flow(motion, inside & looks_alike(source, target, known))
        other = inverted_flow(known)
        if visible is None:
            known = Flow(motion, known.visible & returns(motion, other.forward))
        return Step(known, other) if self._direction == "backward" else Step(other, known)


class DepthMotion:
    """Motion of a scene that stands still, from the camera's path and metric depth."""

    direct = True

    def __init__(
        self,
        depth: DepthFiles,
        intrinsics: Float[np.ndarray, "frames 3 3"],
        world_from_camera: Float[np.ndarray, "frames 4 4"],
    ) -> None:
        """Know the camera.

        Args:
            depth: metres along z of every frame, 0 where it is infinite.
            intrinsics: pixels of the clip's size.
            world_from_camera: OpenCV axes, metres.
        """
        self._depth, self._intrinsics, self._world = depth, intrinsics, world_from_camera

    def step(self, earlier: int, frame: int, pictures: tuple[Picture, Picture]) -> Step:
        """Exact motion, seen where the depths agree."""
        return Step(self._motion(frame, earlier), self._motion(earlier, frame))

    def _motion(self, source: int, target: int) -> Flow:
        return motion_of_depth(
            self._depth.frame(source),
            self._depth.frame(target),
            self._intrinsics[source],
            self._intrinsics[target],
            self._world[source],
            self._world[target],
        )
