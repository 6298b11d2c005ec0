"""Image files brought to one size, kept in a file that is mapped into memory.

The file is filled in shards by several processes at once. What a kill interrupts is continued; a
finished file appears under its name at once, with the fingerprint of what it was made from.

Run as a program this is one of those processes.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from conceptspace.data.labelled import DataError, ReadingProgress
from conceptspace.data.readers.folder import read_image

_SHARD = 512  # images: 6 MB at 64 x 64
_IMAGES, _SOURCE = "images.npy", "source.json"
_BUILDING, _WORK, _DONE = "building.npy", "work.json", "done"
_VERSION = 1  # of how images are read; another makes other fingerprints
_NAMED = 3  # problems that a message names
_MESSAGE_LETTERS = 300  # a line in a pipe that several write to must stay short


@dataclass(frozen=True)
class ImageFiles:
    """What a cache is made from.

    Attributes:
        folder: where the files are.
        names: of the files, in order.
        sizes: bytes of each file.
        image_size: height and width that images are brought to.
        channels: 3 for colour, 1 for grey.
    """

    folder: Path
    names: Sequence[str]
    sizes: Sequence[int]
    image_size: int
    channels: Literal[1, 3]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return (len(self.names), self.image_size, self.image_size, self.channels)

    def fingerprint(self) -> str:
        """A text that changes with any name, size or setting."""
        found = hashlib.sha256(repr((_VERSION, self.image_size, self.channels)).encode())
        found.update(json.dumps([list(self.names), list(self.sizes)]).encode())
        return found.hexdigest()


def cached_images(
    cache: Path,
    files: ImageFiles,
    *,
    processes: int | None = None,
    progress: ReadingProgress | None = None,
) -> np.ndarray:
    """The images, uint8 (num, height, width, channel), mapped from the cache; made if need be.

    Args:
        cache: folder of this cache alone; made if it is not there.
        files: the images.
        processes: that read at once; as many as there are cores by default.
        progress: called with the number of images read and the number in all.

    Raises:
        DataError: if an image cannot be read, with its name, or the cache cannot be written.

    Warns:
        UserWarning: if a cache is there that was made from other files; it is made again.
    """
    try:
        with _alone(cache):
            _bring_up_to_date(cache, files, processes, progress)
            return np.load(cache / _IMAGES, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise DataError(
            f"cache: {cache} cannot be written ({error.strerror or error}): make room there, or "
            "give another folder with world.cache"
        ) from error


def _bring_up_to_date(
    cache: Path, files: ImageFiles, processes: int | None, progress: ReadingProgress | None
) -> None:
    known = _fingerprint_in(cache / _SOURCE)
    if known == files.fingerprint() and _is_whole(cache / _IMAGES, files):
        return
    if known not in (None, files.fingerprint()):
        warnings.warn(
            f"the images in {files.folder} are not those that {cache} was made from: they are "
            "read again",
            stacklevel=5,
        )
    _begin(cache, files)
    _fill(cache, files, processes, progress)
    # The images first: with the fingerprint first, old ones could pass for new ones.
    os.replace(cache / _BUILDING, cache / _IMAGES)
    _write(cache / _SOURCE, {"fingerprint": files.fingerprint(), "shape": files.shape})
    (cache / _WORK).unlink()
    shutil.rmtree(cache / _DONE)


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Wait until no other process works on the cache."""
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / ".lock", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fingerprint_in(path: Path) -> str | None:
    try:
        return str(json.loads(path.read_bytes())["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_whole(path: Path, files: ImageFiles) -> bool:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    return found.shape == files.shape and found.dtype == np.uint8


def _begin(cache: Path, files: ImageFiles) -> None:
    """Lay out the file that is filled, unless it is there and begun from the same files."""
    same = _fingerprint_in(cache / _WORK) == files.fingerprint()
    if same and _is_whole(cache / _BUILDING, files):
        return
    shutil.rmtree(cache / _DONE, ignore_errors=True)
    (cache / _WORK).unlink(missing_ok=True)
    laid_out = np.lib.format.open_memmap(
        cache / _BUILDING, mode="w+", dtype=np.uint8, shape=files.shape
    )
    del laid_out
    (cache / _DONE).mkdir()
    work = {
        "fingerprint": files.fingerprint(),
        "folder": str(files.folder.absolute()),
        "names": list(files.names),
        "image_size": files.image_size,
        "channels": files.channels,
    }
    _write(cache / _WORK, work)


def _write(path: Path, content: dict) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with open(temporary, "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _fill(
    cache: Path, files: ImageFiles, processes: int | None, progress: ReadingProgress | None
) -> None:
    """Read all shards that are not done yet.

    Raises:
        DataError: if images cannot be read; what can be is read first.
    """
    total = len(files.names)
    left = _shards_left(cache, total)
    done = total - sum(_rows(shard, total)[1] - _rows(shard, total)[0] for shard in left)
    wanted = processes or len(os.sched_getaffinity(0))
    num = min(wanted, len(left))
    read = _in_processes(cache, num) if num > 1 else _read_shards(cache, 0, 1)
    problems: list[str] = []
    num_bad = 0
    for num_read, num_failed, messages in read:
        done += num_read
        num_bad += num_failed
        problems += messages
        if progress is not None:
            progress(done, total)
    if num_bad:
        raise DataError(
            f"{num_bad} of {total} images cannot be read: {'; '.join(problems[:_NAMED])}: bring "
            "these files again, and go on from there: what could be read is kept"
        )


def _rows(shard: int, total: int) -> tuple[int, int]:
    return shard * _SHARD, min((shard + 1) * _SHARD, total)


def _shards_left(cache: Path, total: int) -> list[int]:
    done = {entry.name for entry in os.scandir(cache / _DONE)}
    return [shard for shard in range(-(-total // _SHARD)) if str(shard) not in done]


_Read = tuple[int, int, list[str]]
# Of a shard: how many images are read, how many cannot be, and what is wrong with the first few.


def _in_processes(cache: Path, num: int) -> Iterator[_Read]:
    """Let several processes read what is left.

    They are programs of their own, as forked ones could inherit locks that nobody releases, and
    spawned ones would import the user's script again.
    """
    from_workers, to_us = os.pipe()
    command = [sys.executable, "-m", "conceptspace.data.readers.image_cache", str(cache)]
    workers = []
    try:
        for index in range(num):
            workers.append(subprocess.Popen([*command, str(index), str(num)], stdout=to_us))
        os.close(to_us)
        with open(from_workers) as lines:
            for line in lines:
                yield tuple(json.loads(line))
        codes = [worker.wait() for worker in workers]
    finally:
        for worker in workers:
            with suppress(OSError):
                worker.terminate()
            worker.wait()
    if any(codes):
        raise DataError(
            f"cache: a process that reads images into {cache} ended early (status {max(codes)}): "
            "start again, and it continues where it was"
        )


def _read_shards(cache: Path, index: int, num: int) -> Iterator[_Read]:
    """Read every shard that is left and that falls to process `index` of `num`."""
    work = json.loads((cache / _WORK).read_bytes())
    names, folder = work["names"], Path(work["folder"])
    with open(cache / _BUILDING, "rb") as file:
        version = np.lib.format.read_magic(file)
        assert version == (1, 0)  # we wrote it
        np.lib.format.read_array_header_1_0(file)
        offset = file.tell()
    with open(cache / _BUILDING, "r+b") as file:
        for shard in _mine(cache, len(names), index, num):
            first, last = _rows(shard, len(names))
            images, problems = _read_images(folder, names[first:last], work)
            if not problems:
                file.seek(offset + first * images[0].nbytes)
                file.write(images.tobytes())
                file.flush()
                os.fsync(file.fileno())  # before the shard counts as done
                (cache / _DONE / str(shard)).touch()
            yield (
                last - first,
                len(problems),
                [text[:_MESSAGE_LETTERS] for text in problems[:_NAMED]],
            )


def _mine(cache: Path, total: int, index: int, num: int) -> list[int]:
    # All shards and not those left: another process may have finished one since.
    left = set(_shards_left(cache, total))
    every = range(-(-total // _SHARD))
    return [shard for shard in every if shard % num == index and shard in left]


def _read_images(folder: Path, names: list[str], work: dict) -> tuple[np.ndarray, list[str]]:
    size, channels = work["image_size"], work["channels"]
    images, problems = np.zeros((len(names), size, size, channels), dtype=np.uint8), []
    for row, name in enumerate(names):
        try:
            images[row] = read_image(folder / name, size, channels)
        except DataError as error:
            problems.append(str(error))
    return images, problems


def _main(arguments: Sequence[str]) -> None:
    cache, index, num = arguments
    for read in _read_shards(Path(cache), int(index), int(num)):
        print(json.dumps(read), flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, BrokenPipeError):
        _main(sys.argv[1:])
