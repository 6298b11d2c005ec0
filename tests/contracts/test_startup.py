"""What stays unloaded until it is needed, so that the command line answers at once.

Each import is made in a process of its own: in this one everything is loaded already.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
HEAVY = ("torch", "xarray", "pandas", "scipy", "matplotlib", "plotly", "PIL", "jaxtyping")
SETTINGS = sorted(
    ".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in SOURCE.rglob("settings.py")
)


def heavy_modules_after(code):
    """The heavy packages that are loaded once the code has run in a fresh process."""
    report = f"import json, sys; print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    catching = f"try:\n    {code}\nexcept SystemExit as stop:\n    assert not stop.code\n{report}"
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    finished = subprocess.run(
        [sys.executable, "-c", catching], env=environment, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout.splitlines()[-1])


def test_importing_the_package_loads_nothing_heavy():
    assert heavy_modules_after("import conceptspace") == []


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["sweep", "--help"]])
def test_asking_for_help_loads_nothing_heavy(arguments):
    call = f"sys.argv = ['conceptspace', *{arguments!r}]; from conceptspace.cli import main; main()"
    assert heavy_modules_after(f"import sys; {call}") == []


def test_the_driver_of_a_sweep_and_status_load_nothing_heavy():
    assert heavy_modules_after("import conceptspace as cs; cs.sweep, cs.status") == []


@pytest.mark.parametrize("module", [*SETTINGS, "conceptspace.experiment", "conceptspace.recipes"])
def test_settings_load_nothing_heavy(module):
    assert heavy_modules_after(f"import {module}") == []


def test_what_is_heavy_would_be_noticed():
    assert "torch" in heavy_modules_after("import torch")
