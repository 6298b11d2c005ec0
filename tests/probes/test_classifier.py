import pytest
import torch

from conceptspace.concepts import ConceptSpace, SettingsError
from conceptspace.data.factors import background, colour, position, shape, size
from conceptspace.data.world import SyntheticWorld
from conceptspace.probes.classifier import ConvolutionalProbe, train_probe
from conceptspace.probes.quality import class_accuracy
from conceptspace.probes.settings import ProbeSettings

TINY = ProbeSettings(widths=(4,), num_images=64, steps=3, batch_size=16)


def test_every_class_is_read_right(probe, world, space, renders):
    # 250 steps leave an error of about 1e-3; default settings are confirmed below.
    accuracy = class_accuracy(probe, renders(world, space, 1000), space)
    assert set(accuracy) == {"00", "01", "10", "11"}
    assert min(accuracy.values()) > 0.99


def test_pixel_noise_of_samples_does_not_mislead_the_probe(probe, world, space, renders):
    dataset = renders(world, space, 500)
    noise = 0.05 * torch.randn(dataset.images.shape, generator=torch.Generator().manual_seed(0))
    values = torch.stack([part.argmax(1) for part in probe.read(dataset.images + noise)], 1)
    # The smallest objects have a mask of 0.25 and a separation of 0.25: some are lost in noise.
    assert (values == dataset.labels).all(1).float().mean() > 0.97


def test_distributions_have_one_row_an_image_and_sum_to_one():
    generator = torch.Generator().manual_seed(0)
    probe = ConvolutionalProbe((3, 16, 16), (2, 3), (4, 4), generator)
    read = probe.read(torch.rand(5, 3, 16, 16, generator=generator))
    assert [tuple(part.shape) for part in read] == [(5, 2), (5, 3)]
    for part in read:
        torch.testing.assert_close(part.sum(1), torch.ones(5))


def test_reading_restores_the_mode_and_takes_no_gradient():
    probe = ConvolutionalProbe((3, 16, 16), (2,), (4,), torch.Generator())
    probe.train()
    (read,) = probe.read(torch.rand(2, 3, 16, 16))
    assert probe.training
    assert not read.requires_grad


def test_reading_in_parts_changes_nothing(probe):
    images = torch.rand(1030, 3, 16, 16)
    for whole, part in zip(probe.read(images), probe.read(images[1020:])):
        torch.testing.assert_close(whole[1020:], part)


def test_equal_seeds_give_equal_probes_and_others_do_not(world, space):
    first, second, third = (train_probe(world, space, TINY, seed=s) for s in (3, 3, 4))
    images = torch.rand(4, 3, 16, 16)
    for one, two, three in zip(*(p.read(images) for p in (first, second, third))):
        assert torch.equal(one, two)
        assert not torch.equal(one, three)


def test_training_leaves_the_global_generator_alone(world, space):
    before = torch.get_rng_state()
    train_probe(world, space, TINY, seed=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_progress_is_told_after_every_step(world, space):
    told = []
    train_probe(world, space, TINY, seed=0, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_more_concepts_and_sizes_are_built_for():
    space = ConceptSpace(
        concepts=(shape(), position("x"), colour(0.6), size(0.35), background(0.3))
    )
    probe = train_probe(SyntheticWorld(image_size=32), space, TINY, seed=0)
    read = probe.read(torch.rand(2, 3, 32, 32))
    assert [part.shape[1] for part in read] == [2, 2, 2, 2, 2]


def test_tensors_give_the_same_probe_back(probe):
    again = ConvolutionalProbe.from_tensors(probe.to_tensors())
    images = torch.rand(4, 3, 16, 16)
    for one, two in zip(probe.read(images), again.read(images)):
        assert torch.equal(one, two)


@pytest.mark.parametrize("change", ["missing", "shape", "architecture"])
def test_tensors_of_something_else_are_refused(probe, change):
    tensors = probe.to_tensors()
    if change == "missing":
        del tensors["heads.0.weight"]
    elif change == "shape":
        tensors["heads.0.weight"] = torch.zeros(3, 3)
    else:
        del tensors["architecture.widths"]
    with pytest.raises(ValueError, match="do not describe a convolutional probe"):
        ConvolutionalProbe.from_tensors(tensors)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.rand(2, 3, 32, 32), r"shape \(batch, 3, 16, 16\), not \(2, 3, 32, 32\)"),
        (torch.rand(2, 1, 16, 16), r"shape \(batch, 3, 16, 16\)"),
        (torch.rand(0, 3, 16, 16), "empty"),
        (torch.full((2, 3, 16, 16), torch.nan), "NaN"),
        (torch.full((2, 3, 16, 16), torch.inf), "infinity"),
        (torch.full((2, 3, 16, 16), 200.0), "scale them first"),
        (torch.zeros(2, 3, 16, 16, dtype=torch.uint8), "floating type"),
    ],
)
def test_bad_images_are_refused(probe, images, message):
    with pytest.raises(ValueError, match=message):
        probe.read(images)


def test_a_batch_with_one_wild_sample_is_read(probe):
    images = torch.rand(4, 3, 16, 16)
    images[2] *= 1e4
    for part in probe.read(images):
        assert part.isfinite().all()


def test_a_space_that_the_world_cannot_draw_is_refused(world):
    hue = colour(0.4).replace(factor="hue")
    with pytest.raises(SettingsError, match="hue"):
        train_probe(world, ConceptSpace(concepts=(hue,)), TINY, seed=0)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("image_size", [16, 32])
@pytest.mark.parametrize("separation", [0.2, 0.4])
def test_default_probe_reads_999_of_1000_held_out_renders(image_size, separation, renders):
    world = SyntheticWorld(image_size=image_size)
    space = ConceptSpace(concepts=(colour(separation), size(0.4)))
    probe = train_probe(world, space, ProbeSettings(), seed=0)
    for seed in range(4):
        accuracy = class_accuracy(probe, renders(world, space, 5000, seed=seed + 10), space)
        assert min(accuracy.values()) >= 0.999
