"""Motion between two pictures, estimated from what they look like, and where it can be believed."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float32, UInt8
from torch import Tensor

from ..errors import BadValueError, MissingFileError, MissingPackageError, UnreadableFileError
from ..optional import require
from .exact import Flow

Picture = UInt8[np.ndarray, "height width 3"]
OtherPicture = UInt8[np.ndarray, "other_height other_width 3"]

LEAST_SIZE_PX = 16
"""Estimators work on pyramids of patches; smaller pictures have none."""
RELATIVE_MISS, MISS_PX = 0.01, 0.3
"""There and back may miss the start by so much of the squared lengths of both ways, and by so many pixels besides."""
SMOOTHNESS, REFINEMENTS = 30.0, 20
"""Of DIS, beyond its preset, which also stops at half the size: there is little texture in kitchens and workshops, and motion
must be found to a fraction of a pixel. On a rendered kitchen they halve the largest errors."""
COLOUR_MISS = 10.0
"""Gray levels by which a point may look different in two pictures, and still be taken for the same."""
SPECK_PX = 5
"""Islands of doubt that are much smaller than a square of this side are taken for noise of the estimate."""


@runtime_checkable
class FlowEstimator(Protocol):
    """Anything that finds the motion between two pictures."""

    def __call__(self, source: Picture, target: OtherPicture) -> Float32[np.ndarray, "height width 2"]:
        """Motion (x, y) in pixels from every pixel of ``source`` to the same point in ``target``."""
        ...


class DisFlow:
    """Dense inverse search: a classical estimator that needs no weights.

    OpenCV splits its search by the number of its threads, and the result depends on it: one thread is set, for the same bits on
    every machine. Pairs may be estimated in parallel instead.

    Reference:
        Kroeger, Timofte, Dai, Van Gool: Fast optical flow using dense inverse search (ECCV 2016).
    """

    def __init__(self) -> None:
        """Load OpenCV.

        Raises:
            MissingPackageError: OpenCV is not installed.
        """
        self._cv2: Any = require("cv2", "flow")
        self._cv2.setNumThreads(1)
        self._own = threading.local()

    def __call__(self, source: Picture, target: OtherPicture) -> Float32[np.ndarray, "height width 2"]:
        """Motion (x, y) in pixels from every pixel of ``source`` to the same point in ``target``."""
        _check_pair(source, target)
        if not hasattr(self._own, "search"):
            self._own.search = self._cv2.DISOpticalFlow_create(self._cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
            self._own.search.setFinestScale(0)
            self._own.search.setUseSpatialPropagation(False)
            self._own.search.setVariationalRefinementAlpha(SMOOTHNESS)
            self._own.search.setVariationalRefinementIterations(REFINEMENTS)
        gray = [self._cv2.cvtColor(np.ascontiguousarray(p), self._cv2.COLOR_RGB2GRAY) for p in (source, target)]
        return np.asarray(self._own.search.calc(*gray, None), np.float32)


class RaftFlow:
    """RAFT by torchvision, from a weights file that is at hand: better on large motion, and slow without a GPU.

    Reference:
        Teed, Deng: RAFT: Recurrent all-pairs field transforms for optical flow (ECCV 2020).
    """

    def __init__(self, weights: Path | None = None, *, device: str = "cpu", updates: int = 12) -> None:
        """Load the network; nothing is downloaded.

        Args:
            weights: torchvision's ``raft_large`` or ``raft_small`` file; default: the one that torch's cache holds.
            device: ``cpu`` or ``cuda``.
            updates: recurrent refinements of the motion.

        Raises:
            MissingPackageError: torchvision is not installed, or not for this torch.
            MissingFileError: no weights are at hand.
            UnreadableFileError: the file does not hold RAFT's weights.
        """
        try:
            models = require("torchvision.models.optical_flow", "raft")
        except RuntimeError as error:  # built for another torch
            raise MissingPackageError("torchvision", "raft", str(error).splitlines()[0]) from error
        path = _cached_raft() if weights is None else Path(weights)
        if not path.is_file():
            raise MissingFileError(path, what="weights of RAFT", fix="pass --weights FILE, or use --estimator dis")
        kind = "raft_small" if "small" in path.name else "raft_large"
        self._network = getattr(models, kind)(weights=None, progress=False).to(device).eval()
        try:
            self._network.load_state_dict(torch.load(path, map_location=device, weights_only=True))
        except Exception as error:  # torch raises many kinds here, unpickling errors included
            why = " ".join(str(error).split())[:120]
            fix = f"pass torchvision's {kind} file"
            raise UnreadableFileError(path, what="the weights", why=why, fix=fix) from error
        self._device, self._updates = device, updates

    def __call__(self, source: Picture, target: OtherPicture) -> Float32[np.ndarray, "height width 2"]:
        """Motion (x, y) in pixels from every pixel of ``source`` to the same point in ``target``."""
        _check_pair(source, target)
        height, width = source.shape[:2]
        pad = (0, max(-width % 8, 128 - width), 0, max(-height % 8, 128 - height))  # its pyramid needs 128 pixels
        pair = torch.from_numpy(np.stack([source, target])).to(self._device).permute(0, 3, 1, 2) / 127.5 - 1
        pair = torch.nn.functional.pad(pair, pad, mode="replicate")
        with torch.inference_mode():
            flow = self._network(pair[:1], pair[1:], num_flow_updates=self._updates)[-1]
        return flow[0, :, :height, :width].permute(1, 2, 0).float().cpu().contiguous().numpy()


def estimated_flow(source: Picture, target: Picture, estimator: FlowEstimator) -> tuple[Flow, Flow]:
    """Motion between two pictures, both ways, with the places where either can be believed.

    Args:
        source: one picture.
        target: the other, of the same size.
        estimator: ``DisFlow()`` or another one.

    Returns:
        Motion from source to target, and from target to source.
    """
    there = torch.from_numpy(estimator(source, target))
    back = torch.from_numpy(estimator(target, source))
    return Flow(there, returns(there, back)), Flow(back, returns(back, there))


def believed_flow(source: Picture, target: Picture, estimator: FlowEstimator) -> tuple[Flow, Flow]:
    """``estimated_flow``, visible only where points look alike at both ends as well."""
    there, back = estimated_flow(source, target, estimator)
    return (
        Flow(there.forward, there.visible & looks_alike(source, target, there)),
        Flow(back.forward, back.visible & looks_alike(target, source, back)),
    )


def looks_alike(source: Picture, target: Picture, flow: Flow) -> Bool[Tensor, "height width"]:
    """Where a point has about the same color at both ends of its motion, in the mean over three by three pixels.

    A change of the whole picture, as by a camera's exposure, does not count.
    """
    _, there = sampled_at_end(flow.forward, torch.from_numpy(target).float())
    change = torch.from_numpy(source).float() - there
    miss = (change - change.flatten(0, 1).median(dim=0).values).abs().mean(-1)
    return (
        torch.nn.functional.avg_pool2d(miss[None, None], 3, stride=1, padding=1, count_include_pad=False)[0, 0] <= COLOUR_MISS
    )


def returns(there: Float32[Tensor, "height width 2"], back: Float32[Tensor, "height width 2"]) -> Bool[Tensor, "height width"]:
    """Where the motion leads to a point of the other picture whose own motion leads back to the start."""
    ends_inside, back_there = sampled_at_end(there, back)
    miss = (there + back_there).square().sum(-1)
    length = there.square().sum(-1) + back_there.square().sum(-1)
    agrees = ends_inside & (miss <= RELATIVE_MISS * length + MISS_PX**2)
    return ends_inside & _without_specks(agrees)


def sampled_at_end(
    motion: Float32[Tensor, "height width 2"], picture: Float32[Tensor, "height width c"]
) -> tuple[Bool[Tensor, "height width"], Float32[Tensor, "height width c"]]:
    """Whether every motion ends inside the picture, and the picture's bilinear values there."""
    height, width = motion.shape[:2]
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    at = torch.stack([x, y], dim=-1).to(motion.device) + motion
    size = torch.tensor([width, height], dtype=torch.float32, device=motion.device)
    inside = ((at >= 0) & (at <= size)).all(dim=-1)
    grid = (2 * at / size - 1)[None]
    values = torch.nn.functional.grid_sample(
        picture.permute(2, 0, 1)[None], grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return inside, values[0].permute(1, 2, 0)


def _without_specks(agrees: Tensor) -> Tensor:
    """The majority of every pixel's square."""
    share = torch.nn.functional.avg_pool2d(
        agrees[None, None].float(), SPECK_PX, stride=1, padding=SPECK_PX // 2, count_include_pad=False
    )
    return share[0, 0] > 0.5


def _check_pair(source: np.ndarray, target: np.ndarray) -> None:
    if source.shape != target.shape:
        raise BadValueError("the second picture's size", target.shape[:2], right=f"that of the first, {source.shape[:2]}")
    if min(source.shape[:2]) < LEAST_SIZE_PX:
        size = f"{source.shape[0]}x{source.shape[1]}"
        raise BadValueError("the picture size", size, right=f"at least {LEAST_SIZE_PX} pixels each way to estimate motion")


def _cached_raft() -> Path:
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    found = sorted(folder.glob("raft_large*.pth")) + sorted(folder.glob("raft_small*.pth"))
    return found[0] if found else folder / "raft_large.pth"
