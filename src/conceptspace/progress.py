"""What a long job tells while it works, and how it is asked to stop."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Protocol


class Progress(Protocol):
    """Is told how a run goes. The command line shows it; by default nobody looks."""

    def stage(self, message: str) -> None:
        """A new stage begins."""
        ...

    def advance(self, task: str, done: int, total: int) -> None:
        """A task has got this far, in training steps."""
        ...


READING = "reading images"
"""The task of which the steps are images."""


class Silent:
    """Shows nothing."""

    def stage(self, message: str) -> None:
        """Nothing."""

    def advance(self, task: str, done: int, total: int) -> None:
        """Nothing."""


@contextlib.contextmanager
def terminate_as_interrupt() -> Iterator[None]:
    """SIGTERM stops a job as Ctrl-C does. Signals can only be caught in the main thread."""
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
