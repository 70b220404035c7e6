"""Frames between frames: those that were there stay to the bit, what is between lies on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from sim2real.camera.view import Camera
from sim2real.errors import BadValueError
from sim2real.scene import Instance, LoadOptions, Mesh, Part, Scene, load
from sim2real.scene.between import with_frames_between
from sim2real.scene.light.lamps import Lamp, Lights
from sim2real.scene.primitives import box
from sim2real.transforms import rigid

TABLETOP = Path(__file__).parents[2] / "scenes" / "tabletop.yaml"


def scene_of(ways: np.ndarray, visible: np.ndarray | None = None, mesh: Mesh | None = None) -> Scene:
    """Boxes that move, seen by a camera that moves as the first of them does."""
    frames, things = ways.shape[:2]
    k = np.tile(np.diag([50.0, 50.0, 1.0]), (frames, 1, 1)) + np.arange(frames)[:, None, None] * np.diag([1.0, 1.0, 0.0])
    return Scene(
        source=Path("made.yaml"),
        sha256="",
        meshes=(mesh or box(np.ones(3)),),
        parts=tuple(Part(0, i) for i in range(things)),
        instances=tuple(Instance(f"thing-{i}", "thing") for i in range(things)),
        world_from_instance=ways,
        visible=np.ones((frames, things), np.bool_) if visible is None else visible,
        cameras=(Camera("eye", (48, 64), k, ways[:, 0]),),
        fps=10.0,
    )


def random_ways(seed: int, frames: int, things: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    turns = Rotation.random(frames * things, rng=rng).as_matrix().reshape(frames, things, 3, 3)
    return rigid(turns, rng.normal(size=(frames, things, 3)))


@given(seed=st.integers(0, 99), frames=st.integers(1, 5), times=st.integers(1, 7))
def test_frames_that_were_there_are_the_same_to_the_bit_and_the_rate_follows(seed, frames, times):
    scene = scene_of(random_ways(seed, frames, 2))
    more = with_frames_between(scene, times)
    assert more.frames == (frames - 1) * times + 1
    assert np.array_equal(more.world_from_instance[::times], scene.world_from_instance)
    assert np.array_equal(more.cameras[0].world_from_camera[::times], scene.cameras[0].world_from_camera)
    assert np.array_equal(more.cameras[0].intrinsics[::times], scene.cameras[0].intrinsics)
    assert more.fps == pytest.approx(scene.fps * (times if frames > 1 else 1))


@given(seed=st.integers(0, 99), times=st.integers(2, 6))
def test_things_move_steadily_along_lines_and_shortest_arcs(seed, times):
    ways = random_ways(seed, 2, 1)
    made = with_frames_between(scene_of(ways), times).world_from_instance[:, 0]
    steps = np.diff(made[:, :3, 3], axis=0)
    np.testing.assert_allclose(steps, np.tile(steps[0], (times, 1)), atol=1e-12)
    turns = Rotation.from_matrix(made[:, :3, :3])
    angles = (turns[:-1].inv() * turns[1:]).magnitude()
    whole = (turns[0].inv() * turns[-1]).magnitude()
    np.testing.assert_allclose(angles, whole / times, atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(made[:, :3, :3]), 1, atol=1e-9)


def test_stretching_goes_along_steadily_and_mirror_images_stay_mirrored():
    ways = np.tile(np.eye(4), (2, 2, 1, 1))
    ways[1, 0, :3, :3] = Rotation.from_rotvec([0, 0, 1.0]).as_matrix() @ np.diag([3.0, 1.0, 1.0])
    ways[:, 1, :3, :3] = np.diag([-2.0, 1.0, 1.0])
    ways[1, 1, 0, 3] = 1
    made = with_frames_between(scene_of(ways), 2).world_from_instance[1]
    np.testing.assert_allclose(made[0, :3, :3], Rotation.from_rotvec([0, 0, 0.5]).as_matrix() @ np.diag([2.0, 1, 1]), atol=1e-9)
    np.testing.assert_allclose(made[1], [[-2, 0, 0, 0.5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], atol=1e-9)


def test_what_is_hidden_at_one_end_is_hidden_between_and_does_not_come_from_there():
    ways = np.tile(np.eye(4), (3, 1, 1, 1))
    ways[:, 0, 0, 3] = [900, 1, 2]
    made = with_frames_between(scene_of(ways, np.array([[False], [True], [True]])), 2)
    assert made.visible[:, 0].tolist() == [False, False, True, True, True]
    assert made.world_from_instance[2:, 0, 0, 3].tolist() == [1, 1.5, 2]


def test_vertices_that_deform_go_along_straight_lines():
    mesh = box(np.ones(3))
    table = np.stack([mesh.vertices, 3 * mesh.vertices]).astype(np.float32)
    made = with_frames_between(scene_of(random_ways(0, 2, 1), mesh=replace(mesh, deformed=table)), 4)
    for frame in range(5):
        np.testing.assert_allclose(made.meshes[0].deformed[frame], (1 + frame / 2) * mesh.vertices, rtol=1e-6)


def test_loading_counts_the_frames_that_come_out():
    scene = load(TABLETOP, LoadOptions(interpolate=3, frames=8))
    plain = load(TABLETOP, LoadOptions(frames=4))
    assert (scene.frames, scene.fps) == (8, 3 * plain.fps)
    assert np.array_equal(scene.world_from_instance[::3], plain.world_from_instance[:3])
    with pytest.raises(BadValueError, match="interpolate"):
        LoadOptions(interpolate=0)


@given(seed=st.integers(0, 99), times=st.integers(2, 5))
def test_lamps_that_move_go_as_things_do_and_are_off_in_between_where_they_are_off_at_one_end(seed, times):
    ways = random_ways(seed, 4, 1)
    visible = np.array([[True], [True], [False], [True]])
    lit = np.where(visible[..., None], ways[:, 0], np.nan)
    lamps = (Lamp("point", (1.0, 1.0, 1.0), way=lit), Lamp("point", (1.0, 1.0, 1.0), (0.0, 0.0, 1.0)))
    more = with_frames_between(replace(scene_of(ways, visible), lights=Lights(lamps)), times)
    assert more.lights is not None
    moving, resting = more.lights.lamps
    assert resting.way is None and moving.way is not None and len(moving.way) == more.frames
    shown = more.visible[:, 0]
    assert np.isnan(moving.way[~shown]).all()
    assert np.array_equal(moving.way[shown], more.world_from_instance[shown, 0])
