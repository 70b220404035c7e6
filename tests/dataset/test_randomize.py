"""Scenes varied by a seed: things stand on what carries them, cameras stay close, materials are those of the class."""

from __future__ import annotations

import numpy as np
import pytest

from sim2real.dataset.randomize import randomized, with_clutter, with_jitter, with_materials
from sim2real.scene import LoadOptions, Scene, check_cameras, load


@pytest.fixture(scope="module")
def tabletop() -> Scene:
    return load("scenes/tabletop.yaml", LoadOptions(frames=2, size=(60, 80)))


def boxes(scene: Scene, first: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Lowest and highest points of the instances from some number on."""
    found = []
    for instance in range(first, len(scene.instances)):
        points = []
        for part in scene.parts:
            if part.instance == instance:
                world = scene.world_from_instance[0, instance] @ part.instance_from_mesh
                points.append(scene.meshes[part.mesh].vertices @ world[:3, :3].T + world[:3, 3])
        found.append((np.concatenate(points).min(axis=0), np.concatenate(points).max(axis=0)))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_clutter_stands_on_the_ground_or_the_table_and_in_nothing_else(tabletop, seed):
    before = len(tabletop.instances)
    cluttered = with_clutter(tabletop, 5, seed)
    added = boxes(cluttered, before)
    assert 2 <= len(added) <= 5
    others = boxes(tabletop, 0)
    heights = [high[2] for _, high in others] + [low[2] for low, _ in others] + [0.0]
    for k, (low, high) in enumerate(added):
        assert min(abs(low[2] - height) for height in heights) < 0.01
        for other_low, other_high in [*added[:k], *others]:
            flat = other_high[2] - other_low[2] < 0.08 or other_high[2] <= low[2] + 0.01
            assert flat or not ((low < other_high) & (high > other_low)).all() or other_high[2] > 0.5
    check_cameras(cluttered)
    assert len({one.name for one in cluttered.instances}) == len(cluttered.instances)


def test_what_is_drawn_depends_on_the_seed_alone(tabletop):
    values = {"materials": 0.5, "clutter": 2, "camera_jitter": {"position_m": 0.05, "rotation_deg": 3.0}}
    one, again, other = (randomized(tabletop, values, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.world_from_instance, again.world_from_instance)
    assert [m.material.base_color for m in one.meshes] == [m.material.base_color for m in again.meshes]
    assert [m.material.base_color for m in one.meshes] != [m.material.base_color for m in other.meshes]
    assert randomized(tabletop, {}, 1) is tabletop


@pytest.mark.parametrize(("position_m", "rotation_deg"), [(0.0, 0.0), (0.1, 0.0), (0.0, 10.0), (0.02, 2.0)])
def test_cameras_move_at_most_as_far_as_they_may_and_alike_in_all_frames(tabletop, position_m, rotation_deg):
    for seed in range(5):
        for camera, moved in zip(tabletop.cameras, with_jitter(tabletop, position_m, rotation_deg, seed).cameras, strict=True):
            steps = np.linalg.inv(camera.world_from_camera) @ moved.world_from_camera
            assert np.allclose(steps, steps[:1], atol=1e-9)
            assert np.linalg.norm(steps[0, :3, 3]) <= position_m + 1e-9
            angle = np.rad2deg(np.arccos(np.clip((np.trace(steps[0, :3, :3]) - 1) / 2, -1, 1)))
            assert angle <= rotation_deg + 1e-5


def test_a_share_of_the_things_gets_other_materials(tabletop):
    assert all(a is b for a, b in zip(tabletop.parts, with_materials(tabletop, 0.0, 3).parts, strict=True))
    changed = with_materials(tabletop, 1.0, 3)
    for part in changed.parts:
        material = changed.meshes[part.mesh].material
        assert material.texture is None or material.base_color[3] < 1
    half = [with_materials(tabletop, 0.5, seed) for seed in range(6)]
    shares = [np.mean([a.mesh != b.mesh for a, b in zip(s.parts, tabletop.parts, strict=True)]) for s in half]
    assert 0.2 < np.mean(shares) < 0.8


@pytest.mark.slow
def test_no_room_is_said(tabletop):
    notes = with_clutter(tabletop, 60, 0).notes
    assert any("there was room for no more" in note for note in notes)
