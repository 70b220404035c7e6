"""Seconds and peak memory of rendering a scan, stage by stage: ``python -m benchmarks.scans --triangles 5000000``.

The scan is a lumpy closed surface whose vertices are off by a tenth of an edge, as those of fused depth pictures are, so
that its chart has many islands; it has colors. Two frames of 240x320 along a camera track are rendered: noise, RGB, depth and
instances. Charts are built, not taken from the cache. Every run is a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.machine import machine

SIZE, FRAMES = (240, 320), 2
RADIUS_M = 2.0
KINDS = frozenset({"noise", "rgb", "depth", "instances"})


def scan(triangles: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (float32, metres), faces (int32) and colors (uint8) of a lumpy ball of about so many triangles."""
    side = max(2, round((triangles / 2) ** 0.5))
    rows, columns = side, side
    v, u = np.mgrid[: rows + 1, :columns]
    polar, around = np.pi * v / rows, 2 * np.pi * (u + v / 2) / columns
    unit = np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], axis=-1)
    lumps = 0.2 * np.sin(5 * unit[..., 0]) * np.cos(7 * unit[..., 1]) + 0.02 * np.sin(60 * unit[..., 2] + 40 * unit[..., 0])
    rng = np.random.default_rng(0)
    jitter = rng.normal(0, np.pi * RADIUS_M / rows / 10, (rows + 1, columns))
    jitter[[0, -1]] = jitter[[0, -1], :1]
    vertices = (unit * (RADIUS_M * (1 + lumps) + jitter)[..., None]).reshape(-1, 3).astype(np.float32)
    corner = (np.arange(rows)[:, None] * columns + np.arange(columns)).ravel()
    right = (np.arange(rows)[:, None] * columns + (np.arange(columns) + 1) % columns).ravel()
    faces = np.concatenate(
        [np.stack([corner, corner + columns, right], 1), np.stack([right, corner + columns, right + columns], 1)]
    )
    colors = np.clip(255 * (0.5 + 0.4 * unit), 0, 255).astype(np.uint8).reshape(-1, 3)
    return vertices, faces.astype(np.int32), colors


def write_ply(path: Path, vertices: np.ndarray, faces: np.ndarray, colors: np.ndarray) -> None:
    """Binary, little-endian, with colors, as scanners' software writes it."""
    fields = [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("red", "u1"), ("green", "u1"), ("blue", "u1")]
    points = np.empty(len(vertices), fields)
    for k, name in enumerate("xyz"):
        points[name] = vertices[:, k]
    for k, name in enumerate(("red", "green", "blue")):
        points[name] = colors[:, k]
    rows = np.empty(len(faces), [("n", "u1"), ("i", "<i4", 3)])
    rows["n"], rows["i"] = 3, faces
    lines = ["ply", "format binary_little_endian 1.0", f"element vertex {len(points)}"]
    lines += [f"property {'float' if kind == '<f4' else 'uchar'} {name}" for name, kind in fields]
    lines += [f"element face {len(rows)}", "property list uchar int vertex_indices", "end_header", ""]
    with path.open("wb") as file:
        file.write("\n".join(lines).encode())
        points.tofile(file)
        rows.tofile(file)


def write_stl(path: Path, vertices: np.ndarray, faces: np.ndarray) -> None:
    """Binary."""
    rows = np.zeros(len(faces), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("more", "<u2")])
    rows["corners"] = vertices[faces]
    with path.open("wb") as file:
        file.write(b"\0" * 80 + np.uint32(len(rows)).tobytes())
        rows.tofile(file)


def write_obj(path: Path, vertices: np.ndarray, faces: np.ndarray, colors: np.ndarray) -> None:
    """With colors behind the places, as MeshLab writes it."""
    with path.open("wb") as file:
        np.savetxt(file, np.concatenate([vertices, colors / 255], axis=1), fmt="v %.6f %.6f %.6f %.4f %.4f %.4f")
        np.savetxt(file, faces + 1, fmt="f %d %d %d")


def write_glb(path: Path, vertices: np.ndarray, faces: np.ndarray, colors: np.ndarray) -> None:
    """One primitive with COLOR_0."""
    import trimesh

    trimesh.Trimesh(vertices, faces, vertex_colors=colors, process=False).export(path)


def write_track(path: Path) -> None:
    """TUM's format: two poses before the scan, looking at it along +x."""
    rows = [f"{k / 10} {-3.2 * RADIUS_M} {0.1 * k} 0.2 -0.5 0.5 -0.5 0.5" for k in range(FRAMES)]
    path.write_text("\n".join(rows) + "\n")


def written(folder: Path, triangles: int, kind: str) -> Path:
    """The scan as a file."""
    vertices, faces, colors = scan(triangles)
    path = folder / f"scan.{kind}"
    if kind == "stl":
        write_stl(path, vertices, faces)
    else:
        {"ply": write_ply, "obj": write_obj, "glb": write_glb}[kind](path, vertices, faces, colors)
    return path


def peak_gb() -> float:
    """The most memory that this process has held since ``forget_peak``."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e9


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Print what a stage takes."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    start = time.perf_counter()
    yield
    print(f"| {name} | {time.perf_counter() - start:.1f} | {peak_gb():.2f} |", flush=True)


def stages(path: Path, track: Path) -> None:
    """Read, lay out and render, each by itself."""
    from sim2real.noise import NoiseLayout, SurfaceNoise, charts_of
    from sim2real.raster import rasterizer, view_of
    from sim2real.scene import LoadOptions, load, triangles_of

    os.environ["SIM2REAL_CACHE"] = "off"
    print("| stage | s | peak GB |\n|---|---|---|")
    with stage("read"):
        scene = load(path, LoadOptions(camera_track=track, size=SIZE))
    with stage("triangles"):
        triangles = triangles_of(scene)
    with stage("rasterizer and first view"):
        views = rasterizer(triangles)
        view = view_of(scene, scene.cameras[0], 0)
        seen = views.visibility(view)
    with stage("charts"):
        charts = charts_of(scene, triangles)
    with stage("noise"):
        SurfaceNoise(charts, triangles, NoiseLayout(8, 16)).frame(seen, view)


def whole(path: Path, track: Path) -> None:
    """The command ``render``."""
    from sim2real.noise import NoiseLayout
    from sim2real.render import RenderOptions, render_clip
    from sim2real.scene import LoadOptions, load

    os.environ["SIM2REAL_CACHE"] = "off"
    start = time.perf_counter()
    scene = load(path, LoadOptions(camera_track=track, size=SIZE))
    triangles = sum(len(scene.meshes[part.mesh].faces) for part in scene.parts)
    options = RenderOptions(layout=NoiseLayout(8, 16), only=KINDS, threads=2)
    render_clip(scene, path.parent / "clip", options)
    print(f"| {path.suffix} | {triangles:,} | {time.perf_counter() - start:.0f} | {peak_gb():.2f} |", flush=True)


def main() -> None:
    """Print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--triangles", type=int, default=1_000_000)
    parser.add_argument("--kinds", default="ply", help="of files: ply,stl,glb,obj")
    parser.add_argument("--stages", action="store_true", help="what every stage takes")
    parser.add_argument("--run", nargs=3, metavar=("WHAT", "SCAN", "TRACK"), help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.run is not None:
        {"whole": whole, "stages": stages}[parsed.run[0]](Path(parsed.run[1]), Path(parsed.run[2]))
        return
    print(f"{machine()}; {FRAMES} frames of {SIZE[0]}x{SIZE[1]}: {', '.join(sorted(KINDS))}\n")
    if not parsed.stages:
        print("| file | triangles | s in all | peak GB |\n|---|---|---|---|", flush=True)
    for kind in parsed.kinds.split(","):
        with tempfile.TemporaryDirectory() as folder:
            write_track(track := Path(folder) / "track.txt")
            what = "stages" if parsed.stages else "whole"
            path = written(Path(folder), parsed.triangles, kind)
            subprocess.run([sys.executable, "-m", "benchmarks.scans", "--run", what, str(path), str(track)], check=True)


if __name__ == "__main__":
    main()
