"""Cosmos of every kind, and stand-ins for the packages that it needs and that are not installed for tests."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from . import Tiny
from .text import qwen_vl, t5, tokenizer
from .wan import wide_vae

with warnings.catch_warnings():  # others' deprecations
    warnings.simplefilter("ignore")
    import diffusers
    import torch
    from diffusers import (
        AutoencoderKLWan,
        Cosmos3OmniTransformer,
        CosmosControlNetModel,
        CosmosTransformer3DModel,
        FlowMatchEulerDiscreteScheduler,
        UniPCMultistepScheduler,
    )
    from diffusers.models.controlnets import controlnet_cosmos
    from diffusers.models.transformers import transformer_cosmos

_SMALL: dict[str, Any] = {
    "in_channels": 17,
    "num_attention_heads": 2,
    "attention_head_dim": 16,
    "num_layers": 2,
    "mlp_ratio": 2,
    "text_embed_dim": 16,
    "adaln_lora_dim": 4,
    "max_size": (16, 32, 32),
    "rope_scale": (1.0, 3.0, 3.0),
    "extra_pos_embed_type": None,
}
_PROJECTED: dict[str, Any] = {
    "use_crossattn_projection": True,
    "crossattn_proj_in_channels": 32,
    "encoder_hidden_states_channels": 16,
}
_IMAGE: dict[str, Any] = {"img_context_dim_in": 8, "img_context_num_tokens": 3, "img_context_dim_out": 32}


class PassingChecker:
    """In the guardrail's place: lets everything through, and keeps what it was shown."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.videos: list[Any] = []

    def to(self, device: Any) -> PassingChecker:
        """It works anywhere."""
        return self

    def check_text_safety(self, text: str) -> bool:
        """What was asked for."""
        self.texts.append(text)
        return True

    def check_video_safety(self, video: Any) -> Any:
        """Footage (frames, height, width, 3) as bytes."""
        self.videos.append(video)
        return video


def _resized(picture: torch.Tensor, size: list[int], interpolation: Any = None) -> torch.Tensor:
    return torch.nn.functional.interpolate(picture, size)


@contextmanager
def packages() -> Iterator[None]:
    """The guardrail, and the one function of torchvision that Cosmos calls (to resize a mask of zeros), by stand-ins."""
    transforms = SimpleNamespace(
        functional=SimpleNamespace(resize=_resized), InterpolationMode=SimpleNamespace(NEAREST="nearest")
    )
    with ExitStack() as stack:
        for module in (transformer_cosmos, controlnet_cosmos):
            stack.enter_context(mock.patch.object(module, "transforms", transforms, create=True))
        stack.enter_context(mock.patch("sim2real.diffusion.families.cosmos.require_packages"))
        stack.enter_context(mock.patch("sim2real.diffusion.families.cosmos.safety_checker", PassingChecker))
        yield


def save_cosmos(folder: Path, pipeline: str) -> Path:
    """A pipeline with random weights, saved as the hub has it: without the guardrail."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        vae = AutoencoderKLWan(base_dim=4, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1)
        parts: dict[str, Any] = {"vae": vae, "tokenizer": tokenizer(), "scheduler": _flow()}
        if pipeline == "Cosmos2VideoToWorldPipeline":
            parts |= {
                "text_encoder": t5(),
                "transformer": CosmosTransformer3DModel(**_SMALL),
                "scheduler": FlowMatchEulerDiscreteScheduler(use_karras_sigmas=True),
            }
        elif pipeline == "Cosmos2_5_PredictBasePipeline":
            parts |= {"text_encoder": qwen_vl(), "transformer": CosmosTransformer3DModel(**_SMALL, **_PROJECTED)}
        else:
            more = _PROJECTED | _IMAGE
            parts |= {
                "text_encoder": qwen_vl(),
                "transformer": CosmosTransformer3DModel(**_SMALL, **more, controlnet_block_every_n=1),
                "controlnet": save_net(folder / "controlnet"),
            }
        getattr(diffusers, pipeline)(**parts, safety_checker=PassingChecker()).save_pretrained(folder)
    return _without_checker(folder)


def _flow() -> UniPCMultistepScheduler:
    flow = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "use_karras_sigmas": True}
    return UniPCMultistepScheduler(**flow, sigma_max=200.0, sigma_min=0.01)


def _without_checker(folder: Path) -> Path:
    """The hub's folders have none; the pipeline makes it."""
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"safety_checker": [None, None]}))
    return folder


def save_net(folder: Path) -> CosmosControlNetModel:
    """A control net with random weights, none of them zero."""
    small = {key: value for key, value in _SMALL.items() if key not in ("in_channels", "num_layers")}
    image = {key: value for key, value in _IMAGE.items() if key != "img_context_num_tokens"}
    net = CosmosControlNetModel(
        n_controlnet_blocks=2, in_channels=130, latent_channels=18, model_channels=32, **small, **_PROJECTED, **image
    )
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    net.save_pretrained(folder)
    return net


def save_cosmos3(folder: Path) -> Path:
    """A pipeline with random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformer = Cosmos3OmniTransformer(
            head_dim=16,
            hidden_size=32,
            intermediate_size=16,
            num_attention_heads=2,
            num_hidden_layers=1,
            num_key_value_heads=1,
            vocab_size=8,
            rope_axes_dim=(4, 2, 2),
        )
        diffusers.Cosmos3OmniPipeline(
            transformer=transformer,
            text_tokenizer=tokenizer(),
            vae=wide_vae(),
            scheduler=_flow(),
            safety_checker=PassingChecker(),  # pyright: ignore[reportArgumentType]
        ).save_pretrained(folder)
    return _without_checker(folder)


_FIRST: dict[str, Any] = {"large": lambda folder: {"first_frame": "rgb"}, "pictured": 1}

TINY = {
    "cosmos3": Tiny(
        save=save_cosmos3,
        size=(64, 96),
        seen=lambda args, kwargs: kwargs["vision_tokens"][0],
        draws=True,
        around=packages,
        **_FIRST,
    ),
    "cosmos-transfer": Tiny(
        save=lambda folder: save_cosmos(folder, "Cosmos2_5_TransferPipeline"), control="vae", draws=True, around=packages
    ),
    "cosmos-predict": Tiny(save=lambda folder: save_cosmos(folder, "Cosmos2_5_PredictBasePipeline"), around=packages, **_FIRST),
    "cosmos-predict2": Tiny(
        save=lambda folder: save_cosmos(folder, "Cosmos2VideoToWorldPipeline"),
        scale=80 / 81,
        tolerance=1e-5,
        draws=True,
        around=packages,
        **_FIRST,
    ),
}
"""The posterior of a given picture is sampled by the pipeline's own generator; footage begins from our noise alone."""
