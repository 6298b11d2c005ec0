import numpy as np
import pytest
import torch

from conceptspace.adapters.native import NativeAdapter
from conceptspace.elicitation.directions import (
    directions,
    over_prompt_direction,
    random_directions,
    steering_directions,
    with_norms_of,
)
from conceptspace.elicitation.intervention import PROMPT
from conceptspace.models.unet import UNet
from conceptspace.models.vdm import VDM
from small import DIFFUSION, METHODS, PROMPTER, SPACE, UNET, WORLD

OVER_PROMPT, STEERING = METHODS


def adapter():
    return NativeAdapter(VDM(UNet(3, PROMPTER.width, UNET), DIFFUSION), WORLD.image_shape)


def test_blue_is_pushed_as_published():
    push = over_prompt_direction(PROMPTER, "11", "colour", (0.5, 0.5, 0.5))
    prompt = torch.from_numpy(PROMPTER.class_mean("11"))[0]
    expected = torch.tensor([0.3 - 0.15, 0.3 - 0.15, 0.7 + 0.15])
    torch.testing.assert_close((prompt + 0.15 * push)[:3], expected)


def test_over_prompting_leaves_the_other_concepts_alone():
    push = over_prompt_direction(PROMPTER, "11", "colour", (0.5, 0.5, 0.5))
    assert push[PROMPTER.slice_of("size")].abs().max() == 0


def test_by_default_a_value_is_pushed_away_from_the_mean_of_the_values():
    push = over_prompt_direction(PROMPTER, "11", "colour")
    torch.testing.assert_close(push[:3], torch.tensor([-1.0, 0.0, 1.0]))


def test_pushing_away_from_the_class_mean_itself_is_refused():
    with pytest.raises(ValueError, match=r"away_from .* is the class mean"):
        over_prompt_direction(PROMPTER, "11", "colour", (0.3, 0.3, 0.7))


def test_a_point_of_the_wrong_width_is_refused():
    with pytest.raises(ValueError, match="away_from must have 3 numbers"):
        over_prompt_direction(PROMPTER, "11", "colour", (0.5,))


def test_steering_is_the_mean_difference_of_the_embeddings():
    model = adapter()
    steered = steering_directions(model, PROMPTER, "11", "colour")

    def embedded(name):
        return model.encode(torch.from_numpy(PROMPTER.class_mean(name)))

    for site in model.sites():
        blue = (embedded("10")[site] + embedded("11")[site]) / 2
        red = (embedded("00")[site] + embedded("01")[site]) / 2
        torch.testing.assert_close(steered[site], (blue - red)[0])


def test_steering_points_the_other_way_for_the_other_value():
    model = adapter()
    blue = steering_directions(model, PROMPTER, "11", "colour")
    red = steering_directions(model, PROMPTER, "01", "colour")
    for site in model.sites():
        torch.testing.assert_close(blue[site], -red[site])


def test_random_directions_have_the_norm_and_are_orthogonal(generator):
    reference = steering_directions(adapter(), PROMPTER, "11", "colour")
    for site, drawn in random_directions(reference, 8, generator).items():
        assert drawn.shape == (8, len(reference[site]))
        torch.testing.assert_close(drawn.norm(dim=1), reference[site].norm().expand(8))
        cosines = drawn @ reference[site] / reference[site].norm() ** 2
        assert cosines.abs().max() < 1e-5


def test_random_directions_stay_in_the_interventions_own_space(generator):
    reference = directions(OVER_PROMPT, adapter(), PROMPTER, "11")
    part = PROMPTER.slice_of("colour")
    drawn = random_directions(reference, 8, generator, {PROMPT: part})[PROMPT]
    assert drawn[:, PROMPTER.slice_of("size")].abs().max() == 0
    assert drawn[:, part].norm(dim=1).min() > 0


def test_a_concept_of_one_number_gets_its_random_directions_in_the_whole_prompt(generator):
    push = over_prompt_direction(PROMPTER, "11", "size")
    drawn = random_directions({PROMPT: push}, 8, generator, {PROMPT: PROMPTER.slice_of("size")})
    torch.testing.assert_close(drawn[PROMPT].norm(dim=1), push.norm().expand(8))
    assert (drawn[PROMPT] @ push).abs().max() < 1e-6


def test_random_directions_are_all_different(generator):
    reference = {PROMPT: torch.tensor([1.0, 0.0, 0.0, 0.0])}
    drawn = random_directions(reference, 8, generator)[PROMPT]
    assert torch.pdist(drawn).min() > 1e-3


def test_the_wrong_concepts_direction_is_scaled_to_the_same_norm_at_every_site():
    model = adapter()
    own = steering_directions(model, PROMPTER, "11", "colour")
    wrong = steering_directions(model, PROMPTER, "11", "size")
    for site, scaled in with_norms_of(own, wrong).items():
        torch.testing.assert_close(scaled.norm(), own[site].norm())
        cosine = torch.nn.functional.cosine_similarity(scaled, wrong[site], dim=0)
        assert cosine > 0.999


def test_steering_a_concept_of_three_values_contrasts_one_with_the_mean_of_the_others():
    from conceptspace.concepts.concept import Concept
    from conceptspace.concepts.space import ConceptSpace
    from conceptspace.data.factors import FACTOR_WIDTHS, colour
    from conceptspace.data.mixing import Conditioning, Prompter

    sizes = Concept(name="size", factor="size", values=((0.2,), (0.4,), (0.6,)))
    space = ConceptSpace(concepts=(colour(0.4), sizes))
    prompter = Prompter(space=space, conditioning=Conditioning(), factor_widths=FACTOR_WIDTHS)

    class Plain:
        def encode(self, vectors):
            return {"h": vectors}

    steered = steering_directions(Plain(), prompter, "12", "size")["h"]
    expected = np.zeros(4, dtype=np.float32)
    expected[3] = 0.6 - 0.3
    np.testing.assert_allclose(steered.numpy(), expected, atol=1e-6)


def test_an_unknown_concept_is_refused():
    with pytest.raises(ValueError, match="concept 'shade' is not in this space; it has colour"):
        over_prompt_direction(PROMPTER, "11", "shade")
    assert SPACE.names == ("colour", "size")


def test_random_directions_of_several_tokens_are_orthogonal_and_as_long(generator):
    reference = {"text": torch.randn(5, 4)}
    drawn = random_directions(reference, 3, generator)["text"]
    assert drawn.shape == (3, 5, 4)
    products = (drawn * reference["text"]).flatten(1).sum(1)
    torch.testing.assert_close(products, torch.zeros(3), atol=1e-4, rtol=0)
    norms = drawn.flatten(1).norm(dim=1)
    torch.testing.assert_close(norms, reference["text"].norm().expand(3))
