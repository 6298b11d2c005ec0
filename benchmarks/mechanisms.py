"""Ways to train several models on one device, each computing the same steps.

    python benchmarks/mechanisms.py [--members 4] [--quick]

`streams`: one process, each model's step on one of a few CUDA streams, as a run does it. `stacked`:
one process, parameters stacked and the step mapped over them with `torch.func.vmap`. `processes`:
one process a model, which share the device. The published size on a GPU, that of the quick recipe
with --quick or on a CPU. Prints seconds of a model's step and its rate over that of one alone.
"""

import argparse
import copy
import json
import multiprocessing
import sys
import time

import torch
from torch import nn

from conceptspace.benchmark.contenders import Sizes, our_step
from conceptspace.benchmark.timing import timed_in_turn
from conceptspace.models.denoiser import Draws
from conceptspace.models.execution import Execution
from conceptspace.recipes.quick import quick
from conceptspace.training.captured import Lane
from conceptspace.tune import on_gpu

PAPER = Sizes()
QUICK = Sizes(network=quick().model, image_size=16, batch=32)


def streams(execution, sizes, members, num_streams):
    """A call that takes one step with every model."""
    lanes = [Lane.open() for _ in range(num_streams)] if execution.captured else [None]
    steps = [our_step(execution, sizes, i, lanes[i % len(lanes)]) for i in range(members)]

    def call():
        for step in steps:
            step()

    return call


class MeanBound(nn.Module):
    """The loss as a module's forward, as `functional_call` needs it."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images, vectors, draws):
        return self.model.bound_given(images, vectors, draws).total.mean()


def stacked(execution, sizes, members):
    """A call that takes one step with every model, all in one pass."""
    plain = execution.model_copy(update={"captured": False, "compiled": False})
    states = [our_step(plain, sizes, i).state for i in range(members)]
    for state in states:
        state.model.train()
    losses = [MeanBound(state.model) for state in states]
    stack, _ = torch.func.stack_module_state(losses)
    template = copy.deepcopy(losses[0])
    parameters = {name: nn.Parameter(value.detach()) for name, value in stack.items()}
    optimiser = torch.optim.AdamW(parameters.values(), lr=1e-3, weight_decay=0.01, fused=True)
    images = torch.rand(members, sizes.batch, *sizes.shape, device=execution.device)
    vectors = torch.rand(members, sizes.batch, states[0].model.network.width).to(execution.device)
    generator = torch.Generator(execution.device).manual_seed(0)

    def loss(values, images, vectors, draws):
        return torch.func.functional_call(template, values, (images, vectors, draws))

    def call():
        draws = [state.model.draw((sizes.batch, *sizes.shape), generator) for state in states]
        parts = list(zip(*draws))
        joined = Draws(*(None if part[0] is None else torch.stack(part) for part in parts))
        dims = Draws(*(None if part[0] is None else 0 for part in parts))
        gradient = torch.func.vmap(torch.func.grad(loss), in_dims=(0, 0, 0, dims))
        found = gradient(parameters, images, vectors, joined)
        squares = sum(value.reshape(members, -1).square().sum(1) for value in found.values())
        scale = (0.01 / (squares.sqrt() + 1e-6)).clamp(max=1.0)
        for name, parameter in parameters.items():
            parameter.grad = found[name] * scale.view(-1, *(1,) * (parameter.ndim - 1))
        optimiser.step()

    return call


def processes(execution, sizes, members, seconds):
    """Seconds of one model's step where each model has a process."""
    context = multiprocessing.get_context("spawn")
    barrier, counts = context.Barrier(members), context.Queue()
    arguments = (execution, sizes, seconds, barrier, counts)
    started = [context.Process(target=_count, args=arguments) for _ in range(members)]
    for process in started:
        process.start()
    total = 0.0
    for _ in started:
        total += counts.get(timeout=300)
    for process in started:
        process.join()
    return 1 / total


def _count(execution, sizes, seconds, barrier, counts):
    torch.set_num_threads(execution.threads)
    step = our_step(execution, sizes)
    step()
    step.bound()
    barrier.wait(300)
    start, num = time.perf_counter(), 0
    while time.perf_counter() - start < seconds or num == 0:
        for _ in range(10 if execution.device == "cuda" else 1):
            step()
            num += 1
        step.bound()
    counts.put(num / (time.perf_counter() - start))


def compare(execution, sizes, members, seconds=5.0, rounds=3, repeats=5):
    """Rows of mechanism, members and seconds of one model's step."""
    device = execution.device
    jobs = {
        ("alone", 1): lambda: streams(execution, sizes, 1, 1),
        **{
            (f"{num} streams" if num > 1 else "one after the other", members): (
                lambda num=num: streams(execution, sizes, members, num)
            )
            for num in ((1, 2, 4, 8) if device == "cuda" else (1,))
        },
        ("stacked", members): lambda: stacked(execution, sizes, members),
    }
    rows = []
    for (name, num), make in jobs.items():
        try:
            call = make()
            took = float(timed_in_turn({"it": call}, rounds, device, repeats)["it"].min()) / num
            rows.append({"mechanism": name, "members": num, "seconds": took})
        except (RuntimeError, NotImplementedError) as error:  # a table with a hole beats none
            rows.append({"mechanism": name, "members": num, "error": str(error).splitlines()[0]})
        call = None
        if device == "cuda":
            torch.cuda.empty_cache()
    took = processes(execution, sizes, members, seconds)
    return [*rows, {"mechanism": "processes", "members": members, "seconds": took}]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    on_cuda = torch.cuda.is_available()
    small = given.quick or not on_cuda
    torch.set_num_threads(1)
    execution = on_gpu(small, None) if on_cuda else Execution()
    rows = compare(execution, QUICK if small else PAPER, given.members)
    alone = rows[0]["seconds"]
    for row in rows:
        rate = f"{row['seconds']:.4g} s, {alone / row['seconds']:.2f}x" if "seconds" in row else ""
        print(f"{row['mechanism']:<22}{row['members']:>3}  {rate or row['error']}")
    print(json.dumps(rows), file=sys.stderr)


if __name__ == "__main__":
    main()
