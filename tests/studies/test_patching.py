"""C6 where the answer is known both ways, and the map of a real run, small as it is."""

import json

import numpy as np
import pytest
import torch

import conceptspace as cs
from conceptspace import load
from conceptspace.build import build_adapter, build_model
from conceptspace.elicitation.patching import EmbeddingPatch
from conceptspace.measure.store import MeasurementStore, join
from conceptspace.models.execution import Execution
from conceptspace.opening import open_with_probe
from conceptspace.studies import patching, patching_map
from conceptspace.studies.known import find_study
from conceptspace.studies.patching import STUDY, analyse, claims, other_seed
from conceptspace.studies.patching_map import FOLDER, PatchPlan, spread_steps
from conceptspace.studies.study import StudyRun
from conceptspace.worker import run_seeds
from dynamics.synthetic import Phenomenon
from runs.tiny import tiny_experiment
from studies.elicited import NEVER_SHOWN, elicited_run, made_up_map
from sweeps.fake import Told

SHOWN_LATE = Phenomenon(naive_step=3600.0, naive_spread=300.0)


def concluded(monkeypatch, story, *, phases, num_seeds=5):
    """Findings and claim of made-up runs with made-up maps."""
    with monkeypatch.context() as patch:
        patch.setattr(load, "load_run", lambda folder: None)
        patch.setattr(
            patching_map,
            "patching_map",
            lambda run, seed, plan: made_up_map(seed, plan, phases=phases),
        )
        runs = [elicited_run(story, d, num_seeds=num_seeds) for d in (0.25, 0.3)]
        findings = {"scale": "made-up"} | analyse(runs, "quick")
    return findings, claims(findings)[0]


def test_two_phases_that_are_planted_are_found(monkeypatch):
    findings, claim = concluded(monkeypatch, SHOWN_LATE, phases=True)
    assert json.loads(json.dumps(findings, allow_nan=False)) == findings
    assert claim.id == "C6"
    assert claim.verdict == "holds"
    assert claim.interval[0] > 0.1
    assert claim.controls["seeds that count"] == 5
    assert claim.controls["share elicited"]["value"] == 1.0
    assert claim.controls["training classes under the last donor"]["passed"]
    assert len(STUDY.figure(findings).axes) == 6


def test_where_only_the_network_changes_patching_elicits_nothing(monkeypatch):
    _, claim = concluded(monkeypatch, SHOWN_LATE, phases=False)
    assert claim.verdict == "does not hold"
    for name in (
        "last donor above the recipient's own prompting",
        "last donor above another seed's",
    ):
        assert claim.controls[name]["passed"] is False


def test_seeds_that_never_show_the_class_have_no_path_to_hand_over(monkeypatch):
    findings, claim = concluded(monkeypatch, NEVER_SHOWN, phases=True)
    assert claim.verdict == "inconclusive"
    assert claim.value is None
    assert claim.controls["reason"].startswith("0 seeds show 11 at the end")
    assert len(STUDY.figure(findings).axes) == 6


def test_four_seeds_are_too_few(monkeypatch):
    _, claim = concluded(monkeypatch, SHOWN_LATE, phases=True, num_seeds=4)
    assert claim.verdict == "inconclusive"
    assert claim.value > 0.1


def test_checkpoints_are_spread_evenly_in_the_root_of_the_step():
    steps = np.rint(np.linspace(10, 3200**0.5, 22) ** 2).astype(int).tolist()
    assert spread_steps(steps, 8) == tuple(steps[::3])
    assert spread_steps([100, 200], 8) == (100, 200)


def test_the_other_seed_is_one_that_shows_the_class_if_there_is_one():
    assert other_seed(2, [0, 1, 2], [False, True, True]) == 1
    assert other_seed(0, [0, 1, 2], [True, False, False]) == 1
    assert other_seed(0, [0], [True]) is None


def test_no_run_is_refused():
    with pytest.raises(ValueError, match="at least one run"):
        analyse([], "quick")


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory):
    """Trained in this process, without a report."""
    folder = tmp_path_factory.mktemp("patching") / "run"
    open_with_probe(folder, tiny_experiment(), Execution(), Told())
    run_seeds(tiny_experiment(), folder, [0, 1])
    run = cs.load_run(folder)
    stores = [MeasurementStore(folder / f"seed={seed}") for seed in (0, 1)]
    trajectory = join([[store.read(step) for step in store.steps()] for store in stores])
    return StudyRun(run.experiment, trajectory, folder)


def test_a_real_run_is_measured_once(tiny_run, monkeypatch):
    first = analyse([tiny_run], "quick")
    assert np.shape(first["settings"][0]["accuracy"]) == (2, 3, 3)
    with monkeypatch.context() as patch:
        patch.setattr(patching_map, "_measure", None)
        assert analyse([tiny_run], "quick") == first
    kept = tiny_run.folder / FOLDER / "seed=1.nc"
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-5])
    assert analyse([tiny_run], "quick") == first
    assert kept.read_bytes() == whole


@pytest.mark.parametrize("study", ["turn", "hidden-capability", "patching"])
def test_a_real_run_of_few_checkpoints_is_inconclusive_and_drawn(tiny_run, study):
    found = find_study(study)
    findings = {"scale": "tiny"} | found.analyse([tiny_run], "quick")
    assert {claim.verdict for claim in found.claims(findings)} == {"inconclusive"}
    assert found.figure(findings).axes


def test_another_plan_and_stricter_intervals(tiny_run, monkeypatch):
    """Another number of images is measured again, another confidence is not."""
    analyse([tiny_run], "quick")
    settings = tiny_run.experiment.findings.replace(confidence=0.99)
    strict = StudyRun(
        tiny_run.experiment.replace(findings=settings), tiny_run.trajectory, tiny_run.folder
    )
    asked = []
    real = patching_map._measure
    monkeypatch.setattr(patching_map, "_measure", lambda *a: asked.append(a[1]) or real(*a))
    assert analyse([strict], "quick")["confidence"] == 0.99
    assert asked == []
    monkeypatch.setitem(patching.NUM_SAMPLES, "quick", 3)
    analyse([tiny_run], "quick")
    assert asked == [0, 1]


def test_what_is_drawn_is_what_a_patched_model_draws(tiny_run):
    """The donor's sites in the recipient are the patched model's own, to the bit."""
    run = cs.load_run(tiny_run.folder)
    first, *_, last = [step for step in run.steps(0) if step > 0]
    donor, recipient = run.adapter(0, last), run.adapter(0, first)
    patch = EmbeddingPatch(donor.conditioning_parameters())
    model = build_model(run.experiment, 1)
    model.load_state_dict(patch.into(recipient.model))
    vectors = torch.from_numpy(run.experiment.prompter.class_mean("11", 4))
    patched = build_adapter(run.experiment, model)
    drawn = [
        adapter.sample(conditioning, torch.Generator().manual_seed(0))
        for adapter, conditioning in (
            (recipient, donor.encode(vectors)),
            (patched, patched.encode(vectors)),
        )
    ]
    assert torch.equal(*drawn)
    assert not torch.equal(
        drawn[0], recipient.sample(recipient.encode(vectors), torch.Generator().manual_seed(0))
    )


def test_the_diagonal_is_the_models_own_prompting(tiny_run):
    """On the diagonal, row by row, a recipient gets its own conditioning and nobody else's."""
    run = cs.load_run(tiny_run.folder)
    plan = PatchPlan("11", tuple(s for s in run.steps(0) if s > 0), 3, 2, 1)
    prompts = patching_map.prompts(
        run.experiment.prompter, run.experiment.split, "11", 3, np.random.default_rng(0)
    )
    donors = [run.adapter(0, step) for step in plan.steps]
    instrument = patching_map.build_instrument(
        run.experiment, patching_map.load_probe(tiny_run.folder)
    )
    encoded = patching_map._encoded(run, 0, plan, donors, instrument)
    for number, donor in enumerate(donors):
        for site, value in donor.encode(prompts).items():
            assert torch.equal(encoded[site][3 * number : 3 * number + 3], value)
    other = run.adapter(1, plan.steps[-1]).encode(prompts)
    site = next(iter(other))
    assert torch.equal(encoded[site][9:12], other[site])
    assert len(encoded[site]) == (3 + 2) * 3 + 3 * 2
