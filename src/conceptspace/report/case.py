"""What a claim is made of: its record, the case that it is judged on, and its controls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, Unpack

import numpy as np

from conceptspace.concepts.settings import Settings
from conceptspace.dynamics.arrays import NAIVE, TrajectoryArrays
from conceptspace.dynamics.settings import FindingsSettings

Verdict = Literal["holds", "does not hold", "inconclusive"]


class Claim(Settings):
    """One claim and what became of it."""

    id: str
    """C1 to C10, or a name; followed by the class where there are several held-out classes."""
    statement: str
    """What is claimed, in words."""
    value: float | None
    """The number that was measured; None if there was nothing to measure."""
    interval: tuple[float, float] | None
    """Its interval."""
    criterion: str
    """When the claim holds."""
    verdict: Verdict
    controls: dict[str, Any]
    """Every control's and every part's number, and whether it passed."""
    scale: str
    """The recipe that was run, such as quick."""
    seeds: int
    """How many seeds were run."""


class Judged(TypedDict):
    """What was measured for a claim and what follows; as in `Claim`, but not rounded yet."""

    value: float | None
    interval: tuple[float, float] | None
    verdict: Verdict
    controls: dict[str, Any]


@dataclass(frozen=True)
class Case:
    """What the claims about one held-out class are judged on.

    Attributes:
        findings: the findings of the whole trajectory.
        arrays: the trajectory's arrays.
        settings: the criteria's numbers.
        concept_class: the held-out class.
        scale: name of the recipe.
    """

    findings: Mapping[str, Any]
    arrays: TrajectoryArrays
    settings: FindingsSettings
    concept_class: str
    scale: str

    @property
    def of_class(self) -> Mapping[str, Any]:
        return self.findings["classes"][self.concept_class]

    @property
    def has_enough_seeds(self) -> bool:
        return self.arrays.num_seeds >= self.settings.minimum_seeds

    @property
    def elicitations(self) -> list[str]:
        """The elicitation methods that the class was generated with."""
        return [m for m in self.of_class["accuracy"] if self.kind(m) == "elicitation"]

    def kind(self, method: str) -> str:
        return str(self.arrays.methods[method]["kind"])

    def accuracy(self, method: str = NAIVE, *, concept_class: str = "") -> np.ndarray:
        """Joint accuracy (seed, checkpoint); NaN where not measured."""
        block = self.findings["classes"][concept_class or self.concept_class]["accuracy"][method]
        return np.array(block["per_seed"], dtype=float)

    def lower_bound(self, method: str) -> np.ndarray:
        """Lower end (seed, checkpoint) of each seed's own accuracy interval."""
        block = self.of_class["accuracy"][method]
        return np.array(block["per_seed_interval"], dtype=float)[..., 0]

    def generator(self, number: int) -> np.random.Generator:
        return np.random.default_rng([self.settings.random_seed, number])

    def claim(
        self, identity: str, statement: str, criterion: str, **judged: Unpack[Judged]
    ) -> Claim:
        """The claim's record, with the class in its id where there are several."""
        several = len(self.arrays.held_out) > 1
        name = f"{identity}/{self.concept_class}" if several else identity
        seeds = self.arrays.num_seeds
        return record(name, statement, criterion, scale=self.scale, seeds=seeds, **judged)


def record(
    identity: str,
    statement: str,
    criterion: str,
    *,
    scale: str,
    seeds: int,
    **judged: Unpack[Judged],
) -> Claim:
    """A claim with numbers of 4 digits; what is not finite counts as not measured."""
    value, interval = judged["value"], judged["interval"]
    known = value is not None and bool(np.isfinite(value))
    has_interval = known and interval is not None and bool(np.isfinite(interval).all())
    return Claim(
        id=identity,
        statement=statement,
        value=rounded(value) if known else None,
        interval=(rounded(interval[0]), rounded(interval[1]))
        if has_interval and interval
        else None,
        criterion=criterion,
        verdict=judged["verdict"],
        controls=judged["controls"],
        scale=scale,
        seeds=seeds,
    )


def control(
    value: float | None,
    passed: bool | None,
    *,
    required: bool,
    interval: tuple[float, float] | None = None,
    **details: Any,
) -> dict[str, Any]:
    """One control: its number, whether it passed (None: not measured), and whether it must."""
    known = value is not None and np.isfinite(value)
    entry: dict[str, Any] = {
        "value": rounded(value) if known else None,
        "passed": bool(passed) if known and passed is not None else None,
        "required": required,
    }
    if interval is not None:
        entry["interval"] = [rounded(end) if np.isfinite(end) else None for end in interval]
    return entry | details


def judge(controls: Mapping[str, Any]) -> Verdict:
    """`holds` if every required control passed; `inconclusive` if one was not measured."""
    required = [c["passed"] for c in controls.values() if isinstance(c, dict) and c.get("required")]
    if any(passed is False for passed in required):
        return "does not hold"
    if any(passed is None for passed in required):
        return "inconclusive"
    return "holds"


def rounded(value: Any) -> float:
    """A float of 4 digits: more would claim a precision that no measurement here has."""
    return float(f"{float(value):.4g}")


def both_ends(interval: Sequence[float | None] | None) -> tuple[float, float] | None:
    """An interval of findings of which both ends are known, or None."""
    low, high = (None, None) if interval is None else interval
    return None if low is None or high is None else (float(low), float(high))


def weaker_and_stronger(case: Case) -> tuple[str, str, str] | None:
    """The concept with the weaker and the one with the stronger signal, and how that is known.

    By the concept signal where it was measured, else by learning times on the training classes:
    what is learned later is weaker. Only concepts count in which the held-out class differs from a
    training class next to it. None if it cannot be told.
    """
    concepts = _concepts_at_stake(case)
    signal = case.findings.get("signal")
    # Labelled images without two classes that differ in one concept have no signal of it.
    if signal and all(signal[name]["finite"] is not None for name in concepts):
        strength = {name: (float(signal[name]["finite"]),) for name in concepts}
        source = "concept signal"
    else:
        strength = {name: _earliness(case, name) for name in concepts}
        source = "learning times on the training classes"
    weaker = min(concepts, key=lambda name: strength[name])
    stronger = max(concepts, key=lambda name: strength[name])
    if strength[weaker] == strength[stronger]:
        return None
    return weaker, stronger, source


def _concepts_at_stake(case: Case) -> list[str]:
    held_out = case.concept_class
    distances = {name: sum(a != b for a, b in zip(name, held_out)) for name in case.arrays.training}
    nearest = [name for name, d in distances.items() if d == min(distances.values())]
    return [
        concept
        for i, concept in enumerate(case.arrays.concepts)
        if any(name[i] != held_out[i] for name in nearest)
    ]


def _earliness(case: Case, concept: str) -> tuple[float, ...]:
    """How early a concept is learned in the training class that learns it last, then on average."""
    key = str(case.settings.thresholds[0])
    medians = [
        case.findings["classes"][name]["learning_time"][key][concept]["median"]
        for name in case.arrays.training
    ]
    times = [np.inf if median is None else float(median) for median in medians]
    return -max(times), -float(np.mean(times))
