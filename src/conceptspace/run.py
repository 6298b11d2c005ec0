"""From an experiment to a run directory: probe, seeds in parallel, findings, figures, report."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from conceptspace.experiment import Experiment
from conceptspace.measure.files import DamagedFile, SealedFolder, exclusive
from conceptspace.worker import EXPERIMENT, LOG, PROBE, WAIT_FOR_LOCK_SECONDS, seed_folder

POLL_SECONDS = 0.25


class RunError(RuntimeError):
    """A run could not go on. The message says what is wrong and what to do."""


class Interrupted(RunError):
    """The run was stopped on purpose; the same command continues it."""


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
    progress: Progress | None = None,
) -> Path:
    """Run an experiment, or what is left of it, and write its report.

    A run that was stopped, however it was, continues with the same call and ends with the same
    bits. Seeds can be added to a run that is there.

    Args:
        experiment: what to run.
        out: the run directory; `runs/NAME` by default.
        seeds: how many (0, 1, ...), or which.
        workers: processes at once, one seed each, each with one thread; as many as there are cores
            by default.
        progress: is told how it goes.

    Returns:
        The run directory.

    Raises:
        RunError: if the directory holds another experiment, or a seed fails.
        FolderInUse: if another process works on the run.
    """
    from conceptspace.derive import derive

    chosen = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    if not chosen or len(set(chosen)) != len(chosen) or min(chosen) < 0:
        raise ValueError(f"seeds must be at least 1, or distinct numbers from 0 on, not {seeds!r}")
    folder = Path(out) if out is not None else Path("runs") / experiment.name
    shown = progress or Silent()
    with exclusive(folder, wait_seconds=1.0):
        open_run(folder, experiment)
        _ensure_probe(folder, experiment, shown)
        num_workers = workers or min(len(chosen), _num_cores())
        _run_seeds(folder, experiment, chosen, num_workers, shown)
        shown.stage("Findings, figures and report")
        derive(folder, seeds=chosen)
    return folder


def open_run(folder: Path, experiment: Experiment) -> None:
    """Make the run directory, or check that it holds this very experiment.

    Raises:
        RunError: if it holds another experiment or something else; nothing is touched then.
    """
    from conceptspace.environment import describe_environment

    sealed = SealedFolder(folder)
    data = experiment.to_json().encode()
    if sealed.has(EXPERIMENT):
        different = differing_fields(read_experiment(folder), experiment)
        if different:
            raise RunError(
                f"{folder} holds a run with other settings ({'; '.join(different[:4])}): choose "
                "another folder with --out, or the settings it was made with"
            )
        return
    strangers = [p.name for p in folder.iterdir() if not p.name.startswith(".")] if folder.exists() else []
    if set(strangers) - {"SHA256SUMS", "environment.json"}:
        raise RunError(
            f"{folder} is not empty and holds no run ({sorted(strangers)[0]} is there): choose another "
            "folder with --out"
        )
    sealed.write("environment.json", describe_environment())
    sealed.write(EXPERIMENT, data)


def read_experiment(folder: Path) -> Experiment:
    """The settings of a run.

    Raises:
        RunError: if there is no run, or its settings are damaged.
    """
    sealed = SealedFolder(folder)
    if not sealed.has(EXPERIMENT):
        raise RunError(f"{folder} is not a run: it has no {EXPERIMENT}")
    try:
        return Experiment.from_json(sealed.read(EXPERIMENT))
    except DamagedFile as error:
        raise RunError(
            f"{error}. Nothing was changed: restore the file, or start the run again in another "
            "folder"
        ) from error


def differing_fields(old: Experiment, new: Experiment) -> list[str]:
    """The fields in which two experiments differ, each as `path: old, not new`."""

    def flatten(value: object, path: str) -> dict[str, object]:
        if isinstance(value, dict):
            items = value.items()
        elif isinstance(value, list | tuple):
            items = enumerate(value)
        else:
            return {path: value}
        flat: dict[str, object] = {}
        for key, inner in items:
            flat |= flatten(inner, f"{path}.{key}" if path else str(key))
        return flat

    before, after = flatten(old.model_dump(), ""), flatten(new.model_dump(), "")
    missing = object()
    return [
        f"{path} is {before.get(path)!r} there, {after.get(path)!r} here"
        for path in sorted(before.keys() | after.keys())
        if before.get(path, missing) != after.get(path, missing)
    ]


def _ensure_probe(folder: Path, experiment: Experiment, progress: Progress) -> None:
    """Train the classifier probe, unless an intact one is there."""
    import json

    sealed = SealedFolder(folder)
    try:
        sealed.read(PROBE)
        sealed.read("probe.json")
        return
    except FileNotFoundError:
        pass
    except DamagedFile as error:
        progress.stage(f"{error}; training the probe again")
    import safetensors.torch
    import torch

    from conceptspace.build import build_probe, judge_probe

    progress.stage("Training the probe that reads concepts off images")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the same bits whatever the machine's number of cores
    try:
        probe = build_probe(experiment, lambda done, of: progress.advance("probe", done, of))
        quality = judge_probe(experiment, probe)
    finally:
        torch.set_num_threads(threads)
    sealed.write("probe.json", (json.dumps(quality) + "\n").encode())
    sealed.write(PROBE, safetensors.torch.save(probe.to_tensors()))


@dataclass
class _Worker:
    seed: int
    process: subprocess.Popen
    errors: Path


def _run_seeds(
    folder: Path,
    experiment: Experiment,
    seeds: Sequence[int],
    num_workers: int,
    progress: Progress,
) -> None:
    """Run every seed in a process of its own, some at once.

    Raises:
        RunError: if one fails; the others are finished first.
        Interrupted: on Ctrl-C or SIGTERM.
    """
    waiting, running, failed = list(seeds), [], []
    followers = {seed: _LogFollower(folder, seed) for seed in seeds}
    progress.stage(f"Training and measuring {len(seeds)} seeds, {num_workers} at once")
    try:
        with _terminate_as_interrupt():
            while waiting or running:
                while waiting and len(running) < num_workers:
                    running.append(_start(folder, waiting.pop(0)))
                time.sleep(POLL_SECONDS)
                for worker in [w for w in running if w.process.poll() is not None]:
                    running.remove(worker)
                    if worker.process.returncode != 0:
                        failed.append(_failure(worker))
                for seed, follower in followers.items():
                    for message in follower.read():
                        progress.stage(message)
                    progress.advance(f"seed {seed}", follower.step, experiment.training.steps)
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped; nothing is lost: the same command continues the run in {folder}"
        ) from None
    finally:
        for worker in running:
            worker.process.terminate()
        for worker in running:
            worker.process.wait()
    if failed:
        raise RunError("\n".join(failed))


def _start(folder: Path, seed: int) -> _Worker:
    errors = seed_folder(folder, seed) / "errors.txt"
    errors.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with open(errors, "wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "conceptspace.worker", str(folder), str(seed)],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env=environment,
        )
    return _Worker(seed, process, errors)


def _failure(worker: _Worker) -> str:
    lines = worker.errors.read_text(errors="replace").strip().splitlines()
    code = worker.process.returncode
    why = lines[-1] if lines else f"its process was ended by signal {-code}" if code < 0 else (
        f"its process ended with status {code}"
    )
    return (
        f"seed {worker.seed} failed: {why}. The same command continues from its last checkpoint; "
        f"more is in {worker.errors}"
    )


class _LogFollower:
    """Reads what is new in a seed's log."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.path = seed_folder(folder, seed) / LOG
        self.seed = seed
        self.step = 0
        self.position = self.path.stat().st_size if self.path.exists() else 0

    def read(self) -> list[str]:
        """Messages worth showing; `step` moves on."""
        import json

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
                continue  # a line torn by a kill
            self.step = event.get("step", self.step)
            if event["event"] == "damage":
                messages.append(f"seed {self.seed}: {event['message']}")
        return messages


def _terminate_as_interrupt():
    """SIGTERM stops a run as Ctrl-C does. Signals can only be caught in the main thread."""
    import contextlib
    import threading

    @contextlib.contextmanager
    def guard():
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def interrupt(number, frame):
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGTERM, interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)

    return guard()


def _num_cores() -> int:
    available: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(available(0)) if available else os.cpu_count() or 1
