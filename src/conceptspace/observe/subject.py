"""What is measured of a model that is trained elsewhere, and with what."""

import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from conceptspace.adapters.function import FunctionAdapter
from conceptspace.adapters.protocol import Adapter
from conceptspace.concepts.settings import SettingsError
from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.pictures import image_pictures, pictures_of
from conceptspace.elicitation.settings import LatentSteering
from conceptspace.folder import RunError, read_description
from conceptspace.measure.measurement import Instrument
from conceptspace.observation import Observation
from conceptspace.probes.reading import Inverter, Probe

SampleModel = Callable[[Any, Tensor, torch.Generator], Tensor]
"""From a model, conditioning vectors (batch, width) and a generator to images (batch, channels,
height, width) in [0, 1], one a row."""
Read = Callable[[Tensor], Sequence[Tensor]]
"""From images to each concept's distribution over its values, (batch, number of values)."""


MOST_FROM_ONE = 0.02
"""So far the sum of a row of probabilities may be from 1, by rounding."""


class FunctionProbe:
    """A function that reads images, as a probe.

    Args:
        read: such as a CLIP classifier.
        space: the concepts that it reads, in order.
    """

    def __init__(self, read: Read, space: ConceptSpace) -> None:
        self._read, self.space = read, space

    def read(self, images: Tensor) -> tuple[Tensor, ...]:
        """Each concept's distribution over its values, (batch, number of values) a concept.

        Raises:
            ValueError: if the function's answer has another shape, or is no distribution.
        """
        with torch.no_grad():
            found = self._read(images)
        if isinstance(found, Tensor) or not isinstance(found, Sequence):
            raise ValueError(
                f"probe must return a tuple of {len(self.space.concepts)} distributions, one a "
                f"concept ({', '.join(self.space.names)}), not {_in_words(found)}"
            )
        if strange := [part for part in found if not isinstance(part, Tensor)]:
            raise ValueError(
                f"probe must return distributions as torch tensors, not {_in_words(strange[0])}"
            )
        found = tuple(found)
        shapes = [tuple(part.shape) for part in found]
        expected = [(len(images), num) for num in self.space.num_values]
        if shapes != expected:
            raise ValueError(
                f"probe must return one (batch, number of values) a concept, here {expected}, not "
                f"{shapes}"
            )
        if not all(torch.isfinite(part).all() for part in found):
            raise ValueError("probe returned NaN or infinity, of images that hold neither")
        totals = [part.sum(dim=1, keepdim=True) for part in found]
        if not all((part >= 0).all() for part in found):
            raise ValueError(
                "probe must return probabilities, 0 or more: of logits take the softmax"
            )
        far = max((float((total - 1).abs().max()) for total in totals if len(total)), default=0.0)
        if far > MOST_FROM_ONE:
            raise ValueError(
                "probe must return probabilities, each concept's row summing to 1 (here off by "
                f"{far:.3g}): of logits take the softmax, scores divide by their sum"
            )
        return tuple(part / total for part, total in zip(found, totals))


def _in_words(found: object) -> str:
    """A tensor by its shape, anything else by its type."""
    if isinstance(found, Tensor):
        return f"one tensor of shape {tuple(found.shape)}"
    return type(found).__name__


def adapter_maker(
    sample: SampleModel | None, adapt: Callable[[Any], Adapter] | None
) -> Callable[[Any], Adapter]:
    """What makes an adapter of a model.

    Raises:
        SettingsError: if not exactly one of the two is given.
    """
    if (sample is None) == (adapt is None):
        raise SettingsError(
            "give either sample, a function (model, vectors, generator) -> images, or adapt, which "
            "makes an Adapter of the model"
        )
    if sample is None:
        assert adapt is not None
        return adapt
    if not callable(sample):
        raise SettingsError(
            "sample must be a function (model, vectors, generator) -> images, not "
            f"{type(sample).__name__}"
        )
    draw = sample

    def adapter_of(model: Any) -> Adapter:
        first = next(iter(model.parameters()), None) if hasattr(model, "parameters") else None
        device = None if first is None else first.device
        return FunctionAdapter(lambda vectors, noise: draw(model, vectors, noise), device)

    return adapter_of


def instrument_of(
    observation: Observation, probe: Probe | Read, inversion: Inverter | None
) -> Instrument:
    """What measures every checkpoint.

    Raises:
        SettingsError: if the probe is neither a function nor has a method `read`.
    """
    if not hasattr(probe, "read"):
        if not callable(probe):
            raise SettingsError(
                "probe must be a trained probe, or a function from images to one distribution a "
                f"concept, not {type(probe).__name__}"
            )
        probe = FunctionProbe(probe, observation.space)
    world = observation.world
    return Instrument(
        observation.prompter,
        observation.split,
        observation.elicitation,
        probe,  # type: ignore[arg-type]  # it has `read`
        inversion,
        observation.measurement,
        image_pictures if world is None else pictures_of(world),
    )


def warn_of_what_stays_hidden(observation: Observation) -> None:
    """Say so if latent steering is asked for where only a function that draws images is given."""
    if any(isinstance(method, LatentSteering) for method in observation.elicitation):
        warnings.warn(
            "sample hides what is inside of the model: LatentSteering will push the conditioning "
            "vector, which over-prompting does too. To steer an embedding give adapt, which makes "
            "an Adapter of the model, such as conceptspace.adapters.modules.ModuleAdapter",
            stacklevel=3,
        )


def name_there(folder: Path) -> str:
    """The name of the run that a folder holds; of a new one, made from the folder's name."""
    try:
        return read_description(folder).name
    except RunError:
        return name_of(folder.resolve())


def name_of(folder: Path) -> str:
    """A run's name, from that of its folder."""
    return re.sub(r"^[^A-Za-z0-9]+", "", re.sub(r"[^A-Za-z0-9._-]", "-", folder.name)) or "run"
