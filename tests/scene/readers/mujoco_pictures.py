"""MuJoCo's own pictures of a model, drawn in a process of its own (``MUJOCO_GL`` counts when mujoco is first imported).

As a script: ``python mujoco_pictures.py JOB.npz OUT.npz``; tests call ``mujoco_pictures``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


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
    """Geom numbers (-1: none) and depth, or RGB, of one view per row of ``qpos``; skips the test where there is no OpenGL.

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
    errors = []
    for backend in [os.environ["MUJOCO_GL"]] if "MUJOCO_GL" in os.environ else ["egl", "osmesa"]:
        environment = {**os.environ, "MUJOCO_GL": backend, "PYOPENGL_PLATFORM": backend}
        done = subprocess.run(
            [sys.executable, __file__, job, out], env=environment, capture_output=True, text=True, timeout=240
        )
        if done.returncode == 0:
            return dict(np.load(out))
        errors.append(f"{backend}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    pytest.skip(f"MuJoCo cannot draw here, install libegl1 libegl-mesa0 libgl1-mesa-dri libopengl0 ({'; '.join(errors)})")


def _aim(scene, world_from_camera: np.ndarray, k: np.ndarray, size: tuple[int, int], near: float) -> None:
    height, width = size
    for camera in scene.camera:
        camera.pos = world_from_camera[:3, 3]
        camera.forward = world_from_camera[:3, 2]
        camera.up = -world_from_camera[:3, 1]
        camera.frustum_top = near * k[1, 2] / k[1, 1]
        camera.frustum_bottom = -near * (height - k[1, 2]) / k[1, 1]
        camera.frustum_width = near * width / k[0, 0] / 2
        camera.frustum_center = near * (width / 2 - k[0, 2]) / k[0, 0]


def _draw(job: dict[str, np.ndarray]) -> dict[str, list[np.ndarray]]:
    import mujoco

    model = mujoco.MjModel.from_xml_path(str(job["model"]))
    data = mujoco.MjData(model)
    model.vis.quality.offsamples = 0
    model.vis.quality.shadowsize = 0
    model.vis.map.znear = float(job["near"]) / model.stat.extent
    model.mat_rgba[:, 3] = np.where(model.mat_rgba[:, 3] > 0, 1, 0)  # MuJoCo's depth looks through transparent geoms
    model.geom_rgba[:, 3] = np.where(model.geom_rgba[:, 3] > 0, 1, 0)
    options = mujoco.MjvOption()
    options.geomgroup[:] = [g in job["groups"] for g in range(6)]
    options.sitegroup[:] = 0
    size = tuple(int(n) for n in job["size"])
    out: dict[str, list[np.ndarray]] = {"geom": [], "depth": [], "rgb": []}
    with mujoco.Renderer(model, *size) as renderer:
        for k, qpos in enumerate(job["qpos"]):
            data.qpos[:] = qpos
            mujoco.mj_kinematics(model, data)
            mujoco.mj_comPos(model, data)
            mujoco.mj_camlight(model, data)
            named = len(job["names"]) > 0
            renderer.update_scene(data, str(job["names"][k]) if named else -1, options)
            if not named:
                _aim(renderer.scene, job["world_from_camera"][k], job["intrinsics"][k], size, float(job["near"]))
            if job["rgb"]:
                out["rgb"].append(renderer.render().copy())
                continue
            renderer.enable_segmentation_rendering()
            what = renderer.render()
            renderer.disable_segmentation_rendering()
            out["geom"].append(np.where(what[..., 1] == int(mujoco.mjtObj.mjOBJ_GEOM), what[..., 0], -1))
            renderer.enable_depth_rendering()
            out["depth"].append(renderer.render().copy())
            renderer.disable_depth_rendering()
    return out


if __name__ == "__main__":
    given = dict(np.load(sys.argv[1]))
    np.savez(sys.argv[2], **{key: np.array(value) for key, value in _draw(given).items() if value})
