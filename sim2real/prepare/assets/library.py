"""The packages that random scenes borrow from, read where they lie; what was read is kept for the process."""

from __future__ import annotations

import base64
import tempfile
from collections import OrderedDict
from functools import cached_property
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from jaxtyping import Float32, UInt8

from ...fetch import fetched
from ...scene.light.panoramas import read_radiance
from ...scene.records import Mesh
from . import names
from .credits import SUBSETS, Credit, attributions
from .models import Model, picture, read_catalog, read_model
from .names import Surface

_MAP_ROWS = 256
_LARGEST_FILE = 2_600_000  # bytes of an OBJ file: about 30,000 triangles
_KEPT_TRIANGLES = 2_000_000  # the whole library: 0.4 GB
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def open_assets() -> Assets:
    """The assets that training scenes are made with, fetched where they are not at hand.

    Raises:
        UnfetchedPackageError: a package cannot be had.
    """
    return Assets(
        maps=(fetched("pmndrs-assets"), fetched("blender-data")),
        models=fetched("sweethome3d-furniture"),
    )


class Assets:
    """Environment maps, photographed surfaces and household models. Nothing is drawn here: the same name is the same thing.

    Args:
        maps: folders below which maps lie: ``*.exr`` in a folder ``world``, or ``*.exr.js`` with the file in base64.
        models: folder below which furniture libraries (``*.sh3f``) lie.
    """

    def __init__(self, maps: tuple[Path, ...], models: Path) -> None:
        self._map_files = _map_files(maps)
        self._archives = {p.stem: ZipFile(p) for p in sorted(models.rglob("*.sh3f")) if p.stem in SUBSETS}
        self._maps: dict[str, Float32[np.ndarray, "height width 3"]] = {}
        self.pictures: dict[str, UInt8[np.ndarray, "height width channels"]] = {}
        self._models: OrderedDict[str, tuple[Mesh, ...]] = OrderedDict()
        self.indoor = tuple(name for name in names.INDOOR if name in self._map_files)
        self.outdoor = tuple(name for name in names.OUTDOOR if name in self._map_files)

    @cached_property
    def _catalog(self) -> dict[str, tuple[Model, ...]]:
        """All models that may be taken, by folder."""
        out: dict[str, list[Model]] = {}
        for subset, archive in self._archives.items():
            text = archive.read("PluginFurnitureCatalog.properties").decode("latin-1")
            for model in read_catalog(text, subset):
                if model.folder not in names.EXCLUDED and archive.getinfo(model.file).file_size <= _LARGEST_FILE:
                    out.setdefault(model.folder, []).append(model)
        return {folder: tuple(models) for folder, models in out.items()}

    @cached_property
    def _surface_files(self) -> dict[str, tuple[str, str]]:
        """For the last two parts of every picture's path: its library and full path."""
        out = {}
        for subset, archive in self._archives.items():
            for name in archive.namelist():
                out.setdefault("/".join(name.split("/")[-2:]), (subset, name))
        return out

    def named(self, folders: tuple[str, ...]) -> tuple[Model, ...]:
        """The models in these folders, in this order; folders that are not there are left out."""
        return tuple(model for folder in folders for model in self._catalog.get(folder, ()))

    @cached_property
    def clutter(self) -> tuple[Model, ...]:
        """What lies and stands about."""
        return tuple(m for m in self.named(names.CLUTTER) if max(m.size[:2]) < 0.62 and m.size[2] < 0.75)

    @cached_property
    def furniture(self) -> tuple[Model, ...]:
        """What stands on the floor."""
        return tuple(m for m in self.named(names.FURNITURE) if 0.2 < max(m.size) < 2.4)

    def meshes(self, model: Model) -> tuple[Mesh, ...]:
        """A model's meshes: metres, standing on z = 0 about the origin, its front to -y."""
        key = f"{model.subset}/{model.file}"
        if key in self._models:
            self._models.move_to_end(key)
            return self._models[key]
        made = self._models[key] = read_model(self._archives[model.subset], model)
        while sum(len(m.faces) for kept in self._models.values() for m in kept) > _KEPT_TRIANGLES and len(self._models) > 1:
            self._models.popitem(last=False)
        return made

    def surface(self, surface: Surface) -> tuple[UInt8[np.ndarray, "height width 3"], float]:
        """A photographed surface with its grain along u, and the metres that its width covers."""
        if surface.file not in self.pictures:
            subset, name = self._surface_files[surface.file]
            self.pictures[surface.file] = picture(self._archives[subset].read(name))[..., :3]
        pixels = self.pictures[surface.file]
        if not surface.turned:
            return pixels, surface.width_m
        return np.ascontiguousarray(np.rot90(pixels)), surface.width_m * pixels.shape[0] / pixels.shape[1]

    def surfaces(self, kind: str) -> tuple[Surface, ...]:
        """The photographed surfaces of a kind (a key of ``names.SURFACES``) that are there."""
        return tuple(s for s in names.SURFACES[kind] if s.file in self._surface_files)

    def map(self, name: str) -> Float32[np.ndarray, "height width 3"]:
        """An environment map, linear, mean luminance over the sphere 1; rows from the zenith down."""
        if name not in self._maps:
            pixels = _read_map(self._map_files[name])
            polar = np.sin((np.arange(len(pixels)) + 0.5) / len(pixels) * np.pi)
            mean = np.average((pixels @ _LUMA).mean(axis=1), weights=polar)
            self._maps[name] = (pixels / max(float(mean), 1e-6)).astype(np.float32)
        return self._maps[name]

    def credits(self) -> tuple[Credit, ...]:
        """Whom a model that was trained on all this has to name, and the licenses."""
        used = [*self.clutter, *self.furniture, *self.named(names.SOCKETS + names.SWITCHES + names.HANGING)]
        rows = [(m.subset, m.name, m.author) for m in used]
        for surface in {s for kind in names.SURFACES for s in self.surfaces(kind)}:
            rows += [(m.subset, m.name, m.author) for m in self.named((surface.file.split("/")[0],))]
        return attributions(rows)


def _map_files(folders: tuple[Path, ...]) -> dict[str, Path]:
    """Environment maps by name; the second of a name is called "name 2"."""
    out: dict[str, Path] = {}
    for folder in folders:
        found = [p for p in folder.rglob("*.exr") if p.parent.name == "world"] + list(folder.rglob("*.exr.js"))
        for path in sorted(found):
            name = path.name.split(".")[0]
            out[name if name not in out else f"{name} 2"] = path
    return out


def _read_map(path: Path) -> Float32[np.ndarray, "height width 3"]:
    """An OpenEXR picture, or one in base64 inside a script, of at most 256 rows."""
    with tempfile.TemporaryDirectory() as folder:
        file = path
        if path.suffix == ".js":
            file = Path(folder) / "map.exr"
            file.write_bytes(base64.b64decode(path.read_text().partition("base64,")[2].split("'")[0].split('"')[0]))
        pixels = read_radiance(file)
    while pixels.shape[0] > _MAP_ROWS:
        pixels = (pixels[::2, ::2] + pixels[1::2, ::2] + pixels[::2, 1::2] + pixels[1::2, 1::2]) / 4
    return pixels
