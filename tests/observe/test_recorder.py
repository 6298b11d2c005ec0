import json
import math

import numpy as np
import pytest
import torch

import conceptspace as cs
from conceptspace.cli import main
from conceptspace.measure.store import MeasurementStore
from conceptspace.observe.subject import FunctionProbe
from observe.painter import MEASUREMENT, SPACE, Painter, draw, read, train

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
    assert "painter  done  2 of 2 seeds  14 checkpoints  120 steps" in capsys.readouterr().out
    assert main(["sample", str(recorded)]) != 0
    assert "trained elsewhere" in capsys.readouterr().err


def test_a_recorder_that_measured_nothing_leaves_nothing(tmp_path):
    recorder = make(tmp_path / "run", every=[7])
    assert not (tmp_path / "run").exists()
    with pytest.raises(
        cs.RunError, match=r"nothing is measured in .*run: no call was at a step that `every` names"
    ):
        recorder.report()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"adapt": draw}, "either sample"),
        ({"sample": None}, "either sample"),
        ({"probe": 3}, "probe must be a trained probe, or a function"),
        ({"every": 0}, "every must be at least 1"),
        ({"split": ("11",)}, r"Observation\.split: must be a Split"),
        ({"every": []}, "at least one step"),
        ({"every": "500"}, r"every must be a whole number, not '500' \(str\)"),
        ({"every": 5.0}, "every must be a whole number"),
        ({"every": None}, "every must be a whole number"),
        ({"every": [0, -5]}, "every must be 0 or more, not -5"),
        ({"seed": "0"}, "seed must be a whole number"),
        ({"sample": torch.zeros(2)}, r"sample must be a function .*, not Tensor"),
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
    with pytest.raises(ValueError, match=r"summing to 1 \(here off by 2\).*take the softmax"):
        FunctionProbe(lambda images: [3 * part for part in read(images)], SPACE).read(images)
    rounded = FunctionProbe(lambda images: [1.01 * part for part in read(images)], SPACE)
    assert [part.sum(1).allclose(torch.ones(5)) for part in rounded.read(images)] == [True, True]
    for answer, message in (
        (
            lambda images: read(images)[0],
            r"tuple of 2 .*\(colour, light\), not one tensor of shape",
        ),
        (lambda images: None, "not NoneType"),
        (lambda images: [part.numpy() for part in read(images)], "torch tensors, not ndarray"),
        (lambda images: [part * math.nan for part in read(images)], "returned NaN"),
    ):
        with pytest.raises(ValueError, match=message):
            FunctionProbe(answer, SPACE).read(images)


def test_steps_of_any_whole_type_are_steps_and_others_are_refused(tmp_path):
    recorder = make(tmp_path / "run", every=np.int64(2))
    assert recorder(np.int64(0), Painter())
    assert not recorder(torch.tensor(1), Painter())
    assert recorder.steps == [0]
    for step, message in (
        (1.0, "whole number, not 1.0"),
        (-1, "0 or more"),
        (Painter(), "Painter"),
    ):
        with pytest.raises(cs.SettingsError, match=f"step must be .*{message}"):
            recorder(step, Painter())


def test_a_model_whose_draw_forgets_evaluation_mode_is_evaluated_and_left_as_it_was(tmp_path):
    def forgetful(model, vectors, generator):
        modes.append(model.training)
        return model(vectors, torch.randn((len(vectors), 8), generator=generator))

    modes = []
    plain = train(6).state_dict()
    recorder = make(tmp_path / "run", sample=forgetful, every=2)
    watched = train(6, recorder)
    assert recorder.steps == [0, 2, 4, 6]
    assert modes
    assert not any(modes)
    assert watched.training
    assert any("running_mean" in name for name in plain)
    assert all(torch.equal(plain[name], value) for name, value in watched.state_dict().items())


def test_images_with_nan_count_as_wrong_whatever_the_probe_reads(tmp_path):
    def half_broken(model, vectors, generator):
        images = draw(model, vectors, generator).clone()
        images[::2, 0, 0, 0] = math.nan
        return images

    make(tmp_path / "run", sample=half_broken)(0, Painter())
    make(tmp_path / "whole")(0, Painter())
    broken = MeasurementStore(tmp_path / "run/seed=0").read(0)
    naive = broken.off_manifold.sel({"method": "naive"}).isel(seed=0, step=0, strength=0)
    assert (naive.values == [1, 0, 1, 0]).all()
    whole = MeasurementStore(tmp_path / "whole/seed=0").read(0)
    assert not (whole.off_manifold == 1).any()


def test_another_range_of_values_is_warned_of(tmp_path):
    def in_other_range(model, vectors, generator):
        return 2 * torch.rand((len(vectors), 3, 4, 4), generator=generator) - 1

    def undecided(images):
        return [torch.full((len(images), 2), 0.5)] * 2

    recorder = make(tmp_path / "run", sample=in_other_range, probe=undecided)
    with pytest.warns(UserWarning, match=r"outside of \[0, 1\].* make \(x \+ 1\) / 2"):
        recorder(0, Painter())


@pytest.mark.parametrize(
    ("shape", "message"),
    [((4, 4, 3), r"4, 4, 3\); channels come second"), ((48,), r"48\)"), ((4, 4, 4), r"4, 4, 4\)")],
)
def test_images_of_another_layout_are_refused_when_they_are_drawn(shape, message, tmp_path):
    def read_anything(images):
        return [torch.full((len(images), 2), 0.5)] * 2

    recorder = make(
        tmp_path / "run", probe=read_anything, sample=lambda m, v, g: torch.zeros(len(v), *shape)
    )
    with pytest.raises(ValueError, match=f"with 1 or 3 channels, not .*{message}"):
        recorder(0, Painter())


def test_losses_that_are_handed_over_are_drawn_and_others_refused(tmp_path):
    recorder = make(tmp_path / "run")
    recorder(0, Painter(), losses={"train": torch.tensor(0.5, requires_grad=True), "held_out": 2})
    losses = MeasurementStore(tmp_path / "run/seed=0").read(0).loss.isel(seed=0, step=0)
    np.testing.assert_array_equal(losses, [0.5, np.nan, 2.0])
    with pytest.raises(cs.SettingsError, match="losses: 'val' is none of train, validation"):
        recorder(5, Painter(), losses={"val": 1.0})


def test_a_folder_that_was_renamed_keeps_its_name_and_goes_on(tmp_path):
    train(5, make(tmp_path / "first"))
    (tmp_path / "first").rename(tmp_path / "second")
    again = make(tmp_path / "second")
    assert again.steps == [0]
    train(15, again)
    assert again.steps == [0, 10]
    assert again.observation.name == "first"
    with pytest.raises(cs.RunError, match="name is 'first' there, 'third' here"):
        make(tmp_path / "second", name="third")


def test_steering_what_a_function_hides_is_warned_of(tmp_path):
    steering = (cs.LatentSteering(concept="colour", strengths=(1.0,)),)
    with pytest.warns(UserWarning, match="LatentSteering will push the conditioning vector"):
        make(tmp_path / "run", elicitation=steering)


def test_a_loop_that_was_stopped_has_not_ended(tmp_path, capsys):
    train(15, make(tmp_path / "run"))
    assert main(["status", str(tmp_path / "run")]) == 0
    assert "run  waiting  0 of 1 seeds  2 checkpoints  10 steps" in capsys.readouterr().out


def test_what_is_measured_already_is_said_once(tmp_path):
    told = []
    train(10, make(tmp_path / "run"))
    again = make(tmp_path / "run", on_damage=told.append)
    train(10, again)
    assert len(told) == 1
    assert "step 0 of seed 0 is measured already and kept" in told[0]


def test_what_cannot_be_concluded_says_what_is_missing(tmp_path):
    recorder = make(tmp_path / "run")
    train(10, recorder)
    recorder.report()
    claims = {claim["id"]: claim for claim in cs.load_run(tmp_path / "run").claims}
    assert claims["C5"]["value"] is None
    assert "prompted naively only" in claims["C5"]["controls"]["reason"]
    assert "train loss was not recorded" in claims["C4"]["controls"]["reason"]
