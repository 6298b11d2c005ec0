"""What differs between experiments, in few words: for who compares their runs."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from conceptspace.experiment import Experiment

MOST_LETTERS = 60
"""A value that takes more is cut."""


def differences(experiments: Sequence[Experiment]) -> list[dict[str, str]]:
    """The settings in which experiments differ, name apart; one dictionary for each of them.

    Returns:
        by the path of the setting its value in words, "-" where an experiment has no such setting.
        The distance between the values of a concept goes by `concept NAME`.

    Example:
        >>> from conceptspace.recipes.quick import quick
        >>> other = quick().replace(training=quick().training.replace(steps=2400))
        >>> differences([quick(), other])
        [{'training.steps': '3200'}, {'training.steps': '2400'}]
    """
    flat = [_flat(experiment) for experiment in experiments]
    paths = list(dict.fromkeys(path for one in flat for path in one))
    varied = [path for path in paths if len({one.get(path, "-") for one in flat}) > 1]
    # How far values spread goes with how far they lie apart, and would be told twice.
    apart = tuple(f"{path}." for path in varied if path.startswith("concept "))
    varied = [path for path in varied if not path.startswith(apart or "\0")]
    return [{path: _cut(one.get(path, "-")) for path in varied} for one in flat]


def unusual(differing: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Of settings that differ only those that are not the most frequent value.

    Args:
        differing: what `differences` gave.
    """
    usual = {
        path: Counter(one[path] for one in differing).most_common(1)[0][0]
        for path in (differing[0] if differing else ())
    }
    return [{k: v for k, v in one.items() if v != usual[k]} for one in differing]


def _flat(experiment: Experiment) -> dict[str, str]:
    dumped = experiment.model_dump(mode="json", exclude={"name"})
    found: dict[str, str] = {}
    for concept in dumped["space"].pop("concepts"):
        found[f"concept {concept['name']}"] = _apart(concept.pop("values"))
        _walk(concept, f"concept {concept.pop('name')}.", found)
    found["elicitation"] = _methods(dumped.pop("elicitation"))
    _walk(dumped, "", found)
    return found


def _walk(values: Mapping[str, Any], path: str, found: dict[str, str]) -> None:
    for name, value in values.items():
        if isinstance(value, Mapping):
            _walk(value, f"{path}{name}.", found)
        else:
            found[path + name] = _words(value)


def _words(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value)


def _apart(values: Any) -> str:
    """How far apart first and last value are, in the component that moves most."""
    ends = np.asarray([values[0], values[-1]], dtype=float)
    said = f"{np.abs(ends[1] - ends[0]).max():.4g} apart"
    return said if len(values) == 2 else f"{len(values)} values, {said}"


def _methods(methods: Sequence[Mapping[str, Any]]) -> str:
    told = [
        f"{method['kind']} {method.get('concept', '')} "
        f"{', '.join(f'{strength:g}' for strength in method['strengths'])}"
        for method in methods
    ]
    return "; ".join(told) or "none"


def _cut(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"
