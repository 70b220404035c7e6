"""The meshes of a recording stand where the scene's surfaces are, in its colors, and come and go with their instances."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim2real.clip import CameraRecord, Clip, ClipRecord, InstanceRecord, SceneRecord, read_clip, write_record
from sim2real.clip.report.rerun import write_recording
from sim2real.scene import Instance, Material, Part, Scene
from sim2real.scene.primitives import box, plane, sphere
from sim2real.transforms import rigid, rotation_about

from .recordings import ReadRecording

FRAMES = 4
TURN = rigid(rotation_about(np.array([0.0, 0, 1]), np.array(0.7)), np.array([0.1, 0.2, 0.3]))
MIRROR = np.diag([-2.0, 1.0, 1.0, 1.0])


def scene_of(*parts: Part, **values: object) -> Scene:
    """A red box and a textured plane, moving."""
    red = replace(box((0.1, 0.2, 0.3)), material=Material(base_color=(1.0, 0.0, 0.0, 0.5)))
    picture = np.zeros((4, 8, 4), np.uint8)
    picture[:2] = (250, 0, 0, 255)
    carpet = replace(plane((1.0, 1.0)), material=Material(texture=picture))
    poses = np.tile(np.eye(4), (FRAMES, 2, 1, 1))
    poses[:, 0, 0, 3] = np.arange(FRAMES)
    scene = Scene(
        source=Path("nowhere.yaml"),
        sha256="0" * 64,
        meshes=(red, carpet, sphere(0.3)),
        parts=parts or (Part(0, 0, TURN), Part(1, 1)),
        instances=(Instance("mover", "toy"), Instance("carpet", "floor")),
        world_from_instance=poses,
        visible=np.ones((FRAMES, 2), bool),
        cameras=(),
    )
    return replace(scene, **values)  # type: ignore[arg-type]


@pytest.fixture
def read(tmp_path, monkeypatch):
    """A function that records a scene and reads the recording back."""

    def of(scene: Scene) -> ReadRecording:
        still = np.tile(np.eye(4), (FRAMES, 1, 1))
        record = ClipRecord(
            scene=SceneRecord(path="nowhere.yaml", sha256="0" * 64),
            seed=0,
            fps=10,
            frames=FRAMES,
            size=(8, 8),
            cameras={"front": CameraRecord(intrinsics=np.diag([8.0, 8.0, 1.0]), world_from_camera=still)},
            instances=[
                InstanceRecord(id=k + 1, name=one.name, class_name=one.class_name, world_from_instance=poses)
                for k, (one, poses) in enumerate(
                    zip(scene.instances, scene.world_from_instance.transpose(1, 0, 2, 3), strict=True)
                )
            ],
        )
        write_record(tmp_path / "clip.json", record)
        clip: Clip = read_clip(tmp_path)
        monkeypatch.setattr("sim2real.clip.report.rerun.recording.scene_of", lambda clip, fix: scene)
        return ReadRecording(write_recording(clip).path)

    return of


def faces_of(mesh: dict) -> np.ndarray:
    """Corners of a logged mesh's faces."""
    return np.array(mesh["Mesh3D:vertex_positions"])[np.array(mesh["Mesh3D:triangle_indices"])]


def sorted_rows(faces: np.ndarray) -> np.ndarray:
    rows = faces.reshape(len(faces), 9).round(5) + 0.0
    return rows[np.lexsort(rows.T)]


def test_surfaces_are_where_they_are_in_the_scene(read):
    scene = scene_of()
    recording = read(scene)
    mesh = recording.still["/world/instances/mover/mesh_0"]
    for frame in range(FRAMES):
        world = recording.pose("/world/instances/mover", frame)
        placed = faces_of(mesh) @ world[:3, :3].T + world[:3, 3]
        way = scene.world_from_instance[frame, 0] @ TURN
        expected = scene.meshes[0].vertices[scene.meshes[0].faces] @ way[:3, :3].T + way[:3, 3]
        assert np.allclose(sorted_rows(placed), sorted_rows(expected), atol=1e-4)
    assert "/world/instances/mover/mesh_0" not in recording.moving


def test_normals_point_away_from_a_convex_body_even_in_a_mirror(read):
    mesh = read(scene_of(Part(2, 0, MIRROR))).still["/world/instances/mover/mesh_0"]
    places, normals = (np.array(mesh[f"Mesh3D:vertex_{name}"]) for name in ("positions", "normals"))
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1, abs=1e-5)
    assert ((places * normals).sum(axis=1) > 0).all()
    corners = faces_of(mesh)
    winding = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert ((winding * corners.mean(axis=1)).sum(axis=1) >= -1e-9).all()


def test_colors_and_textures_are_the_scenes(read):
    recording = read(scene_of())
    assert recording.still["/world/instances/mover/mesh_0"]["Mesh3D:albedo_factor"] == [0xFF000080]
    carpet = recording.still["/world/instances/carpet/mesh_0"]
    form = carpet["Mesh3D:albedo_texture_format"][0]
    texture = np.frombuffer(bytes(carpet["Mesh3D:albedo_texture_buffer"][0]), np.uint8).reshape(
        form["height"], form["width"], 3
    )
    uv, places = (np.array(carpet[f"Mesh3D:{name}"]) for name in ("vertex_texcoords", "vertex_positions"))
    own = scene_of().meshes[1]
    v_up = {
        tuple(place.round(5)): uv[1]
        for place, uv in zip(own.vertices[own.faces].reshape(-1, 3), own.uv.reshape(-1, 2), strict=True)
    }
    for place, (_, v_down) in zip(places, uv, strict=True):
        assert v_down == pytest.approx(1 - v_up[tuple(place.round(5).tolist())], abs=1e-6)
    assert (texture[0] == (250, 0, 0)).all() and not texture[-1].any()  # row 0 is at v = 0, as Rerun has it


def test_parts_of_one_instance_and_material_are_one_mesh(read):
    recording = read(scene_of(Part(0, 0), Part(0, 0, TURN), Part(2, 0), Part(1, 1)))
    meshes = {entity for entity in recording.entities if "/mesh_" in entity}
    assert meshes == {"/world/instances/mover/mesh_0", "/world/instances/mover/mesh_1", "/world/instances/carpet/mesh_0"}
    assert len(faces_of(recording.still["/world/instances/mover/mesh_0"])) == 2 * len(scene_of().meshes[0].faces)


def test_many_textures_are_small_together(read, monkeypatch):
    monkeypatch.setattr("sim2real.clip.report.rerun.meshes._ALL_TEXELS", 32)
    recording = read(scene_of(Part(1, 0), Part(1, 1)))
    for name in ("mover", "carpet"):
        form = recording.still[f"/world/instances/{name}/mesh_0"]["Mesh3D:albedo_texture_format"][0]
        assert (form["height"], form["width"]) == (2, 4)


def test_what_is_not_there_in_a_frame_is_not_shown(read):
    visible = np.array([[False, True], [True, True], [False, True], [True, True]])
    recording = read(scene_of(visible=visible))
    mover = recording.moving["/world/instances/mover/mesh_0"]
    assert sorted(mover["Mesh3D:vertex_positions"]) == [1, 3]
    assert sorted(mover["Clear:is_recursive"]) == [2]
    assert "/world/instances/carpet/mesh_0" in recording.still


def test_what_deforms_is_logged_as_it_is_in_every_frame(read):
    scene = scene_of(Part(2, 0, TURN), Part(1, 1))
    ball = scene.meshes[2]
    deformed = np.stack([ball.vertices * (1 + 0.2 * frame) for frame in range(FRAMES)])
    recording = read(replace(scene, meshes=(*scene.meshes[:2], replace(ball, deformed=deformed))))
    logged = recording.moving["/world/instances/mover/mesh_0"]
    assert sorted(logged["Mesh3D:triangle_indices"]) == [0], "faces stay"
    for frame in range(FRAMES):
        away = np.array(logged["Mesh3D:vertex_positions"][frame]) - TURN[:3, 3]
        assert np.linalg.norm(away, axis=1) == pytest.approx(0.3 * (1 + 0.2 * frame), abs=1e-5)
        assert len(logged["Mesh3D:vertex_normals"][frame]) == len(away)


def test_a_part_without_faces_is_passed_over(read):
    scene = scene_of()
    empty = replace(scene.meshes[0], faces=np.zeros((0, 3), int), uv=None, normals=None)
    recording = read(replace(scene, meshes=(empty, *scene.meshes[1:])))
    assert {entity for entity in recording.entities if "/mesh_" in entity} == {"/world/instances/carpet/mesh_0"}
