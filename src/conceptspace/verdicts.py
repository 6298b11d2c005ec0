"""Claims as a table on the terminal, and the exit status that they give."""

import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from conceptspace.options import CLAIM_FAILED, DONE

VERDICT_STYLES = {"holds": "green", "does not hold": "red", "inconclusive": "yellow"}


def print_claims(claims: Sequence[dict[str, Any]]) -> None:
    """The claims as a table."""
    table = Table(title="Claims", show_lines=True)
    for column in ("claim", "statement", "value", "interval", "verdict"):
        table.add_column(column, overflow="fold")
    for claim in claims:
        value, interval = claim["value"], claim["interval"]
        verdict = claim["verdict"]
        table.add_row(
            claim["id"],
            claim["statement"],
            "-" if value is None else f"{value:.3g}",
            "-" if interval is None else f"{interval[0]:.3g} to {interval[1]:.3g}",
            f"[{VERDICT_STYLES[verdict]}]{verdict}[/]",
        )
    Console().print(table)


def exit_status(claims: Sequence[dict[str, Any]], strict: bool) -> int:
    """0, or 3 if `strict` is asked for and a claim does not hold or is inconclusive."""
    failed = [claim["id"] for claim in claims if claim["verdict"] != "holds"]
    if strict and failed:
        print(f"--strict: {', '.join(failed)} did not hold", file=sys.stderr)
        return CLAIM_FAILED
    return DONE
