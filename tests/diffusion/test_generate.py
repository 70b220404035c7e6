import json

import numpy as np
import pytest
from PIL import Image

from sim2real.clip import read_clip, read_video
from sim2real.diffusion import generate
from sim2real.errors import BadValueError, MissingFileError, UnknownNameError


def frames_of(folder):
    return np.stack([np.asarray(Image.open(path)) for path in sorted((folder / "frames").glob("*.png"))])


def test_footage_appears_with_frames_video_and_settings(clip_folder, model_folder):
    told = []
    assert generate(clip_folder, model=model_folder, seed=3, progress=lambda *row: told.append(row)) == clip_folder
    (footage,) = read_clip(clip_folder).generated("front")
    assert footage.name == "model-3"
    frames = frames_of(footage)
    assert frames.shape == (6, 40, 56, 3)
    assert np.stack(list(read_video(footage / "video.mp4"))).shape == frames.shape
    settings = json.loads((footage / "settings.json").read_text())
    assert (settings["steps"], settings["seed"], settings["noise"]) == (2, 3, "clip")
    assert told[-1][0] == "generate front" and told[-1][1] == told[-1][2]


def test_generating_again_replaces_footage_with_the_same_pictures(clip_folder, model_folder):
    generate(clip_folder, model=model_folder)
    footage = clip_folder / "front" / "generated" / "model-0"
    first = frames_of(footage)
    generate(clip_folder, model=model_folder, camera="front")
    assert np.array_equal(first, frames_of(footage))


def test_independent_noise_is_a_baseline_beside_the_footage(clip_folder, model_folder):
    generate(clip_folder, model=model_folder, noise="iid", steps=1)
    generate(clip_folder, model=model_folder, steps=1)
    root = clip_folder / "front" / "generated"
    assert sorted(p.name for p in root.iterdir()) == ["model-0", "model-iid-0"]
    assert not np.array_equal(frames_of(root / "model-0"), frames_of(root / "model-iid-0"))


def test_noise_for_another_model_is_refused_with_the_command(make_clip, model_folder):
    clip = make_clip(factor=8, channels=16, latents=[0, 4])
    with pytest.raises(BadValueError, match="16 channels at factor 8.*sim2real render scene.yaml -o CLIP --for embedded"):
        generate(clip, model=model_folder)


def test_unusable_requests_are_refused(clip_folder, model_folder, tmp_path):
    with pytest.raises(UnknownNameError, match="unknown camera 'wrist'.*front"):
        generate(clip_folder, model=model_folder, camera="wrist")
    with pytest.raises(BadValueError, match="reads no text"):
        generate(clip_folder, model=model_folder, prompt="a kitchen")
    with pytest.raises(BadValueError, match="CogVideoXPipeline"):
        generate(clip_folder, model="cogvideox")
    with pytest.raises(MissingFileError, match="clip folder not found"):
        generate(tmp_path / "none", model=model_folder)
    (clip_folder / "front" / "noise.npy").unlink()
    with pytest.raises(MissingFileError, match="noise not found.*sim2real render"):
        generate(clip_folder, model=model_folder)
