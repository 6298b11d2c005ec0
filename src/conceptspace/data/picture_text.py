"""Small pictures as text, for findings that are JSON. No torch."""

import base64

import numpy as np
from jaxtyping import UInt8

Pictures = UInt8[np.ndarray, "*cell row column channel"]


def pictures_as_text(pictures: Pictures) -> dict[str, object]:
    """Bytes and shape of pictures, as JSON knows them.

    Example:
        >>> pictures_as_text(np.zeros((1, 1, 3), np.uint8))
        {'shape': [1, 1, 3], 'bytes': 'AAAA'}
    """
    data = np.ascontiguousarray(pictures, dtype=np.uint8)
    return {"shape": list(data.shape), "bytes": base64.b64encode(data.tobytes()).decode()}


def pictures_from_text(text: dict[str, object]) -> Pictures:
    """The pictures that `pictures_as_text` wrote."""
    data = np.frombuffer(base64.b64decode(str(text["bytes"])), dtype=np.uint8)
    return data.reshape(text["shape"])  # pyright: ignore[reportCallIssue,reportArgumentType]
