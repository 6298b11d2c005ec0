"""The command line: its options are frozen, and bad usage gets one clear message and status 2."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conceptspace import opening
from conceptspace.cli import COMMANDS, TAKE_A_RECIPE, main
from conceptspace.recipes import RECIPES
from conceptspace.recipes.quick import quick

FROZEN = Path(__file__).with_name("command_line.json")
SOURCE = Path(__file__).parents[2] / "src"


LINES = [
    *([command] for command in COMMANDS if command not in (*TAKE_A_RECIPE, "theory")),
    *([command, "quick"] for command in TAKE_A_RECIPE),
    *(["theory", kind] for kind in ("sim", "landscape", "prediction")),
]
"""Each command, with the recipe or the kind of equations that it takes."""


def options_of(line, capsys):
    """The names of a command's options, as its help gives them."""
    assert main([*line, "--help"]) == 0
    return sorted(set(re.findall(r"--[a-z][a-z0-9.-]*", capsys.readouterr().out)))


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_the_options_of_a_command_are_frozen(line, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    frozen = json.loads(FROZEN.read_text())
    assert options_of(line, capsys) == frozen[" ".join(line)], f"change {FROZEN.name} on purpose"


def test_the_commands_and_recipes_are_frozen(capsys):
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert list(COMMANDS) == [
        "run",
        "sweep",
        "reproduce",
        "status",
        "report",
        "analyse",
        "sample",
        "signal",
        "sites",
        "describe",
        "theory",
        "doctor",
        "benchmark",
    ]
    assert all(f"  {command} " in shown for command in COMMANDS)
    assert set(json.loads(FROZEN.read_text())) == {" ".join(line) for line in LINES}
    assert {line[0] for line in LINES} == set(COMMANDS)
    assert all(recipe in shown for recipe in RECIPES)


@pytest.mark.parametrize("command", TAKE_A_RECIPE)
def test_a_command_that_takes_a_recipe_has_help_without_one(command, capsys):
    assert main([command, "--help"]) == 0
    assert f"conceptspace {command} RECIPE" in capsys.readouterr().out


def test_the_version_is_told(capsys):
    from conceptspace import __version__

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"conceptspace {__version__}\n"


BROKEN_FILES = {  # changes of the quick recipe's JSON, and what the message must hold
    "unknown": (lambda e: e.update(hue=1), "Experiment.hue: there is no such field"),
    "version": (lambda e: e.update(schema_version=7), "schema_version: Input should be 1 (got 7)"),
    "nan": (
        lambda e: e["training"].update(learning_rate=float("nan")),
        "training.learning_rate: Input should be a finite number (got nan)",
    ),
    "text": (
        lambda e: e["training"].update(steps="many"),
        "training.steps: Input should be a valid integer",
    ),
    "shape": (
        lambda e: e["space"]["concepts"][0]["values"].__setitem__(1, [0.2, 0.2]),
        "space.concepts.0.values: every value must have the same number of components",
    ),
    "class": (
        lambda e: e["split"].update(training_classes=["00", "99"]),
        "split: concept class '99' is not in this space; it has 00, 01, 10, 11",
    ),
    "twice": (
        lambda e: e["split"].update(training_classes=["00", "00"]),
        "names a class twice",
    ),
    "concept": (
        lambda e: e["elicitation"][0].update(concept="smell"),
        "'smell' is not in this space; it has colour, size",
    ),
    "missing": (lambda e: e.pop("space"), "Experiment.space: Field required"),
    "name": (lambda e: e.update(name="../up"), "Experiment.name: "),
}

BAD_LINES = [  # the command line, and what its message must hold
    ("", ["usage: conceptspace COMMAND"]),
    ("rum quick", ["there is no command 'rum'", "did you mean 'run'?"]),
    ("run", ["`run` needs a recipe (quick, digits, six-concepts", "conceptspace run quick"]),
    ("run --seeds 1", ["`run` needs a recipe (quick, digits, six-concepts"]),
    ("run colour-sweep", ["is a family of recipes", "colour-sweep:0.1 (settings: 0.1 0.137"]),
    ("run colour-sweep:0.25", ["'colour-sweep' has no setting '0.25'", "0.247"]),
    ("run grid:0.2", ["'grid' has no setting '0.2'", "grid:0.2,0.2", "0.8,0.4)"]),
    ("run colour-swep:0.1", ["did you mean 'colour-sweep:SETTING'?"]),
    ("run quick:1", ["recipe 'quick' has no settings: leave ':1' out"]),
    ("run quick --only-steps 0", ["--only-steps: steps must be between 1", "of quick, not 0"]),
    ("run quick --only-steps 9999", ["training.steps=3200 of quick, not 9999"]),
    ("run guidance:0.1 --training.condition-dropout 0", ["elicitation.0: guidance needs a model"]),
    ("run quick --measurement.checkpoints 5 4", ["checkpoints", "must be 1 or more and rise"]),
    ("run quick --measurement.checkpoints 5 4000", ["4000 lies beyond the last training step"]),
    ("run quik", ["there is no recipe 'quik'", "did you mean 'quick'?"]),
    ("run quick --trainin.steps 5", ["--trainin.steps", "--training.steps"]),
    ("run quick --training.steps -1", ["steps", "greater than or equal to 1 (got -1)"]),
    ("run quick --training.steps nan", ["--training.steps", "'nan'"]),
    ("run quick --training.steps 5", ["measurement: first_checkpoint=", "last training step 5"]),
    ("run quick --training.learning-rate nan", ["learning_rate", "finite number (got nan)"]),
    ("run quick --training.learning-rate inf", ["learning_rate", "finite number (got inf)"]),
    ("run quick --training.training-share 1.5", ["training_share", "less than 1 (got 1.5)"]),
    ("run quick --training.batch-size 0", ["batch_size", "greater than or equal to 1 (got 0)"]),
    ("run quick --seeds 0", ["--seeds must be at least 1, not 0"]),
    ("run quick --seeds two", ["--seeds", "'two'"]),
    ("run quick --seeds 1.5", ["--seeds", "'1.5'"]),
    ("run quick --workers 0", ["--workers must be at least 1, not 0"]),
    ("run quick --split.training-classes 00 99", ["split: concept class '99'", "00, 01, 10, 11"]),
    ("run quick --split.maximum-distance -1", ["maximum_distance", "(got -1)"]),
    ("run quick --world.image-size 7", ["image_size", "greater than or equal to 8 (got 7)"]),
    ("run quick --world.image-size 17", ["world.image_size=17 must be a multiple of 2"]),
    ("run quick --model.widths 12", ["widths: 12 is not a positive multiple of num_groups=8"]),
    ("run quick --model.widths", ["widths", "at least 1 item"]),
    ("run quick --model.dropout 1", ["dropout", "less than 1 (got 1.0)"]),
    ("run quick --diffusion.gamma-start 20", ["gamma_start: 20.0 must be below gamma_end"]),
    ("run quick --diffusion.data-range 1 0", ["data_range", "low < high"]),
    ("run quick --elicitation.0.concept smell", ["elicitation.0", "'smell'", "colour, size"]),
    ("run quick --elicitation.0.strengths 1 0", ["strengths must grow"]),
    ("run quick --findings.thresholds 2", ["thresholds", "between 0 and 1"]),
    ("run quick --measurement.num-control-samples 999", ["num_control_samples: 999 must not"]),
    ("run quick --device tpu", ["--device", "tpu"]),
    ("run quick --name a/b", ["Experiment.name", "'a/b'"]),
    ("run quick --out file", ["cannot run in file: file is a file", "--out"]),
    ("run quick --out file/below", ["file is not a folder", "--out"]),
    ("run quick --out full", ["full is not empty and holds no run (thesis.tex", "--out"]),
    ("run quick --out full --dry-run", ["full is not empty and holds no run", "--out"]),
    ("run missing.json", ["cannot read missing.json: No such file or directory"]),
    ("run full", ["cannot read full/experiment.json: No such file or directory"]),
    ("run broken.json", ["broken.json: Experiment: Invalid JSON"]),
    ("run /nowhere", ["there is no recipe '/nowhere'", ".json file"]),
    ("report", ["Run directory", "report --help"]),
    ("report /nowhere", ["/nowhere is not a run: there is no such folder"]),
    ("report file", ["file is not a run"]),
    ("report full", ["full is not a run: it has no experiment.json"]),
    ("report full --strickt", ["--strickt", "--strict"]),
    ("sample", ["Run directory", "sample --help"]),
    ("sample full", ["full is not a run: it has no experiment.json"]),
    ("sample full --out picture.jpg", ["--out must end in .png, not 'picture.jpg'"]),
    ("sample full --out file/x.png", ["--out file/x.png", "is not a folder"]),
    ("sample full --num many", ["--num", "'many'"]),
    ("signal", ["`signal` needs a recipe (quick, digits, six-concepts"]),
    ("signal quick --out picture.pdf", ["--out must end in .png or .svg, not 'picture.pdf'"]),
    ("signal quick --world.image-size 1", ["image_size", "(got 1)"]),
    ("theory", ["Expected one of {sim, landscape, prediction}"]),
    ("theory simm", ["Unrecognized options: simm", "sim, landscape, prediction"]),
    ("theory sim --mu 1 -2", ["--mu: give at least one mean, each above 0, such as 1 2"]),
    ("theory sim --mu 1 two", ["--mu", "'two'"]),
    ("theory sim --sigma -1", ["--sigma: give one spread for all concepts or one each"]),
    ("theory sim --sigma 1 2 3", ["sigma has 3 numbers and mu 2; give one spread"]),
    ("theory sim --dimension 1", ["dimension=1 is below the number of concepts, 2"]),
    ("theory sim --diagonal 0", ["--diagonal: Input should be greater than 0 (got 0.0)"]),
    ("theory sim --off-diagonal 1", ["off_diagonal=1.0 exceeds diagonal=0.01"]),
    ("theory sim --mu 1 2 3 --off-diagonal -0.009", ["--off-diagonal -0.009", "negative eigen"]),
    ("theory sim --threshold 1", ["--threshold must be between 0 and 1, not 1"]),
    ("theory sim --tolerance 0", ["--tolerance must be between 0 and 1, not 0"]),
    ("theory sim --duration 0", ["--duration must be a number above 0, not 0"]),
    ("theory sim --networks -1", ["--networks must be 0 or more, not -1"]),
    ("theory sim --out sim.pdf", ["--out must end in .png or .svg, not 'sim.pdf'"]),
    ("theory landscape --signal 1 0", ["--signal must be numbers above 0, such as 1 2"]),
    ("theory landscape --rate nan", ["--rate must be a number above 0, not nan"]),
    ("theory landscape --width 0", ["--width must be a number above 0, not 0"]),
    ("theory landscape --shift nan", ["--shift must be a time, or inf"]),
    ("theory landscape --class 11", ["--class needs --run"]),
    ("theory landscape --run full", ["full is not a run: it has no experiment.json"]),
    ("theory prediction", ["CSV with the columns setting, concept, seed, signal, time, end"]),
    ("theory prediction missing.csv", ["cannot read missing.csv: No such file or directory"]),
    ("theory prediction file", ["file: column 'setting' is missing; there must be setting,"]),
    ("theory prediction file --confidence 95", ["--confidence must be between 0 and 1, not 95"]),
    ("theory prediction file --random-seed -1", ["--random-seed must be 0 or more, not -1"]),
    ("doctor now", ["Unrecognized options: now"]),
]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with some files in it, where no run may begin."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "file").write_text("content")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.tex").write_text("years of work")
    (tmp_path / "broken.json").write_text("{ not json")

    def begun(*_):
        raise AssertionError("a run was begun")

    monkeypatch.setattr(opening, "open_run", begun)
    return tmp_path


def tree(folder):
    return {path: path.read_text() for path in folder.rglob("*") if path.is_file()}


def refused(line, capsys):
    """The message of a refused command line."""
    assert main(line) == 2
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err + shown.out
    # Boxes are drawn around some messages; they are no part of what is said.
    return " ".join(re.sub(r"[│─╭╮╰╯]", " ", shown.err + shown.out).split())


@pytest.mark.parametrize(("line", "wanted"), BAD_LINES, ids=[line for line, _ in BAD_LINES])
def test_bad_usage_is_refused_with_the_argument_the_value_and_the_fix(line, wanted, here, capsys):
    before = tree(here)
    message = refused(line.split(), capsys)
    for part in wanted:
        assert part in message
    assert tree(here) == before


@pytest.mark.parametrize("kind", BROKEN_FILES)
def test_a_wrong_experiment_file_is_refused_naming_file_and_field(kind, here, capsys):
    change, wanted = BROKEN_FILES[kind]
    described = json.loads(quick().to_json())
    change(described)
    (here / "mine.json").write_text(json.dumps(described))
    message = refused(["run", "mine.json"], capsys)
    assert message.startswith("conceptspace: mine.json: ")
    assert wanted in message


@pytest.mark.parametrize(
    ("line", "status"),
    [("run quick --training.steps 0", 2), ("report /nowhere", 2), ("--version", 0), ("", 2)],
)
def test_the_exit_status_reaches_the_shell(line, status, tmp_path):
    finished = subprocess.run(
        [sys.executable, "-m", "conceptspace", *line.split()],
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == status
    assert "Traceback" not in finished.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_fault_of_ours_is_not_taken_for_one_of_the_user(monkeypatch):
    from conceptspace import commands

    def broken(options):
        raise ValueError("operands could not be broadcast together")

    monkeypatch.setattr(commands, "doctor", broken)
    with pytest.raises(ValueError, match="broadcast"):
        main(["doctor"])


@pytest.mark.parametrize(
    ("error", "status", "wanted"),
    [
        (KeyboardInterrupt(), 130, "stopped"),
        (OSError(28, "No space left on device", "a/file"), 1, "a/file: No space left on device"),
    ],
)
def test_what_ends_a_command_from_outside_is_said_in_one_line(
    monkeypatch, capsys, error, status, wanted
):
    from conceptspace import commands

    def ended(options):
        raise error

    monkeypatch.setattr(commands, "doctor", ended)
    assert main(["doctor"]) == status
    assert capsys.readouterr().err == f"conceptspace: {wanted}\n"
