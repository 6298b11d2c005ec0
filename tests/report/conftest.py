"""A made-up run and its report, each made once."""

from pathlib import Path

import pytest

from conceptspace.figures.evidence import Evidence
from conceptspace.report.html import render_report
from figures.example import example_evidence


@pytest.fixture(scope="session")
def evidence() -> Evidence:
    return example_evidence(num_seeds=2, num_steps=12)


@pytest.fixture(scope="session")
def example_claims() -> list[dict]:
    shared = {"scale": "quick", "seeds": 2}
    return [
        {
            "id": "C3",
            "statement": "The path heads for a memorised class <first>",
            "value": 0.42,
            "interval": [0.3, 0.5],
            "criterion": "a fall beyond noise",
            "verdict": "holds",
            "controls": {"straight & true": {"value": 0.01, "interval": [0.0, 0.02]}},
        }
        | shared,
        {
            "id": "C4",
            "statement": "The losses are smooth at the turn",
            "value": 1.2,
            "interval": None,
            "criterion": "below 1",
            "verdict": "does not hold",
            "controls": {},
        }
        | shared,
        {
            "id": "C5",
            "statement": "A hidden capability appears",
            "value": None,
            "interval": None,
            "criterion": "in 4 of 5 seeds",
            "verdict": "inconclusive",
            "controls": {},
        }
        | shared,
    ]


@pytest.fixture(scope="session")
def report_text(evidence: Evidence, example_claims: list[dict]) -> str:
    settings = {"name": "made-up", "scale": "quick", "note": "</script><b>not bold</b>"}
    command = "conceptspace run quick --seeds 2"
    return render_report(evidence, example_claims, settings, {"python": "3.11"}, command=command)


@pytest.fixture(scope="session")
def report_file(report_text: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report_text, encoding="utf-8")
    return path
