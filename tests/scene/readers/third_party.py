"""Other people's files, inside packages of public registries; fetched once into the user's cache if ``SIM2REAL_THIRD_PARTY=1``.

Nothing of them is kept here, and their licenses are theirs: they are read, compared, and not passed on.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim2real.errors import UnfetchedPackageError
from sim2real.fetch import PACKAGES, VARIABLE, Package, fetched

asked_for = pytest.mark.skipif(
    os.environ.get("SIM2REAL_THIRD_PARTY") != "1", reason="SIM2REAL_THIRD_PARTY=1 fetches other people's files"
)
THEIRS = {
    "newton": Package(
        "wheel",
        "newton",
        "1.8.0",
        "f17435c1a8bc6451acd5306ce00e296e7c6931eb8b9d9d61e44e876b2cd9caa2",
        9,
        "robots and soft bodies as USD (Apache-2.0)",
    ),
    "dm-control": Package(
        "wheel",
        "dm-control",
        "1.0.50",
        "5434e1e51ff69016867426da7df6064b18d140e4d0a628f879bbcf0e7d0a586d",
        57,
        "a dog with a skin, in MJCF (Apache-2.0)",
    ),
    "example-robot-data": Package(
        "wheel",
        "example-robot-data",
        "6.0.0",
        "424092a8093411ac2cd4ccc0572382bfc6b5eb4833aa984ef5e671dd67cd0a6e",
        131,
        "69 URDF files, Franka's Panda among them (BSD, and the robots' own)",
    ),
    "assimp-testmodels": Package(
        "apt",
        "assimp-testmodels",
        "5.2.5~ds0-1",
        "526f326186000cd6f631ea806128548a7d3d391abd8149fddc5c4c8513e80b8a",
        21,
        "glTF files with skins, morph targets and faults (BSD, CC BY 4.0)",
    ),
}
LIFT = ("mujoco==3.3.7", "numpy", "numba", "scipy", "h5py", "opencv-python-headless", "termcolor", "tqdm", "pillow")
MORE = ("qpsolvers[quadprog]", "pynput")


def package(name: str) -> Path:
    """The folder of a package's files, fetched where it is not in the cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(VARIABLE)  # tests have a cache of their own; what is fetched is kept in the user's
        patch.setitem(PACKAGES, name, THEIRS[name])
        try:
            return fetched(name)
        except UnfetchedPackageError as error:
            pytest.skip(str(error))


def recorded_lift() -> tuple[Path, Path]:
    """A demonstration that robosuite itself has recorded, and the folder of its assets: 1.3 GB, for the first time minutes."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "sim2real" / "packages" / "robosuite-1.5.2"
    python, path = folder / "bin" / "python", folder / "lift.hdf5"
    if not path.is_file():
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        record = [str(python), str(Path(__file__).with_name("record_lift.py")), str(path)]
        commands = [
            [sys.executable, "-m", "venv", str(folder)],
            [*pip, *LIFT, *MORE],
            [*pip, "--no-deps", "robosuite==1.5.2"],
            record,
        ]
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "MUJOCO_GL": "disabled"})
            if done.returncode and command is not record:
                pytest.skip(f"robosuite cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
            assert not done.returncode, done.stderr[-2000:]
    (assets,) = folder.glob("lib/python*/site-packages/robosuite/models/assets")
    return path, assets
