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
TEMPORARY = ".tmp"


class DamagedFile(Exception):
    """A file's content is not what was written. The message names the file."""


class FolderInUse(Exception):
    """Another process works in the folder. The message names the folder."""


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees either the old content or all of the new.

    Raises:
        OSError: if the disk is full or not writable; the old file is left as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        with naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def obstacle(path: Path) -> str | None:
    """Why nothing can be written at a path, in words; None if it seems possible."""
    for ancestor in [path, *path.absolute().parents]:
        if not ancestor.exists():
            continue
        if ancestor != path and not ancestor.is_dir():
            return f"{ancestor} is not a folder"
        if not os.access(ancestor, os.W_OK):
            return f"{ancestor} cannot be written to"
        break
    return None


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the file in what the system refuses; a full disk alone does not say where it is."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from error


class SealedFolder:
    """A folder whose files are written once and checked whenever they are read.

    Args:
        path: the folder; made when first written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def write(self, name: str, data: bytes) -> None:
        """Write a file, its sum first. What is there already is left as it is."""
        if self.is_what_was_written(name, data):
            if self.has(name) and (self.path / name).read_bytes() == data:
                return
        else:
            self._record(f"{hashlib.sha256(data).hexdigest()}  {name}\n".encode())
        write_atomically(self.path / name, data)

    def _record(self, line: bytes) -> None:
        with naming(self.path / SUMS):
            self.path.mkdir(parents=True, exist_ok=True)
            with open(self.path / SUMS, "ab") as file:
                # A line torn by a kill must not run into this one.
                if file.tell() and not ends_with_newline(self.path / SUMS):
                    line = b"\n" + line
                file.write(line)
                file.flush()
                os.fsync(file.fileno())

    def read(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            FileNotFoundError: if it is not there.
            DamagedFile: if it is not what was written.
        """
        data = (self.path / name).read_bytes()
        recorded = self.sums().get(name)
        if recorded is None:
            raise DamagedFile(f"{self.path / name} cannot be trusted: {SUMS} beside it has no sum")
        if hashlib.sha256(data).hexdigest() != recorded:
            raise DamagedFile(
                f"{self.path / name} is damaged: its SHA-256 is not the one in {SUMS}"
            )
        return data

    def is_what_was_written(self, name: str, data: bytes) -> bool:
        """Whether the recorded sum of a name is that of `data`."""
        return self.sums().get(name) == hashlib.sha256(data).hexdigest()

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

    def remove_leftovers(self) -> None:
        """Remove what a killed process was writing. Only for whom the folder belongs to alone."""
        for pattern in (f".*{TEMPORARY}", f"*/.*{TEMPORARY}"):
            for left in self.path.glob(pattern):
                left.unlink(missing_ok=True)


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


def ends_with_newline(path: Path) -> bool:
    """Whether the last line of a file, which is not empty, is whole."""
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
