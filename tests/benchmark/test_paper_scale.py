"""The script that measures everything at the published size runs through at a tiny one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "paper_scale.py"
PARTS = ["mechanisms", "members", "sizes", "measuring", "quality", "resume", "projection"]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    out = tmp_path_factory.mktemp("paper-scale")
    command = [sys.executable, SCRIPT, "--tiny", "--out", out, "--parts", *PARTS]
    subprocess.run(command, check=True, capture_output=True)
    return json.loads((out / "paper_scale.json").read_text())


@pytest.mark.slow
def test_every_part_is_measured(found):
    failed = [row for part in PARTS for row in found[part] if "error" in row or row == "failed"]
    assert failed == []
    assert {row["mechanism"] for row in found["mechanisms"]} >= {"alone", "stacked", "processes"}
    assert all(row["seconds"] > 0 for row in found["members"] + found["measuring"])


@pytest.mark.slow
def test_a_computation_is_equal_to_itself_and_continues_with_the_same_bits(found):
    assert found["quality"]["mean_difference"] == 0
    assert found["quality"]["is_equal"]
    assert found["resume"] == {"same_bits": True}


@pytest.mark.slow
def test_the_sweep_is_projected_from_the_rates(found):
    best = min(row["seconds"] for row in found["mechanisms"] if row["mechanism"] != "stacked")
    checkpoint = min(row["seconds"] for row in found["measuring"])
    expected = 100 * (20_000 * best + 60 * checkpoint) / 60
    assert found["projection"]["minutes"] == pytest.approx(expected)
