"""Everything that training carries from one step to the next, and its form as plain tensors."""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor

from conceptspace.measure.files import DamagedFile
from conceptspace.models.execution import Execution
from conceptspace.models.regression import Model
from conceptspace.training.settings import TrainingSettings

SLOTS = ("step", "exp_avg", "exp_avg_sq")  # what AdamW keeps for each parameter


class TrainingState:
    """A model in training: its weights, their average, and the optimiser, after `step` steps.

    Random numbers are no part of it: they follow from the seed and the step.

    Args:
        model: the model, freshly initialised.
        settings: optimiser and averaging.
    """

    def __init__(self, model: Model, settings: TrainingSettings) -> None:
        self.step = 0
        self.model = model
        self.settings = settings
        self.average = copy.deepcopy(model) if settings.average_decay is not None else None
        self.optimiser = torch.optim.AdamW(
            model.parameters(),
            lr=settings.learning_rate,
            eps=settings.adam_epsilon,
            weight_decay=settings.weight_decay,
            fused=True,
            capturable=self.execution.captured,
        )

    @property
    def execution(self) -> Execution:
        """How the model is computed."""
        return getattr(self.model.network, "execution", Execution())

    @property
    def measured(self) -> Model:
        """The model that is measured: the average where there is one."""
        return self.model if self.average is None else self.average

    @torch.no_grad()
    def update_average(self) -> None:
        """Move the average towards the weights.

        Early on the decay is (1 + step) / (10 + step), so that the start is soon forgotten.
        """
        if self.average is None:
            return
        decay = min(self.settings.average_decay or 0.0, (1 + self.step) / (10 + self.step))
        averaged: list[Tensor] = list(self.average.parameters())
        weights: list[Tensor] = list(self.model.parameters())
        torch._foreach_lerp_(averaged, weights, 1 - decay)  # type: ignore[attr-defined]

    def weights(self) -> dict[str, Tensor]:
        """The weights for a checkpoint: `model.*`, and `average.*` where there is one."""
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        if self.average is not None:
            averaged = self.average.state_dict()
            tensors |= {f"average.{name}": value for name, value in averaged.items()}
        return tensors

    def to_tensors(self) -> dict[str, Tensor]:
        """The whole state."""
        tensors = self.weights() | {"step": torch.tensor(self.step)}
        for index, slots in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{slot}": value for slot, value in slots.items()}
        return tensors

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Continue from a state that `to_tensors` gave.

        Raises:
            DamagedFile: if the tensors are not those of this model and optimiser; nothing is
                changed then.
        """
        problem = self._misfit(tensors)
        if problem:
            raise DamagedFile(f"the training state does not fit this experiment: {problem}")
        self.model.load_state_dict(_under("model.", tensors))
        if self.average is not None:
            self.average.load_state_dict(_under("average.", tensors))
        parameters = list(self.model.parameters())
        slots: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("optimiser.", tensors).items():
            index, slot = name.split(".", 1)
            # Laid out in memory as the parameter is: the fused optimiser counts on it.
            like = parameters[int(index)] if value.ndim else value
            slots.setdefault(int(index), {})[slot] = torch.empty_like(like).copy_(value).detach()
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": slots, "param_groups": groups})
        self.step = int(tensors["step"])

    def _misfit(self, tensors: Mapping[str, Tensor]) -> str | None:
        """What keeps the tensors from being this state's; torch itself would load some of it."""
        needed = {name: value.shape for name, value in self.weights().items()}
        needed["step"] = torch.Size()
        slots: dict[str, torch.Size] = {}
        for index, parameter in enumerate(self.model.parameters()):
            names = [f"optimiser.{index}.{slot}" for slot in SLOTS]
            # A parameter that the network never uses has no slots.
            if any(name in tensors for name in names):
                slots |= dict.fromkeys(names, parameter.shape) | {names[0]: torch.Size()}
        expected = needed | slots
        for name in sorted(expected.keys() | tensors.keys()):
            if name not in tensors:
                return f"{name} is missing"
            if name not in expected:
                return f"{name} is not part of it"
            found, wanted = tuple(tensors[name].shape), tuple(expected[name])
            if found != wanted:
                return f"{name} has shape {found}, not {wanted}"
        if int(tensors["step"]) and not slots:
            return "the optimiser's part is missing"
        return None


def measured_weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a checkpoint that were measured: the average where there is one."""
    return _under("average.", tensors) or _under("model.", tensors)


def raw_weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a checkpoint as the last step left them, averaged or not."""
    return _under("model.", tensors)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
