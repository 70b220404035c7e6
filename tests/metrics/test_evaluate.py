from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from scipy import ndimage

from sim2real.cli import main
from sim2real.cli.evaluate import readable
from sim2real.clip import read_clip
from sim2real.clip.images import write_png
from sim2real.metrics.evaluate import evaluate
from sim2real.noise import NoiseLayout
from sim2real.render import RenderOptions, render_clip
from tests.metrics.pictures import dead_leaves
from tests.render.conftest import moving_scene


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip with footage: the render itself, blurred, and in other colors; the last two as seeds of one model."""
    only = {"depth", "instances", "edges", "rgb"}
    out = tmp_path_factory.mktemp("evaluate") / "clip"
    clip = render_clip(moving_scene(frames=3, size=(96, 128)), out, RenderOptions(layout=NoiseLayout(1, 3), only=only))
    for camera in clip.cameras:
        frames = [clip.rgb(camera, k) for k in range(clip.frames)]
        footage = {
            "same-0": frames,
            "made-0": [ndimage.gaussian_filter(frame, (3, 3, 0)) for frame in frames],
            "made-1": [frame[..., ::-1] // 2 for frame in frames],
        }
        for name, made in footage.items():
            where = out / camera / "generated" / name
            (where / "frames").mkdir(parents=True)
            for k, frame in enumerate(made):
                write_png(where / "frames" / f"{k:06d}.png", frame)
            (where / "settings.json").write_text("{}")
    return out


@pytest.fixture(scope="module")
def figures(folder):
    return evaluate(folder)


@pytest.mark.slow
def test_footage_that_is_the_render_keeps_all_of_it(figures):
    for found in figures["cameras"].values():
        same = found["generated"]["same-0"]
        assert same["psnr_db"] == found["rgb"]["psnr_db"]
        shares = "blur_ssim", "canny_f1_score", "canny_precision", "canny_recall"
        assert all(same[k] == 1 for k in (*shares, "borders_kept", "edges_explained", "boundary_agreement"))
        assert same["color_error"] == 0
        assert "borders_kept" not in found["rgb"], "the render is not compared with itself"


@pytest.mark.slow
def test_blur_loses_edges_and_other_colors_lose_colors(figures):
    for found in figures["cameras"].values():
        blurred, recolored = (found["generated"][f"made-{k}"] for k in (0, 1))
        assert blurred["canny_f1_score"] < 0.5 < recolored["boundary_agreement"]
        assert blurred["color_error"] < 5 < recolored["color_error"]
        assert blurred["blur_ssim"] > recolored["blur_ssim"]


@pytest.mark.slow
def test_the_table_has_a_row_per_footage_and_leaves_out_what_nobody_has(figures):
    lines = readable(figures)
    assert sum("/" in line for line in lines[1:]) == 8
    assert "borders" in lines[1] and "statistics" not in lines[1]
    assert len({len(line) for line in lines[1:]}) == 1, "columns are aligned"
    assert any(line.split()[0] == "moving/rgb" and line.rstrip().endswith("-") for line in lines)


@pytest.mark.slow
def test_seeds_and_photographs_are_compared_when_asked_for(folder, vgg, tmp_path, monkeypatch):
    monkeypatch.setattr("sim2real.metrics.perceptual.Vgg16", lambda: vgg)
    for k in range(4):
        Image.fromarray(dead_leaves(k, (120, 160))).save(tmp_path / f"{k}.png")
    found = evaluate(folder, photographs=tmp_path, diversity=True)
    for camera in found["cameras"].values():
        assert set(camera["diversity_score_lpips"]) == {"made"}, "one seed alone has nothing to be unlike"
        assert camera["diversity_score_lpips"]["made"] > 0.1
        near = {name: made["scene_statistics"] for name, made in camera["generated"].items()}
        assert near["same-0"] == camera["rgb"]["scene_statistics"] and near["made-0"] != near["same-0"]
        assert all(np.isfinite([*near.values(), camera["rgb"]["vgg_frechet"]]))
    assert "LPIPS between seeds" in "\n".join(readable(found))


@pytest.mark.slow
def test_the_command_prints_json_with_the_names_of_the_benchmark(folder):
    done = CliRunner().invoke(main, ["evaluate", str(folder), "--stride", "2", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)[0]["cameras"]["moving"]["generated"]["made-0"]
    assert {"psnr_db", "warp_error", "edge_agreement", "blur_ssim", "canny_f1_score"} <= set(found)


@pytest.mark.slow
def test_too_few_photographs_are_refused_before_anything_is_measured(folder, tmp_path):
    done = CliRunner().invoke(main, ["evaluate", str(folder), "--photographs", str(tmp_path)])
    assert done.exit_code == 1 and "is 0, must be at least 4" in done.stderr
    assert read_clip(folder).frames == 3
