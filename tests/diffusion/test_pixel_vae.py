import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.diffusion.folding import fold_pixels, unfold_pixels
from sim2real.diffusion.pixel_vae import PixelVAE


@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4))
@settings(max_examples=15, deadline=None)
def test_folding_is_a_permutation_that_unfolding_undoes(channels, frames, h, w):
    pixels = torch.arange(channels * frames * h * w * 16, dtype=torch.float32).reshape(1, channels, frames, 4 * h, 4 * w)
    folded = fold_pixels(pixels)
    assert folded.shape == (1, 16 * channels, frames, h, w)
    assert torch.equal(folded.flatten().sort().values, pixels.flatten())
    assert torch.equal(unfold_pixels(folded), pixels)


def test_folding_orders_channels_as_torch_does():
    pixels = torch.rand(2, 3, 4, 8, 12)
    expected = torch.stack([F.pixel_unshuffle(pixels[:, :, t], 4) for t in range(4)], dim=2)
    assert torch.equal(fold_pixels(pixels), expected)


def test_folding_keeps_inner_products():
    a, b = torch.randn(2, 1, 3, 2, 16, 16, dtype=torch.float64)
    assert torch.allclose((fold_pixels(a) * fold_pixels(b)).sum(), (a * b).sum(), atol=1e-9)


def test_round_trip_through_the_scaled_latents_is_exact():
    vae = PixelVAE()
    pixels = torch.rand(1, 3, 2, 8, 8) * 2 - 1
    assert torch.equal(vae.decode(vae.normalized(pixels) * 0.5).sample, pixels)
    assert torch.equal(vae.encode(pixels).latent_dist.mode(), fold_pixels(pixels))


def test_its_configuration_survives_saving(tmp_path):
    PixelVAE().save_config(tmp_path)
    assert PixelVAE.from_config(PixelVAE.load_config(tmp_path)).config["latents_std"] == [0.5] * 48
