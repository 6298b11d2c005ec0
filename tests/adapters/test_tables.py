"""Class ids and prompts as multilinear functions of the conditioning vector."""

import pytest
import torch

from conceptspace.adapters.tables import ClassTable, PromptTable
from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.dropping import no_condition
from small import SPACE as NOT_NAMED

SPACE = ConceptSpace.named(colour=("red", "blue"), size=("large", "small"))
TEMPLATE = "a {size} {colour} circle"


def asked_for(table, *vector):
    """The entries that a vector asks for, and how much of each."""
    weights = table.weights(torch.tensor([vector]))[0]
    return {table.entries[i]: round(w, 4) for i, w in enumerate(weights.tolist()) if w}


@pytest.fixture
def prompts():
    return PromptTable(SPACE, TEMPLATE)


def test_a_corner_is_its_own_prompt(prompts):
    for concept_class in SPACE.classes:
        colour, size = SPACE.describe(concept_class).split()
        vector = SPACE.mean(concept_class).tolist()
        assert asked_for(prompts, *vector) == {f"a {size} {colour} circle": 1.0}


def test_over_prompting_goes_beyond_a_corner(prompts):
    assert asked_for(prompts, 1.3, -0.3, 0.0, 1.0) == {
        "a small red circle": 1.3,
        "a small blue circle": -0.3,
    }


def test_what_is_not_said_is_dropped_from_the_prompt(prompts):
    assert asked_for(prompts, 0.0, 0.0, 0.0, 1.0) == {"a small circle": 1.0}
    assert asked_for(prompts, 0.0, 0.0, 0.0, 0.0) == {"a circle": 1.0}
    half = asked_for(prompts, 0.5, 0.0, 0.0, 1.0)
    assert half == {"a small red circle": 0.5, "a small circle": 0.5}


def test_a_hidden_condition_is_the_unconditional_prompt():
    assert asked_for(PromptTable(SPACE, TEMPLATE), *no_condition(4)[0].tolist()) == {"": 1.0}
    table = PromptTable(SPACE, TEMPLATE, unconditional="ugly")
    assert asked_for(table, *no_condition(4)[0].tolist()) == {"ugly": 1.0}


def test_something_can_stand_in_for_a_dropped_word():
    table = PromptTable(SPACE, "{size}, {colour}", dropped={"colour": "coloured"})
    assert table.prompt(size="small") == "small, coloured"
    assert table.prompt(colour="red") == ", red"
    assert PromptTable(SPACE, "{colour}, {size}").prompt(colour="red") == "red"


def test_over_prompting_by_words_moves_on_to_stronger_phrases():
    table = PromptTable(SPACE, TEMPLATE, stronger=("very {}", "extremely {}"))
    assert asked_for(table, 1.0, 0.0, 1.0, 0.0) == {"a large red circle": 1.0}
    assert asked_for(table, 2.0, -1.0, 1.0, 0.0) == {"a large very red circle": 1.0}
    assert asked_for(table, 2.5, -1.5, 1.0, 0.0) == {
        "a large very red circle": 0.5,
        "a large extremely red circle": 0.5,
    }
    assert asked_for(table, 9.0, -8.0, 1.0, 0.0) == {"a large extremely red circle": 1.0}


def test_embeddings_are_combined_exactly_whatever_the_company(prompts):
    embeddings = {p: torch.randn(3, 5) for p in prompts.entries}

    def embed(entries):
        return {"text": torch.stack([embeddings[p] for p in entries])}

    corner = torch.tensor([[0.0, 1.0, 1.0, 0.0]])
    pushed = torch.tensor([[-0.3, 1.3, 1.0, 0.0]])
    mixed = prompts.mixed(torch.cat([corner, pushed, torch.rand(6, 4)]), embed)["text"]
    assert torch.equal(mixed[0], embeddings["a large blue circle"])
    assert torch.equal(mixed[1], prompts.mixed(pushed, embed)["text"][0])
    by_hand = 1.3 * embeddings["a large blue circle"] - 0.3 * embeddings["a large red circle"]
    torch.testing.assert_close(mixed[1], by_hand)


def test_only_prompts_that_count_are_embedded(prompts):
    asked = []

    def embed(entries):
        asked.extend(entries)
        return {"text": torch.zeros(len(entries), 1)}

    prompts.mixed(torch.tensor([[1.0, 0.0, 1.0, 0.0]] * 3), embed)
    assert asked == ["a large red circle"]
    assert prompts.mixed(torch.zeros(0, 4), embed)["text"].shape == (0, 1)


def test_classes_are_numbered_in_the_order_of_the_space():
    table = ClassTable(SPACE)
    for i, concept_class in enumerate(SPACE.classes):
        assert asked_for(table, *SPACE.mean(concept_class).tolist()) == {i: 1.0}


def test_a_class_without_an_id_is_composed_of_those_that_have_one():
    table = ClassTable(SPACE, {"00": 3, "01": 5, "10": 7})
    assert asked_for(table, 0.0, 1.0, 0.0, 1.0) == {3: -1.0, 5: 1.0, 7: 1.0}
    assert asked_for(table, 1.0, 0.0, 0.0, 1.0) == {5: 1.0}


def test_an_axis_that_a_class_table_is_not_told_is_the_mean_of_its_values():
    assert asked_for(ClassTable(SPACE), 0.0, 0.0, 1.0, 0.0) == {0: 0.5, 2: 0.5}


def test_a_hidden_class_is_the_null_class():
    assert asked_for(ClassTable(SPACE, null_class=9), *no_condition(4)[0].tolist()) == {9: 1.0}
    with pytest.raises(ValueError, match="null_class: the class is hidden"):
        ClassTable(SPACE).weights(no_condition(4))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ClassTable(NOT_NAMED), "'colour' has values that are no one-hot.*named"),
        (lambda: ClassTable(SPACE, {"00": 0, "01": 1}), "'10' has no id .* since '10' has none"),
        (lambda: ClassTable(SPACE, {"22": 0}), "concept class '22' is not in this space"),
        (lambda: ClassTable(SPACE, dict.fromkeys(SPACE.classes, -1)), "whole number .* not -1"),
        (lambda: ClassTable(SPACE, null_class=True), "whole number .* not True"),
        (lambda: PromptTable(SPACE, "a {size} circle"), "does not say 'colour'"),
        (lambda: PromptTable(SPACE, "a {size} {color} circle"), "'color', which is no concept"),
        (lambda: PromptTable(SPACE, "a {size circle"), "template 'a {size circle'"),
        (lambda: PromptTable(SPACE, TEMPLATE, dropped={"hue": ""}), "concept 'hue' is not in"),
        (lambda: PromptTable(SPACE, TEMPLATE, stronger=("very",)), "'very' has no {}"),
        (lambda: ClassTable(SPACE).weights(torch.zeros(2, 3)), r"\(batch, 4\), .* not \(2, 3\)"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
