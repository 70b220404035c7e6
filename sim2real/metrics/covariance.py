"""The covariance of two frames of surface noise, exactly and without drawing any."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from scipy.sparse import coo_matrix, csr_matrix, diags

Leaves = Mapping[str, np.ndarray]


def model_covariance(of: Leaves, given: Leaves, pixels: int) -> csr_matrix:
    """``cov(eps_of(q), eps_given(p))`` of every pixel pair, from the leaves that the pixels own.

    Leaves are cells of one quadtree, so two of them are nested or disjoint, and the inner product of a cell's white noise with
    that of a cell inside it is the smaller area: the covariance is a sum of the smaller areas over nested pairs.

    Args:
        of: ``SurfaceNoise.leaves`` of one view; its pixels are the rows.
        given: of the other view; its pixels are the columns.
        pixels: latent pixels per view.

    Returns:
        Sparse (pixels, pixels). Pixels that own nothing have empty rows (their noise is independent of all other noise
        unless the views are the same).
    """
    rows, columns, values = [], [], []
    for inner, outer, swapped in ((of, given, False), (given, of, True)):
        outer_key = _key(outer["chart"], outer["level"], outer["i"], outer["j"])
        order = np.argsort(outer_key)
        outer_key, outer_pixel = outer_key[order], outer["pixel"][order]
        if not len(outer_key):
            continue
        for level in range(1, int(inner["level"].max(initial=0)) + 1):
            below = inner["level"] > level if swapped else inner["level"] >= level
            shift = inner["level"][below] - level
            key = _key(inner["chart"][below], level, inner["i"][below] >> shift, inner["j"][below] >> shift)
            at = np.minimum(np.searchsorted(outer_key, key), len(outer_key) - 1)
            found = outer_key[at] == key
            pair = (inner["pixel"][below][found], outer_pixel[at[found]])
            rows.append(pair[1] if swapped else pair[0])
            columns.append(pair[0] if swapped else pair[1])
            values.append(inner["area"][below][found])
    if not rows:
        return csr_matrix((pixels, pixels))
    shared = coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(pixels, pixels))
    return (_inverse_root_area(of, pixels) @ shared.tocsr() @ _inverse_root_area(given, pixels)).tocsr()


def transport_efficiency(covariance: csr_matrix, overlap: csr_matrix, again: csr_matrix) -> float:
    """Slope of a covariance against the normalized overlap, the ceiling of any method that keeps frames white.

    The overlap is estimated by finitely many rays, and the square of an estimate is biased upwards by its own error. Two
    independent estimates have the product that the exact overlap would have, on average.

    Args:
        covariance: modeled or measured, (pixels, pixels).
        overlap: estimate of ``|F_a n F_b| / sqrt(|F_a| |F_b|)``, (pixels, pixels).
        again: the same from other rays.

    Returns:
        ``sum(overlap * covariance) / sum(overlap * overlap)``: 1 is the ceiling.
    """
    return float((overlap + again).multiply(covariance).sum() / (2 * overlap.multiply(again).sum()))


def measured_covariance(
    of: Float[np.ndarray, "channels pixels"], given: Float[np.ndarray, "channels pixels"], where: csr_matrix
) -> csr_matrix:
    """Products of two noise frames, averaged over channels, at the pixel pairs where a matrix has entries."""
    at = where.tocoo()
    return csr_matrix(((of[:, at.row] * given[:, at.col]).mean(axis=0), (at.row, at.col)), shape=where.shape)


def _key(chart: np.ndarray, level: np.ndarray | int, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """As ``hierarchy.cell_key``: 18 bits of chart, 5 of level, 20 each of column and row."""
    chart, level, i, j = (np.asarray(part, np.int64) for part in (chart, level, i, j))
    return (chart << 45) | (level << 40) | (i << 20) | j


def _inverse_root_area(leaves: Leaves, pixels: int) -> csr_matrix:
    area = np.bincount(leaves["pixel"], leaves["area"], pixels)
    return csr_matrix(diags(np.where(area > 0, 1 / np.sqrt(np.where(area > 0, area, 1)), 0.0)))
