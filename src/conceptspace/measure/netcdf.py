"""Datasets as netCDF bytes, and back.

h5netcdf looks up every dimension again for every variable, which takes most of the time of opening
a small file, and a run has a file a checkpoint. So what h5netcdf wrote is read with h5py here, and
handed to xarray to be decoded as any other netCDF is.
"""

import io
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
import xarray
from xarray.backends import InMemoryDataStore

from conceptspace.measure.files import DamagedFile

_BOOKKEEPING = {
    "CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST",
    "_Netcdf4Dimid", "_Netcdf4Coordinates", "_nc3_strict", "_NCProperties",
}  # fmt: skip
"""Attributes with which HDF5 and netCDF keep the dimensions; not the user's."""

_ONLY_A_DIMENSION = b"This is a netCDF dimension but not a netCDF variable"
_NOT_A_COORDINATE = "_nc4_non_coord_"
"""How netCDF-4 marks a dimension without values, and a variable that is only named like one."""


def to_netcdf(dataset: xarray.Dataset) -> bytes:
    """A dataset as netCDF bytes, compressed; the same dataset gives the same bytes."""
    encoding = {name: {"zlib": True, "complevel": 1} for name in dataset.data_vars}
    return bytes(dataset.to_netcdf(engine="h5netcdf", encoding=encoding))


def from_netcdf(data: bytes, name: str) -> xarray.Dataset:
    """The dataset in netCDF bytes as `to_netcdf` makes them.

    Raises:
        DamagedFile: if they are not netCDF.
    """
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            stored = InMemoryDataStore(dict(_variables(file)), _attributes(file))
        with xarray.open_dataset(stored) as dataset:
            return dataset.load()
    except Exception as error:
        raise DamagedFile(f"{name} is damaged: it cannot be read as netCDF ({error})") from error


def _variables(file: h5py.File) -> Iterator[tuple[str, xarray.Variable]]:
    """The variables as they are stored, not decoded yet, in the order they were written in."""
    for name, stored in file.items():
        if not isinstance(stored, h5py.Dataset):
            raise ValueError(f"{name!r} is a group or a type, and no variable")
        if stored.attrs.get("NAME", b"").startswith(_ONLY_A_DIMENSION):
            continue
        is_text = h5py.check_string_dtype(stored.dtype) is not None
        variable = xarray.Variable(
            _dimensions(file, name),
            stored.asstr()[...] if is_text else stored[...],
            _attributes(stored),
            {"dtype": str} if is_text else {},
        )
        yield name.removeprefix(_NOT_A_COORDINATE), variable


def _dimensions(file: h5py.File, name: str) -> tuple[str, ...]:
    """The names of a variable's dimensions."""
    stored: Any = file[name]
    if stored.ndim == 0:
        return ()
    if "DIMENSION_LIST" in stored.attrs:
        scales = [references[-1] for references in stored.attrs["DIMENSION_LIST"]]
        return tuple(h5py.h5r.get_name(scale, file.id).decode().lstrip("/") for scale in scales)
    # A dimension's own values: HDF5 does not let a scale have scales.
    if stored.ndim == 1:
        return (name,)
    numbers = {one.attrs["_Netcdf4Dimid"]: other for other, one in file.items() if one.is_scale}
    return tuple(numbers[number] for number in stored.attrs["_Netcdf4Coordinates"])


def _attributes(stored: h5py.File | h5py.Dataset) -> dict[str, Any]:
    """The user's attributes; as everywhere in netCDF, a list of one entry is that entry."""
    return {name: _plain(stored.attrs[name]) for name in stored.attrs if name not in _BOOKKEEPING}


def _plain(value: Any) -> Any:
    if isinstance(value, h5py.Empty):
        return np.array([], dtype=value.dtype)
    if isinstance(value, np.ndarray):
        entries = value.tolist() if value.dtype == object else value
        return entries[0] if len(entries) == 1 else entries
    return value
