"""One seed's donor x recipient map: measured from its checkpoints once, and kept in the run.

A patched model is prompted through the donor's conditioning path and draws with the recipient's
network. Since that path ends where `encode` returns, `recipient.sample(donor.encode(h))` draws what
`EmbeddingPatch` would, and all donors of a recipient are one batch.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
import xarray
from torch import Tensor

from conceptspace.adapters.native import NativeAdapter
from conceptspace.adapters.protocol import Conditioning, device_of
from conceptspace.build import build_adapter, build_instrument, build_model
from conceptspace.data.streams import numpy_stream, torch_stream
from conceptspace.folder import read_execution
from conceptspace.load import Run
from conceptspace.measure.files import DamagedFile, SealedFolder
from conceptspace.measure.measurement import Instrument, readable
from conceptspace.measure.netcdf import from_netcdf, to_netcdf
from conceptspace.measure.sampling import prompts
from conceptspace.models.execution import Execution
from conceptspace.probes.reading import read_samples
from conceptspace.tune import using_threads
from conceptspace.worker import load_probe

FOLDER = "patching"
"""In the run directory."""
VERSION = 1
"""Of what is measured: a map of another version is measured again."""


@dataclass(frozen=True)
class PatchPlan:
    """What is measured of a seed.

    Attributes:
        concept_class: the held-out class that is prompted.
        steps: checkpoints that are donors and recipients.
        num_samples: images of each pair.
        num_training_samples: images of each training class through the last donor.
        other_seed: whose last conditioning path is a control; None without another seed.
    """

    concept_class: str
    steps: tuple[int, ...]
    num_samples: int
    num_training_samples: int
    other_seed: int | None


def spread_steps(steps: Sequence[int], num: int) -> tuple[int, ...]:
    """The checkpoints nearest to `num` places evenly spaced in the square root of the step.

    Example:
        >>> spread_steps([100, 400, 900, 1600, 2500], 3)
        (100, 900, 2500)
    """
    roots = np.sqrt(np.asarray(steps, dtype=float))
    places = np.linspace(roots[0], roots[-1], min(num, len(roots)))
    nearest = np.abs(roots[:, None] - places).argmin(axis=0)
    return tuple(int(steps[i]) for i in np.unique(nearest))


def patching_map(run: Run, seed: int, plan: PatchPlan) -> xarray.Dataset:
    """The map of a seed, read if it was measured before.

    Args:
        run: a finished run.
        seed: whose checkpoints.
        plan: what to measure.

    Returns:
        variables of right samples, 1 or 0: `right` (donor, recipient, sample); `other_seed` and
        `untrained` (recipient, sample) of those two donors; `training` (training_class, recipient,
        training_sample) of the last donor.

    Raises:
        FileNotFoundError, DamagedFile: if a checkpoint or the probe cannot be read.
    """
    kept, name = SealedFolder(run.folder / FOLDER), f"seed={seed}.nc"
    key = _key(run, seed, plan)
    try:
        found = from_netcdf(kept.read(name), str(kept.path / name))
        if found.attrs.get("key") == key:
            return found
    except (FileNotFoundError, DamagedFile):
        pass  # not measured yet, or to be measured again
    execution = read_execution(run.folder) or Execution()
    with using_threads(execution.threads):  # the same bits whatever the machine's number of cores
        measured = _measure(run, seed, plan).assign_attrs(key=key)
    kept.write(name, to_netcdf(measured))
    return measured


def _key(run: Run, seed: int, plan: PatchPlan) -> str:
    """What the map depends on: neither the run's name nor how findings are judged."""
    settings = run.experiment.model_dump(mode="json", exclude={"name", "findings"})
    text = json.dumps([VERSION, settings, seed, asdict(plan)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _measure(run: Run, seed: int, plan: PatchPlan) -> xarray.Dataset:
    experiment = run.trained
    training = tuple(experiment.split.training(experiment.space))
    instrument = build_instrument(experiment, load_probe(run.folder))
    donors = [run.adapter(seed, step) for step in plan.steps]
    encoded = _encoded(run, seed, plan, donors, instrument)
    classes = [plan.concept_class] * (len(plan.steps) + 2) * plan.num_samples
    classes += [name for name in training for _ in range(plan.num_training_samples)]
    columns = []
    for step, recipient in zip(plan.steps, donors):
        generator = torch_stream(seed, "patching", step, device=device_of(recipient))
        images = readable(recipient.sample(encoded, generator))
        columns.append(_right(instrument, images, recipient.sample_noise(), classes))
    table = np.stack(columns)  # (recipient, row)
    num_steps, num = len(plan.steps), plan.num_samples
    of_class, of_training = np.split(table, [(num_steps + 2) * num], axis=1)
    by_donor = of_class.reshape(num_steps, num_steps + 2, num).swapaxes(0, 1)
    by_class = of_training.reshape(num_steps, len(training), -1).swapaxes(0, 1)
    return xarray.Dataset(
        {
            "right": (("donor", "recipient", "sample"), by_donor[:num_steps]),
            "other_seed": (("recipient", "sample"), by_donor[num_steps]),
            "untrained": (("recipient", "sample"), by_donor[num_steps + 1]),
            "training": (("training_class", "recipient", "training_sample"), by_class),
        },
        coords={
            "donor": list(plan.steps),
            "recipient": list(plan.steps),
            "training_class": list(training),
        },
    )


def _encoded(
    run: Run, seed: int, plan: PatchPlan, donors: list[NativeAdapter], instrument: Instrument
) -> Conditioning:
    """What every donor says to the class, row by row, and the last one to the training classes."""
    experiment, prompter, split = run.trained, instrument.prompter, instrument.split
    rng = numpy_stream(seed, "patching-prompts")
    held_out = prompts(prompter, split, plan.concept_class, plan.num_samples, rng)
    trained = [
        prompts(prompter, split, name, plan.num_training_samples, rng)
        for name in split.training(experiment.space)
    ]
    untrained = build_adapter(
        experiment, build_model(experiment, seed, read_execution(run.folder)).eval()
    )
    # Without another seed its rows are the untrained donor's, and are not looked at.
    other = untrained if plan.other_seed is None else run.adapter(plan.other_seed, plan.steps[-1])
    parts = [donor.encode(held_out) for donor in (*donors, other, untrained)]
    parts.append(donors[-1].encode(torch.cat(trained)))
    return {site: torch.cat([part[site] for part in parts]) for site in parts[0]}


def _right(
    instrument: Instrument, images: Tensor, sample_noise: float, classes: list[str]
) -> np.ndarray:
    """1 for each sample with every concept right and on the manifold, as in joint accuracy."""
    reading = read_samples(instrument.probe, instrument.inversion, images, sample_noise).cpu()
    wanted = np.array([instrument.prompter.space.indices(name) for name in classes])
    read = np.stack([part.argmax(dim=1).numpy() for part in reading.distributions], axis=1)
    right = (read == wanted).all(axis=1)
    if reading.off_manifold is not None:
        right &= ~reading.off_manifold.numpy()
    return right.astype(np.int8)
