"""CelebA in miniature, in its public layout and as Parquet: tiny faces of one colour each."""

from pathlib import Path

import numpy as np
from PIL import Image

_SECOND_LINE = (
    "5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose "
    "Black_Hair Blond_Hair Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee "
    "Gray_Hair Heavy_Makeup High_Cheekbones Male Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard "
    "Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks Sideburns Smiling Straight_Hair "
    "Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace Wearing_Necktie Young"
)
ATTRIBUTES = _SECOND_LINE.split()
WIDTH, HEIGHT = 18, 22  # of the images, a tenth of CelebA's


def signs(num: int) -> np.ndarray:
    """What is said of each image: 1 or -1, (num, attribute)."""
    rng = np.random.default_rng(0)
    given = np.where(rng.uniform(size=(num, 40)) < 0.5, 1, -1)
    for rare, share in {"Wearing_Hat": 0.1, "Eyeglasses": 0.2}.items():
        given[:, ATTRIBUTES.index(rare)] = np.where(rng.uniform(size=num) < share, 1, -1)
    return given


def table(given: np.ndarray) -> str:
    """The text of the table of attributes."""
    lines = [f"{i:06d}.jpg " + " ".join(f"{s:2d}" for s in row) for i, row in enumerate(given, 1)]
    return "\n".join([str(len(given)), _SECOND_LINE + " ", *lines]) + "\n"


def make_celeba(root: Path, num: int = 1000) -> Path:
    """A folder in CelebA's layout whose images have a colour of their own; see `number_of`."""
    (root / "img_align_celeba").mkdir(parents=True)
    for i in range(1, num + 1):
        image = Image.new("RGB", (WIDTH, HEIGHT), (8 * (i % 32), 8 * (i // 32), 50))
        image.save(root / "img_align_celeba" / f"{i:06d}.jpg", quality=95)
    (root / "list_attr_celeba.txt").write_text(table(signs(num)))
    return root


def columns(given: np.ndarray) -> dict[str, np.ndarray]:
    """A column an attribute."""
    return {name: given[:, index] for index, name in enumerate(ATTRIBUTES)}


def as_parquet_table(root: Path) -> Path:
    """The same folder with its table as Parquet."""
    from pyarrow import parquet, table

    text = root / "list_attr_celeba.txt"
    num = int(text.read_text().split("\n", 1)[0])
    names = [f"{i:06d}.jpg" for i in range(1, num + 1)]
    made = table({"image_id": names, **columns(signs(num))})
    parquet.write_table(made, text.with_suffix(".parquet"))
    text.unlink()
    return root


def as_shards(root: Path, to: Path, encode=lambda given: given == 1, num_files: int = 3) -> Path:
    """The same images and attributes as hubs of data sets publish them, in three files."""
    from pyarrow import parquet, table

    files = sorted((root / "img_align_celeba").iterdir())
    to.mkdir(parents=True)
    given = encode(signs(len(files)))
    for index, rows in enumerate(np.array_split(np.arange(len(files)), num_files)):
        images = [{"bytes": files[i].read_bytes(), "path": files[i].name} for i in rows]
        made = table({"image": images, "celeb_id": rows, **columns(given[rows])})
        path = to / f"train-{index:05d}-of-{num_files:05d}.parquet"
        parquet.write_table(made, path, row_group_size=70)
    return to


def number_of(image: np.ndarray) -> int:
    """The number in the name of the file that an image is from, up to 1023."""
    red, green = (round(int(value) / 8) for value in image[image.shape[0] // 2, 0, :2])
    return red + 32 * green
