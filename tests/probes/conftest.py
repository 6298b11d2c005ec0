import numpy as np
import pytest

from conceptspace.concepts import ConceptSpace
from conceptspace.data.dataset import draw_dataset
from conceptspace.data.factors import colour, size
from conceptspace.data.mixing import Conditioning, Prompter
from conceptspace.data.world import SyntheticWorld
from conceptspace.probes.classifier import train_probe
from conceptspace.probes.settings import ProbeSettings


@pytest.fixture(scope="session")
def world():
    return SyntheticWorld(image_size=16)


@pytest.fixture(scope="session")
def space():
    return ConceptSpace(concepts=(colour(0.25), size(0.4)))


@pytest.fixture(scope="session")
def renders():
    """Function that draws labelled images of every class."""

    def draw(world, space, num_per_class, seed=1):
        prompter = Prompter(
            space=space, conditioning=Conditioning(), factor_widths=world.factor_widths
        )
        rng = np.random.default_rng(seed)
        return draw_dataset(world, prompter, space.classes, num_per_class, rng)

    return draw


@pytest.fixture(scope="session")
def quick_settings():
    """Enough training to read nearly every render, in about two seconds."""
    return ProbeSettings(widths=(16, 16, 16), num_images=8192, steps=250)


@pytest.fixture(scope="session")
def probe(world, space, quick_settings):
    return train_probe(world, space, quick_settings, seed=0)
