"""The benchmark: one row a job, ours beside a plain loop of ours and beside the published code."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from conceptspace.benchmark.contenders import (
    Contender,
    Sizes,
    computing_as,
    official,
    our_step,
    ours,
)
from conceptspace.benchmark.timing import matrix_rate, operations, timed_in_turn
from conceptspace.models.execution import Execution
from conceptspace.training.captured import Lane

RUN_STEPS, RUN_CHECKPOINTS, RUN_IMAGES, SAMPLING_STEPS = 20_000, 60, 256, 50
"""A run of the colour sweep: steps, checkpoints, images at each, and steps to sample an image."""


@dataclass(frozen=True)
class Row:
    """One job. Seconds are medians over the rounds, the ratio the median of the rounds' own.

    Attributes:
        row: which job.
        way: how ours is computed, in words.
        ours_s: seconds of ours.
        eager_s: of a plain float32 loop of ours.
        official_s: of the published code; None without it.
        ratio: published over ours; None without it.
        utilisation: operations a second over the matrix rate of the same precision, measured on
            the same machine in the same call; None for what is projected.
        peak_memory_bytes: of the GPU; None on a CPU, where the contenders share a process.
    """

    row: str
    way: str
    ours_s: float
    eager_s: float | None
    official_s: float | None
    ratio: float | None
    utilisation: float | None
    peak_memory_bytes: int | None

    def to_json(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)


class Benchmark:
    """Times all contenders.

    Args:
        ways: how ours is computed, by name; `plain` is needed, `fp32` and `best` are reported.
        sizes: what is computed.
        checkout: of the published code, or None.
        rounds: turns of each contender.
        tell: is told what is being timed.
    """

    def __init__(
        self,
        ways: dict[str, Execution],
        sizes: Sizes,
        checkout: Path | None,
        rounds: int,
        tell: Callable[[str], None] = lambda message: None,
    ) -> None:
        self.ways, self.sizes, self.rounds, self.tell = ways, sizes, rounds, tell
        self.device = ways["plain"].device
        self.contenders: dict[str, Contender] = {}
        for name, way in ways.items():
            same = next((n for n, other in ways.items() if other == way), name)
            self.contenders[name] = self.contenders.get(same) or ours(way, sizes)
        if checkout is not None:
            self.contenders["official"] = official(checkout, sizes, self.device)
        self.rates: dict[str, float] = {}
        for way in ways.values():
            if way.precision not in self.rates:
                kind = torch.bfloat16 if way.precision == "bfloat16" else torch.float32
                with computing_as(way):
                    self.rates[way.precision] = matrix_rate(kind, self.device)

    @cached_property
    def step_operations(self) -> int:
        """Floating-point operations of a training step."""
        return operations(our_step(self.ways["plain"], self.sizes))

    @property
    def repeats(self) -> int:
        """Training steps in a turn: a GPU's are too short to time one by one."""
        return 10 if self.device == "cuda" else 1

    def rows(self) -> list[Row]:
        """Time everything."""
        steps = self._times("training steps", lambda c: c.step, self.repeats)
        count = self.step_operations
        made = [
            self._row("train_step", steps, "best", count),
            self._row("train_step_fp32", steps, "fp32", count),
        ]
        batch, many = self.sizes.batch, self.sizes.num_elicited
        sampling = self._times("sampling", lambda c: lambda: c.sample(batch))
        count = operations(lambda: self.contenders["plain"].sample(batch))
        made.append(self._row("sampling", sampling, "best", count))
        elicited = self._times("elicitation", lambda c: lambda: c.sample(many))
        made.append(self._row("elicitation", elicited, "best", count * many // batch))
        made.append(self._projected(steps, sampling))
        return made

    def ensemble(self, counts: tuple[int, ...], official_step: float | None) -> list[Row]:
        """Seconds of one member's step where so many train side by side in one process."""
        return [
            self._side_by_side(
                num, "ensemble" if num == max(counts) else f"ensemble_{num}", official_step
            )
            for num in counts
        ]

    def _side_by_side(self, num: int, name: str, official_step: float | None) -> Row:
        self.tell(f"{num} models side by side")
        way = self.ways["best"]
        if self.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        lanes = [Lane.open() for _ in range(way.streams)] if way.captured else [None]
        with computing_as(way):
            members = [our_step(way, self.sizes, i, lanes[i % len(lanes)]) for i in range(num)]

        def step_all() -> None:
            with computing_as(way):
                for member in members:
                    member()

        seconds = float(np.median(self._times_of({"all": step_all}, self.repeats)["all"])) / num
        return Row(
            row=name,
            way=f"{way.in_words()}, {num} models",
            ours_s=seconds,
            eager_s=None,
            official_s=official_step,
            ratio=None if official_step is None else official_step / seconds,
            utilisation=self.step_operations / seconds / self.rates[way.precision],
            peak_memory_bytes=_peak(self.device),
        )

    def _times(self, what: str, job, repeats: int = 1) -> dict[str, np.ndarray]:
        """Seconds of each contender; one that goes by two names is timed once."""
        self.tell(what)
        names = {id(contender): name for name, contender in reversed(self.contenders.items())}
        calls = {name: job(self.contenders[name]) for name in reversed(names.values())}
        seconds = self._times_of(calls, repeats)
        return {name: seconds[names[id(one)]] for name, one in self.contenders.items()}

    def _times_of(self, calls, repeats: int = 1) -> dict[str, np.ndarray]:
        return timed_in_turn(calls, self.rounds, self.device, repeats)

    def _row(self, name: str, seconds: dict[str, np.ndarray], way: str, count: int) -> Row:
        fast, theirs = seconds[way], seconds.get("official")
        median = float(np.median(fast))
        return Row(
            name,
            self.ways[way].in_words(),
            median,
            float(np.median(seconds["plain"])),
            None if theirs is None else float(np.median(theirs)),
            None if theirs is None else float(np.median(theirs / fast)),
            count / median / self.rates[self.ways[way].precision],
            _peak(self.device),
        )

    def _projected(self, steps: dict[str, np.ndarray], sampling: dict[str, np.ndarray]) -> Row:
        """A whole run of the colour sweep, from the rates."""
        batches = RUN_CHECKPOINTS * RUN_IMAGES / self.sizes.batch
        scale = batches * SAMPLING_STEPS / self.sizes.sampling_steps
        runs = {name: RUN_STEPS * steps[name] + scale * sampling[name] for name in steps}
        row = self._row("run", runs, "best", 0)
        return Row(**{**row.to_json(), "utilisation": None})


def _peak(device: str) -> int | None:
    return torch.cuda.max_memory_allocated() if device == "cuda" else None


def ways_here(threads: int) -> dict[str, Execution]:
    """How ours is computed on this machine: plain, the best in float32, and the best of all."""
    from conceptspace.tune import best_of, measure_trials, on_gpu, paper_sized

    if torch.cuda.is_available():
        plain = Execution(device="cuda")
        return {"plain": plain, "fp32": on_gpu(False, "float32"), "best": on_gpu(False, None)}
    trials = measure_trials(paper_sized(), threads)
    in_fp32 = [trial for trial in trials if trial.execution.precision == "float32"]
    return {
        "plain": Execution(threads=threads), "fp32": best_of(in_fp32), "best": best_of(trials),
    }  # fmt: skip
