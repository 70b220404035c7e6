"""MuJoCo's own pictures of a model, drawn in a process of its own (``MUJOCO_GL`` counts when mujoco is first imported).

As a module: ``python -m tests.scene.readers.mujoco_pictures JOB.npz OUT.npz``; tests call ``mujoco_pictures``.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from benchmarks.mujoco_pictures import Aim, NoOpenGLError, Painter, drawing_environment

ROOT = Path(__file__).parents[3]

_environment = cache(drawing_environment)


def mujoco_pictures(
    folder: Path,
    model: Path,
    qpos: np.ndarray,
    world_from_camera: np.ndarray,
    intrinsics: np.ndarray,
    size: tuple[int, int],
    near: float,
    *,
    groups: tuple[int, ...] = (0, 1, 2),
    rgb: bool = False,
    names: list[str] | None = None,
) -> dict[str, np.ndarray]:
    """Geom numbers (-1: none), numbers and ``mjtObj`` of anything, and depth, or RGB; a view per row of ``qpos``.

    Skips the test where there is no OpenGL.

    ``names`` of the model's own cameras go before ``world_from_camera`` and ``intrinsics``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    job, out = folder / "job.npz", folder / "pictures.npz"
    np.savez(
        job,
        model=str(model),
        qpos=qpos,
        world_from_camera=world_from_camera,
        intrinsics=intrinsics,
        size=size,
        near=near,
        groups=np.array(groups),
        rgb=rgb,
        names=np.array(names or [], dtype=str),
    )
    try:
        environment = _environment()
    except NoOpenGLError as error:
        pytest.skip(str(error))
    command = [sys.executable, "-m", "tests.scene.readers.mujoco_pictures", job, out]
    subprocess.run(command, env=environment, cwd=ROOT, check=True, timeout=240)
    return dict(np.load(out))


def _draw(job: dict[str, np.ndarray]) -> dict[str, list[np.ndarray]]:
    import mujoco

    model = mujoco.MjModel.from_xml_path(str(job["model"]))
    data = mujoco.MjData(model)
    options = mujoco.MjvOption()
    options.geomgroup[:] = [g in job["groups"] for g in range(6)]
    options.sitegroup[:] = 0
    out: dict[str, list[np.ndarray]] = {"geom": [], "kinds": [], "depth": [], "rgb": []}
    height, width = (int(n) for n in job["size"])
    with Painter(model, (height, width)) as painter:
        for k, qpos in enumerate(job["qpos"]):
            data.qpos[:] = qpos
            mujoco.mj_kinematics(model, data)
            mujoco.mj_comPos(model, data)
            mujoco.mj_camlight(model, data)
            mujoco.mj_flex(model, data)
            mujoco.mj_tendon(model, data)
            named = len(job["names"]) > 0
            camera = str(job["names"][k]) if named else Aim(job["world_from_camera"][k], job["intrinsics"][k])
            painter.look(data, camera, float(job["near"]), options)
            if job["rgb"]:
                out["rgb"].append(painter.rgb())
                continue
            out["geom"].append(painter.geoms())
            out["kinds"].append(painter.kinds().copy())
            out["depth"].append(painter.depth())
    return out


if __name__ == "__main__":
    given = dict(np.load(sys.argv[1]))
    np.savez(sys.argv[2], **{key: np.array(value) for key, value in _draw(given).items() if value})
