import subprocess
import sys

import pytest

from conceptspace.concepts import SettingsError
from conceptspace.probes.settings import InversionSettings, ProbeSettings


def test_settings_load_without_torch():
    code = "import sys, conceptspace.probes.settings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"widths": ()}, "widths"),
        ({"widths": (16, 0)}, "every width must be at least 1"),
        ({"steps": 0}, "steps"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"noise_range": (0.1, 0.05)}, "low <= high"),
        ({"noise_range": (-0.1, 0.05)}, "0 <= low"),
    ],
)
def test_bad_probe_settings_are_refused(fields, message):
    with pytest.raises(SettingsError, match=message):
        ProbeSettings(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"widening": {"hue": 0.1}}, "'hue' is no factor; known are shape"),
        ({"widening": {"colour": -0.1}}, "at least 0, not -0.1"),
        ({"tolerance": -1.0}, "tolerance"),
        ({"minimum_contrast": 0.0}, "minimum_contrast"),
        ({"max_iterations": 0}, "max_iterations"),
    ],
)
def test_bad_inversion_settings_are_refused(fields, message):
    with pytest.raises(SettingsError, match=message):
        InversionSettings(**fields)


@pytest.mark.parametrize("settings", [ProbeSettings.published(), InversionSettings()])
def test_settings_survive_json(settings):
    assert type(settings).from_json(settings.to_json()) == settings
