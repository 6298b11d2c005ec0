"""The concept signals of a run's world, as findings hold them."""

from typing import Any

from conceptspace.experiment import Experiment


def signal_of(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """Of each concept: `signal`, the paper's |dG/dz|, and `finite`, between class means."""
    from conceptspace.data.signal import concept_signal

    signals = concept_signal(experiment.world, experiment.space)
    return {
        name: {"signal": found.derivative, "finite": found.finite}
        for name, found in signals.items()
    }
