"""The command `analyse`: checkpoints of a model that was trained elsewhere."""

import inspect
from pathlib import Path
from typing import Any

from conceptspace.options import AnalyseOptions, UsageError
from conceptspace.terminal import showing_progress
from conceptspace.verdicts import exit_status, print_claims


def analyse(options: AnalyseOptions) -> int:
    """Measure checkpoints of a model of the user's own; print claims and where the reports lie."""
    from conceptspace import observe
    from conceptspace.load import load_run

    given = _adapter(options)
    chosen = {"pattern": options.pattern, "first": options.first, "seed": options.seed}
    given |= {name: value for name, value in chosen.items() if value is not None}
    out = options.out or Path("runs") / options.checkpoints.resolve().name
    with showing_progress() as progress:
        folders = observe.analyse(
            options.checkpoints,
            out,
            look_again=options.look_again,
            progress=lambda done, num: progress.advance("checkpoints", done, num),
            **given,
        )
    claims = []
    for folder in folders:
        own = load_run(folder).claims
        claims += own
        print_claims(own)
        print(f"Report: {(folder / 'report.html').resolve()}")
    return exit_status(claims, options.strict)


def _adapter(options: AnalyseOptions) -> dict[str, Any]:
    """The arguments that the user's module holds for `analyse`."""
    from conceptspace import observe
    from conceptspace.adapters.reference import named_object

    try:
        found = named_object(options.adapter)
    except ValueError as error:
        raise UsageError(f"--adapter: {error}") from error
    found = found() if callable(found) else found
    if not isinstance(found, dict):
        raise UsageError(
            f"--adapter: {options.adapter} must be a dictionary of arguments for cs.analyse, or a "
            f"function that returns one, not {type(found).__name__}"
        )
    # Whatever else is in it are settings of an observation.
    from conceptspace.observation import Observation

    known = {*inspect.signature(observe.analyse).parameters, *Observation.model_fields, "inversion"}
    known -= {"checkpoints", "out", "settings", "look_again", "progress"}
    if strange := sorted(set(found) - known):
        raise UsageError(
            f"--adapter: {options.adapter} holds {strange[0]!r}, which cs.analyse does not take; "
            f"it takes {', '.join(sorted(known))}"
        )
    if missing := sorted({"space", "load", "probe"} - set(found)):
        raise UsageError(f"--adapter: {options.adapter} must hold {missing[0]!r} too")
    return dict(found)
