"""Processes of this machine that do units of work, each one unit after the other."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence

from conceptspace.units import Outcome, Unit, uses_gpu

COMMAND = (sys.executable, "-m", "conceptspace.worker")
WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # or its sums differ from call to call on streams
    # glibc alone reads these. What a step frees is kept for the next step: handed back to the
    # system, every page of it would be cleared and mapped anew.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(512 << 20),
    "MALLOC_TOP_PAD_": str(64 << 20),
}


class ProcessPool:
    """An executor on this machine. Processes are started when first needed and end with it.

    Args:
        num_processes: at most so many at once.
        num_on_gpu: at most so many units that use the GPU at once.
        command: what is started; it is given our process id, reads units from its standard input,
            one a line, and answers each with the line of its outcome.
    """

    def __init__(
        self, num_processes: int, num_on_gpu: int = 1, command: Sequence[str] = COMMAND
    ) -> None:
        self.num_processes = num_processes
        self.num_on_gpu = num_on_gpu
        self._command = command
        self._processes: list[_Process] = []
        # None: the process has ended. Each process has a thread that listens to it.
        self._heard: queue.Queue[tuple[_Process, bytes | None]] = queue.Queue()

    def __enter__(self) -> "ProcessPool":
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.popen.terminate()
        for process in self._processes:
            process.close()
        self._processes.clear()

    def has_room(self, unit: Unit) -> bool:
        """Whether a process is free, or can be started, for this unit."""
        busy = [process.unit for process in self._processes if process.unit is not None]
        on_gpu = sum(map(uses_gpu, busy))
        return len(busy) < self.num_processes and not (uses_gpu(unit) and on_gpu >= self.num_on_gpu)

    def submit(self, unit: Unit) -> None:
        """Hand a unit to a free process."""
        free = [process for process in self._processes if process.unit is None]
        if not free:
            free = [_Process(self._command, self._heard)]
            self._processes += free
        free[0].begin(unit)

    def finished(self, timeout: float) -> list[tuple[Unit, Outcome]]:
        """The units that have ended since the last call; waits up to `timeout` seconds for one."""
        ended: list[tuple[Unit, Outcome]] = []
        with contextlib.suppress(queue.Empty):
            self._hear(*self._heard.get(timeout=timeout), ended)
            while True:
                self._hear(*self._heard.get_nowait(), ended)
        return ended

    def _hear(self, process: "_Process", line: bytes | None, ended: list) -> None:
        if line is None:
            process.close()
            if process in self._processes:
                self._processes.remove(process)
            if process.unit is not None:
                ended.append((process.unit, process.answer or process.why_it_ended()))
            return
        outcome = Outcome.from_json(line)
        if outcome.is_leaving:
            process.answer = outcome  # counts once it is gone, and with it all that it holds
        elif process.unit is not None:
            ended.append((process.unit, outcome))
            process.unit = None


class _Process:
    """One process, and what it is working on."""

    def __init__(self, command: Sequence[str], heard: queue.Queue) -> None:
        self.unit: Unit | None = None
        self.answer: Outcome | None = None
        self.popen = subprocess.Popen(
            [*command, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | WORKER_ENVIRONMENT,
        )
        # Kept in memory: on a full disk the reason could not be written down.
        self.last_words: deque[bytes] = deque(maxlen=200)
        self._threads = [
            threading.Thread(target=self._listen, args=(heard,), daemon=True),
            threading.Thread(target=self.last_words.extend, args=(self.popen.stderr,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def begin(self, unit: Unit) -> None:
        self.unit = unit
        assert self.popen.stdin is not None
        with contextlib.suppress(OSError):  # if it is gone, its listener says so
            self.popen.stdin.write(unit.model_dump_json().encode() + b"\n")
            self.popen.stdin.flush()

    def close(self) -> None:
        """Wait for the end of a process that is ending, and hear it to its last word."""
        self.popen.wait()
        for thread in self._threads:
            thread.join(timeout=5.0)
        for stream in (self.popen.stdin, self.popen.stdout, self.popen.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):  # what could not be sent
                    stream.close()

    def why_it_ended(self) -> Outcome:
        code = self.popen.returncode
        text = b"".join(self.last_words).decode(errors="replace").strip()
        if text:
            why = text.splitlines()[-1]
        elif code == -signal.SIGKILL:
            why = "its process was killed; where memory is short, try fewer --workers"
        else:
            why = f"its process ended with status {code}"
        return Outcome(problem=why, details=text)

    def _listen(self, heard: queue.Queue) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            heard.put((self, line))
        heard.put((self, None))
