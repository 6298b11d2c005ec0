"""CelebA as Parquet is the CelebA of the public layout, and what is wrong with it is said."""

import os
import sys
import time

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from celeba import as_parquet_table, as_shards, columns, make_celeba, signs
from conceptspace.data.labelled import DataError
from conceptspace.data.readers import image_cache
from conceptspace.data.readers.celeba import CelebAWorld, read_celeba
from conceptspace.data.readers.celeba_table import read_attributes

ENCODINGS = {
    "booleans": lambda given: given == 1,
    "1 and -1": lambda given: given.astype(np.int64),
    "1 and 0": lambda given: (given == 1).astype(np.int8),
}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return make_celeba(tmp_path_factory.mktemp("celeba") / "celeba")


@pytest.fixture
def few(tmp_path):
    return as_parquet_table(make_celeba(tmp_path / "few", 40))


@pytest.fixture
def shards(tmp_path, few):
    return as_shards(few, tmp_path / "shards")


def check_same(first, second):
    assert (first.images == second.images).all()
    assert (first.values == second.values).all()
    assert first.space == second.space


def read(root, pair="male-smiling", **options):
    return read_celeba(root, pair, image_size=8, processes=1, **options)


@pytest.mark.parametrize("pair", ["male-smiling", "male-wearing_hat", "black_hair-eyeglasses"])
def test_a_table_in_parquet_says_the_same_as_the_published(pair, published, tmp_path):
    other = as_parquet_table(make_celeba(tmp_path / "celeba"))
    check_same(read(published, pair), read(other, pair))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("folder", [".", "data"])
def test_images_in_parquet_files_are_those_of_the_published_layout(
    encoding, folder, published, tmp_path
):
    as_shards(published, tmp_path / "hub" / folder, ENCODINGS[encoding])
    few = {"images_per_class": 20}
    check_same(read(published, **few), read(tmp_path / "hub", **few))
    assert (tmp_path / "hub" / "conceptspace-cache").is_dir()


def test_images_may_be_a_column_of_plain_bytes(published, tmp_path):
    shards = as_shards(published, tmp_path / "hub")
    for path in shards.iterdir():
        table = parquet.read_table(path)
        plain = pyarrow.array([image["bytes"] for image in table["image"].to_pylist()])
        parquet.write_table(table.set_column(0, "image", plain), path)
    check_same(read(published), read(shards))


def test_the_world_of_a_recipe_reads_parquet_files_too(shards):
    world = CelebAWorld(path=str(shards), image_size=8)
    assert world.identified().fingerprint is not None


def test_several_processes_read_the_same_from_parquet_files(published, tmp_path):
    shards = as_shards(published, tmp_path / "hub")
    found = read_celeba(shards, image_size=8, processes=2)
    assert len(found) > 512  # images, which one process reads at once
    check_same(found, read(published))


def test_what_a_kill_interrupts_is_continued(shards, tmp_path, monkeypatch):
    monkeypatch.setattr(image_cache, "_SHARD", 8)
    told = []

    def killed(done, total):
        told.append(done)
        if done >= 16:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read(shards, progress=killed)
    found = read(shards, progress=lambda done, total: told.append(done))
    assert told[:3] == [8, 16, 24]
    check_same(found, read(shards, cache=tmp_path / "another"))


def test_only_images_that_are_needed_are_decoded(shards, monkeypatch):
    decoded, whole = [], image_cache.read_image

    def noted(file, size, channels, name):
        decoded.append(name)
        return whole(file, size, channels, name)

    monkeypatch.setattr(image_cache, "read_image", noted)
    found = read(shards, images_per_class=3)
    assert len(decoded) == len(found) == 12


def test_full_size_tables_in_parquet_are_read_in_seconds(tmp_path):
    """The bar is 5 s for all 202 599 rows; a tenth of them within 0.5 s of CPU."""
    num = 20_260
    given = columns(np.resize(signs(1000), (num, 40)))
    names = [f"{i:06d}.jpg" for i in range(1, num + 1)]
    parquet.write_table(pyarrow.table({"image_id": names, **given}), tmp_path / "list.parquet")
    start = time.process_time()
    found = read_attributes(tmp_path / "list.parquet", ["Young", "Male"])
    assert time.process_time() - start < 0.5
    assert (found.present == np.stack([given["Young"] == 1, given["Male"] == 1], 1)).all()


def test_without_pyarrow_it_says_what_to_install(few, shards, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for root in (few, shards):
        with pytest.raises(DataError, match=r"needs pyarrow: pip install 'conceptspace\[data\]'"):
            read(root)


def rewritten(path, change):
    parquet.write_table(change(parquet.read_table(path)), path)


def with_column(name, values):
    """A change of a table: a column with other values in its first rows."""

    def change(table):
        column = table[name].to_pylist()
        column[: len(values)] = values
        index = table.column_names.index(name)
        return table.set_column(index, name, pyarrow.array(column))

    return change


def as_type(name, kind):
    return lambda table: table.set_column(
        table.column_names.index(name), name, table[name].cast(kind)
    )


TABLE_DAMAGES = {
    "parent": (with_column("image_id", ["../secret.jpg"]), r"row 1: '../secret.jpg' must be the"),
    "absolute": (with_column("image_id", ["000001.jpg", "/a.jpg"]), "row 2: '/a.jpg' must be"),
    "no name": (with_column("image_id", [None]), "row 1: column 'image_id' is empty"),
    "twice": (with_column("image_id", ["000002.jpg"]), "names 000002.jpg twice"),
    "no text": (lambda t: t.drop_columns("image_id"), "one column of text, .* not 0"),
    "two texts": (
        lambda t: t.append_column("split", t["image_id"]), r"not 2 \(image_id, split\)"
    ),
    "gap": (with_column("Male", [1, 1, None]), "row 3: column 'Male' is empty"),
    "value": (with_column("Male", [1, 2]), "row 2: column 'Male' must hold .* not 2 beside -1"),
    "three values": (with_column("Male", [1, -1, 0]), "row 3: .* not 0 beside -1"),
    "words": (as_type("Male", pyarrow.string()), "'Male' must hold booleans .*, not string"),
    "fractions": (as_type("Male", pyarrow.float64()), "booleans or whole numbers, not double"),
    "no attribute": (
        lambda t: t.drop_columns("Smiling"), "has no column 'Smiling'; it has image_id, 5_o"
    ),
    "no rows": (lambda t: t.slice(0, 0), "has no rows: download it again"),
    "too many": (
        lambda t: pyarrow.concat_tables(
            [t, with_column("image_id", ["999.jpg"])(t.slice(0, 1)).cast(t.schema)]
        ),
        "1 of 41 images of .* are not in",
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", TABLE_DAMAGES)
def test_what_is_wrong_with_a_table_in_parquet_is_said(damage, few):
    change, message = TABLE_DAMAGES[damage]
    rewritten(few / "list_attr_celeba.parquet", change)
    with pytest.raises(DataError, match=message):
        read(few)


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-100])


def scrambled(path):
    """Bytes of the first images overwritten, which is noticed when they are read."""
    content = bytearray(path.read_bytes())
    content[4:400] = b"\xff" * 396
    path.write_bytes(content)


def link_out(path):
    path.rename(path.parent.parent / "elsewhere.parquet")
    path.symlink_to(path.parent.parent / "elsewhere.parquet")


def changed(change):
    return lambda path: rewritten(path, change)


def third_image(value):
    kind = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})

    def change(table):
        values = table["image"].to_pylist()
        values[2] = value
        return table.set_column(0, "image", pyarrow.array(values, kind))

    return change


SHARD_DAMAGES = {
    "cut short": (cut_short, "train-00000-of-00003.parquet is partial, damaged or no Parquet"),
    "scrambled": (scrambled, "images cannot be read: .*00000-of-00003.parquet is partial, damaged"),
    "no parquet": (lambda path: path.write_text("<html>"), "partial, damaged or no Parquet file"),
    "no bytes": (lambda path: path.write_bytes(b""), "partial, damaged or no Parquet file"),
    "missing": (os.unlink, "1 Parquet files are not in .*: train-00000-of-.*partial"),
    "link": (link_out, "train-00000-of-00003.parquet is a link that leads out of"),
    "no rows": (changed(lambda t: t.slice(0, 0)), "00000-of-00003.parquet has no rows"),
    "no images": (changed(lambda t: t.drop_columns("image")), "has no column 'image'"),
    "paths": (
        changed(lambda t: t.set_column(0, "image", t["celeb_id"].cast(pyarrow.string()))),
        "column 'image' must hold encoded images, .* not string",
    ),
    "missing attribute": (changed(lambda t: t.drop_columns("Male")), "has no column 'Male'"),
    "gap": (changed(with_column("Male", [None])), "00000.*, row 1: column 'Male' is empty"),
    "an image that is null": (changed(third_image(None)), "row 3: column 'image' holds no bytes"),
    "a path without bytes": (
        changed(third_image({"bytes": None, "path": "/etc/passwd"})),
        "row 3: column 'image' holds no bytes: the file must hold the images themselves",
    ),
    "no image": (
        changed(third_image({"bytes": b"<html>", "path": None})),
        r"1 of \d+ images cannot be read: .*00000-of-00003.parquet, row 3 is no image",
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", SHARD_DAMAGES)
def test_what_is_wrong_with_files_of_images_is_said(damage, shards):
    change, message = SHARD_DAMAGES[damage]
    change(shards / "train-00000-of-00003.parquet")
    with pytest.raises(DataError, match=message):
        read(shards)


def test_a_folder_with_the_table_alone_lacks_the_images(few):
    (few / "img_align_celeba").rename(few / "images")
    with pytest.raises(DataError, match=r"or with Parquet files .*but it holds no img_align"):
        read(few)


def test_files_that_were_rewritten_are_read_again(shards):
    before = read(shards)
    rewritten(shards / "train-00000-of-00003.parquet", lambda table: table.slice(1))
    with pytest.warns(UserWarning, match="are read again"):
        assert len(read(shards)) <= len(before)
