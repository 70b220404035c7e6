"""How much of the open is hidden from every place, as a Warp kernel. `openness.hidden_reference` repeats it in numpy."""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

from ..native_code import native

wp.set_module_options({"enable_backward": False})


@wp.func_native(native(__file__, "hidden_lanes"))
@no_type_check
def row_hidden(
    row: int,
    places: wp.array3d(dtype=wp.float32),
    normals: wp.array3d(dtype=wp.float32),
    margin: int,
    offsets: wp.array2d(dtype=wp.vec2i),
    near: float,
    far: float,
    out: wp.array2d(dtype=wp.vec2),
):
    """The places of a row, eight at once."""
    ...


@wp.kernel
@no_type_check
def hidden_kernel(
    places: wp.array3d(dtype=wp.float32),
    normals: wp.array3d(dtype=wp.float32),
    margin: int,
    offsets: wp.array2d(dtype=wp.vec2i),
    reaches: wp.vec2,
    out: wp.array2d(dtype=wp.vec2),
):
    """The mean over directions (rows of ``offsets``) of the highest square sine at which something within reach stands.

    ``places`` are four planes: x, y, z, and 1 where there is a surface, else 0; ``normals`` three. Both have ``margin`` more
    columns at each side, zeros, as many as any offset leads aside, and seven on the right. On the CPU alone.
    """
    row_hidden(
        wp.tid(), places, normals, margin, offsets, 1.0 / (reaches[0] * reaches[0]), 1.0 / (reaches[1] * reaches[1]), out
    )
