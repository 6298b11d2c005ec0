"""A trajectory that was measured less is the same where it was measured."""

import numpy as np
import pytest

from conceptspace.dynamics.arrays import TrajectoryArrays
from conceptspace.dynamics.narrowing import every_other, narrowed
from dynamics.synthetic import synthetic_trajectory


@pytest.fixture(scope="module")
def whole():
    rng = np.random.default_rng(0)
    return synthetic_trajectory(rng, num_seeds=2, num_checkpoints=9, num_samples=8)


def part(whole, **changes):
    fields = {
        "steps": whole.step.values.tolist()[:6],
        "strengths": {"latent-steering": (1.0, 2.0)},
        "num_samples": 6,
        "num_control_samples": 2,
    }
    return narrowed(whole, **(fields | changes))


def test_what_stays_is_as_it_was_and_the_rest_is_not_measured(whole):
    few = part(whole)
    assert few.sizes["step"] == 6
    assert few.sizes["sample"] == 6
    at = {"concept_class": "11", "method": "latent-steering"}
    before, after = whole.sel(at).isel(step=slice(6), sample=slice(6)), few.sel(at)
    for name in ("coordinate", "correct", "off_manifold"):
        assert few[name].dtype == whole[name].dtype
        kept = {"strength": [1, 2]}
        assert after[name].isel(kept).equals(before[name].isel(kept))
    assert (after.correct.isel(strength=[0, 3]) == -1).all()
    assert after.coordinate.isel(strength=[0, 3]).isnull().all()
    assert few.loss.equals(whole.loss.isel(step=slice(6)))


def test_arrays_see_the_strengths_that_stay_and_fewer_control_samples(whole):
    arrays = TrajectoryArrays(part(whole))
    right, strengths = arrays.joint_right("11", "latent-steering")
    assert strengths.tolist() == [1.0, 2.0]
    assert right.shape[-1] == 6
    right, strengths = arrays.joint_right("11", "latent-steering/random-direction")
    assert strengths.tolist() == [1.0, 2.0]
    assert right.shape[-1] == 2
    assert len(arrays.joint_right("11", "over-prompting")[1]) == 4
    assert arrays.coordinates("11").shape[2] == 6


def test_what_keeps_everything_changes_nothing(whole):
    strengths = {"latent-steering": (0.5, 1.0, 2.0, 4.0)}
    same = part(
        whole, steps=whole.step.values.tolist(), strengths=strengths, num_samples=8,
        num_control_samples=8,
    )  # fmt: skip
    assert same.equals(whole)


def test_a_strength_or_steps_that_are_not_there_are_refused(whole):
    with pytest.raises(ValueError, match=r"strengths: latent-steering has .*not all of \[3\.0\]"):
        part(whole, strengths={"latent-steering": (3.0,)})
    with pytest.raises(ValueError, match=r"steps: none of \[3\] is in the trajectory"):
        part(whole, steps=[3])


def test_every_other_checkpoint_keeps_the_first_and_the_last(whole):
    steps = whole.step.values
    assert every_other(whole).step.values.tolist() == [0, *steps[1::2], steps[-1]]
    odd = whole.isel(step=slice(8))
    assert every_other(odd).step.values.tolist() == [0, *steps[1:8:2]]
