"""The command `sites`: which submodules of a user's model could be steered at."""

from rich.console import Console
from rich.table import Table

from conceptspace.options import DONE, SitesOptions, UsageError


def sites(options: SitesOptions) -> int:
    """List the submodules whose output is the condition's alone."""
    from conceptspace.adapters.reference import named_object
    from conceptspace.adapters.sites import find_sites

    try:
        trial = named_object(options.trial)
    except ValueError as error:
        raise UsageError(str(error)) from error
    parts = trial() if callable(trial) else None
    if not isinstance(parts, tuple) or len(parts) != 3:
        raise UsageError(
            f"{options.trial} must be a function that returns (model, sample, conditions), "
            "as `find_sites` takes them (docs/adapters.md)"
        )
    found = find_sites(*parts)
    title = "Submodules whose output is the condition's alone"
    if options.every:
        title = "Submodules, and what their output depends on"
    table = Table(title=title, box=None)
    for heading in ("submodule", "class", "output"):
        table.add_column(heading)
    for what in ("condition", "noise", "time") if options.every else ():
        table.add_column(what)
    shown = [site for site in found if options.every or site.is_candidate]
    for site in shown:
        depends = (site.heeds_condition, site.heeds_noise, site.changes) if options.every else ()
        words = ("yes" if each else "no" for each in depends)
        table.add_row(site.name, site.kind, str(site.shape), *words)
    Console().print(table)
    if not options.every:
        print(f"{len(found) - len(shown)} other submodules are no candidates; --every lists them.")
    print("Sites are a choice of candidates that the condition cannot get around.")
    return DONE
