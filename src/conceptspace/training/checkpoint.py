"""Checkpoints and training states on disk, as safetensors: loading them never executes code."""

from collections.abc import Callable, Iterable
from pathlib import Path

import safetensors.torch
from torch import Tensor

from conceptspace.measure.files import DamagedFile, SealedFolder
from conceptspace.training.state import TrainingState

NUM_KEPT_STATES = 2
STATES = "state/step=*.safetensors"


class CheckpointStore:
    """One seed's checkpoints (weights, kept for good) and states (what resuming needs).

    Args:
        folder: the seed's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.sealed = SealedFolder(folder)

    def save(self, state: TrainingState) -> None:
        """Write a checkpoint and then the state; older states but one are removed."""
        self.sealed.write(_checkpoint(state.step), safetensors.torch.save(_plain(state.weights())))
        self.sealed.write(_state(state.step), safetensors.torch.save(_plain(state.to_tensors())))
        self._prune()

    def load(self, step: int) -> dict[str, Tensor]:
        """The weights of a checkpoint, under `model.` and perhaps `average.`.

        Raises:
            FileNotFoundError: if there is no checkpoint at this step; the message lists which are.
            DamagedFile: if it is not what was written.
        """
        if not self.sealed.has(_checkpoint(step)):
            raise FileNotFoundError(
                f"there is no checkpoint at step {step} in {self.sealed.path}; there are "
                f"{', '.join(map(str, self.steps())) or 'none'}"
            )
        return self._read(_checkpoint(step))

    def steps(self) -> list[int]:
        """The steps of the checkpoints that are there."""
        return _steps(self.sealed.names("checkpoints/step=*.safetensors"))

    def resume(
        self, state: TrainingState, needed: Iterable[int], on_damage: Callable[[str], None]
    ) -> None:
        """Bring `state` to the newest step that can be continued from.

        That is the newest intact state up to which every needed checkpoint is intact too; without
        one the state is left at the start. What is damaged is reported and removed.
        At the end no more states are kept than training keeps.

        Args:
            state: a fresh state.
            needed: steps at which there must be a checkpoint, step 0 included if wanted.
            on_damage: told the message.

        Raises:
            DamagedFile: if a state is what was written and yet not this experiment's.
        """
        missing = sorted(s for s in needed if not self._is_intact(_checkpoint(s), on_damage))
        resumed = False
        for step in reversed(_steps(self.sealed.names(STATES))):
            # Older states are read too: their damage must be known before they are needed.
            remedy = "a newer state is there" if resumed else "going back to the state before it"
            tensors = self._read_or_report(_state(step), remedy, on_damage)
            if resumed and tensors is not None:
                continue
            if tensors is not None and (not missing or step < missing[0]):
                self._continue_from(state, step, tensors)
                resumed = True
                continue
            # A state that is not continued from must not outlive those that training writes next.
            self.sealed.remove(_state(step))
        self._prune()

    def _continue_from(self, state: TrainingState, step: int, tensors: dict[str, Tensor]) -> None:
        try:
            state.load_tensors(tensors)
        except DamagedFile as error:
            raise DamagedFile(f"{self.sealed.path / _state(step)}: {error}") from error

    def _read_or_report(
        self, name: str, remedy: str, on_damage: Callable[[str], None]
    ) -> dict[str, Tensor] | None:
        try:
            return self._read(name)
        except DamagedFile as error:
            on_damage(f"{error}; {remedy}")
            return None

    def _prune(self) -> None:
        for name in self.sealed.names(STATES)[:-NUM_KEPT_STATES]:
            self.sealed.remove(name)

    def _is_intact(self, name: str, on_damage: Callable[[str], None]) -> bool:
        if not self.sealed.has(name):
            return False
        try:
            self.sealed.read(name)
            return True
        except DamagedFile as error:
            on_damage(f"{error}; training again from before it")
            self.sealed.remove(name)
            return False

    def _read(self, name: str) -> dict[str, Tensor]:
        data = self.sealed.read(name)
        try:
            return safetensors.torch.load(data)
        except Exception as error:
            raise DamagedFile(f"{self.sealed.path / name} is damaged: {error}") from error


def _checkpoint(step: int) -> str:
    return f"checkpoints/step={step:07d}.safetensors"


def _state(step: int) -> str:
    return f"state/step={step:07d}.safetensors"


def _steps(names: list[str]) -> list[int]:
    return [int(name.rsplit("=", 1)[1].removesuffix(".safetensors")) for name in names]


def _plain(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
