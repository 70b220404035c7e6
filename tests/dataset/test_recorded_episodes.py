"""Datasets of other simulators' recordings: their demonstrations by name, and the numbers that belong to frames."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("h5py")

from sim2real.dataset.episodes import episode_of
from sim2real.errors import BadValueError
from sim2real.scene.readers.registry import demo_names
from tests.scene.readers.simulator_logs import FRAMES, cube_way, isaac_lab, maniskill, replay


def test_isaac_labs_actions_and_poses_go_into_datasets_frame_by_frame(tmp_path):
    path = isaac_lab(tmp_path / "demo.hdf5", demos=3)
    assert demo_names(path) == ["demo_0", "demo_1", "demo_2"]
    whole = episode_of(path, {"demo": "demo_1"})
    assert set(whole.arrays) == {"actions", "obs/robot_root_pose", "obs/robot_joint_position", "obs/cube_root_pose"}
    assert all(len(array) == FRAMES for array in whole.arrays.values())
    thinned = episode_of(path, {"demo": "demo_1"}, frames=2, stride=2).arrays["obs/cube_root_pose"]
    np.testing.assert_allclose(thinned, cube_way()[0][[0, 2]], atol=1e-6)


def test_maniskills_actions_are_left_out_for_there_is_one_fewer_than_states(tmp_path):
    assert "actions" not in episode_of(maniskill(tmp_path / "trajectory.h5"), {}).arrays


def test_files_without_demonstrations_say_so(tmp_path):
    with pytest.raises(BadValueError, match="demo is given, must be left out for a gfx-replay file"):
        demo_names(replay(tmp_path))
