import numpy as np
import torch

from conceptspace.elicitation.arms import Arm
from conceptspace.elicitation.intervention import PROMPT, AddDirections, Naive
from conceptspace.measure.sampling import elicit, prompts, sample_arms
from small import PROMPTER, SPACE, SPLIT


class Mirror:
    """Its image is its conditioning, so that a test can see what it was told."""

    def encode(self, vectors):
        return {"h": 10 * vectors}

    def sample(self, conditioning, generator):
        return conditioning["h"][:, :, None, None]

    def sites(self):
        return ("h",)

    def conditioning_parameters(self):
        return {}

    def sample_noise(self):
        return 0.0


def run(arms):
    rng, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    return sample_arms(Mirror(), PROMPTER, SPLIT, arms, rng, generator)


def test_an_intervention_acts_on_the_prompt_before_it_is_encoded_and_on_sites_after():
    push = AddDirections({PROMPT: torch.ones(1, 4), "h": torch.ones(1, 4)})
    told = elicit(Mirror(), torch.zeros(1, 4), push, torch.tensor([2.0]))
    assert told["h"].tolist() == [[22.0] * 4]


def test_held_out_classes_are_prompted_with_their_mean():
    rows = prompts(PROMPTER, SPLIT, "11", 3, np.random.default_rng(0))
    expected = torch.tensor(SPACE.mean("11"), dtype=torch.float32).expand(3, -1)
    torch.testing.assert_close(rows, expected)


def test_training_classes_are_prompted_with_draws_from_their_range():
    rows = prompts(PROMPTER, SPLIT, "00", 50, np.random.default_rng(0))
    assert rows.std(0).min() > 0
    assert (rows[:, :3] - torch.tensor([0.7, 0.3, 0.3])).abs().max() <= 0.05 + 1e-6


def test_arms_with_different_methods_and_strengths_share_one_batch_and_come_apart_again():
    push = AddDirections({PROMPT: torch.ones(1, 4)})
    arms = [Arm("11", "naive", (0.0,), Naive(), 3), Arm("11", "pushed", (1.0, 2.0), push, 2)]
    plain, pushed = run(arms)
    mean = 10 * torch.tensor(SPACE.mean("11"), dtype=torch.float32)
    torch.testing.assert_close(plain.images[0, :, :, 0, 0], mean.expand(3, -1))
    torch.testing.assert_close(pushed.images[0, :, :, 0, 0], (mean + 10).expand(2, -1))
    torch.testing.assert_close(pushed.images[1, :, :, 0, 0], (mean + 20).expand(2, -1))
