"""The examples run as they stand."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
NEEDS = {"7_diffusers": ("diffusers", "transformers")}
"""Packages that are no dependency, by the example that needs them."""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_as_it_stands(path, tmp_path):
    missing = [name for name in NEEDS.get(path.stem, ()) if not importlib.util.find_spec(name)]
    if missing:
        pytest.skip(f"needs {missing[0]}")
    done = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
