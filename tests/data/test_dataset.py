import numpy as np
import pytest
import torch

from conceptspace.concepts import ConceptSpace
from conceptspace.data.dataset import draw_dataset, render_images, split_training
from conceptspace.data.factors import colour, size
from conceptspace.data.mixing import Conditioning, MaskedMixing, Prompter
from conceptspace.data.world import SyntheticWorld

SPACE = ConceptSpace(concepts=(colour(0.4), size(0.4)))
WORLD = SyntheticWorld(image_size=8)
MASKED = MaskedMixing(concept="colour", concept_class="01", share=0.5)


def prompter(**conditioning):
    widths = WORLD.factor_widths
    return Prompter(
        space=SPACE, conditioning=Conditioning(**conditioning), factor_widths=dict(widths)
    )


def draw(classes=("00", "01", "10"), num_per_class=6, seed=0, world=WORLD, **conditioning):
    rng = np.random.default_rng(seed)
    return draw_dataset(world, prompter(**conditioning), classes, num_per_class, rng)


def test_the_same_seed_draws_the_same_data():
    first, again = draw(mixing=MASKED), draw(mixing=MASKED)
    for field in ("images", "vectors", "z", "labels"):
        assert torch.equal(getattr(first, field), getattr(again, field))


def test_another_seed_draws_other_images():
    assert not torch.equal(draw().images, draw(seed=1).images)


def test_every_class_has_the_number_asked_for():
    labels = draw().labels.tolist()
    assert [labels.count(pair) for pair in ([0, 0], [0, 1], [1, 0], [1, 1])] == [6, 6, 6, 0]


def test_the_labels_are_those_of_the_concept_vector():
    data = draw(("00", "01", "10", "11"), 20)
    blue, small = data.z[:, 2] > 0.5, data.z[:, 3] < 0.45
    assert torch.equal(data.labels[:, 0], blue.long())
    assert torch.equal(data.labels[:, 1], small.long())


def test_the_images_show_the_labels():
    world = SyntheticWorld(image_size=16, noise=0.0, position_range=0.0)
    data = draw(("00", "10"), 10, world=world)
    centre = data.images[:, :, 8, 8]
    assert torch.equal(data.labels[:, 0], (centre[:, 2] > centre[:, 0]).long())


def test_the_model_is_told_what_the_image_shows():
    data = draw()
    assert torch.equal(data.vectors, data.z)


def test_the_mask_reaches_the_conditioning_vectors():
    data = draw(num_per_class=8, mixing=MASKED)
    masked = (data.vectors[:, :3] == 0).all(dim=1)
    assert masked.sum() == 4
    assert (data.labels[masked] == torch.tensor([0, 1])).all()


def test_the_classes_are_shuffled():
    labels = draw(num_per_class=20).labels
    assert not torch.equal(labels, labels.sort(dim=0).values)


def test_images_are_single_precision_in_zero_to_one():
    images = draw(world=SyntheticWorld(image_size=8, noise=0.5)).images
    assert images.dtype == torch.float32
    assert images.min() >= 0
    assert images.max() <= 1


def test_the_pixel_noise_is_as_strong_as_the_world_says():
    noise, z = 0.02, np.repeat(SPACE.mean("00")[None], 200, axis=0)
    # On a background of 0.5 nothing is clipped.
    worlds = (SyntheticWorld(noise=n, background_range=(0.5, 0.5)) for n in (noise, 0.0))
    noisy, clean = (render_images(w, SPACE, z, np.random.default_rng(0)) for w in worlds)
    assert (noisy - clean).std().item() == pytest.approx(noise, rel=0.01)


def test_images_do_not_depend_on_how_they_are_cut_into_chunks():
    z = SPACE.draw("00", 10, np.random.default_rng(0))
    whole, cut = (
        render_images(WORLD, SPACE, z, np.random.default_rng(1), chunk) for chunk in (1024, 3)
    )
    torch.testing.assert_close(whole, cut)


def test_the_training_share_comes_first_and_nothing_is_lost():
    data = draw(num_per_class=10)
    training, validation = split_training(data, 0.85)
    assert (len(training), len(validation)) == (26, 4)
    assert torch.equal(torch.cat([training.images, validation.images]), data.images)


def test_a_part_keeps_what_belongs_together():
    data = draw()
    part = data.part(torch.tensor([3, 1]))
    assert torch.equal(part.images[0], data.images[3])
    assert torch.equal(part.labels, data.labels[[3, 1]])


def test_no_classes_are_refused():
    with pytest.raises(ValueError, match="classes is empty: name at least one"):
        draw(())


def test_an_unknown_class_is_refused():
    with pytest.raises(ValueError, match="concept class '31' is not in this space"):
        draw(("31",))


def test_an_empty_draw_is_refused():
    with pytest.raises(ValueError, match="num_per_class must be 1 or more, not 0"):
        draw(num_per_class=0)


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_training_share_outside_zero_to_one_is_refused(share):
    with pytest.raises(ValueError, match="training_share must be between 0 and 1"):
        split_training(draw(), share)
