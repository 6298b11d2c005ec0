"""Checkpoints on disk: which step each is, and their weights without running anybody's code."""

import re
from pathlib import Path

import torch
from torch import Tensor

from conceptspace.folder import RunError

PATTERN = "*{step}*"


def find_checkpoints(folder: Path | str, pattern: str = PATTERN) -> list[tuple[int, Path]]:
    """The checkpoints in a folder, by rising step.

    Args:
        folder: where they lie; each is a file or a folder.
        pattern: of their names, `{step}` where the step stands and `*` for anything, such as
            `step={step}.safetensors` or `checkpoint-{step}`. With the default a name's last number
            is its step.

    Raises:
        RunError: if the folder is none, the pattern names no step, nothing matches it, or two
            names have the same step.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RunError(f"{folder} is no folder: give the one that holds the checkpoints")
    if pattern.count("{step}") != 1:
        raise RunError(
            f"pattern {pattern!r} must hold {{step}} once, where the step stands in the name"
        )
    # Greedy before the step: of several numbers the last one that the pattern allows.
    parts = [re.escape(part).replace(r"\*", ".*") for part in pattern.split("{step}")]
    name = re.compile(rf"{parts[0]}(?<![0-9])([0-9]+){parts[1]}")
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        match = None if path.name.startswith(".") else name.fullmatch(path.name)
        if match is None:
            continue
        step = int(match[1])
        if step in found:
            raise RunError(
                f"{found[step].name} and {path.name} are both step {step}: give a pattern that "
                "fits one kind of file, such as 'step={step}.safetensors'"
            )
        found[step] = path
    if not found:
        there = sorted(path.name for path in folder.iterdir())[:3]
        raise RunError(
            f"nothing in {folder} fits the pattern {pattern!r}"
            + (f" (there is {', '.join(there)})" if there else "; it is empty")
        )
    return sorted(found.items())


def read_weights(path: Path | str) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU. Nothing in the file is executed.

    Args:
        path: a `.safetensors` file, or one that `torch.save` wrote of a dictionary of tensors.

    Raises:
        RunError: if the file holds other objects, whose loading could run code, or is damaged.
    """
    import safetensors.torch

    path = Path(path)
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise RunError(f"{path}: there is no such file") from error
    except Exception as error:
        raise RunError(
            f"{path} cannot be read as weights alone ({first_line(error)}). It is damaged, or "
            "holds pickled objects, which could run code when loaded: where you trust it, load it "
            "yourself and save its tensors with safetensors.torch.save_file or "
            "torch.save(model.state_dict(), ...)"
        ) from error
    if not isinstance(found, dict) or not all(isinstance(v, Tensor) for v in found.values()):
        raise RunError(
            f"{path} is no dictionary of tensors: save model.state_dict() alone, or hand over a "
            "load of your own"
        )
    return found


def first_line(error: Exception) -> str:
    """What an error says, in a line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
