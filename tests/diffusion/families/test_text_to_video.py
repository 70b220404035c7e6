"""VideoCrafter2's U-Net, part of whose weights diffusers leaves out."""

import shutil

import pytest
import torch
from safetensors import safe_open

from sim2real.diffusion import GenerateOptions, LargeModelOptions, family_of
from sim2real.diffusion.pipelines.loading import forget_pipeline, loaded_pipeline
from sim2real.errors import BadValueError, UnreadableFileError
from tests.diffusion.families.kit import family_called
from tests.diffusion.families.tiny.stable_video import save_videocrafter

FAMILY = family_called("videocrafter2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    yield save_videocrafter(tmp_path_factory.mktemp("models") / "tiny")
    forget_pipeline()


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_time_embedding_has_the_frame_rate_in_it(folder, dtype):
    unet = loaded_pipeline(FAMILY, GenerateOptions(model=folder, large=LargeModelOptions(dtype=dtype))).unet
    waves = torch.randn(2, 8).to(unet.dtype)
    with torch.no_grad():
        added = unet.time_embedding(waves) - unet.time_embedding.time(waves)
    frequencies = torch.exp(-torch.log(torch.tensor(10000.0)) * torch.arange(4) / 4)
    told = torch.cat([torch.cos(24 * frequencies), torch.sin(24 * frequencies)])
    with safe_open(folder / "unet-videocrafter2" / "diffusion_pytorch_model.safetensors", "pt") as file:
        w1, b1, w2, b2 = (file.get_tensor(f"fps_embedding.linear_{n}.{part}") for n in (1, 2) for part in ("weight", "bias"))
    expected = w2 @ torch.nn.functional.silu(w1 @ told + b1) + b2
    torch.testing.assert_close(added.float(), expected.expand(2, -1), atol=1e-5 if dtype == "float32" else 0.02, rtol=0)
    assert expected.abs().max() > 0.1


def test_this_u_net_in_the_place_of_the_plain_one_is_refused(folder, tmp_path):
    plain = shutil.copytree(folder, tmp_path / "plain")
    shutil.rmtree(plain / "unet")
    (plain / "unet-videocrafter2").rename(plain / "unet")
    family = family_of(plain)
    assert family.name == "text-to-video-sd"
    with pytest.raises(BadValueError, match="goes to unet-videocrafter2/, beside the unet/"):
        family.check(GenerateOptions(model=plain))


@pytest.mark.slow
def test_weights_without_a_frame_rate_are_refused(folder, tmp_path):
    wrong = shutil.copytree(folder, tmp_path / "wrong")
    shutil.rmtree(wrong / "unet-videocrafter2")
    shutil.copytree(wrong / "unet", wrong / "unet-videocrafter2")
    with pytest.raises(UnreadableFileError, match="lacks fps_embedding"):
        loaded_pipeline(FAMILY, GenerateOptions(model=wrong))
