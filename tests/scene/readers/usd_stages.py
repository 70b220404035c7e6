"""Small stages that the tests of the USD reader write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade

TRIANGLE = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], float)
CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
CUBE_FACES = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]


def new_stage(path: Path, *, unit: float | None = 1.0, up: str = "Z", frames: tuple[float, float] | None = None) -> Any:
    """An empty stage with a default prim, ``/World``."""
    stage = Usd.Stage.CreateNew(str(path))
    if unit is not None:
        UsdGeom.SetStageMetersPerUnit(stage, unit)
    UsdGeom.SetStageUpAxis(stage, up)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/World").GetPrim())
    if frames is not None:
        stage.SetStartTimeCode(frames[0])
        stage.SetEndTimeCode(frames[1])
    return stage


def add_mesh(stage: Any, path: str, points: np.ndarray = CUBE, faces: list[list[int]] | None = None) -> Any:
    """A mesh of polygons that is not refined."""
    mesh = UsdGeom.Mesh.Define(stage, path)
    faces = CUBE_FACES if faces is None else faces
    mesh.CreatePointsAttr(np.asarray(points, np.float32))
    mesh.CreateFaceVertexCountsAttr([len(face) for face in faces])
    mesh.CreateFaceVertexIndicesAttr([corner for face in faces for corner in face])
    mesh.CreateSubdivisionSchemeAttr("none")
    return mesh


def move(prim: Any, matrices: dict[float, np.ndarray] | np.ndarray) -> None:
    """Give a prim a transform (columns), or one per time code."""
    operation = UsdGeom.Xformable(prim).AddTransformOp()
    if isinstance(matrices, dict):
        for code, matrix in matrices.items():
            operation.Set(Gf.Matrix4d(np.asarray(matrix, float).T.tolist()), code)
    else:
        operation.Set(Gf.Matrix4d(np.asarray(matrices, float).T.tolist()))


def add_uv(mesh: Any, values: np.ndarray, interpolation: str, indices: list[int] | None = None, name: str = "st") -> None:
    primvar = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(name, Sdf.ValueTypeNames.TexCoord2fArray, interpolation)
    primvar.Set(np.asarray(values, np.float32))
    if indices is not None:
        primvar.SetIndices(indices)


def add_material(stage: Any, path: str, **inputs: Any) -> Any:
    """A UsdPreviewSurface; ``shader`` is below it."""
    material = UsdShade.Material.Define(stage, path)
    shader = UsdShade.Shader.Define(stage, f"{path}/shader")
    shader.CreateIdAttr("UsdPreviewSurface")
    kinds = {"diffuseColor": Sdf.ValueTypeNames.Color3f, "emissiveColor": Sdf.ValueTypeNames.Color3f}
    for name, value in inputs.items():
        shader.CreateInput(name, kinds.get(name, Sdf.ValueTypeNames.Float)).Set(value)
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    return material


def add_texture(stage: Any, material: Any, to: str, file: str, *, output: str = "rgb", **inputs: Any) -> Any:
    """A texture that an input of a preview surface is connected to; returns its node."""
    node = UsdShade.Shader.Define(stage, f"{material.GetPath()}/{to}_texture")
    node.CreateIdAttr("UsdUVTexture")
    node.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(file)
    for name, value in inputs.items():
        kind = Sdf.ValueTypeNames.Token if isinstance(value, str) else Sdf.ValueTypeNames.Float4
        node.CreateInput(name, kind).Set(value)
    shader = UsdShade.Shader(stage.GetPrimAtPath(f"{material.GetPath()}/shader"))
    kind = Sdf.ValueTypeNames.Color3f if output == "rgb" else Sdf.ValueTypeNames.Float
    target = shader.GetInput(to) or shader.CreateInput(to, kind)
    target.ConnectToSource(node.ConnectableAPI(), output)
    return node


def bind(prim: Any, material: Any) -> None:
    UsdShade.MaterialBindingAPI.Apply(prim.GetPrim()).Bind(material)


def world_points(scene: Any, frame: int, instance: str | None = None) -> np.ndarray:
    """The corners of all triangles of a scene in the world, (triangles, 3, 3)."""
    found = []
    for part in scene.parts:
        if instance is not None and scene.instances[part.instance].name != instance:
            continue
        mesh = scene.meshes[part.mesh]
        points = mesh.vertices if mesh.deformed is None else mesh.deformed[frame]
        world = scene.world_from_instance[frame, part.instance] @ part.instance_from_mesh
        found.append((points @ world[:3, :3].T + world[:3, 3])[mesh.faces])
    return np.concatenate(found)
