"""A Lightning callback that records; Lightning is imported when one is made."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from conceptspace.observe.recorder import Recorder

if TYPE_CHECKING:
    from lightning.pytorch.callbacks import Callback


def concept_callback(
    recorder: Recorder, model: Callable[[Any], Any] = lambda module: module
) -> "Callback":
    """What a Lightning `Trainer` takes as a callback: it records after every optimiser step.

    Step 0 is the untrained model, then the trainer's `global_step` counts; with gradient
    accumulation it is called once a step and not once a batch. In training on several processes
    only the first records, and the others wait for it.

    Args:
        recorder: measures.
        model: from the `LightningModule` to what the recorder is to measure, such as
            `lambda module: module.ema`.

    Raises:
        ModuleNotFoundError: if Lightning is not installed; the message says how to.
    """
    try:
        from lightning.pytorch.callbacks import Callback
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "Lightning is not installed: pip install 'conceptspace[lightning]'"
        ) from error

    class _Recording(Callback):
        def _record(self, trainer: Any, module: Any) -> None:
            if trainer.is_global_zero:
                recorder(trainer.global_step, model(module))
            trainer.strategy.barrier("conceptspace")

        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            self._record(trainer, pl_module)

        def on_train_batch_end(self, trainer: Any, pl_module: Any, *batch: Any) -> None:
            self._record(trainer, pl_module)

    return _Recording()
