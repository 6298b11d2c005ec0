"""The command line in processes of its own, to be signalled and killed; and a stable of victims."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).parents[1]
SOURCE = TESTS.parent / "src"
PATIENCE_SECONDS = 120.0


def environment() -> dict[str, str]:
    paths = os.pathsep.join([str(SOURCE), str(TESTS)])
    return os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}


class Command:
    """`conceptspace ...` in a process group of its own; whatever is left is killed at the end."""

    def __init__(self, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "conceptspace", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            text=True,
            start_new_session=True,
            # A shell starts what it puts in the background deaf to Ctrl-C, and tests with it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def __enter__(self) -> "Command":
        return self

    def __exit__(self, *_: object) -> None:
        self.signal_group(signal.SIGKILL)
        self.process.communicate()

    def wait_for_line(self, start: str) -> None:
        """Read the output up to a line that starts so."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(start):
                return
        raise AssertionError(f"the command ended without a line that starts with {start!r}")

    def finish(self) -> tuple[int, str, str]:
        """The exit status, the rest of the output, and the errors."""
        output, errors = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, output, errors

    def signal_group(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


def eventually(condition, what: str) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process is there and not yet a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Stable:
    """A process that has torch loaded and forks victims: each trains a seed of a run.

    A victim may carry a fuse, (moment, count): it kills itself with SIGKILL when it comes to that
    moment for the count-th time. See `victims.py` for the moments.
    """

    def __init__(self, started_run: Path) -> None:
        self.started_run = started_run

    def __enter__(self) -> "Stable":
        self.process = subprocess.Popen(
            [sys.executable, "-m", "runs.victims", str(self.started_run)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def run_seed(self, run: Path, fuse: tuple[str, int] | None = None) -> int:
        """Let a victim train seed 0 of a run; its return code, -9 if it was killed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps([str(run), fuse]), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())
