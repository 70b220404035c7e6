"""A recording that robosuite itself has made, against MuJoCo's own renderer. Asked for by environment variables:

- ``SIM2REAL_THIRD_PARTY=1``: robosuite is installed in an environment of its own and records one (``third_party``); or
- ``SIM2REAL_ROBOSUITE_HDF5``: the file, such as one of robosuite's ``collect_human_demonstrations``, and
  ``SIM2REAL_ROBOSUITE_ASSETS``: the folder that robosuite is installed in.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.mujoco_agreement import Eyes, inner, instances_of_geoms
from sim2real.scene import LoadOptions, load
from sim2real.scene.readers.mujoco.labels import label_geoms
from sim2real.scene.readers.robomimic import _read_demo, _roots, demo_names, reroot

from .mujoco_pictures import mujoco_pictures
from .third_party import asked_for, recorded_lift

mujoco = pytest.importorskip("mujoco")

PATH, ASSETS = (os.environ.get(f"SIM2REAL_ROBOSUITE_{name}") for name in ("HDF5", "ASSETS"))
SIZE, FRAMES, GROUPS = (120, 160), [0, 15, 30], (1,)


@pytest.fixture(scope="module")
def lift() -> tuple[Path, str | None]:
    """A recording, and the folder of its assets."""
    if PATH is not None:
        return Path(PATH), ASSETS
    path, assets = recorded_lift()
    return path, str(assets)


@(asked_for if PATH is None else pytest.mark.slow)
@pytest.mark.network
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("camera", ["agentview", "robot0_eye_in_hand"])
def test_labels_and_depth_of_a_recording_of_robosuite_are_those_of_mujocos_renderer(tmp_path, camera, lift):
    path, assets = lift
    demo = _read_demo(path, demo_names(path)[0])
    scene = load(path, LoadOptions(size=SIZE), demo=demo.name, asset_root=assets, groups=GROUPS)
    xml, _ = reroot(demo.xml, _roots(assets))
    (tmp_path / "model.xml").write_text(xml)
    model = mujoco.MjModel.from_xml_path(str(tmp_path / "model.xml"))
    nothing, qpos = np.zeros((0, 4, 4)), demo.states[FRAMES, 1 : 1 + model.nq]
    theirs = mujoco_pictures(  # by the model's own camera, so that ours is judged, too
        tmp_path / "pictures",
        tmp_path / "model.xml",
        qpos,
        nothing,
        nothing[:, :3, :3],
        SIZE,
        scene.camera(camera).near,
        groups=GROUPS,
        names=[camera] * len(FRAMES),
    )
    owner = label_geoms(model, np.isin(model.geom_group, GROUPS)).geom_instance
    still = np.ptp(scene.world_from_instance[FRAMES], axis=0).max(axis=(1, 2)) < 1e-4
    moving = np.concatenate([[False], ~still])  # by id; 0 is the background
    eyes, found = Eyes(scene), []
    for k, frame in enumerate(FRAMES):
        ids = instances_of_geoms(theirs["geom"][k], owner)
        for ours in (eyes.picture(scene.camera(camera), frame), eyes.picture(scene.camera(camera), FRAMES[k - 1])):
            within = inner(ids)
            error = np.abs(ours.depth - theirs["depth"][k]) / theirs["depth"][k]
            found.append(
                [(ours.ids == ids)[within], (ours.ids == ids)[within & moving[ids]], error[within & (ours.ids == ids)]]
            )
    (every, robot, error), (_, other_robot, _) = (
        [np.concatenate(values) for values in zip(*found[k::2], strict=True)] for k in (0, 1)
    )
    worst = f"{np.quantile(error, 0.999):.1e} at 99.9 %, {error.max():.1e} at most"
    said = f"{every.mean():.5f} of {every.size} inner pixels agree, {robot.mean():.5f} of {robot.size} on what moves"
    print(f"{camera}: {said}; relative depth error {worst}")  # noqa: T201
    assert every.mean() >= 0.995 and robot.size > 300 and robot.mean() >= 0.995
    assert np.quantile(error, 0.995) < 1e-3
    assert other_robot.mean() < robot.mean() - 0.02, "pictures of another frame agree as well: nothing was compared"
