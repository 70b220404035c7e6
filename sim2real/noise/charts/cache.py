"""Charts that were made before: of large meshes on disk, one file per content, whole or absent; of small ones in memory.

Files lie in the user's cache folder (``$XDG_CACHE_HOME`` or ``~/.cache``, below ``sim2real/charts``). ``SIM2REAL_CACHE`` names
another folder, or switches the cache off with ``off``. A folder that cannot be written is no error: charts are built again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from .mesh import MeshCharts

VARIABLE = "SIM2REAL_CACHE"
LEAST_FACES = 20_000
"""Smaller meshes are charted in less time than a file is worth; they are kept in memory, for the next clip of a process."""
MOST_IN_MEMORY = 2_000_000
"""Faces of meshes that are kept in memory (50 MB)."""
LIMIT_BYTES = 1 << 30
"""The folder is kept below this size; what was not read for longest goes first."""
ABANDONED_S = 3600.0
"""Temporary files of writers that were killed are removed after this time."""

_DIGEST = 32
_ALGORITHM = ("kernels", "overlap", "islands", "mesh", "packing", "uv_islands")


def cached_charts(key: Callable[[], str], faces: int, build: Callable[[], MeshCharts]) -> MeshCharts:
    """The charts that ``build`` makes, from disk where they have been built before.

    Args:
        key: gives ``content_key`` of the mesh's vertices, faces and layout, and of what is applied to the vertices before
            charting; not called where nothing is kept.
        faces: how many the mesh has.
        build: makes the charts from exactly these; a pure function.

    Returns:
        The same bits whether built or read.
    """
    folder = cache_folder()
    if folder is None:
        return build()
    if faces < LEAST_FACES:
        return _memory.get(key(), build)
    path = folder / f"{key()}.charts"
    charts = _read(path)
    if charts is None:
        charts = build()
        _write(path, charts)
    return charts


class _Memory:
    """What was made in this process, by content; those that were not asked for longest are forgotten."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, MeshCharts] = OrderedDict()
        self._faces = 0
        self._lock = threading.Lock()

    def get(self, key: str, build: Callable[[], MeshCharts]) -> MeshCharts:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        charts = build()
        with self._lock:
            if key not in self._kept:
                self._faces += len(charts.from_uv)
            self._kept[key] = charts
            while self._faces > MOST_IN_MEMORY:
                self._faces -= len(self._kept.popitem(last=False)[1].from_uv)
        return charts


_memory = _Memory()


def cache_folder() -> Path | None:
    """Where charts are kept; ``None`` if the user wants none."""
    chosen = os.environ.get(VARIABLE, "")
    if chosen.lower() == "off":
        return None
    if chosen:
        return Path(chosen).expanduser() / "charts"
    home = os.environ.get("XDG_CACHE_HOME", "")
    if home and Path(home).is_absolute():  # the XDG specification: relative paths are to be ignored
        return Path(home) / "sim2real" / "charts"
    return Path(os.path.expanduser("~")) / ".cache" / "sim2real" / "charts"


def content_key(*arrays: np.ndarray | None) -> str:
    """A name that changes with every bit of the arrays and of the algorithm."""
    state = hashlib.blake2b(_algorithm(), digest_size=_DIGEST)
    for array in arrays:
        if array is None:
            state.update(b"none;")
        else:
            state.update(f"{array.dtype.str}{array.shape};".encode())
            state.update(np.ascontiguousarray(array).data)
    return state.hexdigest()


@functools.cache
def _algorithm() -> bytes:
    """The code that builds charts and the libraries that run it: whatever may change a bit of the result."""
    state = hashlib.blake2b(digest_size=_DIGEST)
    for package in ("numpy", "warp-lang"):
        state.update(f"{package} {version(package)};".encode())
    for module in _ALGORITHM:
        state.update((Path(__file__).parent / f"{module}.py").read_bytes())
    return state.digest()


def _read(path: Path) -> MeshCharts | None:
    """Charts from a file; ``None`` if it is absent or not what was written."""
    try:
        held = path.read_bytes()
        os.utime(path)  # the most recently used stay longest
    except OSError:
        return None
    digest, body = held[:_DIGEST], memoryview(held)[_DIGEST:]
    if hashlib.blake2b(body, digest_size=_DIGEST).digest() != digest:
        return None
    end = bytes(body[:512]).index(b"\n")
    head = json.loads(bytes(body[:end]))
    faces = head["faces"]
    corners = np.frombuffer(body, np.float32, 6 * faces, end + 1).reshape(faces, 3, 2).copy()
    from_uv = np.frombuffer(body, bool, faces, end + 1 + 24 * faces).copy()
    return MeshCharts(corners, float.fromhex(head["side_m"]), from_uv, head["islands"])


def _write(path: Path, charts: MeshCharts) -> None:
    """Write to a file of our own, then rename: other processes see a whole file or none, whoever is last."""
    head = {"faces": len(charts.from_uv), "side_m": float(charts.side_m).hex(), "islands": charts.islands}
    pieces = [json.dumps(head).encode() + b"\n", charts.coordinates.data.cast("B"), charts.from_uv.data.cast("B")]
    digest = hashlib.blake2b(digest_size=_DIGEST)
    for piece in pieces:
        digest.update(piece)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", suffix=".partial", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(digest.digest())
                file.writelines(pieces)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _shrink(path)
    except OSError:
        return  # a full disk or a folder of somebody else's: the charts are at hand all the same


def _shrink(newest: Path) -> None:
    """Remove what was not used for longest until the folder is below its limit, and what dead writers left."""
    files = []
    for path in newest.parent.iterdir():
        try:
            status = path.stat()
        except FileNotFoundError:  # another process was faster
            continue
        if path.suffix == ".charts" and path != newest:
            files.append((status.st_mtime, status.st_size, path))
        elif path.suffix == ".partial" and time.time() - status.st_mtime > ABANDONED_S:
            path.unlink(missing_ok=True)
    total = newest.stat().st_size + sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= LIMIT_BYTES:
            break
        path.unlink(missing_ok=True)
        total -= size
