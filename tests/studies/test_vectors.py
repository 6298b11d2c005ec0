"""The world without images as a study: a run's own claims, told by setting."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.study import StudyRun
from conceptspace.studies.vectors import STUDY, analyse, claims, evidence_of, three_values
from dynamics.synthetic import Phenomenon, synthetic_trajectory

EXPERIMENTS = {experiment.name: experiment for experiment, _ in STUDY.experiments("quick")}


def made_up(name="vectors", held_out="11", **story):
    """A run with a story that is known, in the concepts of a vector world."""
    data = synthetic_trajectory(
        np.random.default_rng(1), Phenomenon(**story), num_checkpoints=24, num_samples=16
    )
    data = data.assign_coords(concept=["weak", "strong"])
    labels = {"weak": ["low", "high"], "strong": ["low", "high"]}
    data.attrs |= {"concept_labels": json.dumps(labels), "held_out_classes": f'["{held_out}"]'}
    experiment = EXPERIMENTS[name].replace(findings=FindingsSettings(num_resamples=100))
    return StudyRun(experiment, data, Path("nowhere"))


@pytest.fixture(scope="module")
def findings():
    return {"scale": "made-up"} | analyse([made_up()], "quick")


def test_the_claims_are_those_of_the_run_under_the_setting_s_name(findings):
    found = {claim.id: claim for claim in claims(findings)}
    assert list(found) == ["vectors/C3", "vectors/C4", "vectors/C5"]
    assert found["vectors/C3"].verdict == "holds"
    assert found["vectors/C5"].verdict == "holds"
    assert {claim.scale for claim in found.values()} == {"made-up"}


def test_where_nothing_is_hidden_no_hidden_capability_is_claimed():
    runs = [made_up(elicitable=False, turns=False)]
    found = {claim.id: claim.verdict for claim in claims({"scale": "x"} | analyse(runs, "quick"))}
    assert found["vectors/C3"] == "does not hold"
    assert found["vectors/C5"] == "does not hold"


def test_every_setting_has_ids_of_its_own_and_all_of_them_are_announced(findings):
    space = three_values().space
    held_out = three_values().split.held_out(space)
    wanted = {claim.id for claim in claims(findings)}
    wanted |= {f"vectors/three-values/C{n}/{name}" for n in (3, 4, 5) for name in held_out}
    assert wanted == set(STUDY.tests)


def test_findings_are_plain_json_and_hold_the_path_of_every_seed(findings):
    assert json.loads(json.dumps(findings, allow_nan=False)) == findings
    measured = made_up().trajectory["coordinate"].sel({"concept_class": "11", "method": "naive"})
    paths = evidence_of(findings["settings"][0]).coordinates("11")
    np.testing.assert_allclose(paths, measured.isel(strength=0).mean("sample"), atol=1e-4)


def test_a_stricter_confidence_reaches_the_run_s_own_claims():
    run = made_up()
    strict = run.experiment.findings.replace(confidence=0.999)
    strict_run = replace(run, experiment=run.experiment.replace(findings=strict))
    widths = [
        np.ptp(analyse([each], "quick")["settings"][0]["claims"][0]["interval"])
        for each in (run, strict_run)
    ]
    assert widths[1] > widths[0]


def test_no_run_is_refused():
    with pytest.raises(ValueError, match="at least one run"):
        analyse([], "quick")


def test_the_signal_is_the_distance_of_the_points(findings):
    signal = findings["settings"][0]["signal"]
    assert signal["weak"]["finite"] == pytest.approx(0.3)
    assert signal["strong"]["finite"] == pytest.approx(0.6)


def test_at_paper_scale_the_network_and_its_training_have_the_published_size():
    for experiment, num_seeds in STUDY.experiments("paper"):
        assert experiment.scale == "paper"
        assert (experiment.model.width, experiment.training.steps) == (1024, 600_000)
        assert (experiment.training.batch_size, experiment.training.images_per_class) == (32, 1024)
        assert num_seeds == 5


def test_the_figure_has_a_plane_and_a_panel_for_each_held_out_class(findings):
    assert len(STUDY.figure(findings).axes) == 2
