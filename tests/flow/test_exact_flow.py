import numpy as np
import pytest
import torch
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.camera import View
from sim2real.flow import Flow, exact_flow
from sim2real.raster import Fragments, rasterizer
from sim2real.scene import Triangles
from sim2real.transforms import inverse_rigid, look_at, rigid, rotation_about

SIZE = (96, 128)
K = np.array([[120.0, 0.5, 61.2], [0, 115, 50.3], [0, 0, 1]])
UP = np.array([0, -1.0, 0])
EYE = look_at(np.array([0, -1.2, -4.0]), np.zeros(3), UP)


def joined(*shapes: trimesh.Trimesh) -> Triangles:
    """One part per shape."""
    vertices = np.concatenate([s.vertices for s in shapes]).astype(np.float32)
    starts = np.cumsum([0] + [len(s.vertices) for s in shapes[:-1]])
    faces = np.concatenate([s.faces + start for s, start in zip(shapes, starts, strict=True)]).astype(np.int32)
    part = np.repeat(np.arange(len(shapes)), [len(s.vertices) for s in shapes]).astype(np.int32)
    corners = np.zeros((len(faces), 3, 3), np.float32)
    return Triangles(
        vertices, faces, corners[..., :2], corners, part[faces[:, 0]], part, np.arange(1, len(shapes) + 1, dtype=np.int32)
    )


def floor(side: float = 8, y: float = 1.0) -> trimesh.Trimesh:
    corners = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]]) * side / 2
    return trimesh.Trimesh(corners + [0, y, 0], [[0, 1, 2], [0, 2, 3]], process=False)


def seen(
    mesh: Triangles, world_from_camera: np.ndarray, world_from_part: np.ndarray | None = None, k: np.ndarray = K, **more
) -> Fragments:
    parts = np.eye(4) if world_from_part is None else world_from_part
    matrices = np.broadcast_to(inverse_rigid(world_from_camera) @ parts, (len(mesh.part_instance), 4, 4))
    return rasterizer(mesh).fragments(View(matrices, k, more.pop("size", SIZE), **more))


def flow_of(mesh: Triangles, a: Fragments, b: Fragments, world_from_a: np.ndarray, world_from_b: np.ndarray) -> Flow:
    return exact_flow(a, b, torch.as_tensor(mesh.faces), world_from_a, world_from_b)


STAGE = joined(trimesh.creation.icosphere(3), floor())


def test_where_nothing_moves_the_flow_is_zero_and_everything_is_visible() -> None:
    a = seen(STAGE, EYE)
    flow = flow_of(STAGE, a, seen(STAGE, EYE), EYE, EYE)
    assert (flow.forward == 0).all()
    assert flow.visible.all()
    assert (a.face < 0).any() and (a.face >= 0).any()


def test_under_pure_rotation_every_pixel_flows_by_the_homography() -> None:
    turn = rigid(rotation_about(np.array([0.3, 1, 0.1]), np.array(0.15)), np.zeros(3))
    turned = EYE @ turn
    flow = flow_of(STAGE, seen(STAGE, EYE), seen(STAGE, turned), EYE, turned)
    row, column = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    here = np.stack([column, row, np.ones(SIZE)], axis=-1)
    there = here @ (K @ turn[:3, :3].T @ np.linalg.inv(K)).T
    expected = there[..., :2] / there[..., 2:]
    np.testing.assert_allclose(flow.forward.numpy(), expected - here[..., :2], atol=2e-3)
    inside = ((expected > 0) & (expected < np.array([SIZE[1], SIZE[0]]))).all(-1)
    assert (flow.visible.numpy() == inside).mean() > 0.999
    assert 0.3 < inside.mean() < 0.95


def test_a_cube_that_slides_along_the_picture_flows_as_much_as_its_depth_says() -> None:
    box = joined(trimesh.creation.box([1, 1, 1]), floor(20, 3))
    still, moved = np.stack([np.eye(4)] * 2), np.stack([np.eye(4)] * 2)
    moved[0, 0, 3] = 0.25
    view = rigid(np.eye(3), np.array([0, 0, -5.0]))
    a, b = seen(box, view, still), seen(box, view, moved)
    flow = flow_of(box, a, b, view, view)
    on_box = (a.face >= 0) & (a.face < 12)
    assert on_box.sum() > 300
    expected = K[0, 0] * 0.25 / a.depth[on_box]
    assert torch.allclose(flow.forward[on_box][:, 0], expected, atol=1e-3)
    assert (flow.forward[on_box][:, 1].abs() < 1e-4).all()
    assert flow.visible[on_box].all()
    assert (flow.forward[~on_box] == 0).all()
    covered = (b.face >= 0) & (b.face < 12)
    assert not flow.visible[~on_box & covered].any()
    assert flow.visible[~on_box & ~covered].all()


@pytest.mark.slow
@given(seed=st.integers(0, 2**31))
@settings(max_examples=6, deadline=None)
def test_visibility_agrees_with_traced_rays(seed: int) -> None:
    pytest.importorskip("embreex", reason="embreex is not installed")
    rng = np.random.default_rng(seed)
    shapes = [trimesh.creation.icosphere(2 + seed % 2, radius=0.5), trimesh.creation.box([0.6, 0.3, 0.9]), floor()]
    for shape in shapes[:2]:
        shape.vertices += rng.normal(size=3) * 0.5
    mesh = joined(*shapes)
    other = look_at(EYE[:3, 3] + rng.normal(size=3) * 0.7, rng.normal(size=3) * 0.2, UP)
    a, b = seen(mesh, EYE), seen(mesh, other)
    flow = flow_of(mesh, a, b, EYE, other)

    row, column = torch.nonzero(a.face >= 0, as_tuple=True)
    corners = mesh.faces[a.face[row, column].numpy()]
    points = (a.barycentrics[:, row, column].T.numpy()[..., None] * mesh.vertices[corners]).sum(1)
    rays = points - other[:3, 3]
    from trimesh.ray.ray_pyembree import RayMeshIntersector

    tracer = RayMeshIntersector(trimesh.Trimesh(mesh.vertices, mesh.faces, process=False))
    eyes = np.broadcast_to(other[:3, 3], rays.shape)
    hit, ray, _ = tracer.intersects_location(eyes, rays, multiple_hits=False)
    reach = np.zeros(len(rays))
    reach[ray] = np.linalg.norm(hit - other[:3, 3], axis=1) / np.linalg.norm(rays[ray], axis=1)
    at = torch.stack([column, row], dim=1) + 0.5 + flow.forward[row, column]
    inside = ((at >= 0) & (at < torch.tensor([SIZE[1], SIZE[0]]))).all(1).numpy()
    truth = inside & (reach > 1 - 2e-3)
    found = flow.visible[row, column].numpy()
    assert (found == truth).mean() > 0.993
    assert (found & ~truth).mean() < 0.006  # along silhouettes of faces smaller than pixels (the picture is small)


def test_a_surface_that_does_not_exist_in_the_target_is_not_visible_there() -> None:
    mesh = joined(trimesh.creation.icosphere(2), floor())
    a = seen(mesh, EYE)
    b = seen(mesh, EYE, part_visible=np.array([False, True]))
    flow = flow_of(mesh, a, b, EYE, EYE)
    ball = (a.face >= 0) & (a.face < 320)
    assert ball.sum() > 300
    assert flow.visible[ball].float().mean() < 0.01
    assert flow.visible[~ball].all()


def test_two_cameras_of_other_sizes_at_one_instant_see_the_same_points() -> None:
    other = look_at(np.array([0.6, -1.0, -3.5]), np.zeros(3), UP)
    k = np.array([[300.0, 0, 130], [0, 300, 100], [0, 0, 1]])
    a, b = seen(STAGE, EYE), seen(STAGE, other, k=k, size=(200, 260))
    flow = flow_of(STAGE, a, b, EYE, other)
    row, column = torch.nonzero(flow.visible & (a.face >= 0), as_tuple=True)
    assert len(row) > 2000
    at = torch.stack([column, row], dim=1) + 0.5 + flow.forward[row, column]
    there = b.face[at[:, 1].long(), at[:, 0].long()]
    part = torch.as_tensor(STAGE.face_part)
    here = part[a.face[row, column].long()]
    assert (torch.where(there >= 0, part[there.clamp(min=0).long()], -1) == here).float().mean() > 0.98


def test_points_behind_the_target_camera_have_no_flow_and_are_not_visible() -> None:
    back = EYE @ rigid(rotation_about(np.array([0, 1.0, 0]), np.array(np.pi)), np.zeros(3))
    flow = flow_of(STAGE, seen(STAGE, EYE), seen(STAGE, back), EYE, back)
    assert (flow.forward == 0).all()
    assert not flow.visible.any()


def test_an_empty_scene_flows_with_the_camera() -> None:
    nothing = joined(trimesh.Trimesh(np.zeros((0, 3)), np.zeros((0, 3), int)))
    turned = EYE @ rigid(rotation_about(np.array([0, 1.0, 0]), np.array(0.05)), np.zeros(3))
    flow = flow_of(nothing, seen(nothing, EYE), seen(nothing, turned), EYE, turned)
    assert abs(float(flow.forward[50, 61, 0]) + 120 * np.tan(0.05)) < 0.05  # beside the principal point
    assert flow.visible[5:-5, 12:].all() and not flow.visible[:, :5].any()
