"""The paper's experiments on faces: three pairs of attributes, one combination held out.

The images are the user's; `docs/published-data-sets.md` says which files.
"""

from typing import get_args

from conceptspace.data.readers.celeba import CelebAWorld, Pair
from conceptspace.experiment import Experiment
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.models.settings import SharedEmbedding, UNetSettings
from conceptspace.probes.settings import ProbeSettings
from conceptspace.training.settings import TrainingSettings

_JUDGED_SHARE = 0.05
_IMAGES_PER_CLASS = 30_000


def celeba() -> tuple[Experiment, ...]:
    """C9: gender with smiling or hats, and hair with eyeglasses, at 64 x 64."""
    return tuple(_on_faces(pair) for pair in get_args(Pair))


def _on_faces(pair: Pair) -> Experiment:
    """Published numbers, but for 5 % of the images, which are kept back to judge the probe.

    Smiles are plentiful: 30 000 images a class beside those that judge. Of hats and of eyeglasses a
    model learns from all that the rarest training class has.
    """
    plentiful = pair == "male-smiling"
    world = CelebAWorld(
        pair=pair,
        judged_share=_JUDGED_SHARE,
        images_per_class=round(_IMAGES_PER_CLASS / (1 - _JUDGED_SHARE)) if plentiful else None,
    )
    return Experiment(
        name=f"celeba-{pair}",
        scale="paper",
        space=world.space,
        world=world,
        model=UNetSettings(num_groups=4, initial_scale=0.02, embedding=SharedEmbedding(width=64)),
        training=TrainingSettings(
            steps=2_000_000, images_per_class=_IMAGES_PER_CLASS, weight_decay=1e-5
        ),
        probe=ProbeSettings.published().replace(widths=(64, 64, 128)),
        measurement=MeasurementSettings(num_checkpoints=60, first_checkpoint=500),
    )
