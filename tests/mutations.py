"""Files as accidents leave them: whole ones, changed in one place or several; and what must come of reading them."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import random
import re
import resource
import signal
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim2real.errors import Sim2RealError
from sim2real.scene import Scene
from sim2real.scene.describe import describe

MANY = int(os.environ.get("SIM2REAL_FUZZ", "0"))
"""How many times as many files are tried as in the suite, others each time; 0: those of the suite, always the same."""
MOST_BYTES, MOST_SECONDS = 3 << 30, 20
"""What reading a file of a few kilobytes may take of memory and of the processor at most."""
NUMBERS = ["nan", "inf", "-inf", "1e400", "1e308", "-1e30", "1e-320", "0", "-0", "-1", "3", "1e9", "2147483648", "-9" * 20]
WORDS = [*NUMBERS, "", "x", '"', "0x1f", "1,5", "é", "\0", "{", "[", "]", "-", "/", "../x", "true", "*a", "&a", "!!python/none"]
VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        "",
        "x",
        "\n",
        "../x",
        "é" * 300,
        [],
        {},
        [[]],
        [None],
        {"x": 1},
        ["x", 1],
        [1, 2],
        [0, 0, 0],
        [1] * 4,
    ),
    *(0, -1, 1, 3, 2**31, 2**70, 0.5, -0.0, 1e-320, 1e30, 1e308, float("nan"), float("inf"), [float("nan")] * 3, [1e308] * 3),
    *([0.0] * 4, [[0.0] * 4] * 4, [[[1.0, 0, 0]] * 3], "1e400", "#ffffff", "nan", {"": ""}, [{}], [[1, 2], [3]]),
]
Tree = TypeVar("Tree")


def fuzzed(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A test that is run with many generators of random numbers, ``rng``."""

    def decorated(test: Callable[..., None]) -> Callable[..., None]:
        wrapped = given(rng=st.integers(0, 2**64 - 1).map(random.Random))(test)
        return settings(
            deadline=None,
            derandomize=not MANY,
            database=None,
            max_examples=examples * max(MANY, 1),
            suppress_health_check=list(HealthCheck),
        )(wrapped)

    return decorated


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Bytes that are cut off, flipped, left out or there twice; or the words of a text, which are others."""
    content, kind = bytearray(data), rng.randrange(6)
    for _ in range(rng.choice([1, 1, 2, 5])):
        start = rng.randrange(len(content) + 1)
        end = min(start + rng.choice([1, 1, 2, 4, 40]), len(content))
        if kind == 0:
            del content[start:]
        elif kind == 1:
            content[start:end] = rng.randbytes(end - start)
        elif kind == 2:
            del content[start:end]
        elif kind == 3:
            content[start:start] = content[start:end]
        elif kind == 4 and start < end:
            content[start] = rng.choice([0, 1, 127, 128, 255])
        elif words := list(re.finditer(rb"[^\s\"'<>=,:\[\]{}/]+", content)):
            word = rng.choice(words)
            content[word.start() : word.end()] = rng.choice(WORDS).encode()
    return bytes(content)


def changed(tree: Tree, rng: random.Random) -> Tree:
    """A tree of lists and mappings with an entry or several that are others, absent, or there twice."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        places = list(_places(tree))
        if not places:
            break
        within, key = rng.choice(places)
        what = rng.randrange(8)
        if what == 0:
            del within[key]
        elif what == 1 and isinstance(within, list):
            within.insert(key, copy.deepcopy(within[key]))
        elif what == 2 and isinstance(within, dict):
            within[rng.choice(["x", "", "é", str(key)[:-1]])] = within.pop(key)
        elif what == 3:
            other, at = rng.choice(places)
            if at in (range(len(other)) if isinstance(other, list) else other):
                within[key] = copy.deepcopy(other[at])
        else:
            within[key] = copy.deepcopy(rng.choice(VALUES))
    return tree


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key or index) below."""
    keys = range(len(tree)) if isinstance(tree, list) else list(tree) if isinstance(tree, dict) else ()
    for key in keys:
        yield tree, key
        yield from _places(tree[key])


def odd_array(rng: random.Random, *shapes: tuple[int, ...]) -> np.ndarray:
    """An array of any kind, shape and content; often of one of some shapes."""
    shape = rng.choice(shapes) if rng.random() < 0.7 else tuple(rng.choice([0, 1, 2, 3, 7]) for _ in range(rng.randrange(5)))
    kind = rng.choice(["<f8"] * 6 + ["<f4", "<f2", ">f8", "<i4", "<u8", "?", "<c16", "<U3", "S2", "M8[s]", "V4", "a:f8,b:i4"])
    dtype = np.dtype([("a", "f8"), ("b", "i4")]) if ":" in kind else np.dtype(kind)
    if dtype.kind not in "fiu":
        return np.zeros(shape, dtype)
    values = np.random.default_rng(rng.randrange(2**32)).normal(size=shape)
    if values.size and rng.random() < 0.4:
        values.flat[rng.randrange(values.size)] = rng.choice([np.nan, np.inf, -np.inf, 1e300, -1e31, 1e-320, 0, 1e20])
    with np.errstate(all="ignore"):
        return values.astype(dtype)


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Let what takes too much memory or time of the processor fail."""

    def stop(number: int, frame: object) -> None:
        raise TimeoutError(f"it took more than {MOST_SECONDS} s")

    limits = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    before = signal.signal(signal.SIGVTALRM, stop)
    resource.setrlimit(resource.RLIMIT_AS, (now + MOST_BYTES, limits[1]))
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, limits)


def read_or_refused(read: Callable[[], Tree], check: Callable[[Tree], None] = lambda read: None) -> str | None:
    """Read a file: what comes of it passes a check, or the error is ours and of one line, which is returned."""
    try:
        with bounded():
            found = read()
    except Sim2RealError as error:
        said = str(error)
        assert said.strip() == said != "", repr(said)
        assert said.isprintable() or not set(said) & set("\n\r\0"), repr(said)
        assert len(said) < 2000, said
        return said
    check(found)
    return None


def check_scene(scene: Scene) -> None:
    """A scene is whole: finite numbers, in range, of shapes that belong together."""
    frames, things = scene.frames, len(scene.instances)
    assert frames > 0 and np.isfinite(scene.fps) and scene.fps > 0
    assert scene.world_from_instance.shape == (frames, things, 4, 4) and scene.visible.shape == (frames, things)
    _check_rigid(scene.world_from_instance)
    for mesh in scene.meshes:
        count = len(mesh.faces)
        assert count and mesh.faces.min() >= 0 and mesh.faces.max() < len(mesh.vertices), mesh.name
        for array, shape in ((mesh.vertices, (len(mesh.vertices), 3)), (mesh.uv, (count, 3, 2)), (mesh.normals, (count, 3, 3))):
            assert array is None or array.shape == shape and np.isfinite(array).all(), (mesh.name, shape)
        material, texture = mesh.material, mesh.material.texture
        assert all(0 <= c <= 1e30 for c in (*material.base_color, *material.emission)), material
        assert all(0 <= c <= 1 for c in (material.base_color[3], material.metallic, material.roughness)), material
        assert (
            texture is None or texture.dtype == np.uint8 and texture.ndim == 3 and texture.size and texture.shape[2] in (3, 4)
        )
        assert texture is None or mesh.uv is not None
    for part in scene.parts:
        assert 0 <= part.mesh < len(scene.meshes) and 0 <= part.instance < things
        assert part.instance_from_mesh.shape == (4, 4)
        _check_rigid(part.instance_from_mesh)
    assert scene.cameras
    for camera in scene.cameras:
        assert camera.intrinsics.shape == (frames, 3, 3) and np.isfinite(camera.intrinsics).all(), camera
        assert (camera.intrinsics[:, [0, 1], [0, 1]] > 0).all() and min(camera.size) > 0, camera
        assert np.isfinite(camera.near) and camera.near > 0
        assert camera.world_from_camera.shape == (frames, 4, 4)
        _check_rigid(camera.world_from_camera)
    json.dumps(describe(scene), allow_nan=False)


def _check_rigid(matrices: np.ndarray) -> None:
    assert np.isfinite(matrices).all(), "not finite"
    turn = matrices[..., :3, :3].astype(np.float64)
    assert np.abs(turn @ np.swapaxes(turn, -1, -2) - np.eye(3)).max(initial=0) < 1e-2, "not rigid"
