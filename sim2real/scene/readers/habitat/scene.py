"""Habitat's gfx-replay files as scenes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from jaxtyping import Float

from ....camera.view import Camera
from ....errors import BadValueError, EmptySceneError, MissingFileError, UnknownNameError
from ....transforms import OPENCV_FROM_OPENGL
from ...mesh_ops import mapped
from ...records import Instance, Lighting, Mesh, Part, Scene
from ..asset_paths import found_file, of_windows
from ..mesh.files import Y_UP, read_mesh_file, sha256_of
from ..reading import Reading, option
from .primitives import is_primitive, primitive_of
from .replay import NAVMESH, Drawn, Replay, read_replay

DEFAULT_FPS = 30.0
DEFAULT_SIZE = (480, 640)
HFOV_DEG = 90.0
"""Habitat's own default."""
_CAMERAS = ("sensor", "camera")
_NOTHING = ("", "NONE")
_NEAR_FOLDERS, _LISTED = 5, 8
_LARGEST = 1e9


@dataclass(frozen=True)
class Options:
    """What replays alone take."""

    asset_root: Path | str | None = option("Where the replay's assets lie, if not where it says.", metavar="DIR")
    hfov: float | None = option(f"Horizontal field of view of its cameras, degrees.  [default: {HFOV_DEG:g}]", metavar="DEG")
    camera_transforms: str | None = option(
        "User transforms that are cameras.  [default: those whose names hold sensor or camera]", metavar="NAME,..."
    )


@dataclass
class _Assets:
    """Meshes that were made for one replay, each asset and scale once."""

    roots: list[Path]
    meshes: list[Mesh] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _numbers: dict[int, int] = field(default_factory=dict)
    _made: dict[tuple, list[tuple[int, np.ndarray]]] = field(default_factory=dict)
    _read: dict[str, list[tuple[Mesh, np.ndarray]]] = field(default_factory=dict)

    def path(self, name: str) -> Path | None:
        """The file that a replay calls so, here; ``None`` where it is nowhere."""
        return found_file(name, self.roots)

    def of(self, drawn: Drawn) -> list[tuple[int, Float[np.ndarray, "4 4"]]]:
        """The meshes of an instance (numbers of ``meshes``) and where they are in it."""
        key = (drawn.asset.name, drawn.scale, drawn.asset.world_from_file.tobytes())
        if key not in self._made:
            linear = np.diag(drawn.scale) @ drawn.asset.world_from_file
            rigid_only = drawn.scale == (1.0, 1.0, 1.0)
            placed = []
            for mesh, move in self._meshes(drawn.asset.name):
                turned = np.eye(4)
                if rigid_only:
                    turned[:3, :3] = linear
                    placed.append((self._add(mesh), turned @ move))
                else:
                    placed.append((self._add(mapped(mesh, linear @ move[:3, :3], linear @ move[:3, 3])), turned))
            self._made[key] = placed
        return self._made[key]

    def _add(self, mesh: Mesh) -> int:
        if id(mesh) not in self._numbers:
            self._numbers[id(mesh)] = len(self.meshes)
            self.meshes.append(mesh)
        return self._numbers[id(mesh)]

    def _meshes(self, name: str) -> list[tuple[Mesh, np.ndarray]]:
        """The content of an asset in its own axes."""
        if name not in self._read:
            if is_primitive(name):
                mesh = primitive_of(name)
                self._read[name] = [] if mesh is None else [(mesh, np.eye(4))]
            else:
                path = self.path(name)
                assert path is not None, "missing files were refused"
                file = read_mesh_file(path, up_axis="z")
                self.files += file.files
                self.notes += file.notes
                self._read[name] = [(file.meshes[k], move) for k, move in file.placed]
        return self._read[name]


def read(path: Path, reading: Reading, options: Options) -> Scene:
    """Read a replay: every rendered instance, its way, and cameras where sensors were recorded as user transforms.

    Raises:
        MissingFileError: assets are nowhere; lists them.
        UnreadableFileError: the file, or an asset, is damaged.
        UnknownNameError: there is no such user transform.
        BadValueError: a field of view that is none, no frame as asked for.
        EmptySceneError: nothing of it can be drawn.
    """
    hfov = HFOV_DEG if options.hfov is None else options.hfov
    if not 0 < hfov < 180:
        raise BadValueError("--hfov", hfov, right="above 0 and below 180 degrees", where=path)
    replay = read_replay(path)
    rows = range(replay.frames)[reading.frames or slice(None)]
    if len(rows) == 0:
        raise BadValueError("the range of frames", f"{rows.start}:{rows.stop}", right=f"within 0:{replay.frames}", where=path)
    picked = slice(rows.start, rows.stop, rows.step)
    shown, notes = _shown(replay)
    assets = _Assets(_roots(path, options.asset_root))
    _check_files(assets, shown, path)
    parts, kept = list[Part](), list[Drawn]()
    for drawn in shown:
        made = assets.of(drawn)
        parts += [Part(mesh, len(kept), move) for mesh, move in made]
        kept += [drawn] if made else []
    if not kept:
        raise EmptySceneError(path, lacks="instances that can be drawn", fix="record it with assets that are rendered")
    cameras, of_cameras = _cameras(replay, options.camera_transforms, reading.size or DEFAULT_SIZE, hfov, rows, path)
    lighting, of_lights = _lighting(replay.lights)
    step = (reading.frames.step or 1) if reading.frames else 1
    rate = [] if reading.fps else [f"replays do not say their frame rate: read as {DEFAULT_FPS:g} per second; --fps changes it"]
    return Scene(
        source=path,
        sha256=sha256_of([path, *assets.files]),
        meshes=tuple(assets.meshes),
        parts=tuple(parts),
        instances=_instances(kept),
        world_from_instance=Y_UP @ np.stack([drawn.way.of(rows) for drawn in kept], axis=1),
        visible=np.stack([drawn.seen[picked] for drawn in kept], axis=1),
        cameras=cameras,
        fps=reading.fps or DEFAULT_FPS / step,
        lighting=lighting,
        notes=(*replay.notes, *notes, *rate, *of_cameras, *of_lights, *dict.fromkeys(assets.notes)),
    )


def _shown(replay: Replay) -> tuple[list[Drawn], list[str]]:
    """What is drawn, and notes on what is not."""
    left_out = Counter[str]()
    shown = []
    for drawn in replay.drawn:
        name = drawn.asset.name
        why = None
        if drawn.semantic_only:
            why = "for semantic sensors only"
        elif drawn.asset.kind == NAVMESH or name in _NOTHING:
            why = "navigation meshes and empty scenes"
        elif drawn.has_bones:
            why = "moved by bones, which are not read"
        elif is_primitive(name) and primitive_of(name) is None:
            why = "wireframes"
        if why is None:
            shown.append(drawn)
        else:
            left_out[why] += 1
    return shown, [f"{count} instances left out: {why}" for why, count in sorted(left_out.items())]


def _instances(kept: Sequence[Drawn]) -> tuple[Instance, ...]:
    """Names by the assets' files, counted where there are several; classes by semantic ids where there are any."""
    taken, found = Counter[str](), []
    stems = [_stem(drawn.asset.name) for drawn in kept]
    given = set(stems)
    for drawn, stem in zip(kept, stems, strict=True):
        taken[stem] += 1
        name = stem
        while taken[stem] > 1 and (name == stem or name in given):
            name = f"{stem}_{taken[stem]}"
            taken[stem] += name in given
        given.add(name)
        found.append(Instance(name, f"semantic_{drawn.semantic_id}" if drawn.semantic_id > 0 else stem))
    return tuple(found)


def _stem(name: str) -> str:
    """What an asset is called: its file's name without what is behind the first dot; a primitive's kind."""
    last = PurePosixPath(name.replace("\\", "/") if of_windows(name) else name).name
    return last.partition("_")[0] if is_primitive(name) else last.partition(".")[0] or last or "asset"


def _roots(path: Path, asset_root: Path | str | None) -> list[Path]:
    given = [] if asset_root is None else [Path(asset_root)]
    for root in given:
        if not root.is_dir():
            raise MissingFileError(root, what="asset root", fix="check --asset-root")
    return [*given, *list(path.absolute().parents)[:_NEAR_FOLDERS]]


def _check_files(assets: _Assets, shown: Sequence[Drawn], path: Path) -> None:
    """Refuse a replay whose assets are not here, all of them at once."""
    names = dict.fromkeys(drawn.asset.name for drawn in shown if not is_primitive(drawn.asset.name))
    missing = [name for name in names if assets.path(name) is None]
    if missing:
        listed = ", ".join(missing[:_LISTED]) + (f", … ({len(missing)} in all)" if len(missing) > _LISTED else "")
        fix = "pass --asset-root with the folder that holds them"
        raise MissingFileError(f"{listed} ({path})", what="assets of the replay", fix=fix)


def _cameras(
    replay: Replay, asked: str | None, size: tuple[int, int], hfov: float, rows: range, path: Path
) -> tuple[tuple[Camera, ...], list[str]]:
    wanted = [word.strip() for word in (asked or "").split(",") if word.strip()]
    for name in wanted:
        if name not in replay.users:
            raise UnknownNameError(name, replay.users, what="user transform", where=path)
    names = wanted or [name for name in replay.users if any(word in name.lower() for word in _CAMERAS)]
    others = [name for name in replay.users if name not in names]
    notes = [f"user transforms that are no cameras: {', '.join(others[:8])} (--camera-transforms)"] if others else []
    height, width = size
    focal_px = width / 2 / np.tan(np.deg2rad(hfov) / 2)
    k = np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1.0]])
    cameras = []
    for name in names:
        way = Y_UP @ replay.users[name].of(rows) @ OPENCV_FROM_OPENGL
        cameras.append(Camera(name or "camera", size, np.tile(k, (len(way), 1, 1)), way, source_name=name))
    if cameras:
        notes.append(f"replays hold no lenses: cameras are {hfov:g} degrees wide (--hfov) and {height}x{width} (--size)")
    return tuple(cameras), notes


def _lighting(lights: Sequence[dict[str, Any]]) -> tuple[Lighting, list[str]]:
    """The brightest light of the world from afar as the sun."""
    usual, suns = Lighting(), []
    for light in lights:
        vector, color = _numbers_of(light.get("vector"), 4), _numbers_of(light.get("color", [1, 1, 1]), 3)
        if light.get("model", "global") not in ("global", 1) or vector is None or color is None:
            continue
        length = float(np.linalg.norm(vector[:3]))
        if vector[3] == 0 and length > 1e-6 and color.max() > 0:
            suns.append((float(color.sum()), -vector[:3] / length, np.clip(color / color.max(), 0, 1)))
    if not suns:
        return usual, [f"{len(lights)} lights are not read: none is global and directional"] if lights else []
    _, towards, hue = max(suns, key=lambda sun: sun[0])
    x, y, z = (Y_UP[:3, :3] @ towards).tolist()
    r, g, b = (hue * np.array(usual.sun)).tolist()
    left = len(lights) - 1
    notes = [f"the brightest of {len(lights)} lights is the sun; the others are not read"] if left else []
    return replace(usual, sun_direction=(x, y, z), sun=(r, g, b)), notes


def _numbers_of(value: Any, count: int) -> np.ndarray | None:
    """So many finite numbers; ``None`` where they are something else."""
    good = isinstance(value, list) and len(value) == count and all(type(v) in (int, float) for v in value)
    return np.array(value, np.float64) if good and all(abs(v) <= _LARGEST for v in value) else None
