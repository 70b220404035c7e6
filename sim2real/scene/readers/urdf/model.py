"""URDF robots with a table of recorded joint positions: logs of ROS, LeRobot, Isaac Lab, or anybody's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ....arrays import first_broken_row
from ....camera.view import Camera
from ....errors import BadValueError, MissingFileError
from ...cameras.orbit import ORBIT_FRAMES
from ...records import Instance, Scene
from ..frame_count import check_frames
from ..mesh.files import sha256_of
from ..reading import Reading, option, rate_of
from .assets import assets_of
from .cameras import LINK_FOV_DEG, cameras_on, sensor_cameras
from .elements import WHAT
from .joint_table import read_joint_table
from .kinematics import world_from_links
from .motion import Motion, motion_of, resting
from .robot import Robot, read_robot
from .shapes import Shapes, parts_of

DEFAULT_FPS = 24.0
_FARTHEST_M = 1e9


@dataclass(frozen=True)
class Options:
    """What robots alone take."""

    joints: Path | str | None = option(
        "Recorded joint positions, a row per frame and a column per joint: .csv, .npz or .parquet.", metavar="FILE"
    )
    packages: str | None = option(
        "Where the packages of package://NAME/... lie: folders that hold them, or NAME=DIR.", metavar="DIR|NAME=DIR,..."
    )
    camera_links: str | None = option(
        "Links with a camera on them (ROS optical frames: z forward, y down), and its vertical field of view.  "
        f"[default: {LINK_FOV_DEG:g}]",
        metavar="LINK[:DEG],...",
    )
    degrees: bool | None = option("Angles in the table are degrees.")
    episode: int | None = option("Which episode of a LeRobot file of several.  [default: its first]", metavar="N")


def read(path: Path, reading: Reading, options: Options) -> Scene:
    """The reader of robots; see ``load_urdf``."""
    return load_urdf(path, options, reading)


def load_urdf(path: Path | str, options: Options | None = None, reading: Reading | None = None) -> Scene:
    """Read a robot and move it as a table says.

    Args:
        path: the URDF file.
        options: the table, where packages are, cameras on links; columns as ``motion.motion_of`` matches them.
        reading: which rows, frames per second (else by the table's times, else 24), picture size of the cameras.

    Returns:
        A scene with one instance per link that is seen, named as the link, of the class that the robot is called. Without a
        table the robot rests.

    Raises:
        MissingFileError: robot, table, meshes or pictures do not exist; all of them are listed.
        UnreadableFileError: one of them is broken, or the robot is xacro that was not expanded.
        EmptySceneError: nothing of the robot is seen.
        UnknownNameError: a camera's link does not exist.
        BadValueError: the table does not fit the robot, or moves it infinitely far.
    """
    source, options, reading = Path(path), options or Options(), reading or Reading()
    if not source.is_file():
        raise MissingFileError(source, what=WHAT)
    robot = read_robot(source)
    assets = assets_of(source, options.packages)
    motion, files = _motion(robot, options, reading, source)
    frames = len(motion.world_from_root)
    check_frames(frames, len(robot.links), source)
    world_from_link = world_from_links(robot, motion.positions, motion.world_from_root)
    if (frame := first_broken_row(world_from_link, _FARTHEST_M)) is not None:
        right = "finite, at most a million kilometres away"
        raise BadValueError(f"the place of a link in frame {frame}", "too far", right=right, where=options.joints or source)
    shapes = Shapes(assets)
    seen, parts, notes = parts_of(robot, shapes, source)
    place = {link: k for k, link in enumerate(robot.links)}
    return Scene(
        source=source,
        sha256=sha256_of([source, *files, *shapes.files]),
        meshes=tuple(shapes.meshes),
        parts=parts,
        instances=tuple(Instance(link, robot.name) for link in seen),
        world_from_instance=world_from_link[:, [place[link] for link in seen]],
        visible=np.ones((frames, len(seen)), bool),
        cameras=_cameras(robot, world_from_link, options.camera_links, reading.size, source),
        fps=_rate(reading, motion.seconds),
        notes=(*robot.notes, *motion.notes, *notes, *dict.fromkeys(shapes.notes)),
    )


def _motion(robot: Robot, options: Options, reading: Reading, source: Path) -> tuple[Motion, list[Path]]:
    """The robot's way, and the files that it comes from."""
    wanted = reading.frames
    if options.joints is None:
        for name in ("degrees", "episode"):
            if getattr(options, name) is not None:
                raise BadValueError(f"--{name}", getattr(options, name), right="left out without --joints", where=source)
        stop = ORBIT_FRAMES if wanted is None or wanted.stop is None else wanted.stop
        count = len(range(stop)[wanted or slice(None)])
        check_frames(count, len(robot.links), source)
        return resting(count), []
    path = Path(options.joints)
    table, note = read_joint_table(path).of_episode(options.episode)
    motion = motion_of(robot, table, wanted, degrees=bool(options.degrees))
    notes = motion.notes if note is None else (note, *motion.notes)
    return Motion(motion.positions, motion.world_from_root, motion.seconds, notes), [path]


def _rate(reading: Reading, seconds: Float[np.ndarray, "frames"] | None) -> float:
    if reading.fps is not None:
        return float(reading.fps)
    return rate_of(seconds, DEFAULT_FPS / (reading.frames.step or 1 if reading.frames else 1))


def _cameras(
    robot: Robot,
    world_from_link: Float[np.ndarray, "frames links 4 4"],
    asked: str | None,
    size: tuple[int, int] | None,
    source: Path,
) -> tuple[Camera, ...]:
    """The cameras that the robot's file describes, and those that are asked for."""
    ways = {link: world_from_link[:, k] for k, link in enumerate(robot.links)}
    return (*sensor_cameras(robot.sensors, ways, size), *cameras_on(asked, ways, size, source))
