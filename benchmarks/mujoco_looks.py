"""Do models look as MuJoCo draws them? ``python -m benchmarks.mujoco_looks [--sheet FILE.jpg] [--size 240 320]``.

Twenty-four published models in their resting states, as MuJoCo's viewer opens: its own picture (shadows, reflections, skybox
and all, four samples a pixel) beside our ``rgb``, lit by the model's own lamps, and beside the same under our sun and sky. SSIM
of the luminance, and mean values of the pictures. Packages that are not installed are passed over; ``benchmarks.mujoco_models``
says how they can be had without their dependencies.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from benchmarks.machine import machine
from benchmarks.mujoco_pictures import Painter, drawing_environment
from sim2real.camera_effects.tone import LUMA
from sim2real.conditions import Shader
from sim2real.metrics.pictures import ssim
from sim2real.raster import rasterizer
from sim2real.scene import Camera, LoadOptions, Scene, load, triangles_of

MODELS = (
    "gymnasium/envs/mujoco/assets/ant.xml",
    "gymnasium/envs/mujoco/assets/half_cheetah.xml",
    "gymnasium/envs/mujoco/assets/humanoid.xml",
    "gymnasium/envs/mujoco/assets/pusher_v5.xml",
    "gymnasium/envs/mujoco/assets/walker2d_v5.xml",
    "gymnasium_robotics/envs/assets/fetch/pick_and_place.xml",
    "gymnasium_robotics/envs/assets/hand/manipulate_block.xml",
    "gymnasium_robotics/envs/assets/hand/reach.xml",
    "gymnasium_robotics/envs/assets/adroit_hand/adroit_door.xml",
    "gymnasium_robotics/envs/assets/adroit_hand/adroit_hammer.xml",
    "gymnasium_robotics/envs/assets/kitchen_franka/kitchen_assets/kitchen_env_model.xml",
    "gym_aloha/assets/bimanual_viperx_transfer_cube.xml",
    "gym_aloha/assets/bimanual_viperx_insertion.xml",
    "robosuite/models/assets/robots/panda/robot.xml",
    "robosuite/models/assets/arenas/table_arena.xml",
    "robosuite/models/assets/arenas/bins_arena.xml",
    "metaworld/assets/sawyer_xyz/sawyer_drawer.xml",
    "metaworld/assets/sawyer_xyz/sawyer_coffee.xml",
    "metaworld/assets/sawyer_xyz/sawyer_window_horizontal.xml",
    "dm_control/suite/cheetah.xml",
    "dm_control/suite/dog.xml",
    "dm_control/suite/humanoid_CMU.xml",
    "dm_control/suite/manipulator.xml",
    "dm_control/suite/quadruped.xml",
)
NEAR = 0.02
COLUMNS = 4


@dataclass(frozen=True)
class Look:
    """One model: MuJoCo's picture, ours under its lamps, and ours under our sun and sky; what was left out."""

    name: str
    theirs: UInt8[np.ndarray, "height width 3"]
    ours: UInt8[np.ndarray, "height width 3"]
    sunny: UInt8[np.ndarray, "height width 3"]
    notes: tuple[str, ...]


def file_of(model: str) -> Path | None:
    """Where a model lies; ``None`` where its package is not installed."""
    package, _, rest = model.partition("/")
    spec = find_spec(package)
    folders = [] if spec is None else [Path(folder) for folder in spec.submodule_search_locations or ()]
    return next((folder / rest for folder in folders if (folder / rest).is_file()), None)


def look(model: str, path: Path, size: tuple[int, int]) -> Look:
    """The pictures of a model, from where MuJoCo's viewer opens."""
    import mujoco

    from sim2real.scene.readers.mujoco.replay import rest

    compiled = mujoco.MjModel.from_xml_path(str(path))
    data = mujoco.MjData(compiled)
    rest(compiled, data, None)
    mujoco.mj_forward(compiled, data)
    with Painter(compiled, size, as_is=True) as painter:
        painter.look(data, -1, NEAR, mujoco.MjvOption())
        theirs, aim = painter.rgb(), painter.aim()
    k, pose = aim.intrinsics[None], aim.world_from_camera[None]
    camera = Camera("viewer", size, k, pose, near=NEAR, projection="orthographic" if aim.parallel else "perspective")
    scene = replace(load(path, LoadOptions(size=size, light="model")), cameras=(camera,))
    return Look(model, theirs, shaded(scene), shaded(replace(scene, lights=None)), scene.notes)


def shaded(scene: Scene) -> UInt8[np.ndarray, "height width 3"]:
    """Our picture of the first frame."""
    triangles = triangles_of(scene)
    return Shader(scene, triangles, rasterizer(triangles)).frame(scene.cameras[0], 0)


def alike(a: UInt8[np.ndarray, "height width 3"], b: UInt8[np.ndarray, "height width 3"]) -> float:
    """SSIM of the luminance."""
    first, second = ((picture / 255 @ LUMA).astype(np.float32) for picture in (a, b))
    return ssim(first, second, value_range=1.0)


def sheet_of(looks: list[Look], size: tuple[int, int]) -> Image.Image:
    """MuJoCo's picture on the left of each pair, ours on the right."""
    height, width = size[0] // 2, size[1] // 2
    rows = -(-len(looks) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (2 * width + 6), rows * (height + 16)), "white")
    for place, one in enumerate(looks):
        x, y = place % COLUMNS * (2 * width + 6), place // COLUMNS * (height + 16)
        for column, picture in enumerate((one.theirs, one.ours)):
            sheet.paste(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX), (x + column * width, y + 14))
        ImageDraw.Draw(sheet).text((x + 2, y + 1), one.name.replace("/", " ", 1).rpartition("/")[2], fill="black")
    return sheet


def main() -> None:
    """Print a table; write a sheet if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--size", type=int, nargs=2, default=(240, 320))
    parser.add_argument("--drawing", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if not asked.drawing:
        command = [sys.executable, "-m", "benchmarks.mujoco_looks", "--drawing", *sys.argv[1:]]
        raise SystemExit(subprocess.run(command, env=drawing_environment()).returncode)
    size = tuple(asked.size)
    print(f"{machine()}; {size[0]}x{size[1]}\n")
    print("| model | SSIM | under sun and sky | mean of MuJoCo's | ours | under sun and sky |\n|---|---|---|---|---|---|")
    looks = []
    for model in MODELS:
        path = file_of(model)
        if path is None:
            print(f"| {model} | not installed | | | | |", flush=True)
            continue
        one = look(model, path, size)
        looks.append(one)
        means = " | ".join(f"{picture.mean():.0f}" for picture in (one.theirs, one.ours, one.sunny))
        print(f"| {model} | {alike(one.theirs, one.ours):.3f} | {alike(one.theirs, one.sunny):.3f} | {means} |", flush=True)
    if looks:
        scores = [(alike(one.theirs, one.ours), alike(one.theirs, one.sunny)) for one in looks]
        mean, sunny = np.mean(scores, axis=0)
        print(f"| mean of {len(looks)} | {mean:.3f} | {sunny:.3f} | | | |")
        left_out = {f"{one.name}: {note}" for one in looks for note in one.notes if "left out" in note}
        print("\n" + "\n".join(sorted(left_out)))
    if asked.sheet and looks:
        sheet_of(looks, size).save(asked.sheet, quality=82)


if __name__ == "__main__":
    main()
