"""Where pyrender draws: OpenGL without a screen, in one thread that owns it."""

from __future__ import annotations

import atexit
import ctypes.util
import functools
import importlib.metadata
import importlib.util
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from ...errors import BadValueError, MissingPackageError
from ...optional import require

Result = TypeVar("Result")
_LIBRARIES = {"egl": "EGL", "osmesa": "OSMesa"}
_INSTALL = "install libegl1 and libegl-mesa0, or libosmesa6 (Debian and Ubuntu)"


def platform() -> str:
    """How OpenGL draws without a screen: the user's choice (``PYOPENGL_PLATFORM``), else EGL, else OSMesa.

    Raises:
        BadValueError: the choice is none of the two, or neither library is there.
    """
    chosen = os.environ.get("PYOPENGL_PLATFORM", "").lower()
    if chosen:
        if chosen not in _LIBRARIES:
            raise BadValueError("PYOPENGL_PLATFORM", chosen, right="egl or osmesa, which need no screen", fix="or unset it")
        return chosen
    for name, library in _LIBRARIES.items():
        if ctypes.util.find_library(library):
            return name
    raise BadValueError("the OpenGL library", "missing", right="EGL or OSMesa, for --rgb pyrender", fix=_INSTALL)


def pyrender_package() -> ModuleType:
    """pyrender, told how to draw without a screen.

    Raises:
        MissingPackageError: it is not installed, or what is there is the old package, which numpy 2 breaks.
        BadValueError: there is no OpenGL library.
    """
    try:
        importlib.metadata.version("pyrender2")
    except importlib.metadata.PackageNotFoundError as error:
        old = importlib.util.find_spec("pyrender") is not None
        why = "the old package pyrender, which numpy 2 breaks, is in its place: first pip uninstall pyrender"
        raise MissingPackageError("pyrender2", "gl", why if old else "") from error
    os.environ["PYOPENGL_PLATFORM"] = platform()
    return require("pyrender", "gl")


class Canvas:
    """One OpenGL context in a thread of its own: contexts belong to threads, and pictures of all threads are drawn there."""

    def __init__(self, pyrender: ModuleType) -> None:
        self.pyrender = pyrender
        self._thread = ThreadPoolExecutor(1, "pyrender")
        self._renderer: Any = None

    def do(self, work: Callable[[], Result]) -> Result:
        """Run something in the thread, and wait for it."""
        return self._thread.submit(work).result()

    @property
    def smooth(self) -> bool:
        """Whether edges are drawn without steps: OSMesa's are not."""
        return os.environ["PYOPENGL_PLATFORM"] == "egl"

    def probe(self) -> None:
        """Begin to draw, so that what is missing is known before any picture is asked for.

        Raises:
            BadValueError: there is no OpenGL, or not enough of it.
        """
        self.do(lambda: self._begun((16, 16)))

    def draw(self, scene: Any, size: tuple[int, int], *, spots: bool = False) -> np.ndarray:
        """A scene of pyrender as its camera sees it, RGBA of 8 bits; in the thread. ``spots``: there are some, with shadows.

        Raises:
            BadValueError: there is no OpenGL, or not enough of it.
        """
        renderer = self._begun(size)
        renderer.viewport_height, renderer.viewport_width = size
        flags = self.pyrender.RenderFlags.RGBA | self.pyrender.RenderFlags.SHADOWS_DIRECTIONAL
        if spots:
            flags |= self.pyrender.RenderFlags.SHADOWS_SPOT
        color, depth = renderer.render(scene, flags=flags)
        if color.shape[-1] == 3:  # as with OSMesa, whatever is asked
            color = np.concatenate([color, np.where(depth > 0, np.uint8(255), np.uint8(0))[..., None]], axis=-1)
        return color

    def _begun(self, size: tuple[int, int]) -> Any:
        """The renderer of pyrender, made by the first who asks; in the thread."""
        if self._renderer is None:
            try:
                self._renderer = self.pyrender.OffscreenRenderer(size[1], size[0])
            except Exception as error:
                why = " ".join(str(error).split()) or type(error).__name__
                right = "one that draws without a screen, for --rgb pyrender"
                raise BadValueError("the OpenGL library", f"not usable ({why[:120]})", right=right, fix=_INSTALL) from error
        return self._renderer

    def let_go(self) -> None:
        """Leave the context to the end of the process: its thread has ended, and nobody else may give it back."""
        if self._renderer is not None:
            self._renderer.delete = self._renderer._renderer.delete = lambda: None


@functools.cache
def canvas() -> Canvas:
    """The process' one: to give back a context of EGL ends all others of its display.

    Raises:
        MissingPackageError: pyrender2 is not installed.
        BadValueError: there is no OpenGL that draws without a screen.
    """
    made = Canvas(pyrender_package())
    made.probe()
    atexit.register(made.let_go)
    return made
