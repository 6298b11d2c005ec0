"""What holds for every test: shapes are checked, randomness is seeded, no state leaks."""

import random

import shape_checks

shape_checks.install()  # before anything imports conceptspace

import hypothesis  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402

torch.set_num_threads(1)

hypothesis.settings.register_profile("same-every-time", deadline=None, derandomize=True)
hypothesis.settings.load_profile("same-every-time")


def pytest_collection_modifyitems(items):
    if torch.cuda.is_available():
        return
    skip = pytest.mark.skip(reason="no CUDA device")
    for item in items:
        if "gpu" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def seeded_and_tidy(monkeypatch):
    """Seed the global generators, and refuse a test after which torch behaves differently."""
    monkeypatch.setattr(pytest, "raises", shape_checks.raises_as_for_users)
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)
    before = _torch_state()
    yield
    assert _torch_state() == before, "the test left torch's global settings changed"


def _torch_state():
    return {
        "threads": torch.get_num_threads(),
        "default type": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }
