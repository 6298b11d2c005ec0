"""A small folder of images with its table, and what a test changes of it."""

import numpy as np
from PIL import Image

CONCEPTS = {"colour": ("red", "blue"), "place": ("left", "right")}
COLOURS = {"red": (200, 40, 40), "blue": (40, 40, 200)}


def picture(colour, place, number, size=12):
    """A bar of a colour on the left or on the right; each number gives another."""
    image = np.full((size, size, 3), 230, dtype=np.uint8)
    shade = np.clip(np.array(COLOURS[colour]) + 3 * (number % 9) - 12, 0, 255)
    start = 1 if place == "left" else size // 2 + 1
    image[2 : 8 + number % 3, start : start + size // 3] = shade
    return image


def rows(per_class=4):
    """File name, colour and place of each image."""
    return [
        (f"{colour}-{place}-{number}.png", colour, place)
        for colour in CONCEPTS["colour"]
        for place in CONCEPTS["place"]
        for number in range(per_class)
    ]


def make_folder(root, per_class=4):
    """Images in `root/images` and `root/table.csv`; both paths."""
    folder, table = root / "images", root / "table.csv"
    folder.mkdir(parents=True)
    for number, (name, colour, place) in enumerate(rows(per_class)):
        Image.fromarray(picture(colour, place, number)).save(folder / name)
    write_table(table, rows(per_class))
    return folder, table


def write_table(table, rows, header=("file", "colour", "place")):
    table.write_text("".join(",".join(row) + "\n" for row in (header, *rows)))
