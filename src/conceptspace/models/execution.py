"""How a computation is done: device, precision, memory layout, threads. No torch.

None of it changes what is computed, but every part of it changes the rounding. So it is chosen
once, when a run is made, recorded in its `environment.json`, and kept whenever the run continues.
"""

from typing import Literal

from pydantic import Field, model_validator

from conceptspace.concepts.settings import Settings

Device = Literal["cpu", "cuda"]
Precision = Literal["float32", "tf32", "bfloat16"]


class Execution(Settings):
    """How training and sampling are computed. The default is plain float32 on one CPU thread."""

    device: Device = "cpu"
    precision: Precision = "float32"
    """Of convolutions and attention. Weights, optimiser, noise, the bound, and the path of time and
    condition are float32 in all. `bfloat16` keeps 8 significant bits of factors and features;
    `tf32`, on a GPU, 11 of factors alone."""
    channels_last: bool = False
    """Whether the channels of a pixel lie next to each other in memory."""
    threads: int = Field(default=1, ge=1)
    """Of each process, on the CPU."""
    micro_batch: int | None = Field(default=64, ge=1)
    """Images that go through the network at once: as many as a processor's caches hold. A training
    step sums the gradients of such parts. None for all at once, as on a GPU."""
    compiled: bool = False
    """Whether the network is compiled, on a GPU: on a CPU compiling took longer than it saved."""
    captured: bool = False
    """Whether a training step is captured as a CUDA graph and replayed without the host."""
    seeds_per_process: int = Field(default=1, ge=1)
    """Seeds that one process trains side by side; more than one share a GPU."""
    streams: int = Field(default=1, ge=1)
    """CUDA streams that the seeds of a process take turns on."""

    @model_validator(mode="after")
    def _fits_the_device(self):
        if self.device == "cpu":
            for field in ("compiled", "captured"):
                if getattr(self, field):
                    raise ValueError(f"{field}: only with device='cuda'; on the CPU it must be off")
            if self.precision == "tf32":
                raise ValueError("precision: tf32 is a GPU's; use float32 or bfloat16 on the CPU")
        return self

    def in_words(self) -> str:
        """One line for people."""
        parts = ["GPU" if self.device == "cuda" else "CPU", self.precision]
        parts += ["channels last"] if self.channels_last else []
        parts += ["compiled"] if self.compiled else []
        parts += ["captured as a graph"] if self.captured else []
        if self.device == "cpu":
            parts.append(f"{self.threads} thread{'s' if self.threads > 1 else ''} a process")
        if self.seeds_per_process > 1:
            parts.append(f"up to {self.seeds_per_process} seeds a process")
        return ", ".join(parts)
