"""Opening a run: how it is computed, its directory, and its probe."""

import json
from pathlib import Path

from conceptspace.experiment import Experiment
from conceptspace.folder import PROBE, PROBE_TABLES, WrongFolder, open_run, read_execution
from conceptspace.measure.files import DamagedFile, SealedFolder
from conceptspace.models.execution import Execution
from conceptspace.progress import Progress
from conceptspace.tune import choose_execution, using_threads
from conceptspace.units import Wanted


def settle_execution(
    folder: Path,
    experiment: Experiment,
    num_workers: int,
    wanted: Wanted,
    progress: Progress,
) -> Execution:
    """What a run was made with, or for a new one the choice.

    Raises:
        WrongFolder: if it was made with another device, precision or number of threads than is
            asked for.
    """
    recorded = read_execution(folder)
    if recorded is None:
        chosen, trials = choose_execution(experiment, num_workers, **wanted.model_dump())
        if trials:
            progress.stage(f"Computing in {chosen.in_words()}, by a short measurement")
        return chosen
    for field, given in wanted.model_dump().items():
        there = getattr(recorded, field)
        if given is not None and given != there:
            raise WrongFolder(
                f"{folder} was made with {field}={there}, and goes on with it so that its bits "
                f"stay the same, not with {field}={given}: leave --{field} out, or choose another "
                "folder with --out"
            )
    return recorded


def open_with_probe(
    folder: Path,
    experiment: Experiment,
    execution: Execution,
    progress: Progress,
    probe_of: Path | None = None,
) -> None:
    """Make the run directory, or check that it holds this very experiment, and see to its probe.

    Args:
        folder: the run directory.
        experiment: what it is to hold.
        execution: how it is computed.
        progress: is told what is done.
        probe_of: a run whose probe is the same, to be copied if it is intact.

    Raises:
        RunError: if it holds another experiment or something else; nothing is touched then.
    """
    open_run(folder, experiment, progress.stage, execution)
    ensure_probe(folder, experiment, progress, probe_of)


def ensure_probe(
    folder: Path, experiment: Experiment, progress: Progress, probe_of: Path | None = None
) -> None:
    """Make the probe, unless an intact one is there, or in the run `probe_of`."""
    sealed = SealedFolder(folder)
    try:
        sealed.read(PROBE)
        sealed.read(PROBE_TABLES)
        return
    except FileNotFoundError:
        pass
    except DamagedFile as error:
        progress.stage(f"{error}; training the probe again")
    if probe_of is not None and _copy_probe(SealedFolder(probe_of), sealed):
        return
    import safetensors.torch

    from conceptspace.build import build_probe, judge_probe

    progress.stage(experiment.probe.making)
    with using_threads(1):  # the same bits whatever the machine's number of cores
        probe = build_probe(experiment, lambda done, of: progress.advance("probe", done, of))
        quality = judge_probe(experiment, probe)
    sealed.write(PROBE_TABLES, (json.dumps(quality) + "\n").encode())
    sealed.write(PROBE, safetensors.torch.save(probe.to_tensors()))


def _copy_probe(source: SealedFolder, target: SealedFolder) -> bool:
    """Whether the source has an intact probe, which the target has now too."""
    try:
        read = {name: source.read(name) for name in (PROBE_TABLES, PROBE)}
    except (FileNotFoundError, DamagedFile):
        return False
    for name, data in read.items():
        target.write(name, data)
    return True
