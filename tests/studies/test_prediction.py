"""Predicted learning times where the answer is known: a planted law, dealt times, no signal."""

import json

import numpy as np
import pytest

from conceptspace.studies import prediction
from conceptspace.studies.prediction import STUDY, analyse, claims
from conceptspace.theory.halves import draw_halves, score_constant
from studies.theory_worlds import PAIRS, checkpoints, run_with_paths, signals_of

PLANTED_PAIRS = (*PAIRS, (0.8, 0.2), (0.7, 0.25), (0.6, 0.2))
"""The last have the stronger signal on the other axis."""


def sweep(kind="law", pairs=PLANTED_PAIRS, num_seeds=5):
    """Coordinates pass one half at times that follow the signals, or at times that are dealt."""
    rng, steps = np.random.default_rng(2), checkpoints(30)
    runs = []
    for pair in pairs:
        times = 4500 / signals_of(pair)
        if kind == "dealt":
            times = rng.uniform(500, 2500, size=2)
        if kind == "never":
            times = np.array([9e4, 9e4])
        times = times * np.exp(0.05 * rng.standard_normal((num_seeds, 1, 2)))
        paths = 1 / (1 + np.exp(-(steps[:, None] - times) / (0.06 * times)))
        runs.append(run_with_paths(pair, paths, steps))
    return runs


def concluded(runs):
    findings = {"scale": "made-up"} | analyse(runs, "quick")
    return findings, {claim.id: claim for claim in claims(findings)}


@pytest.fixture(scope="module", autouse=True)
def few_halves():
    """Fewer halves and redraws than a study makes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prediction, "NUM_SPLITS", 3)
        patch.setattr(prediction, "DRAWS_SHARE", 8)
        yield


@pytest.fixture(scope="module")
def planted():
    return concluded(sweep())


def test_findings_and_claims_are_plain_json(planted):
    findings, found = planted
    assert json.loads(json.dumps(findings, allow_nan=False)) == findings
    assert tuple(found) == STUDY.tests
    for claim in found.values():
        json.dumps(claim.model_dump(mode="json"), allow_nan=False)


def test_a_planted_law_predicts_left_out_times_and_their_order(planted):
    found = planted[1]
    assert {claim.verdict for claim in found.values()} == {"holds"}
    times = found["prediction/times"]
    assert times.value > 0.9
    assert times.controls["slope of log time"]["value"] == pytest.approx(-1, abs=0.15)
    assert times.controls["gain over knowing the concept alone"]["passed"]
    ceiling = times.controls["measured medians as the prediction"]["value"]
    assert times.value - 0.05 <= ceiling <= 1.0
    assert found["prediction/order"].value > 0.9


def test_what_seeds_differ_in_bounds_what_can_be_predicted():
    """With times that follow no setting, their own medians say little of them."""
    rng = np.random.default_rng(4)
    times = rng.uniform(500, 2500, size=(9, 2, 5))
    assert prediction._own_medians(times, np.full(9, 3000.0)).shape == (9, 2)
    halves = draw_halves(9, 5, rng)
    ends = np.full(9, 3000.0)
    found = score_constant(prediction._own_medians(times, ends), times, ends, halves)
    alike = np.broadcast_to(times[:, :, :1], times.shape).copy()
    alike[0, 0] = np.inf
    sure = score_constant(prediction._own_medians(alike, ends), alike, ends, halves)
    assert found < 0.7
    assert sure == pytest.approx(1.0)


def test_times_that_are_dealt_are_not_predicted():
    found = concluded(sweep("dealt"))[1]
    assert {claim.verdict for claim in found.values()} == {"does not hold"}
    assert found["prediction/times"].controls["signals permuted among settings"]["value"] > 0.05


def test_where_one_concept_is_always_stronger_the_order_says_nothing():
    found = concluded(sweep(pairs=PAIRS[:6]))[1]
    order = found["prediction/order"]
    assert order.verdict == "inconclusive"
    assert "constant guess" in order.controls["reason"]
    assert found["prediction/times"].verdict == "holds"


def test_where_nothing_is_learned_nothing_is_claimed():
    findings, found = concluded(sweep("never", pairs=PAIRS[:5]))
    assert {claim.verdict for claim in found.values()} == {"inconclusive"}
    assert "too few times" in found["prediction/times"].controls["reason"]
    assert len(STUDY.figure(findings).axes) == 3


def test_its_figure_is_drawn(planted):
    assert len(STUDY.figure(planted[0]).axes) == 3
