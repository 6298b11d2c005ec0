"""Sealed files: whole or absent, and any damage is noticed."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conceptspace.measure.files import (
    DamagedFile,
    FolderInUse,
    SealedFolder,
    exclusive,
    obstacle,
    write_atomically,
)


@pytest.fixture
def sealed(tmp_path):
    return SealedFolder(tmp_path / "folder")


@given(data=st.binary(max_size=200))
def test_what_was_written_is_read(tmp_path_factory, data):
    sealed = SealedFolder(tmp_path_factory.mktemp("sealed"))
    sealed.write("part/file", data)
    assert sealed.read("part/file") == data


@given(data=st.binary(min_size=1, max_size=60), where=st.integers(0, 10**6))
def test_a_flipped_bit_is_noticed_wherever_it_is(tmp_path_factory, data, where):
    sealed = SealedFolder(tmp_path_factory.mktemp("sealed"))
    sealed.write("file", data)
    byte, bit = divmod(where % (8 * len(data)), 8)
    damaged = bytearray(data)
    damaged[byte] ^= 1 << bit
    (sealed.path / "file").write_bytes(damaged)
    with pytest.raises(DamagedFile, match="file is damaged: its SHA-256 is not the one in"):
        sealed.read("file")


@given(data=st.binary(min_size=1, max_size=60), kept=st.floats(0, 0.99))
def test_a_truncated_file_is_noticed_wherever_it_ends(tmp_path_factory, data, kept):
    sealed = SealedFolder(tmp_path_factory.mktemp("sealed"))
    sealed.write("file", data)
    os.truncate(sealed.path / "file", int(kept * len(data)))
    with pytest.raises(DamagedFile):
        sealed.read("file")


def test_a_file_in_the_place_of_another_is_noticed(sealed):
    sealed.write("step=1", b"early")
    sealed.write("step=2", b"late")
    os.replace(sealed.path / "step=1", sealed.path / "step=2")
    with pytest.raises(DamagedFile, match="step=2 is damaged"):
        sealed.read("step=2")


def test_a_file_without_a_sum_is_not_trusted(sealed):
    sealed.write("file", b"content")
    (sealed.path / "stranger").write_bytes(b"content")
    with pytest.raises(DamagedFile, match="stranger cannot be trusted"):
        sealed.read("stranger")


def test_a_missing_file_is_missing_and_not_damaged(sealed):
    with pytest.raises(FileNotFoundError):
        sealed.read("file")


def test_the_sums_are_in_the_format_of_sha256sum(sealed):
    sealed.write("part/file", b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1
    assert (sealed.path / "SHA256SUMS").read_text() == f"{known}  part/file\n"


def test_writing_the_same_again_touches_nothing(sealed):
    sealed.write("file", b"content")
    before = [path.stat().st_mtime_ns for path in sorted(sealed.path.iterdir())]
    sealed.write("file", b"content")
    assert [path.stat().st_mtime_ns for path in sorted(sealed.path.iterdir())] == before


def test_writing_mends_a_damaged_file(sealed):
    sealed.write("file", b"content")
    (sealed.path / "file").write_bytes(b"damage")
    sealed.write("file", b"content")
    assert sealed.read("file") == b"content"


def test_the_last_of_two_sums_counts(sealed):
    sealed.write("file", b"old")
    sealed.write("file", b"new")
    assert sealed.read("file") == b"new"


def test_names_leave_out_what_is_being_written(sealed):
    sealed.write("part/b", b"")
    sealed.write("part/a", b"")
    (sealed.path / "part/.c.7.tmp").write_bytes(b"half")
    assert sealed.names("part/*") == ["part/a", "part/b"]
    sealed.remove_leftovers()
    assert not (sealed.path / "part/.c.7.tmp").exists()


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", refused)
        with pytest.raises(PermissionError, match=f"Permission denied: '{path}'"):
            write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_held_by_one_at_a_time(tmp_path):
    folder = tmp_path / "run"
    with (
        exclusive(folder),
        pytest.raises(FolderInUse, match=f"{folder} is in use"),
        exclusive(folder),
    ):
        pass
    with exclusive(folder):
        pass


def test_an_obstacle_on_the_way_is_found_before_anything_is_made(tmp_path):
    (tmp_path / "file").touch()
    assert obstacle(tmp_path / "new/deep") is None
    assert obstacle(tmp_path / "file/deep") == f"{tmp_path / 'file'} is not a folder"
    assert not (tmp_path / "new").exists()
