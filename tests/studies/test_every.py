"""All studies as one job: what is shared is done once, and what fails stops nothing else."""

import json

import pytest

from conceptspace.cli import main
from conceptspace.estimate import SIDE_BY_SIDE
from conceptspace.figures.style import new_figure
from conceptspace.folder import Interrupted, WrongFolder
from conceptspace.recipes.quick import quick
from conceptspace.report.case import control, record
from conceptspace.studies import commands, every_command, known
from conceptspace.studies import reproduce as reproducing
from conceptspace.studies.every import reproduce_all
from conceptspace.studies.multiplicity import CORRECTED
from conceptspace.studies.outline import outline, plan_together
from conceptspace.studies.study import Study
from conceptspace.sweeps import cost
from conceptspace.sweeps.cost import estimate_sweep
from conceptspace.units import Wanted
from sweeps.fake import Pretending, Told, named, several


def study(name, experiments=(), num_seeds=2, verdict="holds", analyse=None):
    """A study that reads nothing and concludes the same from whatever it gets."""

    def claims(findings):
        made = {"value": 1.0, "interval": (0.5, 1.5), "verdict": verdict}
        controls = {"level": control(findings["confidence"], None, required=False)}
        return [
            record(f"{name}/claim", "It is so.", "It is.", **made, controls=controls,
                   scale=findings["scale"], seeds=num_seeds)
        ]  # fmt: skip

    return Study(
        name=name,
        title=f"study {name}",
        tests=(f"{name}/claim",),
        experiments=lambda scale: [(experiment, num_seeds) for experiment in experiments],
        analyse=analyse or (lambda runs, scale: {"num_runs": len(list(runs))}),
        claims=claims,
        figure=lambda findings: new_figure(1, 1),
    )


@pytest.fixture
def three():
    """The second needs a run of the third and a seed more of it; the first needs none."""
    return [
        study("late", several(3)),
        study("early", [named("run-0"), named("own", 0.5)], num_seeds=1),
        study("nothing"),
    ]


@pytest.fixture(autouse=True)
def unread(monkeypatch):
    """The runs are pretended, so there is nothing to read."""
    monkeypatch.setattr(reproducing, "finished", lambda folder, plan, notes: iter(()))


@pytest.fixture
def as_known(monkeypatch, three):
    """The command line knows these studies, and trains by pretending."""
    monkeypatch.setattr(known, "STUDIES", {each.name: each for each in three})
    pretending = Pretending(fails=[])
    monkeypatch.setattr(every_command, "executor_of", lambda options: pretending)
    return pretending


def test_what_adds_the_least_comes_first_and_what_is_shared_is_counted_once(three):
    outlined = outline(three, "quick")
    assert [each.study.name for each in outlined] == ["nothing", "early", "late"]
    assert [(len(e.runs), len(e.parts), e.num_shared) for e in outlined] == [
        (0, 0, 0), (2, 2, 0), (3, 6, 1),
    ]  # fmt: skip
    assert sum(len(each.new) for each in outlined) == 7
    assert len(plan_together(each.plan for each in outlined).runs) == 4


def test_every_run_and_seed_is_trained_once(tmp_path, three):
    pretending = Pretending(at_once=2)
    every = reproduce_all(outline(three, "quick"), "quick", tmp_path, executor=pretending)
    wanted = [("own", 0), *((f"run-{i}", seed) for i in range(3) for seed in range(2))]
    assert sorted(pretending.trained()) == sorted(wanted)
    assert list(every.done) == ["nothing", "early", "late"]
    assert every.failed == {}


def test_a_study_is_concluded_as_soon_as_its_own_runs_are_done(tmp_path, three):
    told = Told()
    reproduce_all(outline(three, "quick"), "quick", tmp_path, executor=Pretending(), progress=told)
    said = [message for message in told.messages if "done (" in message or "claim" in message]
    assert said[0].startswith("nothing: ")  # while the first run is trained
    assert said.index("early: early/claim holds") < said.index("run-1: done (3 of 4)")


def test_a_run_that_fails_keeps_only_its_studies_from_an_end(tmp_path, three):
    pretending = Pretending(fails=["own"])
    every = reproduce_all(outline(three, "quick"), "quick", tmp_path, executor=pretending)
    assert list(every.done) == ["nothing", "late"]
    assert every.failed == {"early": "1 of its 2 runs failed: own"}
    assert not (tmp_path / "early-claims.json").exists()
    again = Pretending()
    every = reproduce_all(outline(three, "quick"), "quick", tmp_path, executor=again)
    assert again.trained() == [("own", 0)]
    assert set(every.done) == {"nothing", "late", "early"}


def test_a_study_that_fails_to_conclude_is_told_and_the_others_go_on(tmp_path, three):
    def broken(runs, scale):
        raise ZeroDivisionError("no luck")

    three[1] = study("early", [named("run-0")], analyse=broken)
    every = reproduce_all(outline(three, "quick"), "quick", tmp_path, executor=Pretending())
    assert list(every.done) == ["nothing", "late"]
    assert every.failed["early"].startswith("ZeroDivisionError: no luck")
    assert "no luck" in (tmp_path / "early-errors.txt").read_text()
    three[1] = study("early", [named("run-0")])
    reproduce_all(outline(three, "quick"), "quick", tmp_path, executor=Pretending())
    assert not (tmp_path / "early-errors.txt").exists()


@pytest.mark.parametrize("stops_after", [0, 3, 7, 11])
def test_stopped_anywhere_the_same_call_does_only_the_rest(tmp_path, three, stops_after):
    first, second = Pretending(stops_after=stops_after), Pretending()
    with pytest.raises(Interrupted):
        reproduce_all(outline(three, "quick"), "quick", tmp_path, executor=first)
    every = reproduce_all(outline(three, "quick"), "quick", tmp_path, executor=second)
    assert len(every.done) == 3
    both = first.trained() + second.trained()
    assert len(both) == len(set(both)) == 7


def test_a_folder_of_another_scale_is_refused_before_anything_is_done(tmp_path, three):
    (tmp_path / "late.json").write_text('{"scale": "paper"}')
    pretending = Pretending()
    with pytest.raises(WrongFolder, match="holds late at paper scale"):
        reproduce_all(outline(three, "quick"), "quick", tmp_path, executor=pretending)
    assert pretending.done == []


def test_what_studies_add_in_time_is_what_all_of_them_take(tmp_path, three, monkeypatch):
    monkeypatch.setattr(cost, "seconds_per_seed", lambda *_: 100.0)
    monkeypatch.setattr(cost, "seconds_per_probe", lambda *_: 10.0)
    monkeypatch.setattr(cost, "seconds_per_report", lambda num_seeds: 1.0 * num_seeds)
    outlined = outline(three, "quick")
    plan = plan_together(each.plan for each in outlined)
    whole = estimate_sweep(tmp_path, plan, 2, Wanted(), is_part=True)
    added = [each.seconds(whole) for each in outlined]
    assert (
        sum(added)
        == pytest.approx(whole.seconds)
        == pytest.approx((7 * 101 + 10) / 2 * SIDE_BY_SIDE)
    )
    # The probe, and three reported seeds.
    assert added == pytest.approx([0.0, 213 / 2 * SIDE_BY_SIDE, 504 / 2 * SIDE_BY_SIDE])


def test_the_command_tells_studies_before_and_claims_after(tmp_path, as_known, capsys):
    assert main(["reproduce", "all", "--out", str(tmp_path), "--strict"]) == 0
    before, after = capsys.readouterr().out.split("4 runs, 7 with their seeds")
    lines = {line.split("│")[1].strip(): line for line in before.splitlines() if "│" in line}
    cells = {k: [cell.strip() for cell in v.split("│")[2:-1]] for k, v in lines.items()}
    assert cells["late"] == ["1", "3", "6", "1", "0"]
    assert cells["all"] == ["3", "4", "7", "", "0"]
    assert all(f"{name}/claim" in after for name in ("nothing", "early", "late"))
    assert "all 3 claims stand together" in after
    assert (tmp_path / "report.html").exists()
    saved = json.loads((tmp_path / "late-claims.json").read_bytes())[0]["controls"]
    assert saved[CORRECTED]["num_claims"] == 3


def test_the_command_ends_with_1_if_a_study_failed(tmp_path, as_known, capsys):
    as_known.fails = {"own"}
    assert main(["reproduce", "all", "--out", str(tmp_path)]) == 1
    shown = capsys.readouterr()
    assert "early failed: 1 of its 2 runs failed: own" in shown.err
    assert "late/claim" in shown.out
    assert "early failed" in (tmp_path / "report.html").read_text()


def test_strict_ends_with_3_if_a_claim_does_not_hold(tmp_path, as_known, monkeypatch):
    bad = study("nothing", verdict="does not hold")
    monkeypatch.setattr(known, "STUDIES", {"nothing": bad})
    assert main(["reproduce", "all", "--out", str(tmp_path)]) == 0
    assert main(["reproduce", "all", "--out", str(tmp_path), "--strict"]) == 3


def test_a_dry_run_of_all_times_them_and_writes_nothing(tmp_path, as_known, monkeypatch, capsys):
    monkeypatch.setattr(cost, "seconds_per_seed", lambda *_: 100.0)
    monkeypatch.setattr(cost, "seconds_per_probe", lambda *_: 10.0)
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", "all", "--dry-run", "--workers", "1"]) == 0
    shown = capsys.readouterr().out
    assert "measured on a few steps of 1 kinds of run" in shown
    assert "nothing was written" in shown
    assert as_known.done == []
    assert list(tmp_path.iterdir()) == []


def test_where_and_on_what_the_runs_are_done_is_handed_on(tmp_path, monkeypatch, three):
    given = {}

    def pretend(named_runs, folder, **options):
        given.update(options)
        return folder

    monkeypatch.setattr(reproducing, "sweep", pretend)
    monkeypatch.setattr(commands, "executor_of", lambda options: f"ray at {options.address}")
    monkeypatch.setattr(known, "STUDIES", {"early": three[1]})
    line = "reproduce early --executor ray --address here:1 --device cpu --workers 3 --out"
    assert main([*line.split(), str(tmp_path)]) == 0
    assert (given["executor"], given["device"], given["workers"]) == ("ray at here:1", "cpu", 3)


@pytest.mark.parametrize("scale", ["quick", "paper"])
def test_the_known_studies_fit_into_one_sweep(scale):
    outlined = outline(known.STUDIES.values(), scale)
    assert {each.study.name for each in outlined} == set(known.STUDIES)
    assert commands.ALL not in known.STUDIES
    findings = {run.experiment.findings.confidence for each in outlined for run in each.runs}
    assert findings <= {quick().findings.confidence}
    names = [test for each in known.STUDIES.values() for test in each.tests]
    assert len(names) == len(set(names))
