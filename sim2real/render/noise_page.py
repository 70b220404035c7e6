"""The noise of a clip's surfaces as one page: the scene's meshes with their noise as textures, moving as in the clip."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ..clip import Clip, readable_write_errors
from ..clip.report.onlooker import onlooker
from ..clip.report.sheet import seen_depths, spread
from ..clip.scene import scene_of
from ..clip.video import noise_picture
from ..clip.whole_files import Written, whole_file
from ..errors import EmptySceneError
from ..noise.bake import baked_texture
from ..noise.charts.build import SKY_CHARTS, Charts, charts_of
from ..optional import require
from ..scene import Scene, triangles_of
from ..scene.mesh_ops import mapped, shaded
from ..scene.normals import crease_normals
from ..transforms import quaternion_from_rotation
from .clip import Progress
from .glb import Piece, glb_of

TEXELS = 3_000_000
"""Of all textures of a page; a texel takes about 2 bytes there."""
FINEST = 10
"""Textures have at most 2^10 texels per side."""
_EVENNESS = 0.7
"""1: texels are of one size everywhere, 0: all textures have the same number of them."""
STEPS, POSES = 300, 24
"""Most frames that a page plays, and most shapes of what deforms."""
_AMBIENT, _SUN = 0.8, 1.1
"""Shading tells shapes; the noise keeps its colors."""
_PICTURE_WIDTH = 320
_STEP = 16
"""Colors of noise are rounded to these, of 256: PNG halves them, and nobody sees it."""
_FRUSTUM = 0.1
"""Cameras are drawn so long, as a share of the nearest depth that they see."""


def write_noise_page(clip: Clip, path: Path | None = None, *, progress: Progress | None = None) -> Written:
    """Write the surface noise of a clip as a page that opens from the disk, without a network.

    Every part of the scene carries as texture the cells of the noise that the clip's frames integrate: same charts, same
    seed, first three channels as red, green and blue. Texels are as fine as ``TEXELS`` allows, finer than the clip's latents
    in some places and coarser in others. The page plays the clip; cameras are drawn with their first picture.

    Args:
        clip: of a scene that is still there.
        path: where to write it; default ``noise.html`` in the clip folder. An older file is replaced at the end.
        progress: called as the work goes on.

    Returns:
        The file written, and notes: what is shown more coarsely than it is.

    Raises:
        MissingPackageError: viser is not installed.
        BadValueError: the clip is of a video, or its scene is another one now.
        EmptySceneError: the scene has no surface.
        Sim2RealError: whatever the scene's reader finds wrong.
        UnwritableOutputError: the disk is full, or the place cannot be written.
    """
    viser = require("viser", "view")
    path = clip.path / "noise.html" if path is None else Path(path)
    scene = scene_of(clip, fix="render the clip again")
    shown = _Shown(clip, scene, progress or _silent)
    with _quiet_server(viser) as server:
        page = shown.played(server)
    with readable_write_errors(path), whole_file(path) as partial:
        partial.write_text(page, encoding="utf-8")
    return Written(path, tuple(shown.notes))


@contextlib.contextmanager
def _quiet_server(viser: Any) -> Iterator[Any]:
    """What records for viser: it listens to this machine only, and prints nothing."""
    with contextlib.redirect_stdout(io.StringIO()):
        server = viser.ViserServer(host="127.0.0.1", verbose=False)
        try:
            yield server
        finally:
            server.stop()


@dataclass(eq=False)
class _Shown:
    """A clip and its scene on their way to a page."""

    clip: Clip
    scene: Scene
    progress: Progress
    notes: list[str] = field(default_factory=list)

    def played(self, server: Any) -> str:
        """Record everything, frame after frame; the page as text."""
        clip = self.clip
        frames = spread(clip.frames, STEPS)
        if len(frames) < clip.frames:
            self.notes.append(f"the page plays {len(frames)} of {clip.frames} frames")
        instances = self._instances(server)
        poses = self._parts(server)
        cameras = self._cameras(server)
        position, target = onlooker(clip)
        sun = position - target + (0, 0, float(np.linalg.norm(position - target)))
        server.scene.configure_environment_map(None)  # or the page would fade in anew whenever the clip begins again
        server.scene.configure_default_lights(enabled=False)
        server.scene.add_light_ambient("/light", intensity=_AMBIENT)
        server.scene.add_light_directional("/sun", intensity=_SUN, position=sun)
        server.initial_camera.position, server.initial_camera.look_at = position, target
        recording = server.get_scene_serializer()
        seconds = clip.frames / clip.record.fps / len(frames)
        for done, frame in enumerate(frames):
            for place, handle in enumerate(instances):
                _move(handle, clip.record.instances[place].world_from_instance, frame)
                _show(handle, bool(self.scene.visible[frame, place]))
            for name, handle in cameras.items():
                _move(handle, clip.camera(name).world_from_camera, frame)
            for handles in poses:
                current = max(at for at in handles if at <= frame)
                for at, handle in handles.items():
                    _show(handle, at == current)
            recording.insert_sleep(seconds)
            self.progress("noise page", done + 1, len(frames))
        return recording.as_html()

    def _instances(self, server: Any) -> list[Any]:
        """A node per instance, which its parts hang from."""
        found = []
        for one in self.clip.record.instances:
            handle = server.scene.add_frame(_node(one.id, one.name), show_axes=False)
            _place(handle, one.world_from_instance[0])
            found.append(handle)
        return found

    def _parts(self, server: Any) -> list[dict[int, Any]]:
        """Every part with its noise; of those that deform, the poses by the frame from which on they are shown."""
        scene = self.scene
        triangles = triangles_of(scene)
        if not len(triangles.faces):
            raise EmptySceneError(scene.source, lacks="surface that could carry noise", fix="give it a mesh")
        charts = charts_of(scene, triangles)
        parts = np.unique(triangles.face_part).tolist()
        levels = levels_of([float(charts.side_m[SKY_CHARTS + part]) for part in parts], TEXELS)
        frames = spread(scene.frames, POSES)
        deforming = []
        for done, (part, level) in enumerate(zip(parts, levels, strict=True)):
            self.progress("noise textures", done, len(parts))
            pieces = _Pieces(scene, charts, part, triangles.face_part == part, level, self.clip.record.seed)
            owner = scene.parts[part].instance
            node = f"{_node(owner + 1, scene.instances[owner].name)}/part_{part}"
            if scene.meshes[scene.parts[part].mesh].deformed is None:
                server.scene.add_glb(node, pieces.glb(0))
                continue
            deforming.append({at: server.scene.add_glb(f"{node}/{at}", pieces.glb(at), visible=at == 0) for at in frames})
        if deforming and len(frames) < scene.frames:
            self.notes.append(f"what deforms is shown in {len(frames)} of its {scene.frames} shapes")
        self.progress("noise textures", len(parts), len(parts))
        return deforming

    def _cameras(self, server: Any) -> dict[str, Any]:
        """Frustums with the first picture."""
        clip, found = self.clip, {}
        height, width = clip.record.size
        for name in clip.cameras:
            camera = clip.camera(name)
            k = camera.intrinsics[0]
            if camera.projection != "perspective" or any(camera.distortion):
                self.notes.append(f"camera {name} is drawn as a pinhole, which it is not")
            step = -(-width // _PICTURE_WIDTH)
            found[name] = server.scene.add_camera_frustum(
                f"/cameras/{name}",
                fov=0.2 if camera.lens.parallel else 2 * math.atan(height / (2 * k[1, 1])),
                aspect=width / height,
                scale=_FRUSTUM * seen_depths(clip, name)[0],
                thickness=1.5,
                thickness_units="screen",
                image=clip.rgb(name, 0)[::step, ::step] if clip.has(name, "rgb") else None,
                format="jpeg",
            )
            _place(found[name], camera.world_from_camera[0])
        return found


@dataclass(frozen=True, eq=False)
class _Pieces:
    """A part of a scene with its noise, in the frame of its instance."""

    scene: Scene
    charts: Charts
    part: int
    faces: np.ndarray
    level: int
    seed: int

    def glb(self, frame: int) -> bytes:
        """The part as it is in a frame."""
        carried = self.scene.parts[self.part]
        rest = self.scene.meshes[carried.mesh]
        linear = carried.instance_from_mesh[:3, :3]
        mesh = shaded(mapped(rest, linear, carried.instance_from_mesh[:3, 3]))
        vertices, normals = mesh.vertices, mesh.normals
        if mesh.deformed is not None:
            vertices = mesh.deformed[frame]
            normals = crease_normals(vertices, mesh.faces)
        assert normals is not None  # shaded
        uv = self.charts.coordinates[self.faces]
        key = int(self.charts.key[SKY_CHARTS + self.part])
        texture = baked_texture(key, level=self.level, channels=3, seed=self.seed)
        piece = Piece(
            name="noise",
            vertices=vertices,
            faces=mesh.faces,
            uv=uv[:, ::-1] if np.linalg.det(linear) < 0 else uv,  # a mirror image winds the other way
            normals=normals.astype(np.float32),
            texture=noise_picture(texture.transpose(2, 0, 1)) // _STEP * _STEP + _STEP // 2,
            world_from_mesh=np.eye(4),
            two_sided=not mesh.outside_only,
        )
        return glb_of([piece], np.eye(4))


def levels_of(sides_m: Sequence[float], texels: int) -> list[int]:
    """Levels of charts that together have no more than so many texels; large charts have larger texels.

    The side of a texel grows slowly with that of its chart: what is small is not lost beside a floor.

    Args:
        sides_m: metres per unit of each chart.
        texels: at most so many, unless even the coarsest have more.
    """
    levels = np.ones(len(sides_m), int)
    for fineness in np.arange(24, -8, -0.25):
        levels = np.clip(np.round(fineness + _EVENNESS * np.log2(sides_m)), 1, FINEST).astype(int)
        if (4.0**levels).sum() <= texels:
            break
    return levels.tolist()


def _node(number: int, name: str) -> str:
    return f"/instances/{number} {name.replace('/', ' ')}"


def _place(handle: Any, matrix: Float[np.ndarray, "4 4"]) -> None:
    handle.position, handle.wxyz = matrix[:3, 3], quaternion_from_rotation(matrix[:3, :3])


def _move(handle: Any, matrices: Float[np.ndarray, "frames 4 4"], frame: int) -> None:
    """Place a node for a frame, unless it never moves."""
    if (matrices != matrices[0]).any():
        _place(handle, matrices[frame])


def _show(handle: Any, visible: bool) -> None:
    if handle.visible != visible:
        handle.visible = visible


def _silent(what: str, done: int, total: int) -> None:
    """Report nothing."""
