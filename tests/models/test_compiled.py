"""The compiled network, traced only: that takes no compiler and no GPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def found():
    script = Path(__file__).with_name("trace_compiled.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_compiled_network_learns_what_it_would_otherwise(found):
    assert found["gradients"] < 1e-6


def test_a_compiled_network_predicts_what_it_would_otherwise(found):
    assert found["predictions"] < 1e-5


def test_training_is_one_graph_and_any_number_of_images_another(found):
    assert found["training_graphs"] == 1
    assert found["graphs"] == 2
