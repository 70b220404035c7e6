from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
import torch
from scipy import ndimage

from sim2real.errors import BadValueError, MissingFileError, UnknownNameError, UnreadableFileError
from sim2real.metrics.frechet import tensor_of
from sim2real.metrics.perceptual import Perceptual, read_weights
from tests.metrics.pictures import dead_leaves

SIZE = (64, 96)


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    return tensor_of(dead_leaves(0, SIZE))


def blurred(picture: torch.Tensor, sigma: float) -> torch.Tensor:
    return torch.from_numpy(ndimage.gaussian_filter(picture.numpy(), (0, 0, sigma, sigma)))


@pytest.mark.slow
@pytest.mark.parametrize("network", ["vgg", "alexnet"])
def test_lpips_is_zero_for_equal_pictures_and_orders_distortions_as_people_do(network, picture, request):
    lpips = request.getfixturevalue(network).lpips
    grain = (picture + 0.1 * torch.randn(picture.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    other = tensor_of(dead_leaves(1, SIZE))
    brighter = (picture * 1.03).clamp(0, 1)
    shown = torch.cat([picture, brighter, picture.roll(1, 3), blurred(picture, 1), blurred(picture, 3), other])
    same, bright, shift, blur, more_blur, unlike = lpips(picture.expand(len(shown), -1, -1, -1), shown).tolist()
    assert same == 0
    assert 0 < bright < shift < blur < more_blur < unlike
    assert 0.3 < unlike < 1
    assert lpips(picture, grain).item() > bright


def test_lpips_is_symmetric_and_judges_pairs_one_by_one(alexnet, picture):
    other = blurred(picture, 1)
    both = alexnet.lpips(torch.cat([picture, picture]), torch.cat([other, picture]))
    assert both[1] == 0
    assert both[0].item() == pytest.approx(alexnet.lpips(other, picture).item(), rel=1e-5)


def test_features_have_the_sizes_of_the_network_and_stop_where_they_are_told_to(vgg, picture):
    found = vgg.features(picture)
    assert [tuple(f.shape[1:]) for f in found.values()] == [
        (64, 64, 96),
        (128, 32, 48),
        (256, 16, 24),
        (512, 8, 12),
        (512, 4, 6),
    ]
    early = vgg.features(picture, until="relu2_2")
    assert list(early) == ["relu1_2", "relu2_2"]
    assert torch.allclose(early["relu2_2"], found["relu2_2"], atol=1e-4)


def test_a_translation_of_the_picture_is_a_translation_of_features(vgg, picture):
    a, b = (vgg.features(p, until="relu2_2")["relu2_2"] for p in (picture, picture.roll((0, 2), (2, 3))))
    assert torch.allclose(a[..., 6:-6, 6:-8], b[..., 6:-6, 7:-7], atol=1e-3)


@pytest.mark.slow
def test_lpips_can_be_descended(weights, picture):
    loss = Perceptual(weights=weights)
    assert all(not p.requires_grad for p in loss.network.parameters())
    target = 2 * picture - 1
    x = (2 * blurred(picture, 2) - 1).requires_grad_()
    before = loss(x, target).sum()
    before.backward()
    assert x.grad is not None
    step = x.detach() - 0.02 * x.grad / x.grad.abs().max()
    assert loss(step, target).item() < before.item()


def test_gradients_stay_finite_where_pictures_are_equal_or_black(weights):
    x = torch.full((1, 3, 32, 32), -1.0).requires_grad_()
    loss = Perceptual(weights=weights)
    loss(x, x.detach()).sum().backward()
    assert x.grad is not None and torch.isfinite(x.grad).all()


def test_pictures_that_are_too_small_and_unknown_taps_are_refused(vgg):
    with pytest.raises(BadValueError, match="at least 16"):
        vgg.features(torch.zeros(1, 3, 8, 64))
    with pytest.raises(UnknownNameError, match="relu3_3"):
        vgg.features(torch.zeros(1, 3, 16, 16), until="relu3_4")


def test_weights_are_read_as_arrays_and_nothing_else(tmp_path):
    nested = {"VGG16_0": {"Conv_0": {"kernel": np.arange(6.0).reshape(2, 3)}}}
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "vgg16.ckpt").write_bytes(pickle.dumps(nested))
    read = read_weights(tmp_path, "vgg16")
    assert np.array_equal(read["VGG16_0"]["Conv_0"]["kernel"], nested["VGG16_0"]["Conv_0"]["kernel"])

    class Evil:
        def __reduce__(self):
            return os.system, ("touch " + str(tmp_path / "ran"),)

    (tmp_path / "alexnet.ckpt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(UnreadableFileError, match="which is no array"):
        read_weights(tmp_path, "alexnet")
    assert not (tmp_path / "ran").exists()


def test_missing_and_damaged_weights_are_named(tmp_path):
    with pytest.raises(MissingFileError, match="vgg16"):
        read_weights(tmp_path, "vgg16")
    (tmp_path / "vgg16.ckpt").write_bytes(b"\x80\x04")
    with pytest.raises(UnreadableFileError, match="vgg16"):
        read_weights(tmp_path, "vgg16")
