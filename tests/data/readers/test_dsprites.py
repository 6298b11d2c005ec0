"""dSprites' published file in miniature."""

import io
import itertools
import os
import zipfile

import numpy as np
import pytest

from conceptspace.concepts.settings import SettingsError
from conceptspace.data.labelled import DataError
from conceptspace.data.readers import dsprites
from conceptspace.data.readers.dsprites import DSpritesWorld

CONCEPTS = {"shape": ("square", "heart"), "scale": ("1", "0.5")}
TABLE = np.array(list(itertools.product([0], range(3), range(6), [0, 39], [0, 16], [3, 31])))


def picture(row):
    """Pixels that spell the row's own number in base 2."""
    image = np.zeros((64, 64), np.uint8)
    image[8, :16] = [row >> bit & 1 for bit in range(16)]
    image[20:30, 20:30] = 1
    return image


def number_of(image):
    return sum(int(pixel > 0) << bit for bit, pixel in enumerate(image[8, :16, 0]))


IMAGES = np.stack([picture(row) for row in range(len(TABLE))])


class Boom:
    """Whoever unpickles this raises."""

    def __reduce__(self):
        return (os.mkdir, ("/nowhere/at/all",))


def write(path, **changes):
    """The published arrays, the pickled one included."""
    metadata = np.empty((), dtype=object)
    metadata[()] = Boom()
    arrays = {
        "metadata": metadata,
        "imgs": IMAGES,
        "latents_classes": TABLE,
        "latents_values": TABLE.astype(np.float64),
    }
    arrays = {name: array for name, array in (arrays | changes).items() if array is not None}
    np.savez_compressed(path, **arrays)
    return path


@pytest.fixture
def path(tmp_path):
    return write(tmp_path / "dsprites.npz")


def world(path, **changes):
    return DSpritesWorld(**{"path": str(path), "concepts": CONCEPTS} | changes)


def test_the_pickle_of_the_published_file_would_run(path):
    with zipfile.ZipFile(path) as archive, pytest.raises(FileNotFoundError, match="nowhere"):
        np.load(io.BytesIO(archive.read("metadata.npy")), allow_pickle=True)


def test_images_of_the_chosen_values_are_read_and_the_pickle_is_not(path):
    found = world(path).read()
    rows = [row for row, v in enumerate(TABLE) if v[1] in (0, 2) and v[2] in (0, 5)]
    assert [number_of(image) for image in found.images] == rows
    expected = [(v[1] == 2, v[2] == 0) for v in TABLE[rows]]
    assert (found.values == expected).all()
    assert found.space.describe("11") == "heart 0.5"
    assert set(np.unique(found.images)) == {0, 255}


def test_factors_that_are_no_concept_are_free_or_restricted(path):
    found = world(path, only={"posX": ("0",), "orientation": ("0", "39")}).read()
    rows = [number_of(image) for image in found.images]
    assert set(TABLE[rows][:, 4]) == {0}
    assert set(TABLE[rows][:, 3]) == {0, 39}
    assert len(found) == 4 * 2 * 2


def test_no_more_of_each_class_than_asked_for(path):
    found = world(path, images_per_class=3).read()
    assert {name: len(found.rows_of(name)) for name in found.space.classes} == dict.fromkeys(
        ("00", "01", "10", "11"), 3
    )
    assert (world(path, images_per_class=3).read().images == found.images).all()
    assert (world(path, images_per_class=3, drawn_by=1).read().images != found.images).any()


def test_three_values_and_another_size_and_colour(path):
    concepts = {"shape": ("heart", "ellipse", "square"), "posY": ("31", "3")}
    made = world(path, concepts=concepts, image_size=32, channels=3)
    found = made.loaded()
    assert found.images.shape == (len(TABLE), 32, 32, 3)
    assert found.images[0, 12, 12].tolist() == [255] * 3
    assert found.values.max(axis=0).tolist() == [2, 1]


def test_nothing_is_unpacked_beyond_the_last_image_asked_for(path, monkeypatch):
    monkeypatch.setattr(dsprites, "_BLOCK", 16)
    unpacked, whole = [], dsprites._exactly
    monkeypatch.setattr(
        dsprites, "_exactly", lambda *given: unpacked.append(given[1][0]) or whole(*given)
    )
    told = []
    concepts = {"scale": ("0.5", "0.6"), "posX": ("0", "16")}
    made = world(path, concepts=concepts, only={"shape": ("square",)})
    assert len(made.read(lambda done, of: told.append((done, of)))) == 16
    assert unpacked == [len(TABLE), 16]
    assert told == [(16, 16)]


REFUSED = {
    "objects": ({"imgs": np.array([Boom()] * len(TABLE))}, "'imgs' holds pickled objects, .* run"),
    "labels of objects": ({"latents_classes": TABLE.astype(object)}, "holds pickled objects"),
    "no images": ({"imgs": None}, "holds no array 'imgs': is it the published file"),
    "another size": ({"imgs": IMAGES[:, ::2, ::2]}, r"must be bytes \(144, 64, 64\), not uint8"),
    "values": ({"imgs": IMAGES * 255}, "must hold 0 and 1, not 255"),
    "factors": ({"latents_classes": TABLE[:, :5]}, r"must be \(image, factor\), here \(144, 6\)"),
    "numbers": ({"latents_classes": TABLE * 1.0}, "must hold integers, not float64"),
    "range": ({"latents_classes": TABLE + 1}, "has values of color outside of 0 to 0"),
    "a part": ({"latents_classes": TABLE[:48], "imgs": IMAGES[:48]}, "not one image of class 10"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_the_published_file_is_refused(what, tmp_path):
    changes, message = REFUSED[what]
    with pytest.raises(DataError, match=message):
        world(write(tmp_path / "it.npz", **changes)).read()


def test_a_partial_download_is_refused(path, tmp_path):
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DataError, match=r"is partial, damaged or no .npz .*: download dsprites"):
        world(path).read()
    with pytest.raises(DataError, match="there is no file"):
        world(tmp_path / "other.npz").read()


def test_a_header_that_promises_more_than_there_is_is_refused(tmp_path):
    header = io.BytesIO()
    shape = {"descr": "<i8", "fortran_order": False, "shape": (3_000_000, 6)}
    np.lib.format.write_array_header_1_0(header, shape)
    with zipfile.ZipFile(tmp_path / "it.npz", "w") as archive:
        archive.writestr("latents_classes.npy", header.getvalue())
    with pytest.raises(DataError, match="ends too early"):
        world(tmp_path / "it.npz").read()


def test_damage_in_the_middle_is_noticed(path):
    data = bytearray(path.read_bytes())
    place = data.index(b"imgs.npy") + 200
    data[place : place + 60] = bytes(60)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"is partial, damaged or no .npz"):
        world(path).read()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"concepts": {"colour": ("a", "b")}},
            "'colour' is no factor of these data; they have col",
        ),
        ({"concepts": {"shape": ("square", "cube")}}, "'cube' is no value of it; it has square, "),
        ({"concepts": {"shape": ("heart", "heart")}}, "give different values, each once"),
        ({"concepts": {"shape": ("heart",)}}, "shape needs two values or more, not 1"),
        ({"only": {"shape": ("heart",)}}, "shape is a concept already; leave it out"),
        ({"only": {"posX": ("40",)}}, "posX: '40' is no value of it"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, message):
    with pytest.raises(SettingsError, match=message):
        world("dsprites.npz", **changes)
