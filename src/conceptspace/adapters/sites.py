"""Which submodules of a model could be sites: those whose output is the condition's alone."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from conceptspace.adapters.hooks import evaluating
from conceptspace.adapters.modules import SampleModel


@dataclass(frozen=True)
class Site:
    """What a submodule's output depends on.

    Attributes:
        name: the submodule, as in `model.named_modules()`.
        kind: its class.
        shape: of its first output.
        heeds_condition: whether the output is another under another condition.
        heeds_noise: whether it is another under another noise.
        changes: whether it changes from call to call while one batch is drawn, as it does with the
            time of diffusion.
        has_rows: whether it has one row for each condition.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    heeds_condition: bool
    heeds_noise: bool
    changes: bool
    has_rows: bool

    @property
    def is_candidate(self) -> bool:
        """Whether `ModuleAdapter` could take it for a site."""
        alone = not self.heeds_noise and not self.changes
        return self.heeds_condition and alone and self.has_rows


@torch.no_grad()
def find_sites(model: nn.Module, sample: SampleModel, conditions: Any) -> list[Site]:
    """What each submodule's output depends on, found by drawing three small batches.

    Args:
        model: any model.
        sample: `sample(model, conditions, generator)`, as `ModuleAdapter` takes it.
        conditions: two or more that differ: class ids (a tensor), prompts (a list) or conditioning
            vectors (a tensor), whatever `sample` takes.

    Returns:
        A record for each submodule that returns a tensor, in the order of their first call.

    Raises:
        ValueError: if the conditions do not differ.

    Example:
        >>> model = nn.Sequential(nn.Linear(2, 4), nn.Tanh())
        >>> def sample(model, vectors, generator):
        ...     return model(vectors) + torch.randn((len(vectors), 4), generator=generator)
        >>> [site.name for site in find_sites(model, sample, torch.eye(2)) if site.is_candidate]
        ['0', '1']
    """
    others = _rotated(conditions)
    num = len(conditions)
    first = _watched(model, lambda generator: sample(model, conditions, generator), 0)
    other = _watched(model, lambda generator: sample(model, others, generator), 0)
    noise = _watched(model, lambda generator: sample(model, conditions, generator), 1)
    modules = dict(model.named_modules())
    return [
        Site(
            name=name,
            kind=type(modules[name]).__name__,
            shape=tuple(seen.output.shape),
            heeds_condition=name not in other or not _same(seen.output, other[name].output),
            heeds_noise=name not in noise or not _same(seen.output, noise[name].output),
            changes=seen.changes,
            has_rows=seen.output.ndim > 0 and len(seen.output) == num,
        )
        for name, seen in first.items()
    ]


def _rotated(conditions: Any) -> Any:
    """The same conditions, each in the place of the one before."""
    if isinstance(conditions, Tensor):
        others = conditions.roll(1, 0)
        differ = len(conditions) > 1 and not torch.equal(others, conditions)
    else:
        conditions = list(conditions)
        others = [*conditions[1:], *conditions[:1]]
        differ = others != conditions
    if not differ:
        raise ValueError("conditions must be two or more that differ, to see what depends on them")
    return others


@dataclass
class _Seen:
    """A submodule's outputs during one batch."""

    output: Tensor
    changes: bool = field(default=False)


def _watched(
    model: nn.Module, draw: Callable[[torch.Generator], Tensor], seed: int
) -> dict[str, _Seen]:
    """What each submodule returned while a batch was drawn, by name."""
    seen: dict[str, _Seen] = {}

    def hook_for(name: str):
        def hook(module: nn.Module, inputs: object, output: object) -> None:
            if not isinstance(output, Tensor):
                return
            if name not in seen:
                seen[name] = _Seen(output.detach().clone())
            elif not seen[name].changes:
                seen[name].changes = not _same(seen[name].output, output)

        return hook

    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    with ExitStack() as hooks, evaluating(model):
        for name, module in model.named_modules():
            if name:
                hooks.callback(module.register_forward_hook(hook_for(name)).remove)
        draw(torch.Generator(device).manual_seed(seed))
    return seen


def _same(a: Tensor, b: Tensor) -> bool:
    """Equal to the bit, but for NaN."""
    return a.shape == b.shape and torch.equal(torch.nan_to_num(a), torch.nan_to_num(b))
