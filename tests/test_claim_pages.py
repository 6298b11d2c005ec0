"""docs/make_claims.py: pages and pictures from results, and what is written by hand stays."""

import importlib.util
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conceptspace.figures.style import new_figure
from conceptspace.studies import known
from conceptspace.studies import reproduce as reproducing
from conceptspace.studies.every import reproduce_all
from conceptspace.studies.outline import outline
from studies.test_every import study
from sweeps.fake import Pretending, several

SCRIPT = Path(__file__).parents[1] / "docs" / "make_claims.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_claims", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def made(tmp_path, monkeypatch):
    """One study of C1 at quick scale; another, of a claim of its own, was not done."""
    monkeypatch.setattr(reproducing, "finished", lambda *_: iter(()))
    c1, other = study("C1", several(2)), study("swing")
    monkeypatch.setattr(known, "STUDIES", {"C1": c1, "swing": other})
    reproduce_all(outline([c1], "quick"), "quick", tmp_path / "quick", executor=Pretending())
    for seed in range(2):
        log = tmp_path / f"quick/sweep/runs/run-0/seed={seed}/log.jsonl"
        told = [(0.0, "start"), (10.0, "train"), (99.0, "start"), (110.0, "done")]
        lines = [json.dumps({"time": time, "event": event}) for time, event in told]
        log.write_text("\n".join(lines))
    return tmp_path


def test_a_page_tells_verdicts_controls_command_and_where_it_was_measured(script, made):
    script.make_pages(made, made / "docs")
    page = (made / "docs/claims/C1.md").read_text()
    assert page.startswith("# C1: Concept signal sets learning speed\n\n")
    assert "| `C1/claim` | **holds** | holds | not measured | not measured |" in page
    assert "*It is so.*" in page
    assert "At quick scale: **holds**, value 1 (0.5 to 1.5), 2 seeds." in page
    assert "Corrected for 2 claims: **holds** (0.5 to 1.5)." in page
    assert "At paper scale: not measured." in page
    assert "| level | 0.95 | - | not judged | no |" in page
    assert "![study C1](../images/claims/C1.png)" in page
    assert "    conceptspace reproduce C1\n" in page
    assert "42 s of training and measuring" in page  # without the pause of 89 s, in two processes
    assert "2 cores" in page or "cores, Python" in page


def test_every_claim_of_the_paper_has_a_page_and_the_index_leads_to_it(script, made):
    script.make_pages(made, made / "docs")
    index = (made / "docs/claims/index.md").read_text()
    for name in [f"C{i}" for i in range(1, 11)] + ["prediction", "swing"]:
        assert f"[{name}]({name}.md)" in index
        assert (made / f"docs/claims/{name}.md").exists()
    assert "**Not measured.**" in (made / "docs/claims/C9.md").read_text()
    assert "No study tests it yet." in (made / "docs/claims/C9.md").read_text()
    assert "images/claims" not in (made / "docs/claims/swing.md").read_text()


def test_what_is_written_by_hand_is_kept_and_the_rest_is_made_again(script, made):
    script.make_pages(made, made / "docs")
    page = made / "docs/claims/C1.md"
    once = page.read_text()
    assert once.count(script.NOT_WRITTEN) == 1
    page.write_text(once.replace(script.NOT_WRITTEN, "Smaller\n\nimages.").replace("0.5", "9.5"))
    script.make_pages(made, made / "docs")
    assert page.read_text() == once.replace(script.NOT_WRITTEN, "Smaller\n\nimages.")


def test_pictures_are_small_and_whole(script, made):
    figure = new_figure(6, 4)
    rng = np.random.default_rng(0)
    figure.add_axes((0, 0, 1, 1)).imshow(rng.random((150, 200, 3)))
    data = script.small_png(figure)
    assert len(data) <= script.MOST_BYTES
    shown = Image.open(io.BytesIO(data))
    assert shown.width / shown.height == pytest.approx(1.5, rel=0.02)


def test_without_results_all_pages_say_so(script, tmp_path):
    written = script.make_pages(tmp_path, tmp_path / "docs")
    assert all(path.suffix == ".md" for path in written)
    assert "not measured" in (tmp_path / "docs/claims/index.md").read_text()


def test_a_control_whose_value_is_a_class_is_told_as_it_is(script):
    controls = {"heads to": {"value": "01", "passed": True, "required": True}}
    assert "| heads to | 01 | - | yes | yes |" in script.controls_table(controls)


def test_claims_of_studies_that_are_not_in_the_results_stay(script, made):
    docs = made / "docs"
    script.make_pages(made, docs)
    once = {path: path.read_bytes() for path in docs.rglob("*") if path.is_file()}
    script.make_pages(made / "nothing", docs)
    assert {path: path.read_bytes() for path in docs.rglob("*") if path.is_file()} == once
    assert (
        "The settings of its runs have changed since." not in once[docs / "claims/C1.md"].decode()
    )


def test_a_page_says_when_its_runs_would_have_other_settings_now(script, made, monkeypatch):
    script.make_pages(made, made / "docs")
    monkeypatch.setattr(known, "STUDIES", {"C1": study("C1", several(3))})
    script.make_pages(made / "nothing", made / "docs")
    page = (made / "docs/claims/C1.md").read_text()
    assert "**The settings of its runs have changed since.**" in page


def test_the_pages_are_those_of_the_claims_that_are_kept(script, tmp_path):
    claims = tmp_path / "claims"
    shutil.copytree(SCRIPT.parent / "claims", claims)
    script.make_pages(tmp_path / "nothing", tmp_path)
    for page in sorted(claims.glob("*.md")):
        assert page.read_text() == (SCRIPT.parent / "claims" / page.name).read_text(), page.name
