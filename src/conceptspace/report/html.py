"""The report: one HTML file that holds everything, opens by double click, and needs no network.

Its parts are made in `summary`, `tables`, `charts` and `explorer`; here they are put in order. A
content policy in the page forbids every request, so that "self-contained" is enforced, not hoped.
"""

import base64
import io
import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import Any

from matplotlib.figure import Figure

from conceptspace.figures.evidence import Evidence
from conceptspace.figures.gallery import MOST_HELD_OUT, draw_all, figure_names, save_figure
from conceptspace.report import charts, summary, tables
from conceptspace.report.explorer import PICTURE_BUDGET, explorer_data
from conceptspace.report.words import count, listing, step

EMBEDDED = ("samples", "signal")
"""Printed figures that the report shows as they are: those whose names begin so."""


def render_report(
    evidence: Evidence,
    claims: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any],
    environment: Mapping[str, Any],
    *,
    name: str = "",
    command: str = "",
    notes: Sequence[str] = (),
    figures: Mapping[str, Figure] | None = None,
    picture_budget: int = PICTURE_BUDGET,
) -> str:
    """The whole report as HTML text.

    Args:
        evidence: what was found, measured and drawn.
        claims: the claims, each with id, statement, value, interval, criterion, verdict, controls,
            scale and seeds.
        settings: the experiment as plain values.
        environment: where it ran, as plain values.
        name: of the run; by default what the settings call it.
        command: the command that repeats the run.
        notes: what is missing or damaged, in words; shown at the top.
        figures: printed figures, of which those of `shown_names` are shown; drawn here by default.
        picture_budget: characters that embedded samples may take; later seeds' are left out first.

    Returns:
        HTML with its styles, scripts, data and pictures inside.
    """
    scale = str(settings.get("scale") or "")
    name = name or str(settings.get("name") or scale or "run")
    drawn = draw_all(evidence, shown_names(evidence)) if figures is None else figures
    described = _charts(evidence)
    explorer = explorer_data(evidence, picture_budget)
    parts = {
        "title": escape(f"{name}: learning dynamics in concept space"),
        "name": escape(name),
        "notes": _notes(notes),
        "facts": escape(_facts(evidence, scale)),
        "summary": "".join(
            f'<p class="lead">{escape(told)}</p>' for told in summary.summary(evidence, claims)
        ),
        "claims": tables.claims_table(claims) if claims else _nothing("This run tests no claims."),
        "pictures_left_out": escape(_left_out(explorer["seeds_left_out"])),
        "elicitation": _holders(described, "accuracy-", "concepts-")
        or _nothing("No class was held out."),
        "losses": _holders(described, "losses", "gamma", "speed"),
        "emergence": tables.emergence_table(evidence),
        "windows": tables.window_table(evidence),
        "turns": tables.turn_table(evidence),
        "learning": tables.learning_table(evidence),
        "figures": _figures(_looked_at(evidence, drawn)),
        "confusion": tables.confusion_tables(evidence),
        "calibration": _holders(described, "calibration"),
        "decodability": _holders(described, "decodability-")
        or _nothing("Decodability was not measured."),
        "off_manifold": _holders(described, "off-")
        or _nothing(
            "Not measured: no second probe tells what lies off the manifold, so that every reading "
            "counts."
            if evidence.held_out
            else "No class was held out."
        ),
        "unsettled": _unsettled(evidence, claims),
        "command": _command(command),
        "settings": tables.settings_block("All settings", settings),
        "environment": tables.settings_block("Machine and versions", environment),
        "style": _resource("report.css"),
        "plotly": plotly_source(),
        "script": _resource("report.js"),
        "data": json_for_script({"explorer": explorer, "charts": described}),
    }
    return Template(_resource("template.html")).substitute(parts)


def json_for_script(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def plotly_source() -> str:
    """Plotly's own JavaScript, from the installed package."""
    return resources.files("plotly").joinpath("package_data/plotly.min.js").read_text("utf-8")


def picture_of(figure: Figure, dots_per_inch: int = 110) -> str:
    """A figure as a PNG in a data URI."""
    buffer = io.BytesIO()
    save_figure(figure, buffer, "png", dots_per_inch)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _charts(evidence: Evidence) -> list[dict[str, Any]]:
    described = []
    for name in evidence.held_out[:8]:
        described.append(charts.accuracy_chart(evidence, name))
        described.append(charts.concept_chart(evidence, name))
        described.append(charts.off_manifold_chart(evidence, name))
    described += charts.loss_charts(evidence)
    described.append(charts.speed_chart(evidence))
    described += charts.decodability_charts(evidence)
    calibration = charts.calibration_chart(evidence)
    described += [calibration] if calibration else []
    return [one for one in described if one["traces"]]


def _holders(described: Sequence[Mapping[str, Any]], *starts: str) -> str:
    names = [one["name"] for one in described if one["name"].startswith(starts)]
    return "".join(
        f'<div class="chart" id="chart-{escape(name)}" data-chart="{escape(name)}"></div>'
        for name in names
    )


def _facts(evidence: Evidence, scale: str) -> str:
    seeds = count(len(evidence.seeds), "seed")
    steps = f"{count(len(evidence.steps), 'checkpoint')} to step {step(evidence.steps[-1])}"
    facts = [f"{scale} scale"] if scale else []
    facts += [seeds, steps, "concepts: " + listing(evidence.concepts)]
    return " · ".join(facts)


def _notes(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    listed = "".join(f"<li>{escape(note)}</li>" for note in notes)
    said = "<b>This run is not complete.</b>"
    return f'<aside class="notes" role="note">{said}<ul>{listed}</ul></aside>'


def shown_names(evidence: Evidence) -> list[str]:
    """The names, of `draw_all`, of the printed figures that the report shows."""
    return [name for name in figure_names(evidence) if name.startswith(EMBEDDED)]


def _looked_at(evidence: Evidence, drawn: Mapping[str, Figure]) -> dict[str, Figure]:
    """Those of the printed figures that the report shows, in its order."""
    sources = {"signal": "signal"}
    if evidence.pictures:
        for held_out in evidence.held_out[:MOST_HELD_OUT]:
            own = f"samples_{held_out}"
            # The only held-out class is not in the name of its figure.
            sources[own] = own if own in drawn else "samples"
        sources["samples_classes"] = "samples_classes"
    return {name: drawn[source] for name, source in sources.items() if source in drawn}


def _left_out(seeds: Sequence[int]) -> str:
    if not seeds:
        return ""
    listed = listing([str(seed) for seed in seeds])
    which = "seed" if len(seeds) == 1 else "seeds"
    return f"To keep this file small, sample pictures of {which} {listed} are not in it."


def _figures(figures: Mapping[str, Figure]) -> str:
    shown = [
        f'<figure><img src="{picture_of(figure)}" alt="{escape(name.replace("_", " "))}"></figure>'
        for name, figure in figures.items()
    ]
    return "".join(shown) or _nothing("No sample grids were drawn for this report.")


def _unsettled(evidence: Evidence, claims: Sequence[Mapping[str, Any]]) -> str:
    found = summary.unsettled(evidence, claims)
    if not found:
        return _nothing("Every question that this run asks was answered.")
    rows = "".join(f"<dt>{escape(what)}</dt><dd>{escape(why)}</dd>" for what, why in found)
    return f'<dl class="unsettled">{rows}</dl>'


def _command(command: str) -> str:
    if not command:
        return ""
    said = "To make this report again; a run that is not finished goes on first:"
    return f"<p>{said}</p><pre>{escape(command)}</pre>"


def _nothing(text: str) -> str:
    return f'<p class="none">{escape(text)}</p>'


def _resource(name: str) -> str:
    return resources.files("conceptspace.report").joinpath(name).read_text("utf-8")
