"""Recordings of ROS 2, ROS 1 and Foxglove as scenes: robots by their description, moved by joint states and transforms."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ....arrays import first_broken_row
from ....camera.view import Camera
from ....errors import BadValueError, EmptySceneError, MissingFileError, UnknownNameError
from ...records import Instance, Mesh, Part, Scene
from ..mesh.files import sha256_of
from ..reading import Reading, option
from ..urdf.assets import assets_of
from ..urdf.cameras import LINK_FOV_DEG, cameras_on, sensor_cameras
from ..urdf.motion import listed
from ..urdf.shapes import Shapes, parts_of
from .cameras import Unseen, camera_name, camera_of, chosen_camera, frame_in
from .contents import Contents, gather_stamps, gathered, merged_frames, namespace
from .keys import FARTHEST_M, Poses
from .notes import notes_of
from .objects import Carried, carried_meshes, carried_things
from .opening import recording_of
from .recording import Recording, Window
from .robots import Described, described, hang_links, told
from .timing import FrameTimes, Tracks, frame_times
from .tree import Placed, closure, sampled

_CLOCKS = ("header", "log")


@dataclass(frozen=True)
class Options:
    """What recordings alone take."""

    urdf: Path | str | None = option("The robot's URDF, instead of the robot_description in the recording.", metavar="FILE")
    packages: str | None = option(
        "Where the packages of package://NAME/... lie: folders that hold them, or NAME=DIR.", metavar="DIR|NAME=DIR,..."
    )
    mesh: tuple[str, ...] | None = option("A mesh that a frame carries; may be repeated.", metavar="FRAME=FILE,...")
    fixed_frame: str | None = option("The frame that is the world.  [default: the root of the transforms]", metavar="FRAME")
    stamps_of: str | None = option(
        "The camera at whose stamps the frames are, unless --fps says how many there are a second.  [default: the first]",
        metavar="CAMERA",
    )
    clock: str | None = option(
        "header: the stamps in messages count, where they have one; log: when messages were recorded.  [default: header]",
        metavar="header|log",
    )
    start: float | None = option("Seconds of the recording that are left out at its beginning.", metavar="S")
    duration: float | None = option("Seconds of the recording that are read.  [default: all]", metavar="S")
    rectified: bool | None = option("Cameras as their pictures are after rectification, without distortion.")
    camera_links: str | None = option(
        f"Frames with a camera on them (z forward, y down), and its vertical field of view.  [default: {LINK_FOV_DEG:g}]",
        metavar="FRAME[:DEG],...",
    )


@dataclass(frozen=True, eq=False)
class _Read:
    """What a recording holds, and what is asked of it."""

    path: Path
    options: Options
    reading: Reading
    recording: Recording
    contents: Contents
    frames: dict[str, Poses]
    robots: list[Described]
    fixed: str | None


def read(path: Path, reading: Reading, options: Options) -> Scene:
    """Read a recording.

    Args:
        path: an .mcap, .db3 or .bag file, or a folder of rosbag2.
        reading: which frames; a rate samples the recording so often, else frames are at a camera's stamps (without cameras 24
            per second); picture size of the cameras.
        options: see there.

    Returns:
        A scene with an instance for each link that is seen (of the class that its robot is called), each mesh that is given for
        a frame, and each thing that markers show.

    Raises:
        MissingFileError: meshes, pictures or packages do not exist; all of them are listed.
        UnreadableFileError: the recording or a description is broken, or transforms go in a circle.
        EmptySceneError: there is nothing to be seen.
        UnknownNameError: a frame or a camera that is asked for does not exist.
        BadValueError: an option is out of its range, or no frame is left.
    """
    recording = recording_of(path)
    contents = gathered(recording, _clock(options, path), _window(recording, options, path))
    frames, notes = merged_frames(contents)
    things = {f"\n{k}": thing for k, thing in enumerate(contents.shown.things.values()) if len(thing.poses.times)}
    frames |= {frame: thing.poses for frame, thing in things.items()}
    names = {name for name in frames if name not in things} | {p for poses in frames.values() for p in poses.parents}
    robots = described(contents, _urdf(options), names, path)
    names |= {one.frame(link) for one in robots for link in one.robot.links}
    fixed = None if options.fixed_frame is None else str(options.fixed_frame).strip().lstrip("/")
    if fixed is not None and fixed not in names:
        raise UnknownNameError(fixed, sorted(names), what="frame", where=path)
    read = _Read(path, options, reading, recording, contents, frames, robots, fixed)
    carried = carried_meshes(tuple(map(str, options.mesh or ())), names, path, notes)
    shapes = Shapes(assets_of(path / "x" if path.is_dir() else path, options.packages))
    carried += carried_things(things, shapes)
    if not robots and not carried:
        shown = listed(sorted(names)) or "none"
        fix = f"pass --urdf FILE, or --mesh FRAME=FILE for frames: {shown}"
        raise EmptySceneError(path, lacks="robot description, and nothing else to be seen", fix=fix)
    return _scene(read, carried, shapes, notes)


def _clock(options: Options, path: Path) -> str:
    if options.clock not in (None, *_CLOCKS):
        raise UnknownNameError(options.clock, _CLOCKS, what="clock", where=path)
    return options.clock or _CLOCKS[0]


def _urdf(options: Options) -> Path | None:
    if options.urdf is None:
        return None
    path = Path(options.urdf)
    if not path.is_file():
        raise MissingFileError(path, what="URDF robot", fix="check --urdf")
    return path


def _window(recording: Recording, options: Options, path: Path) -> Window:
    """When what is read was logged."""
    if options.start is None and options.duration is None:
        return None
    start, duration = options.start or 0.0, 1e9 if options.duration is None else options.duration
    if not isinstance(start, (int, float)) or not 0 <= start <= 1e9:
        raise BadValueError("--start", options.start, right="0 or more seconds", where=path)
    if not isinstance(duration, (int, float)) or not 0 < duration <= 1e9:
        raise BadValueError("--duration", options.duration, right="more than 0 seconds", where=path)
    first = recording.began() + round(start * 1e9)
    return first, min(first + round(duration * 1e9), 2**62)


def _scene(read: _Read, carried: list[Carried], shapes: Shapes, notes: list[str]) -> Scene:
    contents, path = read.contents, read.path
    names = set(read.frames) | {p for poses in read.frames.values() for p in poses.parents}
    cameras = {topic: frame_in(log, topic, names) for topic, log in contents.cameras.items()}
    asked = [word.strip().rpartition(":")[0] or word.strip() for word in str(read.options.camera_links or "").split(",")]
    own = [one.frame(link) for one in read.robots for link in one.robot.links]
    needed = [*own, *cameras.values(), *(one.frame for one in carried), *asked, read.fixed or ""]
    reached = closure(read.frames, filter(None, needed))
    times = _times(read, list(cameras.values()), len(reached))
    tree = sampled(read.frames, reached, times.times_ns)
    alone = tree.placed(path)
    for one in read.robots:
        notes += hang_links(one, tree, alone, times.times_ns, several=len(read.robots) > 1)
    placed = tree.placed(path)
    seen = [*own, *(one.frame for one in carried)]
    fixed = read.fixed or Counter(placed.root_of(name) for name in seen).most_common(1)[0][0]
    instances, parts, meshes, ways, visible = _instances(read, carried, shapes, placed, fixed, times, notes)
    views = _cameras(read, cameras, placed, fixed, times, notes)
    return Scene(
        source=path,
        sha256=_hash(contents, [*shapes.files, *(f for one in carried for f in one.files)], _urdf(read.options)),
        meshes=tuple(meshes),
        parts=tuple(parts),
        instances=tuple(instances),
        world_from_instance=np.stack(ways, axis=1),
        visible=np.stack(visible, axis=1),
        cameras=views,
        fps=times.fps,
        notes=(*notes_of(contents, read.recording), *times.notes, *dict.fromkeys([*notes, *shapes.notes])),
    )


def _times(read: _Read, cameras: list[str], things: int) -> FrameTimes:
    """When the frames are."""
    contents, stamps = read.contents, None
    topic = chosen_camera(contents.cameras, read.options.stamps_of, read.path)
    if topic is not None:
        stamps = contents.cameras[topic].numbers.ordered()[0]
        if len(stamps) < 2 and read.reading.fps is None:
            beside = {t.name for t in read.recording.topics if namespace(t.name).startswith(namespace(topic))}
            gather_stamps(contents, read.recording, beside, _window(read.recording, read.options, read.path))
            pictures = [series.ordered()[0] for _, series in sorted(contents.images.items())]
            stamps = next((one for one in pictures if len(one) > 1), stamps)
    return frame_times(stamps, _tracks(read, cameras), read.reading, things, read.path)


def _tracks(read: _Read, cameras: list[str]) -> Tracks:
    """What has to be known: joints, and the ways of robots and cameras."""
    found = dict[str, tuple[int, int]]()
    by_joints = {one.frame(joint.child) for one in read.robots for joint in one.robot.joints if joint.name in told(one)}
    for one in read.robots:
        spans = [(min(series.times), max(series.times)) for series in one.series.values() if len(series.times) > 1]
        if spans:
            found[f"joint states of {one.robot.name}"] = max(s[0] for s in spans), min(s[1] for s in spans)
    own = [one.frame(link) for one in read.robots for link in one.robot.links]
    for name in closure(read.frames, [*own, *cameras]):
        times = read.frames[name].times if name in read.frames and name not in by_joints else ()
        if len(times) > 1:
            found[f"the transform of {name}"] = min(times), max(times)
    moving = [poses.times for poses in read.frames.values() if len(poses.times) > 1]
    once = [poses.times[0] for poses in read.frames.values() if len(poses.times) == 1 and poses.times[0] >= 0]
    if not found and moving:  # nothing has to be known at all times: whatever moves, from its first to its last
        found["the recording"] = min(map(min, moving)), max(map(max, moving))
    elif not found and once:
        found["the recording"] = max(once), max(once)
    return found


def _instances(
    read: _Read, carried: list[Carried], shapes: Shapes, placed: Placed, fixed: str, times: FrameTimes, notes: list[str]
) -> tuple[list[Instance], list[Part], list[Mesh], list[np.ndarray], list[np.ndarray]]:
    """What is seen: instances, their parts and meshes, where they are, and when they are there."""
    instances, parts, ways, visible = list[Instance](), list[Part](), list[np.ndarray](), list[np.ndarray]()
    for one in read.robots:
        if not placed.between(fixed, one.frame(one.robot.root))[1].any():
            notes.append(_apart(f"robot {one.label.rstrip('/') or one.robot.name}", one.frame(one.robot.root), placed, fixed))
            continue
        seen, own, found = parts_of(one.robot, shapes, read.path, len(instances))
        notes += [*one.robot.notes, *found]
        parts += own
        for link in seen:
            instances.append(Instance(one.label + link, one.robot.name))
            way, good = placed.between(fixed, one.frame(link))
            ways.append(way)
            visible.append(good)
    meshes, number = list(shapes.meshes), {id(mesh): k for k, mesh in enumerate(shapes.meshes)}
    for thing in carried:
        way, good = placed.between(fixed, thing.frame)
        if not good.any():
            notes.append(_apart(thing.name, thing.frame, placed, fixed))
            continue
        for mesh, move in thing.meshes:
            if id(mesh) not in number:
                number[id(mesh)] = len(meshes)
                meshes.append(mesh)
            parts.append(Part(number[id(mesh)], len(instances), move))
        instances.append(Instance(thing.name, thing.name.partition("/")[0]))
        ways.append(way)
        visible.append(good if thing.thing is None else good & thing.thing.visible(times.times_ns))
    if not instances:
        fix = f"pass --fixed-frame with one of: {listed(sorted(set(placed.root_of(n) for n in placed.names)))}"
        raise EmptySceneError(read.path, lacks=f"things that are connected with the frame {fixed}", fix=fix)
    if (frame := first_broken_row(np.stack(ways, axis=1), FARTHEST_M)) is not None:
        right = "finite, at most a million kilometres away"
        raise BadValueError(f"a place in frame {frame}", "too far", right=right, where=read.path)
    names = Counter[str]()
    for k, instance in enumerate(instances):
        names[instance.name] += 1
        if names[instance.name] > 1:
            instances[k] = replace(instance, name=f"{instance.name}-{names[instance.name]}")
    return instances, parts, meshes, ways, visible


def _apart(what: str, frame: str, placed: Placed, fixed: str) -> str:
    root = placed.root_of(frame)
    shown = f" ({frame})" if frame.isprintable() and frame != root else ""
    return f"{what} is left out: it hangs on {root}{shown}, which no transform connects with {fixed}"


def _cameras(
    read: _Read, frames: dict[str, str], placed: Placed, fixed: str, times: FrameTimes, notes: list[str]
) -> tuple[Camera, ...]:
    """The recording's cameras, or those of the robots' descriptions; and those that are asked for."""
    size, found = read.reading.size, list[Camera]()
    for topic, frame in frames.items():
        way, good = placed.between(fixed, frame)
        if not good.all():
            notes.append(_apart(f"camera {camera_name(topic)}", frame, placed, fixed))
            continue
        try:
            log, rectified = read.contents.cameras[topic], bool(read.options.rectified)
            found.append(camera_of(topic, log, way, times.times_ns, size=size, rectified=rectified))
        except Unseen as why:
            notes.append(f"camera {camera_name(topic)} is left out: {why}")
    if not frames:
        for one in read.robots:
            ways = {link: placed.between(fixed, one.frame(link)) for link in one.robot.links}
            whole = [sensor for sensor in one.robot.sensors if ways[sensor.link][1].all()]
            named = [replace(sensor, name=one.label + sensor.name) for sensor in whole]
            found += sensor_cameras(named, {link: way for link, (way, _) in ways.items()}, size)
    if read.options.camera_links:
        ways = {name: placed.between(fixed, name) for name in placed.names}
        found += cameras_on(
            read.options.camera_links, {n: way for n, (way, good) in ways.items() if good.all()}, size, read.path
        )
    return tuple(found)


def _hash(contents: Contents, files: list[Path], urdf: Path | None) -> str:
    """The hash of all that was read: messages, and the files beside them."""
    others = [*([] if urdf is None else [urdf]), *files]
    text = f"{contents.digest.hexdigest()}\n{sha256_of(others) if others else ''}"
    return hashlib.sha256(text.encode()).hexdigest()
