"""How a computation is done: precision, memory layout, threads. No torch.

None of it changes what is computed, but every part of it changes the rounding. So it is chosen
once, when a run is made, recorded in its `environment.json`, and kept whenever the run continues.
"""

from typing import Literal

from pydantic import Field

from conceptspace.concepts.settings import Settings

Precision = Literal["float32", "bfloat16"]


class Execution(Settings):
    """How training and sampling are computed. The default is plain float32 on one thread."""

    precision: Precision = "float32"
    """Of convolutions and attention. Weights, optimiser, noise, the bound, and the path of time and
    condition are float32 in both. `bfloat16` keeps 8 significant bits of factors and features."""
    channels_last: bool = False
    """Whether the channels of a pixel lie next to each other in memory."""
    threads: int = Field(default=1, ge=1)
    """Of each process."""

    def in_words(self) -> str:
        """One line for people."""
        layout = "channels last, " if self.channels_last else ""
        plural = "s" if self.threads > 1 else ""
        return f"{self.precision}, {layout}{self.threads} thread{plural} a process"
