"""Reading a folder of images with a table."""

import re
import warnings

import numpy as np
import pytest
from PIL import Image

from conceptspace.data.labelled import DataError
from conceptspace.data.readers import folder as reader
from conceptspace.data.readers.folder import FolderWorld, read_folder
from readers_folders import CONCEPTS, make_folder, picture, rows, write_table


@pytest.fixture
def there(tmp_path):
    return make_folder(tmp_path)


def read(folder, table, **changes):
    return read_folder(folder, table, **({"concepts": CONCEPTS, "image_size": 12} | changes))


def test_images_and_values_are_in_the_order_of_the_table(there):
    told = []
    found = read(*there, progress=lambda done, of: told.append((done, of)))
    assert found.images.shape == (16, 12, 12, 3)
    names = ["".join(map(str, row)) for row in found.values]
    assert names == ["00"] * 4 + ["01"] * 4 + ["10"] * 4 + ["11"] * 4
    assert np.array_equal(found.images[5], picture("red", "right", 5))
    assert told[-1] == (16, 16)


def test_a_parquet_table_says_the_same(there):
    import pandas

    folder, table = there
    pandas.read_csv(table).to_parquet(table.with_suffix(".parquet"))
    assert read(folder, table.with_suffix(".parquet")).fingerprint() == read(*there).fingerprint()


def test_numbers_are_words_and_images_become_smaller_or_grey(there):
    folder, table = there
    write_table(table, [(name, "1.0" if c == "red" else "-1", p) for name, c, p in rows()])
    found = read(
        folder, table, concepts=CONCEPTS | {"colour": ("1", "-1")}, image_size=8, channels=1
    )
    assert found.images.shape == (16, 8, 8, 1)
    assert found.values[:8, 0].tolist() == [0] * 8


def test_what_is_transparent_becomes_white(there):
    folder, table = there
    Image.new("RGBA", (12, 12), (255, 0, 0, 0)).save(folder / rows()[0][0])
    assert (read(folder, table).images[0] == 255).all()


BROKEN = {
    "missing": (
        lambda f, t: (f / rows()[2][0]).unlink(),
        "1 of 16 images of .* are missing: .*red-left-2",
    ),
    "truncated": (
        lambda f, t: (f / rows()[1][0]).write_bytes((f / rows()[1][0]).read_bytes()[:60]),
        "1 of 16 images cannot be read: .*red-left-1.png is damaged or cut short",
    ),
    "no image": (
        lambda f, t: (f / rows()[1][0]).write_text("hello"),
        "is no image of a known format",
    ),
    "deep": (
        lambda f, t: Image.fromarray(np.zeros((12, 12), np.uint16)).save(f / rows()[0][0]),
        "more than 8 bits a channel",
    ),
    "unknown value": (
        lambda f, t: write_table(t, [*rows()[:-1], (rows()[-1][0], "green", "left")]),
        r"row 16 says 'green' for 'colour', which is none of red, blue \(1 such rows\)",
    ),
    "no value": (
        lambda f, t: write_table(t, [(rows()[0][0], "", "left")]),
        "row 1 says nothing for 'colour'",
    ),
    "header": (
        lambda f, t: write_table(t, rows(), header=("file", "color", "place")),
        "has no column 'colour'; it has file, color, place",
    ),
    "two columns": (
        lambda f, t: write_table(t, rows(), header=("file", "colour", "colour")),
        "has two columns 'colour'",
    ),
    "ragged": (lambda f, t: t.write_text("a,b\n1,2,3\n"), "is no table of text"),
    "no text": (lambda f, t: t.write_bytes(b"\xff\xfe\x00\x80"), "is no table of text"),
    "empty": (lambda f, t: t.write_text(""), "is empty"),
    "header alone": (lambda f, t: write_table(t, []), "has a header and no rows"),
    "twice": (
        lambda f, t: write_table(t, [rows()[0]] * 2),
        "names the file 'red-left-0.png' twice",
    ),
    "no table": (lambda f, t: t.unlink(), "table: there is no file"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_wrong_or_partial_data_are_named(case, there):
    change, message = BROKEN[case]
    change(*there)
    with pytest.raises(DataError, match=message):
        read(*there)


@pytest.mark.parametrize(
    "name", ["../secret.png", "/etc/secret.png", "C:\\secret.png", "a\\..\\b.png", ""]
)
def test_a_name_that_leads_out_of_the_folder_is_refused(name, there, tmp_path):
    folder, table = there
    Image.new("RGB", (12, 12)).save(tmp_path / "secret.png")
    write_table(table, [(name, "red", "left")])
    with pytest.raises(DataError, match=re.escape(f"{name!r} must be the name of a file in")):
        read(folder, table)


def test_a_link_that_leads_out_of_the_folder_is_refused(there, tmp_path):
    folder, table = there
    Image.new("RGB", (12, 12)).save(tmp_path / "secret.png")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    write_table(table, [("link.png", "red", "left")])
    with pytest.raises(DataError, match=r"is a link that leads out of"):
        read(folder, table)


def test_an_image_that_would_fill_the_memory_is_refused(there, monkeypatch):
    monkeypatch.setattr(reader, "MOST_PIXELS", 100)
    with pytest.raises(DataError, match=r"red-left-0.png has more than 0 million pixels"):
        read(*there)


def test_images_that_the_table_does_not_name_are_left_out_with_a_warning(there):
    folder, table = there
    (folder / "more").mkdir()
    Image.new("RGB", (12, 12)).save(folder / "more" / "extra.jpg")
    with pytest.warns(UserWarning, match=r"1 images in .* are not in .*extra.jpg"):
        assert len(read(folder, table)) == 16


def test_a_folder_that_is_none_is_named(there):
    folder, table = there
    with pytest.raises(DataError, match=r"there is no folder .*gone"):
        read(folder / "gone", table)
    with pytest.raises(DataError, match=r"unpack it first"):
        read(table, table)


def test_a_world_reads_the_folder_and_survives_json(there):
    folder, table = there
    world = FolderWorld(path=str(folder), table=str(table), concepts=CONCEPTS, image_size=12)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert FolderWorld.from_json(world.to_json()).loaded().images.shape == (16, 12, 12, 3)
    assert world.space.describe("10") == "blue left"
