"""Cosmos: chunks have the noise of their own frames, the guardrail sees everything, and nothing is loaded without it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sim2real.clip import read_clip
from sim2real.diffusion import family_of
from sim2real.diffusion.inputs import noise_source
from sim2real.diffusion.pipelines.chunks import chunks_of
from sim2real.diffusion.pipelines.loading import forget_pipeline
from sim2real.errors import BadValueError, MissingPackageError, UnreadableFileError
from tests.diffusion.families.kit import heard, options_for
from tests.diffusion.families.tiny import tiny_families
from tests.diffusion.families.tiny.cosmos import packages, save_net

TRANSFER = replace(tiny_families()["cosmos-transfer"], frames=13)
NOISE = arrays(
    np.float32, st.tuples(st.integers(1, 60), st.just(1), st.just(1), st.just(2)), elements=st.floats(-3, 3, width=32)
)


@given(noise=NOISE, length=st.integers(2, 24), seed=st.integers(0, 9))
def test_chunks_go_on_at_the_last_latent_of_the_one_before(noise, length, seed):
    chunks = chunks_of(noise, length, seed)
    assert all(chunk.shape == (length, 1, 1, 2) for chunk in chunks)
    joined = np.concatenate([chunks[0], *(chunk[1:] for chunk in chunks[1:])])
    assert np.array_equal(joined[: len(noise)], noise) and len(joined) - len(noise) < length
    assert all(np.array_equal(one[-1], other[0]) for one, other in zip(chunks, chunks[1:], strict=False))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    yield TRANSFER.save(tmp_path_factory.mktemp("cosmos") / "tiny")
    forget_pipeline()


@pytest.fixture
def clip(make_clip):
    return read_clip(make_clip(factor=8, channels=16, latents=[0, 4, 8, 12], size=(32, 48), frames=13))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # UniPC's, in diffusers
def test_every_chunk_begins_from_the_noise_of_its_own_frames(folder, clip, rng):
    family = replace(family_of(folder), chunk=5)  # 13 frames in three chunks of two latents
    with packages():
        model = family.load(options_for(folder, TRANSFER, large={"controls": {"depth": 0.5}}))
        inputs = model.inputs(clip, "front", noise_source(clip, "front", family.layout, "clip", 0))
        control = rng.random((13, 3, 32, 48), np.float32)
        with heard(model.pipeline, family, TRANSFER) as found:
            pictures = list(model.run(replace(inputs, controls={"depth": control}), lambda done, total: None))
    noise, calls = np.asarray(clip.noise("front")), len(found.denoiser) // 3
    for chunk in range(3):
        seen = found.denoiser[chunk * calls][0].swapaxes(0, 1)
        assert np.array_equal(seen[1], noise[chunk + 1])
        assert np.array_equal(seen[0], noise[chunk]) == (chunk == 0), "later chunks begin with a picture"
    checker = model.pipeline.safety_checker
    assert set(checker.texts) == {"kitchen"} and checker.videos[0].shape == (13, 32, 48, 3) and len(pictures) == 13
    shown = np.rint(255 * control) / 255
    encoded = [video[0].swapaxes(0, 1) for video in found.control]
    for start in (0, 4, 8):
        wanted = 2 * shown[start : start + 5] - 1
        assert any(np.abs(video - wanted).max() < 1e-5 for video in encoded if video.shape == wanted.shape)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # UniPC's, in diffusers
def test_a_first_frame_takes_the_place_of_cosmos_3s_first_latent(tmp_path, make_clip):
    tiny = tiny_families()["cosmos3"]
    folder = tiny.save(tmp_path / "tiny")
    clip = read_clip(make_clip(factor=16, channels=48, latents=[0, 4], size=(64, 96), frames=5))
    picture = np.full((64, 96, 3), (200, 90, 20), np.uint8)
    with packages():
        family = family_of(folder)
        model = family.load(options_for(folder, replace(tiny, large=lambda folder: {})))
        inputs = model.inputs(clip, "front", noise_source(clip, "front", family.layout, "clip", 0))
        with heard(model.pipeline, family, tiny) as found:
            for first_frame in (picture, None):
                assert len(list(model.run(replace(inputs, first_frame=first_frame), lambda done, total: None))) == 5
    still = torch.from_numpy(picture).permute(2, 0, 1)[None, :, None].expand(1, 3, 5, 64, 96) / 127.5 - 1
    with torch.no_grad():
        wanted = model.pipeline._encode_video(still)[0, :, 0].numpy()
    with_picture, without = found.denoiser[0][0], found.denoiser[len(found.denoiser) // 2][0]
    noise = np.asarray(clip.noise("front")).swapaxes(0, 1)
    assert np.abs(with_picture[:, 0] - wanted).max() < 1e-4 and np.array_equal(with_picture[:, 1], noise[:, 1])
    assert np.array_equal(without, noise)
    forget_pipeline()


def test_without_the_guardrail_nothing_is_loaded(folder):
    with pytest.raises(MissingPackageError, match=r"cosmos_guardrail.*sim2real\[cosmos\]") as raised:
        family_of(folder).check(options_for(folder, TRANSFER))
    assert "\n" not in str(raised.value)


def test_one_control_and_its_net_are_asked_for(folder, tmp_path):
    copied = shutil.copytree(folder, tmp_path / "model")
    family = family_of(copied)
    with packages():
        with pytest.raises(BadValueError, match="one: cosmos-transfer follows one control at a time"):
            family.check(options_for(copied, TRANSFER, large={"controls": {"depth": 1.0, "edges": 1.0}}))
        options = options_for(copied, TRANSFER, large={"controls": {"edges": 1.0}})
        family.check(options)
        shutil.rmtree(copied / "controlnet")
        index = json.loads((copied / "model_index.json").read_text())
        (copied / "model_index.json").write_text(json.dumps(index | {"controlnet": [None, None]}))
        with pytest.raises(UnreadableFileError, match="no net for --control edges.*general/edge.*controlnet-edges/"):
            family.check(options)
        save_net(copied / "controlnet-edges")
        family.check(options)
        (copied / "controlnet-edges" / "config.json").unlink()
        with pytest.raises(UnreadableFileError, match="lacks its config.json or its weights"):
            family.check(options)
