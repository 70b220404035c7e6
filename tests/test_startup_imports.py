"""A command imports what it uses: what others need costs seconds before anything happens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BOX = """<mujoco><worldbody>
  <camera name="front" pos="0 -2 1" xyaxes="1 0 0 0 0.45 0.9"/>
  <geom name="floor" type="plane" size="2 2 0.1"/>
  <body pos="0 0 0.3"><freejoint/><geom name="box" type="box" size="0.2 0.2 0.2"/></body>
</worldbody></mujoco>"""
TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
MODELS = {"diffusers", "transformers", "accelerate", "huggingface_hub", "safetensors", "torch._dynamo", "torch._inductor"}
DATA = {"pandas", "pyarrow", "h5py", "ray", "matplotlib", "cv2", "mitsuba", "sympy"}
MESHES = {"trimesh", "scipy", "networkx", "embreex"}
TENSORS = {"torch", "warp"}
OWN = {f"sim2real.{name}" for name in ("video", "metrics", "prepare", "training", "dataset", "noise.bake", "render.bake")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "box.xml").write_text(BOX)
    (tmp_path / "mesh.obj").write_text(TRIANGLE)
    np.save(tmp_path / "states.npy", np.array([[0, 0, 0.3, 1, 0, 0, 0]]))
    return tmp_path


def loaded_by(command: str, folder: Path) -> set[str]:
    """Every module that a command has imported by its end."""
    script = (
        "import atexit, sys\n"
        "atexit.register(lambda: open('modules', 'w').write(chr(10).join(sys.modules)))\n"
        "from sim2real.cli import main\n"
        "main()\n"
    )
    run = subprocess.run([sys.executable, "-c", script, *command.split()], cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return set((folder / "modules").read_text().splitlines())


@pytest.mark.slow
def test_rendering_a_mujoco_model_imports_no_reader_of_meshes_no_model_and_nothing_that_bakes(folder: Path) -> None:
    pytest.importorskip("mujoco")
    command = "render box.xml --states states.npy --size 32x40 --factor 8 --channels 4 --only noise,rgb,depth -o clip"
    loaded = loaded_by(command, folder)
    assert {"mujoco", "torch", "warp", "av", "sim2real.render.frame"} <= loaded
    assert not loaded & (MODELS | DATA | MESHES | OWN)


@pytest.mark.slow
def test_inspecting_imports_what_reads_and_no_more(folder: Path) -> None:
    pytest.importorskip("mujoco")
    assert not loaded_by("inspect box.xml --states states.npy", folder) & (MODELS | DATA | MESHES | TENSORS | OWN)
    loaded = loaded_by("inspect mesh.obj --orbit", folder)
    assert "trimesh" in loaded
    assert not loaded & (MODELS | DATA | TENSORS | OWN | {"mujoco"})
