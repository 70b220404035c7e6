"""Pictures by pyrender and Mitsuba: the same camera to the pixel, and all that the scene has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim2real.camera import px_from_camera
from sim2real.camera.view import Camera
from sim2real.conditions.rgb import gl
from sim2real.errors import BadValueError, MissingPackageError
from sim2real.raster import rasterizer, view_of
from sim2real.scene import Instance, Lighting, Material, Mesh, Part, Scene, primitives, triangles_of
from sim2real.transforms import inverse_rigid, look_at

SIZE, FRAMES = (40, 60), 3
EVEN = Lighting(sun=(0.0, 0.0, 0.0), sky=(0.9,) * 3, ground=(0.9,) * 3, backdrop=((0.0,) * 3, (0.0,) * 3))
"""The same light from everywhere, and nothing to be seen behind: what is white is bright on all sides, and all else is dark."""
WHITE = Material(base_color=(0.8, 0.8, 0.8, 1.0), roughness=1.0)
DARK = Material(base_color=(0.01, 0.01, 0.01, 1.0), roughness=1.0)


def camera(name: str = "camera", **changes: Any) -> Camera:
    k = np.tile(np.array([[52.0, 0, 27.4], [0, 52, 21.7], [0, 0, 1]]), (FRAMES, 1, 1))
    pose = look_at(np.array([[0.4, -2.6, 1.0], [0.5, -2.5, 1.1], [0.6, -2.4, 1.2]]), np.zeros(3), np.array([0, 0, 1.0]))
    return replace(Camera(name, SIZE, k, pose), **changes)


def flat(fx: float, fy: float, skew: float = 0.0) -> np.ndarray:
    return np.tile(np.array([[fx, skew, 27.4], [0, fy, 21.7], [0, 0, 1]]), (FRAMES, 1, 1))


CAMERAS = {
    "pinhole": camera(),
    "flat pixels": camera(intrinsics=flat(52.0, 40.0)),
    "skew": camera(intrinsics=flat(52.0, 52.0, 5.0)),
    "lens": camera(distortion=np.array([-0.3, 0.08, 0.01, -0.01])),
    "fisheye": camera(projection="fisheye", distortion=np.zeros(4), intrinsics=flat(28.0, 28.0)),
    "orthographic": camera(projection="orthographic", intrinsics=flat(17.0, 17.0)),
}
CAMERAS = {name: replace(one, name=name) for name, one in CAMERAS.items()}


def scene_of(meshes: list[Mesh], poses: np.ndarray | None = None, lighting: Lighting = EVEN, **changes: Any) -> Scene:
    count = len(meshes)
    return Scene(
        source=Path("test"),
        sha256="",
        meshes=tuple(meshes),
        parts=tuple(Part(k, k) for k in range(count)),
        instances=tuple(Instance(f"{k}", "thing") for k in range(count)),
        world_from_instance=np.tile(np.eye(4), (FRAMES, count, 1, 1)) if poses is None else poses,
        visible=np.ones((FRAMES, count), bool),
        cameras=(CAMERAS["pinhole"],),
        lighting=lighting,
        **changes,
    )


def pyrender_pictures(scene: Scene) -> Any:
    from sim2real.conditions.rgb.pyrender import PyrenderPictures

    triangles = triangles_of(scene)
    return PyrenderPictures(scene, triangles, rasterizer(triangles))


def mitsuba_pictures(scene: Scene, samples: int = 16) -> Any:
    from sim2real.conditions.rgb.mitsuba.pictures import PathTracedPictures

    triangles = triangles_of(scene)
    return PathTracedPictures(scene, triangles, rasterizer(triangles), samples=samples, threads=2)


@pytest.fixture(params=["pyrender", "mitsuba"])
def pictures(request: pytest.FixtureRequest) -> Callable[[Scene], Any]:
    if request.param == "mitsuba":
        pytest.importorskip("mitsuba", reason="mitsuba is not installed (pip install 'sim2real[pathtrace]')")
        return mitsuba_pictures
    try:
        gl.canvas()
    except (MissingPackageError, BadValueError) as error:
        pytest.skip(str(error))
    return pyrender_pictures


def covered(scene: Scene, seen_by: Camera, frame: int, instance: int, finer: int = 6) -> np.ndarray:
    """The share of every pixel in which our rasterizer sees an instance."""
    height, width = seen_by.size
    fine, triangles = seen_by.resized((height * finer, width * finer)), triangles_of(scene)
    face = rasterizer(triangles).visibility(view_of(scene, fine, frame)).face.numpy()
    ids = np.append(triangles.part_instance[triangles.face_part], 0)[face]
    return (ids == instance).reshape(height, finer, width, finer).mean(axis=(1, 3))


def brightness(pictures: Any, seen_by: Camera, frame: int) -> np.ndarray:
    return pictures.frame(seen_by, frame).astype(float).mean(axis=-1)


def ball_at(place: tuple[float, float, float], radius: float = 0.45, **material: Any) -> Mesh:
    ball = primitives.sphere(radius)
    return replace(ball, vertices=ball.vertices + place, material=WHITE, **material)


@pytest.mark.slow
@pytest.mark.parametrize("name", CAMERAS)
def test_silhouettes_are_those_of_the_labels(name: str, pictures: Callable[[Scene], Any]) -> None:
    """Pixels that an instance covers mostly are brighter than all that it covers little: edges lie within half a pixel."""
    front = primitives.box((0.15, 0.15, 0.5))
    front = replace(front, vertices=front.vertices + [0.3, -0.7, 0.1], material=DARK)
    scene = scene_of([ball_at((0.0, 0.0, 0.0)), front])
    seen_by, frame = CAMERAS[name], 1
    shown, share = brightness(pictures(scene), seen_by, frame), covered(scene, seen_by, frame, 1)
    assert (share > 0.75).sum() > 20 and (share < 0.25).sum() > 60
    assert shown[share > 0.75].min() > shown[share < 0.25].max()
    edge = (share > 0.05) & (share < 0.95)
    assert np.corrcoef(shown[edge], share[edge])[0, 1] > 0.5


@pytest.mark.parametrize("name", CAMERAS)
def test_a_marked_vertex_is_seen_where_the_camera_has_it(name: str, pictures: Callable[[Scene], Any]) -> None:
    place = (0.31, -0.2, 0.27)
    seen_by, frame = CAMERAS[name], 2
    beside = ball_at((-1.2, 0.5, -0.5), radius=0.6)  # something to be exposed for
    shown = brightness(pictures(scene_of([ball_at(place, radius=0.15), beside])), seen_by, frame)
    local = inverse_rigid(seen_by.world_from_camera[frame]) @ [*place, 1]
    expected = px_from_camera(local[None, :3], seen_by.intrinsics[frame], seen_by.lens)[0]
    y, x = np.indices(SIZE) + 0.5
    weight = np.clip(shown - 4, 0, None) * (np.hypot(x - expected[0], y - expected[1]) < 6)
    found = np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()
    assert np.abs(found - expected).max() < 0.25


def test_things_move_deform_and_vanish(pictures: Callable[[Scene], Any]) -> None:
    moving, deforming = ball_at((0.0, 0.0, 0.0), 0.35), ball_at((0.0, 0.0, 0.0), 0.35)
    ways = np.zeros((FRAMES, 1, 3))
    ways[:, 0, 2] = [-0.5, 0.0, 0.5]
    deforming = replace(deforming, deformed=deforming.vertices + ways)
    poses = np.tile(np.eye(4), (FRAMES, 2, 1, 1))
    poses[:, 0, 0, 3] = [-0.8, 0.0, 0.8]
    visible = np.ones((FRAMES, 2), bool)
    visible[2, 0] = False
    scene = replace(scene_of([moving, deforming], poses), visible=visible)
    made = pictures(scene)
    for frame in (2, 0, 1, 0):  # in any order
        share = covered(scene, CAMERAS["pinhole"], frame, 1) + covered(scene, CAMERAS["pinhole"], frame, 2)
        shown = brightness(made, CAMERAS["pinhole"], frame)
        assert shown[share > 0.75].min() > shown[share < 0.25].max()


def test_textures_lie_with_row_0_at_v_1(pictures: Callable[[Scene], Any]) -> None:
    texture = np.full((33, 31, 3), 30, np.uint8)  # rows that are no multiple of 4 bytes
    texture[:16, :15, 0] = 255  # top left
    corners = np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    uv = np.array([[[0.0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]])
    material = Material(base_color=(1.0, 1.0, 1.0, 1.0), texture=texture, roughness=1.0)
    quad = Mesh("quad", corners, np.array([[0, 1, 2], [0, 2, 3]]), uv=uv, material=material)
    above = look_at(np.tile([0, -0.01, 2.2], (FRAMES, 1)), np.zeros(3), np.array([0, 0, 1.0]))  # up in the picture is +y
    seen_by = camera(world_from_camera=above)
    scene = scene_of([quad], lighting=Lighting())
    picture = pictures(replace(scene, cameras=(seen_by,))).frame(seen_by, 0).astype(int)
    red = picture[..., 0] > picture[..., 1] + 60
    y, x = np.indices(SIZE) + 0.5
    left, top = x < 27.4 - 1, y < 21.7 - 1
    inside = (np.abs(x - 27.4) < 22) & (np.abs(y - 21.7) < 16) & (np.abs(x - 27.4) > 2) & (np.abs(y - 21.7) > 2)
    assert (red == (left & top))[inside].all()


def test_the_sun_casts_a_shadow_away_from_it(pictures: Callable[[Scene], Any]) -> None:
    floor = replace(primitives.plane([2.0, 2.0]), material=Material(base_color=(0.7, 0.7, 0.7, 1.0), roughness=1.0))
    post = replace(primitives.box((0.15, 0.15, 0.5)), material=DARK)
    post = replace(post, vertices=post.vertices + [0, 0, 0.5])
    lighting = Lighting(sun_direction=(-1.0, 0.0, 1.0))
    scene = scene_of([floor, post], lighting=lighting)
    shown = brightness(pictures(scene), CAMERAS["pinhole"], 1)

    def at(point: tuple[float, float]) -> float:
        local = inverse_rigid(CAMERAS["pinhole"].world_from_camera[1]) @ [*point, 0, 1]
        column, row = px_from_camera(local[None, :3], CAMERAS["pinhole"].intrinsics[1])[0].astype(int)
        return float(shown[row, column])

    assert at((0.6, 0.0)) < 0.87 * at((-0.6, 0.0))


def test_what_is_seen_from_outside_only_is_not_seen_from_within(pictures: Callable[[Scene], Any]) -> None:
    shell = replace(primitives.sphere(5.0), material=DARK, outside_only=True)
    scene = scene_of([ball_at((0.0, 0.0, 0.0)), shell, ball_at((3.0, 9.0, 0.0), 1.5)])
    share = covered(scene, CAMERAS["pinhole"], 0, 3)
    shown = brightness(pictures(scene), CAMERAS["pinhole"], 0)
    assert (share > 0.75).sum() > 20 and shown[share > 0.75].min() > 60


def test_the_backdrop_is_what_is_seen_where_nothing_is(pictures: Callable[[Scene], Any]) -> None:
    lighting = Lighting(backdrop=((0.05, 0.1, 0.9), (0.05, 0.1, 0.9)))
    scene = scene_of([replace(ball_at((0.0, 0.0, 0.0)), material=DARK)], lighting=lighting)
    picture = pictures(scene).frame(CAMERAS["pinhole"], 0).astype(int)
    nothing = covered(scene, CAMERAS["pinhole"], 0, 1) == 0
    assert (picture[nothing][:, 2] > picture[nothing][:, 0] + 60).all()
    assert np.ptp(picture[nothing], axis=0).max() <= 3


def test_the_same_frame_has_the_same_bits_whatever_was_asked_before(pictures: Callable[[Scene], Any]) -> None:
    scene = scene_of([ball_at((0.0, 0.0, 0.0)), replace(primitives.plane([2.0, 2.0]), material=DARK)], lighting=Lighting())
    one, two = pictures(scene), pictures(scene)
    alone = one.frame(CAMERAS["pinhole"], 2)
    for frame, name in ((0, "lens"), (1, "pinhole")):
        two.frame(CAMERAS[name], frame)
    assert np.array_equal(two.frame(CAMERAS["pinhole"], 2), alone)


def test_the_old_pyrender_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise gl.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(gl.importlib.metadata, "version", missing)
    monkeypatch.setattr(gl.importlib.util, "find_spec", lambda name: object())
    with pytest.raises(MissingPackageError, match=r"uninstall pyrender.*sim2real\[gl\]"):
        gl.pyrender_package()
    monkeypatch.setattr(gl.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"pyrender2; install it with"):
        gl.pyrender_package()


def test_a_machine_without_opengl_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYOPENGL_PLATFORM", raising=False)
    monkeypatch.setattr(gl.ctypes.util, "find_library", lambda name: "libOSMesa.so" if name == "OSMesa" else None)
    assert gl.platform() == "osmesa"
    monkeypatch.setattr(gl.ctypes.util, "find_library", lambda name: None)
    with pytest.raises(BadValueError, match="libegl-mesa0, or libosmesa6"):
        gl.platform()
    monkeypatch.setenv("PYOPENGL_PLATFORM", "glx")
    with pytest.raises(BadValueError, match="glx, must be egl or osmesa"):
        gl.platform()
