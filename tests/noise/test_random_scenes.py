from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks import random_scenes
from benchmarks.random_scenes import checked_scene, disjoint, leaf_faults
from sim2real.metrics.small_frames import exact_scores, expected_maximum
from sim2real.noise import NoiseLayout
from tests.noise.views import Views, bumpy_room

SCENES = 40
"""How many CI draws; ``benchmarks/README.md`` says what came of thousands."""


@pytest.mark.slow
@settings(max_examples=SCENES, deadline=None)
@given(st.integers(0, 2**40), st.integers(0, 2**40))
@example(0, 8109)  # a latent sees a microscopic part alone, beside a far wall
@example(0, 6106)  # a latent's cells are all hardly wide enough to count
def test_no_scene_gives_a_frame_that_fails(seed, number):
    result = checked_scene(seed, number)
    assert not result["errors"], result
    # some 25 scores a scene: 5 sigma would be exceeded by chance once in a thousand runs, 5.5 once in twenty thousand
    assert all(abs(score) < 5.5 for _, score in result["worst"]), result


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 7), (3, 4, 5)])
def test_scores_of_small_white_frames_are_standard_normal_and_never_large(shape):
    rng = np.random.default_rng(5)
    table = [exact_scores(rng.standard_normal(shape)) for _ in range(200)]
    for name in table[0]:
        scores = np.array([row[name] for row in table])
        assert abs(scores).max() < 4.6, name
        if name not in ("tails", "ks", "pixels", "spectrum"):  # counts, one-sided p-values, maxima of several
            assert abs(scores.mean()) < 0.35 and 0.75 < scores.std() < 1.25, name


RNG = np.random.default_rng(11)
WHITE = RNG.standard_normal((4, 12, 14))


@pytest.mark.parametrize(
    ("defect", "damaged"),
    [
        ("mean", WHITE + 0.4),
        ("variance", WHITE * 1.3),
        ("pixels", WHITE * np.where(np.arange(168).reshape(12, 14) == 77, 20.0, 1.0)),
        ("tails", np.where(np.abs(WHITE) > 2, 2 * WHITE, WHITE)),
        ("ks", np.sign(WHITE)),
        ("below", (WHITE + np.roll(WHITE, 1, 1)) / np.sqrt(2)),
        ("right", (WHITE + np.roll(WHITE, 1, 2)) / np.sqrt(2)),
        ("diagonal", (WHITE + np.roll(WHITE, (1, 1), (1, 2))) / np.sqrt(2)),
        ("antidiagonal", (WHITE + np.roll(WHITE, (1, -1), (1, 2))) / np.sqrt(2)),
        ("below_2", (WHITE + np.roll(WHITE, 2, 1)) / np.sqrt(2)),
        ("right_2", (WHITE + np.roll(WHITE, 2, 2)) / np.sqrt(2)),
        ("channels", np.repeat(WHITE[:1], 4, axis=0)),
        ("spectrum", sum(np.roll(WHITE, (a, b), (1, 2)) for a in (0, 1) for b in (0, 1)) / 2),
        ("finite", np.where(WHITE > 2, np.nan, WHITE)),
    ],
)
def test_each_defect_of_a_small_frame_is_found(defect, damaged):
    assert max(abs(v) for v in exact_scores(WHITE).values()) < 4
    assert abs(exact_scores(damaged)[defect]) > 4.5


def test_the_expected_maximum_is_what_independent_scores_show():
    rng = np.random.default_rng(0)
    assert np.isclose(np.abs(rng.standard_normal((2000, 300))).max(axis=1).mean(), expected_maximum(300), atol=0.05)


def test_leaves_that_overlap_or_carry_other_values_are_noticed():
    views = Views(bumpy_room(1, size=(96, 128)), NoiseLayout(8, 3), seed=-4)
    leaves, values = views.leaves(), views.frame()
    assert disjoint(leaves) and not leaf_faults(leaves, values, views.charts, -4)
    child = {name: np.append(column, column[0]) for name, column in leaves.items()}
    assert not disjoint(child)
    child["level"][-1] += 1
    child["i"][-1], child["j"][-1] = 2 * child["i"][-1] + 1, 2 * child["j"][-1]
    assert not disjoint(child)
    assert leaf_faults(leaves, values + 0.01, views.charts, -4) == ["values are not the leaves' sums"]
    outside = leaves | {"pixel": leaves["pixel"] - 1}
    assert leaf_faults(outside, values, views.charts, -4) == ["a leaf is owned outside the picture"]
    moved = leaves | {"pixel": (leaves["pixel"] + 1) % views.pixels}
    assert leaf_faults(moved, values, views.charts, -4) == ["values are not the leaves' sums"]


def test_a_run_continues_where_it_was_killed(tmp_path, monkeypatch, capsys):
    log = tmp_path / "scores.jsonl"
    monkeypatch.setattr("sys.argv", ["random_scenes", "--scenes", "2", "--log", str(log)])
    random_scenes.main()
    whole = log.read_text()
    log.write_text(whole + whole[:40])
    monkeypatch.setattr("sys.argv", ["random_scenes", "--scenes", "3", "--log", str(log)])
    random_scenes.main()
    held = [json.loads(line) for line in log.read_text().splitlines()]
    assert [r["scene"] for r in held] == [0, 1, 2] and log.read_text().startswith(whole)
    assert "3 scenes, 6 frames" in capsys.readouterr().out
