"""How far a picture stays from the truth although its light is known: ``python -m benchmarks.known_light CLIPS``.

Of held-out training clips, the render is given the path-traced picture's own light, smoothed within every instance over so
many pixels: what a model without any mistake about larger things would show. PSNR and LPIPS (VGG16) are to the truth.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from benchmarks.held_out import HeldOut, held_out_numbers
from sim2real.metrics.frechet import tensor_of
from sim2real.metrics.perceptual import Vgg16
from sim2real.metrics.pictures import psnr
from sim2real.scene.colors import linear_from_srgb, srgb_from_linear

REACHES = (2, 4, 8, 16, 32)


def relit(render: np.ndarray, truth: np.ndarray, instances: np.ndarray, reach: float) -> np.ndarray:
    """The render (sRGB, 0 to 255) times the ratio of smoothed linear light, per instance and channel."""
    given, wanted = (linear_from_srgb(picture / 255.0) for picture in (render, truth))
    out = given.copy()
    for instance in np.unique(instances):
        inside = instances == instance
        for channel in range(3):
            sums = [gaussian_filter(picture[..., channel] * inside, reach) for picture in (wanted, given)]
            ratio = sums[0][inside] / np.maximum(sums[1][inside], 1e-4)
            out[inside, channel] = given[inside, channel] * ratio
    return np.round(255 * srgb_from_linear(out.clip(0, 1))).astype(np.uint8)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--hold-out", type=int, default=12, help="of every so many clips the last")
    parser.add_argument("--most", type=int, default=10, help="how many clips")
    options = parser.parse_args()
    network, rows = Vgg16(), {}
    for number in held_out_numbers(options.clips, options.hold_out, options.most):
        clip = HeldOut(options.clips, number)
        truth, render, ids = clip.truth[0], clip.render[0], clip.instances[0]
        pictures = {"render as it is": render}
        pictures |= {f"light known to {reach} px": relit(render, truth, ids, reach) for reach in REACHES[::-1]}
        for name, picture in pictures.items():
            with torch.inference_mode():
                apart = float(network.lpips(tensor_of(picture), tensor_of(truth)))
            rows.setdefault(name, []).append((psnr(picture, truth), apart))
    print("| picture | PSNR | LPIPS |\n|---|---|---|")
    for name, figures in rows.items():
        print("| {} | {:.2f} | {:.3f} |".format(name, *np.mean(figures, axis=0)))


if __name__ == "__main__":
    main()
