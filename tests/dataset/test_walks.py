"""The walks of docs/datasets.md do what they say, from files to what a reader reads."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from sim2real.cli import main
from sim2real.dataset.ledger import read_ledger

from .test_end_to_end import XML, recorded

pytest.importorskip("mujoco")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools.mask.decode
DOCS = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+) (walk\d)(?:/(\S+))?\n(.*?)^```$", DOCS, flags=re.S | re.M)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the walks begin with."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "arm.xml").write_text(XML)
    np.save("states.npy", np.linspace(0, 1.5, 4)[:, None])
    recorded(tmp_path / "demo.hdf5")
    return tmp_path


def walk(name: str, **changes: str) -> str:
    """Do what a walk's blocks say, in order; returns what the commands print."""
    said = ""
    for language, walk_of, file, text in BLOCKS:
        if walk_of != name:
            continue
        if language == "yaml":
            for before, after in changes.items():
                assert before in text
                text = text.replace(before, after)
            Path(file).write_text(text)
        elif language == "sh":
            for line in text.strip().splitlines():
                done = CliRunner().invoke(main, shlex.split(line)[1:])
                log = Path("out/log.txt")
                assert done.exit_code == 0, done.output + (log.read_text() if log.is_file() else "")
                said += done.output
        else:
            exec(compile(text, f"docs/datasets.md, {name}", "exec"), {})
    return said


@pytest.mark.slow
@pytest.mark.usefixtures("place")
def test_mujoco_states_to_coco():
    said = walk("walk1")
    assert "4 clips with" in said and "4 ok" in said
    assert len(list(Path("out/clips").glob("*/front/generated/*/video.mp4"))) == 4


@pytest.mark.slow
@pytest.mark.usefixtures("place")
def test_demonstrations_of_robomimic_to_lerobot(capsys):
    assert "10 ok" in walk("walk2")
    assert capsys.readouterr().out.startswith("35 frames; ")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("place")
def test_clips_on_ray():
    pytest.importorskip("ray")
    said = walk("walk3", **{"sample: 200": "sample: 3"})
    assert "3 ok" in said and "all files are as they were made" in said
    assert {status.attempts for status in read_ledger(Path("out/ledger.parquet"))} == {1}
