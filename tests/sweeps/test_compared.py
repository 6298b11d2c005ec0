"""The report of a sweep: what differs between its runs, and what became of each."""

import json

import pytest

from conceptspace.cli import main
from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.factors import colour, size
from conceptspace.folder import RunError, WrongFolder
from conceptspace.sweeps.compared import compare, write_sweep_report
from conceptspace.sweeps.differences import MOST_LETTERS, differences, unusual
from conceptspace.sweeps.sweep import sweep
from sweeps.fake import Pretending, named, several

FINDINGS = {
    "seeds": [0, 1],
    "classes": {
        "00": {"held_out": False},
        "11": {
            "held_out": True,
            "accuracy": {"naive": {"mean": [0.1, 0.7], "interval": [[0, 0.2], [0.6, 0.8]]}},
            "learning_time": {
                "0.8": {"colour": {"median": 20.0, "per_seed": [20, 20], "censored_at": 40.0}}
            },
        },
    },
}
CLAIMS = [{"id": "C3", "statement": "It falls", "verdict": "holds", "scale": "quick"}]


def derived(folder, findings=FINDINGS, claims=CLAIMS):
    (folder / "findings.json").write_text(json.dumps(findings))
    (folder / "claims.json").write_text(json.dumps(claims))


@pytest.fixture
def swept(tmp_path):
    """Three runs: one is derived, one has failed, one lost what was derived of it."""
    folder = tmp_path / "some sweep"
    with pytest.raises(RunError):
        sweep(several(3), folder, seeds=2, executor=Pretending(fails=["run-1"]))
    derived(folder / "runs/run-0")
    (folder / "runs/run-2/findings.json").write_text("{torn")
    return folder


def test_the_runs_are_compared_by_what_differs_and_what_came_of_them(swept):
    compared = compare(swept, swept)
    first, failed, torn = compared.runs
    assert [run.state for run in compared.runs] == ["done", "failed", "not finished"]
    assert [run.settings for run in compared.runs] == [
        {"training.learning_rate": rate} for rate in ("0.001", "0.002", "0.003")
    ]
    assert first.accuracy == {"11": (0.7, [0.6, 0.8])}
    assert first.times["colour"]["median"] == 20.0
    assert first.verdicts == {"C3": "holds"}
    assert (first.link, failed.link) == ("runs/run-0/report.html", "")
    assert (first.seeds, torn.seeds) == (2, 0)
    (note,) = compared.notes
    assert note.startswith("run-1 failed: seed 0 failed: ValueError: no luck")


def test_a_run_with_fewer_seeds_than_planned_is_not_called_done(swept):
    derived(swept / "runs/run-0", FINDINGS | {"seeds": [0]})
    assert compare(swept, swept).runs[0].state == "seeds are missing"


def test_the_report_of_a_sweep_is_written_by_the_command(swept, capsys):
    assert main(["report", str(swept)]) == 0
    assert f"Report: {swept / 'report.html'}" in capsys.readouterr().out
    text = (swept / "report.html").read_text()
    assert 'href="runs/run-0/report.html"' in text
    assert "1 of 3 runs finished, 2 seeds measured in all. Failed: run-1." in text
    assert "1 run" in text
    assert main(["report", str(swept), "--strict"]) == 2
    # A sweep whose plan is lost goes on although its report lies there.
    (swept / "sweep.json").unlink()
    sweep(several(3), swept, seeds=2, executor=Pretending())


def test_what_is_no_sweep_is_refused(tmp_path):
    with pytest.raises(WrongFolder, match="is not a sweep"):
        write_sweep_report(tmp_path)


def spaced(d_colour, d_size):
    space = ConceptSpace(concepts=(colour(d_colour), size(d_size)))
    return named(f"{d_colour}-{d_size}").replace(space=space)


def test_settings_that_are_equal_are_not_told():
    assert differences([named("a"), named("b")]) == [{}, {}]


def test_separations_are_told_by_their_distance_and_once():
    found = differences([spaced(0.2, 0.4), spaced(0.3, 0.4), spaced(0.2, 0.35)])
    assert [one["concept colour"] for one in found] == ["0.2 apart", "0.3 apart", "0.2 apart"]
    assert [one["concept size"] for one in found] == ["0.4 apart", "0.4 apart", "0.35 apart"]
    assert all(len(one) == 2 for one in found)


def test_other_spreads_of_equal_values_are_told():
    wide = spaced(0.2, 0.4)
    first, second = wide.space.concepts
    spread = first.spread.replace(half_width=0.001)
    other = wide.replace(space=ConceptSpace(concepts=(first.replace(spread=spread), second)))
    assert list(differences([wide, other])[0]) == ["concept colour.spread.half_width"]


def test_elicitation_is_told_in_words():
    plain, none = named("a"), named("b").replace(elicitation=())
    first, second = (one["elicitation"] for one in differences([plain, none]))
    assert first.startswith("over-prompt")
    assert "0.1, 0.3" in first
    assert second == "none"


def test_long_values_are_cut_and_what_is_usual_is_left_out():
    runs = [named(str(i)) for i in range(3)]
    long = runs[0].measurement.replace(checkpoints=tuple(range(1, 41)))
    found = differences([*runs, named("long").replace(measurement=long)])
    assert len(found[-1]["measurement.checkpoints"]) == MOST_LETTERS
    assert unusual(found)[:3] == [{}, {}, {}]
    assert list(unusual(found)[3]) == ["measurement.checkpoints"]
    assert unusual([]) == []
