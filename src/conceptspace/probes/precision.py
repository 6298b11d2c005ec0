"""Measuring keeps all digits, whatever precision the model under study was set to."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Multiply in float32 inside of the block, without TF32 and outside of autocast.

    A model may trade digits for speed; its measuring instrument must not change with that. The
    inversion takes derivatives by differences of a hundredth of a pixel, which the ten bits of TF32
    would swallow.

    Args:
        device: where the block computes.
    """
    # cuDNN uses TF32 unless told not to, matrix products only if told to.
    settings = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)  # type: ignore[attr-defined]
    before = [setting.fp32_precision for setting in settings]
    try:
        for setting in settings:
            setting.fp32_precision = "ieee"
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        for setting, value in zip(settings, before):
            setting.fp32_precision = value
