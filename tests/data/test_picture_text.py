import json

import numpy as np
import pytest

from conceptspace.data.picture_text import pictures_as_text, pictures_from_text


@pytest.mark.parametrize("shape", [(2, 4, 8, 8, 3), (5, 5, 3), (0, 5, 5, 3)])
def test_pictures_survive_being_text(shape):
    pictures = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    text = json.loads(json.dumps(pictures_as_text(pictures)))
    np.testing.assert_array_equal(pictures_from_text(text), pictures)
