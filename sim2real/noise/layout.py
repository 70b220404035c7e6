"""How a video model wants its noise laid out: the one record that render, generate and train share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ..errors import BadValueError

LatentTime = Literal["first", "middle", "last"]


def latent_of(frame: int, temporal_factor: int) -> int:
    """The latent that a pixel frame belongs to, in a causal video VAE: the first frame is alone."""
    return -(-frame // temporal_factor)


@dataclass(frozen=True)
class NoiseLayout:
    """Pixels and frames per latent, and channels.

    - ``factor``: pixels per latent and axis; 1 is noise at pixel resolution.
    - ``temporal_factor``: frames per latent; a causal video VAE maps 1 + n * temporal_factor frames to 1 + n latents.
    - ``latent_time``: which frame of its group a latent stands for.
    """

    factor: int = 8
    channels: int = 16
    temporal_factor: int = 1
    latent_time: LatentTime = "last"

    def __post_init__(self) -> None:
        """Refuse what no noise can be laid out by.

        Raises:
            BadValueError: names the field.
        """
        for name in ("factor", "channels", "temporal_factor"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise BadValueError(f"the noise layout's {name}", value, right="a whole number, at least 1")
        if self.latent_time not in get_args(LatentTime):
            right = ", ".join(get_args(LatentTime))
            raise BadValueError("the noise layout's latent_time", self.latent_time, right=right)

    def latent_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Latent (height, width) of a picture size that the factor must divide."""
        for axis, length in zip(("height", "width"), size, strict=True):
            if length % self.factor or length < self.factor:
                low, high = length // self.factor * self.factor, -(-length // self.factor) * self.factor
                valid = f"{low} or {high}" if low else str(high)
                raise BadValueError(
                    f"the {axis}", length, right=f"a multiple of {self.factor} (nearest: {valid})", fix="pass --size HxW"
                )
        return size[0] // self.factor, size[1] // self.factor

    def latent_frames(self, frames: int) -> list[int]:
        """The pixel frame that each latent stands for.

        The first latent of a causal video VAE sees only frame 0; latent n >= 1 sees the ``temporal_factor`` frames that end
        at frame n * temporal_factor. ``first`` / ``middle`` / ``last`` choose among them. A last group that the clip does not
        fill is represented by the nearest frame that exists.
        """
        r = self.temporal_factor
        if r == 1:
            return list(range(frames))
        offset = {"first": 1, "middle": (r + 1) // 2, "last": r}[self.latent_time]
        groups = -(-(frames - 1) // r)
        return [0] + [min(n * r + offset, frames - 1) for n in range(groups)]
