"""Dataset folders as accidents and strangers leave them: every command answers in a line and touches nothing outside."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from sim2real.cli import main
from sim2real.dataset.plan import Row, read_plan
from sim2real.errors import BadValueError, UnreadableFileError

from ..mutations import changed, damaged, fuzzed
from .test_runs import REPOSITORY, SITE, write_config

pyarrow = pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with four clips that are done, one that failed, and a format."""
    place = tmp_path_factory.mktemp("dataset")
    (place / "site").mkdir()
    (place / "site" / "sitecustomize.py").write_text(SITE)
    config = write_config(place, ["", "broken"], seeds=2)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(place / "site"), str(REPOSITORY)])}
    command = [sys.executable, "-m", "sim2real", "dataset", str(config), "-o", str(place / "out"), "--workers", "1"]
    assert subprocess.run(command, env=environment, capture_output=True).returncode == 1
    return place / "out"


def sums(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def spoil(folder: Path, outside: Path, rng: random.Random) -> None:
    """Damage a file, change what a record says, or put something else in its place."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".html")
    path, how = rng.choice(files), rng.randrange(6)
    if how < 2:
        path.write_bytes(damaged(path.read_bytes(), rng))
    elif how < 4 and path.suffix == ".json":
        path.write_text(json.dumps(changed(json.loads(path.read_text()), rng)))
    elif how == 4:
        path.unlink()
        (path.mkdir if rng.random() < 0.5 else lambda: path.symlink_to(outside))()
    else:
        for whole in [one for one in sorted((folder / "clips").iterdir()) if one.is_dir() and not one.is_symlink()][:1]:
            shutil.rmtree(whole)
            whole.symlink_to(outside)


@pytest.mark.slow
@fuzzed(25)
def test_no_folder_ends_in_a_traceback_or_touches_what_is_outside(dataset, rng, tmp_path_factory):
    place = tmp_path_factory.mktemp("spoiled")
    shutil.copytree(dataset, place / "out")
    shutil.copytree(dataset / "clips", place / "outside")
    before = sums(place / "outside")
    for _ in range(rng.choice([1, 1, 2, 3])):
        spoil(place / "out", place / "outside", rng)
    for command in ("status", "check", "merge"):
        done = CliRunner().invoke(main, ["dataset", command, str(place / "out")])
        assert done.exit_code in (0, 1), done.output
        assert "Traceback" not in done.output and "bug in sim2real" not in done.output
        assert all(len(line) < 2000 for line in done.stderr.splitlines())
    assert sums(place / "outside") == before
    assert sorted(path.name for path in place.iterdir()) == ["out", "outside"]
    shutil.rmtree(place)


@pytest.mark.parametrize("name", ["../outside", "a/b", "", ".", "..", "a\0b", "clip\n"])
def test_a_plan_cannot_name_folders_outside(dataset, tmp_path, name):
    import pyarrow.parquet as parquet

    table = parquet.read_table(dataset / "plan.parquet")
    rows = [json.loads(text) for text in table.column("row").to_pylist()]
    rows[0]["clip_id"] = name
    column = pyarrow.array([json.dumps(row) for row in rows])
    parquet.write_table(table.set_column(table.column_names.index("row"), "row", column), tmp_path / "plan.parquet")
    with pytest.raises(UnreadableFileError, match="name of a clip"):
        read_plan(tmp_path / "plan.parquet")
    with pytest.raises(BadValueError, match="name of a clip"):
        Row.of_json(json.dumps(rows[0]))


def test_clips_that_are_links_elsewhere_are_not_followed_when_they_are_tried_again(dataset, tmp_path):
    from sim2real.dataset.folder import forget_failures, open_dataset

    shutil.copytree(dataset, tmp_path / "out")
    shutil.copytree(dataset / "clips", tmp_path / "outside")
    before = sums(tmp_path / "outside")
    _, rows = open_dataset(tmp_path / "out")
    linked = next(path for path in (tmp_path / "out" / "clips").iterdir() if path.is_dir())
    shutil.rmtree(linked)
    linked.symlink_to(tmp_path / "outside")
    assert forget_failures(rows, tmp_path / "out") == 3
    assert not linked.exists() and not linked.is_symlink()
    assert sums(tmp_path / "outside") == before
