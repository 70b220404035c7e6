"""Has robosuite record a demonstration of Lift in its own way: ``python record_lift.py FILE.hdf5``.

In an environment of its own, with nothing of ours: robosuite 1.5.2 needs a MuJoCo that is older than ours.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import robosuite
from robosuite.scripts.collect_human_demonstrations import gather_demonstrations_as_hdf5
from robosuite.wrappers import DataCollectionWrapper

STEPS = 60

told = {"robots": "Panda", "has_renderer": False, "has_offscreen_renderer": False, "use_camera_obs": False, "control_freq": 20}
with tempfile.TemporaryDirectory() as raw, tempfile.TemporaryDirectory() as whole:
    env = DataCollectionWrapper(robosuite.make("Lift", **told), raw)
    env.reset()
    low, high = env.action_spec
    rng = np.random.default_rng(0)
    for _ in range(STEPS):
        env.step(rng.uniform(low, high))
    env.successful = True  # only such ones are kept
    env.close()
    gather_demonstrations_as_hdf5(raw, whole, json.dumps({"env_name": "Lift", "env_kwargs": told}))
    (made,) = Path(whole).glob("*.hdf5")
    Path(sys.argv[1]).write_bytes(made.read_bytes())
