import json

import pytest
import torch

import conceptspace as cs
from conceptspace.cli import main
from conceptspace.observe.subject import FunctionProbe
from observe.painter import MEASUREMENT, SPACE, draw, read, train

METHODS = (cs.OverPrompt(concept="colour", strengths=(0.5, 1.0)),)


def make(out, **changes):
    given = {"sample": draw, "probe": read, "every": 10, "measurement": MEASUREMENT}
    return cs.Recorder(SPACE, out, **(given | changes))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A run directory of two seeds, with its report."""
    out = tmp_path_factory.mktemp("recorded") / "painter"
    for seed in (0, 1):
        recorder = make(out, seed=seed, elicitation=METHODS)
        train(60, recorder)
    recorder.report()
    return out


def test_a_loop_trains_to_the_same_bits_with_and_without(tmp_path):
    plain = train(30).state_dict()
    watched = train(30, make(tmp_path / "run")).state_dict()
    assert all(torch.equal(plain[name], watched[name]) for name in plain)


def test_modes_come_back_module_by_module(tmp_path):
    model = train(1)
    model.paint.eval()
    make(tmp_path / "run", every=[3])(3, model)
    assert model.training
    assert model.embed[1].training
    assert not model.paint[1].training


def test_the_steps_asked_for_are_measured_once(tmp_path):
    recorder = make(tmp_path / "run", every=4)
    train(9, recorder)
    assert recorder.steps == [0, 4, 8]
    again = make(tmp_path / "run", every=4)
    assert [again(step, None) for step in (0, 3, 4)] == [False, False, False]


def test_a_report_says_what_the_model_learned(recorded):
    run = cs.load_run(recorded)
    assert run.seeds == [0, 1]
    naive = run.trajectory.sel({"concept_class": "10", "method": "naive"}).isel(strength=0)
    assert float(naive.coordinate.sel(concept="colour").isel(step=-1).mean()) > 0.8
    claims = {claim["id"]: claim["verdict"] for claim in run.claims}
    assert set(claims) == {"C3", "C4", "C5"}
    assert run.findings["signal"] is None
    page = (recorded / "report.html").read_text()
    assert "blue dark" in page
    assert "probe.json is missing" not in page


def test_its_settings_are_read_and_refused_where_they_differ(recorded):
    assert json.loads((recorded / "experiment.json").read_text())["kind"] == "observation"
    with pytest.raises(cs.RunError, match=r"other settings \(measurement.num_samples is 4 there"):
        make(recorded, elicitation=METHODS, measurement=MEASUREMENT.replace(num_samples=6))


def test_commands_know_a_run_that_was_trained_elsewhere(recorded, capsys):
    assert main(["status", str(recorded)]) == 0
    assert "14 of 14 checkpoints" in capsys.readouterr().out
    assert main(["sample", str(recorded)]) != 0
    assert "trained elsewhere" in capsys.readouterr().err


def test_a_recorder_that_measured_nothing_leaves_nothing(tmp_path):
    recorder = make(tmp_path / "run", every=[7])
    assert not (tmp_path / "run").exists()
    with pytest.raises(cs.RunError, match="not a run"):
        recorder.report()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"adapt": draw}, "either sample"),
        ({"sample": None}, "either sample"),
        ({"probe": 3}, "probe must be a trained probe, or a function"),
        ({"every": 0}, "every must be at least 1"),
        ({"every": []}, "at least one step"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"split": cs.Split(training_classes=("00", "22"))}, "22"),
        ({"elicitation": (cs.LatentSteering(concept="taste", strengths=(1.0,)),)}, "taste"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_written(changes, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        make(tmp_path / "run", **changes)
    assert not (tmp_path / "run").exists()


def test_a_probes_answer_is_checked():
    images = torch.rand(5, 3, 4, 4)
    assert [part.sum(1).allclose(torch.ones(5)) for part in FunctionProbe(read, SPACE).read(images)]
    with pytest.raises(ValueError, match=r"here \[\(5, 2\), \(5, 2\)\], not \[\(5, 2\)\]"):
        FunctionProbe(lambda images: read(images)[:1], SPACE).read(images)
    with pytest.raises(ValueError, match="of logits take the softmax"):
        FunctionProbe(lambda images: [-part for part in read(images)], SPACE).read(images)
