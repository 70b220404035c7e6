from __future__ import annotations

import json
import shlex
from typing import get_args

import click
import numpy as np
import pytest
import torch
from safetensors import safe_open

from sim2real.cli import main
from sim2real.clip import read_clip
from sim2real.diffusion import export
from sim2real.diffusion.export import ExportFormat, ExportOptions, export_noise, read_exported
from sim2real.errors import (
    BadValueError,
    MissingFileError,
    OutputExistsError,
    UnknownNameError,
    UnreadableFileError,
    UnwritableOutputError,
)
from sim2real.metrics.whiteness import whiteness

SIZE, FRAMES = (48, 64), 49


@pytest.fixture
def every_frame(make_clip):
    """Noise at factor 8 with 16 channels, of every frame: what all formats can be picked from."""
    return make_clip(factor=8, channels=16, size=SIZE, frames=FRAMES)


def exported(clip, output, to, *, overwrite=False, **asked):
    return export_noise(clip, output, to, ExportOptions(**asked), overwrite=overwrite)


def noise_of(folder):
    return np.asarray(read_clip(folder).noise("front"))


def test_go_with_the_flow_reads_every_frame_with_channels_last(every_frame, tmp_path):
    assert exported(every_frame, tmp_path / "noises.npy", "gwtf") == (49, 6, 8, 16)
    noises = read_exported(tmp_path / "noises.npy")
    assert noises.dtype == np.float16 and noises.flags.c_contiguous
    # its reader: frames first, then channels; 13 latents are the frames nearest to 13 even steps
    latents = torch.tensor(noises).permute(0, 3, 1, 2)[torch.linspace(0, 48, 13).round().long()]
    expected = noise_of(every_frame)[::4]
    assert np.abs(latents.float().numpy() - expected).max() < 2e-3
    assert whiteness(latents.float().numpy()).worst() < 5


@pytest.mark.parametrize(
    ("model", "shape", "axes"),
    [("wan-vace", (1, 16, 13, 6, 8), (0, 2, 1, 3, 4)), ("cogvideox", (1, 13, 16, 6, 8), (0, 1, 2, 3, 4))],
)
@pytest.mark.parametrize("suffix", [".pt", ".npy", ".safetensors"])
def test_latents_have_the_axes_of_their_family_in_every_kind_of_file(every_frame, tmp_path, model, shape, axes, suffix):
    path = tmp_path / f"latents{suffix}"
    assert exported(every_frame, path, "latents", model=model) == shape
    latents = read_exported(path)
    assert latents.dtype == np.float32
    assert np.array_equal(latents, noise_of(every_frame)[::4][None].transpose(axes))


def test_latents_of_a_clip_that_was_rendered_for_the_family_are_its_own(make_clip, tmp_path):
    folder = make_clip(factor=8, channels=16, size=SIZE, frames=9, latents=[0, 2, 6])  # --latent-time middle
    assert exported(folder, tmp_path / "a.npy", "latents") == (1, 16, 3, 6, 8)
    assert np.array_equal(read_exported(tmp_path / "a.npy")[0].transpose(1, 0, 2, 3), noise_of(folder))
    with pytest.raises(BadValueError, match="of frames 0, 2, 6, must be .* of frames 0, 4, 8"):
        exported(folder, tmp_path / "b.npy", "latents", latent_time="last")


def test_the_latent_time_chooses_the_frames(every_frame, tmp_path):
    for time, first in (("first", 1), ("middle", 2), ("last", 4)):
        exported(every_frame, tmp_path / f"{time}.npy", "latents", latent_time=time)
        picked = [0, *range(first, 49, 4)]
        assert np.array_equal(read_exported(tmp_path / f"{time}.npy")[0].transpose(1, 0, 2, 3), noise_of(every_frame)[picked])


def test_the_embedded_family_folds_pixels_into_channels(make_clip, tmp_path):
    from sim2real.diffusion.folding import unfold_pixels

    folder = make_clip(factor=1, channels=3, size=(16, 24), frames=3)
    assert exported(folder, tmp_path / "a.npy", "latents", model="embedded") == (1, 48, 3, 4, 6)
    pixels = unfold_pixels(torch.from_numpy(read_exported(tmp_path / "a.npy")))[0]
    assert np.array_equal(pixels.numpy().transpose(1, 0, 2, 3), noise_of(folder))


def test_cosmos_transfer1_starts_from_noise_times_sigma_max(every_frame, tmp_path):
    assert exported(every_frame, tmp_path / "x.pt", "cosmos-transfer1") == (1, 16, 7, 6, 8)
    start = read_exported(tmp_path / "x.pt")
    assert np.array_equal(start[0].transpose(1, 0, 2, 3), noise_of(every_frame)[::8] * np.float32(80))
    exported(every_frame, tmp_path / "y.safetensors", "cosmos-transfer1", sigma_max=2.0)
    assert np.allclose(read_exported(tmp_path / "y.safetensors", "x_sigma_max") * 40, start)
    with safe_open(tmp_path / "y.safetensors", "np") as file:
        assert file.metadata()["sigma_max"] == "2.0"
        assert file.metadata()["frames"] == "0,8,16,24,32,40,48"


def test_another_layout_is_refused_with_the_command_that_renders_the_right_one(make_clip, tmp_path):
    folder = make_clip()
    for to, received in (("gwtf", "3 channels at factor 1"), ("latents", "3 channels"), ("cosmos-transfer1", "3 channels")):
        with pytest.raises(BadValueError, match=received) as caught:
            exported(folder, tmp_path / "x.npy", to)
        told = shlex.split(str(caught.value).split("render it with: ")[1])
        assert told[:2] == ["sim2real", "render"]
        command = main.get_command(click.Context(main), "render")
        parsed = command.make_context("render", told[2:]).params
        assert (str(parsed["scene"]), parsed["factor"], parsed["channels"]) == ("scene.yaml", 8, 16)
    assert not (tmp_path / "x.npy").exists()


def test_what_does_not_fit_is_one_line_and_leaves_nothing(every_frame, tmp_path):
    kept = tmp_path / "kept.npy"
    kept.write_bytes(b"mine")
    for options, error, says in (
        ({"to": "gwft"}, UnknownNameError, "gwtf"),
        ({"to": "gwtf", "output": tmp_path / "a.pt"}, BadValueError, r"\.npy"),
        ({"to": "latents", "output": tmp_path / "a.bin"}, BadValueError, r"\.safetensors"),
        ({"to": "gwtf", "model": "cogvideox"}, BadValueError, "belongs to latents"),
        ({"to": "latents", "sigma_max": 3.0}, BadValueError, "belongs to cosmos-transfer1"),
        ({"to": "latents", "draws": -1}, BadValueError, "the number of draws is -1, must be at least 0"),
        ({"to": "latents", "camera": "frnt"}, UnknownNameError, "front"),
        ({"to": "latents", "model": "wan-vice"}, UnknownNameError, "wan-vace"),
        ({"to": "latents", "output": kept}, OutputExistsError, "--overwrite"),
    ):
        with pytest.raises(error, match=says) as caught:
            exported(**({"clip": every_frame, "output": tmp_path / "a.npy"} | options))
        assert "\n" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clip", "kept.npy"]
    assert kept.read_bytes() == b"mine"
    exported(every_frame, kept, "latents", overwrite=True)
    assert read_exported(kept).shape == (1, 16, 13, 6, 8)


def test_further_draws_are_written_beside_the_first_whole_or_not_at_all(make_clip, tmp_path):
    folder = make_clip(factor=8, channels=16, size=SIZE, frames=9)
    with pytest.raises(BadValueError, match=r"at most 0; make the clip again with: sim2real render .* --draws 2") as caught:
        exported(folder, tmp_path / "new" / "a.npy", "latents", draws=2)
    assert "--factor 8" in str(caught.value) and not (tmp_path / "new").exists()
    record, camera = json.loads((folder / "clip.json").read_text()), folder / "front"
    record["noise"]["draws"] = 2
    (folder / "clip.json").write_text(json.dumps(record))
    draws = [np.load(camera / "noise.npy"), *(np.random.default_rng(k).normal(size=(9, 16, 6, 8)) for k in (1, 2))]
    for draw in (1, 2):
        np.save(camera / f"noise-{draw}.npy", draws[draw].astype(np.float32))
    command = main.get_command(click.Context(main), "export")
    words = [str(folder), "--to", "latents", "--draws", "2", "-o", str(tmp_path / "a.safetensors")]
    (tmp_path / "a-2.safetensors").write_bytes(b"mine")
    with pytest.raises(OutputExistsError, match="a-2"):
        command.main(words, standalone_mode=False)
    assert not (tmp_path / "a.safetensors").exists()
    (tmp_path / "a.safetensors").write_bytes(b"mine")
    (tmp_path / "a-1.safetensors").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UnwritableOutputError, match=r"a folder is where a file should be; .*a-1\.safetensors"):
        command.main([*words, "--overwrite"], standalone_mode=False)
    assert sorted(tmp_path.iterdir()) == before
    assert [(tmp_path / f"a{name}.safetensors").read_bytes() for name in ("", "-2")] == [b"mine"] * 2
    (tmp_path / "a-1.safetensors").rmdir()
    command.main([*words, "--overwrite"], standalone_mode=False)
    assert sorted(tmp_path.iterdir()) == before
    for draw, name in enumerate(("a", "a-1", "a-2")):
        with safe_open(tmp_path / f"{name}.safetensors", "np") as file:
            assert file.metadata()["draw"] == str(draw)
            expected = draws[draw][::4].astype(np.float32).transpose(1, 0, 2, 3)
            assert np.array_equal(file.get_tensor("latents")[0], expected)
    exported(folder, tmp_path / "n.npy", "gwtf", draws=1)
    assert np.allclose(read_exported(tmp_path / "n-1.npy").transpose(0, 3, 1, 2), draws[1], atol=4e-3)
    with pytest.raises(BadValueError, match="the number of draws is 1, must be left out: it belongs to gwtf and latents"):
        exported(folder, tmp_path / "x.npy", "cosmos-transfer1", draws=1)


def test_a_file_that_is_replaced_is_there_all_the_time(tmp_path, monkeypatch):
    works, files = ([tmp_path / f"{kind}{k}" for k in range(2)] for kind in ("work", "file"))
    for path in (*works, *files):
        path.write_text(path.name)

    def killed(*paths):
        raise SystemExit(paths)

    monkeypatch.setattr(export.os, "replace", killed)
    with pytest.raises(SystemExit) as end:
        export._take_names(works[:1], files[:1])
    assert end.value.args == ((works[0], files[0]),) and files[0].read_text() == "file0"
    monkeypatch.undo()
    export._take_names(works, files)
    assert [path.read_text() for path in files] == ["work0", "work1"] and sorted(tmp_path.iterdir()) == files


def test_the_reader_refuses_what_is_not_there_or_something_else(tmp_path):
    with pytest.raises(MissingFileError, match="sim2real export"):
        read_exported(tmp_path / "absent.npy")
    for name in ("a.npy", "a.pt", "a.safetensors"):
        (tmp_path / name).write_bytes(b"no tensor")
        with pytest.raises(UnreadableFileError) as caught:
            read_exported(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_the_command_offers_every_format():
    command = main.get_command(click.Context(main), "export")
    assert next(p for p in command.params if p.name == "to").type.choices == (*get_args(ExportFormat), "diffusion-renderer")
