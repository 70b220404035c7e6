"""``bake.json``: which texture belongs to what, how fine it is and what it was drawn from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from pydantic import TypeAdapter, ValidationError

from ..errors import UnreadableFileError
from ..text_files import read_json

GLB, RECORD = "scene.glb", "bake.json"


@dataclass(frozen=True)
class BakedTexture:
    """One texture of a baked scene.

    - ``file``: float32 (rows, columns, channels), i.i.d. standard normal. The texel in row j and column i covers
      u in [i, i + 1) / columns and v in [j, j + 1) / rows of the node's TEXCOORD_0 (glTF: v runs down).
    - ``node``: of the GLB. The background has none; its file has one texture per face of a cube, +x +y +z -x -y -z, which a
      direction d meets at u = (1 + d_p / d_a) / 2, v = (1 + d_q / d_a) / 2; a is the face's axis, p and q the next ones.
    - ``level``: 2^level texels per side; ``side_m``: metres that the whole texture is wide.
    - ``keys``: of the charts, hexadecimal; with the seed they determine every value.
    """

    file: str
    node: str | None
    instance: str
    class_name: str
    level: int
    side_m: float
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Baked:
    """What a folder of ``sim2real bake`` holds."""

    scene: str
    sha256: str
    seed: int
    channels: int
    textures: tuple[BakedTexture, ...]


def write_bake_record(path: Path, baked: Baked) -> None:
    """Write ``bake.json``."""
    data = {"version": 1, **asdict(baked)}
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_baked(folder: Path) -> Baked:
    """Read what ``bake_scene`` wrote.

    Raises:
        MissingFileError: there is no such folder, or it holds no ``bake.json``.
        UnreadableFileError: ``bake.json`` is damaged.
    """
    path = Path(folder) / RECORD
    data = read_json(path, what="baked noise", fix="make it with: sim2real bake SCENE -o DIR")
    try:
        return TypeAdapter(Baked).validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        why = f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
        raise UnreadableFileError(path, what="the baked noise", why=why, fix="bake the scene again") from error


def texels(
    texture: Float[np.ndarray, "height width channels"], uv: Float[np.ndarray, "*n 2"]
) -> Float[np.ndarray, "*n channels"]:
    """The values of a texture where UVs point: the texel that holds the place, no blending.

    Args:
        texture: of a node.
        uv: glTF's, in [0, 1); (0, 0) is the corner of row 0 and column 0.
    """
    size = np.array([texture.shape[1], texture.shape[0]])
    column, row = np.moveaxis(np.clip((np.asarray(uv) * size).astype(int), 0, size - 1), -1, 0)
    return texture[row, column]
