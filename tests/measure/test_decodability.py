import numpy as np
import torch

from conceptspace.concepts.split import Split
from conceptspace.measure.decodability import _ridge, linear_decodability
from small import PROMPTER, SPLIT


class Told:
    """A model whose only site is a function of the prompt."""

    def __init__(self, function):
        self.function = function

    def encode(self, vectors):
        return {"h": self.function(vectors)}

    def sites(self):
        return ("h",)


def decoded(function, split=SPLIT):
    return linear_decodability(Told(function), PROMPTER, split, np.random.default_rng(0))[0]


def test_concepts_that_lie_in_the_prompt_are_read_in_a_class_never_trained_on():
    np.testing.assert_array_equal(decoded(lambda h: h), [1.0, 1.0])


def test_a_site_that_never_changes_tells_nothing():
    accuracy = decoded(lambda h: torch.zeros(len(h), 5), Split(training_classes=("00", "11")))
    assert accuracy.max() <= 0.5


def test_a_site_without_colour_reads_size_alone():
    def size_only(h):
        return torch.cat([torch.zeros(len(h), 3), h[:, 3:]], dim=1)

    balanced = Split(training_classes=("00", "01", "10", "11"))
    colour, size = decoded(size_only, balanced)
    assert size == 1.0
    # 256 fresh prompts of four balanced classes: chance is one half, three deviations are 0.094.
    assert abs(colour - 0.5) < 0.1


def test_concepts_told_apart_by_separate_entries_for_each_class_are_not_read_in_a_new_one():
    """One entry for each class: what was learned about the training classes says nothing of 11."""

    def one_hot(h):
        blue, small = (h[:, 2] > 0.5).long(), (h[:, 3] < 0.45).long()
        return torch.nn.functional.one_hot(2 * blue + small, 4).float()

    assert decoded(one_hot).min() == 0.0


def test_a_site_of_very_many_entries_is_read_like_the_same_in_few():
    mix = torch.randn(4, 3000) * 0.1
    wide = decoded(lambda h: (h @ mix).view(len(h), 30, 100))  # as tokens of a text
    np.testing.assert_array_equal(wide, [1.0, 1.0])


def test_many_entries_and_few_are_the_same_regression():
    features, targets = torch.randn(20, 170).double(), torch.randn(20, 2).double()
    gram = features.T @ features + 0.3 * torch.eye(170)
    by_hand = torch.linalg.solve(gram, features.T @ targets)
    torch.testing.assert_close(_ridge(features, 0.3)(targets), by_hand)
    few = features[:, :100]
    by_hand = torch.linalg.solve(few.T @ few + 0.3 * torch.eye(100), few.T @ targets)
    torch.testing.assert_close(_ridge(few, 0.3)(targets), by_hand)
