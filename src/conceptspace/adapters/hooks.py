"""What is changed in a foreign model for the length of a block, and always restored."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress

from torch import Tensor, nn


@contextmanager
def evaluating(*models: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; every submodule's own mode is restored after it."""
    modes = {module: module.training for model in models for module in model.modules()}
    for model in models:
        model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


@contextmanager
def replaced(model: nn.Module, outputs: Mapping[str, Tensor]) -> Iterator[None]:
    """Inside the block the named submodules of a model return the given outputs.

    Args:
        model: the model.
        outputs: submodule name to what it returns, whatever it is called with; it is cast to the
            type of what the submodule itself returns.
    """

    def hook_for(value: Tensor):
        return lambda module, inputs, output: value.to(output.dtype)

    with ExitStack() as hooks:
        for name, value in outputs.items():
            handle = model.get_submodule(name).register_forward_hook(hook_for(value))
            hooks.callback(handle.remove)
        yield


class _AllSeen(Exception):
    """Ends a model's call once all that is wanted has been seen."""


@contextmanager
def captured(model: nn.Module, names: tuple[str, ...]) -> Iterator[dict[str, Tensor]]:
    """Inside the block the first output of each named submodule is put into the dictionary.

    What runs in the block is stopped as soon as the last of them is there.
    """
    seen: dict[str, Tensor] = {}

    def hook_for(name: str):
        def hook(module: nn.Module, inputs: object, output: Tensor) -> None:
            seen.setdefault(name, output)
            if len(seen) == len(names):
                raise _AllSeen

        return hook

    with ExitStack() as hooks:
        for name in names:
            handle = model.get_submodule(name).register_forward_hook(hook_for(name))
            hooks.callback(handle.remove)
        with suppress(_AllSeen):
            yield seen
