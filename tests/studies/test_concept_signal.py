"""The signal rises with the separation, which is computed; where it does not, that is said."""

import copy
import json

import numpy as np
import pytest

from conceptspace.data.world import SyntheticWorld
from conceptspace.studies import concept_signal
from conceptspace.studies.concept_signal import STUDY


@pytest.fixture(scope="module")
def findings():
    """In a smaller world, with fewer images, draws and separations than a user gets."""
    smaller = {
        "world_of": lambda scale: SyntheticWorld(image_size=8),
        "NUM_IMAGES": 4,
        "NUM_DRAWS": 3,
        "SEPARATIONS": {"colour": (0.1, 0.2, 0.4, 0.8), "size": (0.1, 0.2, 0.3, 0.4)},
        "FIXED": {"colour": (0.2, 0.8), "size": (0.2, 0.4)},
    }
    with pytest.MonkeyPatch.context() as patched:
        for name, value in smaller.items():
            patched.setattr(concept_signal, name, value)
        return {"scale": "quick"} | STUDY.analyse([], "quick")


def changed(findings, change):
    made = copy.deepcopy(findings)
    for line in made["axes"]["colour"]["lines"]:
        for kind, values in line["signal"]["colour"].items():
            line["signal"]["colour"][kind] = change(np.array(values)).tolist()
    return {claim.id: claim for claim in STUDY.claims(made)}


def test_nothing_is_trained():
    assert STUDY.experiments("quick") == STUDY.experiments("paper") == []


def test_the_signal_of_either_axis_rises_with_its_separation(findings):
    found = {claim.id: claim for claim in STUDY.claims(findings)}
    assert set(found) == set(STUDY.tests)
    assert {claim.verdict for claim in found.values()} == {"holds"}
    assert all(
        0 < claim.interval[0] <= claim.value <= claim.interval[1] for claim in found.values()
    )


def test_the_colour_signal_is_in_proportion_to_the_separation(findings):
    """The image is linear in its colour: twice the separation is twice the signal."""
    found = findings["axes"]["colour"]
    signal = np.array(found["lines"][0]["signal"]["colour"]["derivative"]).mean(axis=0)
    assert signal / found["separation"] == pytest.approx(signal[-1] / 0.8, rel=0.05)


def test_a_signal_that_is_flat_or_falls_somewhere_does_not_hold(findings):
    flat = changed(findings, lambda values: np.full_like(values, values.mean()))
    assert flat["signal/colour"].verdict == "does not hold"
    assert flat["signal/size"].verdict == "holds"

    def dented(values):
        values[:, 3] = values[:, 2] * 0.9
        return values

    assert changed(findings, dented)["signal/colour"].verdict == "does not hold"


def test_a_rise_within_the_noise_of_the_draws_does_not_hold(findings):
    def noisy(values):
        noise = np.random.default_rng(0).normal(size=values.shape)
        return 5 + 0.01 * np.arange(values.shape[1]) + noise

    assert changed(findings, noisy)["signal/colour"].verdict == "does not hold"


def test_each_place_of_the_other_axis_is_reported(findings):
    claim = STUDY.claims(findings)[0]
    held = [claim.controls[f"size held at {at}"] for at in ("0.2", "0.4")]
    assert all(len(control["other_signal"]) == len(control["signal"]) for control in held)


def test_findings_are_plain_json(findings):
    assert json.loads(json.dumps(findings, allow_nan=False)) == findings


def test_the_paper_scale_is_the_published_world():
    world = concept_signal.world_of("paper")
    assert (world.image_size, world.rasterisation) == (32, "published")


def test_the_figure_has_a_panel_and_a_strip_for_each_axis(findings):
    assert len(STUDY.figure(findings).axes) == 4
