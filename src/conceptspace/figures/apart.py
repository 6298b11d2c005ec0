"""Figures saved by a second process, on a second core, while the caller goes on.

What the second process cannot do, for whatever reason, the caller does itself: it saves time and
can never be the reason that something fails. It ends with its caller, however that ends.
"""

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Self

import matplotlib

from conceptspace.figures.evidence import Evidence
from conceptspace.figures.gallery import draw_all, save_figures


class SavedApart:
    """A second process for figures, started at once so that it is ready when it is needed.

    A context manager; leaving it ends the process. Where there is one core only there is none, and
    the figures are saved by `finish`.

    Args:
        wanted: False where the other cores have work of their own: there is none then either.
    """

    def __init__(self, wanted: bool = True) -> None:
        self._wanted = wanted
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if self._wanted and _num_cores() > 1:
            command = [sys.executable, "-m", __name__]
            nowhere = subprocess.DEVNULL
            try:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere
                )
            except OSError:
                self._process = None
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            _close(self._process)

    def save(self, evidence: Evidence, names: Collection[str], folder: Path) -> None:
        """Begin to draw and save these figures of `draw_all`."""
        self._work = (evidence, list(names), folder)
        if self._process is None or self._process.stdin is None:
            return
        with contextlib.suppress(OSError):  # if it is gone, `finish` sees that
            pickle.dump((_style(), *self._work), self._process.stdin)
            # The pipe stays open: its end tells the process that we are gone.
            self._process.stdin.flush()

    def finish(self) -> None:
        """Wait until all are saved.

        Raises:
            OSError: if they cannot be written.
        """
        if self._process is None or self._process.wait() != 0:
            _save(*self._work)


def _save(evidence: Evidence, names: Collection[str], folder: Path) -> None:
    save_figures(draw_all(evidence, names), folder)


def _style() -> dict[str, Any]:
    """What the caller has told matplotlib; a window system to show figures in is not needed."""
    told: Mapping[Any, Any] = matplotlib.rcParams
    return {name: told[name] for name in told if not name.startswith("backend")}


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):  # what could not be sent
            process.stdin.close()


def _num_cores() -> int:
    """Cores this process may use."""
    available = getattr(os, "sched_getaffinity", None)
    return len(available(0)) if available else os.cpu_count() or 1


def _leave_with_the_caller() -> None:
    """Wait for the end of the pipe, which comes when the caller ends, killed or not."""
    # Not through sys.stdin, whose lock the interpreter needs at its own end.
    while os.read(0, 1):
        pass
    os._exit(1)


def main() -> None:
    """The second process: read what to do from the caller, and do it."""
    # From the caller alone, through a pipe of its own: nothing that lies on a disk is unpickled.
    style, *work = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_leave_with_the_caller, daemon=True).start()
    matplotlib.rcParams.update(style)
    _save(*work)


if __name__ == "__main__":
    main()
