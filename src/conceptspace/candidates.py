"""The command `sites`: which submodules of a user's model could be steered at."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from conceptspace.options import DONE, SitesOptions, UsageError

if TYPE_CHECKING:
    from conceptspace.adapters.sites import Site


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
    candidates = [site for site in found if site.is_candidate]
    shown = found if options.every else candidates
    if shown:
        Console().print(_table(shown, options.every))
    if not candidates:
        print("No submodule's output is the condition's alone, so none can be a site.")
        return DONE
    if not options.every:
        print(f"{len(found) - len(shown)} other submodules are no candidates; --every lists them.")
    print("Sites are a choice of candidates that the condition cannot get around.")
    return DONE


def _table(shown: "list[Site]", every: bool) -> Table:
    """Submodules and, of every one, what its output depends on."""
    title = "Submodules, and what their output depends on"
    table = Table(title=title if every else "Submodules that heed the condition alone", box=None)
    for heading in ("submodule", "class", "output"):
        table.add_column(heading, overflow="fold")
    for what in ("condition", "noise", "time") if every else ():
        table.add_column(what)
    for site in shown:
        depends = (site.heeds_condition, site.heeds_noise, site.changes) if every else ()
        words = ("yes" if each else "no" for each in depends)
        table.add_row(site.name, site.kind, str(site.shape), *words)
    return table
