"""Does any frame of any scene fail? ``python -m benchmarks.random_scenes --scenes 10000 --log scores.jsonl``.

Random scenes (shapes, damages and layouts of ``benchmarks.random_meshes``; cameras inside, grazing, far, with huge focal
lengths, tiny pictures, lenses, parallel rays; any layout of latents; any seed) of two frames each. Each frame is checked alone:

- all scores of ``exact_scores`` (standard normal for white noise, exactly, at any size);
- the same bits from an engine that has seen nothing else;
- its leaves are disjoint, each has one owner, and drawn by the plain reference they give the frame's values.

A log makes runs resumable: scenes that are in it are not drawn again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.random_meshes import random_mesh
from sim2real.camera import Camera
from sim2real.metrics.small_frames import exact_scores, expected_maximum
from sim2real.noise import NoiseLayout, SurfaceNoise, charts_of
from sim2real.noise.charts.build import Charts
from sim2real.noise.passes.cells import FINEST_LEVEL
from sim2real.noise.reference import OwnedCells, reference_noise
from sim2real.raster import rasterizer, view_of
from sim2real.scene import triangles_of
from sim2real.scene.records import Instance, Part, Scene
from sim2real.transforms import look_at

FRAMES = 2
LIMIT = 5.0
UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, eq=False)
class Drawn:
    """A scene, what its noise is to look like, and a seed."""

    scene: Scene
    layout: NoiseLayout
    seed: int


def random_scene(rng: np.random.Generator) -> Drawn:
    """Up to four instances of up to three meshes, one camera of two frames."""
    meshes = tuple(random_mesh(rng, FRAMES) for _ in range(rng.integers(0, 4)))
    count = int(rng.integers(1, 5)) if meshes else 0
    pose = np.tile(np.eye(4), (FRAMES, count, 1, 1))
    pose[:, :, :3, 3] = rng.standard_normal((count, 3)) * 10 ** rng.uniform(-2, 0.7) + 0.05 * rng.standard_normal(
        (FRAMES, count, 3)
    )
    layout = NoiseLayout(int(rng.choice([1, 1, 2, 4, 8, 16, 32])), int(rng.choice([1, 2, 3, 4, 16, 33])))
    return Drawn(
        Scene(
            source=Path("drawn"),
            sha256="",
            meshes=meshes,
            parts=tuple(Part(int(rng.integers(len(meshes))), k, _random_shape(rng)) for k in range(count)),
            instances=tuple(Instance(str(rng.choice(["a", "b", "a#1"])), "thing") for _ in range(count)),
            world_from_instance=pose,
            visible=rng.random((FRAMES, count)) < 0.9,
            cameras=(_random_camera(rng, layout.factor),),
        ),
        layout,
        int(rng.integers(-(2**62), 2**62)),
    )


def _random_shape(rng: np.random.Generator) -> np.ndarray:
    """A linear map: none, a scale, another along each axis, a mirror, anything."""
    kinds: list[Callable[[], np.ndarray]] = [
        lambda: np.eye(3),
        lambda: np.eye(3) * 10 ** rng.uniform(-2, 2),
        lambda: np.diag(10 ** rng.uniform(-1, 1, 3)),
        lambda: np.diag([-1.0, 1, 1]),
        lambda: rng.standard_normal((3, 3)),
        lambda: np.diag([1.0, 1, 0]),
    ]
    shape = np.eye(4)
    shape[:3, :3] = kinds[int(rng.integers(len(kinds)))]()
    return shape


def _random_camera(rng: np.random.Generator, factor: int) -> Camera:
    latents = rng.integers(1, max(2, min(24, 192 // factor)) + 1, 2)
    size = (int(latents[0]) * factor, int(latents[1]) * factor)
    eye = rng.standard_normal(3) * 10 ** rng.choice([-2.5, 0, 0.5, 1, 3])  # inside, close, far
    if rng.random() < 0.2:
        eye[2] = 10 ** rng.uniform(-3, -1)  # grazing
    target = rng.standard_normal(3) * 0.3
    eyes = eye + 10 ** rng.uniform(-4, -0.5) * rng.standard_normal((FRAMES, 3))
    k = np.diag([max(size) * 10 ** rng.choice([-0.7, 0, 0.3, 1, 3])] * 2 + [1.0])
    k[1, 1] *= rng.uniform(0.5, 2)
    k[:2, 2] = np.array(size[::-1]) * rng.uniform(-0.5, 1.5, 2)
    straight = Camera("camera", size, np.tile(k, (FRAMES, 1, 1)), look_at(eyes, target, UP))
    kind = str(rng.choice(["perspective"] * 7 + ["orthographic", "distorted", "fisheye"]))
    if kind in ("perspective", "orthographic"):
        return replace(straight, projection=kind)
    k[0, 0] = k[1, 1] = max(size) * rng.uniform(0.8, 3)  # what a lens sees has its limits
    k[:2, 2] = np.array(size[::-1]) * rng.uniform(0.4, 0.6, 2)
    bent = {"distorted": ("perspective", rng.uniform(-0.05, 0.05, 5)), "fisheye": ("fisheye", rng.uniform(-0.02, 0.02, 4))}
    projection, coefficients = bent[kind]
    return replace(straight, intrinsics=np.tile(k, (FRAMES, 1, 1)), projection=projection, distortion=coefficients)


class Checked:
    """All checks of one drawn scene."""

    def __init__(self, drawn: Drawn) -> None:
        self.drawn, self.scene, self.camera = drawn, drawn.scene, drawn.scene.cameras[0]
        self.triangles = triangles_of(drawn.scene)
        self.charts = charts_of(drawn.scene, self.triangles)
        self.view = rasterizer(self.triangles)
        height, width = drawn.layout.latent_size(self.camera.size)
        self.latents = (height, width)

    def run(self) -> dict:
        """Scores of every frame, and the names of checks that failed."""
        inputs = [self._inputs(frame) for frame in range(FRAMES)]
        clip = self._engine()
        values = [clip.frame(*seen).numpy() for seen in inputs]
        scores = [exact_scores(frame) for frame in values]
        errors = []
        if self._engine().frame(*inputs[-1]).numpy().tobytes() != values[-1].tobytes():
            errors.append("another frame alone")
        errors += leaf_faults(clip.leaves(*inputs[-1]), values[-1], self.charts, self.drawn.seed)
        worst = [max(frame.items(), key=lambda item: abs(item[1])) for frame in scores]
        return {"worst": worst, "scores": sum(len(s) for s in scores), "errors": errors}

    def _engine(self) -> SurfaceNoise:
        return SurfaceNoise(self.charts, self.triangles, self.drawn.layout, seed=self.drawn.seed)

    def _inputs(self, frame: int) -> tuple:
        view = view_of(self.scene, self.camera, frame)
        return self.view.visibility(view), view


def leaf_faults(leaves: dict[str, np.ndarray], values: np.ndarray, charts: Charts, seed: int) -> list[str]:
    """What is wrong with the leaves of a frame: overlapping ones, owners outside the picture, values that do not follow.

    Args:
        leaves: ``SurfaceNoise.leaves`` of the view.
        values: ``SurfaceNoise.frame`` of the view.
        charts: of the scene.
        seed: of the noise.
    """
    values = values[:4]  # all channels are drawn alike, and the plain reference is slow
    channels, height, width = values.shape
    if not len(leaves["pixel"]):
        return []
    if leaves["pixel"].min() < 0 or leaves["pixel"].max() >= height * width:
        return ["a leaf is owned outside the picture"]
    errors = [] if disjoint(leaves) else ["leaves overlap"]
    table = np.stack([leaves[name] for name in ("chart", "level", "i", "j")], 1).astype(np.int64)
    owned = OwnedCells(table, leaves["pixel"].astype(np.int64))
    expected = reference_noise(owned, charts, latents=(height, width), channels=channels, seed=seed)
    drawn = np.isfinite(expected)
    if not np.allclose(values[drawn], expected[drawn], atol=2e-4):
        errors.append("values are not the leaves' sums")
    return errors


def disjoint(leaves: dict[str, np.ndarray]) -> bool:
    """Whether no leaf occurs twice or inside another: their stretches of each chart's Morton curve do not overlap."""
    level = leaves["level"].astype(np.int64)
    start = np.zeros(len(level), np.int64)
    for bit in range(FINEST_LEVEL):
        for axis, name in enumerate("ij"):
            start |= ((leaves[name].astype(np.int64) >> bit) & 1) << (2 * bit + axis)
    start <<= 2 * (FINEST_LEVEL - level)
    end = start + (np.int64(1) << 2 * (FINEST_LEVEL - level))
    order = np.lexsort((start, leaves["chart"]))
    chart, start, end = leaves["chart"][order], start[order], end[order]
    return bool(np.all((chart[1:] != chart[:-1]) | (start[1:] >= end[:-1])))


def checked_scene(seed: int, number: int) -> dict:
    """Draw and check one scene; the same two numbers, the same scene."""
    start = time.perf_counter()
    try:
        result = Checked(random_scene(np.random.default_rng([seed, number]))).run()
    except Exception as error:  # a crash is a finding, and no reason to leave the other scenes unchecked
        result = {"worst": [], "scores": 0, "errors": [f"{type(error).__name__}: {error}"]}
    return {"scene": number, **result, "seconds": round(time.perf_counter() - start, 4)}


def summary(results: list[dict]) -> str:
    """One line: the worst score of all frames, what independent normals would show, and what failed."""
    worst = [(abs(score), name, result["scene"]) for result in results for name, score in result["worst"]]
    scores = sum(result["scores"] for result in results)
    errors = [(result["scene"], error) for result in results for error in result["errors"]]
    score, name, scene = max(worst)
    return (
        f"{len(results)} scenes, {len(worst)} frames, {scores} scores: worst {score:.2f} ({name}, scene {scene}), expected "
        f"{expected_maximum(scores):.2f}; frames over {LIMIT:g} sigma: {sum(s > LIMIT for s, _, _ in worst)}; "
        f"errors: {errors[:5] if errors else 'none'}; {sum(r['seconds'] for r in results):.0f} s"
    )


def main() -> None:
    """Check scenes that the log does not hold yet, then say what came of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=200, help="how many, counted from 0 (default: 200)")
    parser.add_argument("--seed", type=int, default=0, help="of the scenes (default: 0)")
    parser.add_argument("--log", type=Path, help="a line of JSON for each scene; made, or continued")
    options = parser.parse_args()
    done: dict[int, dict] = {}
    if options.log and options.log.exists():
        text = options.log.read_text()
        whole = text[: text.rfind("\n") + 1]  # a run that was killed may have left half a line
        if whole != text:
            options.log.write_text(whole)
        held = [json.loads(line) for line in whole.splitlines()]
        done = {r["scene"]: r for r in held if r["seed"] == options.seed}
    for number in range(options.scenes):
        if number not in done:
            done[number] = {"seed": options.seed, **checked_scene(options.seed, number)}
            if options.log:
                with options.log.open("a") as log:
                    log.write(json.dumps(done[number]) + "\n")
    print(summary([done[number] for number in range(options.scenes)]))


if __name__ == "__main__":
    main()
