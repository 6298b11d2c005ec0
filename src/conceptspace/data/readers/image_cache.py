"""Images brought to one size, kept in a file that is mapped into memory.

The file is filled in shards by several processes at once. What a kill interrupts is continued; a
finished file appears under its name at once, with the fingerprint of what it was made from.

Run as a program this is one of those processes.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from conceptspace.data.labelled import DataError, ReadingProgress
from conceptspace.data.readers.folder import read_image
from conceptspace.data.readers.image_sources import ImageSource

_SHARD = 512  # images: 6 MB at 64 x 64
_IMAGES, _SOURCE = "images.npy", "source.json"
_BUILDING, _WORK, _DONE = "building.npy", "work.json", "done"
_NAMED = 3  # problems that a message names
_MESSAGE_LETTERS = 300  # a line in a pipe that several write to must stay short


def cached_images(
    cache: Path,
    source: ImageSource,
    *,
    processes: int | None = None,
    progress: ReadingProgress | None = None,
) -> np.ndarray:
    """The images, uint8 (num, height, width, channel), mapped from the cache; made if need be.

    Args:
        cache: folder of this cache alone; made if it is not there.
        source: the images.
        processes: that read at once; as many as there are cores by default.
        progress: called with the number of images read and the number in all.

    Raises:
        DataError: if an image cannot be read, with its name, or the cache cannot be written.

    Warns:
        UserWarning: if a cache is there that was made from other files; it is made again.
    """
    try:
        # A finished cache may lie where nothing can be written, not even a lock.
        if not _is_of(cache, source):
            with _alone(cache):
                _bring_up_to_date(cache, source, processes, progress)
        return np.load(cache / _IMAGES, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise DataError(
            f"cache: {cache} cannot be written ({error.strerror or error}): make room there, or "
            "give another folder with world.cache"
        ) from error


def _bring_up_to_date(
    cache: Path, source: ImageSource, processes: int | None, progress: ReadingProgress | None
) -> None:
    if _is_of(cache, source):  # another process has made it meanwhile
        return
    known = _fingerprint_in(cache / _SOURCE)
    if known not in (None, source.fingerprint()):
        warnings.warn(
            f"the images in {source.folder} are not those that {cache} was made from: they are "
            "read again",
            stacklevel=5,
        )
    _begin(cache, source)
    _fill(cache, source, processes, progress)
    # So that at no moment images have the fingerprint of others.
    (cache / _SOURCE).unlink(missing_ok=True)
    os.replace(cache / _BUILDING, cache / _IMAGES)
    _write(cache / _SOURCE, {"fingerprint": source.fingerprint(), "shape": source.shape})
    (cache / _WORK).unlink()
    shutil.rmtree(cache / _DONE)


def _is_of(cache: Path, source: ImageSource) -> bool:
    known = _fingerprint_in(cache / _SOURCE)
    return known == source.fingerprint() and _is_whole(cache / _IMAGES, source)


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


def _is_whole(path: Path, source: ImageSource) -> bool:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    return found.shape == source.shape and found.dtype == np.uint8


def _begin(cache: Path, source: ImageSource) -> None:
    """Lay out the file that is filled, unless it is there and begun from the same images."""
    same = _fingerprint_in(cache / _WORK) == source.fingerprint()
    if not (same and _is_whole(cache / _BUILDING, source)):
        shutil.rmtree(cache / _DONE, ignore_errors=True)
        (cache / _WORK).unlink(missing_ok=True)
        laid_out = np.lib.format.open_memmap(
            cache / _BUILDING, mode="w+", dtype=np.uint8, shape=source.shape
        )
        del laid_out
        (cache / _DONE).mkdir()
    # Always, as the folder may have been moved since.
    _write(cache / _WORK, {"fingerprint": source.fingerprint(), "source": source.to_json()})


def _write(path: Path, content: dict) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with open(temporary, "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _fill(
    cache: Path, source: ImageSource, processes: int | None, progress: ReadingProgress | None
) -> None:
    """Read all shards that are not done yet.

    Raises:
        DataError: if images cannot be read; what can be is read first.
    """
    total = len(source)
    left = _shards_left(cache, total)
    done = total - sum(_rows(shard, total)[1] - _rows(shard, total)[0] for shard in left)
    wanted = processes or _num_cores()
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
        named = list(dict.fromkeys(problems))[:_NAMED]
        raise DataError(
            f"{num_bad} of {total} images cannot be read: {'; '.join(named)}: bring "
            "these files again, and go on from there: what could be read is kept"
        )


def _num_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # not everywhere
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
    source = ImageSource.from_json(work["source"])
    with open(cache / _BUILDING, "rb") as file:
        version = np.lib.format.read_magic(file)
        assert version == (1, 0)  # we wrote it
        np.lib.format.read_array_header_1_0(file)
        offset = file.tell()
    with open(cache / _BUILDING, "r+b") as file:
        for shard in _mine(cache, len(source), index, num):
            first, last = _rows(shard, len(source))
            images, problems = _read_images(source, first, last)
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


def _read_images(source: ImageSource, first: int, last: int) -> tuple[np.ndarray, list[str]]:
    images, problems = np.zeros((last - first, *source.shape[1:]), dtype=np.uint8), []
    num_had = 0
    try:
        for name, file in source.encoded(first, last):
            try:
                images[num_had] = read_image(file, source.image_size, source.channels, name)
            except DataError as error:
                problems.append(str(error))
            num_had += 1
    except DataError as error:  # what holds the images is damaged, so that there are no more
        problems += [str(error)] * (last - first - num_had)
    return images, problems


def _main(arguments: Sequence[str]) -> None:
    cache, index, num = arguments
    for read in _read_shards(Path(cache), int(index), int(num)):
        # In one call, so that no other process can write into the line.
        os.write(sys.stdout.fileno(), (json.dumps(read) + "\n").encode())


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, BrokenPipeError):
        _main(sys.argv[1:])
