import pytest

from conceptspace import derived
from conceptspace.folder import read_description


@pytest.fixture
def without_figures(monkeypatch):
    """Findings and claims as ever, but no figures and no page: they take most of the time."""

    def conclude(folder):
        described = read_description(folder)
        derived._conclude(folder, described, derived.read_measurements(folder, described))

    monkeypatch.setattr("conceptspace.observe.recorder.derive", conclude)
