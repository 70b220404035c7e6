"""How much of the open is hidden from every place, as a Warp kernel. `openness.hidden_reference` repeats it in numpy."""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.kernel
@no_type_check
def hidden_kernel(
    points: wp.array2d(dtype=wp.vec3),
    normals: wp.array2d(dtype=wp.vec3),
    offsets: wp.array2d(dtype=wp.vec2i),
    reaches: wp.vec2,
    out: wp.array2d(dtype=wp.vec2),
):
    """The mean over directions (rows of ``offsets``) of the highest square sine at which something within reach stands."""
    y = wp.tid()
    near = 1.0 / (reaches[0] * reaches[0])
    far = 1.0 / (reaches[1] * reaches[1])
    for x in range(points.shape[1]):
        n = normals[y, x]
        first = float(0.0)
        second = float(0.0)
        if wp.length_sq(n) > 0.5:
            here = points[y, x]
            for direction in range(offsets.shape[0]):
                nearby = float(0.0)
                away = float(0.0)
                for step in range(offsets.shape[1]):
                    u = x + offsets[direction, step][0]
                    v = y + offsets[direction, step][1]
                    if u >= 0 and v >= 0 and u < points.shape[1] and v < points.shape[0]:
                        if wp.length_sq(normals[v, u]) > 0.5:
                            way = points[v, u] - here
                            high = wp.dot(way, n)
                            if high > 0.0:
                                square = wp.dot(way, way)
                                share = high * high / square
                                nearby = wp.max(nearby, share * (1.0 - square * near))
                                away = wp.max(away, share * (1.0 - square * far))
                first += nearby
                second += away
        out[y, x] = wp.vec2(first, second) / float(offsets.shape[0])
