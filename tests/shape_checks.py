"""Shape checks under pytest: every `Float[Tensor, "batch width"]` in the source is enforced.

An import hook wraps the functions of each module that annotates shapes, so it must be installed
before those modules are imported. Types without shapes are pyright's business and are left alone.
"""

import contextlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from beartype import beartype
from jaxtyping import AbstractArray, config, install_import_hook

SOURCE = Path(__file__).parents[1] / "src"


def annotated_modules() -> list[str]:
    """The modules that annotate shapes."""
    paths = (path for path in sorted(SOURCE.rglob("*.py")) if "from jaxtyping" in path.read_text())
    return [".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in paths]


def install() -> None:
    """Check shapes in every module imported from here on."""
    install_import_hook(annotated_modules(), "shape_checks.check_shapes")


def check_shapes(function: Callable[..., Any], *_: object) -> Callable[..., Any]:
    """Check the arguments and the result that have a shape, and nothing else."""
    if inspect.isclass(function):
        return function
    hints = function.__annotations__
    function.__annotations__ = {name: hint for name, hint in hints.items() if _has_shape(hint)}
    return beartype(function)


def _has_shape(hint: object) -> bool:
    if inspect.isclass(hint) and issubclass(hint, AbstractArray):
        return True
    return any(_has_shape(part) for part in get_args(hint))


@contextlib.contextmanager
def raises_as_for_users(*expected: Any, **match: Any) -> Iterator[pytest.ExceptionInfo]:
    """`pytest.raises` without shape checks: users have none, so the message must be our own."""
    before = config.jaxtyping_disable
    config.update("jaxtyping_disable", True)
    try:
        with _raises(*expected, **match) as raised:
            yield raised
    finally:
        config.update("jaxtyping_disable", before)


_raises = pytest.raises
