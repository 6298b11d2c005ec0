"""Shapes3D's published file in miniature."""

import itertools

import h5py
import numpy as np
import pytest

from conceptspace.data.labelled import DataError
from conceptspace.data.readers import shapes3d
from conceptspace.data.readers.shapes3d import Shapes3DWorld

CONCEPTS = {"shape": ("cube", "sphere"), "object_hue": ("0.6", "0")}
# As many images as there are tests of: few floors and walls, every shape.
VALUES = np.array(
    list(
        itertools.product(
            [0.0, 0.1], [0.9], [0.0, 0.3, 0.6], [0.75, 1.25], [0, 1, 2, 3], [-30.0, 30.0]
        )
    )
)
IMAGES = np.zeros((len(VALUES), 64, 64, 3), np.uint8)
IMAGES[:, ::, :, 0] = np.arange(len(VALUES))[:, None, None]


def write(path, **changes):
    with h5py.File(path, "w") as file:
        for name, array in ({"images": IMAGES, "labels": VALUES} | changes).items():
            if array is not None:
                file[name] = array
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write(tmp_path_factory.mktemp("shapes") / "3dshapes.h5")


def world(path, **changes):
    return Shapes3DWorld(**{"path": str(path), "concepts": CONCEPTS} | changes)


def test_images_of_the_chosen_values_are_read(path):
    found = world(path).loaded()
    rows = [row for row, v in enumerate(VALUES) if v[4] in (0, 2) and v[2] in (0.0, 0.6)]
    assert found.images[:, 5, 5, 0].tolist() == rows
    assert (found.values == [(v[4] == 2, v[2] == 0.0) for v in VALUES[rows]]).all()
    assert found.space.describe("10") == "sphere 0.6"


def test_other_factors_are_restricted_and_classes_balanced(path):
    found = world(path, only={"scale": ("7",)}, images_per_class=3).read()
    rows = found.images[:, 5, 5, 0]
    assert set(VALUES[rows][:, 3]) == {1.25}
    assert [len(found.rows_of(name)) for name in found.space.classes] == [3, 3, 3, 3]


def test_grey_and_smaller(path):
    assert world(path, channels=1, image_size=16).loaded().images.shape[1:] == (16, 16, 1)


def test_only_blocks_with_chosen_images_are_read(path, monkeypatch):
    monkeypatch.setattr(shapes3d, "_BLOCK", 8)
    read, told = [], []

    class Noted:
        def __init__(self, pixels):
            self.pixels = pixels

        def __len__(self):
            return len(self.pixels)

        def __getitem__(self, rows):
            read.extend(range(len(self.pixels))[rows])
            return self.pixels[rows]

    rows = np.array([17, 19, 40])
    kept = shapes3d._read_images(Noted(IMAGES), rows, lambda *given: told.append(given))
    assert kept[:, 0, 0, 0].tolist() == rows.tolist()
    assert read == [17, 18, 19, 40]
    assert told == [(2, 3), (3, 3)]


REFUSED = {
    "no labels": ({"labels": None}, "holds no array 'labels'"),
    "link": ({"labels": h5py.ExternalLink("/etc/other.h5", "x")}, "'labels' is a link or no array"),
    "group": ({"images": None, "images/a": IMAGES}, "'images' is a link or no array"),
    "size": ({"images": IMAGES[:, :32]}, r"must be bytes \(image, 64, 64, 3\), not uint8"),
    "kind": ({"images": IMAGES / np.float32(255)}, "must be bytes .* not float32"),
    "rows": ({"labels": VALUES[:-1]}, r"must be \(image, factor\), here \(96, 6\), not \(95, 6\)"),
    "value": ({"labels": VALUES + 0.05}, "row 0, says 0.05 for floor_hue, which is none of 0, 0.1"),
    "nan": ({"labels": VALUES * np.nan}, "row 0, says nan for floor_hue"),
    "words": ({"labels": VALUES.astype("S8")}, "must hold numbers"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_the_published_file_is_refused(what, tmp_path):
    changes, message = REFUSED[what]
    with pytest.raises(DataError, match=message):
        world(write(tmp_path / "it.h5", **changes)).read()


def test_a_partial_download_is_refused(path, tmp_path):
    part = tmp_path / "part.h5"
    part.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DataError, match=r"is partial, damaged or no HDF5 .*: download 3dshapes.h5"):
        world(part).read()
    with pytest.raises(DataError, match="there is no file"):
        world(tmp_path / "other.h5").read()
