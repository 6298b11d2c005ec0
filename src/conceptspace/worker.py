"""Seeds of a run: trains, keeps checkpoints and measures, from wherever it was stopped.

`python -m conceptspace.worker RUN SEED[,SEED...] PARENT` is what a run starts.
"""

import contextlib
import json
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conceptspace.experiment import Experiment
from conceptspace.folder import LOG, PROBE, RunError, read_execution, read_experiment, seed_folder
from conceptspace.measure.files import DamagedFile, SealedFolder, ends_with_newline, exclusive
from conceptspace.models.execution import Execution

if TYPE_CHECKING:
    from conceptspace.data.dataset import Dataset
    from conceptspace.measure.recorder import Recorder
    from conceptspace.training.ensemble import Member
    from conceptspace.training.state import TrainingState

LOG_SECONDS = 1.0
WAIT_FOR_LOCK_SECONDS = 30.0


class SeedLog:
    """Appends what happens to a seed to its `log.jsonl`; times live here and nowhere else."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = open(folder / LOG, "a", buffering=1)  # noqa: SIM115  # open for the seed's life
        if self.file.tell() and not ends_with_newline(folder / LOG):
            self.file.write("\n")  # a line torn by a kill must not run into the next
        self.last = 0.0

    def close(self) -> None:
        """Nothing more happens."""
        self.file.close()

    def write(self, event: str, **fields: Any) -> None:
        """Write one line."""
        self.last = time.monotonic()
        line = {"time": round(time.time(), 3), "event": event, **fields}
        self.file.write(json.dumps(line) + "\n")

    def step(self, step: int, bound: Callable[[], float]) -> None:
        """Write a line about training, at most one each second; only then is the bound asked for,
        which waits for a GPU."""
        if step > 0 and time.monotonic() - self.last >= LOG_SECONDS:
            self.write("train", step=step, bound=round(bound(), 5))


def run_seeds(experiment: Experiment, run: Path, seeds: Sequence[int]) -> None:
    """Train and measure seeds side by side, or what is left of them.

    Raises:
        FolderInUse: if another process works on one of the seeds.
    """
    from conceptspace.training.ensemble import train_together

    execution = read_execution(run) or Execution()
    with contextlib.ExitStack() as stack:
        logs, members = [], []
        for seed in seeds:
            folder = seed_folder(run, seed)
            stack.enter_context(exclusive(folder, WAIT_FOR_LOCK_SECONDS))
            log = stack.enter_context(contextlib.closing(SeedLog(folder)))
            members.append(prepare(experiment, run, seed, execution, log))
            logs.append(log)
        train_together(members, lambda message: logs[0].write("note", message=message))
        for member, log in zip(members, logs):
            log.write("done", step=member.state.step)


def prepare(
    experiment: Experiment, run: Path, seed: int, execution: Execution, log: SeedLog
) -> "Member":
    """A seed where it was stopped, everything up to there measured."""
    from conceptspace.build import build_model, draw_training_sets
    from conceptspace.training.checkpoint import CheckpointStore
    from conceptspace.training.ensemble import Member
    from conceptspace.training.state import TrainingState

    folder = seed_folder(run, seed)
    SealedFolder(folder).remove_leftovers()

    def on_damage(message: str) -> None:
        log.write("damage", message=message)

    sets = draw_training_sets(experiment, seed)
    recorder = make_recorder(experiment, run, seed, sets, on_damage)
    store = CheckpointStore(folder)
    state = TrainingState(build_model(experiment, seed, execution), experiment.training)
    store.resume(state, experiment.steps, on_damage)
    log.write("start", step=state.step, pid=os.getpid())
    if state.step > 0:
        measure_earlier(experiment, seed, execution, store, recorder, state.step, log)

    def after_step(state: "TrainingState", bound: Callable[[], float]) -> None:
        log.step(state.step, bound)
        if state.step in recorder.steps:
            store.save(state)
            if recorder(state.step, state.measured):
                log.write("measured", step=state.step)

    if state.step == 0:
        after_step(state, lambda: math.nan)
    return Member(state, sets["train"], seed, after_step, recorder.steps)


def make_recorder(
    experiment: Experiment,
    run: Path,
    seed: int,
    sets: "dict[str, Dataset]",
    on_damage: Callable[[str], None],
) -> "Recorder":
    """The recorder of a seed; with each checkpoint it notes the losses and the schedule's ends."""
    from conceptspace.build import build_adapter, build_instrument
    from conceptspace.measure.recorder import Recorder
    from conceptspace.training.loop import mean_bound

    num = experiment.measurement.num_loss_images
    scored = {name: data.part(slice(0, num)) for name, data in sets.items()}

    def describe(model: Any) -> dict[str, Any]:
        losses = {name: float(mean_bound(model, d, seed).total) for name, d in scored.items()}
        return {
            "losses": losses,
            "loss_unit": model.loss_unit,
            "gamma": model.schedule.ends(),
        }

    return Recorder(
        build_instrument(experiment, load_probe(run)),
        lambda model: build_adapter(experiment, model),
        seed_folder(run, seed),
        experiment.steps,
        seed=seed,
        describe=describe,
        on_damage=on_damage,
    )


def measure_earlier(experiment, seed, execution, store, recorder, up_to: int, log: SeedLog) -> None:
    """Measure checkpoints up to `up_to` whose measurement is missing or damaged."""
    from conceptspace.build import build_model
    from conceptspace.training.state import measured_weights

    for step in [s for s in experiment.steps if s <= up_to and not recorder.is_measured(s)]:
        model = build_model(experiment, seed, execution)
        model.load_state_dict(measured_weights(store.load(step)))
        recorder(step, model)
        log.write("measured", step=step)


def load_probe(run: Path):
    """The run's classifier probe.

    Raises:
        DamagedFile: if it is not what was written.
    """
    import safetensors.torch

    from conceptspace.probes.classifier import ConvolutionalProbe

    data = SealedFolder(run).read(PROBE)
    try:
        return ConvolutionalProbe.from_tensors(safetensors.torch.load(data))
    except Exception as error:
        raise DamagedFile(
            f"{run / PROBE} is not a probe ({error}): remove it, and the run makes it again"
        ) from error


def main(arguments: list[str]) -> int:
    """Entry point of a process that trains seeds."""
    # Ctrl-C reaches the whole group; the parent decides what happens to its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    run, parent = Path(arguments[0]), int(arguments[2])
    seeds = [int(seed) for seed in arguments[1].split(",")]
    end_with(parent)
    try:
        set_up(read_execution(run) or Execution())
        run_seeds(read_experiment(run), run, seeds)
    except Exception as error:
        # The parent prints the last line of this; the rest is for whoever looks deeper.
        import traceback

        traceback.print_exc()
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def set_up(execution: Execution) -> None:
    """Set what torch keeps for a whole process.

    Raises:
        RunError: if the run needs a GPU and there is none.
    """
    import torch

    torch.set_num_threads(execution.threads)
    if execution.device == "cpu":
        return
    if not torch.cuda.is_available():
        raise RunError(
            "this run was made on a GPU and goes on only on one, so that its bits stay the same: "
            "continue it where there is one, or make another run with --out and --device cpu"
        )
    # Where an operation has a kernel that gives the same bits each time, that one is taken.
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cuda.matmul.allow_tf32 = execution.precision == "tf32"
    torch.backends.cudnn.allow_tf32 = execution.precision == "tf32"


def end_with(parent: int) -> None:
    """Leave once the parent is gone, so that a killed run does not go on unseen.

    The parent's id is given, not asked for: by the time of asking it may be gone already.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
