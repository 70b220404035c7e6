"""What each reader takes: ``python -m benchmarks.readers [--only NAME...]``.

A small recording of every kind is written (the kitchen's is real), read, and rendered: 49 frames of 240x320 with noise,
depth, instances and RGB, one camera, two threads, from the file to the written clip. Recordings of fewer frames get some
between theirs. Wall time, and processor time, which other work on the machine does not lengthen; the peak of memory. Every
reader runs in a process of its own, in which importing its library counts as reading; charts are not taken from the cache.
What is not installed is passed over.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine
from benchmarks.scans import peak_gb

FRAMES, SIZE = 49, (240, 320)
KINDS = frozenset({"noise", "rgb", "depth", "instances"})
ROOT = Path(__file__).parent.parent
Written = tuple[Path, dict[str, Any]]
"""A file, and the options that it is read with."""


def _kitchen(_: Path) -> Written:
    return ROOT / "scenes" / "kitchen.yaml", {}


def _mjcf(folder: Path) -> Written:
    from tests.scene.readers.one_robot import write_mjcf

    return write_mjcf(folder, FRAMES), {"states": folder / "states.npy"}


def _robomimic(folder: Path) -> Written:
    import h5py

    from tests.scene.readers.one_robot import write_mjcf

    xml, path = write_mjcf(folder, FRAMES).read_text(), folder / "demo.hdf5"
    qpos = np.load(folder / "states.npy")
    with h5py.File(path, "w") as file:
        file.create_group("data").attrs["env_args"] = json.dumps({"env_name": "Lift", "env_kwargs": {"control_freq": 20}})
        demo = file["data"].create_group("demo_0")
        demo.attrs["model_file"] = xml.replace('file="', f'file="{folder}/')
        demo["states"] = np.concatenate([np.arange(FRAMES)[:, None] / 20, qpos, np.zeros_like(qpos)], axis=1)
    return path, {}


def _urdf(folder: Path) -> Written:
    from tests.scene.readers.one_robot import write_urdf

    return write_urdf(folder, FRAMES), {"joints": folder / "log.csv"}


def _usd(folder: Path) -> Written:
    from tests.scene.readers.one_robot import write_usd

    return write_usd(folder, FRAMES), {}


def _glb(folder: Path) -> Written:
    from tests.scene.readers.one_robot import write_glb

    return write_glb(folder, FRAMES), {}


def _isaac_lab(folder: Path) -> Written:
    from tests.scene.readers.simulator_logs import isaac_lab, mapping

    return isaac_lab(folder / "demo.hdf5"), {"mapping": mapping(folder)}


def _maniskill(folder: Path) -> Written:
    from tests.scene.readers.simulator_logs import maniskill, mapping

    other = {"articulations": {"arm": {"robot": "arm.urdf"}}, "cameras": []}
    return maniskill(folder / "trajectory.h5"), {"mapping": mapping(folder, other)}


def _isaac_sim(folder: Path) -> Written:
    from tests.scene.readers.simulator_logs import session

    return session(folder / "episode.hdf5"), {}


def _habitat(folder: Path) -> Written:
    from tests.scene.readers.simulator_logs import replay

    return replay(folder), {}


def _mcap(folder: Path) -> Written:
    from tests.scene.readers.bag_files import Words, mcap_of, of_arm
    from tests.scene.readers.urdf_robots import arm

    arm(folder)
    seconds = np.arange(FRAMES) / 24
    return mcap_of(folder / "run", of_arm(Words(), seconds, seconds)), {"packages": str(folder)}


def _scan(folder: Path) -> Written:
    from benchmarks.scans import written

    return written(folder, 20_000, "ply"), {}


READERS: dict[str, tuple[str, Callable[[Path], Written]]] = {
    "kitchen": ("scene file, gymnasium-robotics' kitchen in MuJoCo", _kitchen),
    "mujoco": ("MJCF and states, a robot of five links", _mjcf),
    "robomimic": ("HDF5 of robosuite's kin, the same", _robomimic),
    "urdf": ("URDF and a CSV of joints, the same", _urdf),
    "usd": ("USD with time samples, the same", _usd),
    "gltf": ("animated GLB, the same", _glb),
    "isaac_lab": ("HDF5 of Isaac Lab with a mapping, an arm and a cube", _isaac_lab),
    "maniskill": ("HDF5 of ManiSkill with a mapping, an arm and a cube", _maniskill),
    "isaac_sim": ("episode recorder of Isaac Sim, on its stage", _isaac_sim),
    "habitat": ("gfx-replay of Habitat, a room and a chair", _habitat),
    "mcap": ("MCAP of ROS 2, an arm and its camera", _mcap),
    "mesh": ("PLY scan with colors", _scan),
}

FEWER = {"isaac_lab": 10, "maniskill": 10, "isaac_sim": 10, "habitat": 16}
"""Of six or four recorded frames, so many times as many are made."""
FROM_AROUND = ("mcap",)
"""Those whose own camera is on the robot, and sees little."""


def measured(name: str, path: Path, options: dict[str, Any]) -> None:
    """Print the row of a reader."""
    from sim2real.noise import NoiseLayout
    from sim2real.render import RenderOptions, render_clip
    from sim2real.scene import LoadOptions, load

    os.environ["SIM2REAL_CACHE"] = "off"
    clocks = [_clocks()]
    wanted = LoadOptions(size=SIZE, frames=FRAMES, interpolate=FEWER.get(name, 1), orbit=name in FROM_AROUND)
    scene = load(path, wanted, **options)
    clocks.append(_clocks())
    triangles = sum(len(scene.meshes[part.mesh].faces) for part in scene.parts)
    clip = RenderOptions(
        cameras=[scene.cameras[-1 if wanted.orbit else 0].name], size=SIZE, layout=NoiseLayout(8, 16), only=KINDS, threads=2
    )
    with tempfile.TemporaryDirectory() as folder:
        render_clip(scene, Path(folder) / "clip", clip)
    clocks.append(_clocks())
    read, rendered = (clocks[k + 1] - clocks[k] for k in (0, 1))
    times = " | ".join(f"{seconds:.1f}" for seconds in (*read, *rendered))
    print(f"| {READERS[name][0]} | {triangles:,} | {times} | {peak_gb():.2f} |", flush=True)


def _clocks() -> np.ndarray:
    """Wall and processor time."""
    return np.array([time.perf_counter(), time.process_time()])


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=READERS, default=list(READERS), metavar="NAME")
    parser.add_argument("--run", nargs=3, metavar=("NAME", "FILE", "OPTIONS"), help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.run is not None:
        name, path, options = parsed.run
        measured(name, Path(path), json.loads(options))
        return
    print(f"{machine()}; {FRAMES} frames of {SIZE[0]}x{SIZE[1]}: {', '.join(sorted(KINDS))}\n")
    print("| recording | triangles | read, s | of a processor | rendered, s | of processors | peak GB |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for name in parsed.only:
        what, write = READERS[name]
        with tempfile.TemporaryDirectory() as folder:
            try:
                path, options = write(Path(folder))
            except ImportError as error:
                print(f"| {what} | not here: {error} | | | | | |", flush=True)
                continue
            told = json.dumps({key: str(value) for key, value in options.items()})
            subprocess.run([sys.executable, "-m", "benchmarks.readers", "--run", name, str(path), told], check=True)


if __name__ == "__main__":
    main()
