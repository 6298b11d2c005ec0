"""The commands `sweep` and `status`: what they take, refuse, and say beforehand."""

import json
import re
import sys
from pathlib import Path

import pytest

from conceptspace import options
from conceptspace.cli import main
from conceptspace.estimate import SIDE_BY_SIDE
from conceptspace.experiment import Experiment
from conceptspace.sweeps import cost
from conceptspace.sweeps import sweep as sweeping
from conceptspace.sweeps.listing import read_listing
from conceptspace.sweeps.plan import plan_sweep
from conceptspace.sweeps.sweep import sweep
from conceptspace.units import Wanted
from sweeps.fake import Pretending, named, several


def described(experiment):
    return json.loads(experiment.to_json())


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with a list of three experiments and some files that are none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    listed = [described(named("a")), described(named("b"))]
    listed.append({"experiment": described(named("c", 0.002)), "seeds": [4]})
    files = {
        "three": {"experiments": listed, "seeds": 2},
        "plain": listed,
        "empty": [],
        "text": "experiments",
        "unknown": {"experiments": listed, "workers": 2},
        "none": {"seeds": 2},
        "seedless": {"experiments": listed, "seeds": 0},
        "wrong": [listed[0], described(named("b")) | {"hue": 1}],
        "wrong-seeds": [{"experiment": listed[0], "seeds": "many"}],
        "twice": [listed[0], described(named("a", 0.5))],
    }
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    (tmp_path / "broken.json").write_text("{ not json")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.tex").write_text("years of work")
    return tmp_path


BAD_LINES = [
    ("sweep", ["family", "sweep --help"]),
    ("sweep gird", ["there is no family 'gird'; did you mean 'grid'?", "colour-sweep"]),
    ("sweep quick", ["quick is one experiment; run it with `conceptspace run quick`"]),
    ("sweep grid:0.2,0.2", ["is one experiment", "conceptspace run grid:0.2,0.2"]),
    ("sweep missing.json", ["cannot read missing.json: No such file or directory"]),
    ("sweep broken.json", ["broken.json: not JSON"]),
    ("sweep empty.json", ["empty.json: must hold a list of at least one experiment"]),
    ("sweep text.json", ["text.json: must hold a list"]),
    ("sweep none.json", ["none.json: must hold a list"]),
    ("sweep unknown.json", ["unknown.json: there is no field 'workers'"]),
    ("sweep seedless.json", ["seedless.json: seeds must be a number from 1 on, not 0"]),
    ("sweep wrong.json", ["wrong.json: experiments.1: Experiment.hue: there is no such field"]),
    ("sweep wrong-seeds.json", ["experiments.0.seeds: must be a number or a list", "'many'"]),
    ("sweep twice.json", ["twice.json: two experiments are called 'a' and differ"]),
    ("sweep three.json --seeds 0", ["--seeds must be at least 1, not 0"]),
    ("sweep three.json --workers 0", ["--workers must be at least 1, not 0"]),
    ("sweep three.json --threads 0", ["--threads must be at least 1, not 0"]),
    ("sweep three.json --only-steps 41", ["--only-steps: steps must be between 1", "not 41"]),
    ("sweep three.json --address auto", ["--address is a Ray cluster's: give --executor ray"]),
    ("sweep three.json --executor slurm", ["--executor", "slurm"]),
    ("sweep three.json --out full", ["full is not empty and holds no sweep (thesis.tex"]),
    ("sweep three.json --out full --dry-run", ["full is not empty and holds no sweep"]),
    ("sweep three.json --out three.json", ["cannot sweep in three.json", "is a file", "--out"]),
    ("sweep full", ["full is not a sweep: it has no sweep.json"]),
    ("status", ["status --help"]),
    ("status /nowhere", ["/nowhere is neither a run nor a sweep: there is no such folder"]),
    ("status full", ["full is neither a run nor a sweep: it holds neither"]),
]


@pytest.mark.parametrize(("line", "wanted"), BAD_LINES, ids=[line for line, _ in BAD_LINES])
def test_bad_usage_is_refused_with_the_argument_the_value_and_the_fix(line, wanted, here, capsys):
    before = sorted(here.rglob("*"))
    assert main(line.split()) == options.BAD_USAGE
    shown = capsys.readouterr()
    for part in wanted:
        assert part in " ".join((shown.err + shown.out).split())
    assert "Traceback" not in shown.err
    assert sorted(here.rglob("*")) == before


@pytest.fixture
def asked(monkeypatch):
    """What the command asks for, without its being done."""
    calls = []

    def pretend(entries, folder, **named):
        calls.append((entries, folder, named))
        return sweep(entries, folder, seeds=named["seeds"], executor=Pretending())

    monkeypatch.setattr(sweeping, "sweep", pretend)
    return calls


def test_a_family_is_swept_with_five_seeds_into_a_folder_of_its_name(here, asked, capsys):
    assert main(["sweep", "elicitation"]) == 0
    ((entries, folder, named_),) = asked
    assert [len(entries), str(folder), named_["seeds"]] == [6, "sweeps/elicitation", 5]
    assert "sweeps/elicitation/runs" in capsys.readouterr().out
    assert main(["status", "sweeps/elicitation"]) == 0
    assert "6 runs: 6 done" in capsys.readouterr().out


def test_the_first_steps_of_a_family_are_a_sweep_of_their_own(here, asked):
    assert main(["sweep", "grid", "--only-steps", "600", "--seeds", "1"]) == 0
    ((entries, folder, _),) = asked
    assert str(folder) == "sweeps/grid-600-steps"
    assert {entry.training.steps for entry in entries} == {600}


def test_a_file_lists_experiments_perhaps_with_seeds_of_their_own(here, asked):
    assert main(["sweep", "three.json"]) == 0
    ((entries, folder, named_),) = asked
    assert str(folder) == "sweeps/three"
    assert named_["seeds"] == 2
    assert entries == (named("a"), named("b"), (named("c", 0.002), [4]))
    assert read_listing("plain.json").num_seeds == 5


def test_a_sweep_that_is_there_continues_from_its_folder_alone(here, asked):
    main(["sweep", "three.json"])
    for given in ("sweeps/three", "sweeps/three/sweep.json"):
        assert main(["sweep", given]) == 0
        entries, folder, _ = asked[-1]
        assert str(folder) == "sweeps/three"
        assert entries == (
            (named("a"), (0, 1)),
            (named("b"), (0, 1)),
            (named("c", 0.002), (4,)),
        )


def test_seeds_given_count_for_every_experiment(here, asked):
    assert main(["sweep", "three.json", "--seeds", "3"]) == 0
    assert all(isinstance(entry, Experiment) for entry in asked[0][0])
    assert asked[0][2]["seeds"] == 3


def test_failed_runs_are_named_and_end_the_command_with_status_1(here, monkeypatch, capsys):
    def failing(entries, folder, **named_):
        return sweep(entries, folder, seeds=1, executor=Pretending(fails={"a"}))

    monkeypatch.setattr(sweeping, "sweep", failing)
    assert main(["sweep", "three.json"]) == options.FAILED
    message = capsys.readouterr().err
    assert "1 of 2 runs failed; the others are done; the same command tries again" in message
    assert "  a: seed 0 failed: ValueError: no luck" in message


def test_without_ray_the_command_says_how_to_get_it(here, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["sweep", "three.json", "--executor", "ray"]) == options.FAILED
    message = capsys.readouterr().err
    assert "Ray cannot be loaded" in message
    assert "pip install 'conceptspace[ray]'" in message
    assert not (here / "sweeps").exists()


DOCUMENTED = re.findall(
    r"^    conceptspace (.+?)(?:  +#.*)?$",
    (Path(__file__).parents[2] / "docs/sweeps.md").read_text(),
    flags=re.MULTILINE,
)


@pytest.mark.parametrize("line", DOCUMENTED)
def test_every_command_of_the_documentation_is_understood(line, capsys):
    assert main([*line.split(), "--help"]) == 0
    assert len(DOCUMENTED) >= 8


@pytest.fixture
def timed(monkeypatch):
    """The settings that are timed; a seed takes a hundred seconds."""
    names = []

    def pretend(experiment, execution):
        names.append(experiment.name)
        return 100.0

    monkeypatch.setattr(cost, "seconds_per_seed", pretend)
    monkeypatch.setattr(cost, "seconds_per_probe", lambda experiment: 10.0)
    monkeypatch.setattr(cost, "seconds_per_report", lambda num_seeds: 5.0 * num_seeds)
    return names


def test_a_dry_run_times_one_of_those_that_cost_the_same_and_writes_nothing(here, timed, capsys):
    before = sorted(here.rglob("*"))
    assert main(["sweep", "three.json", "--dry-run", "--workers", "1"]) == 0
    assert sorted(here.rglob("*")) == before
    shown = capsys.readouterr().out
    assert timed == ["a"]
    assert "experiments 3, which are 2 different runs" in shown
    assert "seeds       3 in all, 0 measured already" in shown
    assert "runs        2, 0 done already" in shown
    # One probe, reports of 2 + 1 seeds, 3 seeds: 10 + 15 + 300.
    assert "about 5 min 25 s, measured just now on 1 of the settings" in shown
    assert "nothing was written" in shown


def test_a_dry_run_counts_what_is_there(here, timed, capsys):
    sweep(several(2), here / "some", seeds=1, executor=Pretending())
    plan = plan_sweep(several(3), 2)
    left = cost.estimate_sweep(here / "some", plan, 2, Wanted())
    assert (left.num_runs, left.num_done, left.num_seeds, left.num_measured) == (3, 0, 6, 2)
    # The probe is there; two at once slow each other.
    assert left.seconds == pytest.approx((3 * 10.0 + 4 * 100.0) / 2 * SIDE_BY_SIDE)
    sweep(several(3), here / "some", seeds=2, executor=Pretending())
    left = cost.estimate_sweep(here / "some", plan, 2, Wanted())
    assert (left.num_done, left.num_measured, left.seconds, left.num_timed) == (3, 6, 0.0, 0)
