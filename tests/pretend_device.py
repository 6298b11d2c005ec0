"""A pretended accelerator, so that a machine without a GPU notices what a GPU would refuse.

Torch keeps one kind of device free for backends from outside. Here it is a device called `pretend`,
whose tensors hold a CPU tensor that does the work. Inside of `pretended_device` every operation is
looked at first, and what a GPU would refuse is refused: operations that mix tensors of the two
devices, generators of the wrong device, and NumPy arrays of tensors that were not brought over.
Waiting for the device and copies from it are counted, since both are what makes a GPU slow.

Not pretended: other numbers for the same seed (a generator for `pretend` draws what one for the CPU
does, so that results can be compared), streams, graphs, memory, and reduced precision.
"""

import functools
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = "pretend:0"

aten = torch.ops.aten

COPIES = {aten.copy_.default, aten._to_copy.default}
"""Operations whose tensors may be on different devices."""

INDEXING = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default}
"""A GPU takes indices from the CPU."""

WAITS = {
    aten._local_scalar_dense.default,
    aten._linalg_check_errors.default,
    aten.equal.default,
    aten.masked_select.default,
    aten.nonzero.default,
    aten.repeat_interleave.Tensor,
    aten._unique2.default,
}
"""Operations that wait for the device, since a value or a size must be known to go on."""

_Generator = torch.Generator


class PretendedTensor(Tensor):
    """A tensor on the pretended device; `held` is the CPU tensor that does its work."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> "PretendedTensor":
        made = Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=torch.device(DEVICE),
        )
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})

    def tolist(self) -> Any:
        return self.cpu().tolist()

    def __repr__(self, **_: Any) -> str:
        return f"PretendedTensor({self.held})"


class PretendedGenerator(_Generator):
    """A generator for the pretended device."""

    device = property(lambda self: torch.device(DEVICE))

    def __init__(self) -> None:
        _pretended_generators[self._cdata] = self


_pretended_generators: weakref.WeakValueDictionary[int, PretendedGenerator] = (
    weakref.WeakValueDictionary()
)
# An operation is handed another Python object for the same generator, so its address tells it.


class Pretended(TorchDispatchMode):
    """What runs while the device is pretended.

    Attributes:
        device: the device.
        num_operations: how many operations ran on it.
        waits: how often the program waited for it, by operation.
        downloads: the shape of each tensor that was copied from it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.device = torch.device(DEVICE)
        self.num_operations = 0
        self.waits: Counter[str] = Counter()
        self.downloads: list[tuple[int, ...]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = _run(func, args, kwargs or {})
        pretended = [leaf for leaf in tree_leaves((args, kwargs)) if _is_pretended(leaf)]
        self.num_operations += bool(pretended)
        downloaded = func in COPIES and not _is_pretended(result)
        masks = func in INDEXING and any(i is not None and i.dtype == torch.bool for i in args[1])
        if pretended and (func in WAITS or downloaded or masks):
            self.waits[str(func)] += 1
        if pretended and downloaded:
            self.downloads.append(tuple(result.shape))
        return result


@contextmanager
def pretended_device() -> Iterator[Pretended]:
    """Pretend the device inside of the block.

    The test is skipped where there is a real GPU: torch knows one kind of accelerator a process,
    and would no longer look after the streams of the other.
    """
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device, which need not be pretended")
    _register()
    torch.Generator = _GeneratorOfAnyDevice
    try:
        # The threads of backward passes are started by the first, which may be over already.
        with torch.autograd.set_multithreading_enabled(False), Pretended() as pretended:
            yield pretended
    finally:
        torch.Generator = _Generator


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Run an operation on what the tensors hold, if a GPU would run it."""
    leaves = tree_leaves((args, kwargs))
    pretended = [leaf for leaf in leaves if _is_pretended(leaf)]
    target = kwargs.get("device")
    stays = bool(pretended) if target is None else torch.device(target).type == "pretend"
    _refuse_mixtures(func, args, leaves)
    for leaf in leaves:
        if isinstance(leaf, _Generator) and (leaf._cdata in _pretended_generators) != stays:
            raise RuntimeError(f"{func} was given a generator of the wrong device")
    if target is not None and stays:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    result = func(*tree_map(_held, args), **tree_map(_held, kwargs))
    if func is aten.copy_.default:
        return args[0]
    # A change in place returns the tensor that was changed, not another that holds the same.
    known = {id(tensor.held): tensor for tensor in pretended}

    def wrapped(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            return leaf
        return known[id(leaf)] if id(leaf) in known else PretendedTensor(leaf)

    return tree_map(wrapped, result) if stays else result


def _refuse_mixtures(func: Any, args: Any, leaves: list[Any]) -> None:
    """Refuse what mixes the devices; a single number on the CPU may go with any."""
    if func in COPIES or not any(_is_pretended(leaf) for leaf in leaves):
        return
    allowed = (
        {id(index) for index in args[1]} if func in INDEXING and _is_pretended(args[0]) else ()
    )
    for leaf in leaves:
        on_cpu = isinstance(leaf, Tensor) and leaf.device.type == "cpu"
        if on_cpu and leaf.ndim and id(leaf) not in allowed:
            raise RuntimeError(
                f"Expected all tensors to be on the same device, but {func} found {DEVICE} and a "
                f"tensor of shape {tuple(leaf.shape)} on cpu"
            )


def _is_pretended(leaf: Any) -> bool:
    return isinstance(leaf, PretendedTensor)


def _held(leaf: Any) -> Any:
    return leaf.held if isinstance(leaf, PretendedTensor) else leaf


class _AnyGenerator(type(_Generator)):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, _Generator)


class _GeneratorOfAnyDevice(_Generator, metaclass=_AnyGenerator):
    """What `torch.Generator` is while the device is pretended: C++ knows no generator for it."""

    def __new__(cls, device: torch.device | str = "cpu") -> torch.Generator:
        pretended = torch.device(device).type == "pretend"
        return PretendedGenerator() if pretended else _Generator(device)


class _Backend(backend_registration._DummyBackendModule):
    """What torch asks about the device; tests that pretend nothing are to find none."""

    def is_available(self) -> bool:
        return False

    def device_count(self) -> int:
        return 0

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


@functools.cache
def _register() -> torch.library.Library:
    """Tell torch of the device, for good, and of the little that never comes past a mode."""
    backend_registration._setup_privateuseone_for_python_backend("pretend", _Backend())
    library = torch.library.Library("aten", "IMPL")

    def made_by(factory: Any) -> Any:
        def make(*args: Any, device: Any = None, pin_memory: Any = None, **kwargs: Any) -> Tensor:
            return PretendedTensor(factory(*args, **kwargs))

        return make

    def copy_from(source: Tensor, target: Tensor, non_blocking: bool = False) -> Tensor:
        _held(target).copy_(_held(source))
        return target

    # `torch.tensor` of a list makes its tensor and fills it unseen.
    library.impl("empty.memory_format", made_by(aten.empty.memory_format), "PrivateUse1")
    library.impl("empty_strided", made_by(aten.empty_strided), "PrivateUse1")
    library.impl("_copy_from", copy_from, "PrivateUse1")
    return library
