"""Where links are when joints are at given positions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from ....transforms import rigid, rotation_about, rotation_from_quaternion
from .robot import SIZES, Joint, Robot


def world_from_links(
    robot: Robot, positions: Mapping[str, Float[np.ndarray, "frames numbers"]], world_from_root: Float[np.ndarray, "frames 4 4"]
) -> Float[np.ndarray, "frames links 4 4"]:
    """Forward kinematics.

    Args:
        robot: links and joints.
        positions: by joint, one row per frame: an angle in radians or a way in metres; x, y in the plane and the angle about
            its normal of planar joints; x, y, z, qw, qx, qy, qz of floating ones. A joint that is absent follows the one that
            it mimics, else it is at 0.
        world_from_root: the root link's place.

    Returns:
        In the order of ``robot.links``.
    """
    frames = len(world_from_root)
    whole = with_mimics(robot, positions, frames)
    number = {link: k for k, link in enumerate(robot.links)}
    world = np.empty((frames, len(robot.links), 4, 4))
    world[:, number[robot.root]] = world_from_root
    for joint in robot.joints:
        moved = joint.parent_from_joint @ joint_from_child(joint, whole[joint.name])
        world[:, number[joint.child]] = world[:, number[joint.parent]] @ moved
    return world


def with_mimics(
    robot: Robot, positions: Mapping[str, Float[np.ndarray, "frames numbers"]], frames: int
) -> dict[str, Float[np.ndarray, "frames numbers"]]:
    """The positions of all joints, of those that mimic others and of those that rest, too."""
    whole = dict(positions)
    joints = {joint.name: joint for joint in robot.joints}
    for joint in robot.joints:
        followers: list[Joint] = []
        while joint.name not in whole and joint.mimic is not None:
            followers.append(joint)
            joint = joints[joint.mimic.joint]
        if joint.name not in whole:
            whole[joint.name] = rest(joint, frames)
        for follower in reversed(followers):
            assert follower.mimic is not None
            followed = whole[follower.mimic.joint] if SIZES[joints[follower.mimic.joint].kind] else np.zeros((frames, 1))
            whole[follower.name] = follower.mimic.multiplier * followed + follower.mimic.offset
    return whole


def rest(joint: Joint, frames: int) -> Float[np.ndarray, "frames numbers"]:
    """A joint's position 0."""
    zero = np.zeros((frames, SIZES[joint.kind]))
    zero[:, 3:4] = 1  # of a quaternion
    return zero


def joint_from_child(joint: Joint, positions: Float[np.ndarray, "frames numbers"]) -> Float[np.ndarray, "frames 4 4"]:
    """What a joint does at its positions; ``numbers`` as ``SIZES`` says."""
    frames, still = len(positions), np.zeros((len(positions), 3))
    if joint.kind == "floating":
        return rigid(rotation_from_quaternion(positions[:, 3:]), positions[:, :3])
    if joint.kind == "prismatic":
        return rigid(np.eye(3), positions * joint.axis)
    if joint.kind == "planar":
        in_plane = positions[:, :2] @ _plane(joint.axis)
        return rigid(rotation_about(joint.axis, positions[:, 2]), in_plane)
    if joint.kind == "fixed":
        return np.broadcast_to(np.eye(4), (frames, 4, 4))
    return rigid(rotation_about(joint.axis, positions[:, 0]), still)


def _plane(normal: Float[np.ndarray, "3"]) -> Float[np.ndarray, "2 3"]:
    """Directions x and y of a plane: those of the joint's frame after the shortest turn of z onto the normal."""
    turn = np.cross([0.0, 0, 1], normal)
    sine = float(np.linalg.norm(turn))
    angle = np.array(np.arctan2(sine, normal[2]))
    about = turn / sine if sine > 1e-12 else np.array([1.0, 0, 0])
    return rotation_about(about, angle)[:, :2].T
