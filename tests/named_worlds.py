"""A space known by words alone, which tests of foreign models share, and a probe for it."""

import torch

from conceptspace.concepts.space import ConceptSpace
from conceptspace.concepts.split import Split
from conceptspace.data.mixing import Conditioning, Prompter
from conceptspace.elicitation.settings import Guidance, LatentSteering, OverPrompt
from conceptspace.measure.settings import MeasurementSettings

SPACE = ConceptSpace.named(colour=("red", "blue"), size=("large", "small"))
PROMPTER = Prompter(
    space=SPACE, conditioning=Conditioning(), factor_widths={"colour": 2, "size": 2}
)
SPLIT = Split()
METHODS = (
    OverPrompt(concept="colour", strengths=(0.5, 1.0)),
    LatentSteering(concept="colour", strengths=(1.0, 2.0)),
    Guidance(weights=(1.0, 3.0)),
)
MEASUREMENT = MeasurementSettings(
    num_samples=2, num_control_samples=2, num_directions=2, num_thumbnails=1
)


class BrightnessProbe:
    """A probe in a few lines: colour from red against blue, size from the whole brightness."""

    def read(self, images):
        red, brightness = images[:, 0].mean((1, 2)), images.mean((1, 2, 3))
        blue = images[:, -1].mean((1, 2))
        logits = torch.stack([red - blue, brightness - 0.5], 1) * 10
        return tuple(torch.stack([v, -v], 1).softmax(1) for v in logits.T)


def prompt_of(concept_class, num=2):
    return torch.from_numpy(PROMPTER.class_mean(concept_class, num))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)
