"""A sweep in which the values of an axis look the same: neither C1 nor C3 nor C5 may hold."""

import numpy as np
import pytest

from conceptspace.data.signal import concept_signal
from conceptspace.dynamics.findings import findings
from conceptspace.report.claims import claims as claims_of_run
from conceptspace.studies.learning_speed import analyse, claims
from conceptspace.studies.reproduce import SWEEP, finished, reproduce
from conceptspace.sweeps.plan import plan_sweep
from studies.looks_alike import SEPARATIONS, declared, looks_alike
from studies.test_reproduce import Training, study_of
from studies.worlds import colours_look_alike

NUM_SEEDS = 5
NOT_CLAIMED = ("does not hold", "inconclusive")


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep that was really trained; its results and its runs."""
    out = tmp_path_factory.mktemp("null-world")
    experiments = [declared(separation) for separation in SEPARATIONS]
    with pytest.MonkeyPatch.context() as monkeypatch:
        looks_alike(monkeypatch)
        done = reproduce(
            study_of(experiments, num_seeds=NUM_SEEDS), "quick", out, executor=Training()
        )
        signals = [concept_signal(one.world, one.space) for one in experiments]
    plan = plan_sweep([(one, NUM_SEEDS) for one in experiments], 1)
    return done, signals, list(finished(out / SWEEP, plan, []))


def test_the_declared_separation_varies_and_the_signal_stays_0(swept):
    done, signals, _ = swept
    declared_there = [row["separation"]["weak"] for row in done.findings["settings"]]
    assert sorted(declared_there) == list(SEPARATIONS)
    assert [signal["weak"].finite for signal in signals] == pytest.approx([0.0] * 5, abs=1e-6)
    assert {round(signal["strong"].finite, 4) for signal in signals} == {0.6}


def test_no_law_of_speed_is_claimed_though_times_are_there_to_compare(swept):
    found = {claim["id"]: claim for claim in swept[0].claims}
    claim = found["C1/weak"]
    assert claim["verdict"] == "does not hold"
    assert claim["controls"]["pairs compared"] > 50
    assert claim["controls"]["share never learned"]["value"] < 0.5
    assert found["C1/strong"]["verdict"] == "inconclusive"  # it has one separation
    assert {found[name]["verdict"] for name in ("C2/weak", "C2/strong")} <= set(NOT_CLAIMED)


def test_no_memorisation_and_no_hidden_capability_is_claimed_in_any_run(swept):
    _, signals, runs = swept
    for run, signal in zip(runs, signals):
        known = {name: {"signal": s.derivative, "finite": s.finite} for name, s in signal.items()}
        settings = run.experiment.findings
        found = findings(run.trajectory, settings, signal=known)
        verdicts = {c.id: c.verdict for c in claims_of_run(found, run.trajectory, settings)}
        assert verdicts["C3"] in NOT_CLAIMED
        assert verdicts["C5"] in NOT_CLAIMED


@pytest.mark.parametrize("share_read_right", [0.0, 0.5, 1.0])
def test_colours_that_look_alike_are_learned_no_faster_the_farther_apart_they_are_said_to_be(
    share_read_right,
):
    """Made-up images: whatever a probe reads off two colours that are one, it is not the law."""
    found = {"scale": "made-up"} | analyse(colours_look_alike(share_read_right), "quick")
    verdicts = {claim.id: claim.verdict for claim in claims(found)}
    assert verdicts["C1/colour"] in NOT_CLAIMED
    assert verdicts["C1/size"] == "holds"
    values = [row["times"]["0.8"]["colour"] for row in found["settings"]]
    assert all(None not in row for row in values) == (share_read_right == 1.0)
    assert np.isfinite(found["axes"]["size"]["0.8"]["association"]["value"])
