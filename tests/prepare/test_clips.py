import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from sim2real.conditions import instance_ids
from sim2real.errors import BadValueError, IncompleteClipsError
from sim2real.prepare import Recipe, make_training_clips
from sim2real.prepare import clips as clips_module
from sim2real.prepare.__main__ import main
from sim2real.prepare.clips import claim, clip_path, make_clip
from sim2real.prepare.noise_fields import CHANNELS, noise_path
from sim2real.raster import rasterizer, view_of
from sim2real.scene import triangles_of
from sim2real.scene.material_kinds import MATERIAL_KINDS

TINY = Recipe(seed=3, clips=2, frames=2, moving_every=1, size=(24, 32), spp=1, max_depth=2, assets=False)
PICTURES = {
    "light": (np.float16, 3),
    "known_light": (np.float16, 3),
    "known_reflection": (np.float16, 3),
    "rgb": (np.uint8, 3),
    "albedo": (np.uint8, 3),
    "material": (np.uint8, 3),
    "normals": (np.uint8, 3),
    "depth": (np.float32, None),
    "edges": (np.uint8, None),
    "instances": (np.uint16, None),
    "coverage": (np.uint16, None),
    "kinds": (np.uint8, None),
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    told, said = [], []
    output = tmp_path_factory.mktemp("clips")
    make_training_clips(TINY, output, workers=1, progress=lambda *counts: told.append(counts), tell=said.append)
    return output, told, said


def read(path):
    with np.load(path) as arrays:
        return dict(arrays)


@pytest.mark.slow
def test_a_clip_holds_truth_conditions_labels_cameras_and_noise(clips):
    output, told, said = clips
    assert told == [(0, 2), (1, 2), (2, 2)]
    assert len(said) == 1 and "2 clips: about" in said[0] and "GB" in said[0]
    clip = read(clip_path(output, 1))
    assert set(clip) == {*PICTURES, "K", "world_from_camera", "class_names"}
    for name, (kind, channels) in PICTURES.items():
        assert clip[name].dtype == kind and clip[name].shape == (2, 24, 32) + ((channels,) if channels else ()), name
    assert clip["K"].shape == (2, 3, 3) and clip["world_from_camera"].shape == (2, 4, 4)
    assert np.isfinite(clip["light"]).all() and (clip["light"] >= 0).all() and clip["light"].std() > 0
    assert clip["kinds"].max() < len(MATERIAL_KINDS)
    noise = np.load(noise_path(output, 1))
    assert noise.shape == (2, CHANNELS, 24, 32) and noise.dtype == np.float16


@pytest.mark.slow
def test_labels_agree_with_the_scene(clips):
    clip, scene = read(clip_path(clips[0], 0)), TINY.scene(0)
    triangles = triangles_of(scene)
    seen = rasterizer(triangles).fragments(view_of(scene, scene.cameras[0], 1))
    assert np.array_equal(clip["instances"][1], instance_ids(seen.face, triangles))
    assert list(clip["class_names"]) == [instance.class_name for instance in scene.instances]
    kinds = {scene.meshes[part.mesh].material.kind for part in scene.parts}
    shown = {MATERIAL_KINDS[k] for k in np.unique(clip["kinds"])}
    assert shown <= kinds | {"unknown"} and shown != {"unknown"}
    assert not clip["kinds"][clip["instances"] == 0].any() and not clip["depth"][clip["instances"] == 0].any()


@pytest.mark.slow
def test_what_is_there_is_not_made_again(clips):
    output = clips[0]
    before = {p.name: p.stat().st_mtime_ns for p in output.iterdir()}
    make_training_clips(TINY, output)
    assert {p.name: p.stat().st_mtime_ns for p in output.iterdir()} == before
    assert not [name for name in before if "partial" in name]


@pytest.mark.slow
def test_a_clip_made_again_alone_has_the_same_bits_and_keeps_the_noise_that_is_there(clips, tmp_path):
    noise_path(tmp_path, 0).write_bytes(b"what a stopped run left")
    make_clip(TINY, tmp_path, 0)
    assert clip_path(tmp_path, 0).read_bytes() == clip_path(clips[0], 0).read_bytes()
    assert noise_path(tmp_path, 0).read_bytes() == b"what a stopped run left"


@pytest.mark.slow
def test_clips_of_two_recipes_do_not_share_a_folder_but_a_recipe_may_grow(clips):
    with pytest.raises(BadValueError, match="choose another folder"):
        make_training_clips(replace(TINY, seed=4), clips[0])
    claim(replace(TINY, clips=50), clips[0])


def test_moving_clips_of_one_frame_are_refused():
    with pytest.raises(BadValueError, match="2 to 8"):
        Recipe(frames=1)
    with pytest.raises(BadValueError, match="moving_every.*at least 1"):
        Recipe(moving_every=0)


@pytest.mark.slow
def test_only_the_last_of_so_many_clips_moves(tmp_path):
    recipe = replace(TINY, moving_every=2)
    assert [recipe.frames_of(clip) for clip in range(4)] == [1, 2, 1, 2]
    make_clip(recipe, tmp_path, 2)
    clip = read(clip_path(tmp_path, 2))
    assert clip["rgb"].shape == (1, 24, 32, 3) and clip["K"].shape == (1, 3, 3) and len(np.load(noise_path(tmp_path, 2))) == 1


class Pool:
    """Does the work at once, in this process."""

    def __init__(self, **_options):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_fault):
        pass

    def submit(self, call, *arguments):
        future = clips_module.Future()
        try:
            future.set_result(call(*arguments))
        except Exception as error:  # what a real pool does
            future.set_exception(error)
        return future

    def shutdown(self, **_options):
        pass


def test_one_odd_scene_does_not_stop_the_others_and_is_named_at_the_end(tmp_path, monkeypatch):
    made = []

    def make(_recipe, _output, clip):
        if clip == 2:
            raise ZeroDivisionError("a flat\ntriangle")
        made.append(clip)

    monkeypatch.setattr(clips_module, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(clips_module, "make_clip", make)
    with pytest.raises(IncompleteClipsError, match=r"1 of 5 .*clip 2: ZeroDivisionError: a flat triangle.*run it again"):
        make_training_clips(TINY, tmp_path, numbers=range(5))
    assert made == [0, 1, 3, 4]


def test_a_full_disk_stops_at_once(tmp_path, monkeypatch):
    def make(_recipe, _output, _clip):
        raise OSError("No space left on device")

    monkeypatch.setattr(clips_module, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(clips_module, "make_clip", make)
    with pytest.raises(OSError, match="No space"):
        make_training_clips(TINY, tmp_path, numbers=range(5))


def test_the_command_makes_the_numbers_that_it_is_given(tmp_path, monkeypatch):
    def make(_recipe, output, clip):
        for path in (clip_path(output, clip), noise_path(output, clip)):
            path.write_bytes(b"held")

    monkeypatch.setattr(clips_module, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(clips_module, "make_clip", make)
    options = ["--no-assets", "--numbers", "7:9", "--size", "64x48", "--frames", "2", "--spp", "1"]
    done = CliRunner().invoke(main, [str(tmp_path), *options], catch_exceptions=False)
    assert done.exit_code == 0 and "2 of 2 clips" in done.output
    assert sorted(path.name for path in tmp_path.glob("*.npz")) == ["000007.npz", "000008.npz"]
    assert json.loads((tmp_path / "recipe.json").read_text())["size"] == [48, 64]
    assert CliRunner().invoke(main, [str(tmp_path), "--size", "64"]).exit_code == 2
