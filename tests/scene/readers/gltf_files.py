"""A builder of small glTF files, and a plain evaluation of what the specification says of them."""

from __future__ import annotations

import base64
import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np

_CODES = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
_KINDS = {(): "SCALAR", (2,): "VEC2", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
QUAD = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)
QUAD_FACES = np.array([0, 1, 2, 0, 2, 3], np.uint16)


class Gltf:
    """A file under construction; methods return the numbers of what they add."""

    def __init__(self, **more: Any) -> None:
        self.tree: dict[str, Any] = {"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": []}], **more}
        self.blob = bytearray()

    def add(self, kind: str, entry: dict[str, Any]) -> int:
        self.tree.setdefault(kind, []).append(entry)
        return len(self.tree[kind]) - 1

    def view(self, data: bytes, **more: Any) -> int:
        self.blob += b"\0" * (-len(self.blob) % 4)
        view = {"buffer": 0, "byteOffset": len(self.blob), "byteLength": len(data), **more}
        self.blob += data
        return self.add("bufferViews", view)

    def accessor(self, array: np.ndarray, **more: Any) -> int:
        """An array; matrices are stored by columns."""
        array = np.asarray(array)
        shape = {"count": len(array), "type": _KINDS[array.shape[1:]], "componentType": _CODES[array.dtype.str[1:]]}
        data = array.swapaxes(1, 2) if array.ndim == 3 else array
        return self.add("accessors", {"bufferView": self.view(np.ascontiguousarray(data).tobytes()), **shape, **more})

    def mesh(self, vertices: np.ndarray = QUAD, faces: np.ndarray = QUAD_FACES, *, name: str | None = None, **more: Any) -> int:
        """A mesh of one primitive; capitals are attributes (arrays), ``targets`` arrays of displacements."""
        attributes = {"POSITION": self.accessor(np.asarray(vertices, np.float32))}
        attributes |= {key: self.accessor(more.pop(key)) for key in list(more) if key.isupper()}
        primitive: dict[str, Any] = {"attributes": attributes, "indices": self.accessor(faces)}
        if "targets" in more:
            primitive["targets"] = [{"POSITION": self.accessor(np.asarray(t, np.float32))} for t in more.pop("targets")]
        if "material" in more:
            primitive["material"] = more.pop("material")
        named = {} if name is None else {"name": name}
        return self.add("meshes", {"primitives": [primitive], **named, **more})

    def node(self, *, top: bool = True, **entry: Any) -> int:
        """A node, of the scene if it is at the top."""
        index = self.add("nodes", entry)
        if top:
            self.tree["scenes"][0]["nodes"].append(index)
        return index

    def skin(self, joints: list[int], matrices: np.ndarray | None = None) -> int:
        held = {} if matrices is None else {"inverseBindMatrices": self.accessor(np.asarray(matrices, np.float32))}
        return self.add("skins", {"joints": joints, **held})

    def animation(self, *channels: tuple[int, str, Any, Any, str], name: str | None = None) -> int:
        """An animation of (node, path, seconds, values, interpolation)."""
        entry: dict[str, Any] = {"channels": [], "samplers": []} | ({} if name is None else {"name": name})
        for node, path, seconds, values, how in channels:
            values = np.asarray(values, np.float32)
            values = values.reshape(-1) if path == "weights" else values
            sampler = {"input": self.accessor(np.asarray(seconds, np.float32)), "output": self.accessor(values)}
            entry["samplers"].append({**sampler, "interpolation": how})
            entry["channels"].append({"sampler": len(entry["samplers"]) - 1, "target": {"node": node, "path": path}})
        return self.add("animations", entry)

    def save(self, path: Path, *, external: bool = False) -> Path:
        """Write it: as GLB, or as glTF whose buffer is inside it or beside it."""
        buffer: dict[str, Any] = {"byteLength": len(self.blob)}
        if path.suffix == ".gltf" and external:
            (path.parent / "a buffer.bin").write_bytes(self.blob)
            buffer["uri"] = "a%20buffer.bin"
        elif path.suffix == ".gltf":
            buffer["uri"] = "data:application/octet-stream;base64," + base64.b64encode(self.blob).decode()
        text = json.dumps({**self.tree, "buffers": [buffer]} if self.blob else self.tree).encode()
        if path.suffix == ".gltf":
            path.write_bytes(text)
            return path
        text += b" " * (-len(text) % 4)
        blob = bytes(self.blob) + b"\0" * (-len(self.blob) % 4)
        body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(blob), b"BIN\0") + blob
        path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body)
        return path


def value_at(seconds: Any, values: Any, how: str, t: float, *, turns: bool = False) -> list[float]:
    """What a sampler says at one time, number by number (glTF 2.0, appendix C)."""
    keys = [[float(v) for v in np.ravel(row)] for row in values]
    seconds, step = [float(s) for s in seconds], 3 if how == "CUBICSPLINE" else 1
    first = 1 if step == 3 else 0
    point = [keys[step * k + first] for k in range(len(seconds))]
    if t <= seconds[0]:
        return _normal(point[0], turns)
    if t >= seconds[-1]:
        return _normal(point[-1], turns)
    k = max(i for i in range(len(seconds)) if seconds[i] <= t + (1e-6 if how == "STEP" else 0))
    if how == "STEP":
        return _normal(point[k], turns)
    length = seconds[k + 1] - seconds[k]
    u = (t - seconds[k]) / length
    if how == "CUBICSPLINE":
        leaves, enters = keys[3 * k + 2], keys[3 * (k + 1)]
        a, b, c, d = 2 * u**3 - 3 * u**2 + 1, length * (u**3 - 2 * u**2 + u), -2 * u**3 + 3 * u**2, length * (u**3 - u**2)
        mixed = [a * v + b * o + c * w + d * i for v, o, w, i in zip(point[k], leaves, point[k + 1], enters, strict=True)]
        return _normal(mixed, turns)
    if not turns:
        return [(1 - u) * v + u * w for v, w in zip(point[k], point[k + 1], strict=True)]
    v, w = _normal(point[k], True), _normal(point[k + 1], True)
    d = sum(x * y for x, y in zip(v, w, strict=True))
    sign, d = (-1 if d < 0 else 1), abs(d)
    a = math.acos(min(d, 1.0))
    if a < 1e-5:
        return _normal([(1 - u) * x + u * sign * y for x, y in zip(v, w, strict=True)], True)
    return [
        math.sin(a * (1 - u)) / math.sin(a) * x + sign * math.sin(a * u) / math.sin(a) * y for x, y in zip(v, w, strict=True)
    ]


def _normal(values: list[float], turns: bool) -> list[float]:
    length = math.sqrt(sum(v * v for v in values)) if turns else 1.0
    return [v / length for v in values]


def matrix_of(t: Any, q: Any, s: Any) -> list[list[float]]:
    """T * R * S of a translation, a unit quaternion (x, y, z, w) and a scale."""
    x, y, z, w = q
    turn = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return [[*(turn[i][j] * s[j] for j in range(3)), t[i]] for i in range(3)] + [[0, 0, 0, 1]]


def times(a: Any, b: Any) -> list[list[float]]:
    """The product of two 4x4 matrices."""
    return [[sum(a[i][k] * b[k][j] for k in range(4)) for j in range(4)] for i in range(4)]


def moved(matrix: Any, point: Any) -> list[float]:
    """Where a 4x4 matrix takes a point."""
    return [sum(matrix[i][k] * point[k] for k in range(3)) + matrix[i][3] for i in range(3)]
