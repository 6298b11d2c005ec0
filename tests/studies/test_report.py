"""The report of all studies of a scale: its runs, its figures, and the claims of both scales."""

import re

import pytest

from conceptspace.cli import main
from conceptspace.folder import WrongFolder
from conceptspace.studies import known
from conceptspace.studies import reproduce as reproducing
from conceptspace.studies.every import reproduce_all
from conceptspace.studies.outline import outline
from conceptspace.studies.report import report_across, write_report
from studies.test_every import study
from sweeps.fake import Pretending, named, several


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Two studies that share a run at quick scale, one of them at paper scale too."""
    monkeypatch.setattr(reproducing, "finished", lambda *_: iter(()))
    both = [study("first", several(2)), study("second", [named("run-0")], verdict="inconclusive")]
    monkeypatch.setattr(known, "STUDIES", {each.name: each for each in both})
    pretending = Pretending()
    reproduce_all(outline(both, "quick"), "quick", tmp_path / "quick", executor=pretending)
    refuted = study("first", several(2), verdict="does not hold")
    reproduce_all(outline([refuted], "paper"), "paper", tmp_path / "paper", executor=pretending)
    return tmp_path


def cells(page, claim_id):
    """What the table of claims says at quick and at paper scale."""
    row = page.split(f"<b>{claim_id}</b>")[1].split("<td>")[1:3]
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row]


def test_each_run_names_the_studies_that_need_it(made):
    page = write_report(made / "quick").read_text()
    rows = page.split('id="runs"')[1].split("</section>")[0].split("<tr>")
    assert "second, first" in rows[2] or "first, second" in rows[2]
    assert "second" not in rows[3]
    assert 'href="sweep/runs/run-0/report.html"' in rows[2]


def test_the_claims_of_both_scales_stand_side_by_side(made):
    page = write_report(made / "quick").read_text()
    assert page.count("data:image/png;base64,") == 2
    first, second = cells(page, "first/claim"), cells(page, "second/claim")
    assert first[0] == "✓ holds 1 [0.5, 1.5] corrected: ✓ holds"
    assert first[1] == "✗ does not hold 1 [0.5, 1.5] corrected: ✗ does not hold"
    assert second[0].startswith("? inconclusive")
    assert second[1] == "not measured"
    assert "paper scale · 1 of 2 studies" in write_report(made / "paper").read_text()


def test_claims_of_another_scale_are_not_taken_for_ours(made):
    (made / "paper/first-claims.json").write_bytes(
        (made / "quick/first-claims.json").read_bytes()
    )  # fmt: skip
    assert cells(write_report(made / "quick").read_text(), "first/claim")[1] == "not measured"


def test_damaged_files_are_left_out(made):
    (made / "quick/first-claims.json").write_text("{torn")
    page = write_report(made / "quick").read_text()
    assert cells(page, "first/claim")[0] == "not measured"


def test_the_command_report_knows_the_folder_of_all_studies(made, capsys):
    assert main(["report", str(made / "quick")]) == 0
    assert "quick/report.html" in capsys.readouterr().out
    assert main(["report", str(made / "quick"), "--strict"]) == 2
    assert report_across(made) is None


def test_a_folder_without_studies_is_refused(tmp_path):
    with pytest.raises(WrongFolder, match="holds no study that was concluded"):
        write_report(tmp_path)
