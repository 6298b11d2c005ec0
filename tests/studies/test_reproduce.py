"""A study from the command line to its files: refused, told beforehand, stopped, continued."""

import json

import pytest

from conceptspace import estimate
from conceptspace.cli import main
from conceptspace.figures.style import new_figure
from conceptspace.folder import Interrupted, RunError, WrongFolder, read_experiment
from conceptspace.opening import ensure_probe
from conceptspace.studies import known, learning_speed
from conceptspace.studies import reproduce as reproducing
from conceptspace.studies.known import STUDIES, find_study
from conceptspace.studies.reproduce import reproduce
from conceptspace.studies.study import Study
from conceptspace.sweeps import cost
from conceptspace.terminal import duration
from conceptspace.units import OpenRun, Outcome, TrainSeeds
from conceptspace.worker import run_seeds
from studies.worlds import phenomenon
from sweeps.fake import Pretending, Told, named, several


class Training(Pretending):
    """Really trains and measures in this process; only the run's report is made up."""

    def pretend(self, unit):
        if isinstance(unit, OpenRun):
            outcome = super().pretend(unit)
            ensure_probe(unit.run, unit.experiment, Told())
            return outcome
        if isinstance(unit, TrainSeeds):
            run_seeds(read_experiment(unit.run), unit.run, list(unit.seeds))
            return Outcome()
        return super().pretend(unit)


def study_of(experiments, name="learning-speed", num_seeds=2):
    """The study `learning-speed` on other runs, with a picture that is drawn in no time."""
    made = vars(learning_speed.STUDY) | {
        "name": name,
        "figure": lambda findings: new_figure(1, 1),
        "experiments": lambda scale: [(experiment, num_seeds) for experiment in experiments],
    }
    return Study(**made)


@pytest.fixture(scope="module")
def runs():
    return phenomenon(colours=(0.2, 0.8), sizes=(0.2,))


@pytest.fixture
def made_up(monkeypatch, runs):
    """Whatever runs a study asks for, it gets those of a world that is made up."""
    monkeypatch.setattr(reproducing, "finished", lambda *_: iter(runs))


BAD_LINES = [
    ("reproduce", ["NAME", "reproduce --help"]),
    (
        "reproduce learning-sped",
        ["no study 'learning-sped'; did you mean 'learning-speed'?", "known: concept-signal"],
    ),
    ("reproduce xyz", [f"there is no study 'xyz' (known: {', '.join(STUDIES)})"]),
    ("reproduce learning-speed --scale huge", ["--scale", "huge"]),
    ("reproduce learning-speed --seeds 0", ["--seeds must be at least 1, not 0"]),
    ("reproduce learning-speed --workers 0", ["--workers must be at least 1, not 0"]),
    ("reproduce all --address auto", ["--address is a Ray cluster's: give --executor ray"]),
    ("reproduce all --executor slurm", ["--executor", "slurm"]),
    ("reproduce learning-speed --out file", ["cannot reproduce into file: file is a file"]),
    ("reproduce learning-speed --out file/below", ["file is not a folder", "--out"]),
    (
        "reproduce learning-speed --out there",
        ["there holds learning-speed at paper scale and not at quick scale", "--out"],
    ),
]


@pytest.mark.parametrize(("line", "wanted"), BAD_LINES, ids=[line for line, _ in BAD_LINES])
def test_bad_usage_is_refused_with_the_fix(line, wanted, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "file").write_text("content")
    (tmp_path / "there").mkdir()
    (tmp_path / "there/learning-speed.json").write_text('{"scale": "paper"}')
    assert main(line.split()) == 2
    shown = capsys.readouterr()
    said = " ".join((shown.err + shown.out).split())
    assert "Traceback" not in said
    for part in wanted:
        assert part in said
    assert not (tmp_path / "reproduce").exists()


def test_every_study_is_found_under_its_name():
    assert all(find_study(name).name == name for name in STUDIES)


def test_a_dry_run_tells_runs_and_time_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cost, "seconds_per_seed", lambda *_: 60.0)
    monkeypatch.setattr(cost, "seconds_per_probe", lambda *_: 9.0)
    assert main(["reproduce", "learning-speed", "--dry-run", "--workers", "2"]) == 0
    shown = capsys.readouterr().out
    assert "runs        9, 45 with their seeds; 0 done already" in shown
    seconds = 9 * (9 + estimate.seconds_per_report(5)) + 45 * 60
    both = seconds / 2 * estimate.SIDE_BY_SIDE
    assert f"about {duration(both)}, measured on a few steps of 1 kinds of run" in shown
    assert "nothing was written" in shown
    assert list(tmp_path.iterdir()) == []


def test_a_study_without_runs_is_told_as_such(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", "concept-signal", "--scale", "paper", "--dry-run"]) == 0
    assert "none: nothing is trained" in capsys.readouterr().out


def test_the_files_of_a_study_and_the_status_of_strict(tmp_path, monkeypatch, capsys, made_up):
    monkeypatch.setitem(known.STUDIES, "learning-speed", study_of(several(2)))
    monkeypatch.setattr(reproducing, "sweep", lambda *_, **__: None)
    out = tmp_path / "out"
    assert main(["reproduce", "learning-speed", "--out", str(out), "--strict"]) in (0, 3)
    names = sorted(path.name for path in out.iterdir())
    made = [f"learning-speed{end}" for end in ("-claims.json", ".json", ".png", ".svg")]
    assert names == ["environment.json", *made, "report.html"]
    claims = json.loads((out / "learning-speed-claims.json").read_bytes())
    assert [claim["id"] for claim in claims] == list(learning_speed.STUDY.tests)
    assert all(claim["scale"] == "quick" for claim in claims)
    assert json.loads((out / "learning-speed.json").read_bytes())["study"] == "learning-speed"
    shown = capsys.readouterr().out
    assert "C1/colour" in shown
    assert "inconclusive" in shown


def test_two_studies_share_the_runs_that_are_equal(tmp_path, made_up):
    pretending = Pretending()
    reproduce(study_of(several(2)), "quick", tmp_path, executor=pretending)
    again = Pretending()
    other = study_of([named("under-another-name"), named("new", 0.7)], "other")
    reproduce(other, "quick", tmp_path, executor=again)
    assert again.trained() == [("new", 0), ("new", 1)]
    third = Pretending()
    reproduce(study_of(several(2)), "quick", tmp_path, executor=third)
    assert third.done == []


def test_a_study_that_was_stopped_does_only_what_is_left(tmp_path, made_up):
    study = study_of(several(3))
    stopped = Pretending(stops_after=4)
    with pytest.raises(Interrupted):
        reproduce(study, "quick", tmp_path, executor=stopped)
    assert not (tmp_path / "learning-speed.json").exists()
    left = Pretending()
    reproduce(study, "quick", tmp_path, executor=left)
    both = stopped.trained() + left.trained()
    assert sorted(both) == [(f"run-{i}", seed) for i in range(3) for seed in range(2)]


def test_a_run_that_fails_ends_the_study_without_claims(tmp_path, made_up):
    with pytest.raises(RunError, match=r"1 of 2 runs failed; the others are done"):
        reproduce(study_of(several(2)), "quick", tmp_path, executor=Pretending(fails=["run-1"]))
    assert not (tmp_path / "learning-speed-claims.json").exists()


def test_the_number_of_seeds_can_be_chosen(tmp_path, made_up):
    pretending = Pretending()
    reproduce(study_of(several(1)), "quick", tmp_path, seeds=3, executor=pretending)
    assert pretending.trained() == [("run-0", seed) for seed in range(3)]


def test_settings_that_have_changed_are_refused_before_anything_is_done(tmp_path, made_up):
    reproduce(study_of(several(1)), "quick", tmp_path, executor=Pretending())
    with pytest.raises(WrongFolder, match=r"run-0 has other settings: training\.learning_rate"):
        reproduce(study_of([named("run-0", 0.5)]), "quick", tmp_path, executor=Pretending())


def test_a_real_run_comes_to_claims_is_not_done_again_and_its_damage_is_noted(tmp_path):
    study = study_of([named("real").replace(elicitation=())], "real", num_seeds=1)
    done = reproduce(study, "quick", tmp_path, executor=Training())
    assert {claim["verdict"] for claim in done.claims} == {"inconclusive"}
    assert done.claims[0]["controls"]["reason"].startswith("1 seeds, and 5 are")
    assert done.notes == []
    before = {path: path.read_bytes() for path in tmp_path.glob("real*.*")}
    assert len(before) == 4
    again = reproduce(study, "quick", tmp_path, executor=Pretending())
    assert again.claims == done.claims
    assert {path: path.read_bytes() for path in tmp_path.glob("real*.*")} == before

    damaged = next(tmp_path.glob("sweep/runs/*/seed=0/measurements/*.nc"))
    damaged.write_bytes(damaged.read_bytes()[:100])
    noted = reproduce(study, "quick", tmp_path, executor=Pretending())
    assert any(damaged.name in note for note in noted.notes)
    assert noted.findings["notes"] == noted.notes
