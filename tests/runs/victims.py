"""Processes that train a seed and kill themselves at a chosen moment, forked with torch loaded.

`python -m runs.victims STARTED_RUN` warms up on a copy of the run, so that everything is loaded,
then reads requests `[RUN, [MOMENT, COUNT] or null]`, one a line, and prints each return code.
"""

import builtins
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import torch

from conceptspace import worker
from conceptspace.adapters.native import NativeAdapter
from conceptspace.folder import read_experiment
from conceptspace.training import step as training


class Fuse:
    """Kills this very process when it is called for the count-th time."""

    def __init__(self, count: int) -> None:
        self.left = count

    def burn(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def lay(moment: str, fuse: Fuse) -> None:
    """Put a fuse at a moment."""
    if moment == "training":
        training.training_step = before(fuse, training.training_step)
    elif moment == "sampling":
        NativeAdapter.sample = before(fuse, NativeAdapter.sample)
    elif moment == "before a file is renamed":
        os.replace = before(fuse, os.replace)
    elif moment == "after a file was renamed":
        os.replace = after(fuse, os.replace)
    elif moment == "half-way through a file":
        builtins.open = tearing(fuse, builtins.open)
    elif moment == "removing a file":
        Path.unlink = before(fuse, Path.unlink)
    else:
        raise ValueError(f"unknown moment {moment!r}")


def before(fuse, function):
    def called(*arguments, **named):
        fuse.burn()
        return function(*arguments, **named)

    return called


def after(fuse, function):
    def called(*arguments, **named):
        result = function(*arguments, **named)
        fuse.burn()
        return result

    return called


class Tearing:
    """A file, opened for binary writing, of which half a write reaches the disk before the end."""

    def __init__(self, fuse, file) -> None:
        self.fuse, self.file = fuse, file

    def write(self, data):
        if self.fuse.left == 1:
            self.file.write(data[: len(data) // 2])
            self.file.flush()
        self.fuse.burn()
        return self.file.write(data)

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


def tearing(fuse, open_):
    def opened(path, mode="r", *arguments, **named):
        file = open_(path, mode, *arguments, **named)
        return Tearing(fuse, file) if mode in ("wb", "ab") else file

    return opened


def warm_up(started: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(shutil.copytree(started, Path(folder) / "run"))
        worker.run_seeds(read_experiment(run), run, [0])


def main() -> None:
    torch.set_num_threads(1)
    warm_up(Path(sys.argv[1]))
    for line in sys.stdin:
        run, fuse = json.loads(line)
        pid = os.fork()
        if pid == 0:
            if fuse:
                lay(fuse[0], Fuse(fuse[1]))
            worker.run_seeds(read_experiment(Path(run)), Path(run), [0])
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
