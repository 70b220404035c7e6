"""Whatever clips, videos, models and the files beside them hold: it is read, whole and finite, or refused in one line."""

from __future__ import annotations

import json
import random
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # third-party modules warn at import
    import diffusers  # noqa: F401
    import torch

from sim2real.clip import Clip, VideoWriter, images, read_clip, write_report, write_sheet
from sim2real.clip.footage import footage_frame, footage_settings
from sim2real.diffusion import GenerateOptions
from sim2real.diffusion.families import families, family_of
from sim2real.diffusion.families.embedded.denoiser import build_denoiser
from sim2real.diffusion.families.embedded.folder import Info, load_model, save_model
from sim2real.diffusion.pipelines.files import require_weights
from sim2real.flow import read_flow
from sim2real.render.bake_record import read_baked
from sim2real.scene.light.panoramas import environment_of
from sim2real.scene.readers.scene_file.yaml import read_yaml
from sim2real.training.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from sim2real.training.packed import packed_clip
from sim2real.training.recipe import TrainingRecipe
from sim2real.video import DepthFiles, open_pictures, read_poses

from .clip.conftest import fill, record_of
from .mutations import changed, damaged, fuzzed, odd_array, read_or_refused

SIZES = {"widths": [8, 8, 16, 16], "down": [1, 1, 1, 1], "up": [1, 1, 1, 1], "embedding": 16}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def made(place: Path, name: str, make: Callable[[Path], object]) -> Path:
    """A fresh copy of a file or folder that is made once."""
    whole, copied = place / "whole" / name, place / "copied" / name
    if not whole.exists():
        whole.parent.mkdir(exist_ok=True)
        make(whole)
    shutil.rmtree(copied, ignore_errors=True)
    copied.parent.mkdir(exist_ok=True)
    (shutil.copytree if whole.is_dir() else shutil.copyfile)(whole, copied)
    return copied


def damage(path: Path, rng: random.Random) -> None:
    """Damage one file of a folder, or remove it."""
    if rng.random() < 0.1:
        path.unlink()
    else:
        path.write_bytes(damaged(path.read_bytes(), rng))


def change(path: Path, rng: random.Random) -> None:
    """Change entries of a JSON file."""
    path.write_text(json.dumps(changed(json.loads(path.read_text()), rng)))


def whole_clip(folder: Path) -> None:
    folder.mkdir()
    fill(folder, record_of(cameras=("front",)))
    footage = folder / "front" / "generated" / "embedded-0"
    (footage / "frames").mkdir(parents=True)
    for frame in range(5):
        shutil.copy(folder / "front" / "rgb" / f"{frame:06d}.png", footage / "frames")
    (footage / "settings.json").write_text(json.dumps({"model": "embedded", "seed": 0, "use": "keep", "seconds": 1.0}))


def look_through(clip: Clip) -> None:
    """Everything that a clip offers."""
    for camera in clip.cameras:
        clip.camera(camera)
        for kind in ("rgb", "depth", "normals", "edges", "instances"):
            if clip.has(camera, kind):
                picture = getattr(clip, kind)(camera, 1)
                assert picture.shape[:2] == clip.record.size and np.isfinite(picture).all()
        if clip.has(camera, "noise"):
            assert clip.noise(camera).ndim == 4
        for footage in clip.generated(camera):
            footage_settings(footage)
            footage_frame(footage, 0)
    write_sheet(clip, columns=2)
    write_report(clip)


@pytest.mark.slow
@fuzzed(15)
def test_clips_whose_record_has_other_entries(place, rng):
    folder = made(place, "clip", whole_clip)
    change(folder / "clip.json", rng)
    if rng.random() < 0.2:
        damage(folder / "clip.json", rng)
    read_or_refused(lambda: look_through(read_clip(folder)))


@pytest.mark.slow
@fuzzed(10)
def test_clips_with_damaged_files(place, rng):
    folder = made(place, "clip", whole_clip)
    files = sorted(
        f for f in folder.rglob("*") if f.is_file() and (f.stem in ("000001", "000000") or f.suffix in (".npy", ".json"))
    )
    target = rng.choice(files)
    if rng.random() < 0.5:
        damage(target, rng)
    elif target.suffix == ".json":
        change(target, rng)
    elif target.suffix == ".png":
        mode = rng.choice(["RGB", "L", "P", "I;16", "1", "LA", "RGBA"])
        Image.new(mode, rng.choice([(32, 24), (24, 32), (1, 1)])).save(target)
    elif target.suffix == ".npy":
        np.save(target, odd_array(rng, (2, 4, 3, 4), (2, 3, 4)))
    else:
        images.write_depth(target, np.full(rng.choice([(24, 32), (32, 24)]), rng.choice([np.nan, np.inf, -1, 1]), np.float32))
    read_or_refused(lambda: look_through(read_clip(folder)))


@fuzzed(30)
def test_files_of_poses(place, rng):
    poses = np.tile(np.eye(4), (3, 1, 1)).tolist()
    trees = {
        "a": poses,
        "b": {"cameras": {"front": {"world_from_camera": poses}}},
        "c": {"frames": [{"file_path": f"{k}.png", "transform_matrix": np.eye(4).tolist()} for k in range(3)]},
    }
    kind = rng.choice(["npy", "json", "txt"])
    path = place / f"poses.{kind}"
    if kind == "npy":
        np.save(path, odd_array(rng, (3, 4, 4), (3, 3, 4), (3, 12), (3, 16)))
    elif kind == "json":
        path.write_text(json.dumps(changed(trees[rng.choice("abc")], rng)))
    else:
        path.write_bytes(damaged(b"1 0 0 0 0 1 0 0 0 0 1 0\n" * 3, rng))
    if rng.random() < 0.2:
        path.write_bytes(damaged(path.read_bytes(), rng))

    def check(found: np.ndarray) -> None:
        assert found.shape == (3, 4, 4) and np.isfinite(found).all()

    read_or_refused(lambda: read_poses(path, 3), check)


@pytest.mark.parametrize("kind", ["exr", "png", "npy"])
@fuzzed(20)
def test_files_of_depth_and_motion(place, kind, rng):
    folder = place / f"depth-{kind}"
    folder.mkdir(exist_ok=True)
    depth = np.linspace(1, 2, 48, dtype=np.float32).reshape(6, 8)
    if kind == "exr":
        images.write_depth(folder / "0.exr", depth)
    elif kind == "png":
        images.write_png(folder / "0.png", (depth * 1000).astype(np.uint16))
    else:
        np.save(folder / "0.npy", odd_array(rng, (6, 8), (6, 8, 2)))
    if kind != "npy" or rng.random() < 0.5:
        (folder / f"0.{kind}").write_bytes(damaged((folder / f"0.{kind}").read_bytes(), rng))

    def check(found: np.ndarray) -> None:
        assert found.shape == (6, 8) and np.isfinite(found).all() and found.min() >= 0

    read_or_refused(lambda: DepthFiles(folder, 1, (6, 8)).frame(0), check)
    if kind != "png":
        read_or_refused(lambda: read_flow(folder / f"0.{kind}", (6, 8)))
    if kind == "exr":
        read_or_refused(lambda: environment_of(str(folder / "0.exr")))


def _pictures() -> list[np.ndarray]:
    return [np.random.default_rng(k).integers(0, 256, (32, 48, 3), dtype=np.uint8) for k in range(6)]


def whole_video(path: Path) -> None:
    if path.suffix in (".webp", ".gif", ".png", ".tif", ".bmp", ".jpg"):
        first, *others = [Image.fromarray(picture) for picture in _pictures()]
        if path.suffix in (".webp", ".gif"):
            first.save(path, save_all=True, append_images=others, duration=40)
        else:
            first.save(path)
        return
    import av

    if path.suffix == ".mp4":
        with VideoWriter(path, 12.0) as video:
            for picture in _pictures():
                video.write(picture)
        return
    codec = {".mkv": "libx264", ".avi": "mpeg4"}[path.suffix]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=12)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for picture in _pictures():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("kind", ["mp4", "mkv", "avi", "webp", "gif"])
@fuzzed(10)
def test_videos_that_are_damaged(place, kind, rng):
    path = made(place, f"video.{kind}", whole_video)
    path.write_bytes(damaged(path.read_bytes(), rng))

    def read() -> tuple[int, list[np.ndarray]]:
        opened = open_pictures(path)
        return opened.frames, list(opened)

    def check(found: tuple[int, list[np.ndarray]]) -> None:
        frames, pictures = found
        assert frames == len(pictures) > 0 and all(picture.shape == pictures[0].shape for picture in pictures)

    read_or_refused(read, check)


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "bmp"])
@fuzzed(10)
def test_folders_with_damaged_pictures(place, kind, rng):
    folder = place / f"pictures-{kind}"
    folder.mkdir(exist_ok=True)
    whole = made(place, f"picture.{kind}", whole_video).read_bytes()
    (folder / f"0.{kind}").write_bytes(whole)
    (folder / f"1.{kind}").write_bytes(damaged(whole, rng))

    def check(found: list[np.ndarray]) -> None:
        assert len(found) == 2 and {picture.shape for picture in found} == {(32, 48, 3)}

    read_or_refused(lambda: list(open_pictures(folder)), check)


def whole_model(folder: Path) -> None:
    save_model(folder, build_denoiser(1, **SIZES), Info(training={"steps": 3}))
    index = {"_class_name": "WanVACEPipeline", "vae": ["diffusers", "AutoencoderKLWan"], "scheduler": ["diffusers", "UniPC"]}
    (folder / "model_index.json").write_text(json.dumps(index))


@fuzzed(8)
def test_folders_of_models(place, rng):
    folder = made(place, "model", whole_model)
    target = rng.choice([f for f in sorted(folder.rglob("*")) if f.is_file()])
    if target.suffix == ".json" and rng.random() < 0.7:
        change(target, rng)
    else:
        damage(target, rng)
    if rng.random() < 0.3:
        (folder / "sim2real.json").unlink(missing_ok=True)
    read_or_refused(lambda: family_of(folder))
    read_or_refused(lambda: load_model(folder))
    read_or_refused(lambda: require_weights(families()["wan-vace"], GenerateOptions(model=folder)))


@fuzzed(20)
def test_checkpoints(place, rng):
    recipe = TrainingRecipe.model_validate({"stages": [{"steps": 6, "batch": 1, "frames": 1, "size": [16, 16]}]})

    def state() -> TrainingState:
        model = torch.nn.Linear(2, 2)
        averaged = {name: value.detach().clone() for name, value in model.state_dict().items()}
        optimizer = torch.optim.AdamW(model.parameters())
        model(torch.ones(2)).sum().backward()
        optimizer.step()
        return TrainingState(model, averaged, optimizer)

    folder = made(place, "run", lambda path: save_checkpoint(path, 3, state(), recipe))
    target = rng.choice(sorted(folder.glob("*/*")))
    if target.suffix == ".json" and rng.random() < 0.7:
        change(target, rng)
    else:
        damage(target, rng)
    read_or_refused(lambda: load_checkpoint(folder, state(), recipe))


@fuzzed(20)
def test_training_clips(place, rng):
    names = {"light": (2, 4, 5, 3), "depth": (2, 4, 5), "edges": (2, 4, 5), "K": (2, 3, 3)}
    names |= dict.fromkeys(("rgb", "albedo", "material", "normals", "known_light", "known_reflection"), (2, 4, 5, 3))
    kinds = dict.fromkeys(("rgb", "albedo", "material", "normals", "edges"), np.uint8)
    arrays = {name: np.ones(shape, kinds.get(name, np.float32)) for name, shape in names.items()}
    for name in rng.sample(sorted(arrays), rng.choice([0, 1, 2])):
        arrays[name] = odd_array(rng, names[name])
        if rng.random() < 0.2:
            del arrays[name]
    folder = place / "clips"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    np.savez(folder / "000000.npz", **arrays)
    if rng.random() < 0.4:
        damage(folder / "000000.npz", rng)
    if read_or_refused(lambda: packed_clip(folder / "000000.npz")) is None:
        damage(next(folder.glob("packed*/*")), rng)
        read_or_refused(lambda: packed_clip(folder / "000000.npz").pixels(np.s_[:1, :1, :1]))


RECIPE = {
    "stages": [{"steps": 6, "batch": 4, "frames": 2, "size": [16, 32], "losses": {"clamp": 0.5}}],
    "model": {"widths": [8, 8, 16, 16], "embedding": 16},
    "noise_levels": {"pure": 0.5},
    "learning_rate": 3e-3,
}
BAKED = {
    "scene": "a.yaml",
    "sha256": "0",
    "seed": 0,
    "channels": 4,
    "textures": [{"file": "a.npy", "node": "a", "instance": "a", "class_name": "a", "level": 3, "side_m": 1.0, "keys": ["ff"]}],
}


@fuzzed(15)
def test_recipes_and_records(place, rng):
    (place / "recipe.yaml").write_text(yaml.dump(changed(RECIPE, rng)))
    read_or_refused(lambda: read_yaml(place / "recipe.yaml", TrainingRecipe))
    (place / "bake.json").write_text(json.dumps(changed(BAKED, rng)))
    read_or_refused(lambda: read_baked(place))
