"""What remains under every variant where the answer is known, both ways."""

import json
from pathlib import Path

import numpy as np
import pytest

from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.folder import open_run
from conceptspace.load import load_run
from conceptspace.models.settings import DDPMSettings, DiffusionSettings, FlowMatchingSettings
from conceptspace.opening import ensure_probe
from conceptspace.progress import Silent
from conceptspace.recipes import paper
from conceptspace.studies.raw_weights import raw_trajectory
from conceptspace.studies.robustness import STUDY, analyse, claims, every_other
from conceptspace.studies.robustness_variants import trained
from conceptspace.studies.study import StudyRun
from conceptspace.studies.vectors import STUDY as VECTORS
from conceptspace.sweeps.plan import plan_sweep
from conceptspace.training.checkpoint import CheckpointStore
from conceptspace.worker import run_seeds
from dynamics.synthetic import Phenomenon, synthetic_trajectory
from runs.tiny import tiny_experiment

HIDDEN = Phenomenon(turn_step=900, emergence_step=950, naive_step=4500, naive_spread=300)
NOTHING_HIDDEN = HIDDEN.replace(elicitable=False)
STRAIGHT = Phenomenon(
    turns=False, naive_step=2300, emergence_step=3100, start=(0.4, 0.4), naive_spread=0
)
VARIANTS = {variant.key: variant for variant in trained("quick")}
FEW = FindingsSettings(num_resamples=100)


def made_up(key, story=HIDDEN, num_seeds=5):
    """A run of the study whose course is planted, with the run's own checkpoints and strengths."""
    experiment = VARIANTS[key].experiment.replace(findings=FEW)
    trajectory = synthetic_trajectory(
        np.random.default_rng(len(key)),
        story,
        num_seeds=num_seeds,
        num_checkpoints=len(experiment.steps),
        num_samples=24,
        last_step=experiment.training.steps,
    ).assign_coords(step=list(experiment.steps))
    told = json.dumps(trajectory.attrs).replace("colour", "weak").replace("size", "strong")
    trajectory = trajectory.assign_attrs(json.loads(told)).assign_coords(concept=["weak", "strong"])
    # Naive prompting stands first among the strengths.
    trajectory = trajectory.isel(strength=[0, 1, 2])
    values = np.full(trajectory.strength_value.shape, np.nan, dtype=np.float32)
    values[0, 0] = 0.0
    for number, name in enumerate(trajectory.method.values):
        for method in experiment.elicitation:
            if str(name).startswith(method.kind):
                values[number] = method.strengths
    trajectory["strength_value"] = (("method", "strength"), values)
    return StudyRun(experiment, trajectory, Path("nowhere"))


def concluded(runs):
    findings = {"scale": "made-up"} | analyse(runs, "quick")
    return findings, {claim.id: claim for claim in claims(findings)}


STORIES = {
    "baseline": HIDDEN,
    "ddpm": HIDDEN,
    "flow-matching": NOTHING_HIDDEN,
    "regression": STRAIGHT,
}


@pytest.fixture(scope="module")
def fragile():
    """With flow matching nothing is hidden, with regression nothing is memorised."""
    return concluded([made_up(key, story) for key, story in STORIES.items()])


@pytest.fixture(scope="module")
def robust(fragile):
    """The same without the variants in which something is lost."""
    lost = ("flow-matching", "regression")
    kept = [row for row in fragile[0]["variants"] if row["key"] not in lost]
    findings = fragile[0] | {"variants": kept}
    return findings, {claim.id: claim for claim in claims(findings)}


def row_of(findings, key):
    return next(row for row in findings["variants"] if row["key"] == key)


def verdicts(findings, key):
    return {name: claim["verdict"] for name, claim in row_of(findings, key)["claims"].items()}


def test_findings_and_claims_are_plain_json(fragile):
    findings, found = fragile
    assert json.loads(json.dumps(findings, allow_nan=False)) == findings
    assert set(found) == set(STUDY.tests)
    for claim in found.values():
        json.dumps(claim.model_dump(mode="json"), allow_nan=False)


@pytest.mark.parametrize("claim", ["C3", "C5"])
def test_what_is_planted_in_every_variant_remains(robust, claim):
    found = robust[1][f"robustness/{claim}"]
    assert found.verdict == "holds"
    assert found.value == 1.0
    assert found.interval is None
    assert found.seeds == 5
    assert found.controls["DDPM"]["passed"]


def test_a_baseline_is_also_judged_without_training_it_again(fragile):
    keys = [row["key"] for row in fragile[0]["variants"]]
    made = ["raw-weights", "spacing", "threshold"]
    assert keys == ["baseline", *made, "ddpm", "flow-matching", "regression"]
    whole, half = (row_of(fragile[0], key)["curves"]["steps"] for key in ("baseline", "spacing"))
    assert half == [0, *whole[1::2], whole[-1]]


def test_another_threshold_is_compared_only_in_what_depends_on_it(robust):
    assert "threshold 0.9" in robust[1]["robustness/C5"].controls
    assert "threshold 0.9" not in robust[1]["robustness/C3"].controls
    lower, upper = (row_of(robust[0], key)["claims"]["C5"] for key in ("baseline", "threshold"))
    assert "accuracy >= 0.8" in lower["criterion"]
    assert "accuracy >= 0.9" in upper["criterion"]


def test_raw_weights_without_checkpoints_are_not_measured_and_not_judged(robust):
    assert row_of(robust[0], "raw-weights")["claims"] == {}
    part = robust[1]["robustness/C5"].controls["raw weights"]
    assert part["passed"] is None
    assert part["parts"] == {"reason": "not measured"}


def test_a_variant_in_which_it_is_lost_is_named_and_decides(fragile):
    findings, found = fragile
    assert verdicts(findings, "flow-matching")["C5"] == "does not hold"
    assert verdicts(findings, "regression")["C3"] == "does not hold"
    assert found["robustness/C3"].verdict == "does not hold"
    assert found["robustness/C5"].verdict == "does not hold"
    assert found["robustness/C5"].value < 1
    part = found["robustness/C5"].controls["flow matching"]
    assert part["passed"] is False
    assert part["value"] == 0.0
    assert part["apart_from_baseline"]
    assert found["robustness/C3"].controls["flow matching"]["passed"]


def changed(findings, claim, verdicts):
    """The claim after some rows' verdicts are changed by hand."""
    copy = json.loads(json.dumps(findings))
    for key, verdict in verdicts.items():
        row_of(copy, key)["claims"][claim]["verdict"] = verdict
    return {made.id: made for made in claims(copy)}[f"robustness/{claim}"]


def test_nothing_remains_of_what_the_baseline_does_not_show(robust):
    alike = dict.fromkeys(("baseline", "ddpm", "spacing"), "does not hold")
    found = changed(robust[0], "C5", alike)
    assert found.verdict == "does not hold"


def test_fewer_seeds_are_inconclusive_and_say_so(robust):
    findings = json.loads(json.dumps(robust[0]))
    findings["variants"][0]["num_seeds"] = 2
    found = {claim.id: claim for claim in claims(findings)}
    assert {claim.verdict for claim in found.values()} == {"inconclusive"}
    assert found["robustness/C5"].controls["reason"] == "2 seeds, and 5 are needed"


def test_variants_that_cannot_be_judged_leave_it_open(robust):
    keys = ("spacing", "threshold")
    found = changed(robust[0], "C5", dict.fromkeys(keys, "inconclusive"))
    assert found.verdict == "inconclusive"
    assert found.controls["reason"] == "C5 is inconclusive in 3 of 4 variants"
    found = changed(robust[0], "C3", {"baseline": "inconclusive"})
    assert found.controls["reason"] == "C3 is inconclusive in the baseline"


def test_what_the_hidden_clock_does_is_told(robust):
    """The made-up schedule goes from -8 to -9.5."""
    row = row_of(robust[0], "ddpm")
    assert row["gamma"]["start"] == pytest.approx(-8.0)
    assert row["gamma"]["end"] < row["gamma"]["learned"] < row["gamma"]["start"]
    assert 0 < row["learned"] < 1000
    assert robust[1]["robustness/C5"].controls["DDPM"]["gamma"] == row["gamma"]


def test_runs_of_another_study_and_no_baseline_are_refused():
    with pytest.raises(ValueError, match="runs must hold the baseline"):
        analyse([], "quick")
    run = made_up("ddpm")
    stranger = StudyRun(run.experiment.replace(name="other"), run.trajectory, run.folder)
    with pytest.raises(ValueError, match="other is no variant of this study"):
        analyse([stranger], "quick")


def test_the_quick_runs_share_the_baseline_and_are_measured_like_it():
    plan = plan_sweep(STUDY.experiments("quick"), 1)
    assert len(plan.runs) == 7
    assert {run.seeds for run in plan.runs} == {tuple(range(5))}
    assert plan.runs[0].key == plan_sweep(VECTORS.experiments("quick"), 1).runs[0].key
    for run in plan.runs[1:]:
        assert run.experiment.steps == plan.runs[0].experiment.steps
        for same in ("space", "world", "measurement", "elicitation", "findings"):
            assert getattr(run.experiment, same) == getattr(plan.runs[0].experiment, same)


def test_only_the_hidden_clock_has_a_schedule_that_learns():
    clocks = {
        key: variant.experiment.diffusion.learned_schedule
        for key, variant in VARIANTS.items()
        if isinstance(variant.experiment.diffusion, DiffusionSettings)
    }
    assert [key for key, learns in clocks.items() if learns] == ["hidden-clock"]
    ranges = {
        variant.experiment.diffusion.data_range
        for variant in VARIANTS.values()
        if variant.key != "regression"
    }
    assert ranges == {(-1.0, 1.0)}


def test_the_paper_runs_are_the_published_families_at_a_few_separations():
    listed = trained("paper")
    assert len(listed) == 3 * 7
    published = {e.name for f in ("weight_decay", "small_weights", "regression", "colour_sweep")
                 for e in getattr(paper, f)()}  # fmt: skip
    ours = {v.key for v in listed if v.experiment.name not in published}
    assert ours == {"no-clock", "flow-matching", "ddpm"}
    kinds = {type(v.experiment.diffusion) for v in listed}
    assert {DDPMSettings, FlowMatchingSettings} < kinds


@pytest.mark.parametrize(("which", "num_runs"), [("robust", 2), ("fragile", 4)])
def test_its_figure_has_a_panel_for_every_run_and_the_table(which, num_runs, request):
    findings, _ = request.getfixturevalue(which)
    figure = STUDY.figure(findings)
    assert len(figure.axes) == num_runs + 2  # the raw weights and the table
    words = " ".join(text.get_text() for text in figure.axes[-1].texts)
    assert "threshold 0.9" in words
    assert ("does not hold" in words) is (which == "fragile")


def test_raw_weights_are_measured_from_checkpoints_once(tmp_path, monkeypatch):
    experiment = tiny_experiment().replace(elicitation=())
    folder = tmp_path / "run"
    open_run(folder, experiment)
    ensure_probe(folder, experiment, Silent())
    run_seeds(experiment, folder, [0])
    averaged = load_run(folder).trajectory
    run = StudyRun(experiment, averaged, folder)
    notes = []
    raw = raw_trajectory(run, notes)
    assert notes == []
    assert raw.step.values.tolist() == averaged.step.values.tolist()
    # At step 0 there is nothing to average; later the two differ.
    for name in ("loss", "probability"):
        same = (raw[name] == averaged[name]) | (raw[name].isnull() & averaged[name].isnull())
        assert bool(same.isel(step=0).all())
        assert not bool(same.isel(step=-1).all())
    monkeypatch.setattr(CheckpointStore, "load", None)  # it would be needed to measure again
    assert raw_trajectory(run, notes).identical(raw)
    (folder / "seed=0/checkpoints/step=0000040.safetensors").unlink()
    assert raw_trajectory(run, notes) is None


def test_every_other_checkpoint_keeps_the_first_and_the_last():
    whole = synthetic_trajectory(np.random.default_rng(0), num_seeds=1, num_checkpoints=9)
    steps = whole.step.values
    assert every_other(whole).step.values.tolist() == [0, *steps[1::2], steps[-1]]
    assert every_other(whole.isel(step=slice(8))).step.values.tolist() == [0, *steps[1:8:2]]


def test_the_hidden_clock_is_not_drawn_up_by_weight_decay():
    """Adam moves gamma(0) by its rate at most, decay by rate x decay x gamma(0) the other way."""
    experiment = VARIANTS["hidden-clock"].experiment
    assert experiment.training.weight_decay * abs(experiment.diffusion.gamma_start) < 1
