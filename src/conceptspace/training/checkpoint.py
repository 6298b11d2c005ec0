"""Checkpoints and training states on disk, as safetensors: loading them never executes code."""

from collections.abc import Callable, Iterable
from pathlib import Path

import safetensors.torch
from torch import Tensor

from conceptspace.measure.files import DamagedFile, SealedFolder
from conceptspace.training.state import TrainingState

NUM_KEPT_STATES = 2


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
        for name in self.sealed.names("state/step=*.safetensors")[:-NUM_KEPT_STATES]:
            self.sealed.remove(name)

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

        Args:
            state: a fresh state.
            needed: steps at which there must be a checkpoint, step 0 included if wanted.
            on_damage: told the message.
        """
        intact = [s for s in needed if self._is_intact(_checkpoint(s), on_damage)]
        missing = sorted(set(needed) - set(intact))
        for step in reversed(_steps(self.sealed.names("state/step=*.safetensors"))):
            if not missing or step < missing[0]:
                try:
                    state.load_tensors(self._read(_state(step)))
                    return
                except DamagedFile as error:
                    on_damage(f"{error}; going back to the state before it")
            # A state that is not continued from must not outlive those that training writes next.
            self.sealed.remove(_state(step))

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
