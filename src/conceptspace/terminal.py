"""How a terminal, or a plain log, is shown what goes on."""

import os
from contextlib import contextmanager
from typing import Any

from rich.console import Console

from conceptspace.progress import READING


def duration(seconds: float) -> str:
    """Seconds in words."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class _PlainProgress:
    """Plain lines, for logs and pipes: one a stage, and one a task every tenth of the way."""

    def __init__(self) -> None:
        self.tenths: dict[str, int] = {}

    def stage(self, message: str) -> None:
        print(message, flush=True)

    def advance(self, task: str, done: int, total: int) -> None:
        tenth = 10 * done // total
        if tenth > self.tenths.get(task, 0):
            self.tenths[task] = tenth
            unit = "" if task == READING else " steps"
            print(f"  {task}: {done} of {total}{unit}", flush=True)


class _RichProgress:
    """Bars with rate and time left, for a terminal."""

    def __init__(self, bars: Any) -> None:
        self.bars = bars
        self.tasks: dict[str, Any] = {}

    def stage(self, message: str) -> None:
        self.bars.console.print(message, highlight=False)

    def advance(self, task: str, done: int, total: int) -> None:
        if task not in self.tasks:
            self.tasks[task] = self.bars.add_task(task, total=total)
        self.bars.update(self.tasks[task], completed=done)


@contextmanager
def showing_progress():
    """Bars on a terminal, plain lines elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal or os.environ.get("TERM") == "dumb":
        yield _PlainProgress()
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )

    class Rate(ProgressColumn):
        def render(self, task: Task) -> str:
            unit = "images" if task.description == READING else "steps"
            return f"{task.speed:.1f} {unit}/s" if task.speed else f"- {unit}/s"

    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=console) as bars:
        yield _RichProgress(bars)
