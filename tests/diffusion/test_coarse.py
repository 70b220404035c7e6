import math

import pytest
import torch

from sim2real.diffusion.coarse import LARGEST, NOISIEST, CoarseToFine, block_max, block_mean, coarse_factor, coarse_size
from sim2real.diffusion.embedded import vace_condition
from sim2real.diffusion.pixel_vae import PixelVAE, fold_pixels, unfold_pixels
from sim2real.diffusion.windows import WindowedTransformer


class Recorder(WindowedTransformer):
    """Stands for the windows: keeps what it is given and returns it."""

    def __init__(self):
        super().__init__(torch.nn.Identity(), (8, 16, 16), (2, 4, 4))
        self.calls = []

    def forward(self, hidden_states, timestep, encoder_hidden_states, control_hidden_states, **rest):
        self.calls.append((hidden_states, float(timestep.flatten()[0]), control_hidden_states))
        return (hidden_states,)


def call(model, pixels, sigma, control=None):
    control = torch.rand(1, 3, *pixels.shape[2:]) if control is None else control
    return model(fold_pixels(pixels), torch.tensor([1000 * sigma]), torch.zeros(1, 6, 4), vace_condition(PixelVAE(), control))[
        0
    ]


@pytest.mark.parametrize("sigma", [0.9, 0.95, 1.0])
def test_the_coarse_picture_is_a_noisy_picture_of_the_sigma_that_it_is_said_to_have(sigma):
    generator = torch.Generator().manual_seed(0)
    clean = torch.full((1, 3, 2, 96, 128), 0.7)
    noise = torch.randn(clean.shape, generator=generator)
    call(CoarseToFine(recorder := Recorder(), 4), (1 - sigma) * clean + sigma * noise, sigma)
    ((coarse, time, _),) = recorder.calls
    assert coarse.shape == (1, 48, 2, *coarse_size((96, 128), 4))
    told = time / 1000
    residue = unfold_pixels(coarse) - (1 - told) * 0.7
    count = residue.numel()
    assert abs(residue.mean()) < 5 * told / math.sqrt(count)
    assert residue.std() == pytest.approx(told, rel=5 / math.sqrt(2 * count))


def test_condition_of_the_coarse_picture_is_that_of_its_own_control_video():
    control = torch.rand(1, 3, 2, 64, 96)
    call(CoarseToFine(recorder := Recorder(), 2), torch.randn(1, 3, 2, 64, 96), 0.9, control)
    small = torch.cat([block_mean(control[:, :1], 2), block_max(control[:, 1:2], 2), block_mean(control[:, 2:], 2)], dim=1)
    assert torch.allclose(recorder.calls[0][2], vace_condition(PixelVAE(), small), atol=1e-6)


def test_the_prediction_is_enlarged_to_its_place():
    rows = torch.linspace(-1, 1, 64).view(1, 1, 1, 64, 1).expand(1, 3, 2, 64, 96)
    model = CoarseToFine(Recorder(), 4)
    predicted = unfold_pixels(call(model, rows.contiguous(), 0.9)) * (0.1 + 0.9 / 4)
    assert predicted.shape == rows.shape and (predicted - rows)[..., 8:-8, :].abs().max() < 0.02


@pytest.mark.parametrize(("factor", "sigma"), [(4, 0.7), (1, 1.0)])
def test_low_noise_and_small_pictures_are_left_to_the_windows(factor, sigma):
    pixels = torch.randn(1, 3, 2, 64, 96)
    assert torch.equal(call(CoarseToFine(Recorder(), factor), pixels, sigma), fold_pixels(pixels))


def test_pictures_grow_finer_as_the_noise_falls():
    model = CoarseToFine(Recorder(), 4)
    factors = [model.factor_at(sigma) for sigma in torch.linspace(1, 0.02, 50).tolist()]
    assert factors == sorted(factors, reverse=True) and set(factors) == {4, 3, 2, 1}
    # what is left of the noise on a coarse picture is still more than the picture
    left = [(s, sigma / s, 1 - sigma) for s, sigma in zip(factors, torch.linspace(1, 0.02, 50).tolist(), strict=True)]
    assert all(s == 1 or noise >= NOISIEST * picture - 1e-6 for s, noise, picture in left)


@pytest.mark.parametrize("size", [(64, 64), (192, 256), (200, 264), (1080, 1920)])
def test_sizes_that_are_foretold_are_those_that_come(size):
    factor = coarse_factor(size, (64, 64))
    assert factor == min(LARGEST, math.ceil(max(size) / 64))
    if factor > 1:
        call(CoarseToFine(recorder := Recorder(), factor), torch.zeros(1, 3, 1, *size), 1.0)
        assert recorder.calls[0][0].shape[3:] == coarse_size(size, factor)
