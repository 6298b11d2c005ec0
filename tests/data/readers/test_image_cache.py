"""Images that are brought to size once."""

import numpy as np
import pytest
from PIL import Image

from conceptspace.data.labelled import DataError
from conceptspace.data.readers import image_cache
from conceptspace.data.readers.image_cache import cached_images
from conceptspace.data.readers.image_sources import ImageFiles

NUM = 30


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(image_cache, "_SHARD", 8)
    return make_files(tmp_path / "images", NUM)


def make_files(folder, num):
    folder.mkdir()
    for i in range(num):
        Image.new("RGB", (9, 11), (8 * i % 256, 0, 0)).save(folder / f"{i}.png")
    return as_found(folder, num)


def as_found(folder, num=NUM, **changes):
    names = [f"{i}.png" for i in range(num)]
    sizes = [(folder / name).stat().st_size for name in names]
    settings = {"image_size": 8, "channels": 3} | changes
    return ImageFiles(folder=folder, names=names, sizes=sizes, **settings)


def reading(monkeypatch):
    """The names of the files that are read from now on."""
    read, whole = [], image_cache.read_image

    def noted(file, *arguments):
        read.append(file.name)
        return whole(file, *arguments)

    monkeypatch.setattr(image_cache, "read_image", noted)
    return read


def cached(tmp_path, files, **options):
    return cached_images(tmp_path / "cache", files, **{"processes": 1} | options)


def test_images_come_in_the_order_of_their_names_from_a_file_that_is_mapped(tmp_path, files):
    images = cached(tmp_path, files)
    assert isinstance(images, np.memmap)
    assert images.shape == (NUM, 8, 8, 3)
    assert images[:, 4, 4, 0].tolist() == [8 * i % 256 for i in range(NUM)]


def test_what_is_there_is_not_read_again(tmp_path, files, monkeypatch):
    first = cached(tmp_path, files)
    read = reading(monkeypatch)
    assert (cached(tmp_path, files) == first).all()
    assert not read


def test_what_is_there_is_read_where_nothing_can_be_written(tmp_path, files, monkeypatch):
    first = cached(tmp_path, files)
    monkeypatch.setattr(image_cache, "_alone", None)
    assert (cached(tmp_path, files) == first).all()


def test_grey_and_other_sizes_are_other_images(tmp_path, files):
    cached(tmp_path, files)
    grey = as_found(files.folder, channels=1, image_size=16)
    with pytest.warns(UserWarning, match="are read again"):
        assert cached(tmp_path, grey).shape == (NUM, 16, 16, 1)


def test_a_changed_source_is_noticed(tmp_path, files):
    cached(tmp_path, files)
    Image.new("RGB", (20, 20), (0, 200, 0)).save(files.folder / "3.png")
    with pytest.warns(UserWarning, match="are not those that .*cache was made from"):
        images = cached(tmp_path, as_found(files.folder))
    assert images[3, 4, 4].tolist() == [0, 200, 0]


def test_a_kill_loses_only_shards_that_were_not_done(tmp_path, files, monkeypatch):
    def killed(done, total):
        if done >= 16:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached(tmp_path, files, progress=killed)
    assert not (tmp_path / "cache" / "images.npy").exists()
    read, told = reading(monkeypatch), []
    images = cached(tmp_path, files, progress=lambda done, total: told.append((done, total)))
    assert read == [f"{i}.png" for i in range(16, NUM)]
    assert told == [(24, NUM), (30, NUM)]
    assert images[:, 4, 4, 0].tolist() == [8 * i % 256 for i in range(NUM)]


def test_a_source_that_changed_after_a_kill_is_begun_again(tmp_path, files, monkeypatch):
    def killed(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached(tmp_path, files, progress=killed)
    Image.new("RGB", (20, 20), (0, 200, 0)).save(files.folder / "3.png")
    assert cached(tmp_path, as_found(files.folder))[3, 4, 4].tolist() == [0, 200, 0]


def test_images_that_cannot_be_read_are_named_and_the_others_kept(tmp_path, files, monkeypatch):
    good = (files.folder / "9.png").read_bytes()
    (files.folder / "9.png").write_bytes(bytes(len(good)))
    with pytest.raises(DataError, match=r"1 of 30 images cannot be read: .*9.png is no image"):
        cached(tmp_path, files)
    (files.folder / "9.png").write_bytes(good)
    read = reading(monkeypatch)
    cached(tmp_path, files)
    assert read == [f"{i}.png" for i in range(8, 16)]


def test_a_cache_that_was_cut_short_is_made_again(tmp_path, files):
    first = np.array(cached(tmp_path, files))
    path = tmp_path / "cache" / "images.npy"
    path.write_bytes(path.read_bytes()[:-100])
    assert (cached(tmp_path, files) == first).all()


def test_an_array_of_objects_in_its_place_is_not_loaded(tmp_path, files):
    first = np.array(cached(tmp_path, files))
    np.save(tmp_path / "cache" / "images.npy", np.array([print], dtype=object), allow_pickle=True)
    assert (cached(tmp_path, files) == first).all()


def test_several_processes_make_the_same(tmp_path):
    files = make_files(tmp_path / "many", 1100)
    (files.folder / "700.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"1 of 1100 images .*700.png"):
        cached_images(tmp_path / "cache", files, processes=2)
    Image.new("RGB", (9, 11), (8 * 700 % 256, 0, 0)).save(files.folder / "700.png")
    images = cached_images(tmp_path / "cache", files, processes=2)
    assert images[:, 4, 4, 0].tolist() == [8 * i % 256 for i in range(1100)]
