"""What is silent in pipelines around Stable Diffusion: schedules, sigmas, dtypes, which net sees which control."""

import json
import shutil
from types import SimpleNamespace

import diffusers
import numpy as np
import pytest
import torch

from sim2real.diffusion import GenerateOptions, LargeModelOptions, families, family_of
from sim2real.diffusion.controls import control_video
from sim2real.diffusion.families.animatediff import key_frames
from sim2real.diffusion.families.stable_diffusion import require_same_text
from sim2real.diffusion.family import ClipFacts
from sim2real.diffusion.pipelines.loading import forget_pipeline, loaded_pipeline
from sim2real.errors import BadValueError, UnreadableFileError
from tests.diffusion.families.kit import family_called, footage, listened, options_for, rendered
from tests.diffusion.families.tiny import tiny_families
from tests.diffusion.families.tiny.stable_diffusion import save_animatediff, save_sparse

TINY = tiny_families()
FAMILY, SMALL = family_called("animatediff-controlnet"), TINY["animatediff-controlnet"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    yield save_animatediff(tmp_path_factory.mktemp("models") / "tiny", "depth", "edges")
    forget_pipeline()


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return rendered(tmp_path_factory.mktemp("clip") / "clip", FAMILY, SMALL)


def said(folder, **large):
    return GenerateOptions(model=folder, steps=2, large=LargeModelOptions(**large))


@pytest.mark.slow
def test_every_net_sees_its_own_control_with_its_own_weight(folder, clip):
    options = options_for(folder, SMALL, camera=clip.cameras[0], large={"controls": {"edges": 0.4, "depth": 0.6}})
    pipeline = loaded_pipeline(FAMILY, options)
    strengths = []
    for net, name in zip(pipeline.controlnet.nets, ("edges", "depth"), strict=True):
        stored = diffusers.ControlNetModel.from_pretrained(folder / f"controlnet-{name}")
        assert torch.equal(net.conv_in.weight, stored.conv_in.weight), name
        net.register_forward_pre_hook(lambda _, args, kw: strengths.append(kw["conditioning_scale"]), with_kwargs=True)
    found = listened(clip, options, FAMILY, SMALL)
    assert strengths[:2] == [0.4, 0.6]
    for seen, name in zip(found.control, ("edges", "depth"), strict=False):
        wanted = control_video(clip, clip.cameras[0], name)
        assert np.abs(seen[: len(wanted)] - wanted).max() < 0.01, name


@pytest.mark.slow
def test_weights_count_one_by_one(folder, clip):
    made = []
    for edges in (0.1, 2.0):
        options = options_for(folder, SMALL, camera=clip.cameras[0], large={"controls": {"depth": 1.0, "edges": edges}})
        listened(clip, options, FAMILY, SMALL)
        made.append(footage(clip, clip.cameras[0]))
    assert not np.array_equal(*made)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Euler's, in diffusers
def test_a_sampler_with_large_sigmas_is_given_unit_variance(folder, clip):
    options = options_for(folder, SMALL, camera=clip.cameras[0], large={"scheduler": "Euler"})
    assert float(loaded_pipeline(FAMILY, options).scheduler.init_noise_sigma) > 10
    found = listened(clip, options, FAMILY, SMALL)
    noise = FAMILY.latents(np.array(clip.noise(clip.cameras[0]), np.float32))
    np.testing.assert_allclose(found.denoiser[0][:1], noise, rtol=2e-3)


@pytest.mark.slow
def test_noise_is_cast_to_what_the_unet_computes_in(folder, clip):
    options = options_for(folder, SMALL, camera=clip.cameras[0], large={"dtype": "bfloat16"})
    found = listened(clip, options, FAMILY, SMALL)
    noise = FAMILY.latents(np.array(clip.noise(clip.cameras[0]), np.float32))
    assert np.array_equal(found.denoiser[0][:1], torch.from_numpy(noise).bfloat16().float().numpy())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Euler's, in diffusers
def test_motion_modules_get_the_schedule_that_they_were_trained_with(folder):
    stored = json.loads((folder / "scheduler" / "scheduler_config.json").read_text())
    assert stored["_class_name"] == "PNDMScheduler" and stored["beta_schedule"] == "scaled_linear"
    for scheduler in (None, "DPMSolver", "Euler"):
        known = [name for name in FAMILY.schedulers if scheduler is None or name.startswith(scheduler)]
        asked = {} if scheduler is None else {"scheduler": known[0]}
        sampler = loaded_pipeline(FAMILY, options_for(folder, SMALL, large=asked)).scheduler
        assert sampler.config.beta_schedule == "linear" and type(sampler).__name__ == known[0]


def test_a_saved_pipeline_of_another_schedule_is_refused(folder, tmp_path):
    saved = shutil.copytree(folder, tmp_path / "saved")
    index = json.loads((saved / "model_index.json").read_text())
    (saved / "model_index.json").write_text(json.dumps(index | {"_class_name": FAMILY.pipeline}))
    family_of(saved).check(said(saved))
    sampler = saved / "scheduler" / "scheduler_config.json"
    sampler.write_text(json.dumps(json.loads(sampler.read_text()) | {"_class_name": "DDIMScheduler"}))
    with pytest.raises(BadValueError, match="noise schedule is scaled_linear, must be linear"):
        family_of(saved).check(said(saved))


@pytest.mark.slow
def test_the_one_net_of_a_saved_pipeline_serves_the_one_control_that_is_asked_for(folder, tmp_path):
    options = options_for(folder, SMALL)
    saved = tmp_path / "saved"
    loaded_pipeline(FAMILY, options).save_pretrained(saved)
    assert family_of(saved) == FAMILY and (saved / "controlnet").is_dir()
    again = loaded_pipeline(FAMILY, options_for(saved, SMALL, large={"controls": {"soft-edges": 0.5}}))
    stored = diffusers.ControlNetModel.from_pretrained(folder / "controlnet-depth")
    assert torch.equal(again.controlnet.conv_in.weight, stored.conv_in.weight)


@pytest.mark.parametrize(("name", "lost"), [("controlnet-depth", "config.json"), ("motion_adapter", "weights")])
def test_parts_that_are_not_whole_are_named(folder, tmp_path, name, lost):
    broken = shutil.copytree(folder, tmp_path / "broken")
    for file in (broken / name).glob("config.json" if lost == "config.json" else "*.safetensors"):
        file.unlink()
    with pytest.raises(UnreadableFileError, match=f"lacks .*; copy or download it again: .*{name}"):
        family_of(broken).check(said(broken))


def test_nets_that_cannot_be_fetched_say_where_to_put_them(folder, monkeypatch):
    def offline(hub_id, **_):
        raise OSError(f"We couldn't connect to reach {hub_id}. More text.")

    monkeypatch.setattr(diffusers.ControlNetModel, "load_config", offline)
    with pytest.raises(UnreadableFileError, match=r"hf download \S+scribble` fetches to controlnet-scribble/ in the model's"):
        FAMILY.check(said(folder, controls={"scribble": 1.0}))


def test_nets_of_another_stable_diffusion_are_refused():
    unet, net, xl = (SimpleNamespace(config=SimpleNamespace(cross_attention_dim=width)) for width in (768, 768, 2048))
    require_same_text([net], unet)
    with pytest.raises(BadValueError, match="ControlNet is for text of width 2048, must be 768"):
        require_same_text([net, xl], unet)


def test_a_clip_longer_than_the_motion_modules_is_refused(folder):
    FAMILY.check(said(folder), ClipFacts(32, (64, 64)))
    with pytest.raises(BadValueError, match="number of frames is 33, must be at most 32 at once for animatediff-controlnet"):
        FAMILY.check(said(folder), ClipFacts(33, (64, 64)))


def test_a_strength_that_leaves_no_step_is_refused(tmp_path):
    family, tiny = family_called("animatediff-v2v"), TINY["animatediff-v2v"]
    tiny.save(tmp_path / "tiny")
    family.check(said(tmp_path / "tiny", strength=0.5))
    with pytest.raises(BadValueError, match="--strength is 0.4, must be at least 0.5 with --steps 2"):
        family.check(said(tmp_path / "tiny", strength=0.4))


# SparseCtrl


@pytest.mark.parametrize(("frames", "keys"), [(1, [0]), (2, [0, 1]), (9, [0, 8]), (16, [0, 8, 15])])
def test_key_frames_are_every_eighth_and_the_last(frames, keys):
    assert key_frames(frames) == keys


def test_sparse_nets_refuse_two_controls_and_pictures_that_no_net_looks_at(tmp_path):
    family = families()["animatediff-sparsectrl"]
    folder = save_sparse(tmp_path / "tiny", "scribble", pictures=False)
    family.check(said(folder))
    with pytest.raises(BadValueError, match="--control is scribble,rgb, must be one"):
        family.check(said(folder, controls={"scribble": 1.0, "rgb": 1.0}))
    with pytest.raises(BadValueError, match="--first-frame is rgb, must be given with --control rgb"):
        family.check(said(folder, first_frame="rgb"))


@pytest.mark.slow
def test_a_photograph_is_the_first_key_frame_and_nothing_is_drawn_for_it(clip, tmp_path):
    family = family_called("animatediff-sparsectrl")
    folder = save_sparse(tmp_path / "tiny", "rgb", pictures=True)
    options = options_for(folder, SMALL, camera=clip.cameras[0], large={"controls": {"rgb": 1.0}, "first_frame": "rgb"})
    found = listened(clip, options, family, SMALL)
    (first, *_), masks = found.control, []
    assert not found.drawn and first.shape[1:3] == (4, 2) and first[:, :, 0].any() and not first[:, :, 1].any()
    net = loaded_pipeline(family, options).controlnet
    net.register_forward_pre_hook(lambda _, args, kw: masks.append(kw["conditioning_mask"]), with_kwargs=True)
    made = footage(clip, clip.cameras[0])
    torch.manual_seed(7)
    listened(clip, options, family, SMALL)
    assert np.array_equal(footage(clip, clip.cameras[0]), made)
    assert masks[0][0, 0, 0].all() and not masks[0][0, 0, 1].any()


# Text2Video-Zero


def test_frames_that_a_safety_checker_blacked_out_are_no_footage():
    family = family_called("text2video-zero")
    images = np.full((2, 8, 8, 3), 0.5)
    assert family.footage(SimpleNamespace(images=images, nsfw_content_detected=None)).shape == (2, 8, 8, 3)
    with pytest.raises(BadValueError, match="safety checker blacked out is 1, must be none"):
        family.footage(SimpleNamespace(images=images, nsfw_content_detected=[False, True]))


@pytest.mark.slow
@pytest.mark.parametrize("guidance", [1.0, 7.5])
def test_all_frames_look_at_the_first(clip, tmp_path, guidance):
    family, tiny = family_called("text2video-zero"), TINY["text2video-zero"]
    tiny.save(tmp_path / "tiny")
    model = family.load(options_for(tmp_path / "tiny", tiny, camera=clip.cameras[0], large={"guidance": guidance}))
    noise = np.asarray(clip.noise(clip.cameras[0]), np.float32)

    def last(changed):
        given = model.inputs(clip, clip.cameras[0], lambda latents: changed[latents])
        return list(model.run(given, lambda done, total: None))[-1]

    other = noise.copy()
    other[0] = other[0, :, ::-1]
    assert not np.array_equal(last(noise), last(other))
