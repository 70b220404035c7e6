"""Whether a model's files are there and whole, before anything of them is loaded; and how to get those that are not."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ...arrays import reason
from ...errors import BadValueError, UnreadableFileError
from ...text_files import read_json
from ..checkpoints import Checkpoint, published

if TYPE_CHECKING:
    from ..family import ModelFamily
    from ..options import GenerateOptions
    from .family import PipelineFamily

INDEX = "model_index.json"
_WEIGHTS = (".safetensors", ".bin")


def require_weights(family: PipelineFamily, options: GenerateOptions) -> None:
    """Refuse a folder that is not whole, and weights that neither are here nor can be fetched.

    Raises:
        UnreadableFileError: what is missing, and how to get it.
        BadValueError: the disk has no room for them.
    """
    model = where_weights_are(family, options.model)
    if Path(model).is_dir():
        require_whole(Path(model))
    else:
        _require_fetchable(checkpoint_of(family, model), model)


def where_weights_are(family: ModelFamily, model: str | Path | None) -> str:
    """The hub id or folder of a model; a family's name stands for its first."""
    return family.hub_ids[0] if str(model) == family.name else str(model)


def checkpoint_of(family: PipelineFamily, model: str) -> Checkpoint | None:
    """What is known of weights by their hub id."""
    return next((one for one in family.checkpoints if one.hub_id.lower() == model.lower()), None)


def require_whole(folder: Path) -> None:
    """Refuse a pipeline's folder that lacks a part which its index names, or a file of weights.

    Raises:
        MissingFileError: there is no index.
        UnreadableFileError: a part or a file of weights is missing.
    """
    fix = "copy or download it again"
    index = read_json(folder / INDEX, what="the model's index", fix=fix)
    parts = {name: value for name, value in index.items() if isinstance(value, list) and len(value) == 2 and value[0]}
    if lacking := [name for name in parts if not (folder / name).is_dir()]:
        why = f"it lacks {', '.join(lacking)}, which its {INDEX} names"
        raise UnreadableFileError(folder, what="the model", why=why, fix=fix)
    for name in parts:
        if (folder / name / "config.json").is_file():  # models have one; samplers, tokenizers and processors do not
            _require_whole_part(folder / name, fix)


def _require_whole_part(part: Path, fix: str) -> None:
    for shards in part.glob("*.index.json"):
        listed = read_json(shards, what="the list of weights", fix=fix).get("weight_map")
        names = sorted(set(listed.values())) if isinstance(listed, dict) else []
        if lacking := [str(name) for name in names if not (part / str(name)).is_file()]:
            why = f"it lacks {len(lacking)} of {len(names)} files of weights: {', '.join(lacking[:3])}"
            raise UnreadableFileError(part, what="the model", why=why, fix=fix)
    if not any(file.suffix in _WEIGHTS for file in part.iterdir()):
        why = "it has no weights (*.safetensors)"
        raise UnreadableFileError(part, what="the model", why=why, fix=fix)


def _require_fetchable(checkpoint: Checkpoint | None, model: str) -> None:
    """Its index is asked for, which is small; without it nothing else can be had."""
    import huggingface_hub

    log = logging.getLogger("huggingface_hub")
    told = log.level
    log.setLevel(logging.ERROR)  # its retries are no news: that it fails is
    try:
        huggingface_hub.hf_hub_download(model, INDEX, revision=None if checkpoint is None else checkpoint.revision)
    except Exception as error:  # the hub and the network each have errors of their own
        raise unreadable(model, error, checkpoint) from error
    finally:
        log.setLevel(told)
    if checkpoint is not None and checkpoint.configuration is not None and not _in_cache(checkpoint):
        _require_room(checkpoint)


def _in_cache(checkpoint: Checkpoint) -> bool:
    """Whether weights of it lie in the hub's cache."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"models--{checkpoint.hub_id.replace('/', '--')}"
    return any(folder.glob("snapshots/*/*/*.safetensors"))


def _require_room(checkpoint: Checkpoint) -> None:
    from huggingface_hub import constants

    place = Path(constants.HF_HUB_CACHE)
    while not place.exists():
        place = place.parent
    needed = 2 * sum(published(str(checkpoint.configuration))["parameters"].values())
    free = shutil.disk_usage(place).free
    if free < needed:
        right = f"at least {needed / 1e9:.0f} GB for {checkpoint.hub_id}"
        fix = "make room, or set HF_HOME to a folder on another disk"
        raise BadValueError("free disk", f"{free / 1e9:.0f} GB", right=right, fix=fix, where=place)


def unreadable(model: str, error: Exception, checkpoint: Checkpoint | None = None) -> UnreadableFileError:
    """A model that cannot be loaded: why, and what to do where there is no network, or a license to accept."""
    why = reason(error).split(". ")[0].rstrip(".")
    if Path(model).is_dir():
        return UnreadableFileError(model, what="the model", why=why, fix="copy or download it again")
    offline = f"offline, copy the files that `hf download {model} --local-dir FOLDER` fetches, and pass --model FOLDER"
    fix = f"check the name, or {offline}"
    if checkpoint is not None:
        fix = offline
        if checkpoint.gated:
            fix = f"accept its license ({checkpoint.license}) on the model's page, then `hf auth login`; {offline}"
    return UnreadableFileError(model, what="the model", why=why, fix=fix)
