"""Recordings of robosuite and its kin (robomimic, MimicGen, RoboCasa, LIBERO): HDF5 with a model's XML and states per demo."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ...arrays import reason
from ...errors import EmptySceneError, MissingFileError, UnknownNameError, UnreadableFileError
from ...file_order import natural_key
from ...memory import memory_bytes
from ...optional import require
from ...text_files import read_text
from ..records import Scene
from .asset_paths import found_file, normal
from .hdf5 import EXTRA, KINDS, json_of, opened, text_of
from .mujoco.compile import compiled
from .mujoco.model import Choices, scene_of_model
from .mujoco.states import read_states
from .reading import Reading, option

ASSET_PACKAGES = ("robosuite", "robocasa", "libero", "robosuite_models", "mimicgen")
"""Installed packages whose files take the place of those that a recording names on another machine."""


@dataclass(frozen=True)
class Options:
    """What recordings alone take."""

    demo: str | None = option("Which demonstration of a robomimic file, such as demo_0.", metavar="NAME")
    asset_root: Path | str | None = option("Where to look for meshes whose paths lead nowhere on this machine.", metavar="DIR")
    groups: tuple[int, ...] | None = option(
        "MuJoCo's geom groups to show.  [default: those that look like pictures]", metavar="G,..."
    )
    model_file: Path | str | None = option(
        "The model's XML where the recording holds none: env.sim.model.get_xml() of the environment.", metavar="FILE"
    )


@dataclass(frozen=True, eq=False)
class _Demo:
    """A demonstration: its model's XML, rows of states, frames per second where they are known, its task in words."""

    name: str
    xml: str
    states: np.ndarray
    rate: float | None
    task: str


def read(path: Path, reading: Reading, options: Options) -> Scene:
    """The reader of recordings; see ``load_robomimic``."""
    return load_robomimic(path, **vars(options), **vars(reading))


def load_robomimic(
    path: Path | str,
    *,
    demo: str | None = None,
    asset_root: Path | str | tuple[Path | str, ...] | None = None,
    frames: slice | None = None,
    groups: tuple[int, ...] | None = None,
    model_file: Path | str | None = None,
    fps: float | None = None,
    size: tuple[int, int] | None = None,
) -> Scene:
    """Read one demonstration: its model's XML (``model_file``) and its ``states``. No simulator package is needed.

    The XML names mesh and texture files by their absolute paths on the machine that recorded it. Each is looked for there,
    then by ever shorter ends of its path in ``asset_root`` and in the installed packages of ``ASSET_PACKAGES``.

    Args:
        path: the HDF5 file.
        demo: name of the demonstration; ``None``: the first.
        asset_root: folder or folders in which to look for the model's files first.
        frames: which states to replay; ``None``: all.
        groups: geom groups to show; ``None``: chosen.
        model_file: the model's XML, against the recording's; its own relative names start at its folder.
        fps: frames per second; ``None``: from the states' times, else the environment's ``control_freq``.
        size: picture size (height, width) of the cameras; ``None``: their own, else 480x640.

    Raises:
        MissingFileError: the recording does not exist; files of its model do not (all of them are listed).
        UnreadableFileError: it is no HDF5, lacks model or states, or MuJoCo refuses the model.
        UnknownNameError: there is no such demonstration; the valid ones are listed.
        BadValueError: the states do not fit the model, or hold NaN.
        MissingPackageError: h5py or mujoco is not installed.
    """
    source = Path(path)
    if not source.is_file():
        raise MissingFileError(source, what="recording")
    own = None if model_file is None else Path(model_file)
    if own is not None and not own.is_file():
        raise MissingFileError(own, what="the model's XML", fix="check --model-file")
    found = _read_demo(source, demo, None if own is None else read_text(own))
    where = f"{source} {found.name}"
    roots = [*_roots(asset_root), *([own.absolute().parent] if own is not None else [])]
    xml, moved = reroot(found.xml, roots, where)
    model = compiled(lambda mujoco: mujoco.MjModel.from_xml_string(xml), where)
    notes = [f"demonstration {found.name}", *([f"task: {found.task}"] if found.task else [])]
    if moved:
        notes.append(f"{moved} files of another machine were found here instead")
    recording = read_states(found.states, where=where)
    return scene_of_model(
        model,
        source,
        recording,
        Reading(frames, size, fps),
        Choices(groups),
        default_fps=found.rate,
        notes=tuple(notes),
    )


def demo_names(source: Path) -> list[str]:
    """Names of a recording's demonstrations, in natural order.

    Raises:
        UnreadableFileError: it is no HDF5 file, or a damaged one.
        EmptySceneError: it has none.
    """
    with opened(source) as file:
        return _names_in(source, file)


def _names_in(source: Path, file: Any) -> list[str]:
    try:
        names = _demonstrations(file.get("data"), require("h5py", EXTRA))
    except Exception as error:  # h5py raises whatever HDF5 trips over
        raise UnreadableFileError(source, what="recording", why=reason(error), fix="copy the file again") from error
    if not names:
        raise EmptySceneError(source, lacks="demonstrations (data/demo_N/states)", fix=f"give {KINDS}")
    return names


def _read_demo(source: Path, demo: str | None, own_xml: str | None = None) -> _Demo:
    """A demonstration; its model's XML is the recording's unless one is given."""
    with opened(source) as file:
        names = _names_in(source, file)
        name = names[0] if demo is None else demo
        if name not in names:
            raise UnknownNameError(name, names, what="demonstration", where=source)
        try:
            data = file["data"]
            group = data[name]
            xml = own_xml or group.attrs.get("model_file", data.attrs.get("model_file"))
            if xml is not None:
                rate, task = _control_rate(group.attrs, data.attrs), _task(group.attrs, data.attrs)
                return _Demo(name, text_of(xml), _states(group["states"]), rate, task)
            lacking = _without_model(data.attrs)
        except Exception as error:  # as above
            fix = "copy the file again, or choose another --demo"
            raise UnreadableFileError(source, what=f"demonstration {name}", why=reason(error), fix=fix) from error
        fix = "pass --model-file with the XML that the environment prints by env.sim.model.get_xml()"
        raise UnreadableFileError(source, what=f"demonstration {name}", why=lacking, fix=fix)


def _without_model(attributes: Any) -> str:
    """Why a demonstration without its model's XML is none; what a LIBERO file has in its place."""
    bddl = attributes.get("bddl_file_name", attributes.get("bddl_file"))
    if bddl is None and "bddl_file_content" not in attributes:
        return "it has no model_file"
    named = f", {text_of(bddl).replace(chr(92), '/').rpartition('/')[2]}" if bddl is not None else ""
    return f"it has no model_file, only LIBERO's task (BDDL{named}), from which LIBERO alone builds the scene"


def _task(*attributes: Any) -> str:
    """What is to be done, in words, by RoboCasa's ``ep_meta`` or LIBERO's ``problem_info``; empty where nobody says."""
    for held in attributes:
        for key, name in (("ep_meta", "lang"), ("problem_info", "language_instruction")):
            said = json_of(held, key).get(name)
            said = "".join(map(str, said)) if isinstance(said, list) else said  # LIBERO has it as a list of letters, too
            if isinstance(said, str) and said.strip():
                return " ".join(said.split())[:200]
    return ""


def _demonstrations(data: Any, h5py: Any) -> list[str]:
    """Names of the groups that hold a table of states."""
    if not isinstance(data, h5py.Group):
        return []

    def found(group: Any, name: str) -> Any:
        try:
            return group.get(name)
        except RuntimeError:  # a link that leads nowhere
            return None

    groups = {name: found(data, name) for name in data}
    recorded = (name for name, group in groups.items() if isinstance(group, h5py.Group))
    return sorted((name for name in recorded if isinstance(found(groups[name], "states"), h5py.Dataset)), key=natural_key)


def _states(dataset: Any) -> np.ndarray:
    """The rows of a demonstration; ``ValueError`` where they are none, or more than memory holds."""
    if dataset.shape is None or len(dataset.shape) not in (1, 2) or dataset.dtype.kind not in "fiu":
        raise ValueError(f"its states have the shape {dataset.shape} and the type {dataset.dtype}, must be a table of numbers")
    needed = dataset.size * dataset.dtype.itemsize
    if needed > memory_bytes():
        raise ValueError(f"its states of shape {dataset.shape} need {needed / 1e9:.0f} GB of memory")
    return np.asarray(dataset)


def _control_rate(*attributes: Any) -> float | None:
    """``control_freq`` of the environment, wherever a recorder put it; ``None`` where it cannot be told."""
    for held in attributes:
        for key in ("env_args", "env_info"):
            args = json_of(held, key)
            for options in (args.get("env_kwargs"), args):
                rate = options.get("control_freq") if isinstance(options, dict) else None
                if isinstance(rate, (int, float)) and 0 < rate < float("inf"):
                    return float(rate)
    return None


def _roots(asset_root: Path | str | tuple[Path | str, ...] | None) -> list[Path]:
    given = () if asset_root is None else asset_root if isinstance(asset_root, tuple) else (asset_root,)
    roots = [Path(root) for root in given]
    for root in roots:
        if not root.is_dir():
            raise MissingFileError(root, what="asset root", fix="check --asset-root")
    for package in ASSET_PACKAGES:
        spec = find_spec(package)
        for place in map(Path, (spec.submodule_search_locations if spec is not None else None) or ()):
            assets = [place / "assets", place / package / "assets", place / "models" / "assets"]
            roots += [place.parent, *(folder for folder in assets if folder.is_dir())]
    return roots


def reroot(xml: str, roots: list[Path], where: str = "") -> tuple[str, int]:
    """Point a model's absolute file names at files that exist here.

    Args:
        xml: MJCF.
        roots: folders to look in, in this order.
        where: what the XML belongs to, for errors.

    Returns:
        The XML, and how many names were changed.

    Raises:
        UnreadableFileError: it is no XML.
        MissingFileError: files that are found nowhere, all of them.
    """
    try:
        tree = ElementTree.fromstring(xml)
    except (ElementTree.ParseError, ValueError) as error:  # no XML, or no text at all
        raise UnreadableFileError(where, what="model_file", why=reason(error), fix="record the demonstration again") from error
    folders = _folders(tree)
    moved, missing, known = 0, [], {}
    for element in tree.iter():
        for key, written in element.attrib.items():
            if not key.startswith("file") or not written:
                continue
            name = _joined(folders.get(element.tag, ""), written)
            if name not in known:
                known[name] = found_file(name, roots)
            found = known[name]
            if found is None:
                missing.append(name)
            elif str(found) != written:
                element.set(key, str(found))
                moved += str(found) != normal(name)
    if missing:
        missing = list(dict.fromkeys(missing))
        shown = ", ".join(missing[:8]) + (f", … ({len(missing)} in all)" if len(missing) > 8 else "")
        fix = "install the package that they belong to, or pass --asset-root with the folder that holds them"
        raise MissingFileError(f"{shown} ({where})" if where else shown, what="files of the recorded model", fix=fix)
    return ElementTree.tostring(tree, encoding="unicode"), moved


def _folders(tree: ElementTree.Element) -> dict[str, str]:
    """The folders that the compiler settings give to relative names, by kind of asset."""
    settings = {key: value for compiler in tree.iter("compiler") for key, value in compiler.attrib.items()}
    common = settings.get("assetdir", "")
    meshes, textures = settings.get("meshdir", common), settings.get("texturedir", common)
    return {"mesh": meshes, "hfield": meshes, "skin": meshes, "texture": textures}


def _joined(folder: str, name: str) -> str:
    absolute = name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name)
    return name if absolute or not folder else f"{folder.rstrip('/')}/{name}"
