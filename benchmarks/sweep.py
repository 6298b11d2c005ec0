"""What a sweep costs on top of its work, and what processes that are used again save.

    python benchmarks/sweep.py [--runs 1000] [--real 4]

The first rows sweep as many runs as are asked for, one seed each, whose units do nothing: opening,
training and reporting are answered at once. What is left is planning, `sweep.json`, the log, a
folder and a lock for each run, and deciding what comes next. "in the driver" answers in the driver
itself; "two processes" hands every unit to a process through its pipe and hears its answer.
Memory is the driver's resident set once a tenth of the runs are done, and at the end.
The status row is the time of `status` on a sweep of as many runs with five seeds, a tenth of them
done, two seeds being trained, with the files and logs of 60 checkpoints.

With `--real N`, N seeds of a tiny run are then trained by one process that is used again and by a
fresh process each: the difference is what starting a process and loading torch takes.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

STUB = "--stub-worker"


def answer_everything():
    """A worker that does nothing, and imports nothing for it."""
    told = {"device": "cpu"}
    for line in sys.stdin:
        is_open = '"kind":"open"' in line
        print(json.dumps({"execution": told} if is_open else {}), flush=True)


def experiments(num):
    from conceptspace.recipes.quick import quick

    plain = quick()
    return [
        plain.replace(
            name=f"run-{i}",
            training=plain.training.replace(learning_rate=1e-3 * (1 + i / num)),
        )
        for i in range(num)
    ]


class InTheDriver:
    """An executor whose units end at once."""

    def __init__(self):
        self.ended = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def has_room(self, unit):
        return not self.ended

    def submit(self, unit):
        from conceptspace.models.execution import Execution
        from conceptspace.units import OpenRun, Outcome

        is_open = isinstance(unit, OpenRun)
        self.ended.append((unit, Outcome(execution=Execution() if is_open else None)))

    def finished(self, timeout):
        ended, self.ended = self.ended, []
        return ended


class Memory:
    """Watches the driver's memory as the runs end."""

    def __init__(self, num_runs):
        self.at = {num_runs // 10: None, num_runs: None}
        self.num = 0

    def stage(self, message):
        self.num += " of " in message
        if self.num in self.at:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            self.at[self.num] = pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def advance(self, task, done, total):
        pass


def time_sweep(name, executor, listed, folder):
    from conceptspace.sweeps.sweep import sweep

    memory = Memory(len(listed))
    started = time.perf_counter()
    sweep(listed, folder, seeds=1, executor=executor, progress=memory)
    seconds = time.perf_counter() - started
    early, late = memory.at.values()
    each = 1000 * seconds / len(listed)
    print(f"| {name} | {len(listed)} | {each:.2f} ms a run | {early:.0f} MB | {late:.0f} MB |")


def make_up_sweep(listed, folder, num_seeds=5, num_checkpoints=60):
    """A sweep that nobody computed; a tenth is done, and the others have begun."""
    from conceptspace.folder import seed_folder
    from conceptspace.log import EventLog
    from conceptspace.sweeps.directory import run_folder, write_plan
    from conceptspace.sweeps.plan import plan_sweep

    plan = plan_sweep(listed, num_seeds)
    write_plan(folder, plan)
    log = EventLog(folder)
    for i, run in enumerate(plan.runs):
        if i < len(plan.runs) // 10:
            log.write("done", run=run.folder, seeds=run.seeds)
            continue
        for seed in run.seeds:
            there = seed_folder(run_folder(folder, run), seed)
            (there / "measurements").mkdir(parents=True)
            (there / ".lock").touch()
            for step in range(num_checkpoints):
                (there / f"measurements/step={step:07d}.nc").touch()
            seed_log = EventLog(there)
            for step in range(100):
                seed_log.write("train", step=step, bound=1.0)
            seed_log.close()
    log.close()


def time_status(listed, folder):
    from conceptspace.sweeps.status import status

    make_up_sweep(listed, folder)
    started = time.perf_counter()
    found = status(folder)
    seconds = time.perf_counter() - started
    assert len(found.runs) == len(listed)
    print(f"| status | {len(listed)} | {seconds:.2f} s in all | | |")


def time_real(num, folder):
    """Seeds of a tiny run, in one process and in one each."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from conceptspace.pool import ProcessPool
    from conceptspace.units import OpenRun, TrainSeeds
    from runs.tiny import tiny_experiment

    print(f"\n| {num} seeds of a tiny run, one after the other | seconds a seed |\n| --- | --- |")
    for name, is_reused in (("a process each", False), ("one process", True)):
        run = folder / name.replace(" ", "-")
        do([OpenRun(run=run, experiment=tiny_experiment())], ProcessPool(1))
        units = [TrainSeeds(run=run, seeds=(seed,)) for seed in range(num)]
        started = time.perf_counter()
        for part in [units] if is_reused else [[unit] for unit in units]:
            do(part, ProcessPool(1))
        print(f"| {name} | {(time.perf_counter() - started) / num:.2f} |")


def do(units, executor):
    with executor:
        for unit in units:
            executor.submit(unit)
            ended = []
            while not ended:
                ended = executor.finished(1.0)
            assert ended[0][1].problem is None, ended[0][1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--real", type=int, default=0, help="seeds of a tiny run to train")
    arguments = parser.parse_args()
    from conceptspace.pool import ProcessPool

    listed = experiments(arguments.runs)
    stub = (sys.executable, __file__, STUB)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        print("| units that do nothing | runs | time | memory early | at the end |")
        print("| --- | --- | --- | --- | --- |")
        time_sweep("in the driver", InTheDriver(), listed, folder / "driver")
        time_sweep("two processes", ProcessPool(2, command=stub), listed, folder / "pool")
        time_status(listed, folder / "status")
        if arguments.real:
            time_real(arguments.real, folder)


if __name__ == "__main__":
    if STUB in sys.argv:
        answer_everything()
    else:
        main()
