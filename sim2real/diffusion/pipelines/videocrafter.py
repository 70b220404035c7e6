"""VideoCrafter2's U-Net: that of diffusers, but its time embedding also tells a frame rate."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

WEIGHTS = "diffusion_pytorch_model.safetensors"
RATE = "fps_embedding."
"""How the names of the frame rate's weights begin; diffusers would leave them out, and say so to nobody."""
_FPS = 24.0


def tells_a_rate(part: Path) -> bool:
    """Whether a U-Net's folder holds weights for a frame rate, by the headers of its safetensors files."""
    return any(RATE in _header(file) for file in sorted(part.glob("*.safetensors")))


def _header(file: Path) -> str:
    """Names and shapes of a safetensors file (8 bytes of length, then JSON); empty where it is damaged."""
    with file.open("rb") as opened:
        start = opened.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        text = opened.read(min(length, file.stat().st_size)).decode(errors="replace")
    try:
        return " ".join(json.loads(text))
    except ValueError:
        return ""


def with_rate(unet: Any, place: str) -> Any:
    """The U-Net with its frame rate's weights, as the time embedding's second term.

    Args:
        unet: loaded from the same place.
        place: a folder, or a hub id.

    Raises:
        OSError: there is no file of weights.
        ValueError: it has no weights for a frame rate, or others.
    """
    from diffusers.models.embeddings import TimestepEmbedding
    from huggingface_hub import hf_hub_download
    from safetensors import safe_open

    file = str(Path(place) / WEIGHTS) if Path(place).is_dir() else hf_hub_download(place, WEIGHTS)
    width = unet.config.block_out_channels[0]
    rate = TimestepEmbedding(width, 4 * width, act_fn=unet.config.act_fn)
    with safe_open(file, framework="pt") as opened:
        found = {name.removeprefix(RATE): opened.get_tensor(name) for name in opened.keys() if name.startswith(RATE)}
    if set(found) != set(rate.state_dict()):
        raise ValueError(f"it lacks {RATE}*, the weights of VideoCrafter2's frame rate")
    rate.load_state_dict(found)
    unet.time_embedding = _time_and_rate(unet.time_embedding, rate.to(unet.dtype), width)
    return unet


def _time_and_rate(time: Any, rate: Any, width: int) -> Any:
    import torch
    from diffusers.models.embeddings import Timesteps

    class TimeAndRate(torch.nn.Module):
        """The embedding of a timestep plus that of the frame rate."""

        def __init__(self) -> None:
            super().__init__()
            self.time, self.rate, self.waves = time, rate, Timesteps(width, True, 0)

        def forward(self, sample: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
            """(batch, 4 width) for waves of the timestep, (batch, width)."""
            waves = self.waves(torch.tensor([_FPS], device=sample.device)).to(sample.dtype)
            return self.time(sample, condition) + self.rate(waves)

    return TimeAndRate()
