"""`log.jsonl`: what happened when. Written by who does the work, followed by who shows it."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from conceptspace.folder import LOG, seed_folder
from conceptspace.measure.files import ends_with_newline

LOG_SECONDS = 1.0
TAIL_BYTES = 4096


class EventLog:
    """Appends what happens to a folder's `log.jsonl`; times live here and nowhere else."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = open(folder / LOG, "a", buffering=1)  # noqa: SIM115  # open for its life
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


class SeedLog(EventLog):
    """What happens to a seed."""

    def step(self, step: int, bound: Callable[[], float]) -> None:
        """Write a line about training, at most one each second; only then is the bound asked for,
        which waits for a GPU."""
        if step > 0 and time.monotonic() - self.last >= LOG_SECONDS:
            self.write("train", step=step, bound=round(bound(), 5))


class LogFollower:
    """Reads what is new in a seed's log.

    Args:
        run: the run directory.
        seed: the training seed.
    """

    def __init__(self, run: Path, seed: int) -> None:
        self.path = seed_folder(run, seed) / LOG
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
        for event in events_of(complete):
            step = event.get("step")
            self.step = step if isinstance(step, int) else self.step
            if event.get("event") in ("damage", "note"):
                messages.append(f"seed {self.seed}: {event.get('message')}")
        return messages


def last_events(run: Path, seed: int, num_bytes: int = TAIL_BYTES) -> list[dict[str, Any]]:
    """The last events of a seed, as many as lie in the last bytes of its log."""
    try:
        with open(seed_folder(run, seed) / LOG, "rb", buffering=0) as file:
            file.seek(0, 2)
            start = max(0, file.tell() - num_bytes)
            file.seek(start)
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return []
    return list(events_of(text if start == 0 else text[text.find(b"\n") + 1 :]))


def events_of(text: bytes) -> Iterator[dict[str, Any]]:
    """The events of a log's lines; those torn by a kill are left out."""
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event
