"""CelebA is read as specified, and whatever is wrong with a download is said with its place."""

import os
import shutil
import time

import numpy as np
import pytest
from PIL import Image

from celeba import ATTRIBUTES, make_celeba, number_of, signs, table
from conceptspace.data.dataset import draw_labelled_sets
from conceptspace.data.labelled import DataError
from conceptspace.data.mixing import Conditioning, Prompter
from conceptspace.data.readers.celeba import CelebAWorld, read_celeba
from conceptspace.data.readers.celeba_table import read_attributes

PAIRS = {
    "male-smiling": ("Male", "Smiling"),
    "male-wearing_hat": ("Male", "Wearing_Hat"),
    "black_hair-eyeglasses": ("Black_Hair", "Eyeglasses"),
}
SIGNS = signs(1000)


@pytest.fixture(scope="module")
def thousand(tmp_path_factory):
    return make_celeba(tmp_path_factory.mktemp("celeba") / "celeba")


@pytest.fixture
def few(tmp_path):
    return make_celeba(tmp_path / "few", 40)


def present(name, given=SIGNS):
    return given[:, ATTRIBUTES.index(name)] == 1


def cells(pair):
    """How many images of each class the table has, counted by hand."""
    first, second = (present(name) for name in PAIRS[pair])
    if pair.startswith("male"):
        first = ~first
    return {f"{int(a)}{int(b)}": int(((first == a) & (second == b)).sum())
            for a in (False, True) for b in (False, True)}  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS)
def test_each_training_class_has_as_many_images_as_the_rarest_of_them(pair, thousand):
    found = read_celeba(thousand, pair, image_size=8)
    counts, number = cells(pair), min(cells(pair)[name] for name in ("00", "01", "10"))
    assert {name: len(found.rows_of(name)) for name in counts} == {
        "00": number, "01": number, "10": number, "11": min(number, counts["11"])
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("male-smiling", "female smiling"),
        ("male-wearing_hat", "female hat"),
        ("black_hair-eyeglasses", "black hair eyeglasses"),
    ],
)
def test_the_class_that_the_paper_holds_out_is_11(pair, words):
    assert CelebAWorld(pair=pair).space.describe("11") == words


def test_images_are_labelled_by_their_own_line(thousand):
    found = read_celeba(thousand, "male-smiling", image_size=8, images_per_class=20)
    assert len(found) == 80
    for image, (gender, smiling) in zip(found.images, found.values):
        row = number_of(image) - 1
        assert (~present("Male")[row], present("Smiling")[row]) == (gender, smiling)


def test_the_whole_image_is_resized_and_not_cropped(few):
    path = few / "img_align_celeba" / "000007.jpg"
    drawn = np.zeros((218, 178, 3), np.uint8)
    drawn[:, :20], drawn[200:, :, 1] = (255, 0, 0), 255
    Image.fromarray(drawn).save(path, quality=95)
    names = read_attributes(few / "list_attr_celeba.txt", ["Male"]).names
    found = read_celeba(few, image_size=64)
    opened = Image.open(path).convert("RGB")
    expected = np.asarray(opened.resize((64, 64), Image.Resampling.BILINEAR))
    assert names[6] == "000007.jpg"
    assert any((image == expected).all() for image in found.images)
    assert expected[10, 2, 0] > 200
    assert expected[62, 40, 1] > 200


def test_a_seed_draws_the_same_images_and_another_seed_others(thousand):
    first, again, other = (
        read_celeba(thousand, image_size=8, images_per_class=30, drawn_by=seed)
        for seed in (0, 0, 1)
    )
    assert (first.images == again.images).all()
    assert (first.images != other.images).any()


def test_the_published_folders_are_found_too(few):
    for folder, name in (("Img", "img_align_celeba"), ("Anno", "list_attr_celeba.txt")):
        (few / folder).mkdir()
        (few / name).rename(few / folder / name)
    assert len(read_celeba(few, image_size=8))


def test_a_model_learns_from_as_many_as_the_rarest_class_has_to_learn_from(thousand):
    world = CelebAWorld(path=str(thousand), pair="male-wearing_hat", image_size=8)
    rarest = cells("male-wearing_hat")["01"]
    kept = round(world.judged_share * rarest)
    assert world.num_to_learn(30_000, ("00", "01", "10")) == rarest - kept
    assert world.num_to_learn(10, ("00", "01", "10")) == 10
    assert world.replace(images_per_class=5).num_to_learn(30_000, ("00",)) == 30_000


def test_training_images_alone_are_changed_at_random(thousand):
    world = CelebAWorld(path=str(thousand), image_size=8, images_per_class=20, noise=0.0)
    prompter = Prompter(
        space=world.space, conditioning=Conditioning(), factor_widths=world.factor_widths
    )
    sets = draw_labelled_sets(
        world,
        prompter,
        ("00", "01", "10"),
        ("11",),
        num_per_class=10,
        training_share=0.8,
        num_held_out=5,
        rng=np.random.default_rng(0),
    )
    assert sets["train"].augmentation == world.augmentation is not None
    assert sets["validation"].augmentation is None
    assert sets["held_out"].augmentation is None


def test_full_size_tables_are_read_in_seconds(tmp_path):
    """The bar is 5 s for all 202 599 lines; a tenth of them within 0.5 s of CPU."""
    given = np.resize(SIGNS, (20_260, 40))
    (tmp_path / "list.txt").write_text(table(given))
    start = time.process_time()
    found = read_attributes(tmp_path / "list.txt", ["Young", "Male"])
    assert time.process_time() - start < 0.5
    assert (found.present == np.stack([present("Young", given), present("Male", given)], 1)).all()


def changed(line, old, new):
    """A change of the table: in a line, counted from 1."""

    def change(root):
        path = root / "list_attr_celeba.txt"
        lines = path.read_text().splitlines()
        assert old in lines[line - 1]
        lines[line - 1] = lines[line - 1].replace(old, new, 1)
        path.write_text("\n".join(lines) + "\n")

    return change


def link_out(root):
    (root.parent / "secret.jpg").write_bytes((root / "img_align_celeba/000003.jpg").read_bytes())
    (root / "img_align_celeba/000003.jpg").unlink()
    (root / "img_align_celeba/000003.jpg").symlink_to(root.parent / "secret.jpg")


def cut_short(root):
    path = root / "img_align_celeba/000003.jpg"
    path.write_bytes(path.read_bytes()[:-40])


def without(*names):
    def change(root):
        for name in names:
            path = root / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return change


def unpacked_not_yet(root):
    without("img_align_celeba")(root)
    (root / "img_align_celeba.zip").write_bytes(b"")


DAMAGES = {
    "truncated image": (cut_short, r"1 of \d+ images cannot be read: .*03.jpg is damaged or cut"),
    "no image": (
        lambda root: (root / "img_align_celeba/000003.jpg").write_text("<html>quota</html>"),
        "000003.jpg is no image of a known format",
    ),
    "missing attribute": (
        changed(2, "Smiling", "Laughing"), "line 2: has no attribute 'Smiling'; it names 5_o_Clock"
    ),
    "attribute twice": (changed(2, "Male", "Smiling"), "line 2: has no attribute 'Male'"),
    "count": (changed(1, "40", "41"), "line 1: it says 41 images, but 40 lines follow"),
    "no count": (
        changed(1, "40", "image_id,Male"), "line 1: must be the number of images .*; a .csv"
    ),
    "columns": (changed(9, " 1", ""), "line 9: must be a file name and 40 attributes, .* has 39"),
    "value": (changed(9, " 1", " 0"), "line 9: .* of 000007.jpg must be 1 or -1, not '0'"),
    "missing images": (
        without("img_align_celeba/000004.jpg", "img_align_celeba/000009.jpg"),
        "2 of 40 images of .* are not in .*: 000004.jpg; 000009.jpg: the download is partial",
    ),
    "twice": (changed(4, "000002.jpg", "000001.jpg"), "names 000001.jpg twice"),
    "parent": (changed(4, "000002.jpg", "../secret.jpg"), "line 4: '../secret.jpg' must be the"),
    "absolute": (changed(4, "000002.jpg", "/etc/passwd.jpg"), "line 4: '/etc/passwd.jpg' must be"),
    "windows": (changed(4, "000002.jpg", r"C:\\a.jpg"), "line 4: .* without a path"),
    "link": (link_out, "000003.jpg is a link that leads out of"),
    "no folder": (without("img_align_celeba"), "but it holds no img_align_celeba"),
    "zipped": (unpacked_not_yet, "holds no img_align_celeba: unpack .*img_align_celeba.zip"),
    "no table": (without("list_attr_celeba.txt"), "but it holds no list_attr_celeba.txt"),
    "nothing": (without(""), "there is no such folder"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_wrong_with_a_download_is_said(damage, few):
    change, message = DAMAGES[damage]
    change(few)
    with pytest.raises(DataError, match=message):
        read_celeba(few, image_size=8)


def test_a_table_that_is_no_text_is_refused(few):
    (few / "list_attr_celeba.txt").write_bytes(b"\x80\x04\x95" * 10)
    with pytest.raises(DataError, match="is not text"):
        read_celeba(few, image_size=8)


def test_extra_files_are_warned_of_and_hidden_ones_are_not(few):
    (few / "img_align_celeba" / ".DS_Store").touch()
    assert len(read_celeba(few, image_size=8))
    shutil.copy(few / "img_align_celeba/000001.jpg", few / "img_align_celeba/copy of 1.jpg")
    with pytest.warns(UserWarning, match="1 files in .* are left out: copy of 1.jpg"):
        read_celeba(few, image_size=8)


def test_a_class_without_images_is_named(few):
    given = signs(40)
    given[:, ATTRIBUTES.index("Wearing_Hat")] = -1
    (few / "list_attr_celeba.txt").write_text(table(given))
    with pytest.raises(DataError, match=r"not one image of class 01 \(male hat\)"):
        read_celeba(few, "male-wearing_hat", image_size=8)


def test_a_world_without_a_path_says_what_to_give():
    with pytest.raises(DataError, match=r"say where it is, as in --world.path DIR"):
        CelebAWorld().loaded()


def test_a_folder_that_cannot_be_written_to_needs_a_cache_elsewhere(few, tmp_path):
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(DataError, match=r"cannot be written .*: make room there, or give another"):
        read_celeba(few, image_size=8, cache=blocked)
    assert len(read_celeba(few, image_size=8, cache=tmp_path / "elsewhere"))
    assert not os.path.exists(few / "conceptspace-cache")
