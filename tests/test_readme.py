"""What the README tells a reader to type is what the software understands."""

import re
import shlex
from pathlib import Path

import pytest

import conceptspace as cs
from conceptspace.cli import main

README = (Path(__file__).parents[1] / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture
def started(monkeypatch):
    """Experiments handed to `cs.run`, which does not train here."""
    experiments = []

    def run(experiment, out=None, *, seeds=2):
        experiments.append(experiment)
        return out

    monkeypatch.setattr(cs, "run", run, raising=False)
    return experiments


def test_the_readmes_concept_space_can_be_run(started):
    block = next(block for block in blocks("python") if "cs.Concept(" in block)
    exec(compile(block, "README", "exec"), {})
    (experiment,) = started
    assert experiment.split.held_out(experiment.space) == ("011", "101", "110", "111")
    assert experiment.space.describe("001") == "red large bright"


@pytest.mark.parametrize("block", blocks("python"))
def test_every_name_of_the_readmes_python_is_public(block):
    used = set(re.findall(r"\bcs\.(\w+)", block))
    assert used
    assert used <= set(cs.__all__)


COMMANDS = [
    line.split("#")[0].strip()
    for block in blocks("sh")
    for line in block.splitlines()
    if line.startswith("conceptspace ")
]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_readme_is_understood(line, capsys):
    """Its options are all known: with `--help` behind them, nothing but help is printed."""
    words = shlex.split(line)[1:]
    assert main([*words, "--help"]) == 0
    assert "usage" in capsys.readouterr().out.lower()


def test_the_readme_shows_commands():
    assert len(COMMANDS) >= 6
