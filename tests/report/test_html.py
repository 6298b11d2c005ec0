import base64
import dataclasses
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from conceptspace.figures.evidence import Evidence
from conceptspace.report import words
from conceptspace.report.explorer import data_uri, picture_strips, strip
from conceptspace.report.html import json_for_script, plotly_source, render_report
from conceptspace.report.summary import summary, unsettled
from conceptspace.report.tables import (
    badge,
    claims_table,
    emergence_table,
    learning_table,
    parts_table,
    turn_table,
    window_table,
)
from figures.example import example_evidence

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """What a page asks a browser to load, its ids and links, and whether its tags are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.unclosed: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        if tag == "a":
            self.links.append(values.get("href", ""))
        else:
            self.sources += [values[key] for key in ("src", "href", "data") if key in values]
        self.ids += [values["id"]] if "id" in values else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unclosed.append(tag)


@pytest.fixture(scope="module")
def page(report_text: str) -> Page:
    return Page(report_text)


def test_nothing_is_loaded_from_anywhere(page: Page):
    assert [source for source in page.sources if not source.startswith("data:")] == []


def test_the_page_forbids_requests(report_text: str):
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', report_text)
    assert "default-src 'none'" in policy
    assert "http" not in policy


def test_every_tag_is_closed(page: Page):
    assert page.unclosed == []
    assert page.open == []


def test_ids_are_unique_and_links_lead_to_them(page: Page):
    assert len(set(page.ids)) == len(page.ids)
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_the_file_is_small_enough_to_send(report_text: str):
    assert len(report_text.encode()) < 15_000_000


def test_text_from_outside_is_escaped(report_text: str):
    body = report_text.replace(plotly_source(), "")
    assert "<first>" not in body
    assert "memorised class &lt;first&gt;" in body
    assert "straight &amp; true" in body
    assert "</script><b>not bold" not in body


def test_the_same_run_gives_the_same_report(
    evidence: Evidence, example_claims: list[dict], report_text: str
):
    settings = {"name": "made-up", "scale": "quick", "note": "</script><b>not bold</b>"}
    command = "conceptspace run quick --seeds 2"
    again = render_report(evidence, example_claims, settings, {"python": "3.11"}, command=command)
    assert again == report_text


def test_what_is_missing_is_said_at_the_top(evidence: Evidence):
    text = render_report(evidence, [], {}, {}, notes=["seed 7 <is> missing"], figures={})
    assert "seed 7 &lt;is&gt; missing" in text
    assert text.index("seed 7") < text.index("<h2>")


@pytest.mark.parametrize(
    "sparse",
    [
        {"held_out": False},
        {"elicitation": False, "num_steps": 3},
        {"concepts": ("colour",)},
        {"concepts": ("colour", "size", "background"), "num_samples": 4},
    ],
)
def test_a_run_with_little_in_it_has_a_report(sparse: dict):
    some = example_evidence(**{"num_seeds": 1, "num_steps": 5, "num_samples": 8} | sparse)
    page = Page(render_report(some, [], {}, {}, figures={}))
    assert page.unclosed == []


def test_json_in_the_page_cannot_end_its_script():
    text = json_for_script({"a": "</script><!--&"})
    assert not set(text) & set("<>&")
    assert json.loads(text) == {"a": "</script><!--&"}


def test_json_in_the_page_refuses_nan():
    with pytest.raises(ValueError, match="JSON"):
        json_for_script({"a": float("nan")})


def test_a_strip_holds_its_pictures_unchanged():
    pictures = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
    encoded = data_uri(strip(pictures)).split(",")[1]
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
        read = np.asarray(image)
    for index in range(3):
        np.testing.assert_array_equal(read[:, 6 * index : 6 * index + 5], pictures[index])


def test_a_grey_picture_is_written_too():
    encoded = data_uri(np.full((4, 4, 1), 7, dtype=np.uint8)).split(",")[1]
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
        assert image.mode == "L"


def test_over_budget_the_last_seeds_lose_their_pictures(evidence: Evidence):
    every, none_left_out = picture_strips(evidence, 10**9)
    some, left_out = picture_strips(evidence, sum(map(len, every.values())) - 1)
    assert none_left_out == []
    assert left_out == [1]
    assert {key.split("|")[0] for key in some} == {"0"}


def test_controls_show_half_as_many_pictures(evidence: Evidence):
    strips, _ = picture_strips(evidence, 10**9)
    widths = {}
    for method in ("latent-steering", "latent-steering/random-direction"):
        encoded = strips[f"0|{evidence.steps[-1]}|11|{method}"].split(",")[1]
        with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
            widths[method] = image.width
    assert list(widths.values()) == [8 * 17 - 1, 4 * 17 - 1]


def test_pictures_left_out_are_mentioned(evidence: Evidence):
    text = render_report(evidence, [], {}, {}, figures={}, picture_budget=1)
    assert "sample pictures of seed 1 are not in it" in text


@pytest.mark.parametrize(
    ("verdict", "sign"), [("holds", "✓"), ("does not hold", "✗"), ("inconclusive", "?")]
)
def test_a_verdict_is_readable_without_colour(verdict: str, sign: str):
    assert sign in badge(verdict)
    assert verdict in badge(verdict)


def test_claims_show_value_interval_and_controls(example_claims: list[dict]):
    text = claims_table(example_claims)
    assert "0.42" in text
    assert "[0.3, 0.5]" in text
    assert "<details>" in text


def test_parts_of_a_claim_say_whether_they_passed():
    parts = {
        "random_direction": {"passed": True, "required": True, "value": -0.5, "largest_in": 0.1},
        "untrained": {"passed": False, "required": False, "value": 0.2, "interval": [0.1, 0.3]},
        "memorised": {"passed": None, "required": True, "value": None},
        "reason": "none <found>",
    }
    text = parts_table(parts)
    assert text.index("✓ yes") < text.index("✗ no") < text.index("not tested")
    assert "\u22120.5" in text
    assert "largest in: 0.1" in text
    assert "none &lt;found&gt;" in text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, "none"),
        ([], "none"),
        ([1, 2.5], "[1, 2.5]"),
        ({"a_b": 1, "c": "<"}, "a b 1, c &lt;"),
        ([{"seed": 0}, {"seed": 1}], "seed 0<br>seed 1"),
        ({"a": {"b": 1}}, "<dl><dt>a</dt><dd>b 1</dd></dl>"),
    ],
)
def test_any_value_can_be_written(value, said: str):
    assert words.value_html(value) == said


def test_a_censored_time_says_that_it_never_came():
    assert words.time(None, 3000) == ">\u00a03\u202f000 (never by the end)"
    assert words.time(412, 3000) == "412"
    assert words.interval([200, None], 3000) == "[200, >\u00a03\u202f000]"
    assert words.interval([None, None], 3000) == ""


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0.12345, "0.123"),
        (12, "12"),
        (True, "yes"),
        (5e4, "50\u202f000"),
    ],
)
def test_numbers_are_short(value, said: str):
    assert words.number(value) == said


def _with_class(evidence: Evidence, **changes) -> Evidence:
    classes = evidence.findings["classes"]
    changed = classes | {"11": classes["11"] | changes}
    return dataclasses.replace(evidence, findings={**evidence.findings, "classes": changed})


def _never(num_seeds: int = 2) -> dict:
    nothing = [None] * num_seeds
    return {"per_seed": nothing, "censored_at": 3000, "median": None, "interval": [None, None]}


def test_the_summary_names_what_was_never_seen(evidence: Evidence, example_claims: list[dict]):
    text = " ".join(summary(evidence, example_claims))
    assert "never saw 11 blue small" in text
    assert "1 holds, 1 does not hold and 1 is inconclusive" in text
    assert "needs" in text or "that needs at least 5" in text


def test_the_summary_gives_the_turn_with_its_interval(evidence: Evidence):
    turned = _with_class(evidence, turns=[{"step": 900, "interval": [800, 1000]}])
    assert "turns at step 900 (95 % interval 800 to 1\u202f000)" in " ".join(summary(turned, []))


def test_the_summary_does_not_invent_a_turn(evidence: Evidence):
    straight = _with_class(evidence, turns=[])
    assert "no turn beyond noise" in " ".join(summary(straight, []))


def test_the_summary_says_when_nothing_elicits(evidence: Evidence):
    methods = ("naive", "over-prompting", "latent-steering")
    silent = _with_class(evidence, emergence={"0.8": {method: _never() for method in methods}})
    text = " ".join(summary(silent, []))
    assert "No intervention generates the class" in text
    assert "naive prompting does not by the end" in text


def test_a_claims_own_reason_is_given(evidence: Evidence):
    claim = {"id": "C4", "statement": "x", "verdict": "inconclusive", "value": None}
    found = dict(unsettled(evidence, [claim | {"controls": {"reason": "no turn was found"}}]))
    assert found["C4: x"] == "No turn was found."


@pytest.mark.parametrize(
    ("concepts", "said"),
    [
        (("colour",), "gets colour right only after the end, if ever"),
        (("colour", "size"), "gets neither colour nor size right by the end"),
        (("colour", "size", "x"), "gets none of colour, size and x right by the end"),
    ],
)
def test_the_summary_says_what_was_never_learned(evidence: Evidence, concepts: tuple, said: str):
    times = {"0.8": {concept: _never() for concept in concepts}}
    assert said in " ".join(summary(_with_class(evidence, learning_time=times), []))


def test_verdicts_that_agree_are_summed_up(evidence: Evidence, example_claims: list[dict]):
    same = [claim | {"verdict": "holds"} for claim in example_claims]
    assert "Of 3 claims tested, all hold." in " ".join(summary(evidence, same))


def test_an_inconclusive_claim_is_listed_with_its_reason(
    evidence: Evidence, example_claims: list[dict]
):
    found = dict(unsettled(evidence, example_claims))
    assert "needs at least 5" in found["C5: A hidden capability appears"]
    assert not any(what.startswith(("C3", "C4")) for what in found)


def test_a_poor_probe_is_confessed(evidence: Evidence):
    probe = evidence.findings["probe"] | {"accuracy": {"00": 0.97, "11": 1.0}}
    poor = dataclasses.replace(evidence, findings={**evidence.findings, "probe": probe})
    assert any("97.00 %" in why for _, why in unsettled(poor, []))


def test_samples_unlike_any_data_are_confessed(evidence: Evidence):
    odd = _with_class(evidence, off_manifold={"naive": [0.5] * 12})
    assert any("50 % of its samples" in why for _, why in unsettled(odd, []))


def test_without_an_inversion_the_report_does_not_say_what_is_off_the_manifold(evidence: Evidence):
    blind = _with_class(evidence, off_manifold={"naive": [None] * 12})
    text = render_report(blind, [], {}, {}, figures={})
    assert "no second probe tells what lies off the manifold" in text
    assert 'id="off-11"' not in text


def test_tables_write_censored_times_as_such(evidence: Evidence):
    late = _with_class(
        evidence,
        emergence={"0.8": {"naive": _never()}},
        learning_time={"0.8": {"colour": _never(), "size": _never()}},
    )
    for table in (emergence_table(late), learning_table(late)):
        assert "&gt;\u00a03\u202f000 (never by the end)" in table
        assert "none of 2 seeds" in table


def test_a_window_still_open_says_so(evidence: Evidence):
    length = {"per_seed": [None, None], "censored_at": [2000, 2000], "median": None}
    spans = [{"opens": 1000, "closes": None}, {"opens": None, "closes": 2000}]
    open_window = {"0.8": {"latent-steering": {"per_seed": spans, "length": length}}}
    table = window_table(_with_class(evidence, window=open_window))
    assert "still open at the end" in table
    assert "1\u202f000 to &gt;\u00a03\u202f000" in table
    assert "never opens" in table


def test_a_window_without_an_upper_end_is_at_least_so_long(evidence: Evidence):
    length = {"per_seed": [None], "median": None, "interval": [1230, None]}
    found = {"0.8": {"latent-steering": {"per_seed": [], "length": length}}}
    assert "at least 1\u202f230" in window_table(_with_class(evidence, window=found))


def test_a_run_without_turns_says_so_in_the_table(evidence: Evidence):
    assert "No path turns" in turn_table(_with_class(evidence, turns=[]))
