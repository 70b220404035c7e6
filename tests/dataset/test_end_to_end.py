"""From a config to datasets that their own readers read, by the command that everybody uses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from sim2real.cli import main
from sim2real.clip import read_clip

h5py = pytest.importorskip("h5py")
pytest.importorskip("mujoco")

XML = """
<mujoco>
  <worldbody>
    <light pos="0 0 3"/>
    <geom name="floor" type="plane" size="2 2 .1" rgba=".4 .5 .4 1"/>
    <body name="arm" pos="0 0 .3">
      <joint name="turn" type="hinge" axis="0 0 1"/>
      <geom type="box" size=".3 .05 .05" rgba=".8 .3 .2 1"/>
    </body>
    <camera name="front" pos="0 -1.5 1" xyaxes="1 0 0 0 .55 .83"/>
  </worldbody>
</mujoco>
"""


def recorded(path: Path) -> Path:
    """Two demonstrations as robosuite records them: states are [time, qpos, qvel]."""
    rng = np.random.default_rng(3)
    with h5py.File(path, "w") as file:
        file.create_group("data").attrs["env_args"] = json.dumps({"env_kwargs": {"control_freq": 10}})
        for number, frames in enumerate((3, 4)):
            demo = file.create_group(f"data/demo_{number}")
            demo.attrs["model_file"] = XML
            turn = np.linspace(0, 1 + number, frames)
            demo["states"] = np.stack([np.arange(frames) / 10, turn, np.gradient(turn)], axis=1)
            demo["actions"] = rng.standard_normal((frames, 7)).astype(np.float32)
            demo["rewards"] = rng.random(frames)
    return path


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_recording_comes_out_as_it_went_in_with_new_pictures_and_as_lerobot_and_coco(tmp_path):
    recorded(tmp_path / "demo.hdf5")
    config = {
        "sources": [{"scene": "demo.hdf5", "demo": "*", "cameras": ["front"], "task": "turn the arm"}],
        "size": [48, 64],
        "variations": {"sample": 1, "materials": [1.0], "camera_jitter": [{"position_m": 0.02, "rotation_deg": 1}]},
        "formats": ["robomimic", "lerobot", "coco"],
        "gate": {"labels": 1, "noise": 5.5},
    }
    (tmp_path / "config.yaml").write_text(json.dumps(config))
    out = tmp_path / "out"
    done = CliRunner().invoke(main, ["dataset", str(tmp_path / "config.yaml"), "-o", str(out), "--workers", "1"])
    log = (out / "log.txt").read_text() if (out / "log.txt").is_file() else ""
    assert done.exit_code == 0, done.output + log
    assert "2 ok" in done.output

    clips = [read_clip(path) for path in sorted((out / "clips").iterdir())]
    assert sorted(clip.frames for clip in clips) == [3, 4]
    (written,) = (out / "robomimic").glob("*.hdf5")
    with h5py.File(tmp_path / "demo.hdf5") as source, h5py.File(written) as file:
        for name, demo in source["data"].items():
            for key in ("actions", "states", "rewards"):
                theirs, ours = demo[key][()], file[f"data/{name}/{key}"][()]
                assert theirs.dtype == ours.dtype
                assert theirs.tobytes() == ours.tobytes()
            assert file[f"data/{name}/obs/front_image"].shape == (len(demo["states"]), 48, 64, 3)

    import pyarrow.parquet as parquet
    from pycocotools.coco import COCO

    table = parquet.read_table(out / "lerobot" / "data")
    assert table.num_rows == 7
    with h5py.File(tmp_path / "demo.hdf5") as source:
        actions = np.concatenate([source[f"data/demo_{k}/actions"][()] for k in (0, 1)])
    assert np.array_equal(np.array(table.column("action").to_pylist(), np.float32), actions)
    coco = COCO(str(out / "coco" / "annotations.json"))
    assert len(coco.getImgIds()) == 7
    assert (out / "report.html").read_text().count("<tr data-n=") == 2
