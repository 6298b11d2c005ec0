"""A data set as a world: how it is divided, drawn, and checked."""

import numpy as np
import pytest
import torch

import conceptspace as cs
from conceptspace.concepts.settings import SettingsError
from conceptspace.data.dataset import draw_dataset, draw_labelled_sets, render_images
from conceptspace.data.labelled import DataError, LabelledImages
from conceptspace.data.labelled_world import LabelledWorld

SPACE = cs.ConceptSpace.named(colour=("red", "blue"), size=("large", "small"))


class Made(LabelledWorld):
    """Images that all differ: the first two pixels hold the row, the others the class."""

    image_size: int = 8
    numbers: tuple[int, ...] = (30, 30, 30, 30)
    grouped: bool = False
    first: int = 0

    @property
    def space(self):
        return SPACE

    def read(self, progress=None):
        values = np.repeat([SPACE.indices(c) for c in SPACE.classes], self.numbers, axis=0)
        images = np.zeros((len(values), 8, 8, 3), dtype=np.uint8)
        images[...] = (60 * values[:, :1] + 120 * values[:, 1:])[:, :, None, None]
        row = np.arange(len(values))
        images[:, 0, 0, 0], images[:, 0, 1, 0] = row // 256, row % 256
        images[:1, 1, 1] = self.first
        groups = np.arange(len(values)) // 2 if self.grouped else None
        return LabelledImages(images, values, SPACE, groups=groups)


def prompter_of(world):
    return cs.Prompter(
        space=SPACE, conditioning=cs.Conditioning(), factor_widths=world.factor_widths
    )


def rows_in(dataset):
    """Which rows of the data a set holds."""
    pixels = (255 * dataset.images[:, 0, 0, :2]).round().int()
    return (256 * pixels[:, 0] + pixels[:, 1]).tolist()


def sets_of(world, held_out=("11",), num=20, num_held_out=16, seed=0):
    return draw_labelled_sets(
        world,
        prompter_of(world),
        ("00", "01", "10"),
        held_out,
        num_per_class=num,
        training_share=0.8,
        num_held_out=num_held_out,
        rng=np.random.default_rng(seed),
    )


def test_no_image_is_in_two_parts_and_none_is_there_twice():
    world = Made()
    sets = sets_of(world)
    parts = [set(rows_in(part)) for part in sets.values()] + [set(np.flatnonzero(world.judged))]
    assert sum(map(len, parts)) == len(set.union(*parts))
    assert [len(part) for part in sets.values()] == [48, 12, 16]


def test_images_have_the_labels_and_vectors_of_their_class():
    sets = sets_of(Made())
    rows = np.asarray(rows_in(sets["train"]))
    assert np.array_equal(sets["train"].labels, Made().loaded().values[rows])
    assert torch.equal(sets["held_out"].vectors, torch.tensor([[0.0, 1.0, 0.0, 1.0]]).expand(16, 4))
    assert sets["train"].images.max() <= 1


def test_a_seed_draws_others_but_judges_by_the_same():
    first, second = (sets_of(Made(), seed=seed)["train"] for seed in (0, 1))
    assert set(rows_in(first)) != set(rows_in(second))
    assert np.array_equal(Made().judged, Made().judged)


def test_a_group_is_in_one_part_only():
    world = Made(grouped=True)
    sets = sets_of(world, num=10)
    groups = [{row // 2 for row in rows_in(part)} for part in sets.values()]
    groups.append({row // 2 for row in np.flatnonzero(world.judged)})
    assert not groups[0] & (groups[1] | groups[2] | groups[3])
    assert not groups[3] & (groups[1] | groups[2])


def test_a_class_with_too_few_images_is_named_with_its_count():
    with pytest.raises(
        DataError, match=r"class 01 \(red small\) has 9 images, of which 2 are kept"
    ):
        sets_of(Made(numbers=(30, 9, 30, 30)))
    with pytest.raises(
        DataError, match=r"class 11 .* has 0 images.*0 are there for held out.*: bring more"
    ):
        sets_of(Made(numbers=(30, 30, 30, 0)))
    world = Made(numbers=(30, 9, 30, 30))
    with pytest.raises(DataError, match=r"lower training.images_per_class"):
        draw_dataset(world, prompter_of(world), ("01",), 8, np.random.default_rng(0))


def check(world, num=20, share=0.8):
    world.check_enough(("00", "01", "10"), ("11",), num, share)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (
            (30, 9, 30, 30),
            r"class 01 \(red small\) has 9 images, of which 2 are kept .* 7 are there to learn "
            r"from, fewer than training.images_per_class=20: set training.images_per_class to 7 at "
            "most, or lower world.judged_share, or bring more of it",
        ),
        ((30, 30, 1, 30), "class 10 .* has 1 images, of which 0 .* fewer than .*=20: bring more"),
        ((30, 0, 30, 30), "class 01 .* has 0 images, of which 0 .* fewer than .*=20: bring more"),
        ((30, 30, 30, 0), "class 11 .* has 0 images, .* fewer than the one that a held-out class"),
    ],
)
def test_too_few_images_are_refused_before_anything_is_trained(numbers, message):
    with pytest.raises(DataError, match=message):
        check(Made(numbers=numbers))


@pytest.mark.parametrize(
    ("num", "share", "parts"), [(2, 0.85, "2 .* 2 .* 0 "), (10, 0.01, "10 .* 0 .* 10 ")]
)
def test_a_share_that_leaves_a_part_without_an_image_is_refused(num, share, parts):
    with pytest.raises(DataError, match=rf"training_share={share} makes of {parts}for validation"):
        check(Made(), num, share)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.85])
@pytest.mark.parametrize("there", [5, 6, 7, 8, 9, 14, 19])
def test_what_is_not_refused_can_be_drawn_and_what_is_refused_cannot(there, share):
    world = Made(numbers=(30, there, 30, 1))
    most = len(world.rows("01"))

    def draw(num):
        rng = np.random.default_rng(0)
        draw_labelled_sets(
            world, prompter_of(world), ("00", "01", "10"), ("11",),
            num_per_class=num, training_share=share, num_held_out=4, rng=rng,
        )  # fmt: skip

    check(world, most, share)
    draw(most)
    with pytest.raises(DataError):
        check(world, most + 1, share)
    with pytest.raises(DataError):
        draw(most + 1)


def test_fewer_held_out_images_than_wanted_will_do():
    assert len(sets_of(Made(numbers=(30, 30, 30, 5)))["held_out"]) == 4


def test_a_class_is_shown_by_one_of_its_images_and_by_grey_where_it_has_none():
    world = Made(numbers=(30, 30, 30, 0))
    z = np.stack([SPACE.mean(name) for name in SPACE.classes])
    shown = render_images(world, SPACE, z, np.random.default_rng(0))
    assert (255 * shown[:, 1, 4, 4]).round().tolist() == pytest.approx([0, 120, 60, 128], abs=0.6)


def test_signal_is_the_distance_of_class_means():
    found = cs.concept_signal(Made(), SPACE)
    pixels = (8 * 8 * 3 - 5) ** 0.5  # all but those that hold the row, or are changed
    assert found["colour"].derivative is None
    assert found["colour"].finite == pytest.approx(60 / 255 * pixels, rel=0.02)
    assert found["size"].finite == pytest.approx(120 / 255 * pixels, rel=0.02)


def test_what_the_means_of_few_images_differ_by_chance_is_no_signal():
    class Noise(Made):
        def read(self, progress=None):
            made = super().read()
            pixels = np.random.default_rng(0).integers(0, 256, made.images.shape, dtype=np.uint8)
            return LabelledImages(pixels, made.values, SPACE)

    # Without taking it off: sqrt(192 * 2 / 12 / 30) = 1.03.
    assert all(signal.finite < 0.35 for signal in cs.concept_signal(Noise(), SPACE).values())


def test_a_concept_of_which_no_two_classes_can_be_compared_has_no_signal():
    found = cs.concept_signal(Made(numbers=(30, 30, 0, 0)), SPACE)
    assert found["colour"].finite is None
    assert found["size"].finite is not None


def test_changed_data_are_refused_by_their_fingerprint():
    known = Made().identified()
    assert known.fingerprint is not None
    assert known == Made(fingerprint=known.fingerprint)
    changed = known.replace(first=9)
    with pytest.raises(DataError, match=r"the data have changed .*fingerprint=None"):
        changed.loaded()


def test_a_space_that_is_not_that_of_the_data_is_refused_but_words_are_free():
    Made().check(cs.ConceptSpace.named(colour=("rot", "blau"), size=("gross", "klein")))
    with pytest.raises(
        SettingsError, match=r"the data have the concepts colour .*space=world.space"
    ):
        Made().check(cs.ConceptSpace.named(colour=("red", "blue")))


def test_a_reader_that_returns_nothing_is_told():
    with pytest.raises(DataError, match=r"there is not one image"):
        Made(numbers=(0, 0, 0, 0)).loaded()
