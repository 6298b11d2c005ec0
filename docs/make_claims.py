"""Writes the pages of docs/claims/ and their pictures from what `conceptspace reproduce` has left.

    python docs/make_claims.py                      # from reproduce/quick and reproduce/paper
    python docs/make_claims.py --results elsewhere --docs docs

The claims of the studies that are found there are copied to docs/claims/measured/SCALE/NAME.json,
those of other studies stay as they are, and all pages are made from these files: studies can be
done one at a time, on several machines. Everything on a page is computed, but for what stands
between the two lines that say so: that is written by hand and kept. A claim that was not measured
has a page that says so.
"""

import argparse
import io
import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from conceptspace.figures.gallery import save_figure
from conceptspace.folder import ENVIRONMENT, seed_folder
from conceptspace.log import LOG, events_of
from conceptspace.measure.files import write_atomically
from conceptspace.report.words import count
from conceptspace.studies import known
from conceptspace.studies.multiplicity import CORRECTED
from conceptspace.studies.outline import planned
from conceptspace.studies.reproduce import SWEEP, claims_file
from conceptspace.studies.study import Scale, Study
from conceptspace.sweeps.directory import is_sweep, read_plan, run_folder
from conceptspace.terminal import duration

SCALES = ("quick", "paper")
MOST_BYTES = 150_000
"""Of a picture."""
PAGES = {
    "signal": "The farther apart the values of a concept, the stronger its signal",
    "C1": "Concept signal sets learning speed",
    "C2": "Signal sets the order of learning",
    "C3": "Concept memorisation comes first",
    "C4": "The turn is sudden, and shows only in concept space",
    "C5": "At the turn a hidden capability appears",
    "C6": "Two phases: first the capability, then the way from the prompt to it",
    "C7": "Underspecification delays and bends",
    "C8": "A simple dynamical model reproduces the curves",
    "C9": "The same in realistic data",
    "C10": "Three concepts",
    "prediction": "Concept signal alone predicts learning times",
}
"""What the pages of the paper's claims are about. A claim belongs to the page that its id begins
with; other pages are called what the study is that tests them."""
BEGIN, END = "<!-- by hand: begin -->", "<!-- by hand: end -->"
NOT_WRITTEN = "Not written yet."

MEASURED = "measured"
Measured = Mapping[tuple[str, str], Mapping[str, Any]]
"""By study and scale: its `claims`, the keys of its `runs` by name, the `environment` in words, and
the `seconds` that its seeds were trained and measured."""
Claims = Mapping[str, Mapping[str, Any]]
"""Saved claims by scale."""


def make_pages(results: Path, docs: Path) -> list[Path]:
    """Write every page and every picture.

    Args:
        results: holds the folders `quick` and `paper`, of which any may be missing, with what was
            done.
        docs: the documentation, whose `claims` and `images/claims` are written.

    Returns:
        What was written.
    """
    keep_measured(results, docs)
    measured = read_measured(docs)
    claims = claims_of(measured)
    written = [write_picture(results, docs, study) for study in known.STUDIES.values()]
    pages = dict(PAGES)
    for study in known.STUDIES.values():
        for test in study.tests:
            pages.setdefault(page_of(test), study.title.capitalize())
    for page, title in pages.items():
        path = docs / "claims" / f"{page}.md"
        text = page_text(page, title, claims, measured, by_hand(path))
        write_atomically(path, text.encode())
        written.append(path)
    index = docs / "claims" / "index.md"
    write_atomically(index, index_text(pages, claims).encode())
    return [path for path in (*written, index) if path is not None]


def keep_measured(results: Path, docs: Path) -> None:
    """Copy the claims of the studies that were done, with what their pages tell beside them."""
    for scale, study in itertools.product(SCALES, known.STUDIES.values()):
        folder = results / scale
        path = claims_file(folder, study.name)
        claims = json.loads(path.read_bytes()) if path.exists() else []
        if not claims or any(claim["scale"] != scale for claim in claims):
            continue
        places = run_folders(study, folder, scale)
        logs = [seed_folder(place, seed) / LOG for place, seeds in places.items() for seed in seeds]
        kept = {
            "runs": run_keys(study, scale),
            "environment": environment([*places, folder]),
            "seconds": round(sum(worked(log) for log in logs)),
            "claims": claims,
        }
        text = json.dumps(kept, indent=1, allow_nan=False) + "\n"
        write_atomically(measured_file(docs, scale, study.name), text.encode())


def measured_file(docs: Path, scale: str, name: str) -> Path:
    """Where the claims of a study are kept."""
    return docs / "claims" / MEASURED / scale / f"{name}.json"


def read_measured(docs: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """What is kept of every study at every scale."""
    paths = {
        (name, scale): measured_file(docs, scale, name)
        for name in known.STUDIES
        for scale in SCALES
    }
    return {which: json.loads(path.read_bytes()) for which, path in paths.items() if path.exists()}


def claims_of(measured: Measured) -> dict[str, dict[str, Any]]:
    """Every kept claim by its id and its scale."""
    found: dict[str, dict[str, Any]] = {}
    for (_, scale), kept in measured.items():
        for claim in kept["claims"]:
            found.setdefault(str(claim["id"]), {})[scale] = claim
    return found


def run_keys(study: Study, scale: str) -> dict[str, str]:
    """What the runs of a study are known by, which changes with any of their settings."""
    plan = planned(study, _scale(scale))
    return {run.folder: run.key for run in plan.runs} if plan else {}


def page_of(claim_id: str) -> str:
    """The page that a claim belongs to.

    Example:
        >>> page_of("C1/colour")
        'C1'
    """
    return claim_id.partition("/")[0].partition(":")[0]


def by_hand(path: Path) -> str:
    """What was written by hand on a page; a placeholder where there is nothing."""
    text = path.read_text() if path.exists() else ""
    if BEGIN in text and END in text:
        return text.split(BEGIN, 1)[1].split(END, 1)[0].strip("\n")
    return NOT_WRITTEN


def page_text(page: str, title: str, claims: Claims, measured: Measured, written: str) -> str:
    """A whole page."""
    own = {name: claims[name] for name in claims if page_of(name) == page}
    studies = [s for s in known.STUDIES.values() if any(page_of(test) == page for test in s.tests)]
    parts = [f"# {page}: {title}\n", "Made by `docs/make_claims.py`; only what differs from the "]
    parts[-1] += "paper is written by hand.\n"
    parts.append(verdict_table(own))
    for name, by_scale in own.items():
        parts += claim_part(name, by_scale)
    parts += [
        f"![{study.title}](../images/claims/{study.name}.png)\n"
        for study in studies
        if any(name == study.name for name, _ in measured)
    ]
    parts += ["## What differs from the paper\n", BEGIN, written, END, ""]
    parts.append("## How it was made\n")
    parts += [made_part(study, measured) for study in studies] or ["No study tests it yet.\n"]
    return "\n".join(parts).rstrip() + "\n"


def verdict_table(own: Claims) -> str:
    """The claims of a page, with the verdict at each scale, alone and corrected."""
    lines = ["| claim | " + " | ".join(f"{s} | {s}, corrected" for s in SCALES) + " |"]
    lines.append("|---" * (1 + 2 * len(SCALES)) + "|")
    for name, by_scale in own.items():
        cells = [cell for scale in SCALES for cell in verdict_cells(by_scale.get(scale))]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    if not own:
        return "**Not measured.**\n"
    return "\n".join(lines) + "\n"


def verdict_cells(claim: Mapping[str, Any] | None) -> list[str]:
    """Verdict and corrected verdict of a claim in a table."""
    if claim is None:
        return ["not measured", "not measured"]
    strict = claim["controls"].get(CORRECTED, {}).get("verdict", "not corrected")
    return [f"**{claim['verdict']}**", strict]


def claim_part(name: str, by_scale: Mapping[str, Any]) -> list[str]:
    """A claim: statement, criterion, and what was measured at each scale."""
    known = next(iter(by_scale.values()))
    parts = [f"## {name}\n", f"*{known['statement']}*\n", f"**Criterion.** {known['criterion']}\n"]
    for scale in SCALES:
        if scale not in by_scale:
            parts.append(f"At {scale} scale: not measured.\n")
            continue
        claim = by_scale[scale]
        seeds = count(claim["seeds"], "seed")
        said = f"At {scale} scale: **{claim['verdict']}**, {in_words(claim)}, {seeds}."
        strict = claim["controls"].get(CORRECTED)
        if strict:
            said += (
                f" Corrected for {strict['num_claims']} claims: **{strict['verdict']}**"
                f"{around(strict.get('interval'))}."
            )
        if "reason" in claim["controls"]:
            said += f" Reason: {claim['controls']['reason']}."
        parts += [said + "\n", controls_table(claim["controls"])]
    return parts


def in_words(claim: Mapping[str, Any]) -> str:
    """Value and interval of a claim."""
    if claim["value"] is None:
        return "no value"
    return f"value {claim['value']:g}{around(claim['interval'])}"


def around(interval: Sequence[float | None] | None) -> str:
    """An interval in brackets, or nothing."""
    if not interval or None in interval:
        return ""
    low, high = interval
    return f" ({low:g} to {high:g})"


def controls_table(controls: Mapping[str, Any]) -> str:
    """Every control that was judged or has a number of its own."""
    lines = ["| control | value | interval | passed | needed |", "|---|---|---|---|---|"]
    for name, entry in controls.items():
        if name == CORRECTED or not isinstance(entry, Mapping) or "passed" not in entry:
            continue
        value = entry["value"]
        said = "-" if value is None else value if isinstance(value, str) else f"{value:g}"
        passed = {True: "yes", False: "**no**", None: "not judged"}[entry["passed"]]
        needed = "yes" if entry.get("required") else "no"
        span = around(entry.get("interval")).strip(" ()") or "-"
        lines.append(f"| {name.replace('|', '/')} | {said} | {span} | {passed} | {needed} |")
    return "\n".join(lines) + "\n" if len(lines) > 2 else ""


def made_part(study: Study, measured: Measured) -> str:
    """The command of a study, and where and how long it was done at each scale."""
    lines = [f"    conceptspace reproduce {study.name}\n"]
    for scale in SCALES:
        kept = measured.get((study.name, scale))
        if kept is None:
            continue
        trained = "time not recorded" if kept["runs"] else "nothing is trained"
        if kept["seconds"]:
            spent = duration(kept["seconds"])
            trained = f"{spent} of training and measuring, over all processes together"
        lines.append(f"At {scale} scale, on {kept['environment']}: {trained}.\n")
        if kept["runs"] != run_keys(study, scale):
            lines.append("**The settings of its runs have changed since.**\n")
    return "\n".join(lines)


def run_folders(study: Study, folder: Path, scale: str) -> dict[Path, tuple[int, ...]]:
    """The run directories of a study, with the seeds that it needs."""
    plan = planned(study, _scale(scale))
    if plan is None or not is_sweep(folder / SWEEP):
        return {}
    there = {run.key: run for run in read_plan(folder / SWEEP).runs}
    return {
        run_folder(folder / SWEEP, there[run.key]): run.seeds
        for run in plan.runs
        if run.key in there
    }


def _scale(name: str) -> Scale:
    return "paper" if name == "paper" else "quick"


def environment(folders: Sequence[Path]) -> str:
    """The machine and the versions that the first of these folders tells of."""
    for folder in folders:
        if (folder / ENVIRONMENT).exists():
            told = json.loads((folder / ENVIRONMENT).read_bytes())
            return (
                f"{told['processor']} with {told['cores']} cores, Python {told['python']}, "
                f"torch {told['packages']['torch']}"
            )
    return "a machine that is not recorded"


def worked(log: Path) -> float:
    """Seconds between events, without the pauses before each start."""
    told = [e for e in events_of(log.read_bytes()) if "time" in e] if log.exists() else []
    return sum(
        after["time"] - before["time"]
        for before, after in itertools.pairwise(told)
        if after["event"] != "start"
    )


def write_picture(results: Path, docs: Path, study: Study) -> Path | None:
    """A study's figure at quick scale, else at paper scale, as a small PNG."""
    for scale in SCALES:
        path = results / scale / f"{study.name}.json"
        if path.exists():
            figure = study.figure(json.loads(path.read_bytes()))
            target = docs / "images" / "claims" / f"{study.name}.png"
            write_atomically(target, small_png(figure))
            return target
    return None


def small_png(figure: Any) -> bytes:
    """A figure as a PNG of at most `MOST_BYTES`: first fewer colours, then fewer dots."""
    data = b""
    for dots_per_inch in (110, 100, 90, 80, 70, 60):
        whole, small = io.BytesIO(), io.BytesIO()
        save_figure(figure, whole, "png", dots_per_inch)
        colours = Image.open(whole).convert("RGB").quantize(256, Image.Quantize.MEDIANCUT)
        colours.save(small, format="PNG", optimize=True)
        data = small.getvalue()
        if len(data) <= MOST_BYTES:
            return data
    raise ValueError(f"a figure takes {len(data)} bytes at 60 dots an inch: more than {MOST_BYTES}")


def index_text(pages: Mapping[str, str], claims: Claims) -> str:
    """The page that lists the others."""
    lines = [
        "# Claims\n",
        "Each claim of the paper, how it came out at each scale, and the same corrected for all "
        "claims that are tested ([how](../reproduce.md#many-claims-at-once)). Made by "
        "`docs/make_claims.py`.\n",
        "| page | claim | " + " | ".join(f"{s} | {s}, corrected" for s in SCALES) + " |",
        "|---" * (2 + 2 * len(SCALES)) + "|",
    ]
    for page, title in pages.items():
        link = f"[{page}]({page}.md)"
        own = {name: claims[name] for name in claims if page_of(name) == page}
        if not own:
            cells = [cell for _ in SCALES for cell in verdict_cells(None)]
            lines.append(f"| {link} | {title} | {' | '.join(cells)} |")
        for name, by_scale in own.items():
            cells = [cell for scale in SCALES for cell in verdict_cells(by_scale.get(scale))]
            lines.append(f"| {link} | `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--results", type=Path, default=Path("reproduce"))
    parser.add_argument("--docs", type=Path, default=Path(__file__).parent)
    options = parser.parse_args(arguments)
    for path in make_pages(options.results, options.docs):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
