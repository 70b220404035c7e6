"""A policy's view of a gymnasium environment: usual spaces, and the bits of the clip of the recorded states."""

from __future__ import annotations

import numpy as np
import pytest

from sim2real.errors import BadValueError, UnknownNameError
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import LoadOptions, load

gymnasium = pytest.importorskip("gymnasium")
mujoco = pytest.importorskip("mujoco")

ARM = """
<mujoco>
  <option timestep="0.01"/>
  <worldbody>
    <geom type="plane" size="0 0 1" rgba=".6 .5 .4 1"/>
    <body name="arm" pos="0 0 .5">
      <joint name="shoulder" axis="0 1 0"/>
      <geom type="capsule" fromto="0 0 0 .4 0 0" size=".05" rgba=".8 .2 .2 1"/>
    </body>
    <camera name="front" pos="1.5 -1.5 1" xyaxes=".7 .7 0 -.3 .3 .9"/>
    <camera name="side" pos="0 -2 1" xyaxes="1 0 0 0 .3 .9"/>
  </worldbody>
  <actuator><motor joint="shoulder"/></actuator>
</mujoco>
"""


class Arm(gymnasium.Env):
    """A pendulum that starts where the seed says."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float64)

    def __init__(self) -> None:
        self.model = mujoco.MjModel.from_xml_string(ARM)
        self.data = mujoco.MjData(self.model)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[0] = self.np_random.uniform(-1, 1)
        return self._state(), {}

    def step(self, action):
        self.data.ctrl[:] = action
        mujoco.mj_step(self.model, self.data, 5)
        return self._state(), 0.0, False, False, {}

    def _state(self):
        return np.array([self.data.qpos[0], self.data.qvel[0]])


def wrapped(env=None, **options):
    from sim2real.live.observations import LiveObservations

    return LiveObservations(env or Arm(), **{"size": (32, 48), **options})


@pytest.mark.slow
def test_observations_are_those_of_the_space_and_of_the_clip_and_episodes_begin_anew(tmp_path):
    (tmp_path / "arm.xml").write_text(ARM)
    with wrapped(cameras=["front"], observe=["rgb", "depth", "segmentation", "footage"]) as env:
        for seed in (1, 2):
            found, rows = [env.reset(seed=seed)[0]], []
            rows.append(env.unwrapped.data.qpos.copy())
            for _ in range(3):
                found.append(env.step([0.5])[0])
                rows.append(env.unwrapped.data.qpos.copy())
            assert all(env.observation_space.contains(one) for one in found)
            np.save(tmp_path / "states.npy", np.array(rows))
            scene = load(tmp_path / "arm.xml", LoadOptions(size=(32, 48)), states=tmp_path / "states.npy")
            options = RenderOptions(cameras=["front"], as_live=True, pages=False)
            clip = render_clip(scene, tmp_path / f"clip-{seed}", options)
            for frame, one in enumerate(found):
                assert np.array_equal(one["rgb"], clip.rgb("front", frame))
                assert np.array_equal(one["depth"], clip.depth("front", frame))
                assert np.array_equal(one["segmentation"], clip.instances("front", frame))
        assert set(env.instances.values()) == {"arm", "geom_0"}
        assert set(np.unique(found[0]["segmentation"])) <= {0, *env.instances}


def test_several_cameras_have_keys_of_their_own():
    with wrapped(observe=["depth"]) as env:
        keys = {"state", "front/depth", "side/depth"}
        assert set(env.observation_space.spaces) == keys
        assert set(env.reset(seed=0)[0]) == keys


def test_environments_without_mujoco_and_unknown_observations_are_refused():
    class Plain(gymnasium.Env):
        observation_space = action_space = gymnasium.spaces.Discrete(2)

    with pytest.raises(BadValueError, match="mujoco=lambda env"):
        wrapped(Plain())
    with pytest.raises(UnknownNameError, match="rgb, depth, segmentation, footage"):
        wrapped(observe=["colour"])
