"""Rays through bodies of triangles, eight boxes or triangles at once, as functions of Warp kernels on a CPU.

Bodies stand in one tree of boxes, and each has a tree of its own (`trees`). `reference` repeats them in numpy.
"""
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportReturnType=false

from typing import no_type_check

import warp as wp

from ....native_code import native

wp.set_module_options({"enable_backward": False})

Hit = wp.types.vector(length=8, dtype=wp.float32)
"""How far, weights of the second and third corner, bits of the face (``face_of``), the outward normal, and 0."""


@wp.func_native(native(__file__, "grow_tree"))
@no_type_check
def grow(
    prims: wp.array2d(dtype=wp.float32),
    count: int,
    most: int,
    nodes: wp.array2d(dtype=wp.float32),
    leaves: wp.array2d(dtype=wp.int32),
    counts: wp.array(dtype=wp.int32),
):
    """A tree."""
    ...


@wp.kernel
@no_type_check
def tree_kernel(
    prims: wp.array2d(dtype=wp.float32),
    count: int,
    most: int,
    nodes: wp.array2d(dtype=wp.float32),
    leaves: wp.array2d(dtype=wp.int32),
    counts: wp.array(dtype=wp.int32),
):
    """A tree of boxes: see ``native/grow_tree.inc``."""
    grow(prims, count, most, nodes, leaves, counts)


@wp.func_native(native(__file__, "hidden"))
def hidden(bodies: wp.uint64, point: wp.vec3, way: wp.vec3, reach: float) -> bool:
    """Whether a ray meets anything before ``reach``, in lengths of ``way``."""
    ...


@wp.func_native(native(__file__, "nearest"))
def nearest(bodies: wp.uint64, point: wp.vec3, way: wp.vec3, reach: float) -> Hit:
    """What a ray meets first before ``reach``, in lengths of ``way``."""
    ...


@wp.func_native(native(__file__, "face_bits"))
def _int_of(x: float) -> int: ...


@wp.func
@no_type_check
def face_of(hit: Hit) -> int:
    """The face that was met; -1: none."""
    return _int_of(hit[3])


@wp.func
@no_type_check
def normal_of(hit: Hit) -> wp.vec3:
    """The outward normal there."""
    return wp.vec3(hit[4], hit[5], hit[6])
