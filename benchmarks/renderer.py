"""Speed of the batched renderer against a supersampled silhouette made one image at a time.

The reference draws each object on sub-pixels, eight to a pixel and with six pixels of padding,
blurs it with scipy's Gaussian filter and reads the pixel centres. Both run on one thread, in
single precision, on the same random objects. Times are medians; run it on an idle machine.

    python benchmarks/renderer.py --json renderer.json
"""

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from conceptspace.data.render import silhouette_mask

SHAPES = ("circle", "triangle")
SUPERSAMPLING, PADDING = 8, 6


def reference_mask(shape: str, x: float, y: float, size: float, image_size: int) -> np.ndarray:
    """One object on hard sub-pixels, blurred by one pixel and read at pixel centres."""
    scale = 2 / (image_size - 1)
    count = (image_size - 1 + 2 * PADDING) * SUPERSAMPLING + 1
    pixels = np.arange(count, dtype=np.float32) / SUPERSAMPLING - PADDING
    right, up = (scale * pixels - 1 - x)[None, :], (1 - scale * pixels - y)[:, None]
    if shape == "circle":
        inside = right**2 + up**2 <= size**2
    else:
        side = size * math.sqrt(4 * math.pi / math.sqrt(3))
        above_base = up + side * math.sqrt(3) / 6
        inside = (above_base >= 0) & (np.abs(right) <= (side - above_base) / 2)
    blurred = gaussian_filter(inside.astype(np.float32), SUPERSAMPLING)
    read = slice(PADDING * SUPERSAMPLING, count - PADDING * SUPERSAMPLING, SUPERSAMPLING)
    return blurred[read, read]


def random_objects(shape: str, batch: int) -> tuple[Tensor, Tensor, Tensor]:
    """Shape weights, centres within 0.5 and radii from 0.1 to 0.8, the same at every call."""
    generator = torch.Generator().manual_seed(0)
    centre = torch.rand(batch, 2, generator=generator) - 0.5
    size = 0.1 + 0.7 * torch.rand(batch, generator=generator)
    return torch.eye(2)[[SHAPES.index(shape)] * batch], centre, size


def median_milliseconds(call: Callable[[], object], repeats: int) -> float:
    """Median time of one call, after one that is not counted."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def measure(shape: str, image_size: int, batch: int, repeats: int) -> dict[str, float | int | str]:
    """Milliseconds an image of the reference, of the mask, and of the mask with its gradient."""
    weights, centre, size = random_objects(shape, batch)
    objects = list(zip(*centre.T.tolist(), size.tolist()))
    some = objects[:: max(1, batch // 32)]  # the reference is slow and has nothing to share
    reference = [reference_mask(shape, *each, image_size) for each in some]
    masks = silhouette_mask(weights, centre, size, image_size=image_size)
    differences = masks[:: max(1, batch // 32)].numpy() - np.stack(reference)

    def draw_references() -> None:
        for each in some:
            reference_mask(shape, *each, image_size)

    def draw() -> None:
        silhouette_mask(weights, centre, size, image_size=image_size)

    where, radius = centre.clone().requires_grad_(), size.clone().requires_grad_()

    def draw_and_differentiate() -> None:
        mask = silhouette_mask(weights, where, radius, image_size=image_size)
        torch.autograd.grad(mask.sum(), (where, radius))

    reference_time = median_milliseconds(draw_references, max(3, repeats // 5)) / len(some)
    mask_time = median_milliseconds(draw, repeats) / batch
    return {
        "image_size": image_size,
        "shape": shape,
        "batch": batch,
        "reference_ms_per_image": reference_time,
        "ms_per_image": mask_time,
        "ratio": reference_time / mask_time,
        "with_gradient_ms_per_image": median_milliseconds(draw_and_differentiate, repeats) / batch,
        "largest_difference": float(np.abs(differences).max()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=256, help="images drawn together")
    parser.add_argument("--repeats", type=int, default=25, help="calls a median is taken over")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table here too")
    arguments = parser.parse_args()
    if arguments.batch < 1 or arguments.repeats < 1:
        parser.error("--batch and --repeats must be at least 1")
    torch.set_num_threads(1)
    print(f"batch {arguments.batch}, one thread, milliseconds an image")
    print("size  shape     reference      ours   ratio  with gradient  largest difference")
    rows = []
    for image_size in (16, 32):
        for shape in SHAPES:
            row = measure(shape, image_size, arguments.batch, arguments.repeats)
            rows.append(row)
            print(
                f"{image_size:4d}  {shape:8s}  {row['reference_ms_per_image']:9.3f}"
                f"  {row['ms_per_image']:8.4f}  {row['ratio']:6.0f}"
                f"  {row['with_gradient_ms_per_image']:13.4f}  {row['largest_difference']:18.4f}"
            )
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
