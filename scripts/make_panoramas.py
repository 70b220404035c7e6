"""Write the panoramas that `--light NAME` knows, from the packages of environment maps that training scenes borrow from.

    python scripts/make_panoramas.py

All are photographs of CC0 (Poly Haven; by way of @pmndrs/assets and Blender), scaled to a mean luminance of 1 and to 64 rows:
enough for soft shadows and for what satin surfaces mirror.
"""

import sys
from pathlib import Path

import numpy as np

from sim2real.fetch import fetched
from sim2real.prepare.assets import Assets

NAMES = ("apartment", "lobby", "lab", "studio", "warehouse", "workshop", "city", "courtyard", "park", "dawn")
ROWS = 64
TARGET = Path(__file__).parent.parent / "sim2real" / "scene" / "light" / "panoramas.npz"


def main() -> None:
    """Write the file."""
    assets = Assets(maps=(fetched("pmndrs-assets"), fetched("blender-data")), models=fetched("sweethome3d-furniture"))
    pictures = {}
    for name in NAMES:
        picture = assets.map(name)
        by = picture.shape[0] // ROWS
        small = picture.reshape(ROWS, by, 2 * ROWS, by, 3).mean(axis=(1, 3))
        pictures[name] = np.minimum(small, np.finfo(np.float16).max).astype(np.float16)
    np.savez_compressed(TARGET, **pictures)
    sys.stdout.write(f"{TARGET}: {TARGET.stat().st_size // 1000} kB\n")


if __name__ == "__main__":
    main()
