"""The figures of ``sim2real evaluate --noise`` for people."""

from __future__ import annotations

from typing import Any

WORDS = {
    "mean": "mean",
    "variance": "variance",
    "skewness": "third moment",
    "kurtosis": "fourth moment - 3",
    "ks": "Kolmogorov-Smirnov",
    "neighbor_right": "neighbor right",
    "neighbor_below": "neighbor below",
    "neighbor_diagonal": "diagonal \\",
    "neighbor_antidiagonal": "diagonal /",
    "lag_2_right": "two to the right",
    "lag_2_below": "two below",
    "channels": "between channels",
    "spectrum": "spectrum, power - 1",
}


def readable_noise(figures: dict[str, Any]) -> list[str]:
    """One clip's noise, camera by camera."""
    lines = []
    for camera, found in figures["cameras"].items():
        lines += [""] if lines else []
        shape = "x".join(str(n) for n in found["shape"])
        lines += [f"{figures['clip']}, camera {camera}: {found['noise']} ({shape}, {found['factor']} px per latent)", ""]
        lines += _statistics(found) + [""] + _transport(found)
    return lines


def _statistics(found: dict[str, Any]) -> list[str]:
    lines = [f"  {'each frame':<20}{'average':>10}{'worst score':>13}  in frame"]
    for name, words in WORDS.items():
        figure = found["statistics"][name]
        lines.append(f"  {words:<20}{figure['value']:>10.4f}{figure['worst_score']:>13.2f}  {figure['frame']}")
    verdict = "white" if found["white"] else "NOT WHITE"
    frames = f"{found['frames']} frame{'s' * (found['frames'] != 1)}"
    of = f"{frames}, of i.i.d. noise: below {found['expected_below']}, 99 times in 100"
    return [*lines, f"  {verdict}: worst score {found['worst_score']} ({of})"]


def _transport(found: dict[str, Any]) -> list[str]:
    if not found["transport"]:
        return [f"  motion carried: no two frames 1, 4, 16 or 48 apart share anything ({found['geometry']})"]
    lines = [f"  {'frames apart':<14}{'efficiency':>18}{'at most':>10}{'overlap squared':>18}{'pairs':>8}"]
    for row in found["transport"]:
        efficiency = f"{row['efficiency']:.3f} ± {row['standard_error']:.3f}"
        cells = f"{efficiency:>18}{row['ceiling']:>10.3f}{row['overlap']:>18.3f}{row['pairs']:>8}"
        lines.append(f"  {row['distance']:<14}{cells}")
    lines.append(
        f"  efficiency: covariance over the overlap of what pixels see; at most: what beta allows; by {found['geometry']}"
    )
    return lines if found["white"] else [*lines, "  (of frames that are not white this says little)"]
