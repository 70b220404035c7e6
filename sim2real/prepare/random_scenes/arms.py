"""Random robot arms: six joints, links of several styles, a two-finger gripper, smooth motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ...transforms import rigid, rotation_about
from .builder import Piece, Stage, at, turn
from .materials import Look, Looks
from .shapes import Number, ball, board, pill, rod

_AXES = "zyyzyz"


@dataclass(frozen=True)
class ArmShape:
    """Lengths along the links' z (m), their radius (m), and their style (``round``, ``box`` or ``tube``)."""

    lengths: tuple[Number, ...]
    radius: Number
    style: str
    shell: Look
    joint: Look


def random_arm(rng: np.random.Generator, looks: Looks) -> ArmShape:
    """An arm that reaches 0.6 to 0.95 m."""
    shell, joint = looks.robot_shell(rng)
    reach = rng.uniform(0.6, 0.95)
    upper = rng.uniform(0.46, 0.54) * reach
    lengths = (rng.uniform(0.16, 0.32), upper, (reach - upper) * 0.55, (reach - upper) * 0.45, 0.09, 0.05)
    style = ("round", "round", "box", "tube")[rng.integers(4)]
    return ArmShape(lengths, rng.uniform(0.042, 0.062), style, shell, joint)


def _path(rng: np.random.Generator, times_s: np.ndarray) -> Float[np.ndarray, "frames 6"]:
    """Joint angles (rad): the hand points down, more or less, and everything sways."""
    shoulder, elbow = rng.uniform(-5, 60), rng.uniform(55, 115)
    middle = np.array(
        [rng.uniform(-50, 50), shoulder, elbow, rng.uniform(-25, 25), 180 - shoulder - elbow, rng.uniform(-90, 90)]
    )
    middle[4] += rng.uniform(-30, 20)
    speed = rng.uniform(0.3, 1.0) * np.array([16, 9, 10, 12, 12, 30])
    phase = rng.uniform(0, 2 * np.pi, 6)
    rate = rng.uniform(1.2, 2.6, 6)
    sway = np.sin(rate * times_s[:, None] + phase) - np.sin(phase)
    return np.deg2rad(middle + speed * sway)


def link_frames(
    shape: ArmShape, angles: Float[np.ndarray, "frames 6"], world_from_base: np.ndarray
) -> Float[np.ndarray, "frames 7 4 4"]:
    """Where every joint's frame lies after its rotation, and last the flange."""
    here = np.broadcast_to(world_from_base, (len(angles), 4, 4))
    out = []
    for k, axis in enumerate(_AXES):
        spin = rotation_about(np.eye(3)["xyz".index(axis)], angles[:, k])
        here = here @ rigid(spin, np.zeros(3))
        out.append(here)
        here = here @ at(z=shape.lengths[k])
    return np.stack([*out, here], axis=1)


def _link(shape: ArmShape, k: int) -> list[Piece]:
    length, r = shape.lengths[k], shape.radius * (1.15, 1.0, 0.88, 0.78, 0.72, 0.66)[k]
    middle = at(z=length / 2)
    if shape.style == "box" and k < 4:
        body = Piece(board([0.9 * r, 0.8 * r, length / 2], 0.3 * r), shape.shell, middle)
    elif shape.style == "tube" and k < 4:
        body = Piece(rod(0.78 * r, length, bevel=0.01), shape.shell, middle)
    else:
        body = Piece(pill(r, length), shape.shell, middle)
    pieces = [body]
    if _AXES[k] == "y":
        width = 2.5 * r
        pieces.append(Piece(rod(1.12 * r, width, bevel=0.15 * r, segments=18), shape.shell, turn("x", 90)))
        pieces += [
            Piece(rod(0.9 * r, 0.02, bevel=0.006), shape.joint, at(y=s * (width / 2 + 0.004)) @ turn("x", 90)) for s in (-1, 1)
        ]
    else:
        pieces.append(Piece(rod(1.08 * r, 0.025, bevel=0.005, segments=18), shape.joint, at(z=0.35 * length)))
    return pieces


def _gripper(shape: ArmShape) -> tuple[list[Piece], list[Piece]]:
    palm = [
        Piece(rod(0.6 * shape.radius, 0.04, bevel=0.004), shape.joint, at(z=0.01)),
        Piece(board([0.095, 0.03, 0.035], 0.012), shape.shell, at(z=0.055)),
    ]
    finger = [
        Piece(board([0.008, 0.011, 0.03], 0.003), shape.joint, at(z=0.03)),
        Piece(ball(0.01, segments=10), shape.joint, at(z=0.06)),
    ]
    return palm, finger


def add_arm(
    rng: np.random.Generator,
    looks: Looks,
    stage: Stage,
    world_from_base: Float[np.ndarray, "4 4"],
    times_s: Float[np.ndarray, "frames"],
    *,
    floor_z: Number,
    reach_to: Float[np.ndarray, "3"],
    base_height_m: Number = 0.0,
) -> list[Float[np.ndarray, "frames 4 4"]]:
    """Put an arm on the stage whose hand stays over what is in reach.

    Args:
        rng: of the arm's shape, look and motion.
        looks: of its shell and joints.
        stage: where it goes.
        world_from_base: the arm stands here, z up, x forward.
        times_s: of the frames.
        floor_z: the hand and elbow stay above this height.
        reach_to: the hand's way is chosen near this point.
        base_height_m: of a pedestal below the base.

    Returns:
        The frames of its joints in the world, and last the point between the fingertips, z along the fingers.
    """
    shape = random_arm(rng, looks)
    best, best_cost = None, np.inf
    for _ in range(40):
        frames = link_frames(shape, _path(rng, times_s), world_from_base)
        tips = (frames[:, -1] @ at(z=0.15))[:, :3, 3]
        low = min(tips[:, 2].min(), frames[:, 2:, 2, 3].min() - 0.05) - floor_z - 0.015
        cost = np.linalg.norm(tips - reach_to, axis=1).mean() + 20 * max(0.0, -low)
        if cost < best_cost:
            best, best_cost = frames, cost
    assert best is not None
    r = shape.radius
    foot = [
        Piece(rod(1.5 * r, 0.06, bevel=0.008, segments=20), shape.shell, at(z=0.03)),
        Piece(pill(1.15 * r, 0.08), shape.shell, at(z=0.08)),
    ]
    if base_height_m > 0:
        half = [0.11, 0.11, base_height_m / 2]
        foot.append(Piece(board(half, 0.01), looks.dark(rng), at(z=-base_height_m / 2)))
    stage.add("robot base", "robot", foot, world_from_base)
    for k in range(6):
        stage.add(f"robot link {k + 1}", "robot", _link(shape, k), best[:, k])
    palm, finger = _gripper(shape)
    stage.add("robot hand", "robot", palm, best[:, 6])
    opening = 0.03 + 0.012 * np.sin(rng.uniform(0, 6) + rng.uniform(0, 2) * times_s)
    for side in (-1, 1):
        shift = rigid(np.eye(3), np.stack([side * opening, 0 * opening, 0 * opening + 0.088], axis=1))
        stage.add("robot finger", "robot", finger, best[:, 6] @ shift)
    return [*best[:, 1:].swapaxes(0, 1), best[:, 6] @ at(z=0.15)]
