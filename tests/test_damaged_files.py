"""Files of ours that were cut, overwritten or replaced end in one line that names them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim2real.clip import read_clip, write_sheet
from sim2real.clip.footage import footage_settings
from sim2real.clip.images import read_depth, read_png, write_depth, write_png
from sim2real.clip.record import read_record
from sim2real.diffusion.families import family_of
from sim2real.diffusion.families.embedded.folder import read_info
from sim2real.errors import MissingFileError, Sim2RealError, UnreadableFileError
from sim2real.render.bake_record import read_baked
from sim2real.text_files import read_json

from .clip.conftest import fill, record_of

READERS = {
    "clip.json": lambda folder: read_record(folder / "clip.json"),
    "settings.json": footage_settings,
    "model_index.json": family_of,
    "sim2real.json": read_info,
    "bake.json": read_baked,
}


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", "null", '"text"', "[" * 100_000, '{"a": NaN', "\x00\xff"])
@pytest.mark.parametrize("name", READERS)
def test_records_that_are_no_object_are_named(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="latin-1")
    with pytest.raises(UnreadableFileError, match=name.replace(".", r"\.")) as caught:
        READERS[name](tmp_path)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("value", [{}, {"frames": []}, {"kind": "picture-denoiser"}, {"textures": 3}, {"_class_name": []}])
def test_records_that_lack_entries_are_refused(tmp_path, name, value):
    (tmp_path / name).write_text(json.dumps(value))
    if name == "settings.json":
        assert footage_settings(tmp_path) == value
        return
    with pytest.raises(Sim2RealError) as caught:
        READERS[name](tmp_path)
    assert len(str(caught.value).splitlines()) == 1


def test_a_record_that_is_absent_is_missing_and_any_encoding_is_read(tmp_path):
    with pytest.raises(MissingFileError, match=r"absent\.json"):
        read_json(tmp_path / "absent.json", what="the record", fix="make it")
    (tmp_path / "marked.json").write_bytes('{"name": "Käse"}\r\n'.encode("utf-8-sig"))
    assert read_json(tmp_path / "marked.json", what="the record", fix="make it") == {"name": "Käse"}


@pytest.mark.slow
@given(data=st.data())
@pytest.mark.parametrize("kind", ["png", "exr"])
def test_pictures_with_broken_bytes_are_read_or_named(tmp_path_factory, kind, data):
    path = tmp_path_factory.mktemp("broken") / f"picture.{kind}"
    rng = np.random.default_rng(0)
    if kind == "png":
        write_png(path, rng.integers(0, 256, (9, 11, 3), dtype=np.uint8))
    else:
        write_depth(path, rng.random((9, 11), dtype=np.float32))
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    try:
        assert isinstance((read_png if kind == "png" else read_depth)(path), np.ndarray)
    except UnreadableFileError as error:
        assert path.name in str(error) and len(str(error).splitlines()) == 1


def test_depth_that_was_cut_off_says_so_and_is_never_guessed(tmp_path):
    write_depth(tmp_path / "a.exr", np.random.default_rng(0).random((64, 80), dtype=np.float32))
    whole = (tmp_path / "a.exr").read_bytes()
    for kept in (len(whole) // 3, len(whole) - 1):
        (tmp_path / "a.exr").write_bytes(whole[:kept])
        with pytest.raises(UnreadableFileError, match="its pixels are damaged or cut off"):
            read_depth(tmp_path / "a.exr")


@pytest.mark.parametrize("latent", [0, 1])
def test_noise_with_a_number_that_is_none_is_refused_before_it_drives_anything(tmp_path, latent):
    fill(tmp_path, record_of(cameras=("front",)))
    values = np.load(tmp_path / "front" / "noise.npy")
    values[latent, 0, 0, 0] = np.nan
    np.save(tmp_path / "front" / "noise.npy", values)
    clip = read_clip(tmp_path)
    other = clip.latents("front", slice(1 - latent, 2 - latent))
    assert np.array_equal(other, values[[1 - latent]])
    for which in (slice(None), [latent], slice(latent, None)):
        with pytest.raises(UnreadableFileError, match=f"noise cannot be read: latent {latent} is not finite"):
            clip.latents("front", which)
    with pytest.raises(UnreadableFileError, match=f"latent {latent}"):
        write_sheet(clip)


@pytest.mark.parametrize("kind", ["rgb", "depth", "noise"])
def test_what_does_not_fit_the_record_of_its_clip_is_named(tmp_path, kind):
    fill(tmp_path, record_of(cameras=("front",)))
    clip = read_clip(tmp_path)
    if kind == "noise":
        np.save(tmp_path / "front" / "noise.npy", np.zeros((2, 4, 3, 3), np.float32))
    elif kind == "rgb":
        write_png(clip.frame_path("front", kind, 2), np.zeros((24, 33, 3), np.uint8))
    else:
        write_depth(clip.frame_path("front", kind, 2), np.full((24, 32), np.inf, np.float32))
    with pytest.raises(UnreadableFileError, match=r"noise\.npy" if kind == "noise" else r"000002\.(png|exr)"):
        clip.noise("front") if kind == "noise" else getattr(clip, kind)("front", 2)
