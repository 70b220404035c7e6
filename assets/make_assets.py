"""Make the meshes and pictures of the small example scenes: ``python assets/make_assets.py``.

Everything comes from formulas and seeded generators, so that the files can be made again, bit for bit with the same versions.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh
from PIL import Image
from trimesh.visual import TextureVisuals
from trimesh.visual.material import PBRMaterial

FOLDER = Path(__file__).parent / "tabletop"
SEGMENTS = 48


def value_noise(size: tuple[int, int], cells: tuple[int, int], seed: int) -> np.ndarray:
    """Smooth noise in [0, 1] that tiles: random values on a grid, blended by cosines."""
    grid = np.random.default_rng(seed).random(cells)
    out = np.zeros(size)
    y, x = (np.arange(n) / n * c for n, c in zip(size, cells, strict=True))
    wy, wx = (0.5 - 0.5 * np.cos(np.pi * (k % 1)) for k in (y, x))
    for dy in (0, 1):
        for dx in (0, 1):
            rows, columns = (y.astype(int) + dy) % cells[0], (x.astype(int) + dx) % cells[1]
            weight = np.outer(wy if dy else 1 - wy, wx if dx else 1 - wx)
            out += weight * grid[np.ix_(rows, columns)]
    return out


def blend(a: tuple[int, int, int], b: tuple[int, int, int], weight: np.ndarray) -> np.ndarray:
    """Two colours mixed by weights in [0, 1], as uint8 pixels."""
    w = np.clip(weight, 0, 1)[..., None]
    return np.rint((1 - w) * np.array(a) + w * np.array(b)).astype(np.uint8)


def wood() -> np.ndarray:
    """Planks: stretched noise for the grain, dark joints."""
    n = 128
    grain = 0.6 * value_noise((n, n), (64, 4), 1) + 0.4 * value_noise((n, n), (128, 16), 2)
    plank = np.arange(n) // 32
    tone = np.random.default_rng(3).random(4)[plank][:, None] * 0.35
    picture = blend((120, 78, 44), (196, 146, 94), 0.75 * grain + tone)
    picture[np.arange(n) % 32 == 0] = (70, 46, 28)
    return picture


def tiles() -> np.ndarray:
    """Floor tiles with joints."""
    n = 128
    cell = 64
    speckle = 0.5 * value_noise((n, n), (64, 64), 4) + 0.5 * value_noise((n, n), (16, 16), 5)
    odd = np.add.outer(np.arange(n) // cell, np.arange(n) // cell) % 2
    picture = np.where(
        odd[..., None] == 1, blend((150, 152, 150), (188, 190, 186), speckle), blend((92, 104, 112), (128, 140, 146), speckle)
    )
    joint = np.arange(n) % cell < 2
    picture[joint], picture[:, joint] = (70, 68, 64), (70, 68, 64)
    return picture.astype(np.uint8)


def plaster() -> np.ndarray:
    """A wall: coarse and fine noise, little contrast."""
    n = 128
    rough = (
        0.5 * value_noise((n, n), (12, 12), 6)
        + 0.3 * value_noise((n, n), (48, 48), 7)
        + 0.2 * value_noise((n, n), (128, 128), 8)
    )
    return blend((188, 180, 164), (226, 220, 206), rough)


def label() -> np.ndarray:
    """What is printed on a can: bands, dots and a zigzag."""
    n = 128
    v, u = np.mgrid[:n, :n] / n
    picture = np.tile(np.array([214, 60, 44], np.uint8), (n, n, 1))
    picture[(v < 0.12) | (v > 0.88)] = (238, 224, 186)
    picture[(np.abs(v - 0.3 - 0.05 * np.abs(((u * 8) % 2) - 1)) < 0.02)] = (250, 214, 80)
    dots = ((u * 6) % 1 - 0.5) ** 2 + (((v - 0.42) * 6) % 1 - 0.5) ** 2 < 0.08
    picture[dots & (v > 0.42) & (v < 0.8)] = (250, 246, 236)
    return picture


def glaze() -> np.ndarray:
    """The mug's picture: upper half its outside (waves and leaves), lower half its inside and bottom (speckles)."""
    n = 256
    v, u = np.mgrid[:n, :n] / n
    speckle = value_noise((n, n), (128, 128), 9) > 0.82
    picture = blend((228, 222, 208), (240, 236, 226), value_noise((n, n), (16, 16), 10))
    picture[speckle] = (150, 128, 104)
    outside = v < 0.5
    wave = 0.36 + 0.03 * np.sin(2 * np.pi * 6 * u)
    picture[outside & (v > wave)] = (38, 92, 128)
    leaf = np.abs(((u * 8) % 1) - 0.5) < 0.22 * np.sin(np.pi * np.clip((v - 0.08) / 0.2, 0, 1))
    picture[outside & leaf & (v < 0.28)] = (70, 132, 84)
    picture[outside & (np.abs(((u * 8) % 1) - 0.5) < 0.015) & (v > 0.06) & (v < 0.3)] = (40, 84, 52)
    return picture


def feather() -> np.ndarray:
    """Half of a mask, its middle line at the left: what the other half mirrors."""
    n = 128
    v, u = np.mgrid[:n, :n] / n
    stripes = 0.5 + 0.5 * np.sin(40 * (v + 0.6 * u * u))
    picture = blend((24, 96, 110), (236, 170, 66), stripes)
    eye = (u - 0.45) ** 2 / 0.05 + (v - 0.4) ** 2 / 0.012
    picture[eye < 1] = (250, 244, 230)
    picture[eye < 0.3] = (30, 20, 24)
    picture[u < 0.03] = (150, 36, 36)
    return picture


def surface(points: np.ndarray, uv: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, faces and UVs of a grid of points; triangles without area are left out."""
    rows, columns = points.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    p = points.reshape(-1, 3)
    area = np.linalg.norm(np.cross(p[faces[:, 1]] - p[faces[:, 0]], p[faces[:, 2]] - p[faces[:, 0]]), axis=1)
    return p, faces[area > 1e-14], uv.reshape(-1, 2)


def lathe(profile: np.ndarray, v: tuple[float, float], u: tuple[float, float] = (0.0, 1.0)) -> tuple[np.ndarray, ...]:
    """A profile (radius, z), with the surface to its right, turned around z; u around, v along."""
    angle = np.linspace(0, 2 * np.pi, SEGMENTS + 1)
    ring = np.stack([np.cos(angle), np.sin(angle)], -1)
    points = np.concatenate(
        [profile[:, None, :1] * ring, np.broadcast_to(profile[:, None, 1:], (len(profile), SEGMENTS + 1, 1))], axis=-1
    )
    way = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    uv = np.stack(
        np.broadcast_arrays(u[0] + (u[1] - u[0]) * angle / (2 * np.pi), (v[0] + (v[1] - v[0]) * way / way[-1])[:, None]), -1
    )
    return surface(points, uv)


def disc(radius: float, z: float, center: tuple[float, float], extent: float) -> tuple[np.ndarray, ...]:
    """A flat disc that faces up, its UVs a round patch."""
    angle = np.linspace(0, 2 * np.pi, SEGMENTS + 1)
    ring = np.stack([np.cos(angle), np.sin(angle)], -1)
    share = np.linspace(1, 0, 5)[:, None, None]
    xy = share * radius * ring
    points = np.concatenate([xy, np.full((*xy.shape[:2], 1), z)], axis=-1)
    return surface(points, np.array(center) + share * extent * ring)


def turned_over(patch: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """A surface that faces the other way, its UVs mirrored so that pictures on it still read from left to right."""
    vertices, faces, uv = patch
    return vertices, faces[:, ::-1], uv * [-1, 1] + [uv[:, 0].min() + uv[:, 0].max(), 0]


def joined(patches: list[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Several surfaces as one."""
    start = np.cumsum([0] + [len(p[0]) for p in patches])
    faces = np.concatenate([p[1] + s for p, s in zip(patches, start, strict=False)])
    return np.concatenate([p[0] for p in patches]), faces, np.concatenate([p[2] for p in patches])


def mug() -> trimesh.Scene:
    """A mug of 9 cm with a handle: two materials, y up as glTF wants it."""
    outside = np.array(
        [[0.032, 0.0], [0.036, 0.003], [0.038, 0.012], [0.039, 0.05], [0.04, 0.088], [0.0392, 0.09], [0.0375, 0.0895]]
    )
    inside = np.array([[0.0375, 0.0895], [0.0365, 0.085], [0.0355, 0.05], [0.0345, 0.012], [0.030, 0.006]])
    body = joined(
        [
            lathe(outside, (0.5, 1.0)),
            lathe(inside, (0.48, 0.26)),
            disc(0.030, 0.006, (0.13, 0.12), 0.11),
            turned_over(disc(0.032, 0.0, (0.4, 0.12), 0.11)),
        ]
    )
    along = np.linspace(-1.52, 1.52, 25)  # both ends lie inside the wall
    middle = np.stack([0.036 + 0.03 * np.cos(along), np.zeros(25), 0.046 + 0.028 * np.sin(along)], -1)
    tangent = np.gradient(middle, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.array([0.0, 1, 0])
    around = np.linspace(0, 2 * np.pi, 17)
    normal = np.cross(tangent, side)
    tube = middle[:, None] + 0.0055 * (np.cos(around)[:, None] * normal[:, None] + 1.3 * np.sin(around)[:, None] * side)
    uv = np.stack(np.meshgrid(np.linspace(0, 1, 17), np.linspace(0, 1, 25)), -1)
    handle = surface(tube, uv)
    scene = trimesh.Scene()
    picture = Image.fromarray(glaze())
    painted = PBRMaterial(name="glaze", baseColorTexture=picture, metallicFactor=0.0, roughnessFactor=0.25)
    plain = PBRMaterial(name="clay", baseColorFactor=[5, 27, 55, 255], metallicFactor=0.0, roughnessFactor=0.3)
    y_up = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
    for name, (vertices, faces, coordinates), material in (("body", body, painted), ("handle", handle, plain)):
        mesh = trimesh.Trimesh(vertices, faces, process=False, visual=TextureVisuals(uv=coordinates, material=material))
        mesh.apply_transform(y_up)
        scene.add_geometry(mesh, node_name=name, geom_name=name)
    return scene


def gear() -> trimesh.Trimesh:
    """A gear with ten teeth and a hole: no UVs."""
    teeth = 10
    tooth = 2 * np.pi / teeth
    shape = [(0.0, 0.034), (0.25, 0.034), (0.35, 0.042), (0.65, 0.042), (0.75, 0.034)]
    angle = np.array([tooth * (k + a) for k in range(teeth) for a, _ in shape])
    radius = np.array([r for _ in range(teeth) for _, r in shape])
    ring = np.stack([np.cos(angle), np.sin(angle)], -1)
    outer, inner, n = radius[:, None] * ring, 0.014 * ring, len(angle)
    vertices = np.concatenate(
        [np.concatenate([xy, np.full((n, 1), z)], 1) for xy, z in ((outer, 0.012), (inner, 0.012), (outer, 0.0), (inner, 0.0))]
    )
    k = np.arange(n)
    j = (k + 1) % n

    def quads(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
        return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])

    top = quads(n + k, k, j, n + j)
    bottom = quads(3 * n + j, 2 * n + j, 2 * n + k, 3 * n + k)
    outside = quads(2 * n + k, 2 * n + j, j, k)
    hole = quads(n + k, n + j, 3 * n + j, 3 * n + k)
    return trimesh.Trimesh(vertices, np.concatenate([top, bottom, outside, hole]), process=False)


def vase() -> trimesh.Trimesh:
    """A closed vase whose colours belong to vertices: no UVs, no picture."""
    h = np.linspace(0, 1, 33)
    profile = np.stack([0.022 + 0.018 * np.sin(np.pi * h) ** 2 - 0.006 * h, 0.14 * h], -1)
    profile[[0, -1], 0] = 0
    points, faces, _ = lathe(profile, (0, 1))
    merged, index = np.unique(np.round(points, 12), axis=0, return_inverse=True)
    height, angle = merged[:, 2] / 0.14, np.arctan2(merged[:, 1], merged[:, 0])
    stripe = 0.5 + 0.5 * np.sin(5 * angle + 9 * height)
    colors = blend((96, 40, 120), (240, 190, 150), 0.6 * stripe + 0.4 * height)
    return trimesh.Trimesh(
        merged, index.ravel()[faces], process=False, vertex_colors=np.c_[colors, np.full(len(colors), 255, np.uint8)]
    )


def mask_obj() -> str:
    """A mask that is symmetrical about x = 0, both halves with the same UVs (so one of them is mirrored)."""
    rows, columns = 17, 17
    y, x = np.meshgrid(np.linspace(1, -1, rows), np.linspace(-1, 1, columns), indexing="ij")
    width = 0.09 * np.sqrt(1 - 0.55 * np.abs(y) ** 2.5)
    points = np.stack([x * width, 0.12 * y, 0.05 * (1 - x**2) * (1 - 0.5 * y**2)], -1)
    points = points[..., [0, 2, 1]] * [1, -1, 1]  # it stands, and looks to -y
    uv = np.stack([np.abs(x), (y + 1) / 2], -1)
    vertices, faces, coordinates = surface(points, uv)
    lines = ["# a mask with mirrored UVs, made by assets/make_assets.py", "mtllib mask.mtl", "usemtl feather"]
    lines += [f"v {a:.6f} {b:.6f} {c:.6f}" for a, b, c in vertices]
    lines += [f"vt {a:.6f} {b:.6f}" for a, b in coordinates]
    lines += ["f " + " ".join(f"{k}/{k}" for k in face[::-1] + 1) for face in faces]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write every file."""
    FOLDER.mkdir(exist_ok=True)
    pictures = {"wood": wood(), "tiles": tiles(), "plaster": plaster(), "label": label(), "feather": feather()}
    for name, picture in pictures.items():
        Image.fromarray(picture).quantize(96).save(FOLDER / f"{name}.png", optimize=True)
    mug().export(str(FOLDER / "mug.glb"))
    gear().export(str(FOLDER / "gear.stl"))
    vase().export(str(FOLDER / "vase.ply"))
    (FOLDER / "mask.obj").write_text(mask_obj())
    (FOLDER / "mask.mtl").write_text("newmtl feather\nKd 1 1 1\nNs 40\nmap_Kd feather.png\n")


if __name__ == "__main__":
    main()
