"""Recording in loops in the way of Hugging Face's diffusers: accelerate, and averaged weights."""

from typing import Any

from conceptspace.observe.recorder import Recorder


def record_accelerated(
    recorder: Recorder, step: int, model: Any, accelerator: Any, *, average: Any = None
) -> bool:
    """Record in a loop that an `accelerate.Accelerator` runs; whether the step was measured.

    The main process measures the model without what accelerate has wrapped around it; the others
    wait.

    Args:
        recorder: measures.
        step: optimiser steps done.
        model: as `accelerator.prepare` gave it.
        accelerator: of the loop.
        average: a diffusers `EMAModel`: its weights are measured, and the raw ones are put back.

    Example:
        `record_accelerated(recorder, global_step, unet, accelerator, average=ema_unet)` after
        every optimiser step.
    """
    was_measured = False
    if accelerator.is_main_process:
        plain = accelerator.unwrap_model(model)
        if average is None:
            was_measured = recorder(step, plain)
        elif recorder.wants(step):
            average.store(plain.parameters())
            try:
                average.copy_to(plain.parameters())
                was_measured = recorder(step, plain)
            finally:
                average.restore(plain.parameters())
    accelerator.wait_for_everyone()
    return was_measured
