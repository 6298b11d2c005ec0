"""Findings: everything that is concluded from a trajectory, as plain JSON values.

This is the labelled layer: it picks arrays out of the trajectory, hands them to the plain functions
of this folder, and names what comes back. The same trajectory and settings give the same findings.
"""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray

from conceptspace.dynamics.accuracy import chosen_accuracy, mean_measured
from conceptspace.dynamics.arrays import NAIVE, TrajectoryArrays
from conceptspace.dynamics.bootstrap import (
    mean_over_seeds,
    percentile_interval,
    resample_chosen,
    resample_means,
    resample_seeds,
)
from conceptspace.dynamics.emergence import coincidence, emergence, window, window_length
from conceptspace.dynamics.learning import learning_times, median_draws, median_time
from conceptspace.dynamics.plain import plain
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.dynamics.speed import speed_interval
from conceptspace.dynamics.turns import MIN_CHECKPOINTS, turning_points

SCHEMA_VERSION = 1


def findings(
    trajectory: xarray.Dataset,
    settings: FindingsSettings | None = None,
    *,
    signal: Mapping[str, Any] | None = None,
    probe: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Everything concluded from a trajectory.

    Args:
        trajectory: dims seed, step, concept_class, method, strength, sample, concept; its variables
            are explained in docs/run-directory.md. Step 0 is the untrained model: it is in every
            curve, but no learning time, emergence step or turn is looked for there. Turns are
            looked for in held-out classes.
        settings: thresholds and resampling.
        signal: the concept signals, to be kept with the findings.
        probe: the probe's own tables, to be kept with the findings.

    Returns:
        nested dicts and lists of plain numbers, None for what there is not, ready for JSON.

    Raises:
        ValueError: if the trajectory lacks a variable or a method called "naive".
    """
    return _Analysis(trajectory, settings or FindingsSettings()).findings(signal, probe)


class _Analysis:
    """The parts of one trajectory's findings."""

    def __init__(self, trajectory: xarray.Dataset, settings: FindingsSettings):
        self.arrays = TrajectoryArrays(trajectory)
        self.settings = settings
        self.trained_steps = self.arrays.steps[self.arrays.trained]

    def findings(self, signal: Any, probe: Any) -> dict[str, Any]:
        arrays = self.arrays
        return plain(
            {
                "schema_version": SCHEMA_VERSION,
                "seeds": arrays.seeds,
                "steps": arrays.steps,
                "signal": signal,
                "classes": {name: self.concept_class(name) for name in arrays.classes},
                "decodability": self.decodability(),
                "losses": self.losses(),
                "gamma": self.gamma(),
                "probe": probe,
            }
        )

    def generator(self, *key: str) -> np.random.Generator:
        """A generator of its own for each quantity: adding a method leaves the others' numbers."""
        return np.random.default_rng(
            [self.settings.random_seed, zlib.crc32("/".join(key).encode())]
        )

    def over_seeds(self, bank: np.ndarray) -> np.ndarray:
        # Always the same redraw of seeds, so that differences of methods are paired.
        return resample_seeds(bank, self.generator("seeds"))

    def interval(self, draws: np.ndarray) -> np.ndarray:
        return percentile_interval(draws, self.settings.confidence)

    def concept_class(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = {"held_out": name in self.arrays.held_out}
        found["coordinate"] = self.path(name)
        found["speed"] = self.speed(name)
        found["off_manifold"], found["accuracy"] = {}, {}
        accuracies, resamples = {}, {}
        for method in self.arrays.measured_methods(name):
            off = self.arrays.off_manifold(name, method)
            found["off_manifold"][method] = mean_measured(off, axis=(0, 2, 3))
            block, accuracies[method], resamples[method] = self.accuracy(name, method)
            found["accuracy"][method] = block
        found["learning_time"] = self.learning_time(name)
        found |= self.turns(name)
        for threshold in self.settings.thresholds:
            blocks = self.emergence(accuracies, resamples, threshold, found["turns_per_seed"])
            for block, content in blocks.items():
                found.setdefault(block, {})[str(threshold)] = content
        return found

    def path(self, name: str) -> dict[str, Any]:
        """Mean coordinates over seeds with their interval."""
        values = self.arrays.coordinates(name)
        rng = self.generator(name, "coordinate")
        bank = resample_means(np.moveaxis(values, -1, 2), self.settings.num_resamples, rng)
        draws = mean_over_seeds(self.over_seeds(bank))
        mean = mean_measured(mean_measured(values, axis=2), axis=0)
        return {"mean": mean, "interval": self.interval(draws)}

    def speed(self, name: str) -> dict[str, Any]:
        """How fast the mean path moves, at the checkpoints that every seed has."""
        values = self.arrays.coordinates(name)
        complete = ~np.isnan(values).any(axis=(0, 2, 3))
        if complete.sum() < 2 or values.shape[2] < 2:
            return {"step": [], "value": [], "interval": []}
        found = speed_interval(
            self.arrays.steps[complete],
            values[:, complete],
            rng=self.generator(name, "speed"),
            smoothing=self.settings.smoothing,
        )
        return {"step": found.steps, "value": found.value, "interval": found.interval.T}

    def accuracy(self, name: str, method: str) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
        """One method's accuracy block, its accuracies (seed, step), and resamples of them."""
        right, strengths = self.arrays.joint_right(name, method)
        chosen = chosen_accuracy(right)
        rng = self.generator(name, "accuracy", method)
        if len(strengths) == 1:
            shares = right[:, :, 0]
            bank = resample_means(shares, self.settings.num_resamples, rng, are_shares=True)
        else:
            bank = resample_chosen(right, self.settings.num_resamples, rng)
        draws = self.over_seeds(bank)
        values = np.where(chosen.strength >= 0, strengths[chosen.strength], np.nan)
        block = {
            "mean": mean_measured(chosen.accuracy, axis=0),
            "interval": self.interval(mean_over_seeds(draws)),
            "per_seed": chosen.accuracy,
            "per_seed_interval": self.interval(bank),
            "strength": np.median(values, axis=-1),
        }
        return block, chosen.accuracy, draws

    def learning_time(self, name: str) -> dict[str, Any]:
        """When naive prompting has each concept right, at each threshold."""
        right = self.arrays.concept_right(name)[:, self.arrays.trained]
        accuracy = np.moveaxis(mean_measured(right, axis=2), -1, 0)  # (concept, seed, checkpoint)
        rng = self.generator(name, "learning")
        shares = np.moveaxis(right, -1, 2)
        bank = resample_means(shares, self.settings.num_resamples, rng, are_shares=True)
        draws = np.moveaxis(self.over_seeds(bank), -1, 0)
        return {
            str(threshold): {
                concept: self.times(
                    self.learned(accuracy[number], threshold),
                    self.learned(draws[number], threshold),
                )
                for number, concept in enumerate(self.arrays.concepts)
            }
            for threshold in self.settings.thresholds
        }

    def learned(self, accuracy: np.ndarray, threshold: float) -> np.ndarray:
        return learning_times(
            self.trained_steps,
            accuracy,
            threshold,
            consecutive=self.settings.consecutive,
            smoothing=self.settings.smoothing,
        )

    def times(self, times: np.ndarray, draws: np.ndarray) -> dict[str, Any]:
        """Times of each seed with their Kaplan-Meier median; None stands for censored."""
        return {
            "per_seed": times,
            "censored_at": self.arrays.last_step,
            "median": median_time(times, self.arrays.last_step),
            "interval": self.interval_of_medians(draws),
        }

    def interval_of_medians(self, draws: np.ndarray) -> np.ndarray:
        medians = median_draws(draws)
        medians = medians[~np.isnan(medians)]
        return self.interval(medians) if len(medians) > 1 else np.full(2, np.nan)

    def turns(self, name: str) -> dict[str, Any]:
        """The turns of the path, and the step at which each seed's own path turns."""
        values = self.arrays.coordinates(name)
        complete = self.arrays.trained & ~np.isnan(values).any(axis=(0, 2, 3))
        nothing = {"turns": [], "turns_per_seed": [None] * len(values)}
        # Turns are a held-out class's: a training class bends only as its concepts are learned.
        if name not in self.arrays.held_out or complete.sum() < MIN_CHECKPOINTS:
            return nothing
        analysis = turning_points(
            self.arrays.steps[complete].astype(float),
            values[:, complete].astype(float),
            rng=self.generator(name, "turn"),
            significance=self.settings.significance,
        )
        if not analysis.turns:
            return nothing
        keys = ("step", "interval", "angle", "p_value", "point", "leg_lengths")
        return {
            "turns": [{key: getattr(turn, key) for key in keys} for turn in analysis.turns],
            "turns_per_seed": analysis.seed_steps,
        }

    def emergence(
        self,
        accuracies: dict[str, np.ndarray],
        resamples: dict[str, np.ndarray],
        threshold: float,
        turns_per_seed: Any,
    ) -> dict[str, Any]:
        """Emergence steps, windows, and how close each emergence is to the turn."""
        trained, steps = self.arrays.trained, self.trained_steps
        consecutive = self.settings.consecutive
        point = {
            method: emergence(steps, accuracy[:, trained], threshold, consecutive)
            for method, accuracy in accuracies.items()
        }
        drawn = {
            method: emergence(steps, draws[:, :, trained], threshold, consecutive)
            for method, draws in resamples.items()
        }
        emerged = {method: self.times(point[method], drawn[method]) for method in point}
        windows, coincidences = {}, {}
        turns = np.array(turns_per_seed, dtype=float)
        for method in point:
            if self.arrays.methods[method]["kind"] != "elicitation":
                continue
            windows[method] = self.window(point[NAIVE], point[method], drawn[NAIVE], drawn[method])
            rng = self.generator(method, "coincidence")
            coincidences[method] = vars(coincidence(turns, point[method], rng))
        return {"emergence": emerged, "window": windows, "turn_to_emergence": coincidences}

    def window(
        self,
        naive: np.ndarray,
        capability: np.ndarray,
        naive_draws: np.ndarray,
        capability_draws: np.ndarray,
    ) -> dict[str, Any]:
        found = window(naive, capability, self.arrays.last_step)
        draws = window_length(naive_draws, capability_draws)
        return {
            "per_seed": [
                {"opens": opens, "closes": closes, "is_hidden": bool(hidden)}
                for opens, closes, hidden in zip(found.opens, found.closes, found.is_hidden)
            ],
            "length": {
                "per_seed": found.length,
                "censored_at": found.censored_at,
                "median": found.median_length,
                "interval": self.interval_of_medians(draws),
            },
        }

    def decodability(self) -> dict[str, Any]:
        """Accuracy of the linear read-outs, over seeds."""
        if "decodability" not in self.arrays.trajectory:
            return {}
        data = self.arrays.trajectory["decodability"].transpose("seed", "step", "site", "concept")
        block = self.scalar(data.values)
        return {
            str(site): {
                concept: {key: values[:, i, j] for key, values in block.items()}
                for j, concept in enumerate(self.arrays.concepts)
            }
            for i, site in enumerate(data["site"].values)
        }

    def losses(self) -> dict[str, Any]:
        data = self.arrays.trajectory["loss"].transpose("seed", "step", "data_split")
        block = self.scalar(data.values)
        return {
            str(split): {key: values[:, i] for key, values in block.items()}
            for i, split in enumerate(data["data_split"].values)
        }

    def scalar(self, values: np.ndarray) -> dict[str, np.ndarray]:
        """Mean and interval of (seed, step, ...) over seeds, of which there is one number each."""
        bank = np.broadcast_to(values, (self.settings.num_resamples, *values.shape))
        draws = mean_over_seeds(self.over_seeds(bank))
        return {"mean": mean_measured(values, axis=0), "interval": self.interval(draws)}

    def gamma(self) -> dict[str, Any]:
        data = self.arrays.trajectory["gamma"].transpose("end", "seed", "step").values
        return {str(end): values for end, values in enumerate(data)}
