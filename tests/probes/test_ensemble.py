"""Ensembles of probes: they read labelled images and doubt what they should."""

import numpy as np
import pytest
import torch

from conceptspace.build import judge_probe
from conceptspace.concepts import ConceptSpace
from conceptspace.data.readers.digits import DigitsWorld
from conceptspace.probes.ensemble import DoubtfulReadings, EnsembleProbe, train_ensemble
from conceptspace.probes.reading import read_samples
from conceptspace.probes.settings import EnsembleProbeSettings
from conceptspace.probes.stored import probe_from_tensors
from conceptspace.recipes import recipe

SETTINGS = EnsembleProbeSettings(members=3, steps=120, batch_size=32)


@pytest.fixture(scope="module")
def world():
    return DigitsWorld(image_size=8)


@pytest.fixture(scope="module")
def ensemble(world):
    return train_ensemble(world, world.space, SETTINGS, 0)


class Says:
    """A probe that reads the same of every image."""

    def __init__(self, *distribution):
        self.distribution = distribution

    def read(self, images):
        return (images.new_tensor(self.distribution).expand(len(images), -1),)


IMAGES = torch.zeros(2, 3, 8, 8)


def test_the_average_is_read_and_contradiction_is_measured():
    ensemble = EnsembleProbe([Says(1.0, 0.0)] * 4 + [Says(0.0, 1.0)])
    assert torch.allclose(ensemble.read(IMAGES)[0], torch.tensor([0.8, 0.2]).expand(2, 2))
    assert torch.allclose(ensemble.disagreement(IMAGES), torch.full((2, 1), 0.32))


def test_members_that_are_all_undecided_agree():
    assert not EnsembleProbe([Says(0.5, 0.5)] * 3).disagreement(IMAGES).any()


def test_a_contradicted_reading_counts_as_off_the_manifold_and_others_do_not():
    space = ConceptSpace.named(colour=("red", "blue"))
    for last, doubtful in ((Says(0.0, 1.0), True), (Says(0.9, 0.1), False)):
        ensemble = EnsembleProbe([Says(1.0, 0.0)] * 4 + [last])
        reading = read_samples(ensemble, DoubtfulReadings(ensemble, space, 0.25), IMAGES, 0.1)
        assert reading.off_manifold.tolist() == [doubtful] * 2
        assert reading.z.tolist() == [[1.0, 0.0]] * 2


def test_handwriting_that_nothing_has_learned_from_is_read(world, ensemble):
    experiment = recipe("digits").replace(world=world, probe=SETTINGS)
    quality = judge_probe(experiment, ensemble)
    assert np.mean(list(quality["accuracy"].values())) >= 0.97
    assert quality["doubtful"] < 0.05
    assert np.sum(quality["confusion"]["digit"]) == world.judged.sum()


def test_what_is_no_digit_is_doubted_more_often(world, ensemble):
    noise = torch.rand(200, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    doubt = DoubtfulReadings(ensemble, world.space, 0.25)
    assert doubt.invert(noise, 0.0).off_manifold.float().mean() > 0.2


def test_equal_seeds_give_equal_ensembles_whose_members_differ(world):
    settings = SETTINGS.replace(steps=3, members=2)
    told = []
    first, again = (
        train_ensemble(world, world.space, settings, 1, lambda done, of: told.append((done, of)))
        for _ in range(2)
    )
    assert told[-1] == (6, 6)
    ours, theirs = first.to_tensors(), again.to_tensors()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert not torch.equal(ours["member.0.heads.0.weight"], ours["member.1.heads.0.weight"])


def test_an_ensemble_is_stored_and_read_again(ensemble, world):
    images = world.tensor(np.arange(20))
    again = probe_from_tensors(ensemble.to_tensors())
    assert isinstance(again, EnsembleProbe)
    assert all(torch.equal(a, b) for a, b in zip(ensemble.read(images), again.read(images)))


def test_what_is_no_ensemble_is_refused():
    with pytest.raises(ValueError, match=r"members must be two probes or more, not 1"):
        EnsembleProbe([Says(1.0, 0.0)])
    with pytest.raises(ValueError, match=r"extra is in none"):
        EnsembleProbe.from_tensors({"member.0.a": torch.zeros(1), "extra": torch.zeros(1)})
    with pytest.raises(TypeError, match=r"member 0 is a Says; only ensembles"):
        EnsembleProbe([Says(1.0, 0.0)] * 2).to_tensors()
