"""A small sweep that was really done, once, by processes of this machine."""

import pytest

from conceptspace.sweeps.sweep import sweep
from sweeps.real import listed


@pytest.fixture(scope="session")
def swept(tmp_path_factory):
    """A finished sweep of two runs. Not to be changed."""
    folder = tmp_path_factory.mktemp("sweeps") / "undisturbed"
    return sweep(listed(), folder, workers=2)
