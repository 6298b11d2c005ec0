"""C8 where the answer is known: paths that follow the law of signals, rates dealt out, no shift."""

import json

import numpy as np
import pytest

from conceptspace.studies import landscape
from conceptspace.studies.landscape import STUDY, analyse, claims
from conceptspace.theory.landscape import Landscape, nearest_corner
from studies.theory_worlds import PAIRS as ALL_PAIRS
from studies.theory_worlds import checkpoints, run_with_paths, signals_of


@pytest.fixture(scope="module", autouse=True)
def quick_fits():
    """Fewer starts and redraws: these paths need no more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(landscape, "NUM_STARTS", 2)
        patch.setattr(landscape, "DRAWS_SHARE", 20)
        yield


PAIRS = ALL_PAIRS[:5]
"""As many settings as a claim needs."""


def sweep(kind, num_seeds=5):
    """`law`: rates follow signals. `dealt`: signals say nothing. `noise`: no path at all."""
    rng, steps = np.random.default_rng(3), checkpoints(12)
    runs = []
    for pair in PAIRS:
        signal = rng.uniform(0.3, 2.1, size=2) if kind == "dealt" else signals_of(pair)
        rates = signal / 400
        origin = np.ones(2) if kind == "straight" else nearest_corner(np.ones(2), signal)
        shift = 1000 / signal.min()
        model = Landscape(
            rates, np.array([0.5, 0.45]), origin, np.ones(2), np.array(shift), np.array(150.0)
        )
        path = np.full((len(steps), 2), 0.5) if kind == "noise" else model.path(steps)
        jitter = 0.02 * rng.standard_normal((num_seeds, 1, 2))
        paths = np.clip(path + jitter, 0, 1)
        runs.append(run_with_paths(pair, paths, steps))
    return runs


def concluded(runs):
    findings = {"scale": "made-up"} | analyse(runs, "quick")
    return findings, {claim.id: claim for claim in claims(findings)}


@pytest.fixture(scope="module")
def planted():
    return concluded(sweep("law"))


def test_findings_and_claims_are_plain_json(planted):
    findings, found = planted
    assert json.loads(json.dumps(findings, allow_nan=False)) == findings
    assert tuple(found) == STUDY.tests
    for claim in found.values():
        json.dumps(claim.model_dump(mode="json"), allow_nan=False)


def test_planted_paths_are_explained_and_predicted(planted):
    findings, found = planted
    fit, held_out = found["C8/fit"], found["C8/held-out"]
    assert (fit.verdict, held_out.verdict) == ("holds", "holds")
    assert fit.value > 0.8
    assert held_out.interval[0] > findings["left_out"]["r2"]["mean of the others"]
    assert held_out.controls["signals permuted among settings"]["passed"]


def test_training_classes_rest(planted):
    assert planted[1]["C8/fit"].controls["training classes with a shift"]["value"] < 0.3


@pytest.fixture
def fewest_draws(monkeypatch):
    """Where no interval is looked at."""
    monkeypatch.setattr(landscape, "DRAWS_SHARE", 50)


@pytest.mark.usefixtures("fewest_draws")
def test_signals_that_say_nothing_predict_nothing():
    found = concluded(sweep("dealt"))[1]
    assert found["C8/held-out"].verdict != "holds"


@pytest.mark.usefixtures("fewest_draws")
def test_noise_and_paths_without_a_shift_are_not_explained():
    runs = [*sweep("noise")[:2], *sweep("straight")[2:5]]
    findings, found = concluded(runs)
    assert found["C8/fit"].verdict == "does not hold"
    assert max(row["evidence"] for row in findings["settings"]) < 10


def test_few_seeds_or_settings_are_inconclusive(planted):
    findings = planted[0]
    found = {claim.id: claim for claim in claims(findings | {"num_seeds": 2})}
    assert {claim.verdict for claim in found.values()} == {"inconclusive"}
    assert found["C8/fit"].controls["reason"] == "2 seeds, and 5 are needed"
    (fit, held_out) = claims(findings | {"settings": findings["settings"][:4]})
    assert fit.controls["reason"] == held_out.controls["reason"] == "4 settings, and 5 are needed"


def test_without_a_signal_no_law_is_claimed(planted):
    held_out = claims(planted[0] | {"left_out": None})[1]
    assert held_out.verdict == "inconclusive"
    assert "no law of rates" in held_out.controls["reason"]


def test_its_figure_is_drawn(planted):
    assert len(STUDY.figure(planted[0]).axes) == 2 + len(PAIRS)
