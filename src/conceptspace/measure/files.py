"""Files that survive a kill at any moment and whose damage is noticed.

A file is written to a temporary name, flushed, and renamed. In a sealed folder its SHA-256 is
first appended to `SHA256SUMS`, in the format of `sha256sum`, so that a file that is there
always has its sum; the last line for a name counts.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

SUMS = "SHA256SUMS"


class DamagedFile(Exception):
    """A file's content is not what was written. The message names the file."""


class FolderInUse(Exception):
    """Another process works in the folder. The message names the folder."""


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees either the old content or all of the new.

    Raises:
        OSError: if the disk is full or not writable; the old file is left as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


class SealedFolder:
    """A folder whose files are written once and checked whenever they are read.

    Args:
        path: the folder; made when first written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def write(self, name: str, data: bytes) -> None:
        """Write a file, its sum first."""
        self.path.mkdir(parents=True, exist_ok=True)
        line = f"{hashlib.sha256(data).hexdigest()}  {name}\n".encode()
        with open(self.path / SUMS, "ab") as file:
            # A line torn by a kill must not run into this one.
            if file.tell() and not _ends_with_newline(self.path / SUMS):
                line = b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        write_atomically(self.path / name, data)

    def read(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            FileNotFoundError: if it is not there.
            DamagedFile: if it is not what was written.
        """
        data = (self.path / name).read_bytes()
        if hashlib.sha256(data).hexdigest() != self.sums().get(name):
            raise DamagedFile(f"{self.path / name} is damaged: its SHA-256 is not the one recorded")
        return data

    def sums(self) -> dict[str, str]:
        """The recorded sum of each name."""
        path = self.path / SUMS
        if not path.exists():
            return {}
        sums = {}
        for line in path.read_bytes().decode("utf-8", errors="replace").splitlines():
            digest, _, name = line.partition("  ")
            if len(digest) == 64 and name:
                sums[name] = digest
        return sums

    def names(self, pattern: str) -> list[str]:
        """The files that are there, by a glob pattern, sorted."""
        return sorted(
            str(found.relative_to(self.path))
            for found in self.path.glob(pattern)
            if not found.name.startswith(".")
        )

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        return (self.path / name).exists()

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        (self.path / name).unlink(missing_ok=True)


@contextlib.contextmanager
def exclusive(path: Path, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold a folder for this process alone, until the block ends or the process dies.

    Raises:
        FolderInUse: if another process still holds it after `wait_seconds`.
    """
    import time

    path.mkdir(parents=True, exist_ok=True)
    with open(path / ".lock", "a") as file:
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise FolderInUse(
                        f"{path} is in use by another process: wait for it, or choose another "
                        "folder with --out"
                    ) from None
                time.sleep(0.1)
        yield


def _ends_with_newline(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
