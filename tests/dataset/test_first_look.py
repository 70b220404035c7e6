"""What is looked at before a dataset is made: what all clips of a source, or a format, would fail of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sim2real.dataset.config import read_config
from sim2real.dataset.first_look import look_at_scenes
from sim2real.dataset.folder import plan_into
from sim2real.dataset.plan import make_plan
from sim2real.errors import BadValueError, UnknownNameError

SCENE = """
frames: 2
fps: {fps}
size: [24, 32]
objects:
  - {{name: box, primitive: box, half_size: [0.1, 0.1, 0.1]}}
cameras:
  - {{name: {camera}, fov_deg: 40, position: [1, -1, 0.5], look_at: [0, 0, 0]}}
"""


def written(folder: Path, sources, **config) -> Path:
    for name, fps, camera in (("a", 10, "front"), ("b", 12, "front"), ("c", 10, "side")):
        (folder / f"{name}.yaml").write_text(SCENE.format(fps=fps, camera=camera))
    (folder / "broken.yaml").write_text("objects: [{name: box, mesh: nothing.obj}]\n")
    path = folder / "config.yaml"
    path.write_text(json.dumps({"sources": sources, **config}))
    return path


def look(folder: Path, sources, **config) -> None:
    path = written(folder, sources, **config)
    look_at_scenes(make_plan(read_config(path), folder))


def test_a_camera_that_a_later_source_lacks_is_found_before_anything_is_written(tmp_path):
    path = written(tmp_path, [{"scene": "a.yaml"}, {"scene": "c.yaml", "cameras": "frnt"}])
    with pytest.raises(UnknownNameError, match="frnt.*side"):
        plan_into(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_scene_that_cannot_be_read_is_left_to_its_clips(tmp_path):
    look(tmp_path, [{"scene": "broken.yaml"}, {"scene": "a.yaml", "cameras": "front"}])


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"scene": "b.yaml"}, "the frame rate of a.yaml and b.yaml.*10 and 12"),
        ({"scene": "c.yaml"}, "the cameras of a.yaml and c.yaml.*front and side"),
        ({"scene": "a.yaml", "size": [16, 16]}, "the pictures' size.*24x32 and 16x16"),
    ],
)
def test_sources_that_one_lerobot_dataset_cannot_hold_are_refused(other, says, tmp_path):
    sources = [{"scene": "a.yaml"}, other]
    look(tmp_path, sources, formats=["coco"])
    with pytest.raises(BadValueError, match=says):
        look(tmp_path, sources, formats=["lerobot"])


def test_sources_made_alike_by_the_config_are_taken(tmp_path):
    look(tmp_path, [{"scene": "a.yaml"}, {"scene": "b.yaml", "fps": 10}], formats=["lerobot"])
