import json

import numpy as np
import pytest

from sim2real.clip import read_clip
from sim2real.clip.images import write_png
from sim2real.diffusion import GenerateOptions, family_of, generate
from sim2real.diffusion.families.embedded.pipeline import quiet_diffusers
from sim2real.diffusion.families.wan import load_wan_vace, sample_wan_vace
from sim2real.diffusion.family import other_count
from sim2real.errors import BadValueError, MissingFileError, UnreadableFileError
from tests.diffusion.families.tiny.wan import save_wan


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_wan(tmp_path_factory.mktemp("wan") / "tiny", "WanVACEPipeline")


@pytest.mark.slow
def test_the_clips_noise_reaches_the_transformer_verbatim(folder, rng):
    pipeline = load_wan_vace(str(folder), family_of(folder))
    seen, told = [], []
    pipeline.transformer.register_forward_pre_hook(lambda _, args, kw: seen.append(kw["hidden_states"]), with_kwargs=True)
    noise = rng.standard_normal((2, 16, 4, 6), np.float32)
    control = rng.random((5, 3, 32, 48), np.float32)
    arguments = {"prompt": "kitchen", "steps": 2, "progress": lambda *done: told.append(done)}
    frames = sample_wan_vace(pipeline, noise, control, **arguments)
    assert frames.shape == (5, 32, 48, 3) and told == [(1, 2), (2, 2)]
    assert np.array_equal(seen[0][0].numpy().swapaxes(0, 1), noise)
    assert np.array_equal(frames, sample_wan_vace(pipeline, noise, control, **arguments))


def test_what_the_pipeline_would_change_in_silence_is_refused(folder):
    pipeline = load_wan_vace(str(folder), family_of(folder))
    for frames, size, noise, message in (
        (
            6,
            (32, 48),
            (2, 16, 4, 6),
            r"number of frames is 6, must be 4 n \+ 1; .*--frames 5, or with --frames 9, if the scene",
        ),
        (5, (32, 40), (2, 16, 4, 5), "size is 32x40, must be multiples of 16"),
        (5, (32, 48), (5, 16, 4, 6), r"noise is \(5, 16, 4, 6\), must be \(2, 16, 4, 6\)"),
    ):
        with pytest.raises(BadValueError, match=message):
            sample_wan_vace(pipeline, np.zeros(noise, np.float32), np.zeros((frames, 3, *size), np.float32), prompt="")


def test_generate_runs_it_on_a_clip_rendered_for_it(folder, make_clip):
    clip = make_clip(factor=8, channels=16, latents=[0, 4], size=(32, 48), frames=5)
    generate(clip, GenerateOptions(model=folder, prompt="kitchen", steps=1))
    (footage,) = read_clip(clip).generated("front")
    assert footage.name == "tiny-0" and len(list((footage / "frames").iterdir())) == 5


def test_a_model_that_is_not_there_is_named(tmp_path):
    (tmp_path / "model_index.json").write_text('{"_class_name": "WanVACEPipeline"}')
    with quiet_diffusers(), pytest.raises(UnreadableFileError, match="the model cannot be read"):
        load_wan_vace(str(tmp_path), family_of(tmp_path))


@pytest.mark.parametrize(
    ("frames", "surely", "perhaps"), [(48, "45", "49"), (50, "49", "53"), (6, "5", "9"), (4, None, "5"), (2, None, "5")]
)
def test_counts_of_frames_are_offered_that_can_be_reached(frames, surely, perhaps):
    fix = other_count(frames, 4)
    sure, _, more = fix.rpartition("--frames ")
    assert more.startswith(f"{perhaps}, if ")
    assert (f"--frames {surely}, or" in sure) if surely else "--frames" not in sure


def test_the_clip_of_a_video_is_driven_by_its_edges(folder, make_clip):
    clip = make_clip(factor=8, channels=16, latents=[0, 4], size=(32, 48), frames=5)
    told = json.loads((clip / "clip.json").read_text())
    told["scene"] |= {"options": {"reader": "video"}}
    (clip / "clip.json").write_text(json.dumps(told))
    edges = np.zeros((5, 32, 48), np.uint8)
    for frame, picture in enumerate(edges):
        picture[4 + frame] = 255
        write_png(clip / "front" / "edges" / f"{frame:06d}.png", picture)
    model = family_of(folder).load(GenerateOptions(model=folder, prompt="kitchen", steps=1))
    opened = read_clip(clip)
    assert model.inputs(opened, "front", lambda _: None).control.std() > 0.2, "depth, where there is some"
    (clip / "front" / "depth").rename(clip / "depth")
    control = model.inputs(opened, "front", lambda _: None).control
    assert control.shape == (5, 3, 32, 48) and all(np.array_equal(control[:, k] == 1, edges > 0) for k in range(3))
    generate(clip, GenerateOptions(model=folder, prompt="kitchen", steps=1))
    assert len(list((opened.generated("front")[0] / "frames").iterdir())) == 5
    (clip / "front" / "edges").rename(clip / "edges")
    with pytest.raises(MissingFileError, match="^edges .which wan-vace needs. not found"):
        generate(clip, GenerateOptions(model=folder, prompt="kitchen", steps=1))
