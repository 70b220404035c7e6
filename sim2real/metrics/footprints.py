"""The overlap of two frames' pixel footprints from a clip's own labels: depth, instances and their motion.

Embree (``overlap.py``) needs the scene; this needs the clip folder alone, and so can judge noise whose scene is gone. Each
picture pixel is taken for a small plane, which its depth and its neighbors' give. Silhouettes are known to a pixel only, and
meshes that deform move as their instance does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import coo_matrix, csr_matrix, diags

from ..camera.lens import PINHOLE, Lens
from ..camera.rays import bent_rays, px_from_camera, ray_from_px
from ..clip import Clip
from ..transforms import inverse_rigid

DEPTH_TOLERANCE = 0.01
"""A target pixel shows the same surface if its depth, at the very place, differs by less than this share."""
SKY_WEIGHT = 64.0
"""Square metres that a steradian of sky counts for in pixels that hold both sky and surface, as in the noise itself."""
SAMPLES_AT_ONCE = 1 << 20


@dataclass(frozen=True, eq=False)
class LabelledView:
    """One frame of one camera.

    - ``depth``: metres along the camera's z, 0 where there is no surface; ``instances``: ids, 0 there.
    - ``world_from_instance``: by instance id; row 0 is the sky's, the identity.
    """

    depth: Float[np.ndarray, "height width"]
    instances: Int[np.ndarray, "height width"]
    intrinsics: Float[np.ndarray, "3 3"]
    world_from_camera: Float[np.ndarray, "4 4"]
    world_from_instance: Float[np.ndarray, "ids 4 4"]
    lens: Lens = PINHOLE

    @cached_property
    def planes(self) -> Float[np.ndarray, "height width 3"]:
        """Per pixel (a, b, c): inverse depth is ``a x + b y + c`` at the picture position (x, y); 0 in the sky.

        Inverse depth (for parallel rays: depth) is linear over the picture of a plane. Of the two neighbors along an axis, or
        both, those count whose own neighbors continue the line best: a slope is never taken across a silhouette or a crease.
        """
        surface = self.depth > 0
        value = np.where(surface, self.depth, 0.0) if self.lens.parallel else np.where(surface, 1 / self._safe_depth, 0.0)
        a, b = (_slope(value, self.instances, axis) for axis in (1, 0))
        y, x = np.indices(self.depth.shape) + 0.5
        return np.stack([a, b, value - a * x - b * y], axis=-1)

    @property
    def _safe_depth(self) -> Float[np.ndarray, "height width"]:
        return np.where(self.depth > 0, self.depth, 1.0)


def labeled_view(clip: Clip, camera: str, frame: int) -> LabelledView:
    """One frame of a clip that has depth and instances."""
    record = clip.camera(camera)
    world = np.tile(np.eye(4), (1 + max((i.id for i in clip.record.instances), default=0), 1, 1))
    for instance in clip.record.instances:
        world[instance.id] = instance.world_from_instance[frame]
    return LabelledView(
        depth=clip.depth(camera, frame).astype(np.float64),
        instances=clip.instances(camera, frame).astype(np.int64),
        intrinsics=record.intrinsics[frame],
        world_from_camera=record.world_from_camera[frame],
        world_from_instance=world,
        lens=record.lens,
    )


def labeled_overlap(a: LabelledView, b: LabelledView, *, factor: int, seed: int = 0) -> csr_matrix:
    """Normalized overlap ``|F_a(p) n F_b(q)| / sqrt(|F_a(p)| |F_b(q)|)`` of all latent pixels of two views.

    Every picture pixel is sampled at random places in the cells of a grid; each sample is lifted to the surface, moved as its
    instance moves, and looked for in the other view.

    Args:
        a: the first view.
        b: the second, of the same or another frame or camera.
        factor: picture pixels per latent and axis.
        seed: of the samples; two seeds give two independent estimates, which ``transport_efficiency`` wants.

    Returns:
        Sparse (pixels of b, pixels of a).
    """
    per_axis = samples_per_pixel(factor)
    latents = [(view.depth.shape[0] // factor, view.depth.shape[1] // factor) for view in (a, b)]
    total = [np.zeros(h * w) for h, w in latents]
    rows, columns, shared = [], [], []
    for samples in _bundles(a, per_axis, seed):
        pixel_a = _latent(samples.x, samples.y, factor, latents[0][1])
        total[0] += np.bincount(pixel_a, samples.area, total[0].size)
        x, y, seen = carried(a, b, samples)
        rows.append(_latent(x[seen], y[seen], factor, latents[1][1]))
        columns.append(pixel_a[seen])
        shared.append(samples.area[seen])
    for samples in _bundles(b, per_axis, seed + (1 << 32)):
        total[1] += np.bincount(_latent(samples.x, samples.y, factor, latents[1][1]), samples.area, total[1].size)
    found = coo_matrix(
        (np.concatenate(shared), (np.concatenate(rows), np.concatenate(columns))), shape=(total[1].size, total[0].size)
    )
    scale = [diags(1 / np.sqrt(np.maximum(t, 1e-300))) for t in total]
    return csr_matrix(scale[1] @ found.tocsr() @ scale[0])


def samples_per_pixel(factor: int) -> int:
    """Samples per picture pixel and axis: at least eight per latent, at least four for noise at pixel resolution."""
    return 4 if factor == 1 else -(-8 // factor)


@dataclass(frozen=True, eq=False)
class Samples:
    """Places in a view's picture.

    - ``x``, ``y``: in pixels; ``area``: what each stands for, in square metres of surface.
    - ``point``: on the surface in the camera's frame, a direction in the sky; ``instance``: its id.
    """

    x: Float[np.ndarray, "samples"]
    y: Float[np.ndarray, "samples"]
    area: Float[np.ndarray, "samples"]
    point: Float[np.ndarray, "samples 3"]
    instance: Int[np.ndarray, "samples"]


def samples_of(view: LabelledView, pixel: Int[np.ndarray, "n"], x: np.ndarray, y: np.ndarray) -> Samples:
    """Lift picture positions to what the picture shows there; ``pixel`` is the flat index of each position's pixel."""
    plane, instance, center = view.planes.reshape(-1, 3)[pixel], view.instances.ravel()[pixel], view.depth.ravel()[pixel]
    sky = center <= 0
    center = np.where(sky, 1.0, center)
    value = plane[:, 0] * x + plane[:, 1] * y + plane[:, 2]
    xy, along_x, along_y = _lines_of_sight(view, pixel, x, y)
    if view.lens.parallel:
        z, slopes = np.where(sky, 1.0, value), plane[:, :2]
        point = np.concatenate([xy, z[:, None]], axis=1)
        sky_area = np.full(len(x), SKY_WEIGHT * 1e-6)
    else:
        z = center / np.where(sky, 1.0, np.clip(value * center, 0.25, 4.0))
        slopes = -plane[:, :2] * (z * z)[:, None]
        ray = np.concatenate([xy, np.ones((len(x), 1))], axis=1)
        point = ray * z[:, None]
        cell = np.abs(along_x[:, 0] * along_y[:, 1] - along_x[:, 1] * along_y[:, 0])
        sky_area = SKY_WEIGHT * cell / np.linalg.norm(ray, axis=1) ** 3
    steps = []
    for along, slope in ((along_x, slopes[:, 0]), (along_y, slopes[:, 1])):  # how the point moves with the picture position
        sideways = along if view.lens.parallel else along * z[:, None] + xy * slope[:, None]
        steps.append(np.concatenate([sideways, slope[:, None]], axis=1))
    area = np.linalg.norm(np.cross(*steps), axis=1)
    return Samples(x, y, np.where(sky, sky_area, area), point, instance)


def carried(a: LabelledView, b: LabelledView, samples: Samples) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where samples of one view lie in the picture of another, and which are seen there.

    Returns:
        ``x`` and ``y`` in pixels, and a mask: inside the picture, the same instance, and nothing in front. The sky of parallel
        rays is one point, which no other view sees.
    """
    move = (
        inverse_rigid(b.world_from_camera) @ b.world_from_instance @ np.linalg.inv(a.world_from_instance) @ a.world_from_camera
    )
    move[0, :3, 3] = 0.0  # the sky is a direction
    chosen = move[samples.instance]
    point = np.einsum("nij,nj->ni", chosen[:, :3, :3], samples.point) + chosen[:, :3, 3]
    x, y = np.moveaxis(px_from_camera(point, b.intrinsics, b.lens), -1, 0)
    height, width = b.depth.shape
    with np.errstate(invalid="ignore"):
        inside = (x >= 0) & (y >= 0) & (x < width) & (y < height) & (point[:, 2] > 1e-6)
    x, y = np.where(inside, x, 0.0), np.where(inside, y, 0.0)
    row, column = y.astype(int), x.astype(int)
    plane, z = b.planes[row, column], point[:, 2]
    value = plane[:, 0] * x + plane[:, 1] * y + plane[:, 2]
    near = np.abs(value - z) < DEPTH_TOLERANCE * z if b.lens.parallel else np.abs(value * z - 1) < DEPTH_TOLERANCE
    sky = samples.instance == 0
    near |= sky & (not (a.lens.parallel or b.lens.parallel))
    return x, y, inside & (b.instances[row, column] == samples.instance) & near


def _lines_of_sight(
    view: LabelledView, pixel: np.ndarray, x: np.ndarray, y: np.ndarray
) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, "n 2"], Float[np.ndarray, "n 2"]]:
    """Lines of sight (``ray_from_px``) at picture positions, and how they change per pixel to the right and down."""
    k, size = view.intrinsics, view.depth.shape
    if not view.lens.bent:
        right = np.array([1 / k[0, 0], 0.0])
        down = np.array([-k[0, 1] / (k[0, 0] * k[1, 1]), 1 / k[1, 1]])
        xy = ray_from_px(np.stack([x, y], axis=-1), k, view.lens)
        return xy, np.broadcast_to(right, xy.shape), np.broadcast_to(down, xy.shape)
    corners = bent_rays(k, view.lens, (size[0], size[1]), corners=True)
    row, column = pixel // size[1], pixel % size[1]
    u, v = (x - column)[:, None], (y - row)[:, None]
    a, b, c, d = (corners[row + i, column + j] for i in (0, 1) for j in (0, 1))
    xy = (a * (1 - u) + b * u) * (1 - v) + (c * (1 - u) + d * u) * v
    return xy, (b - a) * (1 - v) + (d - c) * v, (c - a) * (1 - u) + (d - b) * u


def _bundles(view: LabelledView, per_axis: int, seed: int):
    """Samples of the whole picture, some rows at a time; one at random in each cell of a grid of ``per_axis`` per pixel."""
    height, width = view.depth.shape
    step = max(1, SAMPLES_AT_ONCE // (width * per_axis**2))
    for top in range(0, height, step):
        rows = min(step, height - top)
        jitter = np.random.default_rng([seed, top]).random((2, rows * per_axis, width * per_axis))
        y, x = (np.indices(jitter.shape[1:]) + jitter) / per_axis
        pixel = (y.astype(int) + top) * width + x.astype(int)
        samples = samples_of(view, pixel.ravel(), x.ravel(), y.ravel() + top)
        yield samples


def _latent(x: np.ndarray, y: np.ndarray, factor: int, width: int) -> np.ndarray:
    return (y / factor).astype(int) * width + (x / factor).astype(int)


def _slope(inverse: np.ndarray, instances: np.ndarray, axis: int) -> Float[np.ndarray, "height width"]:
    """Change of inverse depth per pixel along an axis."""
    value, ids = np.moveaxis(inverse, axis, -1), np.moveaxis(instances, axis, -1)
    joined = (ids[..., 1:] == ids[..., :-1]) & (value[..., 1:] > 0) & (value[..., :-1] > 0)
    step = np.where(joined, np.diff(value, axis=-1), np.nan)
    step = np.pad(step, [(0, 0)] * (step.ndim - 1) + [(2, 2)], constant_values=np.nan)
    # steps around pixel c: before (c-2, c-1), left (c-1, c), right (c, c+1), after (c+1, c+2)
    count = value.shape[-1]
    before, left, right, after = (step[..., k : k + count] for k in range(4))
    choices = np.stack([(left + right) / 2, left, right])
    bend = np.stack([np.abs(right - left), 2 * np.abs(left - before), 2 * np.abs(after - right)])
    bend = np.where(np.isnan(choices), np.inf, np.where(np.isnan(bend), 1e30, bend))
    best = np.take_along_axis(choices, bend.argmin(0)[None], 0)[0]
    return np.moveaxis(np.nan_to_num(best), -1, axis)
