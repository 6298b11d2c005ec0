"""A Python object named on the command line, as in `my_module:adapter`."""

import importlib
import sys
from pathlib import Path
from typing import Any


def named_object(reference: str) -> Any:
    """The object `name` of module `my_module`, given as `my_module:name`.

    The module is imported, from the working directory too, so its code runs.

    Raises:
        ValueError: if the text is no such name, or nothing is found under it.
    """
    module, separator, name = reference.partition(":")
    if not separator or not module or not name:
        raise ValueError(
            f"{reference!r} must be a module and a name in it, as in my_module:adapter"
        )
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.split(".")[0] and error.name != module:
            raise  # the module is there, and something that it needs is not
        hint = f": write {module[:-3]}:{name}" if module.endswith(".py") else ""
        raise ValueError(
            f"there is no module {module!r}, here ({here}) or among those installed{hint}"
        ) from None
    if not hasattr(found, name):
        raise ValueError(f"module {module!r} ({found.__file__}) has no {name!r}")
    return getattr(found, name)
