"""A trajectory as if less had been measured: fewer steps, strengths or samples.

So that runs that were measured more closely than others can be judged like them.
"""

from collections.abc import Collection, Mapping

import numpy as np
import xarray

from conceptspace.dynamics.arrays import SAMPLE_DIMS, TrajectoryArrays

NOT_MEASURED = {"probability": np.nan, "coordinate": np.nan, "residual": np.nan}
"""What stands where nothing was measured; -1 in the variables of small integers."""


def narrowed(
    trajectory: xarray.Dataset,
    *,
    steps: Collection[int],
    strengths: Mapping[str, Collection[float]],
    num_samples: int,
    num_control_samples: int,
) -> xarray.Dataset:
    """What is left of a trajectory at some of its steps, strengths and samples.

    Args:
        trajectory: as measured.
        steps: those that stay.
        strengths: for each elicitation method those that stay, for its controls too; a method that
            is not named keeps all of its own.
        num_samples: of each class, method and strength, the first ones.
        num_control_samples: the same for controls.

    Raises:
        ValueError: if no step stays, or a strength of a method that is named is not there.
    """
    arrays = TrajectoryArrays(trajectory)
    kept = [step for step in arrays.steps.tolist() if step in set(steps)]
    if not kept:
        raise ValueError(f"steps: none of {sorted(steps)} is in the trajectory")
    stays = np.zeros([trajectory.sizes[name] for name in ("method", "strength", "sample")], bool)
    for number, name in enumerate(arrays.method_names):
        method = arrays.methods[name]
        num = num_control_samples if method["kind"] == "control" else num_samples
        own = trajectory["strength_value"].transpose("method", "strength").values[number]
        wanted = strengths.get(str(method["of"] or name))
        stays[number, _chosen(name, own, wanted), :num] = True
    mask = xarray.DataArray(stays[..., :num_samples], dims=("method", "strength", "sample"))
    part = trajectory.sel(step=kept).isel(sample=slice(num_samples))
    changed = {
        str(name): _masked(values, mask, NOT_MEASURED.get(str(name), -1))
        for name, values in part.data_vars.items()
        if set(SAMPLE_DIMS) <= set(values.dims)
    }
    return part.assign(changed)


def _chosen(name: str, own: np.ndarray, wanted: Collection[float] | None) -> np.ndarray:
    """Which of a method's strengths stay."""
    if wanted is None:
        return ~np.isnan(own)
    same = np.isclose(own[:, None], np.array(sorted(wanted))[None], rtol=1e-5)
    if not same.any(axis=0).all():
        raise ValueError(
            f"strengths: {name} has {own[~np.isnan(own)].tolist()}, not all of {sorted(wanted)}"
        )
    return np.asarray(same.any(axis=1))


def _masked(values: xarray.DataArray, mask: xarray.DataArray, other: float) -> xarray.DataArray:
    filled = values.where(mask, np.array(other, values.dtype))
    return filled.transpose(*values.dims).astype(values.dtype)


def every_other(trajectory: xarray.Dataset) -> xarray.Dataset:
    """The untrained model, every other trained checkpoint from the first on, and the last."""
    steps = trajectory["step"].values
    trained = np.flatnonzero(steps > 0)
    kept = sorted({*np.flatnonzero(steps == 0).tolist(), *trained[::2].tolist(), len(steps) - 1})
    return trajectory.isel(step=kept)
