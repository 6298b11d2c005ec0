"""The report across runs: settings side by side, figures of studies, and all claims at the end.

One HTML file like a run's own, with the same styles and without any script.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from string import Template
from typing import Any

from conceptspace.report.across_tables import AcrossRun, runs_table
from conceptspace.report.tables import badge
from conceptspace.report.words import count


@dataclass(frozen=True)
class Shown:
    """A study's figure.

    Attributes:
        name: of the study.
        title: what it is, in a line.
        picture: the figure as a PNG; empty if there is none.
        claims: saved claims of the study.
    """

    name: str
    title: str
    picture: bytes
    claims: Sequence[Mapping[str, Any]]


def render_across(
    name: str,
    facts: Sequence[str],
    runs: Sequence[AcrossRun],
    *,
    notes: Sequence[str] = (),
    command: str = "",
    shown: Sequence[Shown] = (),
    claims: str = "",
) -> str:
    """The report across runs as HTML text.

    Args:
        name: of the sweep.
        facts: what it is, in a few words each.
        runs: what to compare, in order.
        notes: what is missing or failed, in words.
        command: what repeats it.
        shown: studies with their figures.
        claims: the last table, which `claims_across` or `verdicts_across` makes.
    """
    parts = {
        "title": escape(f"{name}: runs compared"),
        "name": escape(name),
        "facts": escape(" · ".join(facts)),
        "notes": _notes(notes),
        "lead": escape(_lead(runs)),
        "runs": runs_table(runs),
        "studies_link": '<a href="#studies">Studies</a>' if shown else "",
        "studies": _studies(shown),
        "claims": claims or '<p class="none">No claim was tested.</p>',
        "command": f"<pre>{escape(command)}</pre>" if command else "",
        "style": _resource("report.css"),
    }
    return Template(_resource("across.html")).substitute(parts)


def _lead(runs: Sequence[AcrossRun]) -> str:
    if not runs:
        return "Nothing was trained."
    done = [run for run in runs if run.state == "done"]
    seeds = sum(run.seeds for run in runs)
    said = f"{len(done)} of {count(len(runs), 'run')} finished"
    said += f", {count(seeds, 'seed')} measured in all."
    failed = [run.name for run in runs if run.state == "failed"]
    return said + (f" Failed: {', '.join(failed)}." if failed else "")


def _studies(shown: Sequence[Shown]) -> str:
    if not shown:
        return ""
    parts = ['<section id="studies"><h2>Studies</h2>']
    for study in shown:
        verdicts = " ".join(
            f"{escape(str(c['id']))} {badge(str(c['verdict']))}" for c in study.claims
        )
        parts.append(
            f'<h3 id="study-{escape(study.name)}">{escape(study.name)}: {escape(study.title)}</h3>'
        )
        parts.append(f'<p class="verdicts">{verdicts}</p>')
        if study.picture:
            data = base64.b64encode(study.picture).decode("ascii")
            parts.append(
                f'<figure class="whole"><img src="data:image/png;base64,{data}" '
                f'alt="figure of {escape(study.name)}"></figure>'
            )
    return "".join([*parts, "</section>"])


def _notes(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    listed = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return (
        f'<aside class="notes" role="note"><b>Not everything is there.</b><ul>{listed}</ul></aside>'
    )


def _resource(name: str) -> str:
    return resources.files("conceptspace.report").joinpath(name).read_text("utf-8")
