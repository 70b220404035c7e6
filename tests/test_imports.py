"""Imports flow one way, stay light, and say which extra is missing."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sim2real

PACKAGE = Path(__file__).parent.parent / "sim2real"

LAYERS = (
    {"errors"},
    {"arrays"},
    {
        "optional",
        "devices",
        "transforms",
        "fetch",
        "file_order",
        "eight_bits",
        "exr",
        "text_files",
        "native_code",
        "memory",
        "yuv",
        "lazy",
    }
    | {"kinds"},
    {"camera"},
    {"scene"},
    {"camera_effects"},
    {"raster"},
    {"noise", "flow", "conditions"},
    {"clip"},
    {"render"},
    {"video", "diffusion", "metrics", "sensors"},
    {"prepare", "training", "calibration"},
    {"dataset", "live"},
    {"cli"},
    {"__main__"},
)
"""Lowest first; a module may import its own sub-package and lower layers, nothing beside or above it."""

HEAVY = ("torch", "diffusers", "transformers", "mujoco", "ray", "warp", "mitsuba", "h5py", "trimesh", "av", "PIL", "numpy")
OPTIONAL = (
    "mujoco",
    "h5py",
    "gymnasium_robotics",
    "mitsuba",
    "pyrender",
    "embreex",
    "pytorch3d",
    "nvdiffrast",
    "ray",
    "cv2",
    "torchvision",
    "rerun",
    "viser",
    "collada",
    "pxr",
    "peft",
)


def layer_of(name: str) -> int:
    for level, members in enumerate(LAYERS):
        if name in members:
            return level
    raise AssertionError(f"sim2real.{name} is in no layer: add it to LAYERS in {__file__}")


def imports_of(file: Path) -> Iterator[tuple[str, int]]:
    """The sub-packages of sim2real that a file imports, lazy imports included, with line numbers."""
    package = ["sim2real", *file.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            modules = [f"{stem}.{alias.name}" for alias in node.names] if stem == "sim2real" else [stem]
        for module in modules:
            parts = module.split(".")
            if parts[0] == "sim2real" and len(parts) > 1 and not parts[1].startswith("_"):
                yield parts[1], node.lineno


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_a_module_imports_only_its_own_package_and_layers_below(file):
    own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name, line in imports_of(file):
        if own == "__init__":
            pytest.fail(f"sim2real/__init__.py imports {name}")
        if name != own:
            assert layer_of(name) < layer_of(own), f"{file}:{line}: {own} imports {name}, which is not below it"


def test_every_sub_package_has_a_layer():
    names = {f.relative_to(PACKAGE).parts[0].removesuffix(".py") for f in FILES} - {"__init__"}
    assert names <= set().union(*LAYERS), f"in no layer: {names - set().union(*LAYERS)}"


def modules_imported_by(file: Path, modules: set[str]) -> set[str]:
    """Modules of sim2real (dotted, below it) that a file imports, lazily or not, but for type checkers only."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    package = ["sim2real", *file.relative_to(PACKAGE).parts[:-1]]
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or id(node) in typing_only:
            continue
        base = package[: len(package) - node.level + 1] if node.level else []
        stem = [*base, *([] if node.module is None else node.module.split("."))]
        if stem[:1] == ["sim2real"]:
            names = [".".join([*stem[1:], alias.name]) for alias in node.names]
            found |= {name if name in modules else ".".join(stem[1:]) for name in names}
    return found & modules


@pytest.mark.slow
def test_no_modules_import_each_other_in_a_circle():
    named = {".".join(file.relative_to(PACKAGE).with_suffix("").parts): file for file in FILES if file.name != "__init__.py"}
    imported = {name: modules_imported_by(file, set(named)) for name, file in named.items()}
    assert imported["scene.load"] >= {"scene.records", "scene.readers.registry", "errors"}
    while imported:  # take away what imports nothing that is left
        free = {name for name, others in imported.items() if not others}
        assert free, f"a circle among: {', '.join(sorted(imported))}"
        imported = {name: others - free for name, others in imported.items() if name not in free}


def test_imports_of_finds_lazy_and_relative_imports(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    file = tmp_path / "noise" / "x.py"
    file.parent.mkdir()
    lazy = "from ..cli import main", "from .. import render", "import sim2real.clip.folder", "from .y import z"
    file.write_text("def f():\n" + "".join(f"    {line}\n" for line in lazy))
    assert [name for name, _ in imports_of(file)] == ["cli", "render", "clip", "noise"]


def loaded_after(statement: str) -> set[str]:
    script = f"import sys\n{statement}\nprint('\\n'.join(sorted({{m.split('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    return set(done.stdout.splitlines())


def test_importing_the_package_loads_nothing_heavy():
    assert not loaded_after("import sim2real, sim2real.errors, sim2real.optional, sim2real.kinds") & set(HEAVY)


def test_the_front_door_leads_to_what_it_names():
    for name, package in sim2real.FRONT_DOOR.items():
        assert getattr(sim2real, name) is getattr(importlib.import_module(f"sim2real.{package}"), name)
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        _ = sim2real.lode


@pytest.mark.parametrize("arguments", [["--help"], ["render", "--help"], ["run", "--help"], ["inspect", "--help"]])
def test_help_loads_nothing_heavy(arguments):
    call = f"from sim2real.cli import main\ntry:\n    main({arguments!r})\nexcept SystemExit:\n    pass"
    loaded = loaded_after(call)
    assert "click" in loaded
    assert not loaded & set(HEAVY)


def test_cameras_and_scenes_load_neither_torch_nor_warp():
    assert not loaded_after("import sim2real.camera, sim2real.scene") & {"torch", "warp", "mujoco", "h5py", "trimesh"}


def test_the_noise_layout_and_the_model_families_load_no_torch():
    assert not loaded_after("import sim2real.noise.layout, sim2real.diffusion.families") & {"torch", "warp", "diffusers"}


HIDE = f"import sys; sys.modules.update(dict.fromkeys({OPTIONAL!r}))"
"""Makes the optional packages look as if they were not installed."""


@pytest.mark.slow
def test_every_module_imports_without_the_optional_packages():
    modules = [".".join(f.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__") for f in FILES]
    script = f"{HIDE}\nimport importlib\nfor name in {modules!r}:\n    importlib.import_module(name)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=PACKAGE.parent)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["inspect", "model.xml", "--states", "states.npy"], "mujoco"),
        (["inspect", "demo.hdf5", "--demo", "demo_0"], "mujoco"),
        (["inspect", "a.usda"], "usd"),
    ],
)
def test_a_missing_package_names_its_extra_in_one_line(arguments, extra, tmp_path):
    (tmp_path / "model.xml").write_text("<mujoco><worldbody><geom size='1'/></worldbody></mujoco>")
    (tmp_path / "demo.hdf5").write_bytes(b"\x89HDF\r\n\x1a\n")
    (tmp_path / "states.npy").write_bytes(b"")
    (tmp_path / "a.usda").write_text("#usda 1.0\n")
    script = f"{HIDE}\nsys.path.insert(0, {str(PACKAGE.parent)!r})\nfrom sim2real.cli import main\nmain({arguments!r})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert f"pip install 'sim2real[{extra}]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
