"""Claims that are judged together: the level is right, studies follow it, none gets better."""

import numpy as np
import pytest

from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.report.case import control, judge, record
from conceptspace.studies import concept_signal, learning_speed
from conceptspace.studies import reproduce as reproducing
from conceptspace.studies.multiplicity import (
    CORRECTED,
    LEAST_BEYOND,
    corrected,
    corrected_verdict,
    count_claims,
    judged_more_strictly,
    level_of,
    stricter,
)
from conceptspace.studies.outline import planned
from conceptspace.studies.reproduce import conclude
from conceptspace.studies.study import Study
from studies.worlds import null_world, phenomenon
from sweeps.fake import several


def claim(verdict, name="C1", value=0.5):
    made = {"value": value, "interval": (0.4, 0.6), "verdict": verdict, "controls": {"a": 1}}
    return record(name, "It is so.", "It is.", scale="quick", seeds=5, **made)


@pytest.mark.parametrize("num_claims", [1, 6, 40])
def test_the_errors_of_all_claims_add_up_to_that_of_one(num_claims):
    plain, strict = FindingsSettings(), stricter(FindingsSettings(), num_claims)
    assert num_claims * (1 - strict.confidence) == pytest.approx(1 - plain.confidence)
    assert num_claims * strict.significance == pytest.approx(plain.significance)
    beyond = (1 - strict.confidence) / 2 * strict.num_resamples
    assert beyond >= LEAST_BEYOND * 0.999
    assert strict.num_resamples >= plain.num_resamples


def test_simultaneous_intervals_cover_together_where_single_ones_do_not():
    """Means of 20 independent samples of 100, known spread: all intervals hold the truth."""
    from scipy import stats

    rng, num_claims = np.random.default_rng(0), 20
    means = rng.normal(0, 0.1, size=(4000, num_claims))

    def joint(confidence):
        half = 0.1 * stats.norm.ppf((1 + confidence) / 2)
        return (abs(means) < half).all(axis=1).mean()

    plain = FindingsSettings()
    assert joint(plain.confidence) < 0.5
    # 0.95 at least; the standard error of the share is 0.0035.
    assert joint(stricter(plain, num_claims).confidence) > 0.95 - 3 * 0.0035


@pytest.mark.parametrize(
    ("alone", "strictly", "wanted"),
    [
        ("holds", "holds", "holds"),
        ("holds", "inconclusive", "inconclusive"),
        ("holds", "does not hold", "does not hold"),
        ("does not hold", "holds", "does not hold"),
        ("inconclusive", "holds", "inconclusive"),
        ("does not hold", "inconclusive", "inconclusive"),
    ],
)
def test_a_correction_never_makes_a_verdict_hold(alone, strictly, wanted):
    level = level_of(FindingsSettings())
    (made,) = corrected([claim(alone)], [claim(strictly)], 7, level)
    assert made.verdict == alone
    assert made.controls["a"] == 1
    assert made.controls[CORRECTED]["verdict"] == wanted
    assert made.controls[CORRECTED]["num_claims"] == 7
    assert corrected_verdict(made.model_dump(mode="json")) == wanted
    assert corrected_verdict(claim(alone).model_dump(mode="json")) is None


def test_a_claim_that_is_made_only_once_stays_as_it_is():
    plain = claim("holds")
    assert corrected([plain], [claim("holds", "C2")], 2, {}) == [plain]


def test_runs_keep_everything_but_how_strictly_they_are_judged():
    run = phenomenon(colours=(0.2,), sizes=())[0]
    (again,) = judged_more_strictly([run], 10)
    assert again.trajectory is run.trajectory
    assert again.experiment.findings.confidence == pytest.approx(0.995)
    assert again.experiment.replace(findings=run.experiment.findings) == run.experiment


@pytest.fixture(scope="module")
def at_both_levels():
    def judged(runs):
        findings = {"scale": "quick"} | learning_speed.analyse(runs, "quick")
        return {each.id: each for each in learning_speed.claims(findings)}

    runs = phenomenon()
    return judged(runs), judged(list(judged_more_strictly(runs, 40)))


def test_learning_speed_follows_the_level(at_both_levels):
    alone, strictly = at_both_levels
    for name in ("C1/colour", "C1/size"):
        (low, high), (lowest, highest) = alone[name].interval, strictly[name].interval
        assert lowest < low
        assert high <= highest
        assert (alone[name].verdict, strictly[name].verdict) == ("holds", "holds")
        permuted = [judged[name].controls["separations permuted"] for judged in at_both_levels]
        spans = [np.ptp(one["central"]) for one in permuted]
        assert spans[1] > spans[0]
        assert "at most 5 % of" in alone[name].criterion
        assert "at most 0.125 % of" in strictly[name].criterion


def test_an_order_known_from_five_seeds_does_not_stand_the_correction(at_both_levels):
    alone, strictly = at_both_levels
    for name in ("C2/colour", "C2/size"):
        assert (alone[name].verdict, strictly[name].verdict) == ("holds", "inconclusive")


def test_a_null_world_does_not_hold_at_the_stricter_level_either():
    runs = list(judged_more_strictly(null_world(), 40))
    findings = {"scale": "quick"} | learning_speed.analyse(runs, "quick")
    assert all(each.verdict != "holds" for each in learning_speed.claims(findings))


def test_the_signal_follows_the_level_without_any_run():
    draws = np.array([[0.1, 0.3], [0.1, 0.25], [0.1, 0.2], [0.1, 0.4], [0.1, 0.101]])
    both = {"derivative": draws.tolist(), "finite": draws.tolist()}
    signal = {"colour": both, "size": both}
    axis = {"separation": [0.1, 0.2], "lines": [{"held": 0.4, "signal": signal}]}
    found = {"scale": "quick", "num_draws": 5}
    found["axes"] = {"colour": axis | {"other": "size"}, "size": axis | {"other": "colour"}}
    intervals = []
    for settings in (FindingsSettings(), stricter(FindingsSettings(), 40)):
        (first, _) = concept_signal.claims(found | level_of(settings))
        intervals.append(first.interval)
    assert intervals[1][0] < intervals[0][0]
    assert intervals[1][1] > intervals[0][1]


def significant(levels):
    """A study whose claim holds if 0.01 is below the significance that it is told."""

    def analyse(runs, scale):
        runs = list(runs)
        told = [run.experiment.findings.significance for run in runs]
        levels.append(told)
        return {"significance": told[0]} if told else {}

    def claims(findings):
        parts = {"test": control(0.01, findings["significance"] > 0.01, required=True)}
        made = {"value": 0.01, "interval": None, "verdict": judge(parts), "controls": parts}
        return [record("one", "It is so.", "It is.", scale="quick", seeds=1, **made)]

    from conceptspace.figures.style import new_figure

    return Study("made-up", "made up", ("one",), lambda scale: [], analyse, claims,
                 lambda findings: new_figure(1, 1))  # fmt: skip


@pytest.mark.parametrize("has_runs", [True, False])
def test_each_study_is_judged_twice_and_both_verdicts_are_kept(tmp_path, monkeypatch, has_runs):
    levels = []
    study = significant(levels)
    runs = phenomenon(colours=(0.2,), sizes=())
    monkeypatch.setattr(reproducing, "finished", lambda *_: iter(runs if has_runs else ()))
    listed = Study(**(vars(study) | {"experiments": lambda scale: [(e, 1) for e in several(1)]}))
    plan = planned(listed, "quick") if has_runs else None
    done = conclude(study, "quick", tmp_path, plan, num_claims=10)
    (saved,) = done.claims
    assert saved["verdict"] == "holds"
    assert saved["controls"][CORRECTED]["verdict"] == "does not hold"
    assert saved["controls"][CORRECTED]["confidence"] == pytest.approx(0.995)
    assert levels == ([[0.05], [0.005]] if has_runs else [[]])
    assert done.findings["significance"] == 0.05


def test_claims_are_counted_over_all_studies():
    assert count_claims([concept_signal.STUDY, learning_speed.STUDY]) == 6
