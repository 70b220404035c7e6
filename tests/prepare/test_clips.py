import numpy as np
import pytest

from sim2real.errors import BadValueError
from sim2real.prepare import Recipe, make_training_clips
from sim2real.prepare.clips import clip_path, light_path, make_clip

TINY = Recipe(seed=3, clips=2, frames=3, size=(24, 32), spp=1, max_depth=2)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    told = []
    output = tmp_path_factory.mktemp("clips")
    make_training_clips(TINY, output, workers=2, progress=lambda done, total: told.append((done, total)))
    return output, told


def test_a_clip_holds_pictures_conditions_and_cameras(clips):
    output, told = clips
    assert told == [(0, 2), (1, 2), (2, 2)]
    with np.load(clip_path(output, 1)) as clip:
        assert clip["rgb"].shape == (3, 24, 32, 3)
        assert clip["rgb"].dtype == clip["edges"].dtype == np.uint8
        assert clip["depth"].shape == clip["edges"].shape == clip["instances"].shape == (3, 24, 32)
        assert clip["K"].shape == (3, 3, 3)
        assert clip["world_from_camera"].shape == (3, 4, 4)
        assert 0.1 < np.median(clip["depth"]) < 6
        assert 20 < clip["rgb"].mean() < 235
        assert clip["instances"].max() <= len(TINY.scene(1).instances)


def test_a_clip_made_again_alone_has_the_same_bits(clips, tmp_path):
    output, _ = clips
    make_clip(TINY, tmp_path, 1)
    for path_of in (clip_path, light_path):
        assert path_of(tmp_path, 1).read_bytes() == path_of(output, 1).read_bytes()


def test_what_is_there_is_not_made_again(clips):
    output, _ = clips
    before = {p.name: p.stat().st_mtime_ns for p in output.iterdir()}
    make_training_clips(TINY, output)
    assert {p.name: p.stat().st_mtime_ns for p in output.iterdir()} == before
    assert not [name for name in before if "partial" in name]


def test_clips_of_two_recipes_do_not_share_a_folder(clips):
    with pytest.raises(BadValueError, match="choose another folder"):
        make_training_clips(Recipe(seed=4, clips=1), clips[0])
