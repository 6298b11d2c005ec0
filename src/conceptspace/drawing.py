"""Images from any checkpoint, any class, under any of a run's methods."""

import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from conceptspace.adapters.protocol import device_of
from conceptspace.data.pictures import pictures_of
from conceptspace.data.streams import numpy_stream, torch_stream
from conceptspace.elicitation.arms import NAIVE, intervention_of
from conceptspace.elicitation.intervention import Intervention, Naive
from conceptspace.elicitation.settings import method_names
from conceptspace.load import Run
from conceptspace.measure.files import write_atomically
from conceptspace.measure.measurement import readable
from conceptspace.measure.sampling import generate, prompts

SHOWN_HEIGHT = 96
"""Small images are enlarged to about so many pixels, without smoothing."""


@dataclass(frozen=True)
class Drawn:
    """Samples, and in words what they are.

    Attributes:
        images: images (num, channels, height, width), or points (num, dimension).
        pictures: what is shown of them, uint8 (num, height, width, 3) on the CPU.
        description: class, seed, step and method.
    """

    images: Tensor
    pictures: Tensor
    description: str


def draw_samples(
    run: Run,
    *,
    seed: int = 0,
    step: int | None = None,
    concept_class: str | None = None,
    method: str = NAIVE,
    strength: float | None = None,
    num: int = 16,
    random_seed: int = 0,
) -> Drawn:
    """Draw images from a checkpoint of a run.

    Args:
        run: the run.
        seed: whose model.
        step: the checkpoint; the last by default.
        concept_class: what is prompted; the first held-out class by default.
        method: `naive`, or the name of one of the run's elicitation methods.
        strength: of the method; the largest that the run tried by default.
        num: number of images.
        random_seed: of the prompts and the noise.

    Raises:
        ValueError: if the seed, the class or the method is unknown, a number is out of range, or
            naive prompting is given a strength.
        FileNotFoundError: if there is no such checkpoint.
    """
    if num < 1:
        raise ValueError(f"num must be at least 1, not {num}")
    if random_seed < 0:
        raise ValueError(f"random_seed must be 0 or more, not {random_seed}")
    if strength is not None and not math.isfinite(strength):
        raise ValueError(f"strength must be a finite number, not {strength}")
    experiment = run.trained
    space, split, prompter = experiment.space, experiment.split, experiment.prompter
    chosen = (split.held_out(space) or space.classes)[0] if concept_class is None else concept_class
    space.indices(chosen)
    adapter = run.adapter(seed, step)
    intervention: Intervention = Naive()
    given = 0.0
    methods = dict(zip(method_names(experiment.elicitation), experiment.elicitation))
    if method != NAIVE:
        if method not in methods:
            raise ValueError(
                f"method {method!r} is not one of this run's: {', '.join([NAIVE, *methods])}"
            )
        intervention = intervention_of(methods[method], adapter, prompter, chosen)
        given = methods[method].strengths[-1] if strength is None else strength
    elif strength is not None:
        raise ValueError(f"strength={strength} has no meaning for naive prompting: leave it out")
    vectors = prompts(prompter, split, chosen, num, numpy_stream(random_seed, "draw-prompts"))
    generator = torch_stream(random_seed, "draw-noise", device=device_of(adapter))
    images = generate(adapter, [(intervention, vectors, torch.full((num,), given))], generator)
    shown_step = run.steps(seed)[-1] if step is None else step
    words = (
        f"{num} images of class {chosen} ({space.describe(chosen)}), seed {seed}, step {shown_step}"
    )
    words += f", {method}" + (f" at strength {given:g}" if method != NAIVE else " prompting")
    pictures = pictures_of(experiment.world)(readable(images)).cpu()
    return Drawn(images, pictures, words)


def save_grid(pictures: Tensor, path: Path) -> None:
    """Write pictures (num, height, width, 3), uint8, as a grid into a PNG."""
    num, height, width, _ = pictures.shape
    columns = int(np.ceil(np.sqrt(num)))
    rows = -(-num // columns)
    grid = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, 3), 255, dtype=np.uint8)
    for i, picture in enumerate(pictures.numpy()):
        top, left = i // columns * (height + 1), i % columns * (width + 1)
        grid[top : top + height, left : left + width] = picture
    factor = max(1, SHOWN_HEIGHT // height)
    image = Image.fromarray(grid).resize(
        (grid.shape[1] * factor, grid.shape[0] * factor), Image.Resampling.NEAREST
    )
    data = io.BytesIO()
    image.save(data, format="PNG")
    write_atomically(path, data.getvalue())
