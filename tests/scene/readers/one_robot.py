"""One robot, told in the words of four formats: links on a tree, hinges and slides, solids and a mesh, three states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from sim2real.scene import primitives
from sim2real.scene.records import Mesh

from .gltf_files import Gltf

FPS = 24
BRACKET = np.array([[x, y, z] for z in (0, 0.06) for x, y in [(0, 0), (0.3, 0), (0.3, 0.1), (0.1, 0.1), (0.1, 0.4), (0, 0.4)]])
_CAP = [(0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 5)]
_SIDES = [((a, b, 6 + b), (a, 6 + b, 6 + a)) for a, b in ((k, (k + 1) % 6) for k in range(6))]
BRACKET_FACES = np.array(
    [t[::-1] for t in _CAP] + [tuple(6 + v for v in t) for t in _CAP] + [t for pair in _SIDES for t in pair]
)
"""An L, so that what takes a mesh for its hull is found out."""


@dataclass(frozen=True)
class Visual:
    """A solid (half sizes of boxes, radius, radius and half height) or the bracket (scales), in its link; roll, pitch, yaw."""

    kind: str
    size: tuple[float, ...]
    xyz: tuple[float, float, float] = (0, 0, 0)
    rpy: tuple[float, float, float] = (0, 0, 0)


@dataclass(frozen=True)
class Link:
    """A link on another one, by a hinge or a slide along an axis of its own frame; the states of it."""

    name: str
    parent: str | None
    visuals: tuple[Visual, ...]
    kind: str = "fixed"
    axis: tuple[float, float, float] = (0, 0, 1)
    xyz: tuple[float, float, float] = (0, 0, 0)
    rpy: tuple[float, float, float] = (0, 0, 0)
    states: tuple[float, float, float] = (0, 0, 0)

    @property
    def direction(self) -> np.ndarray:
        return np.array(self.axis) / np.linalg.norm(self.axis)

    def positions(self, frames: int) -> list[float]:
        """From the first state through the second to the third."""
        return np.interp(np.linspace(0, 2, frames), [0, 1, 2], self.states).tolist()


ROBOT = (
    Link("base", None, (Visual("box", (0.2, 0.15, 0.05), (0.02, 0, 0.05), (0, 0, 0.4)), Visual("sphere", (0.08,)))),
    Link(
        "upper",
        "base",
        (
            Visual("cylinder", (0.05, 0.2), (0, 0.03, 0.2), (0.3, 0.1, 0)),
            Visual("bracket", (1, 1, 1), (0.05, 0, 0.3), (1, 0, 2)),
        ),
        "revolute",
        (1, 2, 0.5),
        (0.1, 0.05, 0.12),
        (0.2, -0.3, 0.5),
        (0.1, -0.8, 1.3),
    ),
    Link(
        "fore",
        "upper",
        (Visual("capsule", (0.04, 0.15), (0, 0, 0.15)),),
        "prismatic",
        (0, 1, 1),
        (-0.02, 0.1, 0.45),
        (0.6, 0, -0.4),
        (0.0, 0.15, -0.05),
    ),
    Link(
        "left", "fore", (Visual("box", (0.02, 0.01, 0.06)),), "revolute", (0, 1, 0), (0.05, 0, 0.36), (0, 0.3, 0), (0, 0.5, 2.9)
    ),
    Link(
        "right",
        "fore",
        (Visual("bracket", (0.4, 0.5, 0.6)),),
        "prismatic",
        (-1, 0.2, 0),
        (-0.06, 0, 0.36),
        (0, 0, 1),
        (0.02, 0, 0.1),
    ),
)
JOINTS = tuple(link for link in ROBOT if link.kind != "fixed")


def turn_of(rpy: tuple[float, float, float]) -> Rotation:
    """Roll, pitch and yaw about fixed axes, as URDF has them."""
    return Rotation.from_euler("xyz", rpy)


def _words(values: object) -> str:
    return " ".join(repr(float(v)) for v in np.ravel(np.asarray(values, float)))


def write_obj(folder: Path) -> None:
    """The bracket."""
    lines = [f"v {_words(v)}" for v in BRACKET] + ["f " + " ".join(str(v + 1) for v in face) for face in BRACKET_FACES]
    (folder / "bracket.obj").write_text("\n".join(lines) + "\n")


def write_mjcf(folder: Path, frames: int = 3) -> Path:
    """A model, and ``states.npy`` beside it."""

    def quat(rpy: tuple[float, float, float]) -> str:
        return _words(np.roll(turn_of(rpy).as_quat(), 1))

    scales = {v.size for link in ROBOT for v in link.visuals if v.kind == "bracket"}
    names = {scale: f"bracket{k}" for k, scale in enumerate(sorted(scales))}
    assets = "".join(f'<mesh name="{name}" file="bracket.obj" scale="{_words(scale)}"/>' for scale, name in names.items())

    def geom(v: Visual) -> str:
        shape = f'type="mesh" mesh="{names[v.size]}"' if v.kind == "bracket" else f'type="{v.kind}" size="{_words(v.size)}"'
        return f'<geom {shape} pos="{_words(v.xyz)}" quat="{quat(v.rpy)}"/>'

    def body(link: Link) -> str:
        kind = {"revolute": "hinge", "prismatic": "slide"}.get(link.kind)
        own = f'<joint name="{link.name}" type="{kind}" axis="{_words(link.axis)}"/>' if kind else ""
        own += "".join(map(geom, link.visuals)) + "".join(body(child) for child in ROBOT if child.parent == link.name)
        return f'<body name="{link.name}" pos="{_words(link.xyz)}" quat="{quat(link.rpy)}">{own}</body>'

    write_obj(folder)
    np.save(folder / "states.npy", np.array([link.positions(frames) for link in JOINTS]).T)
    quality = '<visual><quality numslices="32" numstacks="16"/></visual>'  # as round as other readers make them
    text = f"<mujoco>{quality}<asset>{assets}</asset><worldbody>{body(ROBOT[0])}</worldbody></mujoco>"
    path = folder / "robot.xml"
    path.write_text(text)
    return path


def write_urdf(folder: Path, frames: int = 3) -> Path:
    """A robot, and ``log.csv`` beside it."""

    def origin(xyz: tuple[float, float, float], rpy: tuple[float, float, float]) -> str:
        return f'<origin xyz="{_words(xyz)}" rpy="{_words(rpy)}"/>'

    def visual(v: Visual) -> str:
        shape = {
            "box": lambda s: f'<box size="{_words(2 * np.array(s))}"/>',
            "sphere": lambda s: f'<sphere radius="{s[0]}"/>',
            "cylinder": lambda s: f'<cylinder radius="{s[0]}" length="{2 * s[1]}"/>',
            "capsule": lambda s: f'<capsule radius="{s[0]}" length="{2 * s[1]}"/>',
            "bracket": lambda s: f'<mesh filename="bracket.obj" scale="{_words(s)}"/>',
        }[v.kind](v.size)
        return f"<visual>{origin(v.xyz, v.rpy)}<geometry>{shape}</geometry></visual>"

    text = "".join(f'<link name="{link.name}">{"".join(map(visual, link.visuals))}</link>' for link in ROBOT)
    for link in JOINTS:
        ends = f'<parent link="{link.parent}"/><child link="{link.name}"/>'
        limits = '<limit lower="-9" upper="9" effort="1" velocity="1"/>'
        way = f'{origin(link.xyz, link.rpy)}<axis xyz="{_words(link.axis)}"/>'
        text += f'<joint name="{link.name}" type="{link.kind}">{ends}{way}{limits}</joint>'
    write_obj(folder)
    states = np.array([np.arange(frames) / FPS, *(link.positions(frames) for link in JOINTS)]).T
    rows = [",".join(map(repr, row)) for row in states.tolist()]
    (folder / "log.csv").write_text("\n".join(["time," + ",".join(link.name for link in JOINTS), *rows]) + "\n")
    path = folder / "robot.urdf"
    path.write_text(f'<robot name="robot">{text}</robot>')
    return path


def write_usd(folder: Path, frames: int = 3) -> Path:
    """A stage in centimetres whose y axis is up, with time samples."""
    from pxr import Gf, UsdGeom

    from .usd_stages import add_mesh, new_stage

    stage = new_stage(folder / "robot.usdc", unit=0.01, up="Y", frames=(0, frames - 1))
    stage.SetTimeCodesPerSecond(FPS)
    world = UsdGeom.Xformable(stage.GetPrimAtPath("/World"))
    world.AddRotateXOp(UsdGeom.XformOp.PrecisionDouble).Set(-90.0)
    world.AddScaleOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Vec3d(100, 100, 100))
    paths = {None: "/World"}

    def placed(prim: object, xyz: tuple[float, float, float], rpy: tuple[float, float, float]) -> object:
        form = UsdGeom.Xformable(prim)
        form.AddTranslateOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Vec3d(*xyz))
        x, y, z, w = turn_of(rpy).as_quat().tolist()
        form.AddOrientOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Quatd(w, x, y, z))
        return form

    for link in ROBOT:
        path = paths[link.name] = f"{paths[link.parent]}/{link.name}"
        form = placed(UsdGeom.Xform.Define(stage, path), link.xyz, link.rpy)
        slide = form.AddTranslateOp(UsdGeom.XformOp.PrecisionDouble, "joint") if link.kind == "prismatic" else None
        hinge = form.AddTransformOp(UsdGeom.XformOp.PrecisionDouble, "joint") if link.kind == "revolute" else None
        for code, state in enumerate(link.positions(frames)):
            if slide:
                slide.Set(Gf.Vec3d(*(state * link.direction).tolist()), code)
            if hinge:
                whole = np.eye(4)
                whole[:3, :3] = Rotation.from_rotvec(state * link.direction).as_matrix()
                hinge.Set(Gf.Matrix4d(whole.T.tolist()), code)
        for k, v in enumerate(link.visuals):
            at = f"{path}/visual_{k}"
            if v.kind == "bracket":
                shape = add_mesh(stage, at, BRACKET, BRACKET_FACES.tolist())
            else:
                shape = {
                    "box": UsdGeom.Cube,
                    "sphere": UsdGeom.Sphere,
                    "cylinder": UsdGeom.Cylinder,
                    "capsule": UsdGeom.Capsule,
                }[v.kind].Define(stage, at)
            form = placed(shape, v.xyz, v.rpy)
            if v.kind in ("bracket", "box"):
                form.AddScaleOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Vec3d(*v.size))
            else:
                shape.CreateRadiusAttr(v.size[0])
            if v.kind in ("cylinder", "capsule"):
                shape.CreateHeightAttr(2 * v.size[1])
                shape.CreateAxisAttr("Z")
    stage.Save()
    return folder / "robot.usdc"


def write_glb(folder: Path, frames: int = 3) -> Path:
    """An animated file, y up as all of them, with solids as triangles."""
    solids: dict[str, Callable[..., Mesh]] = {
        "box": lambda *half: primitives.box(half),
        "sphere": primitives.sphere,
        "cylinder": primitives.cylinder,
        "capsule": primitives.capsule,
    }
    gltf, nodes, seconds = Gltf(), {}, np.arange(frames) / FPS
    channels = []
    for link in ROBOT[::-1]:  # children come before those that they hang on
        children = [nodes[child.name] for child in ROBOT if child.parent == link.name]
        for v in link.visuals:
            if v.kind == "bracket":
                mesh, scale = gltf.mesh(BRACKET, BRACKET_FACES.ravel().astype(np.uint16)), list(v.size)
            else:
                solid, scale = solids[v.kind](*v.size), [1.0, 1, 1]
                mesh = gltf.mesh(solid.vertices, solid.faces.ravel().astype(np.uint16))
            turn = turn_of(v.rpy).as_quat().tolist()
            children.append(gltf.node(top=False, mesh=mesh, translation=list(v.xyz), rotation=turn, scale=scale))
        origin = turn_of(link.rpy)
        still = {"translation": list(link.xyz), "rotation": origin.as_quat().tolist()}
        nodes[link.name] = gltf.node(top=False, name=link.name, children=children, **still)
        if link.kind == "revolute":
            turns = [(origin * Rotation.from_rotvec(state * link.direction)).as_quat() for state in link.positions(frames)]
            channels.append((nodes[link.name], "rotation", seconds, turns, "LINEAR"))
        if link.kind == "prismatic":
            ways = [np.array(link.xyz) + origin.apply(state * link.direction) for state in link.positions(frames)]
            channels.append((nodes[link.name], "translation", seconds, ways, "LINEAR"))
    half = float(np.sqrt(0.5))
    gltf.node(children=[nodes["base"]], rotation=[-half, 0, 0, half])
    gltf.animation(*channels)
    return gltf.save(folder / "robot.glb")
