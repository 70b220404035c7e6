"""All parts of a scene as one list of triangles: each has its own values, or zeros where its mesh has none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim2real.scene import Instance, Part, Scene
from sim2real.scene.primitives import box, sphere
from sim2real.scene.triangles import face_normals, triangles_of


@given(
    kinds=st.lists(
        st.tuples(st.sampled_from(["box", "sphere"]), st.booleans(), st.booleans(), st.sampled_from([np.float32, np.float64])),
        min_size=1,
        max_size=4,
    )
)
def test_every_part_has_its_own_values_in_its_place(kinds):
    meshes = []
    for kind, mapped, smooth, dtype in kinds:
        mesh = box(np.ones(3)) if kind == "box" else sphere(1.0)
        normals = mesh.normals if smooth and mesh.normals is not None else None
        mesh = replace(mesh, vertices=mesh.vertices.astype(dtype), normals=normals, uv=mesh.uv if mapped else None)
        meshes.append(mesh)
    scene = Scene(
        source=Path("made.yaml"),
        sha256="",
        meshes=tuple(meshes),
        parts=tuple(Part(k, 0) for k in range(len(meshes))),
        instances=(Instance("thing", "thing"),),
        world_from_instance=np.eye(4)[None, None],
        visible=np.ones((1, 1), np.bool_),
        cameras=(),
    )
    found, face, vertex = triangles_of(scene), 0, 0
    for k, mesh in enumerate(meshes):
        own = slice(face, face + len(mesh.faces))
        np.testing.assert_array_equal(found.faces[own] - vertex, mesh.faces)
        np.testing.assert_array_equal(found.vertices[vertex : vertex + len(mesh.vertices)], mesh.vertices.astype(np.float32))
        np.testing.assert_array_equal(found.uv[own], 0 if mesh.uv is None else mesh.uv.astype(np.float32))
        flat = np.repeat(face_normals(mesh.vertices, mesh.faces)[:, None], 3, axis=1)
        np.testing.assert_array_equal(found.normals[own], (flat if mesh.normals is None else mesh.normals).astype(np.float32))
        assert (found.face_part[own] == k).all()
        face, vertex = own.stop, vertex + len(mesh.vertices)
    assert (face, vertex) == (len(found.faces), len(found.vertices))
