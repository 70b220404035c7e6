"""What is supported, and what was verified how: facts of families as rows, for ``sim2real families`` and docs/models.md."""

from __future__ import annotations

from typing import Any

from ..checkpoints import published
from ..controls import CONTROLS
from ..family import ModelFamily
from ..pipelines import PipelineFamily
from ..pipelines.memory import working_bytes
from ..schedulers import short_name

TINY = "a tiny pipeline of random weights runs"
"""Noise verbatim at the denoiser, nothing else drawn, controls aligned, repeatable; two cameras: tests/diffusion/families."""
SHAPES = "published configurations: shapes and memory"
REAL = "shipped, and measured (docs/embedded.md)"
LAYOUT = "layout of exported noise"


def facts_of(family: ModelFamily) -> dict[str, Any]:
    """One family; JSON types."""
    layout, time = family.layout, family.layout.temporal_factor
    frames = f"{time} frames" if time > 1 else "1 frame"
    facts: dict[str, Any] = {
        "name": family.name,
        "pipeline": family.pipeline,
        "runs": family.runs,
        "noise": f"{layout.channels} channels, {layout.factor}x{layout.factor} pixels and {frames} per latent",
        "axes": family.latent_axes,
        "cast": family.cast,
        "scaled_by": family.scaled_by,
        "frames": f"{family.frames_step or time} n + 1" if time > 1 else "any",
        "size_multiple": family.size_multiple,
        "control": family.control,
        "follows": _follows(family),
        "needs": list(family.needs),
        "better_with": list(family.better_with),
        "samplers": [short_name(name) for name in family.schedulers],
        "samplers_with_draws": samplers_with_draws(family),
        "checkpoints": [_checkpoint(family, index) for index in range(len(family.checkpoints))],
        "verified": verified(family),
        "needs_lora": getattr(family, "needs_lora", False),
    }
    return facts | (_of_pipeline(family) if isinstance(family, PipelineFamily) else {})


def samplers_with_draws(family: ModelFamily) -> list[str]:
    """Those that add noise at every step, for which the clip has to hold further draws of its noise."""
    eta = ["DDIM with --eta"] if isinstance(family, PipelineFamily) and "DDIMScheduler" in family.schedulers else []
    return [*(short_name(name) for name in family.renoising), *eta]


def verified(family: ModelFamily) -> list[str]:
    """What tests do to it; tests hold every word of it against what they try."""
    if not isinstance(family, PipelineFamily):
        return [REAL] if family.runs else [LAYOUT]
    shaped = any(one.configuration is not None for one in family.checkpoints)
    return [TINY, *([SHAPES] if shaped else [])]


def _follows(family: ModelFamily) -> str:
    """What footage follows beside the noise, in a few words."""
    kinds = [kind for kind in family.needs if kind != "noise"]
    if isinstance(family, PipelineFamily):
        kinds = list(family.controls)
        if family.strength is not None:
            return "the video"
        if family.first_frame == "must":
            return "a first frame"
    return ", ".join(kinds) if 0 < len(kinds) < 8 else "all of the clip" if kinds else "the noise"


def _of_pipeline(family: PipelineFamily) -> dict[str, Any]:
    frames, (height, width) = family.made_for
    return {
        "controls": {name: CONTROLS[name].shows for name in family.controls},
        "several_controls": family.joined if family.controls else None,
        "control_strength": family.control_strength,
        "first_frame": family.first_frame,
        "references": family.references,
        "keep": family.keeps,
        "video_to_video": family.strength is not None,
        "strength": family.strength,
        "invert": family.inverts,
        "steps": family.steps,
        "guidance": family.guidance,
        "guidance_off": family.guidance_off,
        "prompt": family.text,
        "lora": family.loras,
        "most_frames": family.most_frames,
        "made_for": f"{frames} frames of {height}x{width}",
        "remarks": family.remarks,
    }


def _checkpoint(family: ModelFamily, index: int) -> dict[str, Any]:
    """What is known of its weights; bytes in bfloat16, but for the parts that stay in float32."""
    one = family.checkpoints[index]
    row: dict[str, Any] = {"hub_id": one.hub_id, "license": one.license, "gated": one.gated, "revision": one.revision}
    if one.configuration is None:
        return row
    known = published(one.configuration)
    wide = family.wide if isinstance(family, PipelineFamily) else ()
    row["weights_bytes"] = sum(count * (4 if part in wide else 2) for part, count in known["parameters"].items())
    row["largest_part_bytes"] = max(count * (4 if part in wide else 2) for part, count in known["parameters"].items())
    if isinstance(family, PipelineFamily):
        frames, size = family.made_for
        row["working_bytes"] = working_bytes(family, known["parts"], frames, size, 2)
    return row
