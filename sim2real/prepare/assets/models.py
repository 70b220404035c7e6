"""Household models: the catalog of a furniture library, and a model's meshes with materials as this project has them."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from zipfile import ZipFile

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ...scene.colors import linear_from_srgb
from ...scene.normals import crease_normals
from ...scene.records import Material, Mesh
from .obj_files import Part, read_wavefront

_TEXTURE_SIDE_PX = 512
_METAL = ("metal", "inox", "chrom", "steel", "alum", "acero", "cromo", "silver", "brass", "iron", "copper", "gold")
_GLASS = ("glass", "vidrio", "crist", "verre")
_KINDS = {
    "leather": "leather cuero cuir",
    "wood": "wood oak madera bois teak alder cherry pine pino haya plank mahog walnut",
    "cloth": "fabric cloth tela towel denim cushion tissu pillow tecido sofa couch seat curtain",
    "plant": "leaf leav plant flower petal stem hoja flor cactus yucca tulip soil",
    "ceramic": "ceramic porcel mug cup plate vase bowl pottery teapot jar",
    "paper": "paper book label etiq carton newspaper page box",
    "rubber": "rubber tire goma",
    "stone": "stone marble granit rock",
    "food": "bread apple fruit meat steak burger cake salad fries sushi banana orange dog",
    "plastic": "plastic plast",
}
"""Parts of words, of several languages, by what they tell a material to be; earlier ones first."""


@dataclass(frozen=True)
class Model:
    """A row of a catalog.

    - ``folder`` is the name of the folder that the model is in, and what this project calls it.
    - ``size`` is width, depth and height, metres; ``turn`` is the catalog's rotation of the file's axes.
    - ``elevation_m`` is how high it hangs, 0 for what stands.
    """

    name: str
    folder: str
    subset: str
    file: str
    author: str
    size: tuple[float, float, float]
    turn: tuple[float, ...]
    elevation_m: float = 0.0

    @property
    def radius_m(self) -> float:
        """Of the circle around its footprint."""
        return float(np.hypot(self.size[0], self.size[1]) / 2)


def read_catalog(text: str, subset: str) -> list[Model]:
    """The models of a catalog (Java properties, sizes in cm), in its order."""
    rows: dict[int, dict[str, str]] = {}
    for line in text.splitlines():
        entry = re.match(r"(\w+)#(\d+)=(.*)", line)
        if entry:
            rows.setdefault(int(entry[2]), {})[entry[1]] = entry[3].strip()
    return [_model(rows[number], subset) for number in sorted(rows) if rows[number].get("model", "").endswith(".obj")]


def _model(row: dict[str, str], subset: str) -> Model:
    file = row["model"].lstrip("/")
    width, depth, height = (float(row[key]) / 100 for key in ("width", "depth", "height"))
    turn = tuple(float(x) for x in row.get("modelRotation", "1 0 0 0 1 0 0 0 1").split())
    return Model(
        row["name"],
        PurePosixPath(file).parent.name,
        subset,
        file,
        row.get("creator", subset),
        (width, depth, height),
        turn,
        float(row.get("elevation", 0)) / 100,
    )


def read_model(archive: ZipFile, model: Model) -> tuple[Mesh, ...]:
    """A model's meshes: metres, standing on z = 0 about the origin, its front to -y."""
    folder = PurePosixPath(model.file).parent
    names = set(archive.namelist())

    def text(name: str) -> str:
        return archive.read(name).decode("latin-1") if name in names else ""

    wavefront = read_wavefront(text(model.file), lambda name: text(str(folder / name)))
    if not wavefront.parts:
        return ()
    linear, shift = _placement(model, np.concatenate([p.corners.reshape(-1, 3) for p in wavefront.parts]))
    meshes = []
    for part in wavefront.parts:
        said = wavefront.materials.get(part.material, {})
        texture = None
        if "map_Kd" in said and part.uv is not None:
            name = str(folder / said["map_Kd"].split()[-1])
            texture = picture(archive.read(name)) if name in names else None
        material = material_of(part.material, said, texture, model)
        meshes.append(_mesh(model.name, part, linear, shift, material))
    return tuple(meshes)


def _placement(model: Model, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Linear map and shift from the file's axes (y up, front +z) to ours, so that the catalog's size is kept."""
    turn = np.array(model.turn).reshape(3, 3)
    turned = points @ turn.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    scale = np.array([model.size[0], model.size[2], model.size[1]]) / np.maximum(high - low, 1e-9)
    ours = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    middle = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
    return ours @ np.diag(scale) @ turn, ours @ (-scale * middle)


def _mesh(name: str, part: Part, linear: np.ndarray, shift: np.ndarray, material: Material) -> Mesh:
    corners = part.corners @ linear.T + shift
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(face, axis=1)
    kept = area > 1e-12
    corners, face = corners[kept], face[kept] / area[kept, None]
    if np.linalg.det(linear) < 0:
        corners, face = corners[:, ::-1], -face
    faces = np.arange(3 * len(corners)).reshape(-1, 3)
    if part.normals is None:
        normals = crease_normals(corners.reshape(-1, 3), faces, 50.0) if len(faces) else np.zeros((0, 3, 3))
    else:
        normals = part.normals[kept] @ np.linalg.inv(linear)
        length = np.linalg.norm(normals, axis=-1, keepdims=True)
        normals = np.where(length < 1e-9, face[:, None], normals / np.maximum(length, 1e-9))
        against = np.einsum("fki,fi->fk", normals, face)
        normals = np.where(against[..., None] < 0, face[:, None] if (against < 0).mean() < 0.05 else -normals, normals)
    uv = None if part.uv is None else part.uv[kept].astype(np.float32)
    points = corners.reshape(-1, 3).astype(np.float32)
    return Mesh(name, points, faces, uv=uv, normals=normals.astype(np.float32), material=material)


def picture(data: bytes) -> UInt8[np.ndarray, "height width channels"]:
    """An image file's pixels, of at most 512 on a side, with alpha where it has any."""
    image: Any = Image.open(io.BytesIO(data))
    clear = "A" in image.getbands() or "transparency" in image.info
    image = image.convert("RGBA" if clear else "RGB")
    image.thumbnail((_TEXTURE_SIDE_PX, _TEXTURE_SIDE_PX))
    return np.asarray(image)


def _color(said: dict[str, str], key: str, default: float) -> np.ndarray:
    numbers = [float(x) for x in said.get(key, "").split()[:3]]
    return np.array(numbers) if len(numbers) == 3 else np.full(3, default)


def material_of(name: str, said: dict[str, str], texture: UInt8[np.ndarray, "h w c"] | None, model: Model) -> Material:
    """A material as this project has it, from the words and numbers of an MTL file.

    Args:
        name: of the material, whose words tell what it is.
        said: keyword to the rest of the line.
        texture: its picture, if any.
        model: that it belongs to.
    """
    diffuse, specular = _color(said, "Kd", 0.8), _color(said, "Ks", 0.0)
    shine = float(said.get("Ns", "20").split()[0])
    alpha = float(said["d"].split()[-1]) if "d" in said else 1.0
    kind = kind_of(name, said, model)
    glossy = float(np.clip((2 / (max(shine, 1.0) + 2)) ** 0.25, 0.12, 0.8)) if specular.mean() > 0.05 else 0.7
    linear = np.ones(3) if texture is not None else linear_from_srgb(np.clip(diffuse, 0.012, 0.93))
    metallic = 0.0
    if kind == "glass" or (alpha < 0.6 and texture is None):
        r, g, b = (float(c) for c in 0.55 + 0.45 * linear)
        return Material((r, g, b, 0.25), None, 0.0, 0.1, kind="glass")
    if kind == "metal":
        linear, glossy, metallic = np.maximum(linear, 0.3), float(np.clip(glossy, 0.18, 0.42)), 0.95 if texture is None else 0.0
    if kind in ("cloth", "leather", "paper", "plant", "wood", "stone"):
        glossy = max(glossy, 0.45)
    r, g, b = (float(c) for c in linear)
    return Material((r, g, b, 1.0), texture, metallic, glossy, kind=kind)


def kind_of(name: str, said: dict[str, str], model: Model) -> str:
    """What a material is made of, as far as its name, its picture's name and the model's name tell."""
    own = f"{name} {said.get('map_Kd', '')}".lower()
    diffuse, specular = _color(said, "Kd", 0.8), _color(said, "Ks", 0.0)
    alpha = float(said["d"].split()[-1]) if "d" in said else 1.0
    if any(word in own for word in _GLASS) or (alpha < 0.6 and "map_Kd" not in said):
        return "glass"
    gray_and_bright = specular.mean() > 0.8 and float(said.get("Ns", "20").split()[0]) > 60 and np.ptp(diffuse) < 0.05
    if any(word in own for word in _METAL) or (gray_and_bright and 0.1 < diffuse.mean() < 0.7):
        return "metal"
    for words in (own, f"{model.folder} {model.name}".lower()):
        for kind, keys in _KINDS.items():
            if any(key in words for key in keys.split()):
                return kind
    return "plastic"
