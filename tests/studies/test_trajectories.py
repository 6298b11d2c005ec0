"""C3 across a colour sweep in which it is known where the held-out class heads."""

import json
from dataclasses import replace

import numpy as np
import pytest

from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies import learning_speed
from conceptspace.studies.trajectories import STUDY, analyse
from conceptspace.sweeps.plan import plan_sweep
from dynamics.synthetic import Phenomenon
from studies.worlds import COLOURS, told_run

SMALL_RED, LARGE_BLUE = (0.08, 0.92), (0.92, 0.08)


def concluded(runs):
    findings = {"scale": "made-up"} | analyse(runs, "quick")
    return findings, {claim.id: claim for claim in STUDY.claims(findings)}


def swept(via_of, colours=COLOURS, **sizes):
    """A sweep in which class 11 passes by a place of each separation's own; None: goes straight."""
    runs = []
    for number, colour in enumerate(colours):
        via = via_of(number / max(len(colours) - 1, 1))
        story = Phenomenon(
            turn_step=900, naive_step=3000, via=via or SMALL_RED, turns=via is not None,
            start=(0.45, 0.45),
        )  # fmt: skip
        runs.append(told_run(colour, 0.4, story, **sizes))
    return runs


def from_side_to_side(share):
    """Small red at the weakest colour, large blue at the strongest."""
    return tuple((1 - share) * a + share * b for a, b in zip(SMALL_RED, LARGE_BLUE))


def straight(share):
    return None


@pytest.fixture(scope="module")
def planted():
    return concluded(swept(from_side_to_side))


@pytest.fixture(scope="module")
def null():
    return concluded(swept(straight))


def test_findings_and_claims_are_plain_json(planted):
    findings, found = planted
    assert json.loads(json.dumps(findings, allow_nan=False)) == findings
    assert tuple(found) == STUDY.tests
    for claim in found.values():
        json.dumps(claim.model_dump(mode="json"), allow_nan=False)


def test_small_red_with_weak_colour_and_large_blue_with_strong_are_found(planted):
    found = planted[1]
    assert {claim.verdict for claim in found.values()} == {"holds"}
    for name, class_name in (("C3/weak", "01"), ("C3/strong", "10")):
        assert found[name].value < -0.12
        assert found[name].interval[1] < 0
        assert found[name].controls["heads to the training class"]["expected"] == [class_name]
    assert found["C3/side"].value > 0.8
    assert found["C3/side"].controls["ratios permuted"]["passed"]
    assert found["C3/side"].controls["side of the straight line, over all checkpoints"]["passed"]


def test_straight_paths_head_nowhere(null):
    assert {claim.verdict for claim in null[1].values()} == {"does not hold"}


def test_a_side_that_does_not_change_holds_at_one_end_alone():
    found = concluded(swept(lambda share: SMALL_RED))[1]
    assert [claim.verdict for claim in found.values()] == [
        "holds",
        "does not hold",
        "does not hold",
    ]


def test_a_coordinate_that_falls_and_never_rises_is_not_memorisation_that_ends():
    story = Phenomenon(turn_step=900, naive_step=1e6, via=SMALL_RED, start=(0.45, 0.45))
    runs = [told_run(colour, 0.4, story) for colour in (0.2, 0.8)]
    weak = concluded(runs)[1]["C3/weak"]
    assert weak.controls["memorises"]["passed"]
    assert weak.controls["turns later"]["passed"] is False
    assert weak.verdict == "does not hold"


def test_the_weakest_setting_s_verdict_is_that_of_the_run_itself(planted):
    row = planted[0]["settings"][0]
    own, claim = row["own_claim"], planted[1]["C3/weak"]
    assert own["weaker concept"]["name"] == "colour"
    assert (own["verdict"], own["value"]) == (claim.verdict, pytest.approx(claim.value, rel=1e-3))


def test_few_seeds_or_separations_are_inconclusive_and_say_so():
    found = concluded(swept(from_side_to_side, colours=(0.2, 0.8), num_seeds=4))[1]
    assert {claim.verdict for claim in found.values()} == {"inconclusive"}
    assert found["C3/weak"].controls["reason"] == "4 seeds, and 5 are needed"
    found = concluded(swept(from_side_to_side, colours=(0.2, 0.8)))[1]
    assert found["C3/side"].verdict == "inconclusive"
    assert found["C3/side"].controls["reason"] == "2 separations, and 5 are needed"
    assert found["C3/strong"].verdict == "holds"


def test_intervals_are_of_the_confidence_that_is_asked_for():
    runs = swept(from_side_to_side, colours=(0.2, 0.8))
    strict = FindingsSettings(num_resamples=200, confidence=0.99)
    stricter = [replace(r, experiment=r.experiment.replace(findings=strict)) for r in runs]
    usual, wide = (concluded(some)[1]["C3/weak"] for some in (runs, stricter))
    assert wide.interval[0] < usual.interval[0] < usual.interval[1] < wide.interval[1]
    assert "99 % interval" in wide.criterion


def test_settings_come_by_rising_colour_and_signal(planted):
    rows = concluded(swept(from_side_to_side, colours=(0.2, 0.4, 0.8))[::-1])[0]["settings"]
    assert [row["separation"] for row in rows] == [0.2, 0.4, 0.8]
    assert (np.diff([row["ratio"] for row in rows]) > 0).all()


def test_no_runs_equal_runs_and_runs_with_other_sizes_are_refused():
    with pytest.raises(ValueError, match="at least one run"):
        analyse([], "quick")
    run, other = (told_run(0.4, d, Phenomenon(), num_seeds=1) for d in (0.4, 0.3))
    with pytest.raises(ValueError, match="has the colours of another run"):
        analyse([run, run], "quick")
    with pytest.raises(ValueError, match="and the sizes and findings settings of the others"):
        analyse([run, other], "quick")


def test_it_needs_no_run_beyond_those_of_learning_speed():
    for scale, number in (("quick", 5), ("paper", 20)):
        own, shared = (
            {run.key for run in plan_sweep(study.experiments(scale), 1).runs}
            for study in (STUDY, learning_speed.STUDY)
        )
        assert len(own) == number
        assert own <= shared


def test_the_figure_has_two_planes_a_small_one_a_setting_and_the_sides(planted):
    assert len(STUDY.figure(planted[0]).axes) == 2 + 1 + 5 + 1
