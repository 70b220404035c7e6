"""Camera tracks as the programs themselves write them, of cameras that are known."""

from __future__ import annotations

import json
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim2real.camera import Lens
from sim2real.scene.camera_track.colmap_models import PARAMETERS
from sim2real.transforms import OPENCV_FROM_OPENGL, inverse_rigid, quaternion_from_rotation, rigid, rotation_from_quaternion


@dataclass(frozen=True, eq=False)
class Known:
    """A camera on a path: what every file is written from, and what must come back."""

    poses: np.ndarray
    size: tuple[int, int] = (48, 64)
    k: tuple[float, float, float, float] = (50.0, 55.0, 31.0, 25.0)
    lens: Lens = Lens()
    model: str = "PINHOLE"

    @property
    def matrix(self) -> np.ndarray:
        fx, fy, cx, cy = self.k
        return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])

    @property
    def numbers(self) -> tuple[float, ...]:
        """In COLMAP's order."""
        fx, fy, cx, cy = self.k
        one = self.model.startswith(("SIMPLE", "RADIAL"))
        focal = (fx,) if one else (fx, fy)
        return (*focal, cx, cy, *self.lens.distortion)[: PARAMETERS[self.model]]


def way(poses: int, seed: int = 0) -> np.ndarray:
    """Poses with turns of any size."""
    rng = np.random.default_rng(seed)
    return rigid(rotation_from_quaternion(rng.normal(size=(poses, 4))), rng.normal(size=(poses, 3)))


def write_tum(path: Path, poses: np.ndarray, seconds: np.ndarray) -> Path:
    rows = ["# timestamp tx ty tz qx qy qz qw"]
    for pose, time in zip(poses, seconds, strict=True):
        w, x, y, z = quaternion_from_rotation(pose[:3, :3])
        rows.append(" ".join(f"{v:.9f}" for v in (time, *pose[:3, 3], x, y, z, w)))
    path.write_text("\n".join(rows) + "\n")
    return path


def write_kitti(path: Path, poses: np.ndarray) -> Path:
    np.savetxt(path, poses[:, :3].reshape(-1, 12), fmt="%.9e")
    return path


def write_nerfstudio(path: Path, cameras: dict[str, Known], **more: object) -> Path:
    frames = []
    for name, known in cameras.items():
        names = ("k1", "k2", "k3", "k4") if known.lens.projection == "fisheye" else ("k1", "k2", "p1", "p2", "k3")
        height, width = known.size
        for k, pose in enumerate(known.poses):
            lens = dict(zip(("fl_x", "fl_y", "cx", "cy"), known.k, strict=True)) | dict(
                zip(names, known.lens.distortion, strict=False)
            )
            turned = (pose @ OPENCV_FROM_OPENGL).tolist()
            frames.append({"file_path": f"images/{name}/{k}.png", "w": width, "h": height, "transform_matrix": turned, **lens})
    model = "OPENCV_FISHEYE" if any(c.lens.projection == "fisheye" for c in cameras.values()) else "OPENCV"
    path.write_text(json.dumps({"camera_model": model, "frames": frames, **more}))
    return path


def write_colmap(folder: Path, cameras: dict[str, Known], *, binary: bool) -> Path:
    """A sparse model, with two points in every picture, the pictures in no order."""
    folder.mkdir(parents=True, exist_ok=True)
    models, pictures = [], []
    for number, (name, known) in enumerate(cameras.items(), 1):
        models.append((number, known))
        for k, pose in enumerate(known.poses):
            camera_from_world = inverse_rigid(pose)
            q = quaternion_from_rotation(camera_from_world[:3, :3])
            pictures.append((len(pictures) + 1, (*q, *camera_from_world[:3, 3]), number, f"{name}/{k}.jpg"))
    pictures.reverse()
    (_binary if binary else _text)(folder, models, pictures)
    return folder


def _binary(folder: Path, models: list, pictures: list) -> None:
    data = struct.pack("<Q", len(models))
    for number, known in models:
        data += struct.pack("<iiQQ", number, list(PARAMETERS).index(known.model), known.size[1], known.size[0])
        data += struct.pack(f"<{len(known.numbers)}d", *known.numbers)
    (folder / "cameras.bin").write_bytes(data)
    data = struct.pack("<Q", len(pictures))
    for number, pose, camera, name in pictures:
        data += struct.pack("<i7di", number, *pose, camera) + name.encode() + b"\0"
        data += struct.pack("<Q", 2) + 2 * struct.pack("<ddq", 1.5, 2.5, -1)
    (folder / "images.bin").write_bytes(data)


def _text(folder: Path, models: list, pictures: list) -> None:
    lines = ["# Camera list"]
    for number, known in models:
        lines.append(" ".join(map(str, (number, known.model, known.size[1], known.size[0], *known.numbers))))
    (folder / "cameras.txt").write_text("\n".join(lines) + "\n")
    lines = ["# Image list with two lines of data per image:"]
    for k, (number, pose, camera, name) in enumerate(pictures):
        lines += [" ".join(map(str, (number, *pose, camera, name))), "" if k % 2 else "1.5 2.5 -1 3.5 4.5 7"]
    (folder / "images.txt").write_text("\n".join(lines) + "\n")


def zipped(folder: Path, path: Path) -> Path:
    """A folder as a zip file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent))
    return path
