"""Which steps of a seed are measured, from the names of its files. No xarray."""

import os
from pathlib import Path

FOLDER = "measurements"


def file_name(step: int) -> str:
    """The name of a step's measurement in its seed's folder."""
    return f"{FOLDER}/step={step:07d}.nc"


def measured_steps(folder: Path) -> list[int]:
    """The steps that have a measurement in a seed's folder, whole or damaged, in order."""
    try:
        names = os.listdir(folder / FOLDER)
    except (FileNotFoundError, NotADirectoryError):
        return []
    steps = (
        name.removeprefix("step=").removesuffix(".nc") for name in names if name.startswith("step=")
    )
    return sorted(int(step) for step in steps if step.isdecimal())
