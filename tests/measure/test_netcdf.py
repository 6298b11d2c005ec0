import io
import pickle
from typing import Any

import h5py
import numpy as np
import pytest
import xarray

from conceptspace.measure.files import DamagedFile
from conceptspace.measure.netcdf import from_netcdf, to_netcdf
from dynamics.synthetic import synthetic_trajectory


@pytest.fixture(scope="module")
def trajectory():
    rng = np.random.default_rng(0)
    return synthetic_trajectory(rng, num_seeds=2, num_checkpoints=9, num_samples=4)


@pytest.fixture(scope="module")
def everything() -> xarray.Dataset:
    """A dataset of every kind of variable, coordinate and attribute that netCDF keeps."""
    grid = np.arange(6).reshape(2, 3)
    coordinates: dict[str, Any] = {
        "word": ["a", "longer", "ä"],
        "time": np.array(["2020-01-01", "2020-01-03"], "datetime64[ns]"),
        "beside": ("word", ["x", "y", "z"]),
    }
    variables: dict[str, Any] = {
        "bytes": (("time", "word"), grid.astype(np.uint8)),
        "floats": (("time", "word"), np.where(grid == 4, np.nan, grid), {"units": "pixels"}),
        "halves": (("other",), np.arange(4, dtype=np.float32), {"factors": [1.0, 2.0]}),
        "flags": (("word",), np.array([True, False, True])),
        "number": ((), 3.5, {"one": np.array([7])}),
        "text": ((), "words"),
        "row": (("time", "row"), grid),
        "column": (("column", "time"), grid.T),
        "nothing": (("none",), np.zeros(0)),
    }
    attributes = {"title": "ü", "empty": "", "names": ["p", "q"], "whole": 3, "none": []}
    return xarray.Dataset(variables, coordinates, attributes)


def as_xarray_reads(data: bytes) -> xarray.Dataset:
    with xarray.open_dataset(io.BytesIO(data), engine="h5netcdf") as dataset:
        return dataset.load()


@pytest.mark.parametrize("name", ["trajectory", "everything"])
def test_a_dataset_is_read_as_xarray_itself_reads_it(name, request):
    data = to_netcdf(request.getfixturevalue(name))
    ours, theirs = from_netcdf(data, "x"), as_xarray_reads(data)
    xarray.testing.assert_identical(ours, theirs)
    assert list(ours.variables) == list(theirs.variables)
    assert list(ours.coords) == list(theirs.coords)
    for variable in theirs.variables:
        assert ours[variable].dtype == theirs[variable].dtype
        assert repr(ours[variable].attrs) == repr(theirs[variable].attrs)
    assert repr(ours.attrs) == repr(theirs.attrs)


def test_a_dataset_survives_the_way_to_disk_and_back(trajectory):
    assert from_netcdf(to_netcdf(trajectory), "x").identical(trajectory)


def test_the_same_dataset_gives_the_same_bytes(trajectory):
    assert to_netcdf(trajectory) == to_netcdf(trajectory.copy(deep=True))


def test_what_was_read_gives_the_bytes_it_was_read_from(trajectory):
    data = to_netcdf(trajectory)
    assert to_netcdf(from_netcdf(data, "x")) == data


def test_what_is_no_netcdf_is_named():
    with pytest.raises(DamagedFile, match="somewhere is damaged: it cannot be read as netCDF"):
        from_netcdf(b"not at all", "somewhere")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_damaged(trajectory, share):
    data = to_netcdf(trajectory)
    with pytest.raises(DamagedFile, match="somewhere is damaged"):
        from_netcdf(data[: int(share * len(data))], "somewhere")


def test_a_variable_without_dimensions_names_is_damage():
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["grid"] = np.zeros((2, 3))
    with pytest.raises(DamagedFile, match="somewhere is damaged"):
        from_netcdf(buffer.getvalue(), "somewhere")


def test_a_group_is_no_measurement():
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_group("inner")
    with pytest.raises(DamagedFile, match="'inner' is a group"):
        from_netcdf(buffer.getvalue(), "somewhere")


def test_no_pickled_object_is_ever_read():
    with pytest.raises(DamagedFile):
        from_netcdf(pickle.dumps(xarray.Dataset()), "a pickle")
