"""Milliseconds per frame of ``rgb`` beside MuJoCo's renderer and pyrender, in one run: ``python -m benchmarks.rgb_speed``.

The kitchen's model with its recorded states, through the camera of the scene file, at 480x640: ours (one thread, and two
over frames) in the scene's light; MuJoCo's own renderer with all it draws by default;
pyrender with one shadowed sun. Wall time, and processor time of the process, which other work on the machine does not lengthen.
Preparation is not counted. What is not importable is passed over. With ``--lift FILE`` also ours of a recording of robosuite's
Lift (``tests/scene/readers/record_lift.py`` makes one) through its agentview, where robosuite is installed for its assets.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.machine import machine
from benchmarks.mujoco_pictures import Aim, Painter, drawing_environment
from sim2real.conditions import Shader
from sim2real.devices import frame_pool
from sim2real.errors import Sim2RealError
from sim2real.optional import require
from sim2real.raster import rasterizer
from sim2real.scene import LoadOptions, Scene, load, triangles_of
from sim2real.transforms import OPENCV_FROM_OPENGL

SIZE = (480, 640)
FRAMES = 24
KITCHEN = Path(__file__).parent.parent / "scenes" / "kitchen.yaml"


def milliseconds(draw: Callable[[int], object], pool: ThreadPoolExecutor | None = None) -> tuple[float, float]:
    """Wall and processor time per frame, after one that does not count."""
    draw(0)
    wall, processor = time.perf_counter(), time.process_time()
    list(map(draw, range(1, FRAMES)) if pool is None else pool.map(draw, range(1, FRAMES)))
    count = 1e3 / (FRAMES - 1)
    return (time.perf_counter() - wall) * count, (time.process_time() - processor) * count


def ours(scene: Scene) -> Callable[[int], object]:
    """Our picture of a frame."""
    triangles = triangles_of(scene)
    shader = Shader(scene, triangles, rasterizer(triangles))
    return lambda frame: shader.frame(scene.cameras[0], frame)


def lift(recording: Path) -> Scene:
    """A recording of robosuite with its own assets.

    Raises:
        ImportError: robosuite is not installed.
    """
    found = find_spec("robosuite")
    if found is None or found.origin is None:
        raise ImportError("no module named robosuite")
    scene = load(
        recording, LoadOptions(frames=FRAMES, size=SIZE), asset_root=str(Path(found.origin).parent / "models" / "assets")
    )
    return replace(scene, cameras=(scene.camera("agentview"),))


def print_ours(name: str, scene: Scene) -> None:
    """Lines of the table for one thread and for two."""
    own = ours(scene)
    print(row(name, 1, milliseconds(own)), flush=True)
    with frame_pool(2) as pool:
        print(row(name, 2, milliseconds(own, pool)), flush=True)


def mujocos(scene: Scene) -> Callable[[int], object]:
    """MuJoCo's own picture of a frame, through the scene's camera."""
    import mujoco

    from sim2real.scene.readers.package_files import package_file

    package = "gymnasium_robotics/envs/assets/kitchen_franka/kitchen_assets/kitchen_env_model.xml"
    model = mujoco.MjModel.from_xml_path(str(package_file(package)))
    states = np.load(KITCHEN.parent.parent / "assets" / "kitchen" / "states.npy")[::2]
    data, painter, camera = mujoco.MjData(model), Painter(model, SIZE, as_is=True), scene.cameras[0]

    def draw(frame: int) -> object:
        data.qpos[:] = states[frame, -model.nq - model.nv : -model.nv]
        mujoco.mj_kinematics(model, data)
        mujoco.mj_camlight(model, data)
        aim = Aim(camera.world_from_camera[frame], camera.intrinsics[frame])
        painter.look(data, aim, camera.near, mujoco.MjvOption())
        return painter.rgb()

    return draw


def pyrenders(scene: Scene) -> Callable[[int], object]:
    """Pyrender's picture of a frame: smooth meshes of plain colors, one sun with shadows."""
    pyrender = require("pyrender", "gl")
    trimesh = require("trimesh", "mesh")
    stage = pyrender.Scene(ambient_light=(0.3, 0.3, 0.3))
    nodes = []
    for part in scene.parts:
        mesh = scene.meshes[part.mesh]
        color = (255 * np.array(mesh.material.base_color)).astype(np.uint8)
        shape = trimesh.Trimesh(mesh.vertices, mesh.faces, vertex_colors=np.tile(color, (len(mesh.vertices), 1)), process=False)
        nodes.append(stage.add(pyrender.Mesh.from_trimesh(shape)))
    camera = scene.cameras[0]
    k = camera.intrinsics[0]
    eye = stage.add(pyrender.IntrinsicsCamera(k[0, 0], k[1, 1], k[0, 2], k[1, 2], znear=camera.near))
    stage.add(pyrender.DirectionalLight(intensity=3.0), pose=camera.world_from_camera[0] @ OPENCV_FROM_OPENGL)
    renderer = pyrender.OffscreenRenderer(SIZE[1], SIZE[0])

    def draw(frame: int) -> object:
        for node, part in zip(nodes, scene.parts, strict=True):
            stage.set_pose(node, scene.world_from_instance[frame, part.instance] @ part.instance_from_mesh)
        stage.set_pose(eye, camera.world_from_camera[frame] @ OPENCV_FROM_OPENGL)
        return renderer.render(stage, flags=pyrender.RenderFlags.SHADOWS_DIRECTIONAL)

    return draw


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lift", type=Path, metavar="FILE", help="a recording of robosuite's Lift, HDF5")
    parser.add_argument("--drawing", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if not asked.drawing:
        command = [sys.executable, "-m", "benchmarks.rgb_speed", "--drawing", *sys.argv[1:]]
        raise SystemExit(subprocess.run(command, env=drawing_environment()).returncode)
    scene = load(KITCHEN, LoadOptions(frames=FRAMES, size=SIZE))
    scene = replace(scene, cameras=scene.cameras[:1])
    print(
        f"{machine()}; kitchen, {sum(len(scene.meshes[p.mesh].faces) for p in scene.parts):,} triangles, {SIZE[0]}x{SIZE[1]}\n"
    )
    print("| renderer | threads | wall, ms | processor, ms |\n|---|---|---|---|", flush=True)
    print_ours("rgb, scene's light", scene)
    if asked.lift:
        try:
            print_ours("rgb, robosuite's Lift", lift(asked.lift))
        except ImportError as error:
            print(f"| rgb, robosuite's Lift | not here: {error} | | |", flush=True)
    for name, other in (("MuJoCo", mujocos), ("pyrender", pyrenders)):
        try:
            print(row(name, 1, milliseconds(other(scene))), flush=True)
        except (Sim2RealError, ImportError) as error:
            print(f"| {name} | not here: {error} | | |", flush=True)


def row(name: str, threads: int, times: tuple[float, float]) -> str:
    """A line of the table."""
    return f"| {name} | {threads} | {times[0]:.0f} | {times[1]:.0f} |"


if __name__ == "__main__":
    main()
