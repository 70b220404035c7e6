"""Noise of every kind is judged for what it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from sim2real.clip import Clip
from sim2real.errors import BadValueError, MissingFileError, UnreadableFileError
from sim2real.metrics.geometry import Labels, Rays, geometry_of
from sim2real.metrics.noise_video import judge, noise_video
from sim2real.metrics.transport import Slope, transport
from sim2real.noise import NoiseLayout
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import LoadOptions, load
from tests.render.conftest import moving_scene

SIZE, CHANNELS = (96, 128), 32
RNG = np.random.default_rng(5)
SCENES = Path(__file__).parents[2] / "scenes"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    out = tmp_path_factory.mktemp("judged") / "clip"
    layout = NoiseLayout(4, CHANNELS)
    return render_clip(
        moving_scene(size=SIZE), out, RenderOptions(layout=layout, only={"noise", "depth", "instances"}, threads=1)
    )


def white(clip: Clip, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(clip.noise("moving").shape, np.float32)


def judged(clip: Clip, noise: np.ndarray, folder: Path, **options) -> dict:
    np.save(folder / "noise.npy", noise)
    return judge(clip, "moving", file=folder / "noise.npy", geometry="labels", **options)


def test_surface_noise_is_white_and_carries_the_motion(clip):
    found = judge(clip, "moving", geometry="labels")
    assert found["white"] and found["worst_score"] < 5
    assert [row["distance"] for row in found["transport"]] == [1, 4]
    for row in found["transport"]:
        assert 0.9 < row["efficiency"] < 1.05
        assert 0 < row["standard_error"] < 0.03
    assert found["ceiling"] == 1


def test_independent_noise_is_white_and_carries_nothing(clip, tmp_path):
    found = judged(clip, white(clip), tmp_path)
    assert found["white"]
    assert all(abs(row["efficiency"]) < 5 * row["standard_error"] for row in found["transport"])


@pytest.mark.slow
def test_blurred_noise_is_not_white_and_its_neighbors_say_so(clip, tmp_path):
    noise = white(clip)
    noise = (noise + np.roll(noise, 1, -1)) / 2
    found = judged(clip, noise, tmp_path)
    assert not found["white"]
    assert found["statistics"]["variance"]["value"] == pytest.approx(0.5, abs=0.03)
    assert found["statistics"]["neighbor_right"]["value"] == pytest.approx(0.25, abs=0.03)
    assert found["statistics"]["neighbor_right"]["worst_score"] > 10


@pytest.mark.slow
def test_noise_with_half_its_variance_from_elsewhere_carries_half(clip, tmp_path):
    mixed = np.sqrt(0.5) * (np.asarray(clip.noise("moving")) + white(clip, 1))
    whole = judge(clip, "moving", geometry="labels")["transport"]
    half = judged(clip, mixed, tmp_path)["transport"]
    for a, b in zip(whole, half, strict=True):
        assert b["efficiency"] == pytest.approx(a["efficiency"] / 2, abs=0.06)


def test_one_bad_frame_is_named(clip, tmp_path):
    noise = white(clip)
    noise[3] *= 1.2
    assert judged(clip, noise, tmp_path)["statistics"]["variance"]["frame"] == 3


@pytest.mark.slow
def test_channels_last_in_half_precision_is_the_same_noise(clip, tmp_path):
    noise = white(clip)
    first = judged(clip, noise, tmp_path)
    second = judged(clip, np.moveaxis(noise, 1, -1).astype(np.float16), tmp_path)
    assert second["shape"] == first["shape"]
    for a, b in zip(first["transport"], second["transport"], strict=True):
        assert a["efficiency"] == pytest.approx(b["efficiency"], abs=1e-3)


def test_other_factors_and_every_nth_frame_are_recognized(clip, tmp_path):
    np.save(tmp_path / "noise.npy", np.zeros((3, 4, 12, 16)))
    video = noise_video(clip, "moving", tmp_path / "noise.npy")
    assert video.factor == 8
    assert video.latent_frames == [0, 2, 4]


@pytest.mark.parametrize(
    ("shape", "told"), [((5, 4, 13, 16), "shape"), ((4, 4, 12, 16), "number of noise frames"), ((5, 12, 16), "shape")]
)
def test_noise_of_another_clip_is_refused(clip, tmp_path, shape, told):
    np.save(tmp_path / "noise.npy", np.zeros(shape))
    with pytest.raises(BadValueError, match=told):
        noise_video(clip, "moving", tmp_path / "noise.npy")


def test_what_is_no_float_array_is_refused(clip, tmp_path):
    for content in (np.zeros((5, 4, 12, 16), np.int64), np.array([{}])):
        np.save(tmp_path / "noise.npy", content, allow_pickle=True)
        with pytest.raises(UnreadableFileError, match="noise cannot be read"):
            noise_video(clip, "moving", tmp_path / "noise.npy")


def test_a_frame_with_holes_is_named(clip, tmp_path):
    noise = white(clip)
    noise[2, 0, 0, 0] = np.nan
    with pytest.raises(BadValueError, match="frame 2 is not finite"):
        judged(clip, noise, tmp_path)


def test_a_missing_file_is_named(clip, tmp_path):
    with pytest.raises(MissingFileError, match=r"absent\.npy"):
        noise_video(clip, "moving", tmp_path / "absent.npy")


def test_beta_bounds_what_can_be_carried(clip):
    assert clip.record.noise is not None
    record = clip.record.model_copy(update={"noise": clip.record.noise.model_copy(update={"beta": 0.9})})
    assert judge(replace(clip, record=record), "moving", geometry="labels", pairs=1)["ceiling"] == 0.81


@pytest.mark.slow
def test_beta_by_class_bounds_what_can_be_carried_where_it_is(clip):
    """Half of the picture's overlap cannot be carried where half of what is seen is independent."""
    assert clip.record.noise is not None

    def figures(beta):
        record = clip.record.model_copy(update={"noise": clip.record.noise.model_copy(update={"beta": beta})})
        return judge(replace(clip, record=record), "moving", geometry="labels", pairs=1)["transport"]

    names = {instance.name for instance in clip.record.instances}
    for whole, half, one in zip(figures({"*": 0.0}), figures({"*": 0.5}), figures(dict.fromkeys(names, 1.0)), strict=True):
        assert (whole["ceiling"], one["ceiling"]) == (0.0, 1.0) and half["ceiling"] == pytest.approx(0.25)
    (first, *_), some = sorted(names), figures({sorted(names)[0]: 0.0})
    assert first in names and all(0 <= row["ceiling"] < 1 for row in some) and some[0]["ceiling"] > 0


def test_rays_are_taken_while_the_scene_is_there_unchanged(tmp_path):
    pytest.importorskip("embreex")
    source = SCENES / "mirrored.yaml"
    scene = load(source, LoadOptions(frames=2))
    only = {"noise", "depth", "instances"}
    made = render_clip(
        scene, tmp_path / "clip", RenderOptions(layout=NoiseLayout(8, 16), only=only, scene_options={"frames": 2}, threads=1)
    )
    assert isinstance(geometry_of(made, "front"), Rays)
    by_rays, by_labels = (judge(made, "front", geometry=how)["transport"][0] for how in ("rays", "labels"))
    assert by_rays["efficiency"] == pytest.approx(by_labels["efficiency"], abs=0.04)
    changed = made.record.model_copy(update={"scene": made.record.scene.model_copy(update={"sha256": "0" * 64})})
    other = replace(made, record=changed)
    assert isinstance(geometry_of(other, "front"), Labels)
    with pytest.raises(BadValueError, match="sha256"):
        geometry_of(other, "front", "rays")


def test_without_labels_and_scene_the_message_says_what_is_missing(tmp_path):
    made = render_clip(moving_scene(2), tmp_path / "clip", RenderOptions(layout=NoiseLayout(8, 4), only={"noise"}, threads=1))
    with pytest.raises(MissingFileError, match="depth and instances"):
        judge(made, "moving", geometry="labels")


def test_the_standard_error_is_the_spread_of_the_slope():
    count, side = 60, 24
    identity = csr_matrix(np.eye(side * side))
    found = []
    for _ in range(count):
        a, fresh = RNG.standard_normal((2, 6, side, side))
        slope = Slope()
        slope.add(0.6 * a + 0.8 * fresh, a, (identity, identity))
        found.append(slope.result(1))
    spread = np.std([r.efficiency for r in found])
    assert np.mean([r.efficiency for r in found]) == pytest.approx(0.6, abs=4 * spread / np.sqrt(count))
    assert np.mean([r.error for r in found]) == pytest.approx(spread, rel=0.3)


def test_frames_that_share_nothing_have_no_figure():
    noise = RNG.standard_normal((2, 3, 8, 8))
    assert transport(noise, [0, 1], lambda a, b, seed: csr_matrix((64, 64))) == []
