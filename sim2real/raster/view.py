"""What a camera of a scene is asked to see, and whether it fits the triangles of a rasterizer."""

from __future__ import annotations

from ..camera.view import Camera, View
from ..errors import BadValueError
from ..scene import Scene, Triangles, deformed_vertices


def view_of(scene: Scene, camera: Camera, frame: int) -> View:
    """What a camera sees in a frame, for a rasterizer of the scene and for its noise.

    Args:
        scene: whose triangles the rasterizer has.
        camera: its size and intrinsics may be changed ones (``camera.resized``).
        frame: of the scene.
    """
    return View(
        scene.camera_from_part(camera, frame),
        camera.intrinsics[frame],
        camera.size,
        near=camera.near,
        part_visible=scene.part_visible(frame),
        vertices=deformed_vertices(scene, frame),
        lens=camera.lens,
        world_from_camera=camera.world_from_camera[frame],
    )


def check_triangles(triangles: Triangles) -> None:
    """Refuse faces and parts that index past their arrays.

    Raises:
        BadValueError: an index is out of range.
    """
    for what, index, count in (
        ("a face's vertex index", triangles.faces, len(triangles.vertices)),
        ("a vertex's part index", triangles.vertex_part, len(triangles.part_instance)),
    ):
        if index.size and (index.min() < 0 or index.max() >= count):
            bad = index[(index < 0) | (index >= count)].flat[0]
            raise BadValueError(what, bad, right=f"0 to {count - 1}")


def check_view(view: View, triangles: Triangles) -> None:
    """Refuse a view of other triangles.

    Raises:
        BadValueError: it has another number of parts or vertices.
    """
    parts = (len(triangles.part_instance), 4, 4)
    if view.camera_from_part.shape != parts:
        raise BadValueError("the shape of camera_from_part", view.camera_from_part.shape, right=f"{parts}, one matrix per part")
    if view.vertices is not None and view.vertices.shape != triangles.vertices.shape:
        raise BadValueError("the shape of vertices", view.vertices.shape, right=f"{triangles.vertices.shape}")
