"""The report across runs: what differs is shown, everything is escaped, nothing is fetched."""

import re

import pytest

from conceptspace.report.across import Shown, render_across
from conceptspace.report.across_tables import (
    MOST_CLAIMS,
    MOST_COLUMNS,
    MOST_UNUSUAL,
    AcrossRun,
    ClaimAcross,
    claims_across,
    runs_table,
    verdicts_across,
)

TIMES = {
    "colour": {"median": None, "per_seed": [None, None, 900.0], "censored_at": 2400.0},
    "size": {"median": 700.0, "per_seed": [600.0, 700.0, 800.0], "censored_at": 2400.0},
}


def run(name="weak", **changes):
    made = {
        "state": "done",
        "link": f"runs/{name}/report.html",
        "settings": {"concept colour": "0.2 apart"},
        "seeds": 3,
        "accuracy": {"11": (0.125, [0.05, 0.25])},
        "times": TIMES,
        "verdicts": {"C3": "holds", "C5": "inconclusive"},
    }
    return AcrossRun(name=name, **(made | changes))


def claim(verdict="holds", scale="quick", **changes):
    made = {
        "id": "C1/colour",
        "statement": "Faster <b>if</b> farther",
        "criterion": "at least 0.7",
        "value": 0.9,
        "interval": [0.8, 1.0],
        "verdict": verdict,
        "controls": {"threshold 0.9": {"value": 0.85, "passed": True, "required": False}},
        "scale": scale,
    }
    return made | changes


def plain(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_run_is_told_in_a_line():
    told = plain(runs_table([run()]))
    for part in ("weak", "0.2 apart", "3", "11: 0.12", "[0.05, 0.25]", "size 700", "2 of 3 never"):
        assert part in told
    assert "colour &gt; 2 400 2 of 3 never size 700" in told
    assert 'href="runs/weak/report.html"' in runs_table([run()])
    assert 'title="holds"' in runs_table([run()])


def test_many_unusual_settings_are_folded_away():
    settings = {f"path.{i}": "0" for i in range(MOST_UNUSUAL + 1)}
    html = runs_table([run(settings=settings, unusual=settings)])
    assert f"<details><summary>{MOST_UNUSUAL + 1} settings</summary>" in html


def test_claims_that_one_run_alone_tests_have_no_column_where_there_are_many():
    many = {f"C5/{i}": "holds" for i in range(MOST_CLAIMS)}
    html = runs_table([run(verdicts={"C3": "holds"} | many), run("b", verdicts={"C3": "holds"})])
    assert ">C3</th>" in html
    assert "C5/0" not in html
    assert "C5/0" in runs_table([run(verdicts=many)])


def test_where_many_settings_differ_each_run_tells_what_is_unusual():
    settings = {f"path.{i}": str(i) for i in range(MOST_COLUMNS + 1)}
    told = runs_table(
        [run(settings=settings, unusual={"path.3": "3"}), run("b", settings=settings)]
    )
    assert "path.3 3" in told
    assert "as most" in told
    assert "path.1" not in told


def test_what_is_not_done_says_so_and_has_no_link():
    told = runs_table([AcrossRun("waiting", "not finished")])
    assert "not finished" in told
    assert "href" not in told


def test_claims_stand_by_scale_with_both_verdicts():
    both = {"quick": (claim(), "inconclusive"), "paper": (claim("does not hold", "paper"), None)}
    rows = [
        ClaimAcross("learning-speed", "C1/colour", both),
        ClaimAcross("other", "C9", {"quick": (claim(), "holds")}),
    ]
    shown = claims_across(rows, ("quick", "paper"), 40)
    first, second = shown.split("<b>C9</b>")
    assert plain(first.split("<td>")[2]).startswith("✓ holds 0.9 [0.8, 1] corrected: ? inconc")
    assert plain(first.split("<td>")[3]) == "✗ does not hold 0.9 [0.8, 1]"
    assert "holds not measured Faster" in plain(second)
    assert "all 40 claims" in shown
    assert "threshold 0.9" in shown
    assert "&lt;b&gt;if&lt;/b&gt;" in shown


def test_the_runs_of_a_sweep_are_counted_by_verdict_and_scale():
    runs = [("a", [claim()]), ("b", [claim()]), ("c", [claim("inconclusive")])]
    assert "✓ holds 2 runs ? inconclusive 1 run" in plain(verdicts_across(runs))
    mixed = plain(verdicts_across([*runs, ("d", [claim(scale="paper")])]))
    assert "Claim quick paper Statement" in mixed
    assert verdicts_across([]) == ""


@pytest.fixture(scope="module")
def page():
    return render_across(
        "sweep <of> runs",
        ["quick scale"],
        [run("<b>bad</b>"), AcrossRun("lost", "failed", settings={"concept colour": "0.3 apart"})],
        notes=["lost failed: <script>no</script>"],
        command="conceptspace sweep 'a & b'",
        shown=[Shown("learning-speed", "speed", b"\x89PNG picture", [claim()])],
        claims=claims_across(
            [ClaimAcross("learning-speed", "C1", {"quick": (claim(), "holds")})], ("quick",), 6
        ),
    )


def test_the_page_holds_everything_and_fetches_nothing(page):
    assert page.count("data:image/png;base64,") == 1
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    assert "<script" not in page
    assert "url(" not in page
    assert "$" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)


def test_the_page_ends_with_the_claims_and_starts_with_what_is_missing(page):
    order = [page.index(f'id="{name}"') for name in ("summary", "runs", "studies", "claims")]
    assert order == sorted(order)
    assert "1 of 2 runs finished, 3 seeds measured in all. Failed: lost." in page
    assert page.index("Not everything is there") < page.index('id="runs"')


def test_everything_from_outside_is_escaped(page):
    for bad in ("<b>bad</b>", "<of>", "<script>no", "a & b"):
        assert bad not in page
    for good in (
        "&lt;b&gt;bad&lt;/b&gt;",
        "sweep &lt;of&gt; runs",
        "&lt;script&gt;no",
        "a &amp; b",
    ):
        assert good in page


def test_a_page_of_nothing_is_still_a_page():
    assert "Nothing was trained." in render_across("empty", [], [])
