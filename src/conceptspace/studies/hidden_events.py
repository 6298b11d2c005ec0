"""When each seed's capability emerges and naive prompting succeeds, with resamples."""

from typing import Any

import numpy as np

from conceptspace.dynamics.accuracy import chosen_accuracy
from conceptspace.dynamics.arrays import NAIVE, TrajectoryArrays
from conceptspace.dynamics.bootstrap import resample_chosen, resample_means
from conceptspace.dynamics.emergence import emergence
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.dynamics.spread import SeedEvents

EARLIEST = "earliest"
"""A capability is there once one method elicits it: the first of all methods."""


class EventTable:
    """Emergence and naive steps of one run at every threshold.

    Args:
        arrays: of the run's trajectory.
        concept_class: the held-out class.
        settings: thresholds and resampling.

    Attributes:
        methods: the elicitation methods, and `EARLIEST` of them.
        steps: by threshold and method, or `naive`: of each seed, infinite where never.
        draws: likewise from resampled samples, (resample, seed).
    """

    def __init__(
        self, arrays: TrajectoryArrays, concept_class: str, settings: FindingsSettings
    ) -> None:
        self._trained_steps = arrays.steps[arrays.trained].astype(float)
        kinds = {name: arrays.methods[name]["kind"] for name in arrays.method_names}
        measured = arrays.measured_methods(concept_class)
        elicitations = [name for name in measured if kinds[name] == "elicitation"]
        self.methods = [EARLIEST, *elicitations] if elicitations else []
        self.steps: dict[str, dict[str, np.ndarray]] = {}
        self.draws: dict[str, dict[str, np.ndarray]] = {}
        for number, name in enumerate([NAIVE, *elicitations]):
            right = arrays.joint_right(concept_class, name)[0]
            rng = np.random.default_rng([settings.random_seed, 50 + number])
            if name == NAIVE:
                shares = right[:, :, 0]
                bank = resample_means(shares, settings.num_resamples, rng, are_shares=True)
            else:
                bank = resample_chosen(right, settings.num_resamples, rng)
            curves = (chosen_accuracy(right).accuracy, bank)
            for threshold in settings.thresholds:
                for table, accuracy in zip((self.steps, self.draws), curves):
                    found = emergence(
                        self._trained_steps,
                        accuracy[..., arrays.trained],
                        threshold,
                        settings.consecutive,
                    )
                    table.setdefault(str(threshold), {})[name] = found
        for table in (self.steps, self.draws):
            for by_method in table.values():
                if elicitations:
                    earliest = np.min([by_method[name] for name in elicitations], axis=0)
                    by_method[EARLIEST] = earliest

    def events(self, threshold: str, method: str) -> SeedEvents:
        """What the spread over seeds is compared of."""
        return SeedEvents(
            self._trained_steps,
            self.steps[threshold][method],
            self.steps[threshold][NAIVE],
            self.draws[threshold][method],
            self.draws[threshold][NAIVE],
        )

    def says_how_it_spreads(self, threshold: str, method: str) -> bool:
        """Whether at least half of the seeds have each event: with fewer, what is cut off would
        decide."""
        found = self.steps[threshold]
        return all(
            2 * np.isfinite(found[name]).sum() >= len(found[name]) for name in (method, NAIVE)
        )

    def plain(self) -> dict[str, Any]:
        """The steps of every seed."""
        return {threshold: dict(by_method) for threshold, by_method in self.steps.items()}
