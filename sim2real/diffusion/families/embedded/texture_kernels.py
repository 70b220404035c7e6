"""Pictures under wider and wider blurs, and means along short lines through them, as Warp kernels on a CPU.

`blurs.levels_reference` repeats the first in scipy, `blurs.taps_reference` the second in torch.
"""
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

from ....native_code import native

wp.set_module_options({"enable_backward": False})


@wp.func_native(native(__file__, "levels"))
@no_type_check
def levels_of_one(
    k: int,
    jobs: wp.array2d(dtype=wp.int32),
    pictures: wp.array(dtype=wp.float32),
    weights: wp.array2d(dtype=wp.float32),
    whole: int,
    places: wp.array3d(dtype=wp.int32),
    room: wp.array(dtype=wp.float32),
    values: wp.array(dtype=wp.float32),
):
    """The levels of one picture."""
    ...


@wp.kernel
@no_type_check
def levels_kernel(
    jobs: wp.array2d(dtype=wp.int32),
    pictures: wp.array(dtype=wp.float32),
    weights: wp.array2d(dtype=wp.float32),
    whole: int,
    places: wp.array3d(dtype=wp.int32),
    room: wp.array(dtype=wp.float32),
    values: wp.array(dtype=wp.float32),
):
    """The levels of a picture for each of ``jobs``, one after the other, where ``places`` says: see ``native/levels.inc``."""
    for k in range(jobs.shape[0]):
        levels_of_one(k, jobs, pictures, weights, whole, places, room, values)


@wp.func_native(native(__file__, "taps_row"))
@no_type_check
def row_of_taps(
    i: int,
    values: wp.array(dtype=wp.float32),
    places: wp.array3d(dtype=wp.int32),
    corners: wp.array2d(dtype=wp.int32),
    owner: wp.array2d(dtype=wp.int32),
    minor: wp.array2d(dtype=wp.float32),
    way: wp.array3d(dtype=wp.float32),
    reach: wp.array2d(dtype=wp.int32),
    finest: float,
    out: wp.array2d(dtype=wp.float32),
):
    """The pixels of a row."""
    ...


@wp.kernel
@no_type_check
def taps_kernel(
    values: wp.array(dtype=wp.float32),
    places: wp.array3d(dtype=wp.int32),
    corners: wp.array2d(dtype=wp.int32),
    owner: wp.array2d(dtype=wp.int32),
    minor: wp.array2d(dtype=wp.float32),
    way: wp.array3d(dtype=wp.float32),
    reach: wp.array2d(dtype=wp.int32),
    finest: float,
    out: wp.array2d(dtype=wp.float32),
):
    """The mean of ``2 reach + 1`` places along ``way`` (x, y; pixels) through a pixel, between two of its owner's pictures.

    On the CPU alone.
    """
    row_of_taps(wp.tid(), values, places, corners, owner, minor, way, reach, finest, out)
