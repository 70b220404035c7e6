"""The page of surface noise, taken apart again: textures, places, motion, cameras; and that it asks nobody for anything."""

from __future__ import annotations

import base64
import io
import re
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.clip import ClipRecord, SceneRecord, read_clip, write_record
from sim2real.clip.video import noise_picture
from sim2real.errors import BadValueError, EmptySceneError, MissingFileError, MissingPackageError
from sim2real.noise import charts_of
from sim2real.noise.bake import baked_texture
from sim2real.render import noise_page
from sim2real.render.noise_page import levels_of, write_noise_page
from sim2real.scene import Scene, triangles_of
from sim2real.transforms import rotation_from_quaternion
from tests.browser import needs_chromium, screenshot

OWNER = "/instances/{} {}"


def messages_of(page: str) -> list[tuple[float, dict[str, Any]]]:
    """What the page plays: seconds and messages, in order."""
    import msgspec
    import zstandard

    data = base64.b64decode(re.search(r'__VISER_EMBED_DATA__="([^"]+)"', page)[1])
    inner = zstandard.ZstdDecompressor().decompressobj().decompress(data[8:])
    length = int.from_bytes(inner[:8], "little")
    return msgspec.msgpack.decode(inner[8 : 8 + length])["messages"]


class Played:
    """A page that has been read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.messages = messages_of(self.text)
        self.nodes = {m["name"]: m["props"] for _, m in self.messages if "props" in m and "name" in m}

    def last(self, kind: str, name: str, seconds: float) -> Any:
        """What a node was last told at a time."""
        found = [m for at, m in self.messages if m["type"] == kind and m["name"] == name and at <= seconds + 1e-6]
        return found[-1] if found else None

    def mesh(self, name: str) -> trimesh.Trimesh:
        """A node's mesh."""
        scene = trimesh.load_scene(io.BytesIO(self.nodes[name]["glb_data"]), file_type="glb", process=False)
        (only,) = scene.geometry.values()
        return only

    def texture(self, name: str) -> np.ndarray:
        """A node's texture."""
        return np.asarray(self.mesh(name).visual.material.baseColorTexture)[..., :3]


@pytest.fixture(scope="module")
def page(clip, scene, tmp_path_factory) -> Played:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise_page, "scene_of", lambda clip, fix: scene)
        patch.setattr(noise_page, "TEXELS", 40_000)
        return Played(write_noise_page(clip, tmp_path_factory.mktemp("page") / "noise.html").path)


def made(clip, scene: Scene, path: Path, monkeypatch, **limits: int) -> tuple[Played, tuple[str, ...]]:
    monkeypatch.setattr(noise_page, "scene_of", lambda clip, fix: scene)
    for name, value in {"TEXELS": 3000, **limits}.items():
        monkeypatch.setattr(noise_page, name, value)
    written = write_noise_page(clip, path / "noise.html")
    return Played(written.path), written.notes


@pytest.mark.parametrize(("part", "name"), [(0, "ball"), (1, "box"), (2, "floor")])
def test_every_place_of_a_surface_has_the_noise_that_the_frames_are_made_of(page, scene, clip, part, name):
    """The place in space alone leads to our own chart and cell."""
    triangles = triangles_of(scene)
    charts = charts_of(scene, triangles)
    own = np.flatnonzero(triangles.face_part == part)
    node = f"{OWNER.format(part + 1, name)}/part_{part}"
    mesh, texture = page.mesh(node), page.texture(node)
    level = int(np.log2(len(texture)))
    values = baked_texture(int(charts.key[6 + part]), level=level, channels=3, seed=clip.record.seed)
    assert np.abs(texture.astype(int) - noise_picture(values.transpose(2, 0, 1))).max() <= 8
    rng = np.random.default_rng(part)
    face, weight = rng.integers(0, len(mesh.faces), 80), rng.dirichlet((1, 1, 1), 80)
    uv = (weight[..., None] * np.asarray(mesh.visual.uv)[mesh.faces[face]]).sum(axis=1)
    place = (weight[..., None] * mesh.vertices[mesh.faces[face]]).sum(axis=1)
    corner = triangles.vertices[triangles.faces[own]].astype(np.float64)
    closest = [trimesh.triangles.closest_point(corner, np.repeat(p[None], len(corner), axis=0)) for p in place]
    nearest = np.array([np.linalg.norm(c - p, axis=1).argmin() for c, p in zip(closest, place, strict=True)])
    bary = trimesh.triangles.points_to_barycentric(corner[nearest], place)
    expected = (bary[..., None] * charts.coordinates[own[nearest]]).sum(axis=1)
    assert np.allclose(np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1), expected, atol=1e-5)  # trimesh has v up


def test_textures_are_not_blended_and_seen_from_both_sides(page):
    data = page.nodes[f"{OWNER.format(2, 'box')}/part_1"]["glb_data"]
    header = data[20 : 20 + int.from_bytes(data[12:16], "little")].decode()
    assert '"magFilter":9728' in header and '"minFilter":9728' in header and '"doubleSided":true' in header


def test_things_move_as_in_the_clip(page, clip, scene):
    for frame in range(clip.frames):
        seconds = frame / clip.record.fps
        for place, name in enumerate(("ball", "box", "floor")):
            node, way = OWNER.format(place + 1, name), scene.world_from_instance[frame, place]
            assert page.last("SetPositionMessage", node, seconds)["position"] == pytest.approx(way[:3, 3], abs=1e-6)
            turned = page.last("SetOrientationMessage", node, seconds)
            wxyz = np.array([1.0, 0, 0, 0] if turned is None else turned["wxyz"])
            assert np.allclose(rotation_from_quaternion(wxyz), way[:3, :3], atol=1e-6)
        eye = page.last("SetPositionMessage", "/cameras/moving", seconds)["position"]
        assert eye == pytest.approx(clip.camera("moving").world_from_camera[frame, :3, 3], abs=1e-6)
    assert sum(m["type"] == "SetPositionMessage" and m["name"].startswith("/instances/3") for _, m in page.messages) == 1


def test_cameras_are_frustums_with_their_first_picture(page, clip):
    frustum = page.nodes["/cameras/still"]
    focal, (height, width) = clip.camera("still").intrinsics[0, 1, 1], clip.record.size
    assert np.tan(frustum["fov"] / 2) * focal == pytest.approx(height / 2)
    assert frustum["aspect"] == pytest.approx(width / height)
    assert frustum["_image_data"][:2] == b"\xff\xd8"  # JPEG


def test_the_page_asks_nobody_for_anything(page):
    """Whatever it shows is in it; the only addresses are names of XML dialects."""
    shell = re.sub(r'__VISER_EMBED_DATA__="[^"]+"', "", page.text)
    assert {match for match in re.findall(r"https?://[\w.-]+", shell)} <= {"http://www.w3.org"}
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)\s*=\s*[\"'](?!data:|#)", shell)
    assert [m["hdri_data"] for _, m in page.messages if m["type"] == "EnvironmentMapMessage"] == [None]


def test_nothing_listens_any_longer_and_nothing_was_printed(clip, scene, tmp_path, monkeypatch, capfd):
    viser = pytest.importorskip("viser")
    places, stop = [], viser.ViserServer.stop

    def stopped(self: Any) -> None:
        places.append((self.get_host(), self.get_port()))
        stop(self)

    monkeypatch.setattr(viser.ViserServer, "stop", stopped)
    made(clip, scene, tmp_path, monkeypatch)
    assert capfd.readouterr().out == ""
    ((host, port),) = places
    assert host == "127.0.0.1"
    with socket.socket() as own, pytest.raises(OSError):
        own.settimeout(0.5)
        own.connect((host, port))


def test_what_comes_and_goes_does_so_on_the_page(clip, scene, tmp_path, monkeypatch):
    visible = scene.visible.copy()
    visible[:2, 0] = False
    played, _ = made(clip, replace(scene, visible=visible), tmp_path, monkeypatch)
    shown = [
        played.last("SetSceneNodeVisibilityMessage", OWNER.format(1, "ball"), f / clip.record.fps)["visible"]
        for f in range(clip.frames)
    ]
    assert shown == [False, False, True, True, True]


def test_what_deforms_is_shown_in_its_shapes_and_a_note_says_how_many(clip, scene, tmp_path, monkeypatch):
    ball = scene.meshes[0]
    bent = replace(ball, deformed=np.stack([ball.vertices * (1 + 0.1 * k) for k in range(scene.frames)]))
    played, notes = made(clip, replace(scene, meshes=(bent, *scene.meshes[1:])), tmp_path, monkeypatch, POSES=3)
    assert notes == ("what deforms is shown in 3 of its 5 shapes",)
    poses = {int(name.rpartition("/")[2]): name for name in played.nodes if name.startswith("/instances/1 ball/part_0/")}
    assert sorted(poses) == [0, 2, 4]
    for at, name in poses.items():
        assert np.linalg.norm(played.mesh(name).vertices, axis=1) == pytest.approx(0.35 * (1 + 0.1 * at), abs=1e-5)
    for frame, current in enumerate((0, 0, 2, 2, 4)):
        told = {at: played.last("SetSceneNodeVisibilityMessage", n, frame / clip.record.fps) for at, n in poses.items()}
        assert [at for at, message in told.items() if message is None or message["visible"]] == [current]


def test_long_clips_are_played_in_fewer_frames_at_their_pace(clip, scene, tmp_path, monkeypatch):
    played, notes = made(clip, scene, tmp_path, monkeypatch, STEPS=3)
    assert notes == ("the page plays 3 of 5 frames",)
    times = sorted({at for at, m in played.messages if m["type"] == "SetPositionMessage"})
    assert times == pytest.approx([0, 5 / 12 / 3, 2 * 5 / 12 / 3])


@settings(max_examples=30)
@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=40), st.integers(1000, 1 << 21))
def test_levels_keep_to_the_texels_that_there_are_and_larger_charts_have_no_fewer(sides, texels):
    levels = levels_of(sides, texels)
    assert sum(4**level for level in levels) <= max(texels, 4 * len(sides))
    order = np.argsort(sides, kind="stable")
    assert (np.diff(np.array(levels)[order]) >= 0).all()
    assert all(1 <= level <= noise_page.FINEST for level in levels)


def record_of(clip, **scene: Any) -> ClipRecord:
    return clip.record.model_copy(update={"scene": SceneRecord(**{"path": "gone.yaml", "sha256": "0" * 64, **scene})})


@pytest.mark.parametrize(
    ("told", "error", "words"),
    [
        ({}, MissingFileError, "gone.yaml"),
        ({"options": {"reader": "video"}}, BadValueError, "source is a video, must be a scene"),
    ],
)
def test_a_clip_without_its_scene_has_no_page(clip, tmp_path, told, error, words):
    write_record(tmp_path / "clip.json", record_of(clip, **told))
    with pytest.raises(error, match=words):
        write_noise_page(read_clip(tmp_path))
    assert [file.name for file in tmp_path.iterdir()] == ["clip.json"]


def test_a_scene_without_surfaces_has_no_page(clip, scene, tmp_path, monkeypatch):
    with pytest.raises(EmptySceneError):
        made(clip, replace(scene, parts=()), tmp_path, monkeypatch)
    assert not list(tmp_path.iterdir())


def test_without_viser_the_extra_is_named(clip, monkeypatch):
    monkeypatch.setitem(sys.modules, "viser", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'sim2real\[view\]'"):
        write_noise_page(clip)


@needs_chromium
@pytest.mark.slow
def test_a_browser_shows_the_noise_without_a_network(page, tmp_path):
    """Squares of many colors on the scene, which fills a good part of the picture."""
    shown = np.asarray(screenshot(page.path, tmp_path, (640, 480), webgl=True), float)[:-60]
    colorful = shown.max(axis=-1) - shown.min(axis=-1) > 50
    assert 0.03 < colorful.mean() < 0.97
    hues = np.unique(shown[colorful].astype(int) // 64, axis=0)
    assert len(hues) >= 25, "noise, and no plain color"
