"""Everything that is claimed about the published size, measured in one go of under ten minutes.

    python benchmarks/paper_scale.py --out DIR [--official CHECKOUT] [--parts table ...] [--tiny]

Made for one GPU; runs on a CPU too. After each part `DIR/paper_scale.json` holds what is measured
so far; a part that fails is said and does not stop the others. `--tiny` is for trying the script.

table        `conceptspace benchmark`: beside the published code, ensembles included
mechanisms   streams, stacked parameters and processes for several models on one device
members      seconds of a step and peak memory against number of models in one process
sizes        seconds and peak memory of a step against image size
measuring    one checkpoint of the colour sweep against the training before it, and peak memory
quality      validation bound and gamma(0) of five seeds, here and in float32
resume       whether a continued run ends with the same bits
projection   the colour sweep of 100 runs, from the rates above
"""

import argparse
import concurrent.futures
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

import mechanisms
import numpy as np
import torch

from conceptspace.benchmark.contenders import Sizes
from conceptspace.benchmark.timing import timed_in_turn
from conceptspace.build import build_model, build_probe, draw_training_sets
from conceptspace.models.execution import Execution
from conceptspace.pool import WORKER_ENVIRONMENT
from conceptspace.recipes import recipe
from conceptspace.recipes.quick import quick
from conceptspace.training.ensemble import Member, train_together
from conceptspace.training.loop import mean_bound
from conceptspace.training.state import TrainingState
from conceptspace.tune import num_cores, on_gpu
from conceptspace.worker import make_recorder, set_up

RUNS, SEEDS = 100, 5
SWEEP = "colour-sweep:0.247"


class Measured:
    """What was found so far, on disk after each part."""

    def __init__(self, out, tiny):
        self.path = out / "paper_scale.json"
        self.on_gpu, self.tiny = torch.cuda.is_available(), tiny
        # Half precision, compiled and so on also where --tiny is small enough to need none of it.
        plain = Execution(threads=1 if tiny else num_cores())
        self.execution = on_gpu(False, None) if self.on_gpu else plain
        self.sizes = mechanisms.QUICK if tiny else mechanisms.PAPER
        name = torch.cuda.get_device_name(0) if self.on_gpu else "CPU"
        self.found = {"machine": name, "torch": torch.__version__, "tiny": tiny}

    def experiment(self):
        """A setting of the colour sweep, smaller where only the script is tried."""
        experiment = recipe(SWEEP)
        if not self.tiny:
            return experiment
        small = quick()
        return experiment.replace(
            world=small.world,
            model=small.model,
            diffusion=experiment.diffusion.replace(sampling_steps=2),
            training=experiment.training.replace(images_per_class=64, batch_size=16),
            measurement=experiment.measurement.replace(
                num_samples=4, num_control_samples=2, num_loss_images=32, num_thumbnails=2
            ),
            probe=experiment.probe.replace(steps=10),
        )

    def keep(self, part, rows):
        self.found[part] = rows
        self.path.write_text(json.dumps(self.found, indent=1) + "\n")


def table(measured, official):
    """The rows of `conceptspace benchmark`."""
    path = measured.path.with_name("benchmark.json")
    command = [sys.executable, "-m", "conceptspace", "benchmark", "--json", path, "--rounds", "3"]
    # A process of its own: this one has the settings of a run, which are not the published code's.
    subprocess.run(command + (["--official", official] if official else []), check=True)
    return json.loads(path.read_text())


def members(measured, official):
    """A training step of each number of models in a process of its own."""
    counts = (1, 2, 4, 8, 16) if measured.on_gpu else (1, 2, 4)
    return [
        {"members": num, **in_a_process(measured.execution, measured.sizes, num)} for num in counts
    ]


def sizes(measured, official):
    """A training step at each image size."""
    rows = []
    for size in (8, 16) if measured.tiny else (16, 32, 64):
        here = Sizes(measured.sizes.network, image_size=size, batch=measured.sizes.batch)
        rows.append({"image_size": size, **in_a_process(measured.execution, here, 1)})
    return rows


def in_a_process(execution, sizes, num):
    """Seconds of one model's step and peak memory, where nothing else was allocated before."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(step_and_memory, execution, sizes, num).result(300)


def step_and_memory(execution, sizes, num):
    set_up(execution)
    call = mechanisms.streams(execution, sizes, num, execution.streams)
    repeats = 5 if execution.device == "cuda" else 1
    seconds = timed_in_turn({"it": call}, 2, execution.device, repeats)["it"].min() / num
    return {"seconds": float(seconds), "peak_memory_bytes": peak_memory()}


def peak_memory():
    """Of the GPU, or of this process where there is none."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s*(\d+)", status).group(1))


def several(measured, official):
    """Each mechanism with as many models as a sweep would put on one device."""
    members = 8 if measured.on_gpu and not measured.tiny else 2
    return mechanisms.compare(measured.execution, measured.sizes, members)


def measuring(measured, official):
    """Checkpoints of the colour sweep, each with the memory that is allocated after it."""
    experiment, rows = measured.experiment(), []
    step = mechanisms.streams(measured.execution, measured.sizes, 1, 1)
    seconds = timed_in_turn({"it": step}, 3, measured.execution.device, 5)["it"].min()
    between = experiment.training.steps / experiment.measurement.num_checkpoints * float(seconds)
    with tempfile.TemporaryDirectory() as folder:
        recorder, model = recorder_of(experiment, Path(folder), measured.execution)
        for step in sorted(recorder.steps)[: 4 if measured.on_gpu or measured.tiny else 1]:
            start = time.perf_counter()
            recorder(step, model)
            took = time.perf_counter() - start
            share = took / between
            row = {"seconds": took, "share_of_training": share, "peak_memory_bytes": peak_memory()}
            rows.append(row)
    return rows


def recorder_of(experiment, folder, execution):
    """The recorder of a run whose probe is hardly trained: that costs no less to ask."""
    import safetensors.torch

    from conceptspace.folder import PROBE
    from conceptspace.measure.files import SealedFolder

    probe = build_probe(experiment.replace(probe=experiment.probe.replace(steps=10)))
    SealedFolder(folder).write(PROBE, safetensors.torch.save(probe.to_tensors()))
    sets = draw_training_sets(experiment, 0)
    recorder = make_recorder(experiment, folder, 0, sets, lambda message: None)
    return recorder, build_model(experiment, 0, execution)


def quality(measured, official):
    """Five seeds in float32 and as a run computes them: bounds paired over seeds, and gamma(0)."""
    steps = 4 if measured.tiny else 400
    experiment = measured.experiment()
    experiment = experiment.replace(
        training=experiment.training.replace(steps=steps),
        measurement=experiment.measurement.replace(checkpoints=(steps,)),
    )
    plain = on_gpu(False, "float32") if measured.on_gpu else measured.execution
    plain = plain.model_copy(update={"compiled": False})
    bounds, gammas = {}, {}
    for name, way in (("float32", plain), ("as run", measured.execution)):
        ends = trained(experiment, way)
        bounds[name], gammas[name] = (np.array(values) for values in zip(*ends))
    difference = bounds["as run"] - bounds["float32"]
    allowed = 2 * bounds["float32"].std(ddof=1) / SEEDS**0.5
    return {
        "steps": steps,
        "bounds": {name: values.tolist() for name, values in bounds.items()},
        "mean_difference": float(difference.mean()),
        "allowed": float(allowed),
        "is_equal": bool(abs(difference.mean()) < allowed),
        "largest_difference_of_gamma": float(np.abs(gammas["as run"] - gammas["float32"]).max()),
    }


def trained(experiment, way):
    """Validation bound and gamma(0) of each seed, trained side by side."""
    members, sets = [], [draw_training_sets(experiment, seed) for seed in range(SEEDS)]
    for seed in range(SEEDS):
        state = TrainingState(build_model(experiment, seed, way), experiment.training)
        last = (experiment.training.steps,)
        members.append(Member(state, sets[seed]["train"], seed, lambda state, bound: None, last))
    train_together(members)
    ends = []
    for member, data in zip(members, sets):
        model = member.state.measured
        bound = float(mean_bound(model, data["validation"], member.seed).total)
        ends.append((bound, model.schedule.ends()[0]))
    return ends


def resume(measured, official):
    """Whether six steps, and three and three, give the same bits."""
    experiment = measured.experiment()
    data = draw_training_sets(experiment, 0)["train"]

    def fresh(steps):
        training = experiment.training.replace(steps=steps)
        return TrainingState(build_model(experiment, 0, measured.execution), training)

    def train(state):
        train_together([Member(state, data, 0, lambda state, bound: None, (state.step,))])
        return {name: value.detach().cpu() for name, value in state.to_tensors().items()}

    whole, half = train(fresh(6)), train(fresh(3))
    continued = fresh(6)
    continued.load_tensors({name: value.contiguous() for name, value in half.items()})
    again = train(continued)
    return {"same_bits": all(torch.equal(whole[name], again[name]) for name in whole)}


def projection(measured, official):
    """Minutes for the colour sweep: training at the best aggregate rate, then all measuring."""
    found, experiment = measured.found, measured.experiment()
    rows = [
        row for row in found["mechanisms"] if "seconds" in row and row["mechanism"] != "stacked"
    ]
    best = min(rows, key=lambda row: row["seconds"])
    training = RUNS * experiment.training.steps * best["seconds"]
    checkpoint = min(row["seconds"] for row in found["measuring"])
    checkpoints = RUNS * experiment.measurement.num_checkpoints * checkpoint
    return {
        "mechanism": best["mechanism"],
        "training_minutes": training / 60,
        "measuring_minutes": checkpoints / 60,
        "minutes": (training + checkpoints) / 60,
    }


PARTS = {
    "table": table,
    "mechanisms": several,
    "members": members,
    "sizes": sizes,
    "measuring": measuring,
    "quality": quality,
    "resume": resume,
    "projection": projection,
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("build/paper_scale"))
    parser.add_argument("--official", type=Path)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--tiny", action="store_true")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    os.environ |= WORKER_ENVIRONMENT
    measured = Measured(given.out, given.tiny)
    set_up(measured.execution)
    for name in given.parts:
        started = time.perf_counter()
        try:
            measured.keep(name, PARTS[name](measured, given.official))
            print(f"== {name}, {time.perf_counter() - started:.0f} s")
            print(json.dumps(measured.found[name], indent=1))
        except Exception:  # what the others find is worth having
            print(f"== {name} FAILED\n{traceback.format_exc()}")
            measured.keep(name, {"failed": traceback.format_exc().splitlines()[-1]})
    print(measured.path)


if __name__ == "__main__":
    main()
