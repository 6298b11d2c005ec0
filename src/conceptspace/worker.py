"""A process that does units of work: trains, keeps checkpoints, measures and reports.

`python -m conceptspace.worker PARENT` reads units from its standard input, one a line, does them
one after the other, and answers each with the line of its outcome.
"""

import contextlib
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
from conceptspace.folder import PROBE, RunError, read_execution, read_experiment, seed_folder
from conceptspace.log import SeedLog
from conceptspace.measure.files import DamagedFile, SealedFolder, exclusive
from conceptspace.models.execution import Execution
from conceptspace.progress import Silent
from conceptspace.units import OpenRun, Outcome, TrainSeeds, Unit, WriteReport, read_unit

if TYPE_CHECKING:
    from conceptspace.data.dataset import Dataset
    from conceptspace.measure.recorder import CheckpointRecorder
    from conceptspace.probes.reading import Probe
    from conceptspace.training.ensemble import Member
    from conceptspace.training.state import TrainingState

WAIT_FOR_LOCK_SECONDS = 30.0


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
    recorder = make_recorder(experiment, load_probe(run), folder, seed, sets, on_damage)
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
    probe: "Probe",
    folder: Path,
    seed: int,
    sets: "dict[str, Dataset]",
    on_damage: Callable[[str], None],
) -> "CheckpointRecorder":
    """The recorder of a seed; with each checkpoint it notes the losses and the schedule's ends.

    Args:
        experiment: what is measured, and when.
        probe: the run's.
        folder: where the measurements go; the seed's, unless its checkpoints are looked at again.
        seed: of the run.
        sets: its data, for the losses.
        on_damage: told the message when a measurement is damaged.
    """
    from conceptspace.build import build_adapter, build_instrument
    from conceptspace.measure.recorder import CheckpointRecorder
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

    return CheckpointRecorder(
        build_instrument(experiment, probe),
        lambda model: build_adapter(experiment, model),
        folder,
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
    """The run's probe.

    Raises:
        DamagedFile: if it is not what was written.
    """
    import safetensors.torch

    from conceptspace.probes.stored import probe_from_tensors

    data = SealedFolder(run).read(PROBE)
    try:
        return probe_from_tensors(safetensors.torch.load(data))
    except Exception as error:
        raise DamagedFile(
            f"{run / PROBE} is not a probe ({error}): remove it, and the run makes it again"
        ) from error


def perform(unit: Unit) -> Outcome:
    """Do a unit of work in this process. What goes wrong is in the outcome, and not raised."""
    try:
        match unit:
            case OpenRun():
                return _open(unit)
            case TrainSeeds():
                execution = read_execution(unit.run) or Execution()
                set_up(execution)
                run_seeds(read_experiment(unit.run), unit.run, unit.seeds)
                # Compiled and captured steps of one run must not meet those of the next.
                return Outcome(is_leaving=execution.device == "cuda")
            case WriteReport():
                from conceptspace.derived import derive

                set_up(Execution())
                made = derive(unit.run, seeds=unit.seeds, second_process=False)
                return Outcome(notes=tuple(made["notes"]))
    except Exception as error:
        import traceback

        # Whatever the failed unit has left behind goes with this process.
        why = f"{type(error).__name__}: {error}"
        return Outcome(problem=why, details=traceback.format_exc(), is_leaving=True)


class _Notes(Silent):
    """Keeps what is worth telling elsewhere."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def stage(self, message: str) -> None:
        self.messages.append(message)


def _open(unit: OpenRun) -> Outcome:
    from conceptspace.opening import open_with_probe, settle_execution

    notes = _Notes()
    if unit.chosen is not None and read_execution(unit.run) is None:
        execution = unit.chosen
    else:
        execution = settle_execution(
            unit.run, unit.experiment, unit.num_workers, unit.wanted, notes
        )
    open_with_probe(unit.run, unit.experiment, execution, notes, unit.probe_of)
    return Outcome(execution=execution, notes=tuple(notes.messages))


def main(arguments: list[str]) -> int:
    """Entry point of a process that does units of work."""
    # Ctrl-C reaches the whole group; the parent decides what happens to its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with(int(arguments[0]))
    # Whatever prints, prints to where errors go: only answers may stand between answers.
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        for line in sys.stdin:
            outcome = perform(read_unit(line))
            print(outcome.model_dump_json(), file=answers, flush=True)
            if outcome.is_leaving:
                break
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
