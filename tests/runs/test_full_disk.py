"""A full disk: a clear error, nothing half-written, and the run continues when there is space."""

import errno
import os
import shutil
import subprocess
import sys

import pytest

from conceptspace.measure.files import SealedFolder, write_atomically
from conceptspace.worker import run_seeds
from runs.commands import environment
from runs.tiny import contents, leftovers

SIZE_OF_TMPFS = "300k"


class FullDisk:
    """`os.fsync` that finds the disk full from the n-th call on."""

    def __init__(self, good_calls):
        self.left = good_calls
        self.fsync = os.fsync

    def __call__(self, descriptor):
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.fsync(descriptor)


@pytest.mark.parametrize("good_calls", [0, 1, 5, 8])
def test_a_seed_on_a_full_disk_names_the_file_and_continues_when_there_is_space(
    experiment, started, finished_run, monkeypatch, good_calls
):
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", FullDisk(good_calls))
        with pytest.raises(OSError, match=r"No space left on device.*seed=0"):
            run_seeds(experiment, started, [0])
    assert leftovers(started) == []
    run_seeds(experiment, started, [0])
    assert contents(started) == contents(finished_run)


def test_a_file_that_cannot_be_replaced_is_left_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", FullDisk(0))
        with pytest.raises(OSError, match="No space left on device"):
            write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert leftovers(tmp_path) == []


def test_a_sum_torn_by_a_full_disk_does_not_spoil_the_next(tmp_path):
    sealed = SealedFolder(tmp_path)
    sealed.write("first", b"1")
    with open(tmp_path / "SHA256SUMS", "a") as file:
        file.write("0123abc")
    sealed.write("second", b"2")
    assert (sealed.read("first"), sealed.read("second")) == (b"1", b"2")


ON_A_TINY_DISK = """
mount -t tmpfs -o size={size} tmpfs "$1" || exit 99
cp -r "$2" "$1/run" || exit 98
{python} -m conceptspace run "$1/run" --seeds 1 >"$3/output" 2>"$3/errors"
echo $? >"$3/status"
mount -o remount,size=50m "$1" || exit 97
{python} -m conceptspace run "$1/run" --seeds 1 >"$3/output" 2>>"$3/errors" || exit 96
cp -r "$1/run" "$3/run"
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="there is no unshare to mount with")
def test_the_command_on_a_full_disk_says_so_and_continues_when_there_is_space(
    started, finished_run, tmp_path
):
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    kept.mkdir()
    script = ON_A_TINY_DISK.format(size=SIZE_OF_TMPFS, python=sys.executable)
    finished = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", disk, started, kept],
        env=environment(),
        capture_output=True,
        text=True,
    )
    errors = (kept / "errors").read_text() if (kept / "errors").exists() else ""
    if finished.returncode == 99 or (not errors and "unshare" in finished.stderr):
        pytest.skip(f"a tmpfs cannot be mounted here: {finished.stderr.strip()}")
    assert finished.returncode == 0, finished.stderr + errors
    assert (kept / "status").read_text() == "1\n"
    assert "No space left on device" in errors
    assert f"{disk}/run/seed=0/" in errors
    assert "Traceback" not in errors
    assert contents(kept / "run") == contents(finished_run)
    assert leftovers(kept / "run") == []
