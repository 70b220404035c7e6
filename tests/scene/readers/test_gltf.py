"""glTF files that move: nodes, skins, morph targets, cameras and lights, against plain evaluations of the specification."""

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sim2real.errors import BadValueError, MissingFileError, UnknownNameError, UnreadableFileError
from sim2real.scene import LoadOptions, load
from sim2real.scene.moving_vertices import MovingVertices
from sim2real.scene.readers.mesh.files import Y_UP, load_mesh
from sim2real.scene.triangles import triangles_of

from ...mutations import check_scene
from .gltf_files import QUAD, QUAD_FACES, Gltf, matrix_of, moved, times, value_at

TURN_Z = [0, 0, float(np.sqrt(0.5)), float(np.sqrt(0.5))]


def sliding(**more):
    """A quad that goes 2 m along x in one second."""
    gltf = Gltf()
    node = gltf.node(name="sledge", mesh=gltf.mesh(name="board"), **more)
    gltf.animation((node, "translation", [0, 1], [[0, 0, 0], [2, 0, 0]], "LINEAR"), name="slide")
    return gltf, node


def in_world(scene, instance, frame):
    """Vertices of an instance in the file's axes."""
    found = []
    for part in scene.parts:
        if part.instance != instance:
            continue
        mesh = scene.meshes[part.mesh]
        points = mesh.vertices if mesh.deformed is None else mesh.deformed[frame]
        matrix = np.linalg.inv(Y_UP) @ scene.world_from_instance[frame, instance] @ part.instance_from_mesh
        found.append(points @ matrix[:3, :3].T + matrix[:3, 3])
    return np.concatenate(found)


@pytest.mark.parametrize(("name", "external"), [("a.glb", False), ("a.gltf", False), ("a.gltf", True)])
def test_a_node_that_moves_is_an_instance_that_moves(tmp_path, name, external):
    gltf, _ = sliding()
    scene = load(gltf.save(tmp_path / name, external=external))
    check_scene(scene)
    assert (scene.frames, scene.fps) == (25, 24)
    assert [(i.name, i.class_name) for i in scene.instances] == [("sledge", "sledge")]
    assert scene.world_from_instance[:, 0, 0, 3] == pytest.approx(np.linspace(0, 2, 25))
    assert scene.meshes[0].deformed is None and np.array_equal(
        np.unique(scene.meshes[0].vertices, axis=0), np.unique(QUAD, axis=0)
    )
    assert any(note.startswith("animation slide lasts 1.00 s") for note in scene.notes)


def test_frames_are_those_that_are_asked_for(tmp_path):
    gltf, _ = sliding()
    path = gltf.save(tmp_path / "a.glb")
    whole = load(path, LoadOptions(fps=10.0))
    assert (whole.frames, whole.fps) == (11, 10)
    some = load(path, LoadOptions(fps=10.0, frames=3, stride=4))
    assert (some.frames, some.fps) == (3, 2.5)
    assert np.array_equal(some.world_from_instance, whole.world_from_instance[[0, 4, 8]])
    with pytest.raises(BadValueError, match="the number of frames is 12, must be 1 to 11"):
        load(path, LoadOptions(fps=10.0, frames=12))


def test_a_long_animation_of_which_little_is_asked_for_is_not_sampled_whole(tmp_path):
    gltf, node = sliding()
    gltf.tree["animations"] = []
    gltf.animation((node, "translation", [0, 5e6], [[0, 0, 0], [5e6, 0, 0]], "LINEAR"))
    path = gltf.save(tmp_path / "a.glb")
    scene = load(path, LoadOptions(frames=3, stride=24))
    assert scene.world_from_instance[:, 0, 0, 3] == pytest.approx([0, 1, 2])
    with pytest.raises(BadValueError, match="the number of frames is 120000001, must be at most"):
        load(path)


def test_the_animation_is_the_first_or_the_one_that_is_named(tmp_path):
    gltf, node = sliding()
    gltf.animation((node, "translation", [0, 2], [[0, 0, 0], [0, 1, 0]], "LINEAR"), name="rise")
    path = gltf.save(tmp_path / "a.glb")
    assert load(path).frames == 25
    rising = load(path, animation="rise")
    assert rising.frames == 49 and rising.world_from_instance[-1, 0, :3, 3] == pytest.approx([0, 0, 1])
    assert any("rise lasts 2.00 s; --animation chooses one of slide, rise" in note for note in rising.notes)
    with pytest.raises(UnknownNameError, match="unknown animation 'fall'"):
        load(path, animation="fall")
    still = Gltf()
    still.node(mesh=still.mesh())
    with pytest.raises(UnknownNameError, match="unknown animation 'fall' .*valid: none"):
        load(still.save(tmp_path / "b.glb"), animation="fall")


def test_a_file_at_rest_is_the_mesh_that_it_was(tmp_path):
    gltf = Gltf(cameras=[{"type": "perspective", "perspective": {"yfov": 1.0, "znear": 0.1}}])  # which no node carries
    gltf.node(mesh=gltf.mesh(name="a"), scale=[2, 1, 1])
    path = gltf.save(tmp_path / "a.glb")
    scene, mesh = load(path), load_mesh(path)
    assert len(scene.instances) == 1 and scene.instances == mesh.instances and scene.frames == mesh.frames
    ours, theirs = triangles_of(scene), triangles_of(mesh)
    for name in ("vertices", "faces", "uv", "normals", "face_part"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name
    assert np.array_equal(scene.world_from_instance, mesh.world_from_instance)


def test_a_file_that_moves_has_the_meshes_that_it_would_have_at_rest(tmp_path):
    rng = np.random.default_rng(0)
    buffer = io.BytesIO()
    holes = rng.integers(0, 256, (8, 8, 4), dtype=np.uint8)
    holes[:, 4:, 3] = 0
    Image.fromarray(holes).save(buffer, "PNG")

    def made(moves):
        gltf = Gltf(extensionsUsed=["KHR_texture_transform", "KHR_materials_emissive_strength"])
        picture = gltf.add("images", {"bufferView": gltf.view(buffer.getvalue()), "mimeType": "image/png"})
        gltf.add("textures", {"source": picture})
        turned = {"index": 0, "extensions": {"KHR_texture_transform": {"rotation": 0.5, "scale": [0.5, 0.5]}}}
        gltf.add(
            "materials",
            {
                "pbrMetallicRoughness": {"baseColorTexture": turned, "metallicFactor": 0.25},
                "alphaMode": "MASK",
                "emissiveFactor": [0.5, 0, 0],
                "extensions": {"KHR_materials_emissive_strength": {"emissiveStrength": 4}},
            },
        )
        uv, normals = QUAD[:, :2] / 2 + 0.5, np.tile(np.float32([0, 0, 1]), (4, 1))
        colors = np.full((4, 3), 128, np.uint8)
        colors = np.concatenate([colors, np.full((4, 1), 255, np.uint8)], axis=1)
        mesh = gltf.mesh(name="a", TEXCOORD_0=uv.astype(np.float32), NORMAL=normals, material=0)
        attributes = gltf.tree["meshes"][mesh]["primitives"][0]["attributes"]
        attributes["COLOR_0"] = gltf.accessor(colors, normalized=True)
        node = gltf.node(mesh=mesh)
        gltf.mesh()
        if moves:
            gltf.animation((node, "translation", [0, 1], [[0, 0, 0], [1, 0, 0]], "LINEAR"))
        return load(gltf.save(tmp_path / f"{moves}.glb"))

    moving, resting = made(True).meshes[0], made(False).meshes[0]
    assert moving.material.emission == pytest.approx((2.0, 0, 0)) == resting.material.emission
    assert moving.material.metallic == resting.material.metallic == 0.25
    assert moving.material.base_color == pytest.approx(resting.material.base_color)
    assert moving.material.texture is not None and np.array_equal(moving.material.texture, resting.material.texture)
    assert len(moving.faces) == len(resting.faces) > 2, "the holes are cut out of both"
    for name in ("vertices", "uv", "normals"):
        assert getattr(moving, name) == pytest.approx(getattr(resting, name), abs=1e-6), name


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_vertices_are_where_the_nodes_take_them(tmp_path_factory, seed):
    """Chains of nodes with turns, shears and mirrors, of which some are animated."""
    rng = np.random.default_rng(seed)
    gltf, parent, channels, chain = Gltf(), None, [], []
    for k in range(int(rng.integers(1, 4))):
        q = rng.normal(size=4)
        held = {
            "translation": rng.normal(size=3).tolist(),
            "rotation": (q / np.linalg.norm(q)).tolist(),
            "scale": (rng.uniform(0.5, 2, 3) * rng.choice([-1, 1, 1], 3)).tolist(),
        }
        node = gltf.node(top=parent is None, name=f"n{k}", **held)
        if parent is not None:
            gltf.tree["nodes"][parent]["children"] = [node]
        seconds = np.sort(rng.uniform(0, 1, 3)).astype(np.float32)
        tracks = {}
        for path in held:
            if rng.random() < 0.4:
                keys = rng.normal(size=(3, len(held[path]))) + (2 if path == "scale" else 0)
                tracks[path] = keys.astype(np.float32)
                channels.append((node, path, seconds, tracks[path], "LINEAR"))
        chain.append((held, tracks, seconds))
        parent = node
    gltf.tree["nodes"][parent]["mesh"] = gltf.mesh(name="m")
    if not channels:
        channels.append((0, "translation", [0, 1], [chain[0][0]["translation"]] * 2, "LINEAR"))
    gltf.animation(*channels)
    scene = load(gltf.save(tmp_path_factory.mktemp("a") / "a.glb"), LoadOptions(fps=7.0))
    check_scene(scene)
    for frame in range(scene.frames):
        world = matrix_of([0, 0, 0], [0, 0, 0, 1], [1, 1, 1])
        for held, tracks, seconds in chain:
            now = {
                path: value_at(seconds, tracks[path], "LINEAR", frame / 7, turns=path == "rotation") if path in tracks else rest
                for path, rest in held.items()
            }
            world = times(world, matrix_of(now["translation"], now["rotation"], now["scale"]))
        if abs(np.linalg.det(np.array(world)[:3, :3])) < 1e-3:
            continue
        expected = np.array([moved(world, point) for point in QUAD])
        found = in_world(scene, 0, frame)
        gaps = np.linalg.norm(found[:, None] - expected[None], axis=2)
        assert gaps.min(axis=1).max() < 1e-4 * max(1, np.abs(expected).max()) and gaps.min(axis=0).max() < 1e-3


def test_a_constant_scale_is_in_the_mesh_and_an_animated_one_deforms_it(tmp_path):
    gltf, node = sliding(scale=[3, 1, 1])
    scene = load(gltf.save(tmp_path / "a.glb"))
    assert scene.meshes[0].deformed is None and np.ptp(scene.meshes[0].vertices, axis=0) == pytest.approx([6, 2, 0])
    gltf.tree["animations"] = []
    gltf.animation((node, "scale", [0, 1], [[1, 1, 1], [0, 0, 0]], "STEP"))
    scene = load(gltf.save(tmp_path / "a.glb"))
    mesh = scene.meshes[0]
    assert mesh.deformed is not None and np.ptp(mesh.vertices[:, 0]) == pytest.approx(6)
    assert np.ptp(mesh.deformed[:, :, 0], axis=1) == pytest.approx([2] * 24 + [0])
    assert scene.visible[:, 0].tolist() == [True] * 24 + [False]
    assert any("1 mesh(es) deform by scales that change" in note for note in scene.notes)


def test_a_scale_that_an_animation_only_holds_is_no_deformation(tmp_path):
    gltf, node = sliding()
    gltf.tree["animations"] = []
    gltf.animation(
        (node, "scale", [0, 1], [[2, 2, 2]] * 2, "LINEAR"), (node, "rotation", [0, 1], [[0, 0, 0, 1], TURN_Z], "LINEAR")
    )
    mesh = load(gltf.save(tmp_path / "a.glb")).meshes[0]
    assert mesh.deformed is None and np.ptp(mesh.vertices[:, 0]) == pytest.approx(4)


def test_nodes_share_a_mesh_and_their_classes_are_what_they_hang_on(tmp_path):
    gltf, _ = sliding()
    mesh = gltf.mesh(name="cup")
    cups = [gltf.node(top=False, mesh=mesh, translation=[x, 0, 0]) for x in (0, 1)]
    gltf.node(name="tray", children=[gltf.node(top=False, children=cups)])
    gltf.node(mesh=mesh)
    scene = load(gltf.save(tmp_path / "a.glb"))
    assert [(i.name, i.class_name) for i in scene.instances] == [
        ("sledge", "sledge"),
        ("cup", "tray"),
        ("cup_2", "tray"),
        ("cup_3", "cup"),
    ]
    assert len(scene.meshes) == 2 and [part.mesh for part in scene.parts] == [0, 1, 1, 1]


def test_a_single_root_that_only_groups_is_looked_through(tmp_path):
    gltf = Gltf()
    mesh = gltf.mesh()
    things = [gltf.node(top=False, mesh=mesh, name=name) for name in ("table", "chair")]
    root = gltf.node(name="Scene root", children=things)
    gltf.animation((root, "translation", [0, 1], [[0, 0, 0], [0, 0, 1]], "LINEAR"))
    assert [i.class_name for i in load(gltf.save(tmp_path / "a.glb")).instances] == ["table", "chair"]


def skeleton(gltf, rng, bones):
    """Joints that hang on each other or on a node, turned, moved and scaled; their matrices as plain lists."""
    parents, held = [], []
    for k in range(bones):
        parent = int(rng.integers(0, k)) if k else None
        q = rng.normal(size=4)
        entry = {
            "translation": rng.normal(size=3).tolist(),
            "rotation": (q / np.linalg.norm(q)).tolist(),
            "scale": [float(rng.uniform(0.7, 1.4))] * 3,
        }
        node = gltf.node(top=parent is None, name=f"bone{k}", **entry)
        if parent is not None:
            gltf.tree["nodes"][parent].setdefault("children", []).append(node)
        parents.append(parent)
        held.append(entry)
    return parents, held


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_skins_and_morph_targets_take_vertices_where_the_specification_says(tmp_path_factory, seed):
    rng = np.random.default_rng(seed)
    gltf, bones, count = Gltf(), int(rng.integers(1, 5)), 9
    parents, held = skeleton(gltf, rng, bones)
    seconds = np.array([0.1, 0.4, 1.0], np.float32)
    way = str(rng.choice(["LINEAR", "STEP", "CUBICSPLINE"]))
    rows = 9 if way == "CUBICSPLINE" else 3
    keys = {k: rng.normal(size=(rows, 4)).astype(np.float32) for k in range(bones) if k == 0 or rng.random() < 0.7}
    joints = rng.permutation(bones).tolist()
    matrices = np.array([matrix_of(rng.normal(size=3), (0.5, -0.5, 0.5, 0.5), (1, 1, 1)) for _ in joints], np.float32)
    points = rng.normal(size=(count, 3)).astype(np.float32)
    sets = int(rng.integers(1, 3))
    index = rng.integers(0, bones, (sets, count, 4)).astype(np.uint8)
    share = rng.uniform(0, 1, (sets, count, 4)).astype(np.float32)
    share /= share.sum(axis=(0, 2))[None, :, None]
    targets = rng.normal(size=(2, count, 3)).astype(np.float32)
    weights = rng.uniform(-1, 1, (3, 2)).astype(np.float32)
    extra = {f"JOINTS_{k}": index[k] for k in range(sets)} | {f"WEIGHTS_{k}": share[k] for k in range(sets)}
    mesh = gltf.mesh(points, np.arange(count, dtype=np.uint16), targets=targets, weights=[0.25, 0.0], **extra)
    # the node's own place does not count
    body = gltf.node(mesh=mesh, skin=gltf.skin(joints, matrices), name="body", translation=[5, 5, 5])
    turns = [(k, "rotation", seconds, keys[k], way) for k in keys]
    gltf.animation(*turns, (body, "weights", seconds, weights, "LINEAR"))
    scene = load(gltf.save(tmp_path_factory.mktemp("a") / "a.glb"), LoadOptions(fps=5.0))
    check_scene(scene)
    (found,) = scene.meshes
    assert found.deformed is not None and len(found.vertices) == count
    place = np.linalg.inv(Y_UP) @ scene.world_from_instance[0, 0]
    for frame in range(scene.frames):
        world = []
        for k in range(bones):
            turn = value_at(seconds, keys[k], way, frame / 5, turns=True) if k in keys else held[k]["rotation"]
            own = matrix_of(held[k]["translation"], turn, held[k]["scale"])
            world.append(own if parents[k] is None else times(world[parents[k]], own))
        palette = [times(world[joint], matrix) for joint, matrix in zip(joints, matrices.tolist(), strict=True)]
        by = value_at(seconds, weights, "LINEAR", frame / 5)
        for v in range(count):
            start = [points[v][i] + sum(by[t] * targets[t][v][i] for t in range(2)) for i in range(3)]
            expected = np.zeros(3)
            for s in range(sets):
                for slot in range(4):
                    expected += share[s, v, slot] * np.array(moved(palette[index[s, v, slot]], start))
            assert found.deformed[frame, v] @ place[:3, :3].T + place[:3, 3] == pytest.approx(expected, abs=1e-4)


def arm(**more):
    """A strip on two bones, of which the second bends by 90 degrees in one second."""
    gltf = Gltf()
    y = np.linspace(0, 2, 9)
    points = np.stack([np.tile([-0.2, 0.2], 9), np.repeat(y, 2), np.zeros(18)], axis=1)
    upper = np.clip(np.repeat(y, 2) - 0.5, 0, 1)
    joints, shares = np.zeros((18, 4), np.uint8), np.zeros((18, 4), np.float32)
    joints[:, 1], shares[:, 0], shares[:, 1] = 1, 1 - upper, upper
    faces = np.array([[2 * k + np.array([0, 1, 3]), 2 * k + np.array([0, 3, 2])] for k in range(8)], np.uint16).ravel()
    elbow = gltf.node(top=False, name="elbow", translation=[0, 1, 0])
    shoulder = gltf.node(name="shoulder", children=[elbow])
    matrices = np.array([np.eye(4), np.eye(4)])
    matrices[1, 1, 3] = -1
    mesh = gltf.mesh(points, faces, name="skin", JOINTS_0=joints, WEIGHTS_0=shares, **more)
    gltf.node(name="arm", mesh=mesh, skin=gltf.skin([shoulder, elbow], matrices))
    gltf.animation((elbow, "rotation", [0, 1], [[0, 0, 0, 1], TURN_Z], "LINEAR"), name="bend")
    return gltf


def test_a_skin_bends_and_is_said_to(tmp_path):
    scene = load(arm().save(tmp_path / "a.glb"))
    (mesh,) = scene.meshes
    assert mesh.deformed is not None and mesh.deformed.shape == (25, 18, 3) and mesh.deformed.dtype == np.float32
    assert np.abs(mesh.deformed[0] - mesh.vertices).max() < 1e-6
    tip = mesh.deformed[-1][np.argmax(mesh.vertices[:, 1])]
    assert tip[0] == pytest.approx(-1, abs=1e-5) and tip[1] == pytest.approx(1, abs=0.3)
    assert any("1 mesh(es) deform by 1 skin(s) with 2 joints" in note for note in scene.notes)
    assert [i.name for i in scene.instances] == ["arm"]


def test_a_skin_that_nothing_moves_is_a_mesh_in_its_pose(tmp_path):
    gltf = arm()
    del gltf.tree["animations"]
    gltf.tree["nodes"][0]["rotation"] = TURN_Z
    (mesh,) = load(gltf.save(tmp_path / "a.glb")).meshes
    assert mesh.deformed is None and mesh.vertices[:, 0].min() == pytest.approx(-1, abs=1e-5)


def test_the_pose_at_rest_does_not_depend_on_the_frames_that_are_asked_for(tmp_path):
    path = arm().save(tmp_path / "a.glb")
    whole, some = load(path), load(path, LoadOptions(frames=3, stride=8))
    assert np.array_equal(whole.meshes[0].vertices, some.meshes[0].vertices)
    assert whole.meshes[0].deformed is not None and some.meshes[0].deformed is not None
    assert np.array_equal(whole.meshes[0].deformed[[0, 8, 16]], some.meshes[0].deformed)


def test_holes_of_a_texture_are_cut_out_of_a_skin_in_every_frame(tmp_path):
    buffer = io.BytesIO()
    rgba = np.full((16, 16, 4), 255, np.uint8)
    rgba[4:7, :8, 3] = 0
    Image.fromarray(rgba).save(buffer, "PNG")
    uv = np.stack([np.tile([0, 1], 9), np.repeat(np.linspace(1, 0, 9), 2)], axis=1).astype(np.float32)
    gltf = arm(TEXCOORD_0=uv, material=0)
    image = gltf.add("images", {"bufferView": gltf.view(buffer.getvalue()), "mimeType": "image/png"})
    gltf.add("textures", {"source": image})
    gltf.add("materials", {"alphaMode": "MASK", "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}})
    (cut,) = load(gltf.save(tmp_path / "a.glb")).meshes
    (whole,) = load(arm().save(tmp_path / "b.glb")).meshes
    assert cut.deformed is not None and whole.deformed is not None and len(cut.faces) > len(whole.faces)
    assert cut.deformed.shape == (25, len(cut.vertices), 3)
    for frame in (0, 12, 24):
        assert area(cut.deformed[frame], cut.faces) < 0.95 * area(whole.deformed[frame], whole.faces)
    # new corners are on the edges and faces of the whole mesh, and go with them
    for frame in (12, 24):
        for point in cut.deformed[frame]:
            assert distance(point, whole.deformed[frame], whole.faces) < 1e-5


def area(points, faces):
    a, b, c = (points[faces[:, k]].astype(float) for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


def distance(point, points, faces):
    """From the nearest of the planes of the triangles in which it lies."""
    best = np.inf
    for a, b, c in points[faces].astype(float):
        u, v, w = b - a, c - a, point - a
        shares, *_ = np.linalg.lstsq(np.stack([u, v], axis=1), w, rcond=None)
        if min(*shares, 1 - shares.sum()) > -1e-4:
            best = min(best, np.linalg.norm(np.stack([u, v], axis=1) @ shares - w))
    return best


def test_sparse_targets_move_the_vertices_that_they_name(tmp_path):
    gltf = Gltf()
    node = gltf.node(mesh=gltf.mesh(targets=[np.zeros((4, 3))]))
    sparse = {
        "count": 1,
        "indices": {"bufferView": gltf.view(np.array([2], np.uint16).tobytes()), "componentType": 5123},
        "values": {"bufferView": gltf.view(np.array([0, 0, 3], np.float32).tobytes())},
    }
    target = gltf.add("accessors", {"componentType": 5126, "count": 4, "type": "VEC3", "sparse": sparse})
    gltf.tree["meshes"][0]["primitives"][0]["targets"][0]["POSITION"] = target
    gltf.animation((node, "weights", [0, 1], [0, 1], "LINEAR"))
    (mesh,) = load(gltf.save(tmp_path / "a.glb"), LoadOptions(fps=2.0)).meshes
    assert mesh.deformed is not None
    assert np.abs(mesh.deformed - mesh.vertices - np.array([0, 0.5, 1])[:, None, None] * [0, 0, 3]).max(
        axis=(0, 2)
    ).tolist() == (pytest.approx([3, 3, 0, 3]))


@pytest.mark.parametrize("name", ["a.glb", "a.gltf"])
@pytest.mark.parametrize("moves", [True, False])
def test_interleaved_and_quantized_vertices_are_read(tmp_path, name, moves):
    gltf, _ = sliding(scale=[0.5, 0.5, 0.5])
    if not moves:
        del gltf.tree["animations"]
    gltf.tree |= {"extensionsUsed": ["KHR_mesh_quantization"], "extensionsRequired": ["KHR_mesh_quantization"]}
    rows = np.zeros(4, [("p", "<i2", 3), ("pad", "<i2"), ("uv", "<u2", 2)])
    rows["p"], rows["uv"] = QUAD * 32767, (QUAD[:, :2] / 2 + 0.5) * 65535
    view = gltf.view(rows.tobytes(), byteStride=12)
    kind = {"bufferView": view, "count": 4, "normalized": True}
    attributes = {
        "POSITION": gltf.add("accessors", {**kind, "componentType": 5122, "type": "VEC3"}),
        "TEXCOORD_0": gltf.add("accessors", {**kind, "componentType": 5123, "type": "VEC2", "byteOffset": 8}),
    }
    gltf.tree["meshes"][0]["primitives"][0] |= {"attributes": attributes, "material": gltf.add("materials", {})}
    (mesh,) = load(gltf.save(tmp_path / name)).meshes
    assert np.ptp(mesh.vertices, axis=0) == pytest.approx([1, 1, 0], abs=1e-4)
    assert mesh.uv is not None and mesh.uv.min() == pytest.approx(0) and mesh.uv.max() == pytest.approx(1)


@pytest.mark.parametrize("name", ["a.glb", "a.gltf"])
def test_sparse_vertices_of_a_file_at_rest_are_where_they_are_put(tmp_path, name):
    gltf = Gltf()
    gltf.node(mesh=gltf.mesh())
    sparse = {
        "count": 1,
        "indices": {"bufferView": gltf.view(np.array([2], np.uint16).tobytes()), "componentType": 5123},
        "values": {"bufferView": gltf.view(np.array([5, 5, 0], np.float32).tobytes())},
    }
    gltf.tree["accessors"][0]["sparse"] = sparse
    (mesh,) = load(gltf.save(tmp_path / name)).meshes
    assert mesh.vertices.max(axis=0) == pytest.approx([5, 5, 0])


@pytest.mark.parametrize("name", ["a.glb", "a.gltf"])
@pytest.mark.parametrize("moves", [True, False])
@pytest.mark.parametrize(("mode", "order"), [(5, [0, 1, 3, 2]), (6, [0, 1, 2, 3]), (6, None)])
def test_strips_and_fans_are_triangles_that_face_one_way(tmp_path, mode, order, moves, name):
    gltf, _ = sliding()
    primitive = gltf.tree["meshes"][0]["primitives"][0]
    primitive["mode"] = mode
    del primitive["indices"]
    if order is not None:
        primitive["indices"] = gltf.accessor(np.array(order, np.uint8))
    if not moves:
        del gltf.tree["animations"]
    (mesh,) = load(gltf.save(tmp_path / name)).meshes
    assert len(mesh.faces) == 2 and mesh.normals is not None and mesh.normals[..., 2] == pytest.approx(1)


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
@pytest.mark.parametrize("moves", [True, False])
def test_points_and_lines_are_left_out_and_noted(tmp_path, mode, moves):
    gltf = sliding()[0] if moves else Gltf()
    boards = int(moves)
    gltf.node(mesh=gltf.mesh(name="board"))
    gltf.node(mesh=gltf.mesh(name="sand"))
    gltf.tree["meshes"][-1]["primitives"][0]["mode"] = mode
    scene = load(gltf.save(tmp_path / "a.glb"))
    assert len(scene.meshes) == 1 + boards
    assert [note for note in scene.notes if "left out" in note] == ["a.glb: the points or lines of sand are left out"]


def test_cameras_look_where_their_nodes_look(tmp_path):
    gltf, sledge = sliding()
    gltf.add("cameras", {"type": "perspective", "perspective": {"yfov": 1.0, "aspectRatio": 2, "znear": 0.1}})
    gltf.add("cameras", {"type": "orthographic", "orthographic": {"xmag": 3, "ymag": 2, "znear": 0, "zfar": 9}})
    gltf.node(name="front", camera=0, translation=[0, 1, 5], scale=[2, 2, 2])
    gltf.tree["nodes"][sledge]["children"] = [gltf.node(top=False, name="ride", camera=1, rotation=[0, 1, 0, 0])]
    scene = load(gltf.save(tmp_path / "a.glb"))
    check_scene(scene)
    front, ride = scene.cameras
    assert (front.name, front.size, ride.name, ride.size) == ("front", (480, 960), "ride", (480, 720))
    assert 2 * np.arctan(240 / front.intrinsics[0, 1, 1]) == pytest.approx(1.0)
    assert ride.projection == "orthographic" and 480 / ride.intrinsics[0, 1, 1] == pytest.approx(4)
    # 5 m in front along the file's z is -y here; a point above the middle is in the picture's upper half
    assert front.world_from_camera[0, :3, 3] == pytest.approx([0, -5, 1])
    assert front.world_from_camera[0, :3, 2] == pytest.approx([0, 1, 0])
    assert front.world_from_camera[0, :3, 1] == pytest.approx([0, 0, -1])
    assert ride.world_from_camera[0, :3, 2] == pytest.approx([0, -1, 0])
    assert ride.world_from_camera[:, 0, 3] == pytest.approx(np.linspace(0, 2, 25))
    assert load(gltf.save(tmp_path / "a.glb"), LoadOptions(size=(60, 80))).cameras[0].size == (60, 80)


def test_a_file_with_a_camera_and_no_animation_has_one_frame_unless_more_are_asked_for(tmp_path):
    gltf = Gltf()
    gltf.node(mesh=gltf.mesh(), name="a")
    gltf.add("cameras", {"type": "perspective", "perspective": {"yfov": 1.0}})
    gltf.node(camera=0, translation=[0, 0, 3])
    path = gltf.save(tmp_path / "a.glb")
    assert load(path).frames == 1 and load(path).cameras[0].size == (480, 640)
    assert load(path, LoadOptions(frames=7)).frames == 7


def test_a_long_rollout_of_a_skin_makes_no_table_and_any_frame_has_the_same_bits_alone(tmp_path):
    scene = load(arm().save(tmp_path / "a.glb"), LoadOptions(fps=2400.0))
    (mesh,) = scene.meshes
    assert isinstance(mesh.deformed, MovingVertices) and mesh.deformed.shape == (2401, 18, 3)
    again = load(scene.source, LoadOptions(fps=2400.0)).meshes[0].deformed
    assert again is not None
    for frame in (2400, 7, 1200, 7):
        assert np.array_equal(mesh.deformed[frame], again[frame])
    assert not np.array_equal(mesh.deformed[7], mesh.deformed[1200])
    assert isinstance(scene.sliced(slice(5, None, 3)).meshes[0].deformed, MovingVertices)
    assert np.array_equal(scene.sliced(slice(5, None, 3)).meshes[0].deformed[1], mesh.deformed[8])


def broken(change):
    def made(folder):
        gltf = arm()
        gltf.add("cameras", {"type": "perspective", "perspective": {"yfov": 1.0}})
        gltf.node(camera=0)
        change(gltf.tree)
        return gltf.save(folder / "a.glb")

    return made


def setting(*keys):
    *path, last, value = keys

    def change(tree):
        for key in path:
            tree = tree[key]
        tree[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (setting("nodes", 0, "children", [1]), "node 1 hangs on several others, or on itself"),
        (setting("nodes", 1, "children", [0, 0]), "node 0 hangs on several others"),
        (setting("nodes", 1, "children", [77]), "it names number 77 of its 4 nodes"),
        (setting("nodes", 2, "mesh", -1), "it names number -1 of its 1 meshes"),
        (setting("nodes", 2, "skin", 3), "number 3 of its 1 skins"),
        (setting("nodes", 0, "translation", [0, float("nan"), 0]), "the translation of node 0 is not 3 finite numbers"),
        (setting("nodes", 0, "rotation", [0, 0, 0, 0]), "no quaternion"),
        (setting("nodes", 0, "scale", [1e308, 1, 1]), "the scale of node 0 is not 3 finite numbers"),
        (setting("nodes", 3, "scale", [0, 0, 0]), "the node of camera camera_3 is flat"),
        (setting("skins", 0, "joints", []), "skin 0 has no joints"),
        (setting("skins", 0, "joints", [0]), "follows joint 1 of 1"),
        (setting("skins", 0, "joints", [0, 99]), "no nodes of the scene"),
        (setting("accessors", 0, "count", 10**9), "accessor 0"),
        (setting("accessors", 0, "count", 19), "accessor 0 needs 228 bytes of bufferView 0, which has 216"),
        (setting("accessors", 0, "type", "VEC2"), "vertices of skin must be VEC3"),
        (setting("accessors", 3, "componentType", 5126), "accessor 3"),
        (setting("accessors", 1, "count", 5), "18 vertices, but 5 joints"),
        (setting("bufferViews", 0, "byteStride", 4), "bufferView 0 has offsets, lengths or strides that fit nothing"),
        (setting("bufferViews", 0, "buffer", 1), "number 1 of its 1 buffers"),
        (setting("cameras", 0, "perspective", "yfov", 4), "sees nothing"),
        (setting("cameras", 0, "perspective", "aspectRatio", 0), "must be above 0"),
        (setting("cameras", 0, "type", "fisheye"), "neither perspective nor orthographic"),
        (setting("animations", 0, "channels", 5), "values of another kind"),
        (setting("animations", 0, "samplers", 0, "interpolation", "MAGIC"), "joined by 'MAGIC'"),
        (setting("extensionsRequired", ["KHR_draco_mesh_compression"]), "needs the glTF extension KHR_draco_mesh_compression"),
        (setting("extensionsRequired", ["EXT_meshopt_compression"]), "needs the glTF extension EXT_meshopt_compression"),
    ],
)
def test_files_that_are_wrong_are_refused_in_one_line(tmp_path, change, why, monkeypatch):
    with pytest.raises(UnreadableFileError, match=why) as error:
        load(broken(change)(tmp_path))
    assert "\n" not in str(error.value) and "a.glb" in str(error.value)


def test_buffers_that_are_cut_off_or_missing_are_named(tmp_path):
    path = arm().save(tmp_path / "a.gltf", external=True)
    beside = tmp_path / "a buffer.bin"
    size = beside.stat().st_size
    beside.write_bytes(beside.read_bytes()[:-40])
    with pytest.raises(UnreadableFileError, match=f"buffer 0 is cut off, {size - 40} of {size} bytes are there"):
        load(path)
    beside.unlink()
    with pytest.raises(MissingFileError, match="a file that a.gltf names not found"):
        load(path)


def test_a_compressed_primitive_is_refused_where_its_extension_is_only_used(tmp_path):
    gltf = arm()
    primitive = gltf.tree["meshes"][0]["primitives"][0]
    primitive["extensions"] = {"KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {"POSITION": 0}}}
    assert load(gltf.save(tmp_path / "a.glb")).frames == 25, "the plain vertices are there, too"
    del gltf.tree["accessors"][primitive["attributes"]["POSITION"]]["bufferView"]
    with pytest.raises(UnreadableFileError, match="compressed with KHR_draco_mesh_compression.*export it without"):
        load(gltf.save(tmp_path / "a.glb"))


def test_the_hash_is_of_all_files(tmp_path):
    path = arm().save(tmp_path / "a.gltf", external=True)
    before = load(path).sha256
    tree = json.loads(path.read_text())
    path.write_text(json.dumps({**tree, "extras": 1}))
    between = load(path).sha256
    data = bytearray((tmp_path / "a buffer.bin").read_bytes())
    data[0] ^= 1
    (tmp_path / "a buffer.bin").write_bytes(data)
    assert len({before, between, load(path).sha256}) == 3


def test_quads_face_as_they_did_when_their_node_is_mirrored(tmp_path):
    gltf, _ = sliding(scale=[-1, 1, 1])
    (mesh,) = load(gltf.save(tmp_path / "a.glb")).meshes
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    assert mesh.normals is not None
    assert ((np.cross(b - a, c - a) * mesh.normals[:, 0]).sum(axis=1) > 0).all()
    assert len(QUAD_FACES) == mesh.faces.size
