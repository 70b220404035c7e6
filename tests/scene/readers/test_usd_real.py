"""What MuJoCo exports as USD, against our reader of the same model; Newton's files are in ``test_third_party``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim2real.scene import Scene, load
from sim2real.scene.readers.mujoco.model import load_mujoco

pytest.importorskip("pxr")

from .usd_stages import world_points  # noqa: E402

MODEL = """<mujoco>
  <asset><mesh name="wedge" vertex="0 0 0  0.3 0 0  0 0.3 0  0 0 0.4"/></asset>
  <worldbody>
    <camera name="front" pos="0 -2 1" xyaxes="1 0 0 0 0.45 0.9"/>
    <light pos="0 0 3"/>
    <geom name="slab" type="box" size="1 1 0.05" pos="0 0 -0.05"/>
    <body name="arm" pos="0 0 0.5">
      <joint type="hinge" axis="0 0 1"/>
      <geom name="beam" type="box" size="0.3 0.05 0.05" pos="0.3 0 0" euler="0 20 0" rgba="1 0 0 1"/>
      <geom name="blade" type="mesh" mesh="wedge" pos="0.6 0 0" euler="10 20 30"/>
    </body>
  </worldbody>
</mujoco>"""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scene, Scene, Path]:
    """A model replayed by our reader, and the same states exported to USD by MuJoCo and read from there."""
    mujoco = pytest.importorskip("mujoco")
    exporter = pytest.importorskip("mujoco.usd.exporter")
    folder = tmp_path_factory.mktemp("export")
    (folder / "model.xml").write_text(MODEL)
    angles = np.linspace(0, 2, 5)[:, None]
    model = mujoco.MjModel.from_xml_path(str(folder / "model.xml"))
    data = mujoco.MjData(model)
    writer = exporter.USDExporter(
        model, output_directory="usd", output_directory_root=str(folder), camera_names=["front"], verbose=False
    )
    for angle in angles:
        data.qpos[:] = angle
        mujoco.mj_forward(model, data)
        writer.update_scene(data)
    writer.save_scene("usdc")
    path = folder / "usd" / "frames" / "frame_5.usdc"
    return load_mujoco(folder / "model.xml", states=angles), load(path), path


def sorted_triangles(points: np.ndarray) -> np.ndarray:
    """Triangles whatever their order and whichever corner they begin with."""
    centers = points.mean(axis=1)
    return points[np.lexsort(np.round(centers, 4).T)]


def test_what_mujoco_exports_has_the_triangles_and_ways_of_the_model(both):
    ours, exported, _ = both
    assert exported.frames == ours.frames == 5
    names = {"slab": "slab", "beam": "arm", "blade": "arm"}
    assert [i.name for i in exported.instances] == list(names)
    for frame in range(5):
        for body in ("slab", "arm"):
            mine = world_points(ours, frame, body).reshape(-1, 3)
            there = np.concatenate([world_points(exported, frame, n).reshape(-1, 3) for n, b in names.items() if b == body])
            mine, there = (np.unique(np.round(points, 9), axis=0) for points in (mine, there))
            gaps = np.linalg.norm(mine[:, None] - there[None], axis=2)
            assert gaps.min(axis=0).max() < 1e-5 and gaps.min(axis=1).max() < 1e-5


def test_a_mesh_that_mujoco_exports_has_the_same_triangles(both):
    ours, exported, _ = both
    mine = np.concatenate([world_points(ours, 3, "arm")])[-4:]
    np.testing.assert_allclose(sorted_triangles(world_points(exported, 3, "blade")), sorted_triangles(mine), atol=1e-5)


def test_the_cameras_that_mujoco_exports_stand_where_they_should_and_what_it_leaves_unsaid_is_said(both):
    ours, exported, _ = both
    camera = exported.camera("Camera_front")
    np.testing.assert_allclose(camera.world_from_camera, ours.camera("front").world_from_camera, atol=1e-6)
    notes = " ".join(exported.notes)
    assert "read as 1 m" in notes and "no field of view" in notes and "time codes after 4 are left out" in notes
    assert exported.visible.all()
