"""What a recorder costs a training loop beyond drawing and reading the samples.

    python benchmarks/recorder.py [--every 500]

Two parts: calls at steps that are not measured, which are most, and what a measurement takes apart
from the user's own `sample` and `probe` and from the inversion. The step is that of the quick
recipe's network on one thread, the loop measures every so many.
"""

import argparse
import tempfile
import time

import torch

import conceptspace as cs
from conceptspace.build import build_adapter, build_model, build_probe, draw_training_sets
from conceptspace.models.execution import Execution
from conceptspace.training.state import TrainingState
from conceptspace.training.step import EagerStep


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=500, help="steps between measurements")
    every = parser.parse_args().every
    torch.set_num_threads(1)
    experiment = cs.quick()
    state = TrainingState(build_model(experiment, 0, Execution()), experiment.training)
    step = EagerStep(state, draw_training_sets(experiment, 0)["train"], 0)
    per_step = min(timed(step) for _ in range(20))
    probe = build_probe(experiment.replace(probe=experiment.probe.replace(steps=10)))
    spent = Spent()
    with tempfile.TemporaryDirectory() as folder:
        recorder = cs.Recorder(
            experiment.space,
            f"{folder}/run",
            adapt=lambda model: spent.adapter(build_adapter(experiment, model)),
            probe=spent.probe(probe),
            every=every,
            world=experiment.world,
            elicitation=experiment.elicitation,
            measurement=experiment.measurement,
        )
        recorder(0, state.model)  # opens the folder
        spent.seconds = 0.0
        whole = timed(lambda: recorder(every, state.model))
        idle = timed(lambda: [recorder(every + 1, state.model) for _ in range(10_000)]) / 10_000
    own = whole - spent.seconds
    print(f"training step                     {1e3 * per_step:8.2f} ms")
    print(f"a measurement                     {1e3 * whole:8.0f} ms")
    print(f"  drawing and reading samples     {1e3 * spent.seconds:8.0f} ms")
    print(f"  the recorder's own              {1e3 * own:8.0f} ms")
    print(f"a call that measures nothing      {1e6 * idle:8.2f} us")
    share = (own / every + idle) / per_step
    print(f"own cost a step, every {every} steps  {100 * share:8.2f} % of a step")


class Spent:
    """Seconds spent in what the user hands over."""

    def __init__(self):
        self.seconds = 0.0

    def timing(self, call):
        def timed_call(*given, **named):
            start = time.perf_counter()
            try:
                return call(*given, **named)
            finally:
                self.seconds += time.perf_counter() - start

        return timed_call

    def adapter(self, adapter):
        adapter.sample = self.timing(adapter.sample)
        return adapter

    def probe(self, probe):
        return self.timing(probe.read)


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
