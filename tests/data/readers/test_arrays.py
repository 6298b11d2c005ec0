"""Reading arrays from NumPy and HDF5 files."""

import pickle
import zipfile

import h5py
import numpy as np
import pytest

from conceptspace.data.labelled import DataError
from conceptspace.data.readers import arrays as reader
from conceptspace.data.readers.arrays import ArraysWorld, read_arrays

CONCEPTS = {"colour": ("red", "blue"), "size": ("large", "small")}
IMAGES = np.arange(6 * 8 * 8 * 3, dtype=np.int64).reshape(6, 8, 8, 3).astype(np.uint8)
LABELS = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [0, 0], [1, 1]])
WORDS = {"colour": np.array(["red", "red", "blue", "blue", "red", "blue"]), "size": LABELS[:, 1]}


def write(path, arrays):
    if path.suffix == ".npz":
        np.savez(path, **arrays)
        return path
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array.astype("S") if array.dtype.kind == "U" else array
    return path


@pytest.mark.parametrize("name", ["data.npz", "data.h5"])
@pytest.mark.parametrize(
    "labels",
    [{"labels": LABELS}, {"labels": LABELS.astype(float)}, WORDS],
    ids=["one array", "of whole floats", "an array each"],
)
def test_images_and_values_are_read(name, labels, tmp_path):
    found = read_arrays(write(tmp_path / name, {"images": IMAGES} | labels), concepts=CONCEPTS)
    assert np.array_equal(found.images, IMAGES)
    assert np.array_equal(found.values, LABELS)


def test_grey_floats_masks_and_groups_are_read(tmp_path):
    masks, groups = np.ones((6, 8, 8), dtype=bool), np.array([0, 0, 1, 1, 2, 2])
    arrays = {"images": IMAGES[..., 0] / 255, "labels": LABELS, "masks": masks, "groups": groups}
    found = read_arrays(write(tmp_path / "data.npz", arrays), concepts=CONCEPTS)
    assert np.array_equal(found.images[..., 0], IMAGES[..., 0])
    assert found.masks is not None
    assert found.groups is not None
    assert found.groups.tolist() == groups.tolist()


def test_numbers_that_are_words_are_not_indices(tmp_path):
    path = write(tmp_path / "data.npz", {"images": IMAGES, "age": np.array([8, 30, 8, 8, 30, 8])})
    found = read_arrays(path, concepts={"age": ("8", "30")})
    assert found.values[:, 0].tolist() == [0, 1, 0, 0, 1, 0]


WRONG = {  # arrays, and what the message must hold
    "no images": ({"labels": LABELS}, "has no array 'images'; it has labels"),
    "no labels": ({"images": IMAGES}, "has no array 'labels'"),
    "channels first": (
        {"images": IMAGES.transpose(0, 3, 1, 2), "labels": LABELS},
        r"not \(6, 3, 8, 8\); move the channel to the end",
    ),
    "range": (
        {"images": IMAGES.astype(float), "labels": LABELS},
        r"values in \[0, 1\], not 0 to 255",
    ),
    "nan": ({"images": np.full((6, 8, 8), np.nan), "labels": LABELS}, "holds NaN"),
    "type": ({"images": IMAGES.astype(np.int32), "labels": LABELS}, "must be bytes, .* not int32"),
    "number": ({"images": IMAGES, "labels": LABELS[:4]}, "one for each of the 6 images"),
    "columns": ({"images": IMAGES, "labels": LABELS[:, :1]}, "with 2 concepts, not"),
    "value": ({"images": IMAGES, "labels": LABELS + 1}, "says '1' for 'colour', which is none of"),
    "masks": (
        {"images": IMAGES, "labels": LABELS, "masks": np.ones((6, 4, 4))},
        "masks must have the images' shape",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_arrays_that_do_not_fit_are_named(case, tmp_path):
    arrays, message = WRONG[case]
    with pytest.raises(DataError, match=message):
        read_arrays(write(tmp_path / "data.npz", arrays), concepts=CONCEPTS)


class Explodes:
    """What a pickle would run."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def test_arrays_of_objects_are_refused_with_advice(tmp_path):
    labels = np.array([Explodes()] * 6, dtype=object)
    path = write(tmp_path / "data.npz", {"images": IMAGES, "colour": labels, "size": LABELS[:, 1]})
    with pytest.raises(DataError, match=r"'colour' holds Python objects.*dtype=str"):
        read_arrays(path, concepts=CONCEPTS)


@pytest.mark.parametrize("name", ["data.pkl", "data.pt", "data.npy"])
def test_pickles_are_refused_with_advice(name, tmp_path):
    (tmp_path / name).write_bytes(pickle.dumps(Explodes()))
    with pytest.raises(
        DataError, match=r"hold pickles, which run code: save the arrays with np.savez"
    ):
        read_arrays(tmp_path / name, concepts=CONCEPTS)


@pytest.mark.parametrize("name", ["data.npz", "data.h5"])
def test_a_damaged_or_missing_file_is_named(name, tmp_path):
    path = tmp_path / name
    with pytest.raises(DataError, match=r"there is no file"):
        read_arrays(path, concepts=CONCEPTS)
    write(path, {"images": IMAGES, "labels": LABELS})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"is damaged"):
        read_arrays(path, concepts=CONCEPTS)


def test_a_zip_bomb_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_LARGE_BYTES", 10_000)
    path = tmp_path / "data.npz"
    np.savez_compressed(
        path, images=np.zeros((1000, 16, 16, 3), np.uint8), labels=np.zeros((1000, 2))
    )
    with pytest.raises(DataError, match=r"over 200 times its size"):
        read_arrays(path, concepts=CONCEPTS)


def test_a_member_of_a_zip_that_is_no_array_is_named(tmp_path):
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", b"not an array")
    with pytest.raises(DataError, match=r"'images' is no array"):
        read_arrays(path, concepts=CONCEPTS)


def test_a_link_out_of_an_hdf5_file_is_refused(tmp_path):
    write(tmp_path / "other.h5", {"images": IMAGES})
    path = write(tmp_path / "data.h5", {"labels": LABELS})
    with h5py.File(path, "a") as file:
        file["images"] = h5py.ExternalLink("other.h5", "images")
    with pytest.raises(DataError, match=r"'images' is a link to another place"):
        read_arrays(path, concepts=CONCEPTS)


def test_objects_in_hdf5_are_refused(tmp_path):
    path = write(tmp_path / "data.h5", {"images": IMAGES, "size": LABELS[:, 1]})
    with h5py.File(path, "a") as file:
        file.create_dataset("colour", (6,), dtype=h5py.vlen_dtype(np.int32))
    with pytest.raises(DataError, match=r"'colour' holds Python objects"):
        read_arrays(path, concepts=CONCEPTS)


def test_a_world_refuses_images_of_another_size(tmp_path):
    path = write(tmp_path / "data.npz", {"images": IMAGES, "labels": LABELS})
    world = ArraysWorld(path=str(path), concepts=CONCEPTS, image_size=16)
    with pytest.raises(DataError, match=r"\(8, 8, 3\), not \(16, 16, 3\): set image_size"):
        world.loaded()
    assert len(world.replace(image_size=8).loaded()) == 6
