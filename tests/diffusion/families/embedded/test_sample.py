import threading

import numpy as np
import pytest
import torch

from sim2real.diffusion import family_of
from sim2real.diffusion.families.embedded.conditions import KnownPictures, picture_conditions
from sim2real.diffusion.families.embedded.lines import averaged
from sim2real.diffusion.families.embedded.pipeline import painted, pipeline_of
from sim2real.diffusion.families.embedded.precision import autocast_for
from sim2real.diffusion.families.embedded.sample import sample
from sim2real.diffusion.schedulers import require_known
from sim2real.errors import BadValueError


@pytest.fixture
def clip(make_pictures):
    conditions = picture_conditions(KnownPictures(**make_pictures(frames=5, size=(22, 37))))
    noise = np.random.default_rng(3).standard_normal((5, 3, 22, 37), np.float32)
    return noise, conditions


def footage(model, clip, steps=1, **options):
    noise, conditions = clip
    frames = sample(model, lambda s: noise[s], lambda s, _: conditions[s], len(noise), steps=steps, **options)
    return np.stack(list(frames))


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 3])
def test_footage_does_not_depend_on_how_it_is_cut_into_stretches(denoiser, clip, steps):
    whole = footage(denoiser, clip, steps, chunk=5)
    assert whole.shape == (5, 22, 37, 3) and whole.dtype == np.uint8 and whole.std() > 5
    for chunk in (1, 2, 3):
        assert np.array_equal(footage(denoiser, clip, steps, chunk=chunk), whole)


def test_frames_come_as_soon_as_they_can(denoiser, clip):
    noise, conditions = clip
    asked = []

    def noise_of(stretch):
        asked.append(stretch.stop)
        return noise[stretch]

    frames = sample(denoiser, noise_of, lambda s, _: conditions[s], 5, chunk=1)
    first = next(frames)
    assert asked == [1] and np.array_equal(first, footage(denoiser, clip)[0])


def test_conditions_are_made_one_stretch_ahead_and_no_further(denoiser, clip):
    noise, conditions = clip
    asked = []

    def noise_of(stretch):
        asked.append((stretch.start, threading.current_thread() is threading.main_thread()))
        return noise[stretch]

    frames = sample(denoiser, noise_of, lambda s, _: conditions[s], 5, chunk=2)
    next(frames)
    frames.close()  # and then no thread is left
    assert asked in ([(0, False)], [(0, False), (2, False)])
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("frame")]


def test_an_error_in_conditions_made_ahead_is_that_of_the_footage(denoiser, clip):
    noise, conditions = clip

    def conditions_of(stretch, _):
        if stretch.start:
            raise BadValueError("the clip", "damaged", right="whole")
        return conditions[stretch]

    frames = sample(denoiser, lambda s: noise[s], conditions_of, 5, chunk=2)
    assert next(frames).shape == (22, 37, 3)
    with pytest.raises(BadValueError, match="damaged"):
        list(frames)


def test_one_step_has_the_bits_of_diffusers_pipeline(denoiser, make_pictures):
    noise = np.random.default_rng(3).standard_normal((3, 3, 24, 40), np.float32)
    conditions = picture_conditions(KnownPictures(**make_pictures()))
    with torch.inference_mode(), autocast_for(torch.device("cpu")):  # half precision where footage is made with it
        video = painted(pipeline_of(denoiser), torch.from_numpy(noise), torch.from_numpy(conditions), {}, 1)
    expected = (video.permute(0, 2, 3, 1) * 255).round().to(torch.uint8).numpy()
    assert np.array_equal(footage(denoiser, (noise, conditions)), expected)


@pytest.mark.parametrize("steps", [1, 2])
def test_finished_pictures_are_averaged_along_lines(denoiser, make_pictures, steps):
    pictures = make_pictures(frames=2)
    ways = np.random.default_rng(4).normal(size=(2, 2, 24, 40)).astype(np.float32)
    along = ways / np.maximum(np.hypot(*ways.swapaxes(0, 1)), 1)[:, None] * (ways[:, :1] > 0)
    noise = np.random.default_rng(3).standard_normal((2, 3, 24, 40), np.float32)
    plain, made = (
        footage(denoiser, (noise, picture_conditions(KnownPictures(**pictures, along=a))), steps) for a in (None, along)
    )
    expected = averaged(torch.from_numpy(plain).permute(0, 3, 1, 2) / 255, torch.from_numpy(along)).permute(0, 2, 3, 1)
    assert np.abs(made - 255 * expected.numpy()).max() < 5  # of 8 bits, near black
    assert np.abs(made.astype(int) - plain).max() > 20 and np.array_equal(made[(along == 0).all(1)], plain[(along == 0).all(1)])


def test_more_steps_and_other_noise_give_other_pictures(denoiser, clip):
    noise, conditions = clip
    assert not np.array_equal(footage(denoiser, clip), footage(denoiser, clip, steps=4))
    assert not np.array_equal(footage(denoiser, clip), footage(denoiser, (-noise, conditions)))


def test_progress_counts_frames(denoiser, clip):
    told = []
    footage(denoiser, clip, chunk=2, progress=lambda *row: told.append(row))
    assert told == [(2, 5), (4, 5), (5, 5)]


def test_the_pipeline_is_diffusers_own_with_nothing_to_say(denoiser, clip, recwarn, caplog):
    assert type(pipeline_of(denoiser)).__module__.startswith("diffusers.")
    require_known(pipeline_of(denoiser).scheduler, family_of(None))
    footage(denoiser, clip, steps=2)
    assert not caplog.records and not recwarn.list


def test_no_steps_and_noise_of_another_size_are_refused(denoiser, clip):
    noise, conditions = clip
    with pytest.raises(BadValueError, match="number of steps is 0"):
        footage(denoiser, clip, steps=0)
    with pytest.raises(BadValueError, match="shape of the noise"):
        footage(denoiser, (noise[:, :, :20], conditions))
