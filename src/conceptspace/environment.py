"""What a run was made with: versions and machine, for `environment.json` and `doctor`."""

import json
import os
import platform
import sys
import time
from importlib import metadata

from conceptspace.models.execution import Execution

PACKAGES = ("conceptspace", "torch", "numpy", "scipy", "xarray", "h5netcdf", "safetensors")


def describe_environment(execution: Execution | None) -> bytes:
    """Versions, processor, time and, where that is ours to say, how the run is computed, as JSON
    text."""
    import torch

    described = {
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "packages": {name: package_version(name) for name in PACKAGES},
        **({} if execution is None else {"execution": execution.model_dump(mode="json")}),
        "cuda": torch.version.cuda,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
    }
    return (json.dumps(described, indent=2) + "\n").encode()


def package_version(name: str) -> str | None:
    """The installed version of a package; None if it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def processor_name() -> str:
    """The processor's name, as far as the system tells."""
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
