"""Measurements on disk: one immutable netCDF file a checkpoint, joined into a trajectory."""

from collections.abc import Sequence
from pathlib import Path

import xarray

from conceptspace.measure.files import SealedFolder
from conceptspace.measure.netcdf import from_netcdf, to_netcdf
from conceptspace.measure.steps import file_name, measured_steps

MEASUREMENT_ONLY = ("thumbnail",)


class MeasurementStore:
    """The measurements of one seed.

    Args:
        folder: the seed's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.sealed = SealedFolder(folder)

    def write(self, dataset: xarray.Dataset) -> None:
        """Write the measurement of one step."""
        step = int(dataset.step.item())
        self.sealed.write(file_name(step), to_netcdf(dataset))

    def read(self, step: int) -> xarray.Dataset:
        """The measurement of one step.

        Raises:
            FileNotFoundError: if it is not there.
            DamagedFile: if it is not what was written.
        """
        name = file_name(step)
        return from_netcdf(self.sealed.read(name), str(self.sealed.path / name))

    def has_intact(self, step: int) -> bool:
        """Whether the measurement of a step is there and whole.

        Raises:
            DamagedFile: if it is there and not what was written.
        """
        if not self.sealed.has(file_name(step)):
            return False
        self.sealed.read(file_name(step))
        return True

    def remove(self, step: int) -> None:
        """Remove the measurement of a step, if it is there."""
        self.sealed.remove(file_name(step))

    def steps(self) -> list[int]:
        """The steps that are there."""
        return measured_steps(self.sealed.path)


def join(measurements: Sequence[Sequence[xarray.Dataset]]) -> xarray.Dataset:
    """The trajectory of measurements[seed][step], without the thumbnails."""
    seeds = [
        xarray.concat(
            [one.drop_vars(MEASUREMENT_ONLY, errors="ignore") for one in steps],
            dim="step",
            data_vars="minimal",
            coords="minimal",
            compat="override",
            join="exact",
        )
        for steps in measurements
    ]
    return xarray.concat(
        seeds, dim="seed", data_vars="minimal", coords="minimal", compat="override", join="exact"
    )


def doubtful_of(trajectory: xarray.Dataset) -> xarray.DataArray:
    """Which readings are doubtful, a concept at a time: 1, 0, or -1 where not measured.

    In measurements that were made before this was kept, a sample that is off the manifold is
    doubtful in every concept.
    """
    if "doubtful" in trajectory:
        return trajectory["doubtful"]
    return trajectory["off_manifold"].broadcast_like(trajectory["correct"])


def has_inversion(trajectory: xarray.Dataset) -> bool:
    """Whether samples were read by a second probe, which can tell that one is off the manifold."""
    return "residual" not in trajectory or bool(trajectory["residual"].notnull().any())


def tidy(trajectory: xarray.Dataset) -> str:
    """The trajectory as CSV text: one row for each seed, step, class, method and strength.

    Columns: the arm, then for each concept the mean coordinate and the share of right values, then
    the joint accuracy, the off-manifold share (empty without an inversion) and how many samples.
    """
    import numpy as np

    names = [str(name) for name in trajectory.concept.values]
    header = ["seed", "step", "concept_class", "method", "strength"]
    header += [f"coordinate_{n}" for n in names] + [f"accuracy_{n}" for n in names]
    header += ["joint_accuracy", "off_manifold_share", "num_samples"]
    off = trajectory.off_manifold.values
    measured = off >= 0
    counts = measured.sum(-1)
    doubtful = doubtful_of(trajectory).transpose(*trajectory.correct.dims).values
    right = (trajectory.correct.values == 1) & (doubtful == 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        coordinate = np.where(measured[..., None], trajectory.coordinate.values, 0).sum(-2)
        coordinate = coordinate / counts[..., None]
        per_concept = right.sum(-2) / counts[..., None]
        joint = right.all(-1).sum(-1) / counts
        off_share = (off == 1).sum(-1) / counts
    tells_off = has_inversion(trajectory)
    lines = [",".join(header)]
    for place in np.argwhere(counts > 0):
        i, j, k, m, s = place
        row = [
            trajectory.seed.values[i],
            trajectory.step.values[j],
            trajectory.concept_class.values[k],
            trajectory.method.values[m],
            f"{trajectory.strength_value.values[m, s]:g}",
            *(f"{v:.6g}" for v in coordinate[tuple(place)]),
            *(f"{v:.6g}" for v in per_concept[tuple(place)]),
            f"{joint[tuple(place)]:.6g}",
            f"{off_share[tuple(place)]:.6g}" if tells_off else "",
            counts[tuple(place)],
        ]
        lines.append(",".join(str(v) for v in row))
    return "\n".join(lines) + "\n"
