"""From an experiment to a run directory: probe, seeds in parallel, findings, figures, report."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from conceptspace.experiment import Experiment
from conceptspace.folder import (
    LOG,
    PROBE,
    PROBE_TABLES,
    Interrupted,
    RunError,
    WrongFolder,
    check_folder,
    open_run,
    read_execution,
    seed_folder,
    seeds_there,
)
from conceptspace.measure.files import DamagedFile, SealedFolder, exclusive
from conceptspace.measure.store import MeasurementStore
from conceptspace.models.execution import Device, Execution, Precision
from conceptspace.tune import choose_execution, num_cores, using_threads

POLL_SECONDS = 0.25
WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # or its sums differ from call to call on streams
}


class Progress(Protocol):
    """Is told how a run goes. The command line shows it; by default nobody looks."""

    def stage(self, message: str) -> None:
        """A new stage begins."""
        ...

    def advance(self, task: str, done: int, total: int) -> None:
        """A task has got this far."""
        ...


class Silent:
    """Shows nothing."""

    def stage(self, message: str) -> None:
        """Nothing."""

    def advance(self, task: str, done: int, total: int) -> None:
        """Nothing."""


def run(
    experiment: Experiment,
    out: Path | str | None = None,
    *,
    seeds: int | Sequence[int] = 2,
    workers: int | None = None,
    device: Device | None = None,
    precision: Precision | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Run an experiment, or what is left of it, and write its report.

    A run that was stopped, however it was, continues with the same call and ends with the same
    bits. Seeds can be added to a run that is there.

    Args:
        experiment: what to run.
        out: the run directory; `runs/NAME` by default.
        seeds: how many (0, 1, ...), or which.
        workers: processes at once, one seed each; as many as there are cores by default.
        device: `cpu` or `cuda`; by default a GPU where there is one.
        precision: of convolutions: float32, bfloat16, or on a GPU tf32; by default float32 for
            small models, and for larger ones what a short measurement chooses (bfloat16 on a GPU).
            A run keeps what it was made with.
        threads: of each process; by default one for small models, else an equal share of the cores.
        progress: is told how it goes.

    Returns:
        The run directory.

    Raises:
        ValueError: if `seeds` are not at least one, distinct, and from 0 on.
        RunError: if the directory holds another experiment, or a seed fails.
        Interrupted: on Ctrl-C or SIGTERM.
        FolderInUse: if another process works on the run.
    """
    from conceptspace.derived import derive

    chosen = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    if not chosen or len(set(chosen)) != len(chosen) or min(chosen) < 0:
        raise ValueError(f"seeds must be at least 1, or distinct numbers from 0 on, not {seeds!r}")
    folder = Path(out) if out is not None else Path("runs") / experiment.name
    check_folder(folder, experiment)  # before the lock makes it
    shown = progress or Silent()
    try:
        with _terminate_as_interrupt(), exclusive(folder, wait_seconds=1.0):
            num_workers = workers or min(len(chosen), num_cores())
            execution = _settle_execution(
                folder, experiment, num_workers, (device, precision, threads), shown
            )
            open_run(folder, experiment, shown.stage, execution)
            _ensure_probe(folder, experiment, shown)
            groups = in_groups(chosen, execution, workers or 1)
            _run_seeds(folder, experiment, groups, num_workers, shown)
            shown.stage("Findings, figures and report")
            derive(folder, seeds=sorted({*chosen, *complete_seeds(folder, experiment)}))
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped; nothing is lost: the same command continues the run in {folder}"
        ) from None
    return folder


def _settle_execution(
    folder: Path,
    experiment: Experiment,
    num_workers: int,
    wanted: tuple[Device | None, Precision | None, int | None],
    progress: Progress,
) -> Execution:
    """What the run was made with, or for a new one the choice.

    Raises:
        WrongFolder: if it was made with another device, precision or number of threads than is
            asked for.
    """
    device, precision, threads = wanted
    recorded = read_execution(folder)
    if recorded is None:
        chosen, trials = choose_execution(
            experiment, num_workers, device=device, precision=precision, threads=threads
        )
        if trials:
            progress.stage(f"Computing in {chosen.in_words()}, by a short measurement")
        return chosen
    for field, given in (("device", device), ("precision", precision), ("threads", threads)):
        there = getattr(recorded, field)
        if given is not None and given != there:
            raise WrongFolder(
                f"{folder} was made with {field}={there}, and goes on with it so that its bits "
                f"stay the same, not with {field}={given}: leave --{field} out, or choose another "
                "folder with --out"
            )
    return recorded


def complete_seeds(folder: Path, experiment: Experiment) -> list[int]:
    """Seeds of earlier calls that are fully measured; they stay in the findings."""
    wanted = set(experiment.steps)
    return [
        seed
        for seed in seeds_there(folder)
        if wanted <= set(MeasurementStore(seed_folder(folder, seed)).steps())
    ]


def in_groups(
    seeds: Sequence[int], execution: Execution, num_workers: int
) -> list[tuple[int, ...]]:
    """The seeds of each process: as even as can be, and no more than the execution puts in one."""
    if execution.seeds_per_process == 1:
        return [(seed,) for seed in seeds]
    num = max(-(-len(seeds) // execution.seeds_per_process), min(num_workers, len(seeds)))
    return [tuple(seeds[i::num]) for i in range(num)]


def _ensure_probe(folder: Path, experiment: Experiment, progress: Progress) -> None:
    """Train the classifier probe, unless an intact one is there."""
    sealed = SealedFolder(folder)
    try:
        sealed.read(PROBE)
        sealed.read(PROBE_TABLES)
        return
    except FileNotFoundError:
        pass
    except DamagedFile as error:
        progress.stage(f"{error}; training the probe again")
    import safetensors.torch

    from conceptspace.build import build_probe, judge_probe

    progress.stage("Training the probe that reads concepts off images")
    with using_threads(1):  # the same bits whatever the machine's number of cores
        probe = build_probe(experiment, lambda done, of: progress.advance("probe", done, of))
        quality = judge_probe(experiment, probe)
    sealed.write(PROBE_TABLES, (json.dumps(quality) + "\n").encode())
    sealed.write(PROBE, safetensors.torch.save(probe.to_tensors()))


@dataclass
class _Worker:
    seeds: tuple[int, ...]
    process: subprocess.Popen
    last_words: deque[bytes]
    listener: threading.Thread
    errors: Path


def _run_seeds(
    folder: Path,
    experiment: Experiment,
    groups: Sequence[tuple[int, ...]],
    num_workers: int,
    progress: Progress,
) -> None:
    """Run every group of seeds in a process of its own, some at once.

    Raises:
        RunError: if one fails; the others are finished first.
    """
    waiting, running, failed = list(groups), [], []
    seeds = [seed for group in groups for seed in group]
    followers = {seed: _LogFollower(folder, seed) for seed in seeds}
    at_once = sum(len(group) for group in groups[:num_workers])
    progress.stage(f"Training and measuring {len(seeds)} seeds, {at_once} at once")
    try:
        while waiting or running:
            while waiting and len(running) < num_workers:
                running.append(_start(folder, waiting.pop(0)))
            time.sleep(POLL_SECONDS)
            for worker in [w for w in running if w.process.poll() is not None]:
                running.remove(worker)
                _close(worker)
                if worker.process.returncode != 0:
                    failed.append(_failure(worker))
            for seed, follower in followers.items():
                for message in follower.read():
                    progress.stage(message)
                progress.advance(f"seed {seed}", follower.step, experiment.training.steps)
    finally:
        for worker in running:
            worker.process.terminate()
        for worker in running:
            worker.process.wait()
            _close(worker)
    if failed:
        raise RunError("\n".join(failed))


def _start(folder: Path, seeds: tuple[int, ...]) -> _Worker:
    named = ",".join(map(str, seeds))
    process = subprocess.Popen(
        [sys.executable, "-m", "conceptspace.worker", str(folder), named, str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | WORKER_ENVIRONMENT,
    )
    # Kept in memory: on a full disk the reason could not be written down.
    last_words: deque[bytes] = deque(maxlen=200)
    listener = threading.Thread(target=last_words.extend, args=(process.stdout,), daemon=True)
    listener.start()
    errors = seed_folder(folder, seeds[0]) / "errors.txt"
    return _Worker(seeds, process, last_words, listener, errors)


def _close(worker: _Worker) -> None:
    """Hear a worker that has ended to its last word."""
    worker.listener.join(timeout=5.0)
    if worker.process.stdout is not None:
        worker.process.stdout.close()


def _failure(worker: _Worker) -> str:
    """Why a worker failed, in words."""
    code = worker.process.returncode
    text = b"".join(worker.last_words).decode(errors="replace").strip()
    if text:
        with contextlib.suppress(OSError):
            worker.errors.write_text(text + "\n")
        why = text.splitlines()[-1]
    elif code == -signal.SIGKILL:
        why = "its process was killed; where memory is short, try fewer --workers"
    else:
        why = f"its process ended with status {code}"
    more = f"; more is in {worker.errors}" if text and worker.errors.exists() else ""
    named = " and ".join(f"seed {seed}" for seed in worker.seeds)
    return f"{named} failed: {why}. The same command continues from its last checkpoint{more}"


class _LogFollower:
    """Reads what is new in a seed's log."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.path = seed_folder(folder, seed) / LOG
        self.seed = seed
        self.step = 0
        self.position = self.path.stat().st_size if self.path.exists() else 0

    def read(self) -> list[str]:
        """Messages worth showing; `step` moves on."""
        if not self.path.exists():
            return []
        with open(self.path, "rb") as file:
            file.seek(self.position)
            text = file.read()
        complete = text[: text.rfind(b"\n") + 1]
        self.position += len(complete)
        messages = []
        for line in complete.splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue  # torn by a kill
            if not isinstance(event, dict):
                continue
            step = event.get("step")
            self.step = step if isinstance(step, int) else self.step
            if event.get("event") in ("damage", "note"):
                messages.append(f"seed {self.seed}: {event.get('message')}")
        return messages


@contextlib.contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """SIGTERM stops a run as Ctrl-C does. Signals can only be caught in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
