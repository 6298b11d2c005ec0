"""What a sweep does and does not do again; the work itself is pretended."""

import json

import pytest

from conceptspace.folder import Interrupted, RunError, WrongFolder
from conceptspace.measure.files import FolderInUse, exclusive
from conceptspace.models.execution import Execution
from conceptspace.sweeps.sweep import sweep
from conceptspace.units import TrainSeeds, WriteReport
from sweeps.fake import Pretending, Told, named, several


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "sweep"


def test_every_run_is_opened_trained_and_reported_before_others_are_begun(folder):
    worker = Pretending()
    assert sweep(several(2), folder, seeds=2, executor=worker) == folder
    assert [(unit.kind, unit.run.name) for unit in worker.done] == [
        (kind, name) for name in ("run-0", "run-1") for kind in ("open", "seeds", "seeds", "report")
    ]
    assert all((folder / f"runs/run-{i}/report.html").exists() for i in range(2))


def test_as_many_units_are_worked_on_as_there_is_room_for(folder):
    worker = Pretending(at_once=3)
    sweep(several(5), folder, seeds=2, executor=worker)
    assert worker.most_at_once == 3
    assert len(worker.trained()) == 10


def test_experiments_with_equal_settings_are_trained_once(folder):
    worker = Pretending()
    sweep([named("a"), (named("b"), [2]), named("c", 0.002)], folder, seeds=1, executor=worker)
    assert worker.trained() == [("a", 0), ("a", 2), ("c", 0)]


@pytest.mark.parametrize("stops_after", range(12))
def test_a_sweep_stopped_after_any_unit_does_only_the_rest(folder, stops_after):
    first, second = Pretending(at_once=2, stops_after=stops_after), Pretending(at_once=2)
    with pytest.raises(Interrupted, match=f"the same command continues the sweep in {folder}"):
        sweep(several(3), folder, seeds=2, executor=first)
    sweep(several(3), folder, seeds=2, executor=second)
    both = first.trained() + second.trained()
    assert sorted(both) == [(f"run-{i}", seed) for i in range(3) for seed in range(2)]
    reports = [u.run.name for u in first.done + second.done if isinstance(u, WriteReport)]
    assert sorted(reports) == ["run-0", "run-1", "run-2"]


def test_a_finished_sweep_has_nothing_left_to_do(folder):
    sweep(several(2), folder, seeds=1, executor=Pretending())
    worker, told = Pretending(), Told()
    sweep(several(2), folder, seeds=1, executor=worker, progress=told)
    assert worker.done == []
    assert told.messages[-1] == "run-1: was done before (2 of 2)"
    assert told.steps[-1] == (80, 80)


def test_a_log_torn_by_a_kill_loses_no_more_than_its_last_line(folder):
    sweep(several(2), folder, seeds=1, executor=Pretending())
    log = folder / "log.jsonl"
    log.write_bytes(log.read_bytes()[:-9])
    worker = Pretending()
    sweep(several(2), folder, seeds=1, executor=worker)
    assert [(unit.kind, unit.run.name) for unit in worker.done] == [
        ("open", "run-1"),
        ("report", "run-1"),
    ]
    assert json.loads(log.read_bytes().splitlines()[-1])["event"] == "done"


@pytest.mark.parametrize("gone", ["report.html", "seed=1/measurements/step=0000040.nc"])
def test_what_is_gone_of_a_finished_run_is_made_again(folder, gone):
    sweep(several(2), folder, seeds=2, executor=Pretending())
    (folder / "runs/run-0" / gone).unlink()
    worker = Pretending()
    sweep(several(2), folder, seeds=2, executor=worker)
    assert {unit.run.name for unit in worker.done} == {"run-0"}
    assert worker.trained() == ([("run-0", 1)] if "seed" in gone else [])
    assert (folder / "runs/run-0" / gone).exists()


def test_seeds_and_experiments_are_added_to_a_finished_sweep(folder):
    sweep(several(1), folder, seeds=1, executor=Pretending())
    worker = Pretending()
    sweep(several(2), folder, seeds=2, executor=worker)
    assert worker.trained() == [("run-0", 1), ("run-1", 0), ("run-1", 1)]
    assert [u.seeds for u in worker.done if isinstance(u, WriteReport)] == [(0, 1), (0, 1)]
    # and a call for fewer seeds keeps those that are there
    assert sweep(several(2), folder, seeds=1, executor=Pretending()) == folder


def test_a_failed_run_is_named_and_does_not_stop_the_others(folder):
    worker = Pretending(fails={"run-0"})
    with pytest.raises(RunError, match="1 of 3 runs failed") as caught:
        sweep(several(3), folder, seeds=2, executor=worker)
    message = str(caught.value)
    assert "run-0: seed 0 failed: ValueError: no luck" in message
    assert "the same command tries again what failed" in message
    assert not (folder / "runs/run-0/report.html").exists()
    assert (folder / "runs/run-2/report.html").exists()
    assert ("run-0", 1) in worker.trained()
    second = Pretending()
    sweep(several(3), folder, seeds=2, executor=second)
    assert second.trained() == [("run-0", 0), ("run-0", 1)]


def test_a_run_whose_folder_holds_something_else_fails_alone(folder):
    (folder / "runs/run-0").mkdir(parents=True)
    (folder / "runs/run-0/thesis.tex").write_text("years of work")
    with pytest.raises(RunError, match=r"run-0: .*holds no run \(thesis\.tex is there\)"):
        sweep(several(2), folder, seeds=1, executor=Pretending())
    assert (folder / "runs/run-1/report.html").exists()
    assert [path.name for path in (folder / "runs/run-0").iterdir()] == ["thesis.tex"]


def test_a_second_process_on_a_sweep_is_refused(folder):
    with (
        exclusive(folder),
        pytest.raises(FolderInUse, match=f"{folder} is in use by another process"),
    ):
        sweep(several(1), folder, executor=Pretending())


def test_a_run_that_somebody_else_works_on_fails_and_is_left_alone(folder):
    with (
        exclusive(folder / "runs/run-0"),
        pytest.raises(RunError, match="run-0 is in use by another process"),
    ):
        sweep(several(2), folder, seeds=1, executor=Pretending())
    assert not (folder / "runs/run-0/experiment.json").exists()


def test_nobody_else_can_work_on_a_run_of_a_sweep_meanwhile(folder):
    class Checking(Pretending):
        def pretend(self, unit):
            with pytest.raises(FolderInUse), exclusive(unit.run):
                pass
            return super().pretend(unit)

    sweep(several(2), folder, seeds=1, executor=Checking())
    with exclusive(folder / "runs/run-0"):
        pass


def test_a_probe_is_trained_once_for_all_runs_that_share_it(folder):
    worker = Pretending(at_once=4)
    sweep(several(3), folder, seeds=1, executor=worker)
    assert [unit.probe_of and unit.probe_of.name for unit in worker.opened()] == [
        None,
        "run-0",
        "run-0",
    ]
    # None was opened before the first was.
    assert worker.done[0].run.name == "run-0"
    more = Pretending()
    sweep(several(4), folder, seeds=1, executor=more)
    assert [unit.probe_of.name for unit in more.opened()] == ["run-0"]


def test_how_to_compute_is_chosen_once_and_kept(folder):
    way = Execution(precision="bfloat16")
    with pytest.raises(Interrupted):
        sweep(several(3), folder, executor=Pretending(execution=way, stops_after=1))
    worker = Pretending()
    sweep(several(3), folder, seeds=1, executor=worker)
    assert [unit.chosen for unit in worker.opened()] == [way] * 3


def test_seeds_share_a_process_where_the_execution_says_so(folder):
    worker = Pretending(execution=Execution(seeds_per_process=3))
    sweep(several(1), folder, seeds=5, executor=worker)
    groups = [unit.seeds for unit in worker.done if isinstance(unit, TrainSeeds)]
    assert groups == [(0, 2, 4), (1, 3)]


def strange(folder):
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")


def a_file(folder):
    folder.write_text("content")


def a_run(folder):
    folder.mkdir()
    (folder / "experiment.json").write_text("{}")


def another_sweep(folder):
    sweep([named("other", 0.5)], folder, seeds=1, executor=Pretending())


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (strange, r"not empty and holds no sweep \(thesis.tex is there\).*--out"),
        (a_file, r"is a file.*--out"),
        (a_run, r"is a run and no sweep.*--out"),
        (another_sweep, r"holds another sweep \(other is there and is not in the list.*--out"),
    ],
)
def test_a_folder_that_holds_something_else_is_refused_and_left_as_it_was(folder, make, wanted):
    make(folder)
    before = {path: path.read_bytes() for path in [folder, *folder.rglob("*")] if path.is_file()}
    with pytest.raises(WrongFolder, match=wanted):
        sweep(several(1), folder, executor=Pretending())
    after = {path: path.read_bytes() for path in [folder, *folder.rglob("*")] if path.is_file()}
    assert after == before


def test_a_damaged_plan_is_named_and_made_again(folder):
    sweep(several(2), folder, seeds=1, executor=Pretending())
    plan = folder / "sweep.json"
    whole = plan.read_bytes()
    plan.write_bytes(whole[: len(whole) // 2])
    worker, told = Pretending(), Told()
    sweep(several(2), folder, seeds=1, executor=worker, progress=told)
    assert any(f"{plan} is damaged" in message for message in told.messages)
    assert plan.read_bytes() == whole
    assert worker.done == []


def test_the_runs_are_where_they_were_when_the_list_names_them_in_another_order(folder):
    sweep([named("a"), named("b")], folder, seeds=1, executor=Pretending())
    worker = Pretending()
    sweep([named("b"), named("a")], folder, seeds=2, executor=worker)
    assert worker.trained() == [("a", 1)]
