from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from sim2real.cli import main
from sim2real.clip import read_clip
from sim2real.clip.images import write_png
from tests.flow.pictures import panned

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("pictures")
    for k in range(3):
        write_png(made / f"{k}.png", panned(0, (2.0 * k, 0.0), (64, 96)))
    return made


def run(*arguments: object):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def error(*arguments: object) -> str:
    result = run("warp", *arguments)
    errors = [line for line in result.stderr.strip().splitlines() if not line.startswith("note: ")]
    assert result.exit_code == 1, result.output
    assert len(errors) == 1, result.stderr
    return errors[0]


def test_a_folder_of_pictures_becomes_a_clip(folder, tmp_path):
    pytest.importorskip("cv2")
    output = tmp_path / "clip"
    done = run("warp", folder, "-o", output, "--for", "wan-vace", "--seed", 3, "--degradation", "0.5", "--fps", 12)
    assert done.exit_code == 0, done.stderr
    clip = read_clip(output)
    assert str(output / "sheet.png") in done.output
    assert (clip.record.seed, clip.record.fps, clip.noise_record().method) == (3, 12, "video")
    assert clip.noise_record().beta == pytest.approx(0.5**0.5)
    assert clip.noise("video").shape == (2, 16, 8, 12)
    assert clip.record.scene.options["fps"] == 12
    assert run("evaluate", output).exit_code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "instances, which videos do not have; --for wan-vace, --for wan, --for wan-ti2v need nothing else"),
        (["--for", "wan-vace", "--frames", 2], "the number of frames is 2, must be 4 n + 1 for wan-vace"),
        (["--for", "wan-vace", "--frames", 1, "--size", "56x96"], "the size is 56x96, must be multiples of 16 for wan-vace"),
        (["--for", "text2video-zero", "--frames", 9], "the video has 3 frames, fewer than --frames 9"),
        (["--for", "text2video-zero"], None),
    ],
)
def test_it_says_before_any_work_what_will_not_come_of_a_video(folder, tmp_path, words, says):
    pytest.importorskip("cv2")
    done = run("warp", folder, "-o", tmp_path / "clip", "--intrinsics", "90,90,48,32", *words)
    assert done.exit_code == 0, done.stderr
    notes = [line for line in done.stderr.splitlines() if line.startswith("note: ") and "scaled to cover" not in line]
    assert len(notes) == (says is not None) and (says is None or says in notes[0])


def test_faults_are_one_line(folder, tmp_path):
    output = tmp_path / "clip"
    (tmp_path / "text.mp4").write_text("not a video")
    assert "the video cannot be read" in error(tmp_path / "text.mp4", "-o", output)
    assert "video not found" in error(tmp_path / "nowhere.mp4", "-o", output)
    assert "must be a multiple of 8 (nearest: 48 or 56)" in error(folder, "-o", output, "--size", "50x96", "--factor", 8)
    vectors = tmp_path / "vectors"
    vectors.mkdir()
    for k in range(2):
        np.save(vectors / f"{k}.npy", np.zeros((10, 10, 2), np.float32))
    assert "the shape of the motion is (10, 10, 2), must be (64, 96, 2)" in error(folder, "-o", output, "--flow", vectors)
    assert "--stride is 2, must be 1 with --flow" in error(folder, "-o", output, "--flow", vectors, "--stride", 2)
    assert "--intrinsics" in error(folder, "-o", output, "--poses", vectors / "0.npy")
    assert "--weights" in error(folder, "-o", output, "--weights", "raft.pth")
    assert "both say the same" in error(folder, "-o", output, "--beta", 0.9, "--degradation", 0.3)
    output.mkdir()
    assert "output exists already" in error(folder, "-o", output)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
def test_without_opencv_the_extra_is_named(folder, tmp_path):
    hide = "import sys; sys.modules['cv2'] = None\nfrom sim2real.cli import main\n"
    script = hide + f"main(['warp', {str(folder)!r}, '-o', {str(tmp_path / 'clip')!r}])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "pip install 'sim2real[flow]'" in done.stderr.strip().splitlines()[-1]
    assert not (tmp_path / "clip").exists()
