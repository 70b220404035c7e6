"""Skins of USD stages, against what USD itself bakes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim2real.scene import Scene
from sim2real.scene.moving_vertices import MovingVertices
from sim2real.scene.readers.reading import Reading
from sim2real.scene.readers.registry import read

pytest.importorskip("pxr")
from pxr import Gf, Usd, UsdGeom, UsdSkel  # noqa: E402

from .usd_stages import add_mesh, move, new_stage, world_points  # noqa: E402


def read_back(stage: Usd.Stage) -> Scene:
    return read(Path(stage.GetRootLayer().realPath), Reading(), {})


def skinned(path: Path) -> Usd.Stage:
    """Two joints along x, 1 m apart; the second bends by 90 degrees about z between the codes 0 and 2."""
    stage = new_stage(path, frames=(0, 2))
    UsdSkel.Root.Define(stage, "/World/body")
    skeleton = UsdSkel.Skeleton.Define(stage, "/World/body/bones")
    skeleton.CreateJointsAttr(["root", "root/tip"])
    rest = [Gf.Matrix4d(1), Gf.Matrix4d().SetTranslate(Gf.Vec3d(1, 0, 0))]
    skeleton.CreateRestTransformsAttr(rest)
    skeleton.CreateBindTransformsAttr(rest)
    animation = UsdSkel.Animation.Define(stage, "/World/body/bones/bend")
    animation.CreateJointsAttr(["root", "root/tip"])
    animation.CreateTranslationsAttr([Gf.Vec3f(0), Gf.Vec3f(1, 0, 0)])
    animation.CreateScalesAttr([Gf.Vec3h(1), Gf.Vec3h(1)])
    half = float(np.sqrt(0.5))
    animation.CreateRotationsAttr().Set([Gf.Quatf(1), Gf.Quatf(1)], 0)
    animation.CreateRotationsAttr().Set([Gf.Quatf(1), Gf.Quatf(half, 0, 0, half)], 2)
    UsdSkel.BindingAPI.Apply(skeleton.GetPrim()).CreateAnimationSourceRel().SetTargets([animation.GetPath()])
    mesh = add_mesh(stage, "/World/body/skin", np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [2, 0.5, 0]]), [[0, 1, 3], [1, 2, 3]])
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    binding.CreateJointIndicesPrimvar(False, 1).Set([0, 0, 1, 1])
    binding.CreateJointWeightsPrimvar(False, 1).Set([1.0, 1.0, 1.0, 1.0])
    stage.Save()
    return stage


def test_a_skin_follows_its_skeleton(tmp_path):
    scene = read_back(skinned(tmp_path / "a.usda"))
    assert scene.frames == 3 and scene.meshes[0].deformed is not None
    points = world_points(scene, 2)
    np.testing.assert_allclose(points[1], [[1, 0, 0], [1, 1, 0], [0.5, 1, 0]], atol=1e-5)
    np.testing.assert_allclose(world_points(scene, 0)[1], [[1, 0, 0], [2, 0, 0], [2, 0.5, 0]], atol=1e-5)


def test_a_skin_that_is_flat_for_a_while_is_not_seen_then(tmp_path):
    stage = skinned(tmp_path / "a.usda")
    move(stage.GetPrimAtPath("/World/body/skin"), {0: np.eye(4), 1: np.diag([0.0, 0, 0, 1]), 2: np.eye(4)})
    stage.Save()
    scene = read_back(stage)
    assert scene.visible[:, 0].tolist() == [True, False, True]
    assert all(np.isfinite(world_points(scene, frame)).all() for frame in range(3))
    np.testing.assert_allclose(world_points(scene, 2)[1], [[1, 0, 0], [1, 1, 0], [0.5, 1, 0]], atol=1e-5)


def chained(path: Path, seed: int, *, shapes: bool) -> None:
    """A chain of three joints that turn and stretch, a strip that follows two at a time, all of it moved, and a blend shape."""
    rng = np.random.default_rng(seed)
    stage, joints = new_stage(path, frames=(0, 3)), ["a", "a/b", "a/b/c"]
    body = UsdSkel.Root.Define(stage, "/World/body")
    move(body, {0: np.eye(4), 3: np.array([[0, -1, 0, 2], [1, 0, 0, 0], [0, 0, 1, 1], [0, 0, 0, 1.0]])})
    skeleton = UsdSkel.Skeleton.Define(stage, "/World/body/bones")
    move(skeleton, np.diag([2.0, 2, 2, 1]))
    skeleton.CreateJointsAttr(joints)
    rest = [Gf.Matrix4d().SetTranslate(Gf.Vec3d(float(k > 0), 0, 0)) for k in range(3)]
    skeleton.CreateRestTransformsAttr(rest)
    skeleton.CreateBindTransformsAttr([Gf.Matrix4d().SetTranslate(Gf.Vec3d(float(k), 0.1, 0)) for k in range(3)])
    animation = UsdSkel.Animation.Define(stage, "/World/body/bones/ways")
    animation.CreateJointsAttr(joints[::-1])
    animation.CreateScalesAttr([Gf.Vec3h(1)] * 3)
    for code in range(4):
        turns = rng.normal(size=(3, 4))
        turns /= np.linalg.norm(turns, axis=1, keepdims=True)
        animation.CreateRotationsAttr().Set([Gf.Quatf(*row) for row in turns.tolist()], code)
        animation.CreateTranslationsAttr().Set([Gf.Vec3f(*row) for row in rng.normal(size=(3, 3)).tolist()], code)
    UsdSkel.BindingAPI.Apply(skeleton.GetPrim()).CreateAnimationSourceRel().SetTargets([animation.GetPath()])
    points = np.array([[x, y, 0] for x in range(4) for y in (0, 1)], float)
    mesh = add_mesh(stage, "/World/body/strip", points, [[k, k + 2, k + 3, k + 1] for k in (0, 2, 4)])
    move(mesh, np.array([[1, 0, 0, 0], [0, 0, -1, 0.3], [0, 1, 0, 0], [0, 0, 0, 1.0]]))
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    binding.CreateGeomBindTransformAttr(Gf.Matrix4d().SetTranslate(Gf.Vec3d(0, 0, 0.2)))
    binding.CreateJointIndicesPrimvar(False, 2).Set(rng.integers(0, 3, 16).tolist())
    share = rng.uniform(size=8)
    binding.CreateJointWeightsPrimvar(False, 2).Set(np.stack([share, 1 - share], axis=1).ravel().tolist())
    if shapes:
        bulge = UsdSkel.BlendShape.Define(stage, "/World/body/strip/bulge")
        bulge.CreateOffsetsAttr([Gf.Vec3f(0, 0, 1)] * 8)
        binding.CreateBlendShapesAttr(["bulge"])
        binding.CreateBlendShapeTargetsRel().SetTargets([bulge.GetPath()])
        animation.CreateBlendShapesAttr(["bulge"])
        for code in range(4):
            animation.CreateBlendShapeWeightsAttr().Set([code / 3], code)
    stage.Save()


@pytest.mark.parametrize("shapes", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_skins_are_in_every_frame_what_usd_bakes_of_them(tmp_path, seed, shapes):
    chained(tmp_path / "a.usda", seed, shapes=shapes)
    scene = read_back(Usd.Stage.Open(str(tmp_path / "a.usda")))
    baked = Usd.Stage.Open(str(tmp_path / "a.usda"))
    with Usd.EditContext(baked, baked.GetSessionLayer()):  # its root layer is the scene's, too
        UsdSkel.BakeSkinning(UsdSkel.Root(baked.GetPrimAtPath("/World/body")), Gf.Interval(0, 3))
    prim = baked.GetPrimAtPath("/World/body/strip")
    (part,) = scene.parts
    deformed = scene.meshes[part.mesh].deformed
    assert isinstance(deformed, MovingVertices)
    for frame in (2, 0, 3, 1):
        world = np.array(UsdGeom.XformCache(frame).GetLocalToWorldTransform(prim))
        expected = np.array(prim.GetAttribute("points").Get(frame)) @ world[:3, :3] + world[3, :3]
        ours = scene.world_from_instance[frame, 0] @ part.instance_from_mesh
        found = deformed[frame] @ ours[:3, :3].T + ours[:3, 3]
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_skin_whose_bones_rest_is_rigid(tmp_path):
    stage = skinned(tmp_path / "a.usda")
    rotations = stage.GetPrimAtPath("/World/body/bones/bend").GetAttribute("rotations")
    rotations.Clear()
    rotations.Set([Gf.Quatf(1), Gf.Quatf(1)])
    move(stage.GetPrimAtPath("/World/body"), {0: np.eye(4), 2: np.diag([1.0, 1, 1, 1]) + np.eye(4, k=3)})
    stage.Save()
    scene = read_back(stage)
    assert scene.frames == 3 and scene.meshes[0].deformed is None


def test_a_skin_inside_an_instance_follows_too(tmp_path):
    skinned(tmp_path / "body.usda")
    stage = new_stage(tmp_path / "a.usda", frames=(0, 2))
    prim = UsdGeom.Xform.Define(stage, "/World/one").GetPrim()
    prim.GetReferences().AddReference("./body.usda")
    prim.SetInstanceable(True)
    stage.Save()
    before = (tmp_path / "a.usda").read_bytes()
    np.testing.assert_allclose(world_points(read_back(stage), 2)[1], [[1, 0, 0], [1, 1, 0], [0.5, 1, 0]], atol=1e-5)
    assert (tmp_path / "a.usda").read_bytes() == before
