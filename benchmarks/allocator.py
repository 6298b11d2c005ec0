"""What the memory settings of worker processes are worth: a training step of `quick`, and a
sampler's step, in two processes at once, with and without them, in turn.

    python benchmarks/allocator.py [--turns 5]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

from conceptspace.pool import WORKER_ENVIRONMENT

NUM_PROCESSES, NUM_STEPS = 2, 60
BATCH = 64


def measure() -> dict[str, float]:
    """Milliseconds of a training step and of a sampler's step, and page faults of the first."""
    import resource

    import torch

    from conceptspace.build import build_model, draw_training_sets
    from conceptspace.recipes import quick
    from conceptspace.training.state import TrainingState
    from conceptspace.training.step import EagerStep

    torch.set_num_threads(1)
    experiment = quick()
    few = experiment.training.replace(images_per_class=256)
    sets = draw_training_sets(experiment.replace(training=few), 0)
    step = EagerStep(TrainingState(build_model(experiment, 0), few), sets["train"], 0)
    for _ in range(10):
        step()
    faults, start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, time.perf_counter()
    for _ in range(NUM_STEPS):
        step()
    trained = time.perf_counter() - start
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    network = step.state.model.eval().network
    images = torch.randn(BATCH, *experiment.world.image_shape)
    with torch.no_grad():
        sites = network.condition(sets["train"].vectors[:1].expand(BATCH, -1))
        start = time.perf_counter()
        for _ in range(NUM_STEPS):
            network.denoise(images, torch.full((1,), 0.5), sites)
    sampled = time.perf_counter() - start
    per = 1000 / NUM_STEPS
    return {"training": trained * per, "sampling": sampled * per, "faults": faults / NUM_STEPS}


def side_by_side(environment: dict[str, str]) -> list[dict[str, float]]:
    """What each of the processes measured."""
    command = [sys.executable, __file__, "--measure"]
    started = [
        subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.PIPE)
        for _ in range(NUM_PROCESSES)
    ]
    return [json.loads(process.communicate()[0]) for process in started]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--measure", action="store_true", help="one process's part")
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure()))
        return
    without = {k: v for k, v in WORKER_ENVIRONMENT.items() if not k.startswith("MALLOC_")}
    ways = {"as the system has it": without, "as workers have it": WORKER_ENVIRONMENT}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for _ in range(arguments.turns):
        for name, environment in ways.items():
            found[name] += side_by_side(environment)
    print(f"{'ms a step, 2 processes':24}{'training':>10}{'sampling':>10}{'page faults':>13}")
    for name, measured in found.items():
        middle = {key: statistics.median(m[key] for m in measured) for key in measured[0]}
        print(
            f"{name:24}{middle['training']:10.1f}{middle['sampling']:10.1f}{middle['faults']:13.0f}"
        )


if __name__ == "__main__":
    main()
