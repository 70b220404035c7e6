from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.video_noise import measured, motion_back
from sim2real.errors import BadValueError
from sim2real.metrics.whiteness import whiteness
from sim2real.noise import NoiseLayout, ReferenceMap, VideoNoise

SIZE = (64, 96)
EVERYWHERE = torch.ones(SIZE, dtype=torch.bool)
STILL = torch.zeros((*SIZE, 2))


def correlation(a: torch.Tensor, b: torch.Tensor, where: torch.Tensor | None = None) -> float:
    a, b = (a, b) if where is None else (a[:, where], b[:, where])
    return float((a * b).sum() / torch.sqrt((a * a).sum() * (b * b).sum()))


@pytest.mark.parametrize(
    ("zoom", "shift"),
    [
        pytest.param(1.003, (0.7, 0.3), id="zoom and pan", marks=pytest.mark.slow),
        pytest.param(1.0, (0.1, 0.0), id="slow", marks=pytest.mark.slow),
        pytest.param(1.02, (-2.3, 1.1), id="fast"),
    ],
)
def test_noise_follows_motion_to_the_ceiling_and_does_not_wear_off(zoom, shift):
    row = measured(zoom, shift, size=(128, 192), channels=8)
    for frame, found in row.transport.items():
        assert found >= 0.95 * row.ceiling[frame], (frame, row)
    assert abs(row.variance - 1) < 5 * np.sqrt(2 / (8 * 128 * 192))
    assert abs(row.neighbors) < 5 / np.sqrt(2 * 8 * 128 * 192)


def test_a_tenth_of_a_pixel_per_frame_is_motion():
    slow = measured(1.0, (0.1, 0.0), size=(64, 96), channels=16)
    frozen = measured(1.0, (0.0, 0.0), size=(64, 96), channels=16)
    assert frozen.transport == pytest.approx(dict.fromkeys(frozen.transport, 1.0), abs=1e-6)
    assert slow.ceiling[16] < 0.99 < slow.transport[16] / slow.ceiling[16] + 0.04


def test_what_stands_still_keeps_its_bits():
    reference, noise = ReferenceMap(SIZE), VideoNoise(NoiseLayout(8, 4))
    first = noise.frame(reference.places)
    for _ in range(5):
        reference.advance(STILL, EVERYWHERE)
    assert torch.equal(noise.frame(reference.places), first)


def test_the_map_of_a_long_pan_and_zoom_does_not_drift():
    reference = ReferenceMap(SIZE)
    back, inside = motion_back(SIZE, 1.004, (0.37, -0.21))
    for _ in range(60):
        reference.advance(back, inside)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    at, center = np.stack([x, y], -1), np.array([SIZE[1], SIZE[0]]) / 2
    for _ in range(60):
        at = (at - center - (0.37, -0.21)) / 1.004 + center
    shown = ((at > 1) & (at < np.array([SIZE[1], SIZE[0]]) - 1)).all(-1)
    error = np.abs(reference.places.position.numpy() - at)[shown]
    assert (reference.places.chart.numpy()[shown] == 0).all()
    assert error.max() < 1e-3


def test_a_camera_that_turns_away_and_back_sees_the_same_noise():
    reference, noise = ReferenceMap(SIZE), VideoNoise(NoiseLayout(8, 32))
    first = noise.frame(reference.places)
    for step in [(3.0, 0.0)] * 60 + [(-3.0, 0.0)] * 60:  # 180 px: nothing of the first picture is left half way
        reference.advance(*motion_back(SIZE, 1.0, step))
    assert correlation(noise.frame(reference.places), first) > 0.98


def behind_a_disc(frame: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Motion back of a disc that moves 4 px to the right a frame before a still wall; what is seen in both frames; the disc."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5

    def disc(at: int) -> np.ndarray:
        return (x - 20 - 4 * at) ** 2 + (y - 32) ** 2 < 15**2

    now, before = disc(frame), disc(frame - 1)
    motion = np.where(now[..., None], np.array([-4.0, 0.0]), 0.0).astype(np.float32)
    return torch.from_numpy(motion), torch.from_numpy(now | ~before), torch.from_numpy(now)


def test_what_is_revealed_gets_noise_of_its_own_and_the_rest_keeps_its_own():
    reference, noise = ReferenceMap(SIZE), VideoNoise(NoiseLayout(1, 32))
    first = noise.frame(reference.places)
    for frame in range(1, 9):
        motion, visible, disc = behind_a_disc(frame)
        reference.advance(motion, visible)
    later = noise.frame(reference.places)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    started = torch.from_numpy((x - 20) ** 2 + (y - 32) ** 2 < 15**2)
    passed = torch.from_numpy((np.abs(y - 32) < 17) & (x > 3) & (x < 70))
    assert correlation(first, later, ~passed) > 0.999  # the wall
    assert abs(correlation(first, later, started & ~disc)) < 0.1  # the wall where the disc was
    inner = torch.from_numpy((x - 52) ** 2 + (y - 32) ** 2 < 13**2)
    assert correlation(first.roll(32, dims=2), later, inner) > 0.95  # the disc
    assert whiteness(later.numpy()[None]).worst() < 5


def test_direct_motion_gives_the_wall_its_old_noise_back():
    reference, noise = ReferenceMap(SIZE), VideoNoise(NoiseLayout(1, 32))
    first = noise.frame(reference.places)
    for frame in range(1, 16):
        motion, visible, disc = behind_a_disc(frame)
        y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
        shown_at_first = torch.from_numpy((x - 20) ** 2 + (y - 32) ** 2 >= 15**2)
        reference.advance(motion, visible)
        reference.recall(torch.zeros_like(motion), ~disc & shown_at_first, 0)
    assert correlation(first, noise.frame(reference.places), ~disc & shown_at_first) > 0.99


def test_errors_of_single_steps_do_not_add_up_where_direct_motion_is_known():
    left_alone, pulled = ReferenceMap(SIZE), ReferenceMap(SIZE)
    wrong = torch.full((*SIZE, 2), 0.05)  # a still picture, estimated to move
    for _ in range(40):
        left_alone.advance(wrong, EVERYWHERE)
        pulled.advance(wrong, EVERYWHERE)
        pulled.recall(STILL, EVERYWHERE, 0)
    still = ReferenceMap(SIZE).places.position
    assert float((left_alone.places.position - still)[20:40, 20:60].norm(dim=-1).mean()) > 2
    assert float((pulled.places.position - still)[20:40, 20:60].norm(dim=-1).mean()) < 0.4


def test_nothing_is_carried_over_a_cut():
    reference, noise = ReferenceMap(SIZE), VideoNoise(NoiseLayout(8, 64))
    first = noise.frame(reference.places)
    by_chance = torch.from_numpy(np.random.default_rng(0).random(SIZE) < 0.2)
    reference.advance(STILL, by_chance)
    assert set(reference.places.chart.unique().tolist()) == {1}
    assert abs(correlation(noise.frame(reference.places), first)) < 5 / np.sqrt(first.numel())


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_motion_at_all_gives_white_noise(seed):
    rng = np.random.default_rng(seed)
    size, factor = (64, 96), int(rng.choice([1, 4, 8, 16]))
    reference = ReferenceMap(size)
    for _ in range(int(rng.integers(1, 6))):
        smooth = torch.from_numpy(rng.standard_normal((1, 2, 6, 8)).astype(np.float32)) * float(10 ** rng.uniform(-2, 2))
        motion = torch.nn.functional.interpolate(smooth, size, mode="bicubic")[0].permute(1, 2, 0)
        if rng.random() < 0.3:
            motion = motion + torch.from_numpy(rng.standard_normal((*size, 2)).astype(np.float32)) * float(rng.uniform(0, 20))
        visible = torch.from_numpy(rng.random(size) < rng.choice([0.5, 0.9, 1.0]))
        reference.advance(motion, visible)
        if rng.random() < 0.3:
            reference.recall(motion, visible, 0)
    noise = VideoNoise(NoiseLayout(factor, 32), seed=seed).frame(reference.places)
    result = whiteness(noise.numpy()[None])
    assert result.worst() < 5.5, (result, seed)


def test_a_frame_has_the_same_bits_from_any_thread_and_in_any_order():
    reference, noise = ReferenceMap(SIZE), VideoNoise(NoiseLayout(4, 6), seed=3)
    places = [reference.places]
    for _ in range(6):
        places.append(reference.advance(*motion_back(SIZE, 1.01, (0.6, 0.2))))
    alone = [VideoNoise(NoiseLayout(4, 6), seed=3).frame(p) for p in places]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(noise.frame, places[::-1]))[::-1]
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


def test_another_seed_is_independent():
    places = ReferenceMap(SIZE).places
    a, b = (VideoNoise(NoiseLayout(1, 8), seed=seed).frame(places) for seed in (0, 1))
    assert abs(correlation(a, b)) < 5 / np.sqrt(a.numel())


def test_sizes_that_do_not_fit_are_refused():
    reference = ReferenceMap(SIZE)
    with pytest.raises(BadValueError, match="the size of the motion is 32x96, must be 64x96"):
        reference.advance(STILL[:32], EVERYWHERE)
    with pytest.raises(BadValueError, match="the size of the visibility is 64x48, must be 64x96"):
        reference.advance(STILL, EVERYWHERE[:, :48])
    with pytest.raises(BadValueError, match="the width is 90, must be a multiple of 8"):
        VideoNoise(NoiseLayout(8, 4)).frame(ReferenceMap((64, 90)).places)
