"""Two revisions of a benchmark are compared row by row, and nothing is left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import compare_checkouts
from benchmarks.compare_checkouts import measurements


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def committed(folder: Path, milliseconds: float) -> str:
    """A revision whose benchmark takes so long."""
    table = f"a machine\\n\\n| noise | threads | time |\\n|---|---|---|\\n| latents | 2 | {milliseconds} ms |"
    (folder / "bench.py").write_text(f'print("{table}")\n')
    git(folder, "add", "bench.py")
    git(folder, "commit", "--quiet", "--message", "one")
    return git(folder, "rev-parse", "HEAD")


def test_ratios_are_those_of_the_two_revisions(tmp_path, monkeypatch, capsys):
    git(tmp_path, "init", "--quiet")
    before, after = committed(tmp_path, 20.0), committed(tmp_path, 30.0)
    monkeypatch.setattr(compare_checkouts, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["compare_checkouts", before, after, "bench", "--rounds", "2"])
    compare_checkouts.main()
    assert "| latents, 2 | time | 20 ms | 30 ms | 1.50 |" in capsys.readouterr().out
    assert len(git(tmp_path, "worktree", "list").splitlines()) == 1


def test_a_revision_that_does_not_exist_and_a_benchmark_that_fails_end_in_one_line(tmp_path, monkeypatch):
    git(tmp_path, "init", "--quiet")
    only = committed(tmp_path, 20.0)
    monkeypatch.setattr(compare_checkouts, "ROOT", tmp_path)
    for revision, module, what in (("nowhere", "bench", "no working tree of nowhere"), (only, "absent", "absent failed")):
        monkeypatch.setattr(sys, "argv", ["compare_checkouts", revision, only, module])
        with pytest.raises(SystemExit, match=what):
            compare_checkouts.main()
    assert len(git(tmp_path, "worktree", "list").splitlines()) == 1


def test_measurements_are_numbers_with_a_point_or_a_unit_and_rows_of_one_name_stay_apart():
    rows = ["| x | 3 | 1.5 | 20 ms |", "| x | 3 | 2.5 | - |", "| x | 3 | 3.5 | 9 s |"]
    table = "\n".join(["| name | count | a | b |", "|---|---|---|---|", *rows, "", "| name |", "|---|", "| 7.0 |"])
    head = "name | count | a | b"
    assert measurements(table) == {
        (head, "x, 3", 1, "a"): (1.5, ""),
        (head, "x, 3", 1, "b"): (20.0, " ms"),
        (head, "x, 3, -", 1, "a"): (2.5, ""),
        (head, "x, 3", 2, "a"): (3.5, ""),
        (head, "x, 3", 2, "b"): (9.0, " s"),
        ("name", "", 1, "name"): (7.0, ""),
    }
