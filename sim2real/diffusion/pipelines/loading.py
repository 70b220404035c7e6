"""Load a pipeline once: dtypes, sampler, LoRA files, and where its parts lie."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...arrays import reason
from ...errors import BadValueError, MissingFileError, UnreadableFileError
from ...optional import require
from ..large_models import LargeModelOptions, Lora
from ..schedulers import sampler_for
from .files import checkpoint_of, unreadable, where_weights_are
from .memory import require_memory

if TYPE_CHECKING:
    from ..options import GenerateOptions
    from .family import PipelineFamily


@dataclass(frozen=True)
class _Key:
    """What makes a loaded pipeline another one."""

    family: str
    pipeline: str
    model: str
    written: tuple[tuple[str, int], ...]
    controls: tuple[str, ...]
    loras: tuple[str, ...]
    how: tuple[Any, ...]


def loaded_pipeline(family: PipelineFamily, options: GenerateOptions) -> Any:
    """The pipeline of a family, ready to be called; kept until another one is asked for, or its files change.

    Raises:
        UnreadableFileError: weights or LoRA files cannot be loaded.
        BadValueError: its sampler is not known to keep the warp; there is no such device; the memory does not suffice.
        MissingPackageError: LoRA files need a package that is not installed.
    """
    model, large = where_weights_are(family, options.model), options.large
    how = (
        large.scheduler,
        tuple(large.timesteps),
        large.dtype,
        large.offload,
        large.device_map,
        large.vae_tiling,
        large.attention_slicing,
        large.compile,
    )
    folder = Path(model)
    written = tuple((str(file), file.stat().st_mtime_ns) for file in sorted(folder.rglob("*")) if file.is_file())
    files = written if folder.is_dir() else ()
    controls, loras = tuple(large.controls), tuple(map(str, large.loras))
    key = _Key(family.name, family.pipeline, model, files, controls, loras, how)
    return _once(key, functools.partial(_load, family, options, model))


class _Kept:
    key: _Key | None = None
    pipeline: Any = None


def _once(key: _Key, load: Callable[[], Any]) -> Any:
    if _Kept.key != key:
        forget_pipeline()
        _Kept.pipeline = load()
        _Kept.key = key
    return _Kept.pipeline


def forget_pipeline() -> None:
    """Let go of the pipeline that is kept, and of its memory."""
    _Kept.key = _Kept.pipeline = None


def _load(family: PipelineFamily, options: GenerateOptions, model: str) -> Any:
    large = options.large
    dtypes = dtypes_of(family, large)
    require_device(large)
    require_memory(family, options)
    checkpoint = checkpoint_of(family, model)
    asked: dict[str, Any] = {"dtype": dtypes, **family.extra_parts(options, dtypes)}
    if checkpoint is not None and checkpoint.revision is not None:
        asked["revision"] = checkpoint.revision
    if large.device_map is not None:
        asked["device_map"] = large.device_map
    try:
        with _bars_on_terminals():
            pipeline = family.pipeline_class().from_pretrained(model, **asked)
    except Exception as error:  # hub, JSON and weights each have errors of their own
        raise unreadable(model, error, checkpoint) from error
    pipeline.scheduler = sampler_for(pipeline.scheduler, family, large.scheduler, large.timesteps)
    if large.loras:
        load_loras(pipeline, large.loras)
    _placed(pipeline, family, large)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@contextmanager
def _bars_on_terminals() -> Iterator[None]:
    """The libraries' own bars of what is loaded, where there is a terminal to show them."""
    if sys.stderr.isatty():
        yield
        return
    from diffusers.utils import logging as of_diffusers
    from transformers.utils import logging as of_transformers

    for library in (of_diffusers, of_transformers):
        library.disable_progress_bar()
    try:
        yield
    finally:
        for library in (of_diffusers, of_transformers):
            library.enable_progress_bar()


def dtypes_of(family: PipelineFamily, large: LargeModelOptions) -> Any:
    """The dtype of all parts, or of each by name where some stay in float32."""
    import torch

    usual = "bfloat16" if torch.cuda.is_available() else "float32"
    asked = getattr(torch, large.dtype or usual)
    if asked == torch.float32 or not family.wide:
        return asked
    return {"default": asked, **dict.fromkeys(family.wide, torch.float32)}


def require_device(large: LargeModelOptions) -> None:
    """Refuse what needs a GPU where there is none.

    Raises:
        BadValueError: offload, a device map, or float16 on a CPU.
    """
    import torch

    if torch.cuda.is_available():
        return
    for option, value, usual in (("--offload", large.offload, "none"), ("--device-map", large.device_map, None)):
        if value != usual:
            raise BadValueError(option, value, right="left out: there is no CUDA device here")
    if large.dtype == "float16":
        raise BadValueError("--dtype", "float16", right="float32 or bfloat16 without a CUDA device")


def load_loras(pipeline: Any, loras: tuple[Lora, ...] | Any) -> None:
    """Put LoRA files on top of the weights, each with its scale.

    Raises:
        MissingPackageError: without peft.
        MissingFileError: no such file.
        UnreadableFileError: no LoRA, or one of another model.
    """
    require("peft", "lora")
    names = []
    for index, lora in enumerate(loras):
        if not lora.path.exists():
            raise MissingFileError(lora.path, what="the LoRA file")
        names.append(f"lora{index}")
        try:
            where = {"weight_name": lora.path.name} if lora.path.is_file() else {}
            pipeline.load_lora_weights(str(lora.path.parent if where else lora.path), adapter_name=names[-1], **where)
        except Exception as error:  # safetensors, peft and diffusers each have errors of their own
            fix = f"pass one that was trained for {type(pipeline).__name__}"
            raise UnreadableFileError(lora.path, what="the LoRA file", why=reason(error), fix=fix) from error
    found = set().union(*pipeline.get_list_adapters().values())
    if lacking := [lora.path for name, lora in zip(names, loras, strict=True) if name not in found]:
        why = "none of its weights belong to this model"
        raise UnreadableFileError(lacking[0], what="the LoRA file", why=why, fix="pass one that was trained for it")
    pipeline.set_adapters(names, [lora.scale for lora in loras])


def _placed(pipeline: Any, family: PipelineFamily, large: LargeModelOptions) -> None:
    """On its device or devices, and with what saves memory or time."""
    import torch

    for asked, option, part, method in (
        (large.vae_tiling, "--vae-tiling", getattr(pipeline, "vae", None), "enable_tiling"),
        (large.attention_slicing, "--attention-slicing", pipeline, "enable_attention_slicing"),
    ):
        if asked and not hasattr(part, method):
            raise BadValueError(option, "asked for", right=f"left out: {family.name} cannot do it")
        if asked:
            getattr(part, method)()
    if large.compile:
        for name in family.denoisers:
            if getattr(pipeline, name, None) is not None:
                getattr(pipeline, name).compile()
    if large.offload == "model":
        pipeline.enable_model_cpu_offload()
    elif large.offload == "sequential":
        pipeline.enable_sequential_cpu_offload()
    elif large.device_map is None and torch.cuda.is_available():
        pipeline.to("cuda")
