"""Recorded cloth is read frame by frame: no file that holds many shapes of a mesh is in memory as a whole."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from sim2real.errors import UnreadableFileError
from sim2real.scene import Scene, load
from sim2real.scene.moving_vertices import MovingVertices

from .gltf_files import Gltf

FEW, MANY, SIDE = 30, 150, 60
GROWTH = (MANY - FEW) * SIDE * SIDE * 3 * 4
"""Bytes of all vertices of the additional frames in single precision."""


def grid() -> tuple[np.ndarray, np.ndarray]:
    x, y = np.meshgrid(np.linspace(-1, 1, SIDE), np.linspace(-1, 1, SIDE), indexing="ij")
    corner = (np.arange(SIDE - 1)[:, None] * SIDE + np.arange(SIDE - 1)).ravel()
    faces = np.stack([corner, corner + SIDE, corner + SIDE + 1, corner, corner + SIDE + 1, corner + 1], axis=1).reshape(-1, 3)
    return np.stack([x, y, np.zeros_like(x)], axis=-1).reshape(-1, 3).astype(np.float32), faces


def wave(frame: int) -> np.ndarray:
    """How far the cloth is from flat in a frame."""
    points, _ = grid()
    return points + np.stack([0 * points[:, 0], 0 * points[:, 0], 0.2 * np.sin(3 * points[:, 0] + 0.1 * frame)], axis=1)


def morphing(folder: Path, frames: int) -> Path:
    """As exporters without vertex caches have it: one morph target per frame, one after the other."""
    points, faces = grid()
    gltf = Gltf()
    mesh = gltf.mesh(points, faces.ravel().astype(np.uint16), name="cloth", targets=[wave(k) - points for k in range(frames)])
    node = gltf.node(mesh=mesh)
    gltf.animation((node, "weights", np.arange(frames) / 24, np.eye(frames), "LINEAR"))
    return gltf.save(folder / "cloth.glb")


def sampled(folder: Path, frames: int, name: str = "cloth.usdc", height: float = 0.0) -> Path:
    """A stage whose points have time samples, the y axis up as in the other file."""
    pytest.importorskip("pxr")
    from .usd_stages import add_mesh, new_stage

    points, faces = grid()
    stage = new_stage(folder / name, up="Y", frames=(0, frames - 1))
    attribute = add_mesh(stage, "/World/cloth", points, faces.tolist()).GetPointsAttr()
    attribute.Clear()
    for code in range(frames):
        attribute.Set((wave(code) + [0, 0, height]).astype(np.float32), code)
    stage.Save()
    return folder / name


def peak_of(path: Path) -> tuple[int, Scene]:
    """Bytes that Python holds at most while a file is read, and what is read."""
    tracemalloc.start()
    scene = load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak, scene


@pytest.mark.parametrize("written", [morphing, sampled])
def test_more_frames_take_no_more_memory_and_are_there_in_any_order(tmp_path, written: Callable[[Path, int], Path]):
    few = written(tmp_path, FEW)
    load(few)  # what is imported, and kept for good, does not count
    least, _ = peak_of(few)
    (tmp_path / "many").mkdir()
    most, scene = peak_of(written(tmp_path / "many", MANY))
    (mesh,) = scene.meshes
    assert scene.frames == MANY and isinstance(mesh.deformed, MovingVertices) and most - least < GROWTH / 3
    order = np.random.default_rng(0).permutation(MANY)[:20].tolist()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(mesh.deformed.frame, order))
    for frame, vertices in zip(order, found, strict=True):
        assert np.abs(vertices - wave(frame)).max() < 1e-5


def test_a_stage_that_was_written_anew_is_read_anew_while_the_old_one_is_held(tmp_path):
    path = sampled(tmp_path, 8)
    before = load(path).meshes[0].deformed
    os.replace(sampled(tmp_path, 8, "other.usdc", height=1.0), path)
    os.utime(path, (2e9, 2e9))
    assert np.abs(load(path).meshes[0].deformed[1] - wave(1) - [0, 0, 1]).max() < 1e-5
    assert before is not None


def test_points_that_no_longer_fit_are_one_line(tmp_path):
    path = sampled(tmp_path, 8)
    (mesh,) = load(path).meshes
    from pxr import Usd

    stage = Usd.Stage.Open(str(path))  # shares its layer with the one that the scene holds
    stage.GetPrimAtPath("/World/cloth").GetAttribute("points").Set(np.zeros((5, 3), np.float32), 1)
    with pytest.raises(UnreadableFileError, match="it has changed since it was opened; load it again.*cloth.usdc"):
        mesh.deformed[1]


def test_a_file_of_targets_that_is_cut_off_later_is_one_line(tmp_path):
    path = morphing(tmp_path, 20)
    (mesh,) = load(path).meshes
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UnreadableFileError, match="it was cut off while it was read; load it again.*cloth.glb"):
        mesh.deformed[10]
