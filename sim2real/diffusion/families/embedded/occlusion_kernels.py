"""How much of the open is hidden from every pixel, as a Warp kernel. `occlusion.occlusion_reference` repeats it in numpy."""
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.kernel
@no_type_check
def occlusion_kernel(
    depth: wp.array2d(dtype=wp.float32),
    normals: wp.array2d(dtype=wp.vec3),
    focal: wp.vec2,
    center: wp.vec2,
    offsets: wp.array2d(dtype=wp.vec2i),
    reaches: wp.vec2,
    out: wp.array3d(dtype=wp.float32),
):
    """The mean over directions (rows of ``offsets``) of the highest square sine at which something within reach stands."""
    y, x = wp.tid()
    height, width = depth.shape[0], depth.shape[1]
    z = depth[y, x]
    if z > 0.0:
        ray = wp.vec3((float(x) + 0.5 - center[0]) / focal[0], (float(y) + 0.5 - center[1]) / focal[1], 1.0)
        here, normal = z * ray, normals[y, x]
        near = 1.0 / (reaches[0] * reaches[0])
        far = 1.0 / (reaches[1] * reaches[1])
        first, second = float(0.0), float(0.0)
        for direction in range(offsets.shape[0]):
            nearby, away = float(0.0), float(0.0)
            for step in range(offsets.shape[1]):
                j = x + offsets[direction, step][0]
                i = y + offsets[direction, step][1]
                if j >= 0 and j < width and i >= 0 and i < height:
                    there = depth[i, j]
                    if there > 0.0:
                        other = wp.vec3((float(j) + 0.5 - center[0]) / focal[0], (float(i) + 0.5 - center[1]) / focal[1], 1.0)
                        way = there * other - here
                        high = wp.dot(way, normal)
                        if high > 0.0:
                            square = wp.dot(way, way)
                            share = high * high / square
                            nearby = wp.max(nearby, share * (1.0 - square * near))
                            away = wp.max(away, share * (1.0 - square * far))
            first += nearby
            second += away
        out[0, y, x] = first / float(offsets.shape[0])
        out[1, y, x] = second / float(offsets.shape[0])
