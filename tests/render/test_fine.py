"""Clips with finer pictures: the same rollout, seen with smaller pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim2real.clip import command_for, read_clip
from sim2real.clip.within import FINE, finer
from sim2real.errors import BadValueError
from sim2real.metrics.whiteness import whiteness
from sim2real.noise import NoiseLayout
from sim2real.render import RenderOptions, render_clip

from .conftest import SIZE

ONLY = {"rgb", "depth", "noise", "instances"}


def options(**changes):
    return RenderOptions(**({"layout": NoiseLayout(1, 3), "only": ONLY, "seed": 3, "threads": 2} | changes))


@pytest.fixture(scope="module")
def clip(scene, tmp_path_factory):
    return render_clip(scene, tmp_path_factory.mktemp("fine") / "clip", options(fine=2))


def test_finer_pictures_are_those_of_a_clip_of_that_size_bit_for_bit(clip, scene, tmp_path):
    found, factor = finer(clip)
    assert factor == 2
    alone = render_clip(scene, tmp_path / "large", options(size=(2 * SIZE[0], 2 * SIZE[1]), pages=False))
    assert found.record.model_dump_json() == alone.record.model_dump_json()
    for camera in clip.cameras:
        assert np.array_equal(found.noise(camera), alone.noise(camera))
        for kind in ONLY - {"noise"}:
            assert np.array_equal(found.picture(camera, kind, 2), alone.picture(camera, kind, 2)), kind


def test_the_clip_is_as_it_is_without_them(clip, scene, tmp_path):
    plain = render_clip(scene, tmp_path / "plain", options(pages=False))
    assert clip.record.model_dump() | {"fine": 1} == plain.record.model_dump()
    for path in sorted(plain.path.rglob("*.*")):
        if path.suffix != ".mp4" and path.name != "clip.json" and path.is_file():
            assert path.read_bytes() == (clip.path / path.relative_to(plain.path)).read_bytes(), path


def test_the_noise_of_four_small_pixels_is_that_of_the_large_one_and_white(clip):
    fine, _ = finer(clip)
    for camera in clip.cameras:
        large, small = clip.noise(camera), fine.noise(camera)
        assert whiteness(small[:1]).worst() < 5
        together = (small[:, :, ::2, ::2] + small[:, :, ::2, 1::2] + small[:, :, 1::2, ::2] + small[:, :, 1::2, 1::2]) / 2
        inside = fine_insides(clip, fine, camera)
        assert np.corrcoef(large[:, :, inside].ravel(), together[:, :, inside].ravel())[0, 1] > 0.9


def fine_insides(clip, fine, camera):
    """Pixels that see, in all frames, one thing of their own in every part; as (height, width)."""
    alike = np.ones(clip.record.size, bool)
    for frame in range(clip.frames):
        small, large = fine.instances(camera, frame), clip.instances(camera, frame)
        alike &= large > 0
        for y in (0, 1):
            for x in (0, 1):
                alike &= small[y::2, x::2] == large
    return alike


def test_no_videos_are_made_of_them(clip):
    assert (clip.path / clip.cameras[0] / "rgb.mp4").is_file()
    assert not list((clip.path / FINE).rglob("*.mp4")) and not list((clip.path / FINE).glob("*.html"))


def test_the_command_that_makes_the_clip_again_asks_for_them(clip, scene, tmp_path):
    assert "--fine 2" in command_for(read_clip(clip.path), [])
    plain = render_clip(scene, tmp_path / "plain", options(pages=False, only={"rgb"}))
    assert "--fine" not in command_for(plain, [])


@pytest.mark.parametrize("fine", [0, -1, 5])
def test_factors_that_no_clip_holds_are_refused(fine):
    with pytest.raises(BadValueError, match="--fine.*from 1 to 4"):
        options(fine=fine)


def test_a_camera_that_is_called_as_the_folder_is_refused(scene, tmp_path):
    renamed = replace(scene, cameras=(replace(scene.cameras[0], name=FINE),))
    with pytest.raises(BadValueError, match="a camera is called fine"):
        render_clip(renamed, tmp_path / "clip", options(fine=2))
    clip = render_clip(renamed, tmp_path / "clip", options(pages=False))
    assert finer(clip) == (clip, 1)


def test_pictures_too_large_to_hold_are_refused_before_anything_is_rendered(scene, tmp_path, monkeypatch):
    monkeypatch.setattr("sim2real.render.plan.memory_bytes", lambda: 300 * SIZE[0] * SIZE[1])
    with pytest.raises(BadValueError, match="48x64 with --fine 2"):
        render_clip(scene, tmp_path / "clip", options(fine=2))
    assert not (tmp_path / "clip").exists()
