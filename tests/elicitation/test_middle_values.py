"""A value in the middle of its concept has no direction to be pushed in."""

import pytest
import torch

from conceptspace.concepts.concept import Concept
from conceptspace.concepts.space import ConceptSpace
from conceptspace.concepts.split import Split
from conceptspace.data.factors import FACTOR_WIDTHS, colour
from conceptspace.data.mixing import Conditioning, Prompter
from conceptspace.elicitation.arms import plan_arms
from conceptspace.elicitation.settings import OverPrompt, push

SIZES = Concept(name="size", factor="size", values=((0.1,), (0.2,), (0.3,)))
SPACE = ConceptSpace(concepts=(colour(0.4), SIZES))
PROMPTER = Prompter(space=SPACE, conditioning=Conditioning(), factor_widths=FACTOR_WIDTHS)


class Plain:
    def encode(self, vectors):
        return {"h": vectors}


def arms(method, split):
    return plan_arms(
        Plain(),
        PROMPTER,
        split,
        (method,),
        num_samples=2,
        num_control_samples=2,
        num_directions=8,
        generator=torch.Generator().manual_seed(0),
    )


def test_over_prompting_a_middle_value_is_refused_before_anything_runs():
    with pytest.raises(ValueError, match=r"value 1 of concept 'size'.*give another point"):
        OverPrompt(concept="size", strengths=(0.1,)).check(SPACE)


def test_it_is_accepted_with_a_point_to_push_away_from():
    method = OverPrompt(concept="size", strengths=(0.1,), away_from=(0.5,))
    method.check(SPACE)
    assert push(SIZES, 1, method.away_from).tolist() == pytest.approx([-0.3])


def test_the_wrong_concept_control_is_left_out_where_it_has_no_direction():
    split = Split(training_classes=("00", "01", "02", "10"))
    planned = arms(OverPrompt(concept="colour", strengths=(0.1,)), split)
    control = {a.concept_class for a in planned if a.method == "over-prompting/wrong-concept"}
    assert control == {"12"}


def test_a_space_of_one_number_has_no_random_control():
    space = ConceptSpace(concepts=(SIZES,))
    prompter = Prompter(space=space, conditioning=Conditioning(), factor_widths=FACTOR_WIDTHS)
    planned = plan_arms(
        Plain(),
        prompter,
        Split(training_classes=("0", "1")),
        (OverPrompt(concept="size", strengths=(0.1,), away_from=(0.5,)),),
        num_samples=2,
        num_control_samples=2,
        num_directions=8,
        generator=torch.Generator().manual_seed(0),
    )
    assert "over-prompting/random-direction" not in {arm.method for arm in planned}
