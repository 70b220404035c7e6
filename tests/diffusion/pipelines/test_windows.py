"""Long clips are cut where latents begin, share the clip's noise, and are joined without a seam, a window at a time."""

from __future__ import annotations

import weakref
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim2real.clip import read_clip
from sim2real.clip.within import part_of
from sim2real.diffusion import ClipFacts, GenerateOptions, LargeModelOptions, families
from sim2real.diffusion.controls import control_video
from sim2real.diffusion.inputs import noise_source
from sim2real.diffusion.pipelines import PipelineFamily
from sim2real.diffusion.pipelines.seams import Made, joined
from sim2real.diffusion.pipelines.windows import NoiseOfWindows, Windows, cut, most_overlap, windows_of
from sim2real.errors import BadValueError
from sim2real.noise.layout import NoiseLayout

STEPS = st.sampled_from([1, 4, 8])


@st.composite
def cuts(draw):
    """A clip that has to be cut, and how."""
    step = draw(STEPS)
    length = step * draw(st.integers(1, 6)) + 1
    overlap = draw(st.integers(1, most_overlap(length, step)))
    frames = length + step * draw(st.integers(1, 12))
    return frames, length, overlap, step


def options(**large):
    return GenerateOptions(model="wan", large=LargeModelOptions(**large))


# Where windows are


@given(cuts())
def test_windows_cover_the_clip_begin_with_a_latent_and_share_what_was_asked(cut_of):
    frames, length, overlap, step = cut_of
    windows = cut(*cut_of)
    assert windows.first[0] == 0 and windows.first[-1] + length == frames
    assert all(first % step == 0 for first in windows.first)
    shared = [a + length - b for a, b in zip(windows.first, windows.first[1:], strict=False)]
    assert all(overlap <= windows.overlap <= one < length for one in shared)
    assert windows.overlap < overlap + step, "rounded up, no more than needed"


@given(cuts())
def test_a_blend_ends_before_the_next_begins_and_lies_in_both_of_its_windows(cut_of):
    windows = cut(*cut_of)
    for index, seam in enumerate(windows.seams[1:], 1):
        assert windows.first[index] <= seam and seam + windows.overlap <= windows.first[index - 1] + windows.length
        assert index == 1 or windows.seams[index - 1] + windows.overlap <= seam


@given(cuts())
def test_every_latent_of_a_window_stands_for_the_frame_that_the_window_takes_it_for(cut_of):
    frames, length, _, step = cut_of
    layout = NoiseLayout(temporal_factor=step)
    whole = layout.latent_frames(frames)
    for first in cut(*cut_of).first:
        own = layout.latent_frames(length)
        assert [first + frame for frame in own] == whole[first // step : first // step + len(own)]


@given(STEPS, st.integers(2, 12))
def test_more_than_half_of_a_window_is_not_shared(step, groups):
    length = step * groups + 1
    with pytest.raises(BadValueError, match=rf"--overlap is .* at most {most_overlap(length, step)} for windows of {length}"):
        cut(10 * length, length, most_overlap(length, step) + 1, step)


@pytest.mark.parametrize("family", [f for f in families().values() if isinstance(f, PipelineFamily)], ids=lambda f: f.name)
def test_only_clips_that_are_too_long_are_cut_and_each_window_is_one_that_the_family_makes(family):
    made, step = family.made_for[0], family.layout.temporal_factor
    at_once = made if family.most_frames is None else family.most_frames
    assert windows_of(family, options(), made) == Windows(made, 0, (0,))
    long = windows_of(family, options(), made + 8 * at_once)
    assert long.length == made and len(long.first) > 8 and (made - 1) % step == 0
    assert windows_of(family, options(window=made + 8 * at_once), made + 8 * at_once).first == (0,)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"window": 48}, r"--window is 48, must be 4 n \+ 1, at least 5, for wan"),
        ({"window": 1}, r"--window is 1, must be 4 n \+ 1"),
        ({"window": 49, "overlap": 30}, "--overlap is 30, must be at most 21 for windows of 49 frames"),
    ],
)
def test_windows_that_no_latent_begins_are_refused(asked, message):
    with pytest.raises(BadValueError, match=message):
        windows_of(families()["wan"], options(**asked), 97)


def test_what_is_asked_for_is_rounded_to_latents():
    assert windows_of(families()["wan"], options(window=49, overlap=8), 97) == Windows(49, 9, (0, 40, 48))
    assert windows_of(families()["wan"], options(window=49), 89).sentence().startswith("2 windows of 49 frames that share 9")


def test_what_a_model_takes_is_said_for_a_window_and_how_many_there_are():
    wan, size = families()["wan"], (480, 832)
    memory, time = wan.expected(options(), ClipFacts(81, size)).splitlines()
    said = wan.expected(options(), ClipFacts(801, size)).splitlines()
    windows = windows_of(wan, options(), 801)
    assert said[0] == memory and said[2] == windows.sentence()
    assert "(100 passes of" in time and f"({100 * len(windows.first)} passes of" in said[1]
    assert wan.expected(options(window=801), ClipFacts(801, size)).count("windows") == 0


def test_negative_numbers_and_models_without_masks_are_refused():
    with pytest.raises(BadValueError, match="--window is 0, must be at least 1"):
        options(window=0)
    with pytest.raises(BadValueError, match="--seams .* continued.* left out for wan: it takes no masks"):
        families()["wan"].check(options(seams="continued"))


# Their noise


@given(cuts())
def test_windows_get_the_clips_latents_and_each_is_asked_for_once_and_in_order(cut_of):
    frames, length, _, step = cut_of
    count, asked = (length - 1) // step + 1, []

    def noise(latents):
        asked.extend(range(latents.start, latents.stop))
        return np.arange(latents.start, latents.stop, dtype=np.float32)[:, None, None, None]

    of_windows = NoiseOfWindows(noise)
    for first in cut(*cut_of).first:
        own = of_windows.of(first // step, count)(slice(0, count))
        assert own.ravel().tolist() == list(range(first // step, first // step + count))
    assert asked == list(range((frames - 1) // step + 1))


@pytest.mark.parametrize("kind", ["clip", "iid"])
def test_noise_of_windows_is_that_of_the_clip_to_the_bit(make_clip, kind):
    clip = read_clip(make_clip(factor=8, channels=4, frames=6))
    noise = noise_source(clip, "front", NoiseLayout(factor=8, channels=4), kind, 0)
    of_windows = NoiseOfWindows(noise)
    for first in (0, 2, 3):
        assert np.array_equal(of_windows.of(first, 3)(slice(0, 3)), noise(slice(first, first + 3)))


# Their pictures


def test_a_part_of_a_clip_has_its_pictures_cameras_and_the_whole_clips_range_of_depth(make_clip):
    clip = read_clip(make_clip())
    part = part_of(clip, 2, 3)
    assert part.frames == 3 and len(part.camera("front").world_from_camera) == 3
    for kind in ("depth", "edges"):
        assert np.array_equal(part.picture("front", kind, 1), clip.picture("front", kind, 3))
    whole = control_video(clip, "front", "depth")
    assert np.array_equal(control_video(part, "front", "depth"), whole[2:5])
    with pytest.raises(AssertionError):
        part_of(clip, 4, 3)


# Joined

FRAMES, SIZE = 29, (4, 6)


def film(rng, frames=FRAMES):
    return rng.integers(0, 256, (frames, *SIZE, 3), np.uint8)


@given(cuts(), st.booleans())
def test_a_model_that_ignores_context_gives_no_seam(cut_of, matched):
    frames, length = cut_of[:2]
    whole = film(np.random.default_rng(0), frames)
    made = joined(cut(*cut_of), lambda first, before: Made(whole[first : first + length]), matched=matched)
    assert np.array_equal(np.stack(list(made)), whole)


@given(cuts())
def test_outside_blends_frames_are_those_of_the_window_alone_to_the_bit_and_inside_they_lie_between(cut_of):
    length = cut_of[1]
    windows, rng = cut(*cut_of), np.random.default_rng(0)
    alone = {first: film(rng, length) for first in windows.first}
    made = list(joined(windows, lambda first, before: Made(alone[first]), matched=False))
    assert len(made) == cut_of[0]
    for frame, picture in enumerate(made):
        index = max(i for i, seam in enumerate(windows.seams) if seam <= frame)
        new = alone[windows.first[index]][frame - windows.first[index]]
        if index == 0 or frame >= windows.seams[index] + windows.overlap:
            assert np.array_equal(picture, new)
        else:
            old = alone[windows.first[index - 1]][frame - windows.first[index - 1]]
            assert (picture >= np.minimum(old, new)).all() and (picture <= np.maximum(old, new)).all()
            if (old != new).sum() > 20:
                assert not np.array_equal(picture, old) and not np.array_equal(picture, new)


def test_a_window_goes_on_from_what_the_one_before_has_of_its_first_frames(rng):
    windows, seen, alone = cut(FRAMES, 9, 4, 1), [], {}

    def make(first, before):
        seen.append(before)
        alone[first] = film(rng, 9)
        return Made(alone[first])

    list(joined(windows, make, matched=False))
    assert seen[0] is None
    for index, before in enumerate(seen[1:], 1):
        old, new = windows.first[index - 1], windows.first[index]
        assert np.array_equal(before, alone[old][new - old : new - old + windows.overlap])


def test_colors_are_carried_over_but_for_pixels_that_are_fixed(rng):
    whole = rng.integers(60, 180, (17, *SIZE, 3), np.uint8)
    fixed = np.zeros((9, *SIZE), bool)
    fixed[:, 0] = True

    def make(first, before):
        pictures = whole[first : first + 9].copy()
        if first:
            shifted = np.rint(pictures * np.array([0.9, 1, 1.1]) + (12, -20, 0)).astype(np.uint8)
            pictures = np.where(fixed[..., None], pictures, shifted)
        return Made(pictures, fixed)

    windows = cut(17, 9, 4, 1)
    off = {matched: np.stack(list(joined(windows, make, matched=matched))).astype(int) - whole for matched in (True, False)}
    assert np.abs(off[True]).max() <= 2 and np.abs(off[False]).max() > 15
    assert not off[True][:, 0].any()


def test_a_window_that_differs_by_less_than_is_seen_is_left_alone(rng):
    whole = rng.integers(60, 180, (17, *SIZE, 3), np.uint8)
    made = joined(cut(17, 9, 1, 1), lambda first, before: Made(whole[first : first + 9] + np.uint8(first > 0)), matched=True)
    assert np.array_equal(np.stack(list(made))[9:], whole[9:] + 1)


def test_one_window_and_the_frames_that_it_shares_are_all_that_is_held():
    length, made, alive = 9, [], []

    class Held(np.ndarray):
        """An array that can be watched."""

    def make(first, before):
        alive.append(sum(one() is not None for one in made))
        pictures = np.zeros((length, *SIZE, 3), np.uint8).view(Held)
        made.append(weakref.ref(pictures))
        return Made(pictures)

    for frame in joined(cut(500, length, 2, 1), make, matched=False):
        assert frame.base is None or frame.base.nbytes <= frame.nbytes, "no view that keeps its window"
    assert len(alive) > 60 and set(alive) == {0}, "windows before are gone when the next is made"


def test_frames_come_before_the_next_window_is_made(rng):
    begun = []

    def make(first, before):
        begun.append(first)
        return Made(film(rng, 9))

    frames = joined(cut(FRAMES, 9, 1, 1), make, matched=True)
    for _ in range(8):
        next(frames)
    assert begun == [0]


def test_clips_of_a_length_that_no_window_divides_are_refused_and_others_are_not(monkeypatch):
    family = replace(families()["wan"])
    monkeypatch.setattr("sim2real.diffusion.pipelines.family.require_weights", lambda family, options: None)
    family.check_footage(options(window=49), ClipFacts(97, (32, 48)))
    with pytest.raises(BadValueError, match=r"the number of frames is 98, must be 4 n \+ 1 for wan"):
        family.check_footage(options(window=49), ClipFacts(98, (32, 48)))
