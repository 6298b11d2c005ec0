"""Coloured digits: real handwriting that comes with scikit-learn, its strokes tinted by colour."""

from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.labelled import DataError, LabelledImages, ReadingProgress
from conceptspace.data.labelled_world import LabelledWorld
from conceptspace.data.streams import numpy_stream

PAPER = 0.9
"""Brightness of the ground that is written on."""
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_FULL_INK = 16.0  # the bundled images count dark pixels in blocks of 4 x 4
_JITTER = 1 / 8  # of the separation, as in the paper's synthetic world

_MISSING = (
    "coloured digits need scikit-learn, which holds the images: pip install 'conceptspace[data]'"
)


class DigitsWorld(LabelledWorld):
    """Two handwritten digits, each drawn in red and in blue.

    Every image shows a digit that somebody wrote (UCI test set of optical recognition of
    handwritten digits, 8 x 8, about 180 a digit), enlarged. Both tints of one are in the same part
    of the data, so that what judges the probe is handwriting which nothing has learned from.
    """

    kind: Literal["digits"] = "digits"
    image_size: int = Field(default=16, ge=8, le=64)
    """Height and width in pixels that the 8 x 8 images are brought to."""
    digits: tuple[int, int] = (0, 1)
    """Which two, in the order of the values."""
    separation: float = Field(default=0.4, gt=0.0, le=0.8)
    """Between red and blue strokes, in the red and the blue channel."""
    judged_share: float = Field(default=0.3, gt=0.0, lt=1.0)
    """Share of the handwriting that is kept back to judge the probe."""

    @field_validator("digits")
    @classmethod
    def _digits_differ(cls, digits: tuple[int, int]):
        if digits[0] == digits[1] or not all(0 <= digit <= 9 for digit in digits):
            raise ValueError("give two different digits from 0 to 9")
        return digits

    @property
    def space(self) -> ConceptSpace:
        first, second = self.digits
        return ConceptSpace.named(colour=("red", "blue"), digit=(_WORDS[first], _WORDS[second]))

    def read(self, progress: ReadingProgress | None = None) -> LabelledImages:
        """Tint the bundled digits; the same images every time.

        Raises:
            DataError: if scikit-learn is not installed.
        """
        ink, value = _handwriting(self.digits)
        ink = _enlarged(ink, self.image_size)
        rng = numpy_stream(0, "tints")
        high, low = 0.5 + self.separation / 2, 0.5 - self.separation / 2
        images, values = [], []
        for colour, mean in enumerate(((high, low, low), (low, low, high))):
            tint = rng.uniform(-1, 1, size=(len(ink), 3)) * _JITTER * self.separation + mean
            tinted = PAPER + ink[..., None] * (tint[:, None, None] - PAPER)
            shown = tinted if self.channels == 3 else tinted.mean(axis=-1, keepdims=True)
            images.append((255 * shown.clip(0, 1)).round().astype(np.uint8))
            values.append(np.stack([np.full(len(ink), colour), value], axis=1))
        return LabelledImages(
            np.concatenate(images),
            np.concatenate(values).astype(np.int64),
            self.space,
            masks=np.concatenate([ink > 0.5] * 2),
            groups=np.tile(np.arange(len(ink)), 2),
        )


def _handwriting(digits: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Ink (num, 8, 8) in [0, 1], and which of the two digits it is (num,)."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DataError(_MISSING) from error
    pixels, shown = load_digits(return_X_y=True)
    pixels, shown = np.asarray(pixels), np.asarray(shown)
    kept = np.isin(shown, digits)
    ink = pixels[kept].reshape(-1, 8, 8) / _FULL_INK
    return ink, (shown[kept] == digits[1]).astype(np.int64)


def _enlarged(ink: np.ndarray, size: int) -> np.ndarray:
    """The same (num, size, size), with smooth edges."""
    from PIL import Image

    resized = [
        Image.fromarray(picture.astype(np.float32)).resize((size, size), Image.Resampling.BICUBIC)
        for picture in ink
    ]
    return np.stack([np.asarray(picture) for picture in resized]).clip(0, 1)
