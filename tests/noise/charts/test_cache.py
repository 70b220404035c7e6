from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim2real.noise.charts import cache as chart_cache
from sim2real.noise.charts.build import charts_of
from sim2real.noise.charts.cache import cache_folder, cached_charts, content_key
from sim2real.noise.charts.mesh import MeshCharts, mesh_charts
from sim2real.scene.triangles import triangles_of
from tests.noise.views import camera, grid, scene

MESH = grid(2.0, 110)  # 24 200 faces, enough to be kept
EYE = np.eye(3)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("SIM2REAL_CACHE", str(tmp_path))
    return tmp_path / "charts"


class Builder:
    """Counts how often it had to build."""

    def __init__(self, mesh=MESH) -> None:
        self.mesh, self.calls = mesh, 0

    def __call__(self) -> MeshCharts:
        self.calls += 1
        return mesh_charts(self.mesh.vertices, self.mesh.faces, self.mesh.uv)

    def get(self, linear=EYE) -> MeshCharts:
        return cached_charts(
            lambda: content_key(self.mesh.vertices, self.mesh.faces, self.mesh.uv, linear), len(self.mesh.faces), self
        )


def same(a: MeshCharts, b: MeshCharts) -> bool:
    bits = a.coordinates.tobytes() == b.coordinates.tobytes() and a.from_uv.tobytes() == b.from_uv.tobytes()
    return bits and (a.side_m, a.islands) == (b.side_m, b.islands) and a.coordinates.flags.writeable


def test_charts_are_built_once_and_read_with_the_same_bits(folder):
    build = Builder(replace(MESH, uv=MESH.vertices[MESH.faces][..., :2] * 0.3))
    fresh, read = build.get(), build.get()
    assert build.calls == 1 and fresh.from_uv.all()
    assert same(fresh, read) and same(read, build())
    assert [f.suffix for f in folder.iterdir()] == [".charts"]


def test_scenes_read_what_scenes_wrote(folder, monkeypatch):
    made = scene([MESH], [camera([3.0, 0, 1])])
    fresh = charts_of(made, triangles_of(made))
    monkeypatch.setattr("sim2real.noise.charts.build.mesh_charts", lambda *_: pytest.fail("built again"))
    read = charts_of(made, triangles_of(made))
    assert fresh.coordinates.tobytes() == read.coordinates.tobytes() and np.array_equal(fresh.side_m, read.side_m)


def test_every_bit_of_the_content_and_of_the_algorithm_counts(monkeypatch):
    moved, other_faces = MESH.vertices.copy(), MESH.faces.copy()
    moved[7, 1] = np.nextafter(moved[7, 1], np.float32(9))
    other_faces[3] = other_faces[3, [1, 2, 0]]
    uv = MESH.vertices[MESH.faces][..., :2]
    keys = [
        content_key(MESH.vertices, MESH.faces, None, EYE),
        content_key(moved, MESH.faces, None, EYE),
        content_key(MESH.vertices, other_faces, None, EYE),
        content_key(MESH.vertices, MESH.faces, uv, EYE),
        content_key(MESH.vertices, MESH.faces, None, EYE + 1e-15),
    ]
    monkeypatch.setattr(chart_cache, "_algorithm", lambda: b"another version")
    keys.append(content_key(MESH.vertices, MESH.faces, None, EYE))
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("damage", ["truncated", "flipped bit", "empty", "garbage"])
def test_a_damaged_file_is_built_again(folder, damage):
    build = Builder()
    fresh = build.get()
    (file,) = folder.iterdir()
    held = bytearray(file.read_bytes())
    held[len(held) // 2] ^= 1
    file.write_bytes({"truncated": held[: len(held) // 3], "flipped bit": held, "empty": b"", "garbage": b"\0" * 999}[damage])
    assert same(build.get(), fresh) and build.calls == 2
    assert same(build.get(), fresh) and build.calls == 2


PROGRAM = """
import sys
import numpy as np
from sim2real.noise.charts.cache import cached_charts, content_key
from sim2real.noise.charts.mesh import mesh_charts
held = np.load(sys.argv[1])
mesh = held["vertices"], held["faces"], None
expected = mesh_charts(*mesh).coordinates.tobytes()
for _ in range(5):
    charts = cached_charts(lambda: content_key(*mesh, np.eye(3)), len(mesh[1]), lambda: mesh_charts(*mesh))
    assert charts.coordinates.tobytes() == expected
"""


@pytest.mark.slow
def test_several_processes_at_once_leave_one_whole_file(folder, tmp_path):
    np.savez(tmp_path / "mesh.npz", vertices=MESH.vertices, faces=MESH.faces)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "mesh.npz")]
    running = [subprocess.Popen(command, cwd=Path(__file__).parents[3]) for _ in range(3)]
    assert [p.wait() for p in running] == [0, 0, 0]
    assert [f.suffix for f in folder.iterdir()] == [".charts"]
    build = Builder()
    assert same(build.get(), build()) and build.calls == 1


def test_the_folder_stays_below_its_limit_and_keeps_what_was_read_last(folder, monkeypatch):
    build = Builder()
    build.get(EYE)
    (first,) = folder.iterdir()
    monkeypatch.setattr(chart_cache, "LIMIT_BYTES", int(2.5 * first.stat().st_size))
    build.get(2 * EYE)
    (second,) = set(folder.iterdir()) - {first}
    for age, file in ((2000, first), (1000, second)):
        os.utime(file, (time.time() - age, time.time() - age))
    build.get(EYE)  # read: used last
    left = folder / ".dead.partial"
    left.write_bytes(b"half")
    os.utime(left, (1, 1))
    build.get(3 * EYE)
    assert first.exists() and not second.exists() and not left.exists()
    assert len(list(folder.iterdir())) == 2


def test_the_cache_can_be_switched_off_and_needs_no_writable_folder(folder, monkeypatch):
    monkeypatch.setenv("SIM2REAL_CACHE", "off")
    build = Builder()
    assert cache_folder() is None and same(build.get(), build.get()) and build.calls == 2
    blocked = folder.parent / "a file"
    blocked.write_text("no folder")
    monkeypatch.setenv("SIM2REAL_CACHE", str(blocked))
    assert same(build.get(), build.get()) and build.calls == 4


def test_small_meshes_are_kept_in_memory_and_not_worth_a_file(folder, monkeypatch):
    build = Builder(grid(1.0, 3))
    assert same(build.get(), build()) and build.calls == 2
    assert same(build.get(), build.get()) and build.calls == 2
    assert not folder.exists()
    monkeypatch.setattr(chart_cache, "MOST_IN_MEMORY", 40)  # two of 18 faces each
    others = [Builder(grid(1.0 + k, 3)) for k in (1, 2)]
    assert [other.get() for other in others] and build.get() is not None
    assert [one.calls for one in (build, *others)] == [3, 1, 1]
    others[1].get(), others[0].get()
    assert [one.calls for one in (build, *others)] == [3, 2, 1]


def test_the_folder_follows_the_xdg_specification(monkeypatch):
    monkeypatch.delenv("SIM2REAL_CACHE")
    monkeypatch.setenv("HOME", "/somewhere")
    monkeypatch.setenv("XDG_CACHE_HOME", "/else where")
    assert cache_folder() == Path("/else where/sim2real/charts")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == Path("/somewhere/.cache/sim2real/charts")
