"""Deferred shading on the CPU, by eight numbers at once: what ``shading_kernels`` and ``occlusion_kernels`` compute.

Most surfaces have at most a base color texture. Eight pixels of a row that see nothing but one face are shaded together in C++
(``shade_lanes``), textures included; what other pixels see is gathered along the row and lit in the same way;
surfaces with other textures or colors of corners, and the sides of a skybox, are shaded one by one as by ``shade_kernel``.
"""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

from ....camera.kernels import DeviceCamera, ray_from_px
from ....native_code import native
from ...surface_kernels import Group, SurfaceView, group_from, meeting, samples_differ, texture_at
from ...texture_sampling import Materials
from .light_kernels import Light
from .overlay_kernels import Overlay, mirrored_at, seen_through, share_of

wp.set_module_options({"enable_backward": False})

Place = wp.types.vector(length=10, dtype=wp.float32)
"""Where a face, or nothing, is seen, x and y in px of the picture; its share of the pixel; linear base color; emission and what
a mirror shows; 1 where the surroundings are seen in its gloss, 0 for mirrors."""


@wp.func_native(native(__file__, "shade_lanes"))
@no_type_check
def shade_lanes(
    row: int,
    count: int,
    faces_of: wp.array(dtype=wp.vec2i),
    places: wp.array(dtype=Place),
    run_count: int,
    runs: wp.array(dtype=wp.vec2i),
    occlusion: wp.array2d(dtype=wp.vec2),
    s: Materials,
    view: SurfaceView,
    light: Light,
    picture: wp.array2d(dtype=wp.vec3),
):
    """Add the colors of the first ``count`` places to pixels of a row; of each ``faces_of`` has face (-1: sky) and column.

    ``runs`` are faces, and columns from which on eight pixels see nothing else.
    """
    ...


@wp.func_native(native(__file__, "one_face"))
@no_type_check
def one_face(face: wp.array2d(dtype=wp.int32), side: int, row: int, column: int, found: wp.array(dtype=wp.vec2i), place: int):
    """Put the face that eight pixels from a column on see, and the column, into ``found``; -1: nothing, -2: several."""
    ...


@wp.func
@no_type_check
def plain(f: int, s: Materials, view: SurfaceView, over: Overlay) -> bool:
    """Whether a face has a base color, with or without a texture, and no more, and mirrors nothing."""
    part = s.face_part[f]
    maps = s.map_texture[part]
    return maps[0] < 0 and maps[1] < 0 and maps[2] < 0 and view.tinted[part] == 0 and share_of(f, over) == 0.0


@wp.kernel
@no_type_check
def shade_rows_kernel(
    face: wp.array2d(dtype=wp.int32),
    side: int,
    faces_of: wp.array(dtype=wp.vec2i),
    places: wp.array(dtype=Place),
    runs: wp.array(dtype=wp.vec2i),
    occlusion: wp.array2d(dtype=wp.vec2),
    s: Materials,
    view: SurfaceView,
    light: Light,
    over: Overlay,
    wanted: wp.array2d(dtype=wp.uint8),
    picture: wp.array2d(dtype=wp.vec3),
):
    """As ``shade_kernel``, a thread per row, for a camera that bends no rays and has an eye; with mirrors, without haze.

    Pixels that are not ``wanted``, if it is not empty, become black. ``faces_of`` and ``places`` have room for all samples of
    one row, ``runs`` for its pixels by eights. Rows use it one after the other: on the CPU a launch has one thread.
    """
    y = wp.tid()
    count = side * side
    part_of_pixel = 1.0 / float(count)
    found = int(0)
    masked = wanted.shape[0] > 0
    run_count = int(0)
    after_run = int(0)
    for x in range(picture.shape[1]):
        if x < after_run:
            continue
        if masked:
            if wanted[y, x] == wp.uint8(0):
                picture[y, x] = wp.vec3(0.0, 0.0, 0.0)
                continue
        else:
            one_face(face, side, y, x, runs, run_count)
            same = runs[run_count][0]
            if same >= 0:
                if plain(same, s, view, over):
                    run_count += 1
                    after_run = x + 8
                    continue
        f = face[y * side, x * side]
        differ = samples_differ(face, side, y, x)
        middle = ray_from_px(view.camera, float(x) + 0.5, float(y) + 0.5)
        total = wp.vec3(0.0, 0.0, 0.0)
        done = int(0)
        i = int(0)
        while i < count:
            if (done >> i) & 1 == 0:
                g = Group()
                g.face = f
                g.count = float(count)
                g.members = -1
                g.x = float(x) + 0.5
                g.y = float(y) + 0.5
                if differ != 0:
                    g = group_from(i, done, face, side, y, x, middle, s, view)
                done = done | g.members
                share = g.count * part_of_pixel
                alone = light.box_side > 0
                if g.face < 0 and not alone:
                    faces_of[found] = wp.vec2i(-1, x)
                    places[found] = Place(g.x, g.y, share, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
                    found += 1
                elif g.face >= 0:
                    part = s.face_part[g.face]
                    maps = s.map_texture[part]
                    alone = maps[0] >= 0 or maps[1] >= 0 or maps[2] >= 0 or view.tinted[part] != 0
                    if not alone:
                        base = s.base[part]
                        glow = s.emission[part]
                        if s.texture[part] >= 0:
                            at = meeting(g.face, g.x, g.y, s, view)
                            if at.slope != 0.0:
                                color = texture_at(g.face, g.x, g.y, at, s, view)
                                base = wp.cw_mul(base, color)
                                glow = wp.cw_mul(glow, color)
                        gloss = float(1.0)
                        mirrors = share_of(g.face, over)
                        if mirrors > 0.0:
                            glow += mirrors * mirrored_at(g.face, y, x, over)
                            gloss = 0.0
                        faces_of[found] = wp.vec2i(g.face, x)
                        places[found] = Place(g.x, g.y, share, base[0], base[1], base[2], glow[0], glow[1], glow[2], gloss)
                        found += 1
                if alone:
                    total += share * seen_through(g.face, g.x, g.y, y, x, occlusion, s, view, light, over)
            i += 1
            if done == -1:
                i = count
        picture[y, x] = total
    shade_lanes(y, found, faces_of, places, run_count, runs, occlusion, s, view, light, picture)


@wp.func_native(native(__file__, "mark_lanes"))
@no_type_check
def mark_lanes(
    row: int,
    face: wp.array2d(dtype=wp.int32),
    side: int,
    mirror_of: wp.array(dtype=wp.int32),
    mirror: int,
    faces: wp.vec2i,
    step: int,
    cells: wp.array2d(dtype=wp.uint8),
):
    """Set the cells that a row of pixels looks up."""
    ...


@wp.kernel
@no_type_check
def mark_rows_kernel(
    face: wp.array2d(dtype=wp.int32),
    side: int,
    mirror_of: wp.array(dtype=wp.int32),
    mirror: int,
    faces: wp.vec2i,
    step: int,
    cells: wp.array2d(dtype=wp.uint8),
):
    """As ``overlay_kernels.mark_kernel``, a thread per row of pixels."""
    mark_lanes(wp.tid(), face, side, mirror_of, mirror, faces, step, cells)


@wp.func_native(native(__file__, "occlusion_lanes"))
@no_type_check
def occlusion_lanes(
    row: int,
    plane: wp.array2d(dtype=wp.vec4),
    camera: DeviceCamera,
    taps: wp.array2d(dtype=wp.vec2),
    radius: float,
    strength: float,
    occlusion: wp.array2d(dtype=wp.vec2),
):
    """A row of the map of occlusion."""
    ...


@wp.kernel
@no_type_check
def occlusion_rows_kernel(
    plane: wp.array2d(dtype=wp.vec4),
    camera: DeviceCamera,
    taps: wp.array2d(dtype=wp.vec2),
    radius: float,
    strength: float,
    occlusion: wp.array2d(dtype=wp.vec2),
):
    """As ``occlusion_kernel``, a thread per row, for a camera that bends no rays; there are eight taps."""
    occlusion_lanes(wp.tid(), plane, camera, taps, radius, strength, occlusion)
