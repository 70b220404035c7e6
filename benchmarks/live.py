"""How fast a running simulation is seen, and that it is seen as its clip: ``python -m benchmarks.live [--steps N]``.

The kitchen of gymnasium-robotics, stepped with random controls through ``LiveObservations``, at 240x320: states a second for
pictures, depth and labels, and with footage of the embedded model, as it is and quick; the memory of the process after a tenth
and at the end; and how many pictures differ from those of the clip of the recorded states, which must be none. In the end, how
far quick footage is from the usual one (PSNR).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import gymnasium
import mujoco
import numpy as np

from benchmarks.machine import machine
from sim2real.clip import Clip
from sim2real.clip.footage import footage_frame
from sim2real.diffusion import GenerateOptions, family_of, generate
from sim2real.live.observations import LiveObservations, model_and_data
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import LoadOptions
from sim2real.scene.load import completed
from sim2real.scene.readers.mujoco.model import scene_of_model
from sim2real.scene.readers.mujoco.states import Recording

SIZE = (240, 320)
KINDS = {"rgb": "rgb", "depth": "depth", "segmentation": "instances"}


class Kitchen(gymnasium.Env):
    """Its model, moved by random controls; the package's own environment does not run with MuJoCo 3.12 and newer."""

    def __init__(self) -> None:
        """Read the model where the package has it."""
        assets = Path(str(find_spec("gymnasium_robotics").origin)).parent / "envs" / "assets"  # type: ignore[union-attr]
        self.model = mujoco.MjModel.from_xml_path(str(assets / "kitchen_franka" / "kitchen_assets" / "kitchen_env_model.xml"))
        self.data = mujoco.MjData(self.model)
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (self.model.nq,), np.float64)
        self.action_space = gymnasium.spaces.Box(-1, 1, (self.model.nu,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict]:
        """The model's reference state."""
        super().reset(seed=seed)
        mujoco.mj_resetData(self.model, self.data)
        return self.data.qpos.copy(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        """A twentieth of a second."""
        self.data.ctrl[:] = action
        mujoco.mj_step(self.model, self.data, max(1, round(0.05 / self.model.opt.timestep)))
        return self.data.qpos.copy(), 0.0, False, False, {}


def megabytes() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


Stepped = tuple[list[dict], np.ndarray, mujoco.MjModel, list[float], list[float]]


def stepped(observe: list[str], cameras: int, steps: int, footage: GenerateOptions | None) -> Stepped:
    """Observations of all states, the states, the model, seconds of each look, and memory on the way."""
    env = Kitchen()
    kept, rows, seconds, memory = [], [], [], []
    model, data = model_and_data(env)
    names = [model.camera(k).name for k in range(cameras)]
    with LiveObservations(env, cameras=names, size=SIZE, observe=observe, footage=footage) as live:
        live.action_space.seed(0)
        observation, _ = live.reset(seed=0)
        look = live._observed  # noqa: SLF001 (timed without the physics)
        for step in range(steps):
            kept.append({name: picture for name, picture in observation.items() if name != "state"})
            rows.append(data.qpos.copy())
            env.step(live.action_space.sample())
            begun = time.perf_counter()
            observation = look(None)
            seconds.append(time.perf_counter() - begun)
            if step in (steps // 10, steps - 1):
                memory.append(megabytes() - sum(p.nbytes for o in kept for p in o.values()) / 1e6)
    return kept, np.array(rows), model, seconds, memory


def clip_of(model: mujoco.MjModel, rows: np.ndarray, cameras: int, folder: Path, footage: GenerateOptions | None) -> Clip:
    """The clip of recorded states."""
    options = LoadOptions(size=SIZE)
    scene = completed(scene_of_model(model, Path("kitchen"), Recording(rows), options.reading), options)
    more = () if footage is None else family_of(None).rendered_for(footage)
    names, kinds = [model.camera(k).name for k in range(cameras)], {*KINDS.values(), *more}
    quick = footage is not None and footage.quick
    clip = render_clip(scene, folder, RenderOptions(cameras=names, only=kinds, as_live=True, quick=quick, pages=False))
    if footage is not None:
        generate(clip.path, replace(footage, camera_effects="none"))
    return clip


def differing(observations: list[dict], clip: Clip) -> int:
    """Pictures that are not those of the clip."""
    wrong = 0
    for frame, observation in enumerate(observations):
        for key, picture in observation.items():
            camera, _, name = key.rpartition("/")
            camera = camera or clip.cameras[0]
            if name == "footage":
                there = footage_frame(clip.generated(camera)[0], frame)
            else:
                there = clip.picture(camera, KINDS[name], frame)
            wrong += not np.array_equal(picture, there)
    return wrong


def main() -> None:
    """Print a table; exits with 1 where a picture differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    steps = parser.parse_args().steps
    print(f"{machine()}; {SIZE[0]}x{SIZE[1]}\n")
    print("| observed | cameras | states | a second | MB after a tenth, at the end | differ |")
    print("|---|---|---|---|---|---|")
    wrong, films = 0, dict[bool, np.ndarray]()
    usual = ["rgb", "depth", "segmentation"]
    filmed, few = [*usual, "footage"], max(steps // 10, 2)
    plain, quick = GenerateOptions(), GenerateOptions(quick=True)
    for observe, cameras, count, footage in (
        (usual, 2, steps, None),
        (usual, 1, steps, None),
        (filmed, 1, few, plain),
        (filmed, 1, few, quick),
    ):
        observations, rows, model, seconds, memory = stepped(observe, cameras, count, footage)
        with tempfile.TemporaryDirectory() as folder:
            clip = clip_of(model, rows, cameras, Path(folder) / "clip", footage)
            found = differing(observations, clip)
        wrong += found
        if footage is not None:
            films[footage.quick] = np.array([one["footage"] for one in observations], np.float64)
        rate, grown = 1 / median(seconds), f"{memory[0]:.0f}, {memory[-1]:.0f}"
        what = ", ".join(observe) + (", quick" if footage is quick else "")
        print(f"| {what} | {cameras} | {len(rows)} | {rate:.1f} | {grown} | {found} |", flush=True)
    print(f"\nquick footage to the usual: {10 * np.log10(255**2 / np.square(films[True] - films[False]).mean()):.1f} dB")
    if wrong:
        sys.exit("error: a running simulation is not seen as its clip")


if __name__ == "__main__":
    main()
