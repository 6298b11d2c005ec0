import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conceptspace.concepts import ConceptSpace, SettingsError
from conceptspace.data.factors import FACTOR_WIDTHS, colour, shape, size
from conceptspace.data.mixing import (
    Conditioning,
    IdentityMixing,
    MaskedMixing,
    NoisyMixing,
    Prompter,
)

PAPER = ConceptSpace(concepts=(colour(0.4), size(0.4)))
SHAPES = ConceptSpace(concepts=(colour(0.4), shape()))
PAPERS_FACTORS = ("shape", "x", "y", "colour", "size", "background")


def prompter(space=PAPER, factors=(), mixing=None):
    conditioning = Conditioning(factors=factors, mixing=mixing or IdentityMixing())
    return Prompter(space=space, conditioning=conditioning, factor_widths=FACTOR_WIDTHS)


def draws(space, names):
    """z, one row for each class named."""
    rng = np.random.default_rng(0)
    return np.concatenate([space.draw(name, 1, rng) for name in names])


def mix(source, names, seed=1):
    """The plain conditioning vectors, and the mixed ones."""
    z = draws(source.space, names)
    return source.vectors(z), source.mixed(z, names, np.random.default_rng(seed))


def test_the_papers_vector_has_eleven_numbers_in_the_papers_order():
    source = prompter(factors=PAPERS_FACTORS)
    assert source.width == 11
    assert source.layout == {
        "shape": slice(0, 2),
        "x": slice(2, 3),
        "y": slice(3, 4),
        "colour": slice(4, 7),
        "size": slice(7, 8),
        "background": slice(8, 11),
    }


def test_an_entry_whose_factor_is_no_concept_is_zero():
    mean = prompter(factors=PAPERS_FACTORS).class_mean("11")
    np.testing.assert_allclose(mean, [[0, 0, 0, 0, 0.3, 0.3, 0.7, 0.25, 0, 0, 0]], atol=1e-7)


def test_without_factors_the_vector_is_the_concept_vector():
    z = draws(PAPER, ["00", "11"])
    np.testing.assert_array_equal(prompter().vectors(z), z.astype(np.float32))


def test_factors_may_come_in_another_order_than_the_concepts():
    z = draws(PAPER, ["00", "11"])
    h = prompter(factors=("size", "colour")).vectors(z)
    np.testing.assert_array_equal(h, z[:, [3, 0, 1, 2]].astype(np.float32))


def test_a_concepts_entries_are_found_by_its_name():
    assert prompter(factors=PAPERS_FACTORS).slice_of("size") == slice(7, 8)


def test_the_class_mean_is_repeated():
    assert prompter().class_mean("01", num=3).shape == (3, 4)


def test_identity_mixing_tells_the_model_everything():
    plain, mixed = mix(prompter(), ["00", "01", "10"])
    np.testing.assert_array_equal(mixed, plain)


def test_noisy_mixing_adds_its_noise_to_the_concepts_entries():
    source = prompter(factors=PAPERS_FACTORS, mixing=NoisyMixing(standard_deviation=0.1))
    plain, mixed = mix(source, ["00"] * 5000)
    noise = (mixed - plain)[:, 4:8]
    # The standard error of a standard deviation is s / sqrt(2 n); four of them.
    assert abs(noise.std() - 0.1) < 4 * 0.1 / np.sqrt(2 * noise.size)
    assert abs(noise.mean()) < 4 * 0.1 / np.sqrt(noise.size)


def test_noisy_mixing_leaves_entries_without_a_concept_alone():
    source = prompter(factors=PAPERS_FACTORS, mixing=NoisyMixing(standard_deviation=0.1))
    _, mixed = mix(source, ["00"] * 10)
    np.testing.assert_array_equal(mixed[:, [0, 1, 2, 3, 8, 9, 10]], 0)


@hypothesis.settings(max_examples=50)
@given(share=st.floats(0, 1), num=st.integers(1, 40), seed=st.integers(0, 99))
def test_exactly_the_share_of_one_classs_prompts_is_masked(share, num, seed):
    mixing = MaskedMixing(concept="colour", concept_class="01", share=share, fill=-1.0)
    names = ["00", "01", "10"] * num
    plain, mixed = mix(prompter(SHAPES, mixing=mixing), names, seed)
    masked = np.all(mixed[:, :3] == -1.0, axis=1)
    assert masked.sum() == round(share * num)
    assert not masked[np.asarray(names) != "01"].any()
    np.testing.assert_array_equal(mixed[~masked], plain[~masked])


def test_masking_keeps_the_other_concepts():
    mixing = MaskedMixing(concept="colour", concept_class="01", share=1.0)
    plain, mixed = mix(prompter(SHAPES, mixing=mixing), ["01"] * 4)
    np.testing.assert_array_equal(mixed[:, :3], 0)
    np.testing.assert_array_equal(mixed[:, 3:], plain[:, 3:])


def test_which_prompts_are_masked_follows_from_the_generator():
    source = prompter(mixing=MaskedMixing(concept="colour", concept_class="01", share=0.5))
    first, again, other = (mix(source, ["01"] * 20, seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_mixing_does_not_change_the_vectors_it_is_given():
    h = np.ones((4, 4), dtype=np.float32)
    for mixing in (
        NoisyMixing(standard_deviation=1.0),
        MaskedMixing(concept="size", concept_class="00", share=1.0),
    ):
        mixing.apply(h, np.asarray(["00"] * 4), prompter(), np.random.default_rng(0))
    np.testing.assert_array_equal(h, 1)


@pytest.mark.parametrize(
    "mixing",
    [
        IdentityMixing(),
        NoisyMixing(standard_deviation=0.2),
        MaskedMixing(concept="size", concept_class="00", share=0.25),
    ],
)
def test_a_mixing_survives_the_way_through_json(mixing):
    conditioning = Conditioning(mixing=mixing)
    assert Conditioning.from_json(conditioning.to_json()) == conditioning


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        (("colour", "size", "hue"), "out of shape, x, y, .*; 'hue' is unknown"),
        (("colour",), "must name each concept's factor once.*; 'size' is missing"),
        (("colour", "size", "size"), "must name each concept's factor once"),
    ],
)
def test_factors_that_do_not_fit_are_refused(factors, message):
    with pytest.raises(SettingsError, match=message):
        prompter(factors=factors)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"concept": "hue"}, "mixing.concept: concept 'hue' is not in this space"),
        ({"concept_class": "22"}, "mixing.concept_class: concept class '22' is not in this space"),
    ],
)
def test_a_mask_that_does_not_fit_the_space_is_refused(fields, message):
    mixing = MaskedMixing(**({"concept": "colour", "concept_class": "01", "share": 0.5} | fields))
    with pytest.raises(SettingsError, match=message):
        prompter(mixing=mixing)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_outside_zero_to_one_is_refused(share):
    with pytest.raises(SettingsError, match=r"MaskedMixing\.share: .*got"):
        MaskedMixing(concept="colour", concept_class="01", share=share)


def test_classes_that_do_not_match_the_rows_are_refused():
    with pytest.raises(ValueError, match="one class for each of the 2 rows of z, not 3"):
        prompter().mixed(draws(PAPER, ["00", "01"]), ["00"] * 3, np.random.default_rng(0))
