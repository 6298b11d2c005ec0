"""Spaces from YAML and from the columns of a table."""

import re

import pytest

from conceptspace.concepts.concept import Uniform
from conceptspace.concepts.settings import SettingsError
from conceptspace.concepts.space import ConceptSpace

TEXT = """
concepts:
  - name: hat
    labels: ["no", "yes"]
  - name: size
    factor: size
    values: [[0.65], [0.25]]
    spread: {kind: uniform, half_width: 0.1}
    labels: [large, small]
"""


def test_a_space_is_read_from_yaml_text_and_from_a_file(tmp_path):
    space = ConceptSpace.from_yaml(TEXT)
    assert space.describe("10") == "yes large"
    assert space.concept("hat").values == ((1.0, 0.0), (0.0, 1.0))
    assert space.concept("size").spread == Uniform(half_width=0.1)
    path = tmp_path / "space.yaml"
    path.write_text(TEXT)
    assert ConceptSpace.from_yaml(path) == ConceptSpace.from_yaml(str(path)) == space


def test_names_with_words_are_enough():
    space = ConceptSpace.from_yaml("concepts:\n  colour: [red, blue]\n  year: [1990, 2000]\n")
    assert space == ConceptSpace.named(colour=("red", "blue"), year=("1990", "2000"))


WRONG = {
    "concepts:\n  hat: [no, yes]\n": "concepts.hat: YAML takes a word for False: put it in quotes",
    "concepts:\n  hat: red\n": "concepts.hat: give its words in brackets, not 'red'",
    "concepts: 3\n": "concepts: give names with their words",
    "concepts:\n  - red\n": "concepts.0: give its fields, not 'red'",
    "concepts:\n  - {name: hat, hue: 1}\n": "Concept.factor: Field required",
    "axes:\n  hat: [a, b]\n": "source: give one entry, 'concepts', not axes",
    "concepts:\n  hat: [a, b]\n  hat: [c, d]\n": "'hat' is there twice",
    "concepts:\n  hat: [red, red]\n": "concept 'hat': give two or more words, none empty and all",
    "concepts:\n  hat: [red]\n": "not ('red',)",
    "concepts:\n  hat: [red, '']\n": "none empty",
    "concepts: {\n": "this is no plain YAML",
    "!!python/object/apply:os.getcwd []\n": "this is no plain YAML",
    "gone.yaml": "cannot read gone.yaml: No such file",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_describes_no_space_is_refused(text):
    with pytest.raises(SettingsError, match=re.escape(WRONG[text])):
        ConceptSpace.from_yaml(text)


def test_a_space_is_inferred_from_columns():
    space = ConceptSpace.from_columns({"age": [30, 8, 8], "hat": ["yes", "no", "no"]})
    assert space == ConceptSpace.named(age=("8", "30"), hat=("no", "yes"))


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (["8", " ", "9"], r"'age' is empty in row 2 and 0 more"),
        ([1, 1], r"'age' holds 1 different values.*changes nowhere"),
        (range(50), r"50 .*bin it"),
    ],
)
def test_a_column_that_is_no_concept_is_refused(column, message):
    with pytest.raises(ValueError, match=message):
        ConceptSpace.from_columns({"age": column})


@pytest.mark.parametrize("words", ["red", 2, ("red", "red"), ("red", " "), ("red",)])
def test_words_that_are_no_values_are_refused(words):
    with pytest.raises(SettingsError, match=r"concept 'hat': give .*words"):
        ConceptSpace.named(hat=words)
