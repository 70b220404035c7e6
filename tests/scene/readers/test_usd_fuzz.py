"""Whatever a USD file holds, a scene is made of it, or one line says what is wrong: no crash, no hang, nothing printed."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from sim2real.scene import load

from ...mutations import check_scene, damaged, fuzzed, read_or_refused

pytest.importorskip("pxr")

STAGE = """#usda 1.0
(
    defaultPrim = "World"
    metersPerUnit = 1
    upAxis = "Z"
    startTimeCode = 0
    endTimeCode = 3
    timeCodesPerSecond = 24
)
def Xform "World"
{
    def Mesh "cart" (apiSchemas = ["MaterialBindingAPI"])
    {
        matrix4d xformOp:transform.timeSamples = {
            0: ((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,0,0,1)),
            3: ((1,0,0,0),(0,1,0,0),(0,0,1,0),(1,0,0,1)),
        }
        uniform token[] xformOpOrder = ["xformOp:transform"]
        token visibility.timeSamples = { 0: "inherited", 2: "invisible" }
        int[] faceVertexCounts = [4, 3]
        int[] faceVertexIndices = [0, 1, 2, 3, 0, 1, 4]
        int[] holeIndices = []
        uniform token orientation = "leftHanded"
        uniform token subdivisionScheme = "none"
        point3f[] points = [(0,0,0), (1,0,0), (1,1,0), (0,1,0), (0,0,1)]
        normal3f[] normals = [(0,0,1), (0,0,1), (0,0,1), (0,0,1), (1,0,0)]
        texCoord2f[] primvars:st = [(0,0), (1,0), (1,1), (0,1)] (interpolation = "faceVarying")
        int[] primvars:st:indices = [0, 1, 2, 3, 0, 1, 2]
        rel material:binding = </World/m>
        def GeomSubset "top"
        {
            uniform token elementType = "face"
            uniform token familyName = "materialBind"
            int[] indices = [1]
        }
    }
    def Mesh "cloth"
    {
        int[] faceVertexCounts = [3]
        int[] faceVertexIndices = [0, 1, 2]
        point3f[] points.timeSamples = { 0: [(0,0,0), (1,0,0), (0,1,0)], 3: [(0,0,0), (1,0,0), (0,1,1)] }
        color3f[] primvars:displayColor = [(1, 0, 0), (0, 1, 0), (0, 0, 1)] (interpolation = "vertex")
    }
    def Capsule "pill"
    {
        double radius = 0.1
        double height = 0.3
        uniform token axis = "X"
        double3 xformOp:scale = (1, 2, 3)
        uniform token[] xformOpOrder = ["xformOp:scale"]
    }
    def PointInstancer "rocks"
    {
        int[] protoIndices = [0, 0]
        int64[] ids = [3, 4]
        point3f[] positions = [(0,0,0), (2,0,0)]
        rel prototypes = [</World/rocks/a>]
        def Cube "a"
        {
            double size = 0.1
        }
    }
    def Camera "eye"
    {
        float focalLength = 18
        float horizontalAperture = 20
        float2 clippingRange = (0.1, 100)
        double3 xformOp:translate = (0, 0, 5)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }
    def DistantLight "sun"
    {
        color3f inputs:color = (1, 1, 0.5)
    }
    def Material "m"
    {
        token outputs:surface.connect = </World/m/s.outputs:surface>
        def Shader "s"
        {
            uniform token info:id = "UsdPreviewSurface"
            color3f inputs:diffuseColor = (0.5, 0.2, 0.1)
            float inputs:opacity = 0.9
            float inputs:roughness = 0.3
            token outputs:surface
        }
    }
}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def test_the_stage_that_is_damaged_here_is_whole_before(place):
    (place / "whole.usda").write_text(STAGE)
    scene = load(place / "whole.usda")
    check_scene(scene)
    assert [i.name for i in scene.instances] == ["cart", "cloth", "pill", "rocks_3", "rocks_4"] and scene.frames == 4


@fuzzed(40)
def test_stages_with_damaged_text(place, rng):
    path = place / f"{rng.randrange(1 << 60):x}.usda"  # USD keeps layers by their path
    path.write_bytes(damaged(STAGE.encode(), rng))
    read_or_refused(lambda: load(path), check_scene)
    path.unlink()


CRATES = """
import sys
from pathlib import Path
from sim2real.errors import Sim2RealError
from sim2real.scene import load
for name in sys.argv[1:]:
    print(name, flush=True)
    try:
        load(Path(name))
    except Sim2RealError:
        pass
"""


@pytest.mark.parametrize("suffix", ["usdc", "usdz"])
def test_binary_stages_with_damaged_bytes_end_no_process(place, suffix):
    from pxr import Usd, UsdUtils

    (place / "a.usda").write_text(STAGE)
    stage = Usd.Stage.Open(str(place / "a.usda"))
    stage.Export(str(place / "a.usdc"))
    if suffix == "usdz":
        UsdUtils.CreateNewUsdzPackage(str(place / "a.usdc"), str(place / "a.usdz"))
    whole, names = (place / f"a.{suffix}").read_bytes(), []
    for k in range(30):
        names.append(str(place / f"{k}.{suffix}"))
        Path(names[-1]).write_bytes(damaged(whole, random.Random(k)))
    done = subprocess.run([sys.executable, "-c", CRATES, *names], capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, (done.stdout.splitlines()[-1:], done.stderr[-2000:])
    assert done.stdout.splitlines() == names and done.stderr == ""
