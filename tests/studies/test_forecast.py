"""Forecasts of a turn where the answer is known: the path tells, it does not, nothing turns."""

import json

import numpy as np
import pytest

from conceptspace.studies.forecast import STUDY, analyse, claims, rows_of
from conceptspace.studies.held_out_paths import read_paths
from studies.theory_worlds import PAIRS, checkpoints, run_with_paths


def sweep(told=True, share=0.5, num_seeds=5):
    """Seeds fall to 0.1 or 0.35; where it is told, those that fell least turn later."""
    rng, steps = np.random.default_rng(1), checkpoints()
    time = np.linspace(0, 1, len(steps))
    runs = []
    for pair in PAIRS:
        turns = rng.random(num_seeds) < share
        low = np.where(turns if told else rng.random(num_seeds) < 0.5, 0.35, 0.1)
        rise = np.clip((time - 0.6) / 0.3, 0, 1)
        colour = 0.5 - (0.5 - low[:, None]) * np.clip(time / 0.4, 0, 1)
        colour = colour + turns[:, None] * rise * (0.95 - low[:, None])
        size = np.broadcast_to(0.4 + 0.55 * np.clip(time / 0.3, 0, 1), colour.shape)
        runs.append(run_with_paths(pair, np.stack([colour, size], axis=-1), steps))
    return runs


def concluded(runs):
    findings = {"scale": "made-up"} | analyse(runs, "quick")
    (claim,) = claims(findings)
    return findings, claim


@pytest.fixture(scope="module")
def planted():
    return concluded(sweep())


def test_findings_and_claims_are_plain_json(planted):
    findings, claim = planted
    assert json.loads(json.dumps(findings, allow_nan=False)) == findings
    assert (claim.id,) == STUDY.tests
    json.dumps(claim.model_dump(mode="json"), allow_nan=False)


def test_a_turn_that_the_path_tells_is_forecast(planted):
    claim = planted[1]
    assert claim.verdict == "holds"
    assert claim.value > 0.5
    assert claim.controls["area under the curve"]["interval"][0] > 0.8
    assert claim.controls["rise of 0.15"]["passed"]


def test_a_turn_that_nothing_tells_is_not():
    claim = concluded(sweep(told=False))[1]
    assert claim.verdict != "holds"
    assert claim.value < 0.2
    assert claim.controls["outcomes permuted"]["passed"] is False


def test_where_nothing_or_everything_turns_nothing_is_claimed():
    for share in (0.0, 1.0):
        claim = concluded(sweep(share=share))[1]
        assert (claim.verdict, claim.value) == ("inconclusive", None)
        assert "of either outcome" in claim.controls["reason"]


def test_nothing_after_the_moment_is_used():
    """The same past with another future has the same features."""
    told, other = (read_paths(sweep(share=s))[0][0] for s in (0.0, 1.0))
    seen = len(told.steps) // 2
    told.paths[:, seen:] = other.paths[:, seen:] = 0.0
    before = rows_of(told, 0.5, 0.25)[1]
    told.paths[:, seen:] = 1.0
    seeds, features, came = rows_of(told, 0.5, 0.25)
    assert np.array_equal(features, before)
    assert came.all()
    assert len(seeds) == 5


def test_too_few_seeds_are_inconclusive():
    claim = concluded(sweep(num_seeds=4))[1]
    assert claim.verdict == "inconclusive"
    assert claim.controls["reason"] == "4 seeds, and 5 are needed"


@pytest.mark.parametrize("share", [0.5, 0.0])
def test_its_figure_is_drawn(share):
    assert STUDY.figure(concluded(sweep(share=share))[0]).axes
